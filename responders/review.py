"""The after-action review of a case (复盘): pure functions of what the record says.

It tells what happened and which clock was met, as AQ/T 9009-2015 (生产安全事故应急演练评估规范) and ISO 22398:2013 ask of an
evaluation: what was observed against what was expected, and points to mend. Posts are named, nobody is ranked or scored.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from config.drills import Action
from domain.incidents import PageState
from domain.inputs import AwareTime
from responders.lessons import NOTE, Point, points_of
from responders.views import Entry, IncidentRow, TaskRow


class Kept(StrEnum):
    """Whether a clock was kept."""

    MET = "met"
    LATE = "late"  # done, after the limit
    MISSED = "missed"  # not done, and it is too late
    OPEN = "open"  # not done, and there is time
    MEASURED = "measured"  # done; nobody has set a limit
    NONE = "none"  # not done; nobody has set a limit, or it ended before


class ReviewPage(Struct, frozen=True, kw_only=True):
    """One page of a case with what became of it; `outcome` is the channel's cause."""

    recipient: str
    step: int
    loop: int
    channel: str
    state: PageState
    outcome: str
    attempts: int
    created_at: AwareTime
    delivered_at: AwareTime | None


class CaseFile(Struct, frozen=True, kw_only=True):
    """What is known of a case: its record, tasks, pages and legal reports."""

    row: IncidentRow
    timeline: tuple[Entry, ...]
    tasks: tuple[TaskRow, ...]
    pages: tuple[ReviewPage, ...]
    reports: tuple["ReportClock", ...] | None = None
    """None where it is not known which reports are due, so that none is said to be missing."""


class ReportClock(Struct, frozen=True, kw_only=True):
    """One legal report: which, to whom, by when, and when it was sent."""

    zh: str
    en: str
    due_at: AwareTime
    at: AwareTime | None


class Clock(Struct, frozen=True, kw_only=True):
    """One clock of a case: `what` is an action, `of` the grade, the unit or the report that it is about."""

    what: str
    of: str
    since: AwareTime
    due_at: AwareTime | None
    at: AwareTime | None
    kept: Kept


class Unreached(Struct, frozen=True, kw_only=True):
    """A post that a page could not reach over a channel; `instead` names the channel that reached it all the same."""

    recipient: str
    channel: str
    cause: str
    attempts: int
    at: AwareTime
    instead: str | None


class CaseReview(Struct, frozen=True, kw_only=True):
    """The review of one case."""

    row: IncidentRow
    ended_at: AwareTime | None
    clocks: tuple[Clock, ...]
    unreached: tuple[Unreached, ...]
    vacant: tuple[str, ...]
    pages: int
    reached: int
    escalations: int
    points: tuple[Point, ...]
    timeline: tuple[Entry, ...]


def review(file: CaseFile, now: datetime) -> CaseReview:
    """Review a case as it stands."""
    ended_at = end_of(file)
    return CaseReview(
        row=file.row,
        ended_at=ended_at,
        clocks=clocks_of(file, now),
        unreached=unreached(file.pages),
        vacant=tuple(dict.fromkeys(one.text for one in file.timeline if one.kind == "nobody_on_duty")),
        pages=len({_told(page) for page in file.pages if page.state is not PageState.WITHDRAWN}),
        reached=len({_told(page) for page in file.pages if page.delivered_at is not None}),
        escalations=sum(one.kind in ("escalated", "task_escalated") for one in file.timeline),
        points=points_of(file.timeline),
        timeline=tuple(one for one in file.timeline if one.kind != NOTE),
    )


def _told(page: ReviewPage) -> tuple[str, int, int]:
    return page.recipient, page.step, page.loop


MOVED = {Action.CONFIRMED: "confirmed", Action.CONTROLLED: "controlled", Action.CLOSED: "closed"}
NUMERAL = {1: "Ⅰ", 2: "Ⅱ", 3: "Ⅲ", 4: "Ⅳ"}
KINDS = {
    Action.ACKNOWLEDGED: "acknowledged",
    Action.ACCEPTED: "task_accepted",
    Action.ON_SITE: "task_on_site",
    Action.DONE: "task_done",
}


def when(
    action: Action, file: CaseFile, since: datetime | None = None, task: UUID | None = None
) -> datetime | None:
    """Tell when an action was first taken in a case (not before `since`; on one task), None when it never was."""
    if action is Action.FIRST_REPORT:
        sent = [report.at for report in file.reports or () if report.at is not None]
        return min(sent, default=None)
    return min(
        (
            one.at
            for one in file.timeline
            if _is(one, action)
            and (since is None or one.at >= since)
            and (task is None or str(one.detail.get("task")) == str(task))
        ),
        default=None,
    )


def _is(entry: Entry, action: Action) -> bool:
    if action in MOVED:
        return entry.kind == "moved" and entry.detail.get("to") == MOVED[action]
    return entry.kind == KINDS[action]


def end_of(file: CaseFile) -> datetime | None:
    """Tell when a case ended for the last time; None while it is open."""
    ends = ("closed", "false_alarm", "merged")
    if file.row.state.value not in (*ends, "reviewed"):
        return None
    moves = [one.at for one in file.timeline if one.kind == "moved" and one.detail.get("to") in ends]
    return max(moves, default=file.row.changed_at)


def clocks_of(file: CaseFile, now: datetime) -> tuple[Clock, ...]:
    """Tell each clock of a case: acknowledgements, then tasks, then legal reports."""
    ended_at = end_of(file)
    return (*_acknowledgements(file, now, ended_at), *_tasks(file, now, ended_at), *_reports(file, now))


def _acknowledgements(file: CaseFile, now: datetime, ended_at: datetime | None) -> list[Clock]:
    """A case is to be acknowledged before it climbs further, when it opens and whenever it becomes graver.

    The limit is the timer that escalation set and wrote down then, so working hours and repetitions are in it.
    """
    begins = [(n, one) for n, one in enumerate(file.timeline) if one.kind in ("opened", "grade_raised")]
    clocks = []
    for which, (number, begin) in enumerate(begins):
        following = begins[which + 1] if which + 1 < len(begins) else None
        lines = file.timeline[number : following[0] if following else None]
        at = min((one.at for one in lines if _is(one, Action.ACKNOWLEDGED)), default=None)
        due = next((_timer(one) for one in lines if one.kind == "paged"), None)
        kept = judge(due, at, now, following[1].at if following else ended_at)
        of = NUMERAL.get(_grade(begin), "")
        clocks.append(Clock(what=Action.ACKNOWLEDGED, of=of, since=begin.at, due_at=due, at=at, kept=kept))
    return clocks


def _timer(entry: Entry) -> datetime | None:
    value = entry.detail.get("next_at")
    return datetime.fromisoformat(value) if isinstance(value, str) else None


def _grade(entry: Entry) -> int:
    value = entry.detail.get("to" if entry.kind == "grade_raised" else "grade")
    return value if isinstance(value, int) else 0


def _tasks(file: CaseFile, now: datetime, ended_at: datetime | None) -> list[Clock]:
    clocks = []
    for task in file.tasks:
        for action, due in ((Action.ACCEPTED, None), (Action.ON_SITE, None), (Action.DONE, task.due_at)):
            at = when(action, file, task=task.id)
            kept = judge(due, at, now, ended_at)
            clocks.append(
                Clock(what=action, of=task.unit, since=task.dispatched_at, due_at=due, at=at, kept=kept)
            )
    return clocks


def _reports(file: CaseFile, now: datetime) -> list[Clock]:
    return [
        Clock(
            what="report",
            of=report.zh,
            since=file.row.opened_at,
            due_at=report.due_at,
            at=report.at,
            kept=judge(report.due_at, report.at, now, None),
        )
        for report in file.reports or ()
    ]


def judge(due: datetime | None, at: datetime | None, now: datetime, ended_at: datetime | None) -> Kept:
    """Say whether a clock was kept; what ended before its limit was neither met nor missed."""
    if due is None:
        return Kept.NONE if at is None else Kept.MEASURED
    if at is not None:
        return Kept.MET if at <= due else Kept.LATE
    if ended_at is not None and ended_at < due:
        return Kept.NONE
    return Kept.MISSED if now >= due else Kept.OPEN


def unreached(pages: Sequence[ReviewPage]) -> tuple[Unreached, ...]:
    """Tell which posts could not be reached over which channel, once each, and what reached them instead."""
    found = []
    ordered = sorted(pages, key=lambda page: (page.created_at, page.recipient, page.channel))
    for page in ordered:
        if page.state is not PageState.FAILED:
            continue
        others = [one for one in ordered if _told(one) == _told(page) and one.delivered_at is not None]
        found.append(
            Unreached(
                recipient=page.recipient,
                channel=page.channel,
                cause=page.outcome,
                attempts=page.attempts,
                at=page.created_at,
                instead=others[0].channel if others else None,
            )
        )
    return tuple(found)
