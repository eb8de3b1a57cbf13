"""What was counted where: two-hour buckets per place, category and feed."""

import math
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import msgspec

from domain.areas import county_of, covers, township_of
from domain.clock import EPOCH
from domain.errors import Fault, InvalidInput
from domain.levels import Feed

VERSION = 1
BUCKET = 7_200
"""Seconds."""
BUCKETS_PER_DAY = 12
KEPT_DAYS = 28
DISCOUNT = 0.5 ** (1 / (7 * BUCKETS_PER_DAY))
"""Per bucket: what is a week old counts half."""
WEIGHTS = tuple(DISCOUNT**age for age in range(KEPT_DAYS * BUCKETS_PER_DAY))
LOCAL = 8 * 3_600
"""Seconds that Asia/Shanghai is ahead of UTC: days and half-days are those of the people who call."""
RHYTHM = (0.25, 0.2, 0.25, 0.8, 1.6, 1.9, 1.4, 1.5, 1.6, 1.2, 0.8, 0.5)
"""Calls by two hours of the local day before anything is known; the mean is 1."""
RHYTHM_WEIGHT = 24.0
"""Tickets that the prior rhythm is worth."""
NAMED_INPUTS = 20
PREFIX = "cells/"


class Key(NamedTuple):
    """What is counted apart: a place at some level, a category, a feed."""

    area: str
    category: str
    feed: Feed


class _Written(msgspec.Struct, frozen=True, array_like=True):
    """One county's piece of the state."""

    version: int
    first: int
    counts: list[tuple[str, str, Feed, list[tuple[int, int]]]]
    ids: list[tuple[str, str, Feed, int, list[UUID]]]


def bucket_of(at: datetime) -> int:
    """Name the bucket of an aware time, counted in local time."""
    since = at - EPOCH
    return (since.days * 86_400 + since.seconds + LOCAL) // BUCKET


def day_of(at: datetime) -> int:
    """Name the local day of an aware time: its number since 1970."""
    return bucket_of(at) // BUCKETS_PER_DAY


def time_of(bucket: int) -> datetime:
    """Tell the time at which a bucket begins."""
    return EPOCH + timedelta(seconds=seconds_of(bucket))


def start_of(day: int) -> datetime:
    """Tell the time at which a local day begins."""
    return time_of(day * BUCKETS_PER_DAY)


def seconds_of(bucket: int) -> int:
    """Tell the Unix time at which a bucket begins."""
    return bucket * BUCKET - LOCAL


def rhythm_of(past: Iterable[tuple[int, int]]) -> list[float]:
    """Learn how calls spread over the day from buckets, starting at RHYTHM."""
    slots = [RHYTHM_WEIGHT * share / BUCKETS_PER_DAY for share in RHYTHM]
    for bucket, number in past:
        slots[bucket % BUCKETS_PER_DAY] += number
    total = sum(slots)
    return [slot * BUCKETS_PER_DAY / total for slot in slots]


class Cells:
    """Counts by key and bucket. Buckets older than KEPT_DAYS are forgotten, ids after `remembered_days`."""

    kept = KEPT_DAYS * BUCKETS_PER_DAY

    def __init__(self) -> None:
        """Start empty."""
        self._first: dict[str, int] = {}
        self._counts: dict[Key, dict[int, int]] = {}
        self._keys: dict[str, set[Key]] = {}
        self._inputs: dict[Key, dict[int, list[UUID]]] = {}
        self._changed: set[str] = set()

    def count(self, key: Key, bucket: int, input_id: UUID) -> None:
        """Count one; a cell forgets what is too old as it goes on."""
        counts = self._counts.get(key)
        if counts is None:
            counts = self._know(key)
        if bucket not in counts:
            horizon = bucket - self.kept
            for old in [kept for kept in counts if kept < horizon]:
                del counts[old]
            inputs = self._inputs[key]
            for old in [kept for kept in inputs if kept < bucket - 2 * BUCKETS_PER_DAY]:
                del inputs[old]
        counts[bucket] = counts.get(bucket, 0) + 1
        named = self._inputs[key].setdefault(bucket, [])
        named.insert(0, input_id)
        del named[NAMED_INPUTS:]
        county = county_of(key.area)
        self._first[county] = min(self._first.get(county, bucket), bucket)
        self._changed.add(f"{PREFIX}{township_of(key.area)}")

    def _know(self, key: Key) -> dict[int, int]:
        self._keys.setdefault(county_of(key.area), set()).add(key)
        self._inputs[key] = {}
        counts = self._counts[key] = {}
        return counts

    def counted(self, key: Key, begin: int, length: int) -> int:
        """Tell the count of a period."""
        counts = self._counts.get(key)
        if counts is None:
            return 0
        return sum([counts.get(bucket, 0) for bucket in range(begin, begin + length)])

    def inputs(self, key: Key, begin: int, length: int) -> list[UUID]:
        """Name the newest inputs behind the count of a period."""
        inputs = self._inputs.get(key, {})
        named = [one for bucket in reversed(range(begin, begin + length)) for one in inputs.get(bucket, ())]
        return named[:NAMED_INPUTS]

    def past(self, key: Key, before: int) -> list[tuple[int, int]]:
        """List the counts of buckets before one, oldest first."""
        counts = self._counts.get(key, {})
        return sorted(
            (bucket, number) for bucket, number in counts.items() if before - self.kept <= bucket < before
        )

    def discounted(self, key: Key, before: int) -> float:
        """Count the past before a bucket, what is older the less."""
        counts = self._counts.get(key)
        if counts is None:
            return 0.0
        oldest, newest = before - self.kept, before - 1
        return math.fsum(
            [
                WEIGHTS[newest - bucket] * number
                for bucket, number in counts.items()
                if oldest <= bucket <= newest
            ]
        )

    def on_day(self, county: str, day: int, longest: int) -> dict[Key, int]:
        """Tell what was counted on a local day for a county and its parts whose codes have at most `longest` digits."""
        begin = day * BUCKETS_PER_DAY
        found = {
            key: self.counted(key, begin, BUCKETS_PER_DAY)
            for key in self._keys.get(county, ())
            if len(key.area) <= longest
        }
        return {key: number for key, number in found.items() if number}

    def first(self, county: str) -> int | None:
        """Name the first bucket of a county in which anything was counted, None when there is none."""
        return self._first.get(county)

    def children(self, area: str, level: int, before: int) -> int:
        """Count the places of a level within an area of which something was counted in the past before a bucket."""
        return len(
            {
                key.area
                for key in self._keys.get(county_of(area), ())
                if len(key.area) == level
                and covers(area, key.area)
                and any(before - self.kept <= bucket < before for bucket in self._counts[key])
            }
        )

    def dump(self) -> dict[str, bytes]:
        """Write the pieces that changed since the last dump, a township's or county's cells each."""
        changed, self._changed = self._changed, set()
        return {name: self._write(name) for name in sorted(changed)}

    def _write(self, name: str) -> bytes:
        rest = name.removeprefix(PREFIX)
        keys = sorted(key for key in self._keys[county_of(rest)] if township_of(key.area) == rest)
        written = _Written(
            version=VERSION,
            first=self._first[county_of(rest)],
            counts=[(*key, sorted(self._counts[key].items())) for key in keys],
            ids=[(*key, bucket, ids) for key in keys for bucket, ids in sorted(self._inputs[key].items())],
        )
        return msgspec.msgpack.encode(written)

    def restore(self, pieces: Mapping[str, bytes]) -> None:
        """Take up its own among written pieces; InvalidInput when they are of another form."""
        for name, piece in pieces.items():
            if name.startswith(PREFIX):
                self._take_up(name.removeprefix(PREFIX), msgspec.msgpack.decode(piece, type=_Written))

    def _take_up(self, place: str, written: _Written) -> None:
        if written.version != VERSION:
            raise InvalidInput([Fault("version", f"{written.version} is not {VERSION}")])
        county = county_of(place)
        self._first[county] = min(written.first, self._first.get(county, written.first))
        for area, category, feed, counts in written.counts:
            key = Key(area, category, feed)
            self._know(key).update(counts)
        for area, category, feed, bucket, ids in written.ids:
            self._inputs[Key(area, category, feed)][bucket] = ids
