"""Readings of one partition: to the detectors, to findings, and into one-minute roll-ups."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from config.metrics import INPUTS
from detectors.watch import SeriesWatch
from domain.areas import county_of, township_of
from domain.codec import encode, headers_for
from domain.findings import Finding, LateReading, RollUps
from domain.levels import Feed
from domain.registry import Series
from domain.topics import FINDINGS, ROLLUPS
from streams.desk import Incoming, Outgoing
from streams.metrics import LATENESS_SECONDS
from streams.packing import MICROSECOND, unpack
from streams.producer import Message

ROWS = 2_000
"""Roll-ups in one message: about 200 kB."""
MINUTE = 60 * MICROSECOND
NO_AREA = "unknown"
"""Key of roll-ups whose series the registry does not know."""


class ReadingsDesk:
    """Watches the series of one partition; event time decides, the clock never."""

    def __init__(self, series: Mapping[str, Series], lateness_seconds: float) -> None:
        """Know the registry's series, a table that stays up to date; `know` tells of changes."""
        self._series = series
        self._watch = SeriesWatch(series.values(), lateness_seconds)
        self._late: list[LateReading] = []
        self._inputs = INPUTS.labels("stream", Feed.READINGS)
        self._lateness = LATENESS_SECONDS.labels(Feed.READINGS)

    def know(self, series: Series | None, name: str) -> None:
        """Take a change of the registry into account."""
        if series is None:
            self._watch.forget(name)
        else:
            self._watch.know(series)

    def take(self, message: Incoming) -> Outgoing:
        """Observe a pack; whenever the newest observation enters a new minute, look for series that went silent."""
        readings = unpack(message.value, message.headers, received=message.sent_at)
        if len(readings) == 0:
            return []
        self._inputs.inc(len(readings))
        before = self._watch.newest_observed
        observed = self._watch.observe(
            readings.names,
            readings.index,
            readings.observed,
            readings.values,
            readings.quality,
            readings.received,
        )
        if before:
            self._lateness.observe(max(0, before - int(readings.observed.min())) / MICROSECOND)
        self._late.extend(observed.late)
        findings = observed.findings
        newest = self._watch.newest_observed
        if newest // MINUTE > before // MINUTE:
            findings = [*findings, *self._watch.silent(newest, readings.received)]
        return [finding_message(finding) for finding in findings]

    def tick(self, now: datetime) -> Outgoing:
        """Do nothing: for readings only event time passes."""
        return []

    def collect(self) -> Outgoing:
        """Hand out the minutes touched since the last snapshot, and what came too late."""
        late, self._late = self._late, []
        rows = self._watch.rollups(late)
        return [] if rows is None else list(self._rollup_messages(rows))

    def dump(self) -> dict[str, bytes]:
        """Write down the blocks of series that changed."""
        return {str(number): block for number, block in self._watch.dump().items()}

    def restore(self, pieces: dict[str, bytes]) -> None:
        """Take up all blocks."""
        self._watch.restore({int(number): block for number, block in pieces.items()})

    def _rollup_messages(self, rows: RollUps) -> Iterator[Message]:
        """Cut roll-ups by township, so that each finds the partition of its area."""
        places: dict[str, list[int]] = {}
        for at, name in enumerate(rows.series):
            places.setdefault(self._township(name), []).append(at)
        late: dict[str, list[LateReading]] = {}
        for reading in rows.late:
            late.setdefault(self._township(reading.series), []).append(reading)
        for township in sorted(places.keys() | late.keys()):
            found, behind = places.get(township, []), late.get(township, [])
            for start in range(0, max(len(found), len(behind)), ROWS):
                part = _pick(rows, found[start : start + ROWS], behind[start : start + ROWS])
                yield Message(ROLLUPS.name, township.encode(), encode(part), headers_for(ROLLUPS))

    def _township(self, name: str) -> str:
        series = self._series.get(name)
        return NO_AREA if series is None else township_of(series.area)


def finding_message(finding: Finding) -> Message:
    """Address a finding to the fusion of its county."""
    return Message(FINDINGS.name, county_of(finding.area).encode(), encode(finding), headers_for(FINDINGS))


def _pick(rows: RollUps, at: Iterable[int], late: list[LateReading]) -> RollUps:
    at = list(at)
    return RollUps(
        series=[rows.series[row] for row in at],
        minute=[rows.minute[row] for row in at],
        count=[rows.count[row] for row in at],
        good=[rows.good[row] for row in at],
        total=[rows.total[row] for row in at],
        low=[rows.low[row] for row in at],
        high=[rows.high[row] for row in at],
        last=[rows.last[row] for row in at],
        late=late,
    )
