"""Which tickets and reports are counted at all: each once, and none that is later than the lateness bound."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import msgspec
from msgspec import structs

from detectors.counts.cells import bucket_of, day_of
from domain.areas import county_of, covers
from domain.findings import Finding, FindingState
from domain.levels import Feed

NEWEST = "newest"
PREFIX = "ids/"
SLOTS = 64
"""Days after which the name of a day's piece is taken again."""
_Newest = dict[str, datetime]


class Heard(NamedTuple):
    """A ticket or report as detectors see it: where, when, about what; `terms` are the words that say so."""

    id: UUID
    area: str
    category: str
    feed: Feed
    observed_at: datetime
    received_at: datetime
    terms: tuple[str, ...] = ()


class Ledger:
    """Remembers the ids of some days, and how far each county's time has come."""

    def __init__(self, lateness_seconds: float) -> None:
        """Start empty."""
        self.lateness = timedelta(seconds=lateness_seconds)
        self.guard_days = -(-int(lateness_seconds) // 86_400)
        """Whole days that must lie between a day and the past that it is judged by."""
        self._remembered_days = 7 + self.guard_days
        self._newest: _Newest = {}
        self._seen: dict[int, set[UUID]] = {}
        self._changed: set[str] = set()

    def admit(self, heard: Heard) -> bool:
        """Say whether to count it, and take note of it."""
        county = county_of(heard.area)
        newest = self._newest.get(county)
        if newest is not None and heard.observed_at < newest - self.lateness:
            return False
        if not self._remember(heard.id, day_of(heard.observed_at)):
            return False
        if newest is None or heard.observed_at > newest:
            self._newest[county] = heard.observed_at
            self._changed.add(NEWEST)
        return True

    def newest(self, county: str) -> datetime:
        """Tell how far a county's time has come; KeyError for one that nothing was heard of."""
        return self._newest[county]

    def settled_day(self, county: str) -> int:
        """Name the last day of a county about which nothing can be counted any more."""
        return day_of(self._newest[county] - self.lateness) - 1

    def counties(self) -> list[str]:
        """List the counties that something was heard of."""
        return list(self._newest)

    def advance(self, watermark: datetime) -> None:
        """Let time pass in all counties."""
        self._newest = {county: max(newest, watermark) for county, newest in self._newest.items()}
        self._changed.add(NEWEST)

    def dump(self) -> dict[str, bytes]:
        """Write the pieces that changed since the last dump: a day's ids each, and the counties' time."""
        changed, self._changed = self._changed, set()
        return {name: self._write(name) for name in sorted(changed)}

    def restore(self, pieces: Mapping[str, bytes]) -> None:
        """Take up its own among written pieces; ValueError (msgspec's too) when they are of another form."""
        for name, piece in pieces.items():
            if name == NEWEST:
                self._newest = msgspec.msgpack.decode(piece, type=_Newest)
            elif name.startswith(PREFIX) and piece:
                day, ids = msgspec.msgpack.decode(piece, type=tuple[int, bytes])
                self._seen[day] = {UUID(bytes=ids[at : at + 16]) for at in range(0, len(ids), 16)}

    def _write(self, name: str) -> bytes:
        if name == NEWEST:
            return msgspec.msgpack.encode(self._newest)
        for day in (day for day in self._seen if _piece(day) == name):
            return msgspec.msgpack.encode((day, b"".join(sorted(one.bytes for one in self._seen[day]))))
        return b""

    def _remember(self, input_id: UUID, day: int) -> bool:
        """Say whether an id is new; they are kept by the day on which they were observed.

        All kept days are asked: an order that is pushed again with another time is still the same call.
        """
        seen = self._seen.get(day)
        if seen is None:
            seen = self._seen[day] = set()
            newest = max(self._seen)
            for old in [kept for kept in self._seen if kept < newest - self._remembered_days]:
                del self._seen[old]
                self._changed.add(_piece(old))
        if any(input_id in ids for ids in self._seen.values()):
            return False
        seen.add(input_id)
        self._changed.add(_piece(day))
        return True


def _piece(day: int) -> str:
    """Name the piece of a day; the name is taken again long after, since pieces can be emptied and not removed."""
    return f"{PREFIX}{day % SLOTS}"


def end_over(
    held: dict[UUID, tuple[Finding, int]], county: str, newest: datetime, received_at: datetime
) -> list[Finding]:
    """Take what is over in a county at its newest time out of what was said, and clear it.

    With each finding `held` has the bucket from which on it is over.
    """
    now = bucket_of(newest)
    over = [name for name, (said, until) in held.items() if until <= now and covers(county, said.area)]
    return [
        structs.replace(
            held.pop(name)[0], state=FindingState.CLEARED, observed_at=newest, received_at=received_at
        )
        for name in over
    ]
