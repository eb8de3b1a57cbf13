"""Which reports the law asks of a case, of whom, by when, and what becomes of each: pure functions (DOMAIN.md, 1 and 2).

A case owes what `clocks.toml` says for its class, category, place and gravest grade. The clock of the lowest level runs from
the opening or from the confirmation (国务院令493, 376: from when one knows of it). Each level above it has its own time from
when the level below has reported, or at the latest from when that one should have: who gets no report may not wait for it.
Follow-ups (续报) are due 24 hours ÷ times after the last report, which leaves no day between two midnights without one; the
final report (终报) when the case is closed.

Nothing that is owed is taken back: a less grave grade leaves everything as it was, a graver one adds levels and shortens the
time between follow-ups. Nothing here knows of acknowledgements, holds or suspended tasks: they stop no clock of the law. A
limit that was missed stays missed, also when the report comes later.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from config.clocks import RANK, UNIT, Leg, ReportClock
from config.policies import TOWERS
from domain.areas import AreaLevel
from domain.incidents import OPEN_STATES, IncidentState
from responders.cases import Reason
from responders.dues import Change, Due, EndReason, Made, ReportKind, Subject, length_of, with_timer

CONFIRMED = frozenset(
    {IncidentState.CONFIRMED, IncidentState.RESPONDING, IncidentState.CONTROLLED, IncidentState.RECOVERING}
)
DAY = timedelta(days=1)


def follow(
    clocks: Iterable[ReportClock], subject: Subject, dues: Sequence[Due], change: Change
) -> tuple[Due, ...]:
    """Tell what a case owes after it changed: more where it is graver or confirmed, an end where it ended."""
    if change.state not in OPEN_STATES:
        return _end(subject, dues, change)
    after = list(dues)
    for clock in clocks:
        if clock.concerns(subject.category, subject.event_class, subject.place) and _runs(clock, change):
            for leg in clock.legs:
                if change.grade in leg.grades and _exists(leg, subject.place):
                    _add_first(after, clock, leg, subject, change)
    per_day = {clock.slug: clock.per_day[change.grade - 1] for clock in clocks if _runs(clock, change)}
    after = [_oftener(due, per_day.get(due.clock, 0), change.at) for due in after]
    for due in _reported(after):
        _begin_follow_up(after, due, change.at)
        if change.reopened:
            _begin_final(after, due, change.at)
    return tuple(after)


def _runs(clock: ReportClock, change: Change) -> bool:
    return clock.starts == "detected" or change.state in CONFIRMED or change.grade in clock.at_once


def _exists(leg: Leg, place: str) -> bool:
    """Say whether a leg exists for a place: no township reports an event of the whole county."""
    lowest = AreaLevel.TOWNSHIP if leg.by == UNIT else TOWERS[leg.by]
    return len(place) >= lowest


def _add_first(after: list[Due], clock: ReportClock, leg: Leg, subject: Subject, change: Change) -> None:
    own = [due for due in after if due.kind is ReportKind.FIRST and due.leg == (clock.slug, *leg.key)]
    if any(due.ended_at is None or (_waived(due) and change.at <= due.ended_at) for due in own):
        return  # it is owed or made; or it was waived after this change, which a worker looks at only now
    below = [
        min(due.met_at or due.due_at, due.due_at)
        for due in after
        if due.clock == clock.slug
        and due.kind is ReportKind.FIRST
        and due.to == leg.by
        and RANK[due.by] < RANK[leg.by]
        and due.ended_at is None
        and due.due_at is not None
    ]
    since = max(change.at, min(below, default=change.at))
    due = Due(
        incident=subject.incident,
        place=len(after) + 1,
        clock=clock.slug,
        zh=clock.zh,
        en=clock.en,
        source=clock.source,
        by=leg.by,
        to=leg.to,
        form=leg.form,
        kind=ReportKind.FIRST,
        number=len(own) + 1,
        post=subject.post if leg.post is None else leg.post,
        office=leg.office,
        minutes=leg.minutes,
        per_day=clock.per_day[change.grade - 1],
        final=clock.final,
        warn_minutes=clock.warn_minutes,
        begun_at=change.at,
        since=since,
        due_at=since + timedelta(minutes=leg.minutes),
    )
    after.append(with_timer(due))


def _waived(due: Due) -> bool:
    return due.end_reason is EndReason.WAIVED


def _oftener(due: Due, per_day: int, at: datetime) -> Due:
    """Ask for follow-ups more often: the shorter time counts from now, and never ends later than the longer one would."""
    if per_day <= due.per_day or (due.kind is ReportKind.FOLLOW_UP and not due.is_owed):
        return due
    due = replace(due, per_day=per_day)
    if due.kind is not ReportKind.FOLLOW_UP or not due.runs or due.due_at is None:
        return due
    return with_timer(replace(due, due_at=min(due.due_at, at + DAY / per_day)))


def _end(subject: Subject, dues: Sequence[Due], change: Change) -> tuple[Due, ...]:
    """End what an ended case owes no more.

    A closed one owes its first reports all the same, late as they are. The final report is for the levels above whoever
    closed it now: each has the time of its leg. A false alarm owes one only where something was reported.
    """
    reason = {
        IncidentState.MERGED: EndReason.MERGED,
        IncidentState.FALSE_ALARM: EndReason.FALSE_ALARM,
    }.get(change.state, EndReason.CLOSED)
    everything = subject.drill or change.state is IncidentState.MERGED
    after = []
    for due in dues:
        ends = everything or due.kind is ReportKind.FOLLOW_UP or reason is EndReason.FALSE_ALARM
        if not due.runs:
            after.append(due)
        elif due.kind is ReportKind.FINAL and not everything:
            after.append(_final_now(due, change.at))
        elif ends:
            after.append(replace(due, ended_at=change.at, end_reason=reason, next_at=None))
        else:
            after.append(due)
    return tuple(after)


def _final_now(due: Due, at: datetime) -> Due:
    if due.due_at is not None:
        return due
    return with_timer(replace(due, since=at, due_at=at + timedelta(minutes=due.minutes)))


def report(dues: Sequence[Due], made: Made) -> tuple[Due, ...]:
    """Tell what a case owes after a report: what it answers is met, the level above has its time from now at the latest."""
    after = [_met(due, made) for due in dues]
    if made.kind is ReportKind.FIRST:
        after = [_sooner(due, made) for due in after]
    for before, due in zip(dues, tuple(after), strict=True):
        if due.met_at != before.met_at and due.form == "written" and due.kind is not ReportKind.FINAL:
            _begin_follow_up(after, due, made.at)
            _begin_final(after, due, made.at)
    return tuple(after)


def _met(due: Due, made: Made) -> Due:
    """A follow-up answers the one that is due now: one that was missed is made up by nothing."""
    if not due.is_owed or not made.answers(due) or (due.kind is ReportKind.FOLLOW_UP and not due.runs):
        return due
    return replace(due, met_at=made.at, next_at=None)


def _sooner(due: Due, made: Made) -> Due:
    """Let the level above begin when the one below has reported, where that is earlier than planned."""
    waits = due.kind is ReportKind.FIRST and due.by == made.to and due.runs
    if not waits or not any(RANK[level] < RANK[due.by] for level in made.by):
        return due
    since = min(due.since, max(due.begun_at, made.at))
    return with_timer(replace(due, since=since, due_at=since + timedelta(minutes=due.minutes)))


def _reported(dues: Iterable[Due]) -> list[Due]:
    """Find the written first reports that were made."""
    return [
        due
        for due in dues
        if due.kind is ReportKind.FIRST and due.form == "written" and due.met_at is not None
    ]


def _begin_follow_up(after: list[Due], due: Due, at: datetime) -> None:
    """Begin the time of the next follow-up of a leg, unless one runs or none is asked for."""
    if due.per_day and not _has_running(after, due, ReportKind.FOLLOW_UP):
        _begin(after, due, ReportKind.FOLLOW_UP, at, at + DAY / due.per_day)


def _begin_final(after: list[Due], due: Due, at: datetime) -> None:
    """Note that a leg owes a final report when the case is closed."""
    if due.final and not _has_running(after, due, ReportKind.FINAL):
        _begin(after, due, ReportKind.FINAL, at, None)


def _has_running(dues: Iterable[Due], like: Due, kind: ReportKind) -> bool:
    return any(due.leg == like.leg and due.kind is kind and due.runs for due in dues)


def _begin(after: list[Due], due: Due, kind: ReportKind, at: datetime, due_at: datetime | None) -> None:
    number = 1 + sum(one.leg == due.leg and one.kind is kind for one in after)
    begun = replace(
        due,
        place=len(after) + 1,
        kind=kind,
        number=number,
        begun_at=at,
        since=at,
        due_at=due_at,
        next_at=None,
        warned_at=None,
        missed_at=None,
        met_at=None,
    )
    after.append(with_timer(begun))


def elapse(dues: Sequence[Due], due: Due, now: datetime) -> tuple[tuple[Due, ...], Reason]:
    """Act on a timer: warn, or note that the limit was missed; of both, after an outage, only the graver.

    The next follow-up's time begins where a missed one's ended, and after a long outage now, so that days nobody watched
    are not told one by one.
    """
    if due.due_at is None or not due.runs or due.next_at is None or now < due.next_at:
        return tuple(dues), Reason.WAITING
    if now < due.due_at:
        warned = with_timer(replace(due, warned_at=now))
        return _put(dues, warned), Reason.LEGAL_SOON
    after = list(_put(dues, replace(due, missed_at=now, next_at=None)))
    if due.kind is ReportKind.FOLLOW_UP and due.per_day:
        pause = DAY / due.per_day
        since = due.due_at if due.due_at + pause > now else now
        _begin(after, due, ReportKind.FOLLOW_UP, since, since + pause)
    return tuple(after), Reason.LEGAL_MISSED


def _put(dues: Sequence[Due], changed: Due) -> tuple[Due, ...]:
    return tuple(changed if due.place == changed.place else due for due in dues)


def owed_at_end(dues: Iterable[Due], area: str, state: IncidentState) -> list[Due]:
    """Find what stands against ending a case: reports that people of an area, or below it, owe; a reason waives them.

    Their final reports, and for a real event first ones that were not made. Those of levels above stay owed.
    """
    ends = {ReportKind.FINAL}
    if state is IncidentState.CLOSED:
        ends.add(ReportKind.FIRST)
    return [
        due
        for due in dues
        if due.kind in ends and due.is_owed and length_of(due.by) >= len(area[: AreaLevel.TOWNSHIP])
    ]


def waive(dues: Sequence[Due], waived: Iterable[Due], at: datetime) -> tuple[Due, ...]:
    """End what is not made, for a reason that is on record; what was missed stays missed."""
    places = {due.place for due in waived}
    return tuple(
        replace(due, ended_at=at, end_reason=EndReason.WAIVED, next_at=None) if due.place in places else due
        for due in dues
    )


def inherit(merged: Iterable[Due], dues: Sequence[Due], into: UUID) -> tuple[Due, ...]:
    """Let a case owe what one that went into it owed, by the earlier of both limits."""
    after = list(dues)
    for due in merged:
        if not due.runs or due.kind is not ReportKind.FIRST or due.due_at is None:
            continue
        own = [one for one in after if one.leg == due.leg and one.kind is due.kind]
        running = [one for one in own if one.runs and one.due_at is not None]
        if not own:
            after.append(replace(due, incident=into, place=len(after) + 1, number=1))
        for one in running:
            if one.due_at is not None and due.due_at < one.due_at:
                sooner = replace(one, begun_at=due.begun_at, since=due.since, due_at=due.due_at)
                after = list(_put(after, with_timer(sooner)))
    return tuple(after)


def set_back(due: Due, by: timedelta) -> Due:
    """Bring a time that began on a clock that was ahead back with it, so that nobody has longer for it."""
    moved = replace(due, begun_at=due.begun_at - by, since=due.since - by)
    return with_timer(moved if due.due_at is None else replace(moved, due_at=due.due_at - by))
