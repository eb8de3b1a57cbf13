"""Reports that a case owes, as data, and the desks that owe them or hear of them: pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from config.clocks import NATION, UNIT
from config.policies import TOWERS
from domain.areas import AreaLevel, up_to
from domain.incidents import IncidentState
from domain.levels import EventClass, Grade
from responders.cases import Desk, Person, Reason, Roster
from responders.deadlines import LEADER


class ReportKind(StrEnum):
    """首报, 续报, 终报."""

    FIRST = "first"
    FOLLOW_UP = "follow_up"
    FINAL = "final"


class EndReason(StrEnum):
    """Why a report is owed no more though nobody made it."""

    CLOSED = "closed"  # a follow-up of a case that has ended, or what was left of a drill
    FALSE_ALARM = "false_alarm"
    MERGED = "merged"  # the case that it went into owes it
    WAIVED = "waived"  # whoever closed the case said why it is not made


@dataclass(frozen=True, slots=True)
class Due:
    """One report that a case owes, with the clock's terms as they were when it began; a row of `report_due`.

    `place` numbers the case's rows. `due_at` is None for a final report while its case is open. `since` is when its time
    began, `begun_at` when it became owed, which is earlier where a level above waits for the one below. `missed_at` stays
    where `met_at` comes later.
    """

    incident: UUID
    place: int
    clock: str
    zh: str
    en: str
    source: str
    by: str
    to: str
    form: str
    kind: ReportKind
    number: int
    post: str
    office: str
    minutes: float
    per_day: int
    final: bool
    warn_minutes: float
    begun_at: datetime
    since: datetime
    due_at: datetime | None
    next_at: datetime | None = None
    warned_at: datetime | None = None
    missed_at: datetime | None = None
    met_at: datetime | None = None
    ended_at: datetime | None = None
    end_reason: EndReason | None = None

    @property
    def leg(self) -> tuple[str, str, str, str]:
        """The step of a clock that it belongs to."""
        return self.clock, self.by, self.to, self.form

    @property
    def is_owed(self) -> bool:
        """Whether it is still to be made, in time or late."""
        return self.met_at is None and self.ended_at is None

    @property
    def runs(self) -> bool:
        """Whether its time has not run out yet."""
        return self.is_owed and self.missed_at is None


@dataclass(frozen=True, slots=True)
class Subject:
    """A case as the law sees it; `post` has it. A category that the data does not know any more has no class, nor clocks."""

    incident: UUID
    category: str
    event_class: EventClass | None
    place: str
    post: str
    drill: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """What a case became, and when; `reopened` when it had ended before."""

    at: datetime
    state: IncidentState
    grade: Grade
    reopened: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """A report that somebody made: who (`by`, as levels), to which level, and when."""

    by: tuple[str, ...]
    to: str
    kind: ReportKind
    form: str
    at: datetime

    def answers(self, due: Due) -> bool:
        """Say whether it is the report that is owed; a written one answers where a call was asked for, not the reverse."""
        same = (self.kind, self.to) == (due.kind, due.to) and due.by in self.by
        return same and self.form in (due.form, "written")


def with_timer(due: Due) -> Due:
    """Set the timer: before the limit somebody is warned, half the time before it where the time is short."""
    if due.due_at is None or not due.runs:
        return replace(due, next_at=None)
    if due.warned_at is not None:
        return replace(due, next_at=due.due_at)
    lead = min(timedelta(minutes=due.warn_minutes), (due.due_at - due.since) / 2)
    return replace(due, next_at=due.due_at - lead)


def length_of(level: str) -> int:
    """Tell how long the codes of a level's areas are; the nation has none, a unit speaks through its township."""
    if level == NATION:
        return 0
    return int(AreaLevel.TOWNSHIP if level == UNIT else TOWERS[level])


def area_of(level: str, place: str) -> str:
    """Name the area of a level above a place; empty for the nation."""
    return place[: length_of(level)]


def desk_of(due: Due, place: str) -> Desk:
    """Name the desk that owes a report."""
    return Desk(area_of(due.by, place), due.post)


def levels_of(area: str) -> tuple[str, ...]:
    """Name the levels that people of an area report for; none for those of a village or of no tower."""
    own = tuple(level for level, tower in TOWERS.items() if tower == len(area))
    return (UNIT, *own) if own == ("township",) else own


def hears(
    due: Due, reason: Reason, place: str, roster: Roster
) -> tuple[tuple[Person, ...], tuple[Desk, ...]]:
    """Find whom a timer tells: before the limit the desk that owes and its leader, after it the next level up.

    Where nobody is on duty, the level above that; the desks found empty come second.
    """
    own = desk_of(due, place)
    above = [Desk(area, due.post) for area in _above(own.area)]
    if reason is Reason.LEGAL_SOON:
        leaders = roster.on_duty.get(Desk(own.area, LEADER), ())
        people = tuple({one.user: one for one in (*roster.find(own), *leaders)}.values())
        if people:
            return people, ()
        return _first_there(above, roster, (own,))
    found, vacant = _first_there(above, roster, ())
    if found:
        return found, vacant
    at_top = roster.on_duty.get(Desk(own.area, LEADER), ()) or roster.find(own)
    return at_top, vacant


def _first_there(
    desks: Iterable[Desk], roster: Roster, vacant: tuple[Desk, ...]
) -> tuple[tuple[Person, ...], tuple[Desk, ...]]:
    for desk in desks:
        if people := roster.find(desk):
            return people, vacant
        vacant = (*vacant, desk)
    return (), vacant


def _above(area: str) -> Iterator[str]:
    """Name the towers' areas above an area, nearest first."""
    for tower in sorted(map(int, TOWERS.values()), reverse=True):
        if tower < len(area):
            yield up_to(area, AreaLevel(tower))
