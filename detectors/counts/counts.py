"""Tickets and reports counted per place, category and period, against what the place's own past lets expect.

Buckets of two hours are kept for four weeks. The belief about a cell's rate is a pure function of the buckets that lie a
whole lateness bound before the period: nothing that may still arrive can change them, so the order of arrival makes no
difference, and an outbreak does not teach its own first day to be usual. A village is shrunk to its township, a township to
the county as far as this partition sees it, and the hour of day counts by a rhythm learned per county.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from msgspec import structs

from detectors.counts.cells import (
    BUCKET,
    BUCKETS_PER_DAY,
    DISCOUNT,
    Cells,
    Key,
    bucket_of,
    rhythm_of,
    seconds_of,
)
from detectors.counts.rate import belief, rarity_of
from domain.areas import AreaLevel, county_of, up_to
from domain.clock import EPOCH
from domain.findings import Finding, FindingState, SubjectKind
from domain.identity import finding_id
from domain.levels import Feed

DETECTOR_VERSION = 1
WINDOWS = {"2h": 1, "12h": 6}
"""Periods by their number of buckets; they begin at multiples of their length, local midnight being one."""
LEVELS = (AreaLevel.TOWNSHIP, AreaLevel.VILLAGE)
OPENS_AT = 4.0
LEAST = 4
"""Tickets below which nothing is an event, however rare: a new cell must not fire on its second."""
WARM_BUCKETS = 9
"""Past buckets that a county must have behind the guard band before anything is said."""
PRIOR_SHAPE = 0.5
"""So little is a share of the level above worth that four calls at once, early on, may still be chance."""
LEAST_SIBLINGS = 8
LEAST_RATE = 0.002
"""Tickets per bucket and cell that are always expected: one in forty days."""
MOST_INPUTS = 20


@dataclass(slots=True)
class _Open:
    """A finding that was said and not yet cleared."""

    finding: Finding
    until: int


_Held = tuple[list[tuple[Finding, int]], dict[str, datetime]]


class Counts:
    """Counts what is observed; one for the partition of a feed or of several."""

    def __init__(self, lateness_seconds: float = 86_400.0) -> None:
        """Start empty; what is older than the bound behind the county's newest ticket is late and not counted."""
        self._guard = -(-int(lateness_seconds) // BUCKET)
        self._lateness = timedelta(seconds=lateness_seconds)
        self.cells = Cells(remembered_days=7 + -(-int(lateness_seconds) // 86_400))
        self._open: dict[UUID, _Open] = {}
        self._newest: dict[str, datetime] = {}

    def observe(
        self,
        input_id: UUID,
        area: str,
        category: str,
        feed: Feed,
        observed_at: datetime,
        received_at: datetime,
    ) -> list[Finding]:
        """Count one ticket or report and say what that changes; the same id again, or a late one, says nothing."""
        county = county_of(area)
        newest = self._newest.get(county)
        if newest is not None and observed_at < newest - self._lateness:
            return []
        if not self.cells.remember(input_id, observed_at):
            return []
        self._newest[county] = max(newest, observed_at) if newest else observed_at
        bucket = bucket_of(observed_at)
        self.cells.count(Key(county, category, feed), bucket, input_id)
        findings = []
        for level in LEVELS:
            if len(area) < level:
                continue
            key = Key(up_to(area, level), category, feed)
            self.cells.count(key, bucket, input_id)
            for window, length in WINDOWS.items():
                begin = bucket // length * length
                finding = self._judge(key, window, begin, observed_at, received_at)
                if finding is not None:
                    findings.append(finding)
        return [*findings, *self._clear(county, received_at)]

    def advance(self, watermark: datetime, received_at: datetime) -> list[Finding]:
        """Let time pass in all counties that were seen, and clear what is over."""
        found = []
        for county, newest in list(self._newest.items()):
            self._newest[county] = max(newest, watermark)
            found.extend(self._clear(county, received_at))
        return found

    def expectation(self, key: Key, begin: int, length: int) -> tuple[float, float] | None:
        """Tell the mean and the shape expected of a cell in a period, None while too little is known."""
        before = begin - self._guard
        county = Key(county_of(key.area), key.category, key.feed)
        first = self.cells.first(county.area)
        if first is None or before - first < WARM_BUCKETS:
            return None
        rhythm = rhythm_of(self.cells.past(county, before))
        exposure = sum(
            DISCOUNT ** (before - 1 - bucket) * rhythm[bucket % BUCKETS_PER_DAY]
            for bucket in range(max(first, before - self.cells.kept), before)
        )
        mean, shape = self._rate(key, before, exposure)
        window = sum(rhythm[bucket % BUCKETS_PER_DAY] for bucket in range(begin, begin + length))
        return mean * window, shape

    def _rate(self, key: Key, before: int, exposure: float) -> tuple[float, float]:
        """Believe in a rate per bucket, shrunk to an even share of the level above."""
        counted = sum(
            DISCOUNT ** (before - 1 - bucket) * number for bucket, number in self.cells.past(key, before)
        )
        if len(key.area) <= AreaLevel.COUNTY:
            return belief(counted, exposure, LEAST_RATE * LEAST_SIBLINGS, PRIOR_SHAPE)
        parent = AreaLevel.COUNTY if len(key.area) == AreaLevel.TOWNSHIP else AreaLevel.TOWNSHIP
        above, _ = self._rate(key._replace(area=up_to(key.area, parent)), before, exposure)
        siblings = max(self.cells.children(up_to(key.area, parent), len(key.area)), LEAST_SIBLINGS)
        return belief(counted, exposure, max(above / siblings, LEAST_RATE), PRIOR_SHAPE)

    def _judge(
        self, key: Key, window: str, begin: int, observed_at: datetime, received_at: datetime
    ) -> Finding | None:
        """Say something when a period's count is rare, and again at each further order of magnitude."""
        length = WINDOWS[window]
        count, inputs = self.cells.counted(key, begin, length)
        if count < LEAST:
            return None
        expected = self.expectation(key, begin, length)
        if expected is None:
            return None
        rarity = rarity_of(count, *expected)
        if rarity < OPENS_AT:
            return None
        start = _time(begin)
        detector = f"counts-{window}"
        name = finding_id(detector, DETECTOR_VERSION, f"{key.area}/{key.category}/{key.feed}", start)
        said = self._open.get(name)
        if said is not None and int(rarity) <= int(_rarity(said.finding)):
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
            observed_at=observed_at,
            received_at=received_at,
            period_start=start,
            period_end=_time(begin + length),
            observed=float(count),
            expected=expected[0],
            unit="件",
            p_value=10.0**-rarity,
            inputs=tuple(inputs[:MOST_INPUTS]),
        )
        newest = bucket_of(self._newest[county_of(key.area)])
        until = begin + 2 * length  # one period after its own
        if newest >= until:  # it came so late that it would be over before anybody saw it
            until = newest + length
        self._open[name] = _Open(finding, max(until, said.until if said else 0))
        return finding

    def _clear(self, county: str, received_at: datetime) -> list[Finding]:
        """Clear what is over at the county's newest time; a later period that is rare has a finding of its own."""
        newest = self._newest[county]
        now = bucket_of(newest)
        over = [
            name
            for name, held in self._open.items()
            if held.until <= now and county_of(held.finding.area) == county
        ]
        return [
            structs.replace(
                self._open.pop(name).finding,
                state=FindingState.CLEARED,
                observed_at=newest,
                received_at=received_at,
            )
            for name in over
        ]

    def open_findings(self) -> list[Finding]:
        """List what was said and not cleared."""
        return [held.finding for held in self._open.values()]

    def dump(self) -> dict[str, bytes]:
        """Write everything as named pieces."""
        held = [(held.finding, held.until) for held in self._open.values()]
        return {**self.cells.dump(), "open": msgspec.msgpack.encode((held, self._newest))}

    def restore(self, pieces: dict[str, bytes]) -> None:
        """Take up all written pieces; InvalidInput or ValueError (msgspec's) when they are of another form."""
        self.cells.restore(pieces)
        if "open" in pieces:
            held, self._newest = msgspec.msgpack.decode(pieces["open"], type=_Held)
            self._open = {finding.id: _Open(finding, until) for finding, until in held}


def _time(bucket: int) -> datetime:
    return EPOCH + timedelta(seconds=seconds_of(bucket))


def _rarity(finding: Finding) -> float:
    return -math.log10(finding.p_value or 1.0)
