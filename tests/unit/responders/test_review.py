"""Reviews by themselves: clocks, comparison, who was not reached, and notes, as whole values."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from config.drills import Action, Expectation
from domain.incidents import IncidentState, PageState, TaskState
from domain.levels import Domain, Grade, Level
from responders.expected import Expected, compare, expect
from responders.lessons import NewNote, NoteKind, Point, objections, points_of
from responders.review import (
    CaseFile,
    Clock,
    Kept,
    ReportClock,
    ReviewPage,
    Unreached,
    judge,
    review,
    unreached,
)
from responders.views import Entry, IncidentRow, TaskRow

START = datetime(2026, 5, 8, 1, tzinfo=UTC)
TASK, CASE = UUID(int=1), UUID(int=2)


def at(minutes: float) -> datetime:
    """Tell a time by its minutes from the start."""
    return START + timedelta(minutes=minutes)


def line(minutes: float, kind: str, words: str = "", number: int = 0, /, **detail: Any) -> Entry:
    """Make a line of a record; what follows its number is its detail."""
    return Entry(
        id=number, at=at(minutes), kind=kind, actor="青溪镇值班室", text=words or kind, detail=detail
    )


def page(recipient: str, channel: str, state: PageState, minutes: float = 0, outcome: str = "") -> ReviewPage:
    """Make a page of the first step."""
    return ReviewPage(
        recipient=recipient,
        step=0,
        loop=0,
        channel=channel,
        state=state,
        outcome=outcome,
        attempts=1,
        created_at=at(minutes),
        delivered_at=at(minutes) if state is PageState.DELIVERED else None,
    )


def case(*lines: Entry, state: IncidentState = IncidentState.CLOSED, **more: Any) -> CaseFile:
    """Make a blue case with one task that is due after an hour."""
    row = IncidentRow(
        id=CASE,
        version=1,
        alert=None,
        category="water-pollution",
        domain=Domain.ENVIRONMENT,
        place="990101101",
        place_name="青溪镇",
        level=Level.BLUE,
        grade=Grade.IV,
        state=state,
        title="水环境污染 · 青溪镇",
        opened_at=START,
        changed_at=at(200),
        acknowledged_at=None,
        acknowledged_by=None,
        holder=None,
        next_at=None,
        step=0,
        alert_open=False,
    )
    task = TaskRow(id=TASK, unit="青溪镇值班室", state=TaskState.DONE, dispatched_at=START, due_at=at(60))
    fields: dict[str, Any] = {"tasks": (task,), "pages": (), **more}
    return CaseFile(row=row, timeline=lines, **fields)


OPENED = line(0, "opened", grade=4)


def paged(minutes: float, until: float) -> Entry:
    """Page somebody, who has until then to acknowledge."""
    return line(minutes, "paged", next_at=at(until).isoformat())


CLOSED = line(100, "moved", to="closed")


@pytest.mark.parametrize(
    ("due", "done", "now", "ended", "kept"),
    [
        (None, None, 5, None, Kept.NONE),
        (None, 3, 5, None, Kept.MEASURED),
        (10, 10, 20, None, Kept.MET),
        (10, 10.1, 20, None, Kept.LATE),
        (10, None, 9.9, None, Kept.OPEN),
        (10, None, 10, None, Kept.MISSED),
        (10, None, 20, 15, Kept.MISSED),
        (10, None, 20, 9, Kept.NONE),
    ],
)
def test_whether_a_clock_was_kept(
    due: float | None, done: float | None, now: float, ended: float | None, kept: Kept
) -> None:
    """To the second; what ended before its limit was neither met nor missed."""
    times = [None if value is None else at(value) for value in (due, done, ended)]
    assert judge(times[0], times[1], at(now), times[2]) is kept


def test_all_clocks_of_a_case() -> None:
    """The case is acknowledged before its timer, the task done after its limit, the report sent in time."""
    lines = (
        OPENED,
        paged(0, 15),
        line(12, "acknowledged"),
        line(20, "task_accepted", task=str(TASK)),
        line(30, "task_on_site", task=str(TASK)),
        line(70, "task_done", task=str(TASK)),
        CLOSED,
    )
    report = ReportClock(zh="首报", en="First report", due_at=at(120), at=at(90))
    assert review(case(*lines, reports=(report,)), at(200)).clocks == (
        Clock(what="acknowledged", of="Ⅳ", since=START, due_at=at(15), at=at(12), kept=Kept.MET),
        Clock(what="accepted", of="青溪镇值班室", since=START, due_at=None, at=at(20), kept=Kept.MEASURED),
        Clock(what="on_site", of="青溪镇值班室", since=START, due_at=None, at=at(30), kept=Kept.MEASURED),
        Clock(what="done", of="青溪镇值班室", since=START, due_at=at(60), at=at(70), kept=Kept.LATE),
        Clock(what="report", of="首报", since=START, due_at=at(120), at=at(90), kept=Kept.MET),
    )


def test_a_graver_case_is_to_be_acknowledged_anew() -> None:
    """Each time before the timer that was set then; an acknowledgement after the rise is not one before it."""
    raised = line(20, "grade_raised", **{"from": 4, "to": 2})
    lines = (OPENED, paged(0, 15), raised, paged(20, 35), line(26, "acknowledged"), CLOSED)
    clocks = [one for one in review(case(*lines), at(200)).clocks if one.what == "acknowledged"]
    assert clocks == [
        Clock(what="acknowledged", of="Ⅳ", since=START, due_at=at(15), at=None, kept=Kept.MISSED),
        Clock(what="acknowledged", of="Ⅱ", since=at(20), due_at=at(35), at=at(26), kept=Kept.MET),
    ]


def test_what_a_review_counts() -> None:
    """Pages that were withdrawn were not to arrive; climbs and vacant desks are told; notes are no part of the timeline."""
    lines = (
        OPENED,
        line(15, "escalated"),
        line(15, "nobody_on_duty", "示例市值班室无人在岗"),
        line(20, "task_escalated"),
        line(99, "review_note", kind="good", text="快"),
        CLOSED,
    )
    pages = (
        page("青溪镇值班室", "console", PageState.DELIVERED),
        page("青溪镇值班室", "file", PageState.FAILED, outcome="storage"),
        page("示例县值班室", "console", PageState.FAILED, outcome="storage"),
        page("河湾镇值班室", "console", PageState.WITHDRAWN),
    )
    found = review(case(*lines, pages=pages), at(200))
    assert (found.pages, found.reached, found.escalations, found.vacant, found.ended_at) == (
        2,
        1,
        2,
        ("示例市值班室无人在岗",),
        at(100),
    )
    assert [one.kind for one in found.timeline if one.kind == "review_note"] == []
    assert [point.text for point in found.points] == ["快"]


def test_who_was_not_reached_and_what_reached_them_instead() -> None:
    """Channel by channel; who was reached over another one is not lost."""
    pages = (
        page("青溪镇值班室", "file", PageState.FAILED, 1, "storage"),
        page("青溪镇值班室", "console", PageState.DELIVERED, 2),
        page("示例县值班室", "file", PageState.FAILED, 0, "attempts_spent"),
    )
    assert unreached(pages) == (
        Unreached(
            recipient="示例县值班室",
            channel="file",
            cause="attempts_spent",
            attempts=1,
            at=at(0),
            instead=None,
        ),
        Unreached(
            recipient="青溪镇值班室", channel="file", cause="storage", attempts=1, at=at(1), instead="console"
        ),
    )


EXPECTATIONS = (
    Expectation(alert="leak", action=Action.ACKNOWLEDGED, within=15),
    Expectation(alert="leak", action=Action.CONTROLLED, within=50),
    Expectation(alert="later", action=Action.DONE, within=50),
)


def came(
    minutes: float | None, kept: Kept, action: Action = Action.ACKNOWLEDGED, within: float = 15
) -> Expected:
    """Make an expected action of the leak."""
    return Expected(alert="leak", action=action, within=within, since=START, minutes=minutes, kept=kept)


def test_what_came_of_the_expected_actions() -> None:
    """In minutes from the alert; of an alert that never came nothing was missed."""
    files = {"leak": case(OPENED, line(12.5, "acknowledged"), state=IncidentState.VERIFYING)}
    assert expect(EXPECTATIONS, {"leak": START}, files, at(51), over=False) == (
        came(12.5, Kept.MET),
        came(None, Kept.MISSED, Action.CONTROLLED, 50),
        Expected(alert="later", action=Action.DONE, within=50, since=None, minutes=None, kept=Kept.OPEN),
    )
    ended = expect(EXPECTATIONS, {"leak": START}, files, at(40), over=True)
    assert [one.kept for one in ended] == [Kept.MET, Kept.NONE, Kept.NONE]


def test_a_report_is_missing_only_where_reports_are_known() -> None:
    """Without any record of reports nothing is said; with one, what was not sent in time is missed."""
    wanted = (Expectation(alert="leak", action=Action.FIRST_REPORT, within=120),)
    due = ReportClock(zh="首报", en="First report", due_at=at(120), at=None)
    sent = ReportClock(zh="首报", en="First report", due_at=at(120), at=at(90))
    told = [
        expect(wanted, {"leak": START}, {"leak": case(OPENED, reports=reports)}, at(130), over=True)[0]
        for reports in (None, (due,), (sent,))
    ]
    assert [(one.kept, one.minutes) for one in told] == [
        (Kept.NONE, None),
        (Kept.MISSED, None),
        (Kept.MET, 90),
    ]


def test_a_drill_is_compared_with_earlier_ones_of_its_scenario() -> None:
    """The last one, even where it failed, and the median of those in which it was done."""
    earlier = [[came(None, Kept.MISSED)], [came(9, Kept.MET)], [came(20, Kept.LATE)], []]
    assert compare([came(12, Kept.MET)], earlier) == (
        Expected(
            alert="leak",
            action=Action.ACKNOWLEDGED,
            within=15,
            since=START,
            minutes=12,
            kept=Kept.MET,
            earlier=3,
            last=None,
            median=14.5,
        ),
    )
    assert compare([came(12, Kept.MET)], []) == (came(12, Kept.MET),)


NOTES = (
    line(1, "review_note", "", 7, kind="point", text="补装电话", owner="青溪镇值班室", due="2026-06-01"),
    line(2, "review_note", "", 8, kind="settled", text="已装", settles=7),
    line(3, "review_note", "", 9, kind="point", text="每月通联", owner="青溪镇值班室", due="2026-06-01"),
)


def test_notes_are_read_out_of_the_record() -> None:
    """A point is open until a later note says that it is mended."""
    assert points_of((OPENED, *NOTES)) == (
        Point(
            id=7,
            kind=NoteKind.POINT,
            text="补装电话",
            by="青溪镇值班室",
            at=at(1),
            owner="青溪镇值班室",
            due=date(2026, 6, 1),
            settled_at=at(2),
        ),
        Point(id=8, kind=NoteKind.SETTLED, text="已装", by="青溪镇值班室", at=at(2)),
        Point(
            id=9,
            kind=NoteKind.POINT,
            text="每月通联",
            by="青溪镇值班室",
            at=at(3),
            owner="青溪镇值班室",
            due=date(2026, 6, 1),
        ),
    )


@pytest.mark.parametrize(
    ("note", "fields"),
    [
        (NewNote(kind=NoteKind.GOOD, text=" "), ["text"]),
        (NewNote(kind=NoteKind.POINT, text=""), ["text", "area", "due"]),
        (NewNote(kind=NoteKind.POINT, text="x", area="990101101", due=date(2026, 5, 7)), ["due"]),
        (NewNote(kind=NoteKind.GOOD, text="x", due=date(2026, 5, 9), settles=9), ["area", "settles"]),
        (NewNote(kind=NoteKind.SETTLED, text="x", settles=7), ["settles"]),
        (NewNote(kind=NoteKind.SETTLED, text="x", settles=9), []),
        (NewNote(kind=NoteKind.POINT, text="x", area="990101101", due=date(2026, 5, 8)), []),
    ],
)
def test_each_objection_to_a_note_is_told(note: NewNote, fields: list[str]) -> None:
    """A point has an owner and a date that is not over; only an open one can be mended."""
    assert [fault.field for fault in objections(note, points_of(NOTES), date(2026, 5, 8))] == fields
