"""Readings of one partition: to the detectors, to findings, and into one-minute roll-ups."""

from collections.abc import Callable, Mapping
from datetime import datetime

from config.metrics import INPUTS
from detectors.series.bank import Records
from detectors.series.watch import SeriesWatch
from domain.areas import township_of
from domain.codec import headers_for
from domain.findings import Finding, LateReading
from domain.levels import Feed
from domain.registry import Series
from domain.rollups import COLUMNS
from domain.topics import ROLLUPS
from streams.desk import Incoming, Outgoing
from streams.messages import finding_message
from streams.metrics import LATENESS_SECONDS
from streams.packing import MICROSECOND, unpack
from streams.producer import Message

ROWS = 2_000
"""Roll-ups in one message: about 150 kB."""
ROLLUP_HEADERS = [*headers_for(ROLLUPS), ("encoding", COLUMNS.encode())]
MINUTE = 60 * MICROSECOND
NO_AREA = "unknown"
"""Key of roll-ups whose series the registry does not know."""


class ReadingsDesk:
    """Watches the series of one partition; event time decides, the clock never."""

    def __init__(
        self,
        series: Mapping[str, Series],
        lateness_seconds: float,
        is_own: Callable[[Series], bool] = lambda series: True,
    ) -> None:
        """Know the registry's series, a table that stays up to date; `know` tells of changes.

        `is_own` says of a series whether its township's readings come to this partition: one that was registered, or moved,
        elsewhere would be called silent here for ever.
        """
        self._series = series
        self._is_own = is_own
        self._watch = SeriesWatch(filter(is_own, series.values()), lateness_seconds)
        self._late: list[LateReading] = []
        self._of_changes: list[Finding] = []
        self._inputs = INPUTS.labels("stream", Feed.READINGS)
        self._lateness = LATENESS_SECONDS.labels(Feed.READINGS)

    def know(self, series: Series | None, name: str) -> None:
        """Take a change of the registry into account; what it clears goes out at the next tick."""
        if series is not None and self._is_own(series):
            self._of_changes += self._watch.know(series)
        else:
            self._of_changes += self._watch.forget(name)

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
        """Hand out what changes of the registry cleared; for readings themselves only event time passes."""
        findings, self._of_changes = self._of_changes, []
        return [finding_message(finding) for finding in findings]

    def collect(self) -> Outgoing:
        """Hand out the minutes touched since the last snapshot, and what came too late.

        All townships of this partition meet in one partition of the roll-ups as well: so they share messages, and the key
        is the first row's township.
        """
        late, self._late = self._late, []
        rows = self._watch.take_rollups()
        names = self._watch.names
        return [
            *(
                self._rollups(names[rows["slot"][start]], rows[start : start + ROWS], [])
                for start in range(0, len(rows), ROWS)
            ),
            *(
                self._rollups(late[start].series, rows[:0], late[start : start + ROWS])
                for start in range(0, len(late), ROWS)
            ),
        ]

    def _rollups(self, first: str, rows: Records, late: list[LateReading]) -> Message:
        key = self._township(first).encode()
        return Message(ROLLUPS.name, key, self._watch.pack(rows, late), ROLLUP_HEADERS)

    def dump(self) -> dict[str, bytes]:
        """Write down the blocks of series that changed."""
        return {str(number): block for number, block in self._watch.dump().items()}

    def restore(self, pieces: dict[str, bytes]) -> None:
        """Take up all blocks."""
        self._watch.restore({int(number): block for number, block in pieces.items()})

    def _township(self, name: str) -> str:
        series = self._series.get(name)
        return NO_AREA if series is None else township_of(series.area)
