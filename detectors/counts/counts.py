"""Tickets and reports counted per place, category and period, against what is usual there.

Buckets of two hours are kept for four weeks; two hours, half days and days are judged as they fill, by an expectation
that nothing can change any more which may still arrive (usual.py). How rare a count is, is the tail of a negative binomial.
"""

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID

import msgspec

from detectors.counts.cells import (
    Cells,
    Key,
    bucket_of,
    time_of,
)
from detectors.counts.ledger import Heard, Ledger, end_over
from detectors.counts.rate import rarity_of
from detectors.counts.usual import Usual
from domain.areas import AreaLevel, county_of, up_to
from domain.findings import Finding, FindingState, SubjectKind
from domain.identity import finding_id
from domain.levels import Feed

DETECTOR_VERSION = 2
WINDOWS = {"counts-2h": 1, "counts-12h": 6, "glm-day": 12}
"""Detectors by their number of buckets; periods begin at multiples of their length, local midnight being one."""
LEVELS = (AreaLevel.TOWNSHIP, AreaLevel.VILLAGE)
OPENS_AT = 4.0
LEAST = 4
"""Tickets below which nothing is an event, however rare: a new cell must not fire on its second."""
OPEN = "open"
"""The piece that holds what was said and not cleared."""


Behind = Callable[[str, str, Feed, int, int], tuple[str, ...]]
"""Tells the terms behind a count of an area, category and feed in so many buckets from one on."""


def nothing(area: str, category: str, feed: Feed, begin: int, length: int) -> tuple[str, ...]:
    """Tell nothing of what stood behind a count."""
    return ()


class Counts:
    """Counts what is observed; one for the partition of a feed or of several."""

    def __init__(self, ledger: Ledger, behind: Behind = nothing) -> None:
        """Take the ledger that admits what is observed here, and whoever tells what stood behind a count."""
        self._ledger = ledger
        self._behind = behind
        self.cells = Cells()
        self.usual = Usual(ledger, self.cells)
        self._open: dict[UUID, tuple[Finding, int]] = {}

    def observe(self, heard: Heard) -> list[Finding]:
        """Count a ticket or report that was admitted, and say what that changes."""
        county, area = county_of(heard.area), heard.area
        bucket = bucket_of(heard.observed_at)
        self.cells.count(Key(county, heard.category, heard.feed), bucket, heard.id)
        self.usual.lags.count(heard)
        self.usual.learn(county)
        findings = []
        for level in LEVELS:
            if len(area) < level:
                continue
            key = Key(up_to(area, level), heard.category, heard.feed)
            self.cells.count(key, bucket, heard.id)
            for detector, length in WINDOWS.items():
                finding = self._judge(key, detector, bucket // length * length, heard)
                if finding is not None:
                    findings.append(finding)
        return [*findings, *self.clear(county, heard.received_at)]

    def _judge(self, key: Key, detector: str, begin: int, heard: Heard) -> Finding | None:
        """Say something when a period's count is rare, and again at each further order of magnitude."""
        length = WINDOWS[detector]
        count = self.cells.counted(key, begin, length)
        if count < LEAST:
            return None
        expected = self.usual.expect(key, begin, length, heard.received_at)
        if expected is None:
            return None
        rarity = rarity_of(count, *expected)
        if rarity < OPENS_AT:
            return None
        start = time_of(begin)
        name = finding_id(detector, DETECTOR_VERSION, f"{key.area}/{key.category}/{key.feed}", start)
        said = self._open.get(name)
        if said is not None and int(rarity) <= int(_rarity(said[0])):
            return None
        finding = Finding(
            id=name,
            detector=detector,
            detector_version=DETECTOR_VERSION,
            category=key.category,
            subject_kind=SubjectKind.CELL,
            subject=key.area,
            area=key.area,
            feed=key.feed,
            state=FindingState.CONFIRMED,
            observed_at=heard.observed_at,
            received_at=heard.received_at,
            period_start=start,
            period_end=time_of(begin + length),
            observed=float(count),
            expected=expected[0],
            unit="件",
            p_value=10.0**-rarity,
            inputs=tuple(self.cells.inputs(key, begin, length)),
            terms=self._behind(key.area, key.category, key.feed, begin, length),
        )
        newest = bucket_of(self._ledger.newest(county_of(key.area)))
        until = begin + 2 * length  # one period after its own
        if newest >= until:  # it came so late that it would be over before anybody saw it
            until = newest + length
        self._open[name] = finding, max(until, said[1] if said else 0)
        return finding

    def clear(self, county: str, received_at: datetime) -> list[Finding]:
        """Clear what is over at the county's newest time; a later period that is rare has a finding of its own."""
        return end_over(self._open, county, self._ledger.newest(county), received_at)

    def open_findings(self) -> list[Finding]:
        """List what was said and not cleared."""
        return [finding for finding, _ in self._open.values()]

    def dump(self) -> dict[str, bytes]:
        """Write the pieces that changed since the last dump."""
        held = list(self._open.values())
        return {**self.cells.dump(), **self.usual.dump(), OPEN: msgspec.msgpack.encode(held)}

    def restore(self, pieces: Mapping[str, bytes]) -> None:
        """Take up its own among written pieces; InvalidInput or ValueError (msgspec's) when they are of another form."""
        self.cells.restore(pieces)
        self.usual.restore(pieces)
        if OPEN in pieces:
            held = msgspec.msgpack.decode(pieces[OPEN], type=list[tuple[Finding, int]])
            self._open = {finding.id: (finding, until) for finding, until in held}


def _rarity(finding: Finding) -> float:
    return -math.log10(finding.p_value or 1.0)
