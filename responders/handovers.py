"""What follows from a desk's roster as time goes on: hand-overs (交接班), their receipts, vacancies ahead; pure.

A hand-over is for the people who come; who leaves is not off before one of them has signed. Both are paged until then, and
the levels above hear of it one after another: the next step does not take earlier people off.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from config.rosters import DeskRule
from domain.areas import AreaLevel
from responders.cases import Desk, Person, Roster
from responders.roster import Gap, Span, gaps

TOWERS = (AreaLevel.TOWNSHIP, AreaLevel.COUNTY, AreaLevel.CITY, AreaLevel.PROVINCE)
LOOK_AGAIN = timedelta(hours=6)
"""A desk at which nothing changes is looked at again after so long."""
REACH = timedelta(days=62)
"""Rotations are planned so far ahead, and planned further when less than half of it is left."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A desk as it was last looked at: who was on duty (None: it never was), and the beginning of the vacancy told."""

    on_duty: tuple[UUID, ...] | None = None
    vacant_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A change at a desk that must be handed over: who goes, who comes, since when."""

    outgoing: tuple[UUID, ...]
    incoming: tuple[UUID, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at a desk finds: who is on duty, what to hand over, a vacancy to tell, or that one is over."""

    on_duty: tuple[UUID, ...]
    change: Change | None
    vacancy: Gap | None
    vacant_from: datetime | None
    over: bool
    next_at: datetime


def look_at(seen: Seen, own: Sequence[Span], general: Sequence[Span], rule: DeskRule, now: datetime) -> Look:
    """Look at a desk: `own` are its spans, `general` those of its area's general desk, which stands in for it.

    After an outage the people of the last look are compared with those of now: one hand-over, however many were missed.
    """
    present = tuple(dict.fromkeys(span.user for span in own if span.starts_at <= now < span.ends_at))
    edges = sorted({edge for span in (*own, *general) for edge in (span.starts_at, span.ends_at)})
    ahead = timedelta(hours=rule.ahead_hours)
    found = list(gaps([*own, *general], now, now + ahead + LOOK_AGAIN))
    coming = [edge for edge in (*edges, *(gap.starts_at - ahead for gap in found)) if edge > now]
    near = next((gap for gap in found if gap.starts_at <= now + ahead), None)
    return Look(
        on_duty=present,
        change=_change(seen, present, max((edge for edge in edges if edge <= now), default=now)),
        vacancy=near if near is not None and not _is_told(seen, near, now) else None,
        vacant_from=_told_from(seen, near, now),
        over=near is None and seen.vacant_from is not None,
        next_at=min((now + LOOK_AGAIN, *coming)),
    )


def _change(seen: Seen, present: tuple[UUID, ...], at: datetime) -> Change | None:
    """Find what must be handed over; nobody who comes, nothing to sign."""
    if seen.on_duty is None:
        return None
    incoming = tuple(user for user in present if user not in seen.on_duty)
    outgoing = tuple(user for user in seen.on_duty if user not in present)
    return Change(outgoing, incoming, at) if incoming else None


def _is_told(seen: Seen, gap: Gap, now: datetime) -> bool:
    """Say whether a vacancy is the one that was told: of the same beginning, or begun since."""
    if seen.vacant_from is None:
        return False
    return gap.starts_at == seen.vacant_from or (gap.starts_at <= now and seen.vacant_from <= now)


def _told_from(seen: Seen, gap: Gap | None, now: datetime) -> datetime | None:
    if gap is None:
        return None
    return seen.vacant_from if _is_told(seen, gap, now) else gap.starts_at


@dataclass(frozen=True, slots=True)
class Unsigned:
    """A hand-over that nobody has signed: noticed when, both sides paged how often, and how many levels above told."""

    desk: Desk
    outgoing: tuple[Person, ...]
    incoming: tuple[Person, ...]
    noticed_at: datetime
    rounds: int
    climbed: int


@dataclass(frozen=True, slots=True)
class Reminder:
    """Who hears now of a hand-over that nobody has signed, and when the next ones do."""

    both: tuple[Person, ...]
    above: tuple[Person, ...]
    climbed: int
    next_at: datetime


def sign_by(noticed_at: datetime, rule: DeskRule) -> datetime:
    """Tell by when a hand-over must be signed."""
    return noticed_at + timedelta(minutes=rule.sign_minutes)


def remind(one: Unsigned, roster: Roster, rule: DeskRule, now: datetime) -> Reminder:
    """Decide who is paged: both sides, and of the levels above as many as time has passed for.

    A level with nobody on duty counts as told, so that the next one hears at once.
    """
    levels = [one.desk.area[:tower] for tower in TOWERS if tower < len(one.desk.area)]
    reached = min(int((now - one.noticed_at) / timedelta(minutes=rule.climb_minutes)), len(levels))
    above: list[Person] = []
    climbed = one.climbed
    while climbed < len(levels) and (climbed < reached or (climbed > one.climbed and not above)):
        above += roster.find(Desk(levels[climbed], one.desk.post))
        climbed += 1
    both = _once((*one.outgoing, *one.incoming))
    return Reminder(
        both=both,
        above=_once(person for person in above if person not in both),
        climbed=climbed,
        next_at=now + timedelta(minutes=rule.remind_minutes),
    )


def _once(people: Iterable[Person]) -> tuple[Person, ...]:
    return tuple(dict.fromkeys(people))
