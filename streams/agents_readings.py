"""Readings of one partition: to the detectors, to findings, and into one-minute roll-ups."""

from collections.abc import Callable, Mapping
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from config.metrics import INPUTS
from detectors.series.watch import SeriesWatch
from domain.areas import township_of
from domain.findings import Finding, LateReading
from domain.levels import Feed
from domain.registry import Series
from domain.topics import ROLLUPS
from streams.desk import Incoming, Outgoing
from streams.messages import finding_message, message_of
from streams.metrics import LATENESS_SECONDS
from streams.packing import MICROSECOND, unpack

ROWS = 2_000
"""Roll-ups in one message: about 200 kB. Late ones go in with the township of the first: their place does not matter."""
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
        self._group_of: NDArray[np.int32] | None = None
        self._townships: list[str] = []
        self._inputs = INPUTS.labels("stream", Feed.READINGS)
        self._lateness = LATENESS_SECONDS.labels(Feed.READINGS)

    def know(self, series: Series | None, name: str) -> None:
        """Take a change of the registry into account; what it clears goes out at the next tick."""
        self._group_of = None
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
        """Hand out the minutes touched since the last snapshot, and what came too late, by township."""
        late, self._late = self._late, []
        rows = self._watch.take_rollups()
        groups = self._groups()[rows["slot"]]
        order = np.argsort(groups, kind="stable")
        rows, groups = rows[order], groups[order]
        out = []
        for group in np.unique(groups).tolist():
            first, end = np.searchsorted(groups, [group, group + 1]).tolist()
            for start in range(first, end, ROWS):
                part = self._watch.describe(rows[start : min(start + ROWS, end)], [])
                out.append(message_of(ROLLUPS, self._townships[group], part))
        for start in range(0, len(late), ROWS):
            part = self._watch.describe(rows[:0], late[start : start + ROWS])
            out.append(message_of(ROLLUPS, self._township(late[start].series), part))
        return out

    def dump(self) -> dict[str, bytes]:
        """Write down the blocks of series that changed."""
        return {str(number): block for number, block in self._watch.dump().items()}

    def restore(self, pieces: dict[str, bytes]) -> None:
        """Take up all blocks."""
        self._watch.restore({int(number): block for number, block in pieces.items()})

    def _groups(self) -> NDArray[np.int32]:
        """Number the townships of all slots; looked up again only when series were added or changed."""
        names = self._watch.names
        if self._group_of is None or len(self._group_of) != len(names):
            numbers: dict[str, int] = {}
            self._group_of = np.array(
                [numbers.setdefault(self._township(name), len(numbers)) for name in names], np.int32
            )
            self._townships = list(numbers)
        return self._group_of

    def _township(self, name: str) -> str:
        series = self._series.get(name)
        return NO_AREA if series is None else township_of(series.area)
