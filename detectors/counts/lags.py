"""How late texts of a county's feeds come in, learned from settled days: what part of two hours is known by now.

A hospital that reports in the evening, a hotline whose orders arrive in batches: until then its hours look quiet. What is
expected of hours that are not complete is scaled down by the part that is usually there after as long (delay.py). Lags are
between the time of a text and its receipt, both its own, so that the order of arrival makes no difference. What is received
later than the lateness bound, such as a history that is taken over, is no reporting delay and teaches nothing.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from detectors.counts.cells import BUCKET, day_of, seconds_of
from detectors.counts.delay import Delay
from detectors.counts.ledger import Heard, Ledger
from domain.areas import county_of
from domain.errors import Fault, InvalidInput
from domain.levels import Feed

VERSION = 1
PREFIX = "lags/"
LEAST = 0.2
"""Part that is always expected: a feed that begins to report earlier than it did must not look like an event."""


class _Written(msgspec.Struct, frozen=True, array_like=True):
    """One county's piece: what is learned by feed, and what was counted by day, feed and lag that is not settled."""

    version: int
    learned: dict[Feed, dict[str, Any]]
    days: dict[int, dict[Feed, list[int]]]


class Lags:
    """Learns reporting delays by county and feed; one for a partition."""

    def __init__(self, ledger: Ledger) -> None:
        """Take the ledger whose lateness bound says up to which lag there is anything to learn."""
        self._lags = max(1, -(-int(ledger.lateness.total_seconds()) // BUCKET))
        self._delays: dict[str, dict[Feed, Delay]] = {}
        self._days: dict[str, dict[int, dict[Feed, list[int]]]] = {}
        self._changed: set[str] = set()

    def count(self, heard: Heard) -> None:
        """Count a text that was admitted by its lag."""
        lag = int((heard.received_at - heard.observed_at).total_seconds()) // BUCKET
        if lag >= self._lags:
            return
        county = county_of(heard.area)
        days = self._days.setdefault(county, {}).setdefault(day_of(heard.observed_at), {})
        days.setdefault(heard.feed, [0] * self._lags)[max(lag, 0)] += 1
        self._changed.add(county)

    def learn(self, county: str, day: int) -> None:
        """Learn from a day of a county for which nothing can be counted any more."""
        for feed, counts in self._days.get(county, {}).pop(day, {}).items():
            delay = self._delays.setdefault(county, {}).setdefault(feed, self._new())
            known, whole = 0, sum(counts)
            for lag, count in enumerate(counts):
                known += count
                delay.learn(lag, known, whole)
            self._changed.add(county)

    def part(self, county: str, feed: Feed, bucket: int, at: datetime) -> float:
        """Tell what part of a bucket's texts is usually received by a time, rather too much; 1 while nothing is known."""
        delay = self._delays.get(county, {}).get(feed)
        if delay is None:
            return 1.0
        return max(LEAST, delay.part(int(at.timestamp() - seconds_of(bucket)) // BUCKET))

    def dump(self) -> dict[str, bytes]:
        """Write the pieces that changed since the last dump, a county each."""
        changed, self._changed = self._changed, set()
        return {f"{PREFIX}{county}": self._write(county) for county in sorted(changed)}

    def restore(self, pieces: Mapping[str, bytes]) -> None:
        """Take up its own among written pieces; InvalidInput or ValueError (msgspec's) when they are of another form."""
        for name, piece in pieces.items():
            if not name.startswith(PREFIX):
                continue
            written = msgspec.msgpack.decode(piece, type=_Written)
            if written.version != VERSION:
                raise InvalidInput([Fault("version", f"{written.version} is not {VERSION}")])
            county = name.removeprefix(PREFIX)
            self._days[county] = written.days
            self._delays[county] = {feed: self._new() for feed in written.learned}
            for feed, state in written.learned.items():
                self._delays[county][feed].restore(state)

    def _new(self) -> Delay:
        return Delay([1.0] * self._lags)

    def _write(self, county: str) -> bytes:
        learned = {feed: delay.dump() for feed, delay in sorted(self._delays.get(county, {}).items())}
        return msgspec.msgpack.encode(_Written(VERSION, learned, self._days.get(county, {})))
