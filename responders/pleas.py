"""What a unit may ask about its task, by when somebody above answers, and what follows: pure (DOMAIN.md, 1 and 3).

The clock of a task starts when it is dispatched, and no plea stops it: a unit that refuses wins no time. Each kind may be
asked once. Who does not answer in time is answered for: a refusal goes to the county's desk, so that the task has an owner,
and nothing is put off that nobody has agreed to.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from domain.areas import AreaLevel, county_of
from domain.errors import Fault
from domain.incidents import PleaKind, PleaOutcome, TaskState
from domain.levels import Grade
from responders.cases import Desk, Work
from responders.deadlines import LAST_SHARE, SHARES, deadline, next_look
from responders.hours import ROUND_THE_CLOCK, Hours, Reckoned, after, between, next_working_day

BEIJING = ZoneInfo("Asia/Shanghai")
EMERGENCY = timedelta(minutes=30)
"""By when somebody above decides about a task of a case of grade Ⅰ or Ⅱ; else within a working day."""
EMERGENCIES = frozenset({Grade.I, Grade.II})
LEAST_SUSPENSION = timedelta(days=1)
"""A task may be put off for as long as it was given at first, and for a day however little that was."""
FROM = {
    PleaKind.REFUSE: frozenset({TaskState.DISPATCHED}),
    PleaKind.SUSPEND: frozenset({TaskState.ACCEPTED, TaskState.ON_SITE}),
    PleaKind.EXTEND: frozenset({TaskState.ACCEPTED, TaskState.ON_SITE}),
}
"""What is accepted cannot be refused any more; what is not accepted cannot be put off."""


@dataclass(frozen=True, slots=True)
class Plea:
    """What is asked: a refusal cites an `item` of the list of duties (履行职责事项清单), the others name a time."""

    kind: PleaKind
    reason: str
    item: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """A task after a plea was settled, and when its next deadline is."""

    work: Work
    next_at: datetime | None
    resumes_at: datetime | None = None


def objections(plea: Plea, work: Work, now: datetime) -> list[Fault]:
    """Say everything that speaks against a plea."""
    faults = []
    if work.state not in FROM[plea.kind]:
        allowed = " or ".join(sorted(state.value for state in FROM[plea.kind]))
        faults.append(
            Fault("kind", f"{plea.kind.value} is for tasks that are {allowed}, not {work.state.value}")
        )
    if not plea.reason.strip():
        faults.append(Fault("reason", "is missing"))
    if plea.kind is PleaKind.REFUSE:
        if not plea.item.strip():
            faults.append(Fault("item", "must cite the item of the list of duties"))
        if plea.until is not None:
            faults.append(Fault("until", "is not for a refusal"))
        return faults
    if plea.until is None:
        return [*faults, Fault("until", "is missing")]
    given = work.due_at - work.dispatched_at
    first, last = (
        (work.due_at, work.due_at + given)
        if plea.kind is PleaKind.EXTEND
        else (now, now + max(given, LEAST_SUSPENSION))
    )
    if not first < plea.until <= last:
        between = f"must lie after {_shown(first)} and not after {_shown(last)}"
        faults.append(Fault("until", between))
    return faults


def answer_by(grade: Grade, now: datetime, hours: Hours = ROUND_THE_CLOCK) -> Reckoned:
    """Tell by when somebody above decides: half an hour in an emergency, else the same time of the next working day."""
    return Reckoned(now + EMERGENCY) if grade in EMERGENCIES else next_working_day(hours, now)


def settle(plea: Plea, outcome: PleaOutcome, work: Work, now: datetime, owner: Desk | None = None) -> Settled:
    """Say what becomes of the task; `owner` is who gets it when a refusal is granted, and the county where nobody decided.

    A new owner has as much time as the first one was given, from now on.
    """
    granted = outcome is PleaOutcome.GRANTED
    match plea.kind:
        case PleaKind.REFUSE if granted or outcome is PleaOutcome.LAPSED:
            desk = owner if owner is not None else backstop(work.desk)
            given = between(work.hours, work.dispatched_at, work.due_at)
            again = replace(
                work,
                desk=desk,
                state=TaskState.DISPATCHED,
                dispatched_at=now,
                due_at=after(work.hours, now, given).at,
                passed=0,
            )
            return Settled(again, next_look(again, now))
        case PleaKind.REFUSE:
            return _goes_on(replace(work, state=TaskState.DISPATCHED), now)
        case PleaKind.SUSPEND if granted and plea.until is not None and plea.until > now:
            paused = replace(work, state=TaskState.SUSPENDED, due_at=_put_off(work, now, plea.until))
            return Settled(paused, plea.until, plea.until)
        case PleaKind.EXTEND if granted and plea.until is not None:
            return _goes_on(replace(work, due_at=plea.until), now)
        case _:
            return Settled(work, next_look(work, now))


def _put_off(work: Work, now: datetime, until: datetime) -> datetime:
    """Tell the end of a task that rests until a time: what is left of its own time then goes on."""
    if work.due_at <= now:
        return work.due_at + (until - now)
    return after(work.hours, until, between(work.hours, now, work.due_at)).at


def resume(work: Work, now: datetime) -> Settled:
    """Take up a task whose suspension is over."""
    return _goes_on(replace(work, state=TaskState.ACCEPTED), now)


def end_rest(work: Work, until: datetime, now: datetime) -> Settled:
    """Take up a task before its suspension would be over: what was left of its own time goes on from now, not from then."""
    if work.due_at <= until:  # it was late already when it was put off
        due_at = work.due_at - (until - now)
    else:
        due_at = after(work.hours, now, between(work.hours, until, work.due_at)).at
    return _goes_on(replace(work, due_at=due_at), now)


def backstop(desk: Desk) -> Desk:
    """Name who has a task when nobody has decided whose it is: the county's general desk (县级兜底)."""
    area = county_of(desk.area) if len(desk.area) >= AreaLevel.COUNTY else desk.area
    return Desk(area, "")


def _goes_on(work: Work, now: datetime) -> Settled:
    """Go on by a task's own deadlines; those that a later end has moved into the future are acted on again."""
    kept = [share for share, _ in SHARES if share <= work.passed and deadline(work, share) <= now]
    passed = max(kept, default=0)
    again = replace(work, passed=work.passed if passed == LAST_SHARE else passed)
    return Settled(again, next_look(again, now))


def _shown(at: datetime) -> str:
    return at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M")
