"""What holds back the pages of a case that nobody has acknowledged, and until when; pure.

Three things do: maintenance in which the whole evidence lies, shelving by officers, and a graver case near by that explains
this one. A hold stops pages alone: the case is open and listed as held, its task and legal clocks go on, and when the hold
ends the case is paged. A hold counts only if enough persons stand behind it: nobody holds back a red case alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from config.holds import Inhibition, Shelving
from config.policies import TOWERS
from domain.areas import covers, up_to
from domain.levels import Grade, Level

LOOK_AGAIN = timedelta(minutes=15)
"""A held case is looked at this often, should the end of its hold go by unnoticed."""
URGENT = frozenset({Grade.I, Grade.II})
"""Never held back by another case."""
LONGEST_WINDOW = timedelta(days=30)
"""Maintenance is a piece of work: what is to be silent for longer belongs out of the registry."""


class HoldKind(StrEnum):
    """What holds pages back."""

    MAINTENANCE = "maintenance"
    SHELVED = "shelved"
    INHIBITED = "inhibited"


@dataclass(frozen=True, slots=True)
class Hold:
    """Why a case pages nobody; `ref` is the window, the shelf or the case that holds it, `until` None: nobody knows yet."""

    kind: HoldKind
    ref: UUID
    reason: str
    by: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One piece of a case's evidence: the series it speaks of, and its device; both empty when it is of another kind."""

    series: str = ""
    device: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """A case as holds see it; a case about the platform itself (`fault`) is held by shelving alone."""

    category: str
    place: str
    grade: Grade
    level: Level
    evidence: tuple[Item, ...] = ()
    fault: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """An open case that may hold others back."""

    ref: UUID
    category: str
    level: Level
    place: str
    title: str


@dataclass(frozen=True, slots=True)
class Shelf:
    """A case put aside by officers until a time; `grade` is what it had then, and a graver one falls off."""

    ref: UUID
    reason: str
    by: str
    until: datetime
    persons: int
    grade: Grade


@dataclass(frozen=True, slots=True)
class Window:
    """Maintenance of an area's category, of a series or of a device, for a time."""

    ref: UUID
    area: str
    category: str
    series: str
    device: str
    reason: str
    by: str
    starts_at: datetime
    ends_at: datetime
    persons: int


@dataclass(frozen=True, slots=True)
class Around:
    """What may hold a case back: read from the database, decided about here."""

    sources: tuple[Source, ...] = ()
    shelves: tuple[Shelf, ...] = ()
    windows: tuple[Window, ...] = ()


NOTHING = Around()


def persons_needed(grade: Grade, level: Level, shelvings: Mapping[int, Shelving]) -> int:
    """Tell how many persons must stand behind a hold: what the data says of the grade, and two where anything is red."""
    red = level is Level.RED or grade is Grade.I
    return max(shelvings[grade].persons, 2 if red else 1)


def hold_of(
    case: Subject,
    around: Around,
    inhibitions: Sequence[Inhibition],
    shelvings: Mapping[int, Shelving],
    now: datetime,
) -> Hold | None:
    """Tell what holds a case's pages back now; None when nothing does."""
    needed = persons_needed(case.grade, case.level, shelvings)
    return (
        _maintenance(case, (window for window in around.windows if window.persons >= needed), now)
        or _shelved(case, around.shelves, needed, now)
        or _inhibited(case, around.sources, inhibitions)
    )


def look_at(hold: Hold, now: datetime) -> datetime:
    """Tell when a held case is looked at next: at the end of its hold, and often before."""
    return min(now + LOOK_AGAIN, hold.until) if hold.until is not None else now + LOOK_AGAIN


def _maintenance(case: Subject, windows: Iterable[Window], now: datetime) -> Hold | None:
    """Find the maintenance in which all of a case lies: by its category, or each piece of its evidence by a window."""
    if case.fault:
        return None
    open_now = [
        window
        for window in windows
        if window.starts_at <= now < window.ends_at and window.category in ("", case.category)
    ]
    whole = [
        window
        for window in open_now
        if not window.series and not window.device and window.category and covers(window.area, case.place)
    ]
    if not whole:
        found = [next((w for w in open_now if _covers(w, item)), None) for item in case.evidence]
        whole = [window for window in found if window is not None]
        if not found or len(whole) < len(found):
            return None
        first = min(whole, key=lambda window: window.ends_at)
    else:
        first = max(whole, key=lambda window: window.ends_at)
    return Hold(HoldKind.MAINTENANCE, first.ref, first.reason, first.by, first.ends_at)


def _covers(window: Window, item: Item) -> bool:
    named = bool(window.series or window.device)
    return named and window.series in ("", item.series) and window.device in ("", item.device)


def _shelved(case: Subject, shelves: Iterable[Shelf], needed: int, now: datetime) -> Hold | None:
    for shelf in shelves:
        if shelf.persons >= needed and now < shelf.until and case.grade >= shelf.grade:
            return Hold(HoldKind.SHELVED, shelf.ref, shelf.reason, shelf.by, shelf.until)
    return None


def _inhibited(case: Subject, sources: Iterable[Source], inhibitions: Sequence[Inhibition]) -> Hold | None:
    if case.fault or case.grade in URGENT or case.level is Level.RED:
        return None
    sources = tuple(sources)
    for rule in inhibitions:
        if case.category not in rule.targets:
            continue
        within = area_of(rule, case.place)
        for source in sources:
            if (
                source.category == rule.source
                and source.level >= rule.level
                and covers(area_of(rule, source.place), within)
            ):
                return Hold(HoldKind.INHIBITED, source.ref, rule.reason, source.title)
    return None


def area_of(rule: Inhibition, place: str) -> str:
    """Name the area of a place in which a rule looks; a wider place is its own, and holds those in it back."""
    return up_to(place, TOWERS[rule.within])
