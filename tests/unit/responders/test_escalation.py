"""Who is paged, when and why: tables of case, present time and what follows."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

import pytest

from config.data import load_data
from domain.incidents import IncidentState, TaskState
from domain.levels import Grade
from responders.cases import Case, Desk, Person, Reason, Roster, Work
from responders.deadlines import remind
from responders.escalation import escalate, open_case, page_person, raise_grade

NOW = datetime(2026, 5, 1, 8, tzinfo=UTC)
DATA = load_data()
CHANNELS = ("console", "file", "webhook")
NAMES = UUID("5a4d7a52-6c0f-4a7a-8d0e-9b1c3a990102")
PLACE = "990101101"
AREAS = {"township": PLACE, "county": "990101", "city": "9901", "province": "99"}


def person(level: str, *channels: str) -> Person:
    """Make the post of a level."""
    return Person(uuid5(NAMES, level), level, channels or ("console",))


def roster(*levels: str, desk: str = "") -> Roster:
    """Make a roster on which some levels are on duty."""
    return Roster({Desk(AREAS[level], desk): (person(level),) for level in levels})


ALL = roster("township", "county", "city", "province")


def case(
    grade: Grade = Grade.IV,
    *,
    step: int = 0,
    loop: int = 0,
    state: IncidentState = IncidentState.DETECTED,
    acknowledged: bool = False,
    due_minutes: float = 0,
    place: str = PLACE,
) -> Case:
    """Make a case whose timer runs out in so many minutes."""
    return Case(
        id=uuid5(NAMES, "case"),
        place=place,
        post="ecology-duty",
        grade=grade,
        state=state,
        policies={number: DATA.policy("water-pollution", number) for number in range(1, 5)},
        step=step,
        loop=loop,
        next_at=NOW + timedelta(minutes=due_minutes),
        acknowledged=acknowledged,
    )


def paged(decision_orders: tuple) -> list[tuple[int, str]]:
    """Name step and person of each page, without its channel."""
    return list(dict.fromkeys((order.step, order.person.display) for order in decision_orders))


@pytest.mark.parametrize(
    ("grade", "expected", "step", "wait"),
    [
        (Grade.IV, [(0, "township")], 0, 15),
        (Grade.III, [(0, "township"), (1, "county")], 1, 15),
        (Grade.II, [(0, "township"), (1, "county"), (2, "city")], 2, 15),
        (Grade.I, [(0, "township"), (1, "county"), (2, "city"), (3, "province")], 3, 15),
    ],
)
def test_a_new_case_pages_every_level_up_to_its_entry_at_once(
    grade: Grade, expected: list[tuple[int, str]], step: int, wait: int
) -> None:
    """The graver the case, the higher it enters, and the lower levels act at once."""
    decision = open_case(case(grade), ALL, NOW, CHANNELS)
    assert paged(decision.orders) == expected
    assert (decision.reason, decision.step, decision.loop) == (Reason.OPENED, step, 0)
    assert decision.next_at == NOW + timedelta(minutes=wait)


@pytest.mark.parametrize(
    ("given", "reason", "pages", "step", "loop", "minutes"),
    [
        (case(due_minutes=1), Reason.WAITING, [], 0, 0, 1),
        (case(), Reason.NOT_ACKNOWLEDGED, [(1, "county")], 1, 0, 20),
        (case(due_minutes=-500), Reason.NOT_ACKNOWLEDGED, [(1, "county")], 1, 0, 20),
        (case(step=1), Reason.NOT_ACKNOWLEDGED, [(2, "city")], 2, 0, 60),
        (case(step=2), Reason.NOT_ACKNOWLEDGED, [(3, "province")], 3, 0, 120),
        (case(step=3), Reason.TOP_REPEATS, [(3, "province")], 3, 1, 120),
        (case(step=3, loop=7), Reason.TOP_REPEATS, [(3, "province")], 3, 8, 120),
        (case(acknowledged=True), Reason.ACKNOWLEDGED, [], 0, 0, None),
        (case(acknowledged=True, due_minutes=-100_000), Reason.ACKNOWLEDGED, [], 0, 0, None),
        (case(state=IncidentState.CLOSED), Reason.ENDED, [], 0, 0, None),
        (case(state=IncidentState.FALSE_ALARM), Reason.ENDED, [], 0, 0, None),
        (case(state=IncidentState.RESPONDING), Reason.NOT_ACKNOWLEDGED, [(1, "county")], 1, 0, 20),
    ],
)
def test_a_case_climbs_until_somebody_acknowledges(
    given: Case, reason: Reason, pages: list[tuple[int, str]], step: int, loop: int, minutes: int | None
) -> None:
    """The table of what becomes of a case at its timer."""
    decision = escalate(given, ALL, NOW, CHANNELS)
    assert (decision.reason, paged(decision.orders), decision.step, decision.loop) == (
        reason,
        pages,
        step,
        loop,
    )
    assert decision.next_at == (None if minutes is None else NOW + timedelta(minutes=minutes))


@pytest.mark.parametrize(
    ("present", "opened", "step", "vacant"),
    [
        (("county", "city", "province"), [(1, "county")], 1, [PLACE]),
        (("city", "province"), [(2, "city")], 2, [PLACE, "990101"]),
        (("province",), [(3, "province")], 3, [PLACE, "990101", "9901"]),
        ((), [], 3, [PLACE, "990101", "9901", "99"]),
    ],
)
def test_a_step_without_anybody_on_duty_does_not_wait(
    present: tuple[str, ...], opened: list[tuple[int, str]], step: int, vacant: list[str]
) -> None:
    """Nobody on duty: the next level at once, and every vacant desk is named."""
    decision = open_case(case(), roster(*present), NOW, CHANNELS)
    assert (paged(decision.orders), decision.step) == (opened, step)
    assert [desk.area for desk in decision.vacant] == vacant
    assert decision.next_at is not None  # even with nobody anywhere the case goes on asking


def test_the_post_of_the_category_is_asked_before_the_general_desk() -> None:
    """Who is on duty for the category itself answers; without one the area's general desk does."""
    both = Roster({Desk(PLACE, "ecology-duty"): (person("ecology"),), Desk(PLACE, ""): (person("general"),)})
    assert paged(open_case(case(), both, NOW, CHANNELS).orders) == [(0, "ecology")]
    assert paged(open_case(case(), roster("township"), NOW, CHANNELS).orders) == [(0, "township")]


def test_a_case_of_the_whole_county_skips_the_township() -> None:
    """A tower below the place of the case is no vacancy: it does not exist for the case."""
    decision = open_case(case(place="990101"), ALL, NOW, CHANNELS)
    assert paged(decision.orders) == [(1, "county")]
    assert decision.vacant == ()


def test_a_person_on_two_desks_is_paged_once_in_one_moment() -> None:
    """Who sits at two desks of the way up gets one page, for the lower."""
    same = person("both")
    two = Roster({Desk(PLACE, ""): (same,), Desk("990101", ""): (same,)})
    assert paged(open_case(case(Grade.III), two, NOW, CHANNELS).orders) == [(0, "both")]


def test_a_graver_grade_pages_anew() -> None:
    """Raising the grade pages all levels up to the new entry in a new loop, so that the pages are new ones."""
    decision = raise_grade(case(Grade.II, step=1, loop=2), ALL, NOW, CHANNELS)
    assert paged(decision.orders) == [(0, "township"), (1, "county"), (2, "city")]
    assert (decision.reason, decision.loop) == (Reason.GRADE_RAISED, 3)


@pytest.mark.parametrize(
    ("own", "wanted", "set_up", "expected"),
    [
        (("console",), ("console", "file"), CHANNELS, [("console", ()), ("file", ())]),
        (("console",), ("console", "webhook", "file"), CHANNELS, [("console", ()), ("webhook", ("file",))]),
        (
            ("file", "webhook"),
            ("console", "webhook", "file"),
            CHANNELS,
            [("console", ()), ("file", ("webhook",))],
        ),
        (("console",), ("console", "webhook", "file"), ("console", "file"), [("console", ()), ("file", ())]),
        (("console",), ("webhook",), ("console", "file"), [("console", ())]),
        (("sms",), ("webhook", "file"), CHANNELS, [("webhook", ("file",))]),
    ],
)
def test_a_person_is_reached_on_the_console_and_over_one_outside_channel(
    own: tuple[str, ...],
    wanted: tuple[str, ...],
    set_up: tuple[str, ...],
    expected: list[tuple[str, tuple[str, ...]]],
) -> None:
    """The person's own order comes first; the others stand behind; nobody is left without any channel."""
    orders = page_person(person("x", *own), 0, 0, wanted, set_up, Reason.OPENED)
    assert [(order.channel, order.fallbacks) for order in orders] == expected


def work(state: TaskState = TaskState.DISPATCHED, passed: int = 0, *, minutes_ago: float = 0) -> Work:
    """Make a task of 60 minutes that was dispatched so long ago."""
    since = NOW - timedelta(minutes=minutes_ago)
    return Work(
        uuid5(NAMES, "task"),
        1,
        Desk(PLACE, "ecology-duty"),
        state,
        since,
        since + timedelta(minutes=60),
        passed,
    )


WITH_LEADER = Roster(ALL.on_duty | {Desk("990101", "leader"): (person("leader"),)})


@pytest.mark.parametrize(
    ("given", "on_duty", "reason", "who", "step", "next_in"),
    [
        (work(minutes_ago=29), ALL, Reason.WAITING, [], 1000, 1),
        (work(minutes_ago=30), ALL, Reason.HALF_TIME, ["township"], 1050, 30),
        (work(minutes_ago=30), roster("county"), Reason.HALF_TIME, ["county"], 1050, 30),
        (work(passed=50, minutes_ago=59), ALL, Reason.WAITING, [], 1050, 1),
        (work(passed=50, minutes_ago=60), ALL, Reason.OVERDUE, ["county"], 1100, 30),
        (work(passed=100, minutes_ago=90), WITH_LEADER, Reason.LONG_OVERDUE, ["leader"], 1150, 60),
        (work(passed=100, minutes_ago=90), ALL, Reason.LONG_OVERDUE, ["city"], 1150, 60),
        (work(minutes_ago=500), ALL, Reason.LONG_OVERDUE, ["city"], 1150, 60),
        (work(passed=150, minutes_ago=500), ALL, Reason.STILL_OVERDUE, ["township", "city"], 1150, 60),
        (work(TaskState.ACCEPTED, minutes_ago=30), ALL, Reason.HALF_TIME, ["township"], 1050, 30),
        (work(TaskState.DONE, minutes_ago=30), ALL, Reason.ENDED, [], 1000, None),
        (work(TaskState.CANCELLED, minutes_ago=30), ALL, Reason.ENDED, [], 1000, None),
    ],
)
def test_a_task_is_reminded_then_told_upwards(
    given: Work, on_duty: Roster, reason: Reason, who: list[str], step: int, next_in: int | None
) -> None:
    """Half of the time reminds the unit, all of it tells the next level, half as much again the leader, and so on."""
    decision = remind(given, case(acknowledged=True), on_duty, NOW, CHANNELS)
    assert (decision.reason, [name for _, name in paged(decision.orders)], decision.step) == (
        reason,
        who,
        step,
    )
    assert decision.next_at == (None if next_in is None else NOW + timedelta(minutes=next_in))


def test_a_task_of_an_ended_case_reminds_nobody() -> None:
    """Deadlines end with the case."""
    decision = remind(work(minutes_ago=500), case(state=IncidentState.CLOSED), ALL, NOW, CHANNELS)
    assert (decision.reason, decision.orders, decision.next_at) == (Reason.ENDED, (), None)
