"""When pages go out: never held back are grades I and II, never lost the others, never more letters than may be."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from config.data import load_data
from config.pacing import Pacing, Quiet, Rate, check_pacing, pacing_of
from domain.levels import Grade
from responders.cases import Reason
from responders.pacing import Hold, Letter, Waiting, Withdrawal, is_storm, plan, quiet_until, withdraw

NOON = datetime(2026, 5, 1, 4, tzinfo=UTC)
COUNTY, TOWNSHIP, ELSEWHERE = "990101", "990101101", "990102101"
RULES = Pacing(
    letters=3,
    minutes=10,
    storm_cases=5,
    storm_minutes=10,
    calm_cases=2,
    gather_seconds=5,
    digest_minutes=5,
    stale_minutes=10,
)
NIGHT = Quiet(starts="22:00", ends="06:30")


def page(
    number: int, grade: Grade = Grade.IV, *, at: datetime = NOON, place: str = TOWNSHIP, night: bool = False
) -> Waiting:
    """Make a page that could go out."""
    return Waiting(UUID(int=number), grade, place, at, quiet=(NIGHT,) if night else ())


def ids(letters: Iterable[Letter]) -> list[list[int]]:
    """Name the pages of letters by their numbers."""
    return [[one.int for one in letter.pages] for letter in letters]


def test_pages_for_which_there_is_room_go_each_by_itself() -> None:
    """On a quiet day nothing is gathered, and nothing waits."""
    decided = plan([page(1), page(2)], [], set(), RULES, "sms", NOON)
    assert (ids(decided.letters), decided.held) == ([[1], [2]], ())


def test_more_than_there_is_room_for_go_in_one_letter() -> None:
    """Four pages at once where three letters may go: one letter, and the gravest page first."""
    decided = plan(
        [page(1), page(2), page(3, Grade.III), page(4)],
        [NOON - timedelta(hours=1)],
        set(),
        RULES,
        "sms",
        NOON,
    )
    assert ids(decided.letters) == [[3, 1, 2, 4]]


def test_who_got_enough_letters_waits_until_the_oldest_is_long_ago() -> None:
    """After three letters in ten minutes the next page waits for the first of them to be ten minutes old."""
    recent = [NOON - timedelta(minutes=minutes) for minutes in (9, 5, 1)]
    decided = plan([page(1)], recent, set(), RULES, "sms", NOON)
    assert decided.letters == ()
    assert [(held.until, held.why) for held in decided.held] == [
        (NOON + timedelta(minutes=1), Hold.THROTTLED)
    ]


def test_a_channel_may_have_a_rate_of_its_own() -> None:
    """An SMS costs more patience than a chat."""
    rules = structs.replace(RULES, channels={"sms": Rate(letters=1, minutes=60)})
    recent = [NOON - timedelta(minutes=30)]
    assert plan([page(1)], recent, set(), rules, "sms", NOON).letters == ()
    assert ids(plan([page(1)], recent, set(), rules, "chat", NOON).letters) == [[1]]


def test_a_storm_gathers_first_seconds_and_then_minutes() -> None:
    """The first letter of a storm gathers for five seconds, the next follows five minutes later."""
    first = plan([page(1)], [], {COUNTY}, RULES, "sms", NOON)
    assert [(held.until, held.why) for held in first.held] == [(NOON + timedelta(seconds=5), Hold.STORM)]
    later = NOON + timedelta(seconds=5)
    waited = replace(page(1), held=Hold.STORM, held_until=later)
    assert ids(plan([waited, page(2, at=later)], [], {COUNTY}, RULES, "sms", later).letters) == [[1, 2]]
    again = plan([page(3, at=later)], [later], {COUNTY}, RULES, "sms", later)
    assert [held.until for held in again.held] == [later + timedelta(minutes=5)]


def test_a_storm_does_not_wait_for_the_letters_before_it() -> None:
    """Who got as many letters as may be when the storm began gets its digest all the same, an interval after the last."""
    recent = [NOON - timedelta(minutes=minutes) for minutes in (5, 5, 5)]
    old = NOON - timedelta(minutes=1)
    assert ids(plan([page(1, at=old)], recent, {COUNTY}, RULES, "sms", NOON).letters) == [[1]]
    assert plan([page(1, at=old)], recent, set(), RULES, "sms", NOON).letters == ()


def test_a_storm_elsewhere_gathers_nothing_here() -> None:
    """Only cases of the county in a storm are gathered."""
    decided = plan([page(1), page(2, place=ELSEWHERE)], [], {COUNTY}, RULES, "sms", NOON)
    assert (ids(decided.letters), [held.page.int for held in decided.held]) == ([[2]], [1])


@pytest.mark.parametrize(
    ("hour", "minute", "waits"),
    [(13, 59, 0), (14, 0, 510), (18, 0, 270), (22, 29, 1), (22, 30, 0), (4, 0, 0)],
)
def test_quiet_hours_over_midnight(hour: int, minute: int, waits: int) -> None:
    """22:00 to 06:30 of Asia/Shanghai is 14:00 to 22:30 UTC; the end belongs to it no more."""
    at = datetime(2026, 5, 1, hour, minute, tzinfo=UTC)
    assert quiet_until(page(1, at=at, night=True), at) == at + timedelta(minutes=waits)


def test_quiet_spans_that_follow_one_another_are_waited_for_together_but_not_without_end() -> None:
    """Policy until 06:30 and account until 08:00 end at 08:00; spans around the clock end after sixteen hours."""
    at = datetime(2026, 5, 1, 15, tzinfo=UTC)
    both = Waiting(UUID(int=1), Grade.IV, TOWNSHIP, at, quiet=(NIGHT, Quiet(starts="06:00", ends="08:00")))
    assert quiet_until(both, at) == datetime(2026, 5, 2, 0, tzinfo=UTC)
    always = (Quiet(starts="00:00", ends="12:00"), Quiet(starts="12:00", ends="00:00"))
    waiting = Waiting(UUID(int=1), Grade.IV, TOWNSHIP, at, quiet=always)
    assert quiet_until(waiting, at) == at + timedelta(hours=16)
    assert quiet_until(waiting, at + timedelta(hours=17)) == at + timedelta(hours=17)


def test_the_key_of_a_letter_hangs_on_its_pages_and_not_on_their_order() -> None:
    """Two workers who put the same pages into a letter give it the same key; a single page is its own."""
    one, two = UUID(int=1), UUID(int=2)
    assert Letter((one, two)).key == Letter((two, one)).key
    assert Letter((one,)).key == one
    assert Letter((one, two)).key not in {one, two}


@pytest.mark.parametrize(
    ("before", "opened", "now"),
    [(False, 5, False), (False, 6, True), (True, 6, True), (True, 2, True), (True, 1, False)],
)
def test_a_storm_begins_above_one_number_and_ends_below_another(before: bool, opened: int, now: bool) -> None:
    """Between the two numbers it stays what it was."""
    assert is_storm(before, opened, RULES) is now


@pytest.mark.parametrize(
    ("reason", "grade", "facts", "why"),
    [
        (Reason.OPENED, Grade.IV, {}, None),
        (Reason.OPENED, Grade.IV, {"ended", "acknowledged"}, Withdrawal.ENDED),
        (Reason.HALF_TIME, Grade.IV, {"ended"}, Withdrawal.ENDED),
        (Reason.HALF_TIME, Grade.IV, {"superseded", "climbed"}, None),
        (Reason.OPENED, Grade.I, {"acknowledged"}, Withdrawal.ACKNOWLEDGED),
        (Reason.TOP_REPEATS, Grade.I, {"superseded"}, Withdrawal.SUPERSEDED),
        (Reason.OPENED, Grade.III, {"climbed"}, Withdrawal.CLIMBED_PAST),
        (Reason.OPENED, Grade.II, {"climbed"}, None),
    ],
)
def test_what_is_stale_is_withdrawn_with_a_reason(
    reason: Reason, grade: Grade, facts: set[str], why: Withdrawal | None
) -> None:
    """Each row of the table; a page of grade I or II is never too late for those whom it was for."""
    names = ("ended", "acknowledged", "superseded", "climbed")
    assert withdraw(reason, grade, **{name: name in facts for name in names}) is why


PAGES = st.lists(
    st.tuples(
        st.sampled_from(Grade), st.integers(0, 120), st.sampled_from([TOWNSHIP, ELSEWHERE]), st.booleans()
    ),
    max_size=40,
)
DECISIONS = st.tuples(
    PAGES,
    st.integers(1, 4),
    st.integers(1, 30),
    st.sets(st.sampled_from([COUNTY, "990102"])),
    st.integers(0, 23),
)


@given(DECISIONS)
def test_a_day_of_pages(
    made: tuple[list[tuple[Grade, int, str, bool]], int, int, set[str], int],
) -> None:
    """Whatever comes: I and II go in the minute they are ordered, each page goes once, letters are no more than may be."""
    wanted, letters, minutes, storms, hour = made
    rules = structs.replace(RULES, letters=letters, minutes=minutes)
    begin = datetime(2026, 5, 1, hour, tzinfo=UTC)
    waiting = {
        UUID(int=number): page(number, grade, at=begin + timedelta(minutes=minute), place=place, night=night)
        for number, (grade, minute, place, night) in enumerate(wanted, 1)
    }
    sent: list[tuple[datetime, Letter]] = []
    counted: list[datetime] = []
    now = begin
    while waiting:
        assert now < begin + timedelta(hours=48), "a page waits without end"
        ready = [
            one
            for one in waiting.values()
            if one.ordered_at <= now and (one.held_until is None or one.held_until <= now)
        ]
        decided = plan(ready, counted, storms, rules, "sms", now)
        for letter in decided.letters:
            sent.append((now, letter))
            gone = [waiting.pop(number) for number in letter.pages]
            if gone[0].grade > Grade.II:
                counted.append(now)
            else:
                assert gone[0].ordered_at == now
                assert len(gone) == 1
        for held in decided.held:
            assert held.until > now
            assert waiting[held.page].grade > Grade.II
            waiting[held.page] = replace(waiting[held.page], held=held.why, held_until=held.until)
        now += timedelta(minutes=1)
    pages = [number for _, letter in sent for number in letter.pages]
    assert sorted(pages) == [UUID(int=number) for number in range(1, len(wanted) + 1)]
    for at in counted:
        within = [other for other in counted if at <= other < at + timedelta(minutes=minutes)]
        assert len(within) <= letters + (minutes // 5 + 1 if storms else 0)


def test_the_longest_area_wins() -> None:
    """A county with figures of its own has them, the others have those for everywhere."""
    own = structs.replace(RULES, area=COUNTY, letters=9)
    assert pacing_of([RULES, own], TOWNSHIP).letters == 9
    assert pacing_of([RULES, own], ELSEWHERE).letters == 3


def test_every_fault_of_the_file_is_told_at_once() -> None:
    """An officer who sets it up learns of everything in one go."""
    wrong = structs.replace(
        RULES,
        area="9901011",
        calm_cases=9,
        gather_seconds=400,
        quiet=(Quiet(policy="nightly", starts="06:00", ends="06:00"),),
    )
    faults = {fault.field for fault in check_pacing([wrong, wrong], {"ordinary"})}
    fields = ("area", "calm_cases", "digest_minutes", "quiet[0].ends", "quiet[0].policy")
    assert faults == {"pacing", *(f"pacing[{number}].{name}" for number in (0, 1) for name in fields)}


def test_what_is_shipped_holds_everywhere() -> None:
    """Without a file of one's own there is a pacing for each area."""
    assert pacing_of(load_data().pacing, "110101001001").letters == 10
