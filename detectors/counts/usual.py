"""What is usual at a place: the expected count of a period, by day of week, holiday, season and hour.

The days of counties and townships are learned by the dynamic model (glm.py), a township as part of its county. A day is
judged by days that lie a whole lateness bound before it: as soon as nothing can be counted for a day any more it is
learned, and what that lets expect of the first day beyond the bound is kept until nothing can be counted for that one
either. So the order of arrival makes no difference, and an outbreak does not teach its own first day to be usual. Within a
township a village or grid cell has a share that it has shown (a gamma belief, rate.py); within a day the hours have the
county's rhythm, as far as they are usually reported by now (lags.py).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.counts.cells import BUCKETS_PER_DAY, Cells, Key, rhythm_of, start_of
from detectors.counts.glm_bank import GLMBank
from detectors.counts.lags import Lags
from detectors.counts.ledger import Ledger
from detectors.counts.rate import LARGEST_SHAPE, belief
from domain.areas import AreaLevel, county_of, covers, township_of
from domain.errors import Fault, InvalidInput
from domain.levels import Feed

VERSION = 1
PREFIX, ROWS = "usual/", "glm/"
LEAST_SIBLINGS = 8
"""Villages or cells that a township is thought to have at least, however few were heard of."""
LEAST_PER_DAY = 0.024
"""Tickets that are always expected: one in forty days."""
UNHEARD_PER_DAY = 1.0
"""Tickets first expected of a category that a place was not heard of: what was silent for a day may be loud on the next."""
PRIOR_SHAPE = 0.5
"""So little is an even share of the level above worth that four calls at once, early on, may still be chance."""
REPLAYED_DAYS = 28
"""Days without a count that a new place is taught at once."""
LONGEST_GAP = 366
"""Days of silence that are still learned as days without a count."""


class _Day(msgspec.Struct, frozen=True, array_like=True):
    """What is expected of a day, for the slots that there were when that became known."""

    means: list[float]
    shapes: list[float]


class _County(msgspec.Struct):
    """What is known of a county: `keys` by slot number, `through` the last day learned, `days` that may still be judged."""

    version: int
    first: int
    through: int
    keys: list[tuple[str, str, Feed]] = []
    slots: list[int] = []
    days: dict[int, _Day] = {}


class Usual:
    """Learns what is usual from what was counted in cells; one for a partition."""

    def __init__(self, ledger: Ledger, cells: Cells) -> None:
        """Take the ledger that tells how far time has come, and the counts."""
        self._ledger = ledger
        self._cells = cells
        self.lags = Lags(ledger)
        self._bank = GLMBank("day")
        self._counties: dict[str, _County] = {}
        self._numbers: dict[Key, int] = {}
        self._rhythms: dict[tuple[Key, int], list[float]] = {}
        self._shares: dict[tuple[Key, int], tuple[float, float]] = {}
        self._siblings: dict[tuple[tuple[str, int], int], int] = {}
        self._changed: set[str] = set()

    def learn(self, county: str) -> None:
        """Learn the days of a county about which nothing can be counted any more."""
        settled = self._ledger.settled_day(county)
        known = self._counties.get(county)
        if known is None:
            first = self._cells.first(county)
            if first is None or first // BUCKETS_PER_DAY > settled:
                return
            known = self._counties[county] = _County(
                VERSION, first // BUCKETS_PER_DAY, first // BUCKETS_PER_DAY - 1
            )
        if known.through >= settled:
            return
        for day in range(max(known.through + 1, settled - LONGEST_GAP), settled + 1):
            self._learn_day(county, known, day)
        known.through = settled
        known.days = {day: kept for day, kept in known.days.items() if day > settled}
        memories: tuple[dict[Any, Any], ...] = (self._rhythms, self._shares, self._siblings)
        for memory in memories:
            for old in [name for name in memory if name[1] <= settled and covers(county, name[0][0])]:
                del memory[old]
        self._changed.add(county)

    def expect(self, key: Key, begin: int, length: int, at: datetime) -> tuple[float, float] | None:
        """Tell mean and shape of the count expected in buckets of one day and received by a time.

        None while too little is known.
        """
        day = begin // BUCKETS_PER_DAY
        found = self.expect_day(key, day)
        if found is None:
            return None
        county = county_of(key.area)
        rhythm = self._rhythm(key._replace(area=county), day)
        hours = (
            rhythm[bucket % BUCKETS_PER_DAY] * self.lags.part(county, key.feed, bucket, at)
            for bucket in range(begin, begin + length)
        )
        return found[0] * sum(hours) / BUCKETS_PER_DAY, found[1]

    def expect_day(self, key: Key, day: int) -> tuple[float, float] | None:
        """Tell mean and shape of the count expected on a day, None while too little is known."""
        county = county_of(key.area)
        known = self._counties.get(county)
        kept = known.days.get(day) if known else None
        if known is None or kept is None:
            return None
        zone = key._replace(area=township_of(key.area))
        number = self._numbers.get(zone, len(kept.means))
        above = self._numbers.get(key._replace(area=county), len(kept.means))
        if number < len(kept.means):
            mean, shape = kept.means[number], min(kept.shapes[number], LARGEST_SHAPE)
        elif above < len(kept.means):
            mean, shape = kept.means[above] / self._parts(county, AreaLevel.TOWNSHIP, day), PRIOR_SHAPE
        else:
            days = day - self._ledger.guard_days - known.first
            mean, shape = belief(0.0, days, UNHEARD_PER_DAY, PRIOR_SHAPE)
        if len(key.area) > AreaLevel.TOWNSHIP:
            share, known_by = self._share(key, day)
            mean, shape = mean * share, 1.0 / (1.0 / shape + 1.0 / known_by)
        return max(mean, LEAST_PER_DAY), shape

    def expect_parts(
        self, parts: Sequence[str], category: str, feed: Feed, day: int
    ) -> tuple[list[float], list[float]] | None:
        """Tell means and shapes of a day's counts in all parts (cells or villages) of one township, in their order.

        None while too little is known. A part that was not heard of has what an even share and its silence leave it.
        """
        zone = Key(township_of(parts[0]), category, feed)
        found = self.expect_day(zone, day)
        if found is None:
            return None
        before, even = self._before(day), 1.0 / len(parts)
        whole = self._cells.discounted(zone, before)
        silent = belief(0.0, whole, even, PRIOR_SHAPE)
        means, shapes = [], []
        for part in parts:
            own = self._cells.discounted(Key(part, category, feed), before)
            share, known_by = silent if own == 0.0 else belief(own, whole, even, PRIOR_SHAPE)
            means.append(found[0] * share)
            shapes.append(1.0 / (1.0 / found[1] + 1.0 / known_by))
        return means, shapes

    def townships(self, county: str) -> list[str]:
        """List the townships of a county that something was learned of."""
        known = self._counties.get(county)
        areas = {area for area, _, _ in known.keys} if known else set()
        return sorted(area for area in areas if len(area) == AreaLevel.TOWNSHIP)

    def _share(self, key: Key, day: int) -> tuple[float, float]:
        """Believe in a part's share of its township: mean and shape."""
        name = key, day
        if name not in self._shares:
            township = key._replace(area=township_of(key.area))
            own, whole = (self._cells.discounted(one, self._before(day)) for one in (key, township))
            even = 1.0 / self._parts(township.area, len(key.area), day)
            self._shares[name] = belief(own, whole, even, PRIOR_SHAPE)
        return self._shares[name]

    def _rhythm(self, key: Key, day: int) -> list[float]:
        name = key, day
        if name not in self._rhythms:
            self._rhythms[name] = rhythm_of(self._cells.past(key, self._before(day)))
        return self._rhythms[name]

    def _before(self, day: int) -> int:
        """Name the first bucket that a day is not judged by."""
        return (day - self._ledger.guard_days) * BUCKETS_PER_DAY

    def _parts(self, area: str, level: int, day: int) -> int:
        name = (area, level), day
        if name not in self._siblings:
            children = self._cells.children(area, level, self._before(day))
            self._siblings[name] = max(children, LEAST_SIBLINGS if level > AreaLevel.TOWNSHIP else 1)
        return self._siblings[name]

    def _learn_day(self, county: str, known: _County, day: int) -> None:
        self.lags.learn(county, day)
        counted = self._cells.on_day(county, day, AreaLevel.TOWNSHIP)
        self._make_slots(known, county, counted, day)
        counts = [counted.get(Key(*key), 0) for key in known.keys]
        self._bank.learn(known.slots, start_of(day), np.array(counts, np.float64))
        later = day + 1 + self._ledger.guard_days
        means, shapes = self._bank.expect(known.slots, start_of(later))
        known.days[later] = _Day(means.tolist(), shapes.tolist())

    def _make_slots(self, known: _County, county: str, counted: Mapping[Key, int], day: int) -> None:
        """Make slots of what was counted for the first time: every township has all that its county has."""
        areas = {area for area, _, _ in known.keys} | {key.area for key in counted} | {county}
        kinds = {(category, feed) for _, category, feed in known.keys} | {key[1:] for key in counted}
        new = [
            Key(area, category, feed)
            for area in sorted(areas)  # the county first: it is the others' parent
            for category, feed in sorted(kinds)
            if Key(area, category, feed) not in self._numbers
        ]
        townships = max(len(areas) - 1, 1)
        for key in new:
            parent = None if key.area == county else known.slots[self._numbers[key._replace(area=county)]]
            self._numbers[key] = len(known.keys)
            known.keys.append((key.area, key.category, key.feed))
            known.slots.append(self._bank.add(parent, 1.0 / townships))
        slots = known.slots[len(known.slots) - len(new) :]
        if slots:
            zeros: NDArray[np.float64] = np.zeros(len(slots))
            for past in range(max(known.first, day - REPLAYED_DAYS), day):
                self._bank.learn(slots, start_of(past), zeros)

    def dump(self) -> dict[str, bytes]:
        """Write the pieces that changed since the last dump: a county each, and blocks of the model's rows."""
        changed, self._changed = self._changed, set()
        return {
            **{
                f"{PREFIX}{county}": msgspec.msgpack.encode(self._counties[county])
                for county in sorted(changed)
            },
            **{f"{ROWS}{number}": block for number, block in self._bank.dump().items()},
            **self.lags.dump(),
        }

    def restore(self, pieces: Mapping[str, bytes]) -> None:
        """Take up its own among written pieces; InvalidInput or ValueError (msgspec's) when they are of another form."""
        self.lags.restore(pieces)
        for name, piece in pieces.items():
            if name.startswith(ROWS):
                self._bank.restore(int(name.removeprefix(ROWS)), piece)
            elif name.startswith(PREFIX):
                known = msgspec.msgpack.decode(piece, type=_County)
                if known.version != VERSION:
                    raise InvalidInput([Fault("version", f"{known.version} is not {VERSION}")])
                self._counties[name.removeprefix(PREFIX)] = known
                self._numbers.update((Key(*key), number) for number, key in enumerate(known.keys))
