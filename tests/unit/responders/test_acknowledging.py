"""Whose acknowledgement is missing, how often a step is paged, and what never happens, by tables and random cases."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.policies import Policy, Step
from domain.incidents import IncidentState
from domain.levels import Grade
from responders.acknowledging import Wanting, desk_at, level_of, wanting
from responders.cases import Ack, Case, Decision, Desk, Person, Reason, Roster
from responders.escalation import escalate, open_case, raise_grade
from responders.holds import Hold, HoldKind

NOW = datetime(2026, 5, 1, 8, tzinfo=UTC)
NAMES = UUID("5a4d7a52-6c0f-4a7a-8d0e-9b1c3a990104")
LEVELS = ("township", "county", "city", "province")
AREAS = dict(zip(LEVELS, ("990101101", "990101", "9901", "99"), strict=True))
PLACE = AREAS["township"]
HOLD = Hold(HoldKind.SHELVED, uuid5(NAMES, "shelf"), "复测", "示例县值班室", NOW + timedelta(hours=1))
CHANNELS = ("console", "file")


def policy(
    *, by: tuple[str, ...] = (), desks: int = 1, entry: str = "township", times: int = 1, again: str = ""
) -> Policy:
    """Make a policy of four steps of ten minutes."""
    steps = tuple(Step(level=level, wait_minutes=10, channels=("console",), times=times) for level in LEVELS)
    return Policy(
        slug="one",
        grades=(1, 2, 3, 4),
        steps=steps,
        entry=entry,
        acknowledged_by=by,
        desks=desks,
        again_from=again,
    )


def roster(*levels: str) -> Roster:
    """Put one person on duty at each level."""
    return Roster({Desk(AREAS[level], ""): (Person(uuid5(NAMES, level), level),) for level in levels})


def ack(level: str, who: str = "") -> Ack:
    """Acknowledge as the person on duty of a level, or as somebody else of it."""
    return Ack(uuid5(NAMES, who or level), Desk(AREAS[level], who), level)


def case(one: Policy, *acks: Ack, step: int = 0, tries: int = 1, place: str = PLACE) -> Case:
    """Make a case whose timer has run out."""
    return Case(
        id=uuid5(NAMES, "case"),
        place=place,
        post="",
        grade=Grade.III,
        state=IncidentState.VERIFYING,
        policies=dict.fromkeys(range(1, 5), one),
        step=step,
        loop=0,
        next_at=NOW,
        acknowledged=False,
        tries=tries,
        acks=acks,
    )


def told(decision: Decision) -> list[str]:
    """Name who is paged."""
    return sorted({order.person.display for order in decision.orders})


COUNTY_CITY = policy(by=("county", "city"))


@pytest.mark.parametrize(
    ("one", "acks", "there", "missing"),
    [
        (policy(), (), LEVELS, Wanting(desks=1)),
        (policy(), (ack("township"),), LEVELS, Wanting()),
        (COUNTY_CITY, (), LEVELS, Wanting(("county", "city"))),
        (COUNTY_CITY, (ack("county"),), LEVELS, Wanting(("city",))),
        (COUNTY_CITY, (ack("county", "another"),), LEVELS, Wanting(("city",))),
        (COUNTY_CITY, (ack("township"),), LEVELS, Wanting(("county", "city"))),
        (COUNTY_CITY, (ack("county"), ack("city")), LEVELS, Wanting()),
        (COUNTY_CITY, (ack("county"),), ("township", "county"), Wanting()),  # nobody at the city: waived
        (COUNTY_CITY, (), ("township",), Wanting(desks=1)),  # one is needed all the same
        (COUNTY_CITY, (ack("township"),), ("township",), Wanting()),
        (policy(desks=2), (ack("county"),), LEVELS, Wanting(desks=1)),
        (policy(desks=2), (ack("county"), ack("county", "another")), LEVELS, Wanting()),
        (policy(desks=3), (ack("county"),), ("county", "city"), Wanting(desks=1)),  # there are only two
        (policy(desks=2), (), (), Wanting(desks=1)),
    ],
)
def test_what_is_missing_is_named(
    one: Policy, acks: tuple[Ack, ...], there: tuple[str, ...], missing: Wanting
) -> None:
    """Levels that must, or a number of desks, of those who can be reached at all."""
    assert wanting(one, PLACE, "", acks, roster(*there)) == missing


@pytest.mark.parametrize(
    ("given", "there", "reason", "who", "step"),
    [
        (case(COUNTY_CITY, ack("county"), step=1), LEVELS, Reason.AWAITED, ["city"], 1),
        (case(COUNTY_CITY, ack("township")), LEVELS, Reason.AWAITED, ["city", "county"], 0),
        (case(COUNTY_CITY, ack("county"), step=3), ("county", "province"), Reason.WAIVED, [], 3),
        (case(policy(desks=2), ack("township")), LEVELS, Reason.AWAITED, ["county"], 1),
        (case(policy(desks=3), ack("county"), step=1), LEVELS, Reason.AWAITED, ["city", "township"], 2),
        (case(policy(desks=2), ack("township")), ("township", "province"), Reason.AWAITED, ["province"], 1),
        (case(policy(times=2)), LEVELS, Reason.STEP_REPEATS, ["township"], 0),
        (case(policy(times=2), tries=2), LEVELS, Reason.NOT_ACKNOWLEDGED, ["county"], 1),
        (case(policy(times=2), step=3), LEVELS, Reason.STEP_REPEATS, ["province"], 3),
        (case(policy(again="county"), step=3), LEVELS, Reason.TOP_REPEATS, ["county"], 1),
        (case(policy(again="county"), step=3), ("city",), Reason.TOP_REPEATS, ["city"], 2),
        (case(policy(), step=3), LEVELS, Reason.TOP_REPEATS, ["province"], 3),
    ],
)
def test_the_missing_are_paged_and_steps_repeat(
    given: Case, there: tuple[str, ...], reason: Reason, who: list[str], step: int
) -> None:
    """The table of what becomes of a case at its timer, beyond climbing."""
    decision = escalate(given, roster(*there), NOW, CHANNELS)
    assert (decision.reason, told(decision), decision.step) == (reason, who, step)


def test_a_held_case_pages_nobody_and_then_everybody_up_to_the_entry() -> None:
    """Held at its opening, or later: no pages, a next look; when nothing holds it, all levels that it began with."""
    one = case(policy(entry="county"))
    opened = open_case(one, roster(*LEVELS), NOW, CHANNELS, hold=HOLD)
    assert (opened.reason, opened.orders, opened.hold) == (Reason.HELD, (), HOLD)
    later = escalate(replace(one, step=3, hold=HOLD), roster(*LEVELS), NOW, CHANNELS)
    assert (later.reason, told(later), later.loop) == (Reason.HOLD_OVER, ["county", "township"], 1)


@pytest.mark.parametrize(
    ("place", "step", "desk"),
    [
        ("990101101003", 0, "990101101"),
        ("990101", 0, None),
        ("9901", 2, "9901"),  # the nearest common parent of two counties
        ("99", 2, None),
        ("99", 3, "99"),
    ],
)
def test_the_desk_of_a_step_lies_on_the_way_up_from_the_place(
    place: str, step: int, desk: str | None
) -> None:
    """What lies below the place does not exist for the case, be it a common parent; the last step is never without."""
    found = desk_at(policy(), step, place, "")
    assert (None if found is None else found.area) == desk
    only = Policy(slug="low", grades=(4,), steps=policy().steps[:1])
    assert desk_at(only, 0, "990101", "") == Desk("990101", "")


@pytest.mark.parametrize(
    ("area", "level"),
    [
        ("99", "province"),
        ("9901", "city"),
        ("990101", "county"),
        ("990101101", "township"),
        ("990101101003", "township"),
    ],
)
def test_an_account_answers_for_the_tower_of_its_area(area: str, level: str) -> None:
    """Villages belong to their township."""
    assert level_of(area) == level


POLICIES = st.builds(
    policy,
    by=st.sets(st.sampled_from(LEVELS)).map(lambda found: tuple(one for one in LEVELS if one in found)),
    entry=st.sampled_from(LEVELS),
    times=st.integers(1, 3),
    again=st.sampled_from(("", *LEVELS)),
) | st.builds(policy, desks=st.integers(2, 4), times=st.integers(1, 2))
CASES = st.builds(
    lambda one, acks, step, tries: case(one, *(ack(level) for level in acks), step=step, tries=tries),
    POLICIES,
    st.sets(st.sampled_from(LEVELS)),
    st.integers(0, 3),
    st.integers(1, 3),
)


@given(CASES, st.sets(st.sampled_from(LEVELS)), st.none() | st.just(HOLD))
def test_nobody_is_forgotten_and_nobody_who_acknowledged_is_paged(
    given: Case, there: set[str], hold: Hold | None
) -> None:
    """An open case always has a next look ahead, unless nothing is missing; pages go only to those who have not answered."""
    on_duty = roster(*there)
    for decide in (escalate, open_case, raise_grade):
        decision = decide(given, on_duty, NOW, CHANNELS, hold=hold)
        if decision.reason is Reason.WAIVED:
            assert wanting(given.policy, PLACE, "", given.acks, on_duty).nothing
        else:
            assert decision.next_at is not None and decision.next_at > NOW
        if decide is not raise_grade:  # which asks everybody anew
            assert not {order.person.user for order in decision.orders} & {one.user for one in given.acks}
        keys = [(order.step, order.loop, order.person.user, order.channel) for order in decision.orders]
        assert len(keys) == len(set(keys))


@given(POLICIES, st.sets(st.sampled_from(LEVELS), min_size=1), st.integers(2, 30))
def test_no_page_is_ordered_twice_however_long_nobody_answers(
    one: Policy, there: set[str], rounds: int
) -> None:
    """Step, loop, person and channel name a page: along a case's whole life each is ordered once, and somebody each time."""
    on_duty, state, at = roster(*there), case(one), NOW
    decision = open_case(state, on_duty, at, CHANNELS)
    seen: set[tuple[object, ...]] = set()
    for _ in range(rounds):
        for order in decision.orders:
            key = (order.step, order.loop, order.person.user, order.channel)
            assert key not in seen
            seen.add(key)
        assert decision.next_at is not None
        at = decision.next_at
        state = replace(
            state, step=decision.step, loop=decision.loop, tries=decision.tries, next_at=decision.next_at
        )
        decision = escalate(state, on_duty, at, CHANNELS)
    pauses = 4 * max(step.times for step in one.steps) + 1
    assert len(seen) >= rounds // pauses
