"""Clocks of the law by themselves: when each begins, how it ends, and that nothing owed is ever taken back."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.data import load_data
from domain.incidents import IncidentState
from domain.levels import EventClass, Grade
from responders import legal
from responders.cases import Desk, Person, Reason, Roster
from responders.dues import Change, Due, EndReason, Made, ReportKind, Subject, hears, levels_of

CLOCKS = load_data().clocks
START = datetime(2026, 5, 1, 8, tzinfo=UTC)
"""16:00 in the county."""
CASE = UUID(int=7)
RIVER = Subject(CASE, "water-pollution", EventClass.ACCIDENT, "990101101", "ecology-duty")
FIRE = Subject(CASE, "fire-hazard", EventClass.ACCIDENT, "990101101", "emergency-duty")
FEVER = Subject(CASE, "infectious-disease", EventClass.PUBLIC_HEALTH, "990101101", "health-duty")
TOWNSHIP = ("unit", "township")


def at(minutes: float) -> datetime:
    """Tell a time by the minutes since the start."""
    return START + timedelta(minutes=minutes)


def change(
    minutes: float, state: str = "confirmed", grade: Grade = Grade.III, *, reopened: bool = False
) -> Change:
    """Make a change of a case."""
    return Change(at(minutes), IncidentState(state), grade, reopened)


def begin(subject: Subject, *changes: Change, dues: Sequence[Due] = ()) -> tuple[Due, ...]:
    """Let a case go through changes."""
    for one in changes:
        dues = legal.follow(CLOCKS, subject, dues, one)
    return tuple(dues)


def made(
    minutes: float,
    to: str,
    kind: ReportKind = ReportKind.FIRST,
    by: tuple[str, ...] = ("county",),
    form: str = "written",
) -> Made:
    """Make a report."""
    return Made(by, to, kind, form, at(minutes))


def find(dues: Sequence[Due], clock: str, to: str, kind: str = "first", form: str = "written") -> Due:
    """Find the newest report of a way."""
    return [due for due in dues if (due.clock, due.to, due.kind.value, due.form) == (clock, to, kind, form)][
        -1
    ]


def limits(dues: Sequence[Due]) -> dict[str, float]:
    """Tell the limits of first reports in minutes since the start, by way and form."""
    return {
        f"{due.clock} {due.by}-{due.to} {due.form}": (due.due_at - START).total_seconds() / 60
        for due in dues
        if due.kind is ReportKind.FIRST and due.due_at is not None
    }


LIMITS = [
    (RIVER, Grade.IV, "confirmed", {}),
    (RIVER, Grade.III, "verifying", {}),
    (
        RIVER,
        Grade.III,
        "confirmed",
        {
            "general county-city written": 120,
            "general city-province written": 300,
            "township-practice township-county phone": 20,
            "township-practice township-county written": 40,
        },
    ),
    (
        FIRE,
        Grade.IV,
        "confirmed",
        {"work-safety unit-county written": 60, "work-safety county-city written": 180},
    ),
    (
        FIRE,
        Grade.II,
        "detected",
        {
            "work-safety unit-county written": 60,
            "work-safety county-city written": 180,
            "work-safety city-province written": 300,
            "work-safety province-nation written": 420,
            "general county-city written": 120,
            "general city-province written": 300,
            "township-practice township-county phone": 20,
            "township-practice township-county written": 40,
        },
    ),
    (
        FEVER,
        Grade.IV,
        "confirmed",
        {
            "public-health unit-county written": 120,
            "public-health county-county written": 240,
            "public-health county-city written": 240,
            "infectious-disease unit-county written": 1440,
        },
    ),
    (
        replace(FEVER, place="990101"),
        Grade.IV,
        "confirmed",
        {"public-health county-county written": 120, "public-health county-city written": 120},
    ),
    (replace(RIVER, category="noise-complaint"), Grade.I, "confirmed", {}),
    (replace(RIVER, category="gone", event_class=None), Grade.I, "confirmed", {}),
]


@pytest.mark.parametrize(("subject", "grade", "state", "expected"), LIMITS)
def test_each_clock_has_its_limit(
    subject: Subject, grade: Grade, state: str, expected: dict[str, float]
) -> None:
    """By class, category, grade and confirmation; each level up begins where the one below must have reported.

    An event of the whole county owes nothing to a township, and the county's own time begins at once.
    """
    assert limits(begin(subject, change(0, state, grade))) == expected


def test_time_runs_from_the_confirmation_or_from_the_opening() -> None:
    """A larger case from when somebody confirmed it, a major one from when it was opened, confirmed or not."""
    confirmed = begin(RIVER, change(0, "detected"), change(90))
    assert find(confirmed, "general", "city").due_at == at(90 + 120)
    major = begin(RIVER, change(0, "detected", Grade.II), change(90, grade=Grade.II))
    assert find(major, "general", "city").due_at == at(120)


def test_the_level_above_begins_when_the_one_below_has_reported() -> None:
    """Earlier than planned where the report came early, and not later where it came late or never."""
    dues = begin(FIRE, change(0, grade=Grade.IV))
    early = legal.report(dues, made(15, "county", by=TOWNSHIP))
    assert find(early, "work-safety", "county").met_at == at(15)
    assert find(early, "work-safety", "city").due_at == at(15 + 120)
    late = legal.report(dues, made(100, "county", by=TOWNSHIP))
    assert find(late, "work-safety", "city").due_at == at(60 + 120)


def test_a_level_may_report_before_the_one_below() -> None:
    """Going past a level that says nothing answers one's own clock and no other."""
    dues = legal.report(begin(FIRE, change(0, grade=Grade.IV)), made(5, "city"))
    assert find(dues, "work-safety", "city").met_at == at(5)
    assert find(dues, "work-safety", "county").is_owed


def test_one_report_answers_every_clock_that_asks_for_it() -> None:
    """What was written once is not written again for another law."""
    dues = legal.report(begin(FIRE, change(0, grade=Grade.II)), made(30, "city"))
    assert {due.clock for due in dues if due.met_at and due.kind is ReportKind.FIRST} == {
        "work-safety",
        "general",
    }


@pytest.mark.parametrize(
    ("form", "phone", "written"), [("phone", True, False), ("written", True, True)], ids=str
)
def test_a_call_is_no_letter(form: str, phone: bool, written: bool) -> None:
    """A written report answers where a call was asked for; a call leaves the written one owed."""
    dues = legal.report(begin(RIVER, change(0)), made(10, "county", by=TOWNSHIP, form=form))
    assert (find(dues, "township-practice", "county", form="phone").met_at is not None) is phone
    assert (find(dues, "township-practice", "county").met_at is not None) is written


@pytest.mark.parametrize(
    ("grade", "begins", "due"),
    [
        (Grade.III, datetime(2026, 5, 1, 15, 30, tzinfo=UTC), datetime(2026, 5, 2, 15, 30, tzinfo=UTC)),
        (Grade.II, datetime(2026, 5, 1, 15, 30, tzinfo=UTC), datetime(2026, 5, 2, 3, 30, tzinfo=UTC)),
        (Grade.I, datetime(2026, 12, 31, 15, 59, tzinfo=UTC), datetime(2027, 1, 1, 3, 59, tzinfo=UTC)),
    ],
)
def test_follow_ups_over_midnight(grade: Grade, begins: datetime, due: datetime) -> None:
    """24 hours ÷ times after the report before, whatever the date: 23:30 in the county, then the next day."""
    minutes = (begins - START).total_seconds() / 60
    dues = legal.report(begin(FIRE, change(0, grade=grade)), made(minutes, "city"))
    first = find(dues, "work-safety", "city", "follow_up")
    assert (first.number, first.due_at) == (1, due)
    again = legal.report(dues, made(minutes + 60, "city", ReportKind.FOLLOW_UP))
    assert find(again, "work-safety", "city", "follow_up").due_at == due + timedelta(hours=1)
    assert find(again, "work-safety", "city", "follow_up").number == 2


def test_no_day_between_two_midnights_is_without_a_follow_up() -> None:
    """Who reports at the last moment each time has still reported on every date."""
    dues = legal.report(begin(FIRE, change(0, grade=Grade.IV)), made(0, "city"))
    days = {START.date()}
    for _ in range(10):
        due_at = find(dues, "work-safety", "city", "follow_up").due_at
        assert due_at is not None
        minutes = (due_at - START).total_seconds() / 60
        days.add(due_at.date())
        dues = legal.report(dues, made(minutes, "city", ReportKind.FOLLOW_UP))
    assert sorted(days) == [START.date() + timedelta(days=day) for day in range(11)]


def test_a_grade_that_is_raised_in_the_middle_asks_for_more() -> None:
    """Levels above begin then, follow-ups are due twice as often, and what was made stays made."""
    dues = legal.report(begin(FIRE, change(0, grade=Grade.IV)), made(30, "city"))
    before = find(dues, "work-safety", "city", "follow_up")
    assert before.due_at == at(30 + 24 * 60)
    raised = begin(FIRE, change(600, grade=Grade.II), dues=dues)
    assert find(raised, "work-safety", "city").met_at == at(30)
    assert find(raised, "work-safety", "province").due_at == at(600 + 120)
    assert find(raised, "work-safety", "nation").due_at == at(600 + 240)
    assert find(raised, "work-safety", "city", "follow_up").due_at == at(600 + 12 * 60)


def test_a_grade_that_is_lowered_takes_nothing_back() -> None:
    """Neither a level, nor a limit, nor a follow-up."""
    dues = legal.report(begin(FIRE, change(0, grade=Grade.II)), made(30, "city"))
    assert begin(FIRE, change(60, grade=Grade.IV), dues=dues) == dues


def test_going_on_changes_no_clock() -> None:
    """Responding, controlling, recovering: each clock runs on, and none begins twice."""
    dues = begin(FIRE, change(0, grade=Grade.II))
    states = ("responding", "controlled", "recovering", "responding")
    after = begin(FIRE, *(change(number, state, Grade.II) for number, state in enumerate(states)), dues=dues)
    assert after == dues


@pytest.mark.parametrize(
    ("limit", "warned"),
    [(120, 90), (60, 30), (40, 20), (20, 10)],
)
def test_somebody_is_warned_before_the_limit(limit: float, warned: float) -> None:
    """Half an hour before, and half the time before where the time is shorter than an hour."""
    dues = begin(FIRE, change(0, grade=Grade.II))
    assert limit in limits(dues).values()
    assert {due.next_at for due in dues if due.due_at == at(limit)} == {at(warned)}


def test_a_timer_warns_once_and_misses_once() -> None:
    """Before its time nothing, then a warning, then the miss, then nothing for ever."""
    dues = begin(RIVER, change(0))
    due = find(dues, "general", "city")
    assert legal.elapse(dues, due, at(89))[1] is Reason.WAITING
    dues, reason = legal.elapse(dues, due, at(90))
    due = find(dues, "general", "city")
    assert (reason, due.warned_at, due.next_at) == (Reason.LEGAL_SOON, at(90), at(120))
    assert legal.elapse(dues, due, at(100))[1] is Reason.WAITING
    dues, reason = legal.elapse(dues, due, at(121))
    due = find(dues, "general", "city")
    assert (reason, due.missed_at, due.next_at) == (Reason.LEGAL_MISSED, at(121), None)
    assert legal.elapse(dues, due, at(999))[1] is Reason.WAITING
    late = find(legal.report(dues, made(200, "city")), "general", "city")
    assert (late.missed_at, late.met_at) == (at(121), at(200))


def test_a_leap_of_the_clock_tells_only_the_miss() -> None:
    """After an outage nobody is warned of what is over; of follow-ups that nobody watched one is told, not each."""
    dues = begin(FIRE, change(0, grade=Grade.II))
    due = find(dues, "work-safety", "city")
    dues, reason = legal.elapse(dues, due, at(5000))
    assert (reason, find(dues, "work-safety", "city").warned_at) == (Reason.LEGAL_MISSED, None)
    dues = legal.report(dues, made(5000, "city"))
    follow = find(dues, "work-safety", "city", "follow_up")
    much_later = at(5000 + 5 * 24 * 60)
    dues, reason = legal.elapse(dues, follow, much_later)
    assert reason is Reason.LEGAL_MISSED
    again = find(dues, "work-safety", "city", "follow_up")
    assert (again.number, again.due_at) == (2, much_later + timedelta(hours=12))


def test_the_next_follow_up_counts_from_the_limit_that_was_missed() -> None:
    """Whoever misses one wins no time for the next."""
    dues = legal.report(begin(FIRE, change(0, grade=Grade.IV)), made(0, "city"))
    follow = find(dues, "work-safety", "city", "follow_up")
    dues, _ = legal.elapse(dues, follow, at(24 * 60 + 1))
    assert find(dues, "work-safety", "city", "follow_up").due_at == at(2 * 24 * 60)


def test_a_clock_set_back_brings_its_times_along() -> None:
    """What began at a time that has not come yet is due as long after now as it was after that."""
    due = find(begin(RIVER, change(60)), "general", "city")
    moved = legal.set_back(due, timedelta(hours=1))
    assert (moved.begun_at, moved.due_at, moved.next_at) == (START, at(120), at(90))


def test_a_closed_case_owes_its_first_reports_and_no_follow_ups() -> None:
    """The final report is for the levels that whoever closed it does not speak for, each in the time of its leg."""
    dues = legal.report(begin(FIRE, change(0, grade=Grade.III)), made(30, "city"))
    closed = begin(FIRE, change(60, "closed"), dues=dues)
    follow, final = (find(closed, "work-safety", "city", kind) for kind in ("follow_up", "final"))
    assert (follow.end_reason, follow.next_at) == (EndReason.CLOSED, None)
    assert final.due_at == at(60 + 120)
    assert find(closed, "work-safety", "province").runs


def test_a_false_alarm_owes_a_final_report_where_something_was_reported() -> None:
    """What nobody was told of needs no correction."""
    nothing = begin(FIRE, change(0, grade=Grade.II), change(5, "false_alarm", Grade.II))
    assert not [due for due in nothing if due.is_owed]
    told = legal.report(begin(FIRE, change(0, grade=Grade.II)), made(4, "city"))
    after = begin(FIRE, change(5, "false_alarm", Grade.II), dues=told)
    assert {due.kind for due in after if due.is_owed} == {ReportKind.FINAL}


@pytest.mark.parametrize(("subject", "state"), [(replace(FIRE, drill=True), "closed"), (FIRE, "merged")])
def test_a_merged_case_and_a_drill_that_is_over_owe_nothing(subject: Subject, state: str) -> None:
    """The other case owes it, or nobody."""
    dues = legal.report(begin(subject, change(0, grade=Grade.II)), made(4, "city"))
    assert not [due for due in begin(subject, change(5, state, Grade.II), dues=dues) if due.runs]


def test_a_merged_case_leaves_its_limits_to_the_other() -> None:
    """By the earlier of both, and with what the other did not owe yet."""
    earlier, later = begin(FIRE, change(0, grade=Grade.II)), begin(FIRE, change(50, grade=Grade.IV))
    into = UUID(int=8)
    other = tuple(replace(due, incident=into) for due in later)
    after = legal.inherit(earlier, other, into)
    assert limits(after) == limits(earlier)
    assert {due.incident for due in after} == {into}
    assert sorted(due.place for due in after) == list(range(1, len(after) + 1))


def test_a_false_alarm_that_was_none_begins_anew() -> None:
    """Its first reports are owed again, from when it was opened again; the old ones stay ended."""
    dues = begin(
        FIRE,
        change(0, grade=Grade.II),
        change(5, "false_alarm", Grade.II),
        change(50, "verifying", Grade.II, reopened=True),
    )
    again = find(dues, "work-safety", "county")
    assert (again.number, again.due_at) == (2, at(50 + 60))


def test_a_case_that_is_opened_again_owes_follow_ups_and_another_final_report() -> None:
    """From then on, while its first reports are made for good."""
    dues = legal.report(begin(FIRE, change(0, grade=Grade.IV)), made(1, "city"))
    dues = legal.report(dues, made(2, "city", ReportKind.FINAL))
    dues = begin(
        FIRE,
        change(3, "closed", Grade.IV),
        change(100, "responding", Grade.IV, reopened=True),
        dues=dues,
    )
    assert find(dues, "work-safety", "city", "follow_up").due_at == at(100 + 24 * 60)
    final = find(dues, "work-safety", "city", "final")
    assert (final.number, final.due_at, final.is_owed) == (2, None, True)
    assert find(dues, "work-safety", "city").met_at == at(1)


def test_what_was_waived_is_owed_again_when_the_case_is_opened_again() -> None:
    """The reason was for the case that ended; a change that came before it and is looked at later asks for nothing."""
    dues = begin(FIRE, change(0, grade=Grade.IV))
    waived = legal.waive(dues, legal.owed_at_end(dues, "990101", IncidentState.CLOSED), at(10))
    late = begin(FIRE, change(9, "responding", Grade.IV), dues=waived)
    assert late == waived
    again = begin(
        FIRE, change(10, "closed", Grade.IV), change(60, "responding", Grade.IV, reopened=True), dues=waived
    )
    due = find(again, "work-safety", "city")
    assert (due.number, due.is_owed) == (2, True)


def test_what_stands_against_closing() -> None:
    """One's own reports and those of levels below; a false alarm's first reports are nobody's."""
    dues = legal.report(begin(FIRE, change(0, grade=Grade.III)), made(1, "city"))
    closing = legal.owed_at_end(dues, "990101", IncidentState.CLOSED)
    assert {(due.kind.value, due.by) for due in closing} == {
        ("first", "unit"),
        ("first", "township"),
        ("final", "county"),
    }
    false = legal.owed_at_end(dues, "990101", IncidentState.FALSE_ALARM)
    assert {(due.kind.value, due.by) for due in false} == {("final", "county")}
    waived = legal.waive(dues, closing, at(9))
    assert legal.owed_at_end(waived, "990101", IncidentState.CLOSED) == []
    assert {due.end_reason for due in waived if due.ended_at} == {EndReason.WAIVED}


PEOPLE = {
    desk: (Person(UUID(int=number), name),)
    for number, (desk, name) in enumerate(
        [
            (Desk("990101101", ""), "青溪镇值班室"),
            (Desk("990101", ""), "示例县值班室"),
            (Desk("990101", "leader"), "示例县带班领导"),
            (Desk("9901", ""), "示例市值班室"),
        ]
    )
}


@pytest.mark.parametrize(
    ("to", "reason", "absent", "told"),
    [
        ("county", Reason.LEGAL_SOON, (), ["青溪镇值班室"]),
        ("county", Reason.LEGAL_MISSED, (), ["示例县值班室"]),
        ("city", Reason.LEGAL_SOON, (), ["示例县值班室", "示例县带班领导"]),
        ("city", Reason.LEGAL_MISSED, (), ["示例市值班室"]),
        ("county", Reason.LEGAL_SOON, ("990101101",), ["示例县值班室"]),
        ("county", Reason.LEGAL_MISSED, ("990101",), ["示例市值班室"]),
        ("city", Reason.LEGAL_MISSED, ("9901",), ["示例县带班领导"]),
    ],
)
def test_who_hears_of_a_timer(to: str, reason: Reason, absent: tuple[str, ...], told: list[str]) -> None:
    """First who owes it and the leader there, then the next level; where nobody is on duty the level above that."""
    due = find(begin(FIRE, change(0, grade=Grade.IV)), "work-safety", to)
    roster = Roster({desk: people for desk, people in PEOPLE.items() if desk.area not in absent})
    people, _ = hears(due, reason, FIRE.place, roster)
    assert [person.display for person in people] == told


def test_levels_that_people_of_an_area_speak_for() -> None:
    """A township speaks for what happened in it; a village for nobody."""
    assert [levels_of(area) for area in ("990101101", "990101", "9901", "99", "990101101001", "")] == [
        ("unit", "township"),
        ("county",),
        ("city",),
        ("province",),
        (),
        (),
    ]


STEPS = st.one_of(
    st.tuples(
        st.just("change"),
        st.sampled_from(["detected", "verifying", "confirmed", "responding", "controlled", "recovering"]),
        st.sampled_from(list(Grade)),
    ),
    st.tuples(
        st.just("report"), st.sampled_from(["county", "city", "province"]), st.sampled_from(list(ReportKind))
    ),
    st.tuples(st.just("wait"), st.integers(1, 2000), st.none()),
)


@given(st.lists(STEPS, max_size=25))
def test_nothing_that_is_owed_is_ever_taken_back(steps: list[tuple[str, object, object]]) -> None:
    """Whatever becomes of an open case: rows only come, limits only come nearer, and what was met or missed stays."""
    dues: tuple[Due, ...] = ()
    minutes = 0.0
    for what, first, second in steps:
        minutes += 1
        if what == "wait":
            minutes += first  # type: ignore[operator]  # by STEPS
            after = dues
            for due in dues:
                after, _ = legal.elapse(after, find_place(after, due.place), at(minutes))
        elif what == "change":
            after = begin(FIRE, change(minutes, str(first), second), dues=dues)  # type: ignore[arg-type]  # by STEPS
        else:
            after = legal.report(dues, made(minutes, str(first), second, ("county",)))  # type: ignore[arg-type]  # by STEPS
        assert [due.place for due in after] == list(range(1, len(after) + 1))
        for before, due in zip(dues, after, strict=False):
            assert (before.leg, before.kind, before.number) == (due.leg, due.kind, due.number)
            assert before.due_at is None or (due.due_at is not None and due.due_at <= before.due_at)
            for name in ("warned_at", "missed_at", "met_at", "ended_at"):
                assert getattr(before, name) in (None, getattr(due, name))
            assert due.ended_at is None
            assert (due.next_at is not None) is (due.runs and due.due_at is not None)
        dues = after


def find_place(dues: Sequence[Due], place: int) -> Due:
    """Find a row by its number."""
    return next(due for due in dues if due.place == place)
