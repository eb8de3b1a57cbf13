"""The space-time scan over what is heard: near grid cells of townships pooled, tickets and reports as two streams.

For each county and scanned category one scan (scan.py) of the cells that the registry knows in the townships of this
partition. A cell's expectation is its township's (usual.py) times the share that it has shown, from an even one on. A
finding is said once for each township, category and day, and again at each further order of magnitude. Its words are those
of the zone. A ticket that names no cell, only its village, is in no zone.

Beliefs rest only on days that nothing can be counted for any more. Input that comes a day late is counted in the windows
that end today, so that on disordered input the day of a finding may differ, what is learned does not.
"""

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from uuid import UUID

import msgspec

from detectors.counts.cells import BUCKETS_PER_DAY, NAMED_INPUTS, Cells, Key, bucket_of, day_of, start_of
from detectors.counts.ledger import Heard, Ledger, end_over
from detectors.counts.scan import Found, Scan
from detectors.counts.usual import Usual
from detectors.counts.zones import Place, Zones, zones_of
from domain.areas import AreaLevel, county_of, township_of, up_to
from domain.errors import Fault, InvalidInput
from domain.findings import Finding, FindingState, SubjectKind
from domain.identity import finding_id
from domain.levels import Feed

DETECTOR, DETECTOR_VERSION = "scan", 1
VERSION = 1
PREFIX, OPEN = "scan/", "scan"
FEEDS = (Feed.TICKETS, Feed.REPORTS)
OPENS_AT = 4.0
LEAST = 4
"""Texts below which no zone is a cluster, as with counts."""
LEAST_P = 1e-30
KEPT_DAYS = 8
"""Days that a scan keeps at least: what was skipped before is not made up for."""
MOST_PLACES = 20

CellsOf = Callable[[str], Mapping[str, Place | None]]
"""Tells the cells of a township by code, with latitude and longitude where they are known."""
Behind = Callable[[str, str, Feed, int, int], tuple[str, ...]]
_Written = tuple[int, list[tuple[Finding, int]]]


def no_cells(township: str) -> Mapping[str, Place | None]:
    """Know no cells: nothing is scanned."""
    return {}


@dataclass(slots=True)
class _County:
    """The zones of a county and its scans by category, all of the same day."""

    cells: dict[str, Place | None]
    zones: Zones
    day: int
    scans: dict[str, Scan]


class Clusters:
    """Scans what is heard for clusters over neighbouring cells; one for a partition."""

    def __init__(
        self,
        ledger: Ledger,
        cells: Cells,
        usual: Usual,
        categories: Collection[str],
        cells_of: CellsOf,
        behind: Behind,
    ) -> None:
        """Take what is counted and usual, the categories to scan, the registry's cells, and who knows the words."""
        self._ledger = ledger
        self._cells = cells
        self._usual = usual
        self._categories = frozenset(categories)
        self._cells_of = cells_of
        self._behind = behind
        self._counties: dict[str, _County] = {}
        self._written: dict[str, dict[str, dict[str, bytes]]] = {}
        self._open: dict[UUID, tuple[Finding, int]] = {}

    def observe(self, heard: Heard) -> list[Finding]:
        """Count a text that was admitted and counted (`Counts.observe`), and say what its township's scan makes of it."""
        county, township = county_of(heard.area), township_of(heard.area)
        known = self._go_on(county)
        found: list[Finding] = []
        if known is not None and heard.category in self._categories:
            cell = next((code for code in _codes(heard.area) if code in known.cells), None)
            scan = self._scan(known, heard.category)
            stream = FEEDS.index(heard.feed)
            if cell is not None and len(cell) > AreaLevel.VILLAGE:  # villages are counted already
                self._cells.count(
                    Key(cell, heard.category, heard.feed), bucket_of(heard.observed_at), heard.id
                )
            if cell is not None and scan.count(cell, day_of(heard.observed_at), stream=stream):
                found = self._judge(scan, heard, township, known.day)
        return [*found, *self.clear(county, heard.received_at)]

    def clear(self, county: str, received_at: datetime) -> list[Finding]:
        """Clear what is over at the county's time."""
        return end_over(self._open, county, self._ledger.newest(county), received_at)

    def open_findings(self) -> list[Finding]:
        """List what was said and not cleared."""
        return [finding for finding, _ in self._open.values()]

    def dump(self) -> dict[str, bytes]:
        """Write the pieces that changed since the last dump: a township and category each."""
        own: _Written = (VERSION, list(self._open.values()))
        return {
            f"{PREFIX}{category}/{township}": piece
            for known in self._counties.values()
            for category, scan in known.scans.items()
            for township, piece in scan.dump().items()
        } | {OPEN: msgspec.msgpack.encode(own)}

    def restore(self, pieces: Mapping[str, bytes]) -> None:
        """Take up its own among written pieces; a county's scans are made again when something is heard of it.

        InvalidInput or ValueError (msgspec's) when the findings are of another form.
        """
        for name, piece in pieces.items():
            if name.startswith(PREFIX):
                _, category, township = name.split("/")
                self._written.setdefault(county_of(township), {}).setdefault(category, {})[township] = piece
        if OPEN in pieces:
            version, held = msgspec.msgpack.decode(pieces[OPEN], type=_Written)
            if version != VERSION:
                raise InvalidInput([Fault("version", f"{version} is not {VERSION}")])
            self._open = {finding.id: (finding, until) for finding, until in held}

    def _go_on(self, county: str) -> _County | None:
        """Bring a county's scans to its day; None where the registry knows no cells, or too little was heard."""
        day = day_of(self._ledger.newest(county))
        known = self._counties.get(county)
        if known is None:
            written = self._written.pop(county, {})
            townships = {township for pieces in written.values() for township in pieces}
            cells = self._cells_in(sorted(townships) or self._usual.townships(county))
            if not cells:
                return None
            known = self._counties[county] = _County(cells, _zones_of(cells), day, {})
            for category, pieces in written.items():
                scan = known.scans[category] = self._make(known.zones)
                scan.restore(pieces)
                known.day = scan.now or day
        if day <= known.day:
            return known
        for category, scan in known.scans.items():
            for each in range(max(known.day + 1, day - KEPT_DAYS), day + 1):
                scan.advance(each)
                self._expect(scan, category, each, day)
        known.day = day
        cells = self._cells_in(self._usual.townships(county))
        if cells != known.cells:
            self._rebuild(known, cells)
        return known

    def _rebuild(self, known: _County, cells: dict[str, Place | None]) -> None:
        """Scan other cells than before, with what is known of those that stay; others are expected from today on."""
        known.cells, known.zones = cells, _zones_of(cells)
        for category, old in known.scans.items():
            old.advance(known.day)  # so that all of it is written
            scan = known.scans[category] = self._make(known.zones)
            scan.restore(old.dump())
            scan.advance(known.day)
            self._expect(scan, category, known.day, known.day)

    def _scan(self, known: _County, category: str) -> Scan:
        scan = known.scans.get(category)
        if scan is None:
            scan = known.scans[category] = self._make(known.zones)
            scan.advance(known.day)
            self._expect(scan, category, known.day, known.day)
        return scan

    def _make(self, zones: Zones) -> Scan:
        return Scan(zones, streams=len(FEEDS), lag=self._ledger.guard_days, least=LEAST)

    def _expect(self, scan: Scan, category: str, day: int, today: int) -> None:
        """Tell a scan what is expected of its cells on a day; of one that was skipped, what is expected today."""
        for stream, feed in enumerate(FEEDS):
            means: list[float] = []
            shapes: list[float] = []
            for _, cells in groupby(scan.zones.cells, township_of):  # sorted by code
                parts = list(cells)
                found = self._usual.expect_parts(parts, category, feed, day)
                found = found or self._usual.expect_parts(parts, category, feed, today)
                if found is None:
                    return
                means += found[0]
                shapes += found[1]
            scan.expect(day, means, shapes, stream=stream)

    def _cells_in(self, townships: list[str]) -> dict[str, Place | None]:
        return {code: place for township in townships for code, place in self._cells_of(township).items()}

    def _judge(self, scan: Scan, heard: Heard, township: str, day: int) -> list[Finding]:
        rarity = -math.log10(max(scan.p_value(township), LEAST_P))
        if rarity < OPENS_AT:
            return []
        start = start_of(day)
        name = finding_id(DETECTOR, DETECTOR_VERSION, f"{township}/{heard.category}", start)
        said = self._open.get(name)
        if said is not None and int(rarity) <= int(-math.log10(said[0].p_value or 1.0)):
            return []
        zone = next(one for one in scan.best([township]) if one.group == township)
        finding = self._tell(zone, heard, name, rarity)
        newest = bucket_of(self._ledger.newest(county_of(township)))
        until = (day + 2) * BUCKETS_PER_DAY
        self._open[name] = finding, until if newest < until else newest + BUCKETS_PER_DAY
        return [finding]

    def _tell(self, zone: Found, heard: Heard, name: UUID, rarity: float) -> Finding:
        begin, length = zone.first * BUCKETS_PER_DAY, (zone.last + 1 - zone.first) * BUCKETS_PER_DAY
        area = _common(zone.cells)
        feeds = {
            feed: sum(
                self._cells.counted(Key(cell, heard.category, feed), begin, length) for cell in zone.cells
            )
            for feed in FEEDS
        }
        feed = max(FEEDS, key=lambda one: feeds[one])
        inputs = [
            one
            for cell in zone.cells
            for each in FEEDS
            for one in self._cells.inputs(Key(cell, heard.category, each), begin, length)
        ]
        return Finding(
            id=name,
            detector=DETECTOR,
            detector_version=DETECTOR_VERSION,
            category=heard.category,
            subject_kind=SubjectKind.ZONE,
            subject=area,
            area=area,
            feed=feed,
            state=FindingState.CONFIRMED,
            observed_at=heard.observed_at,
            received_at=heard.received_at,
            period_start=start_of(zone.first),
            period_end=start_of(zone.last + 1),
            observed=float(zone.observed),
            expected=zone.expected,
            unit="件",
            p_value=10.0**-rarity,
            inputs=tuple(dict.fromkeys(inputs))[:NAMED_INPUTS],
            places=zone.cells[:MOST_PLACES],
            terms=self._behind(area, heard.category, feed, begin, length),
        )


def _codes(area: str) -> list[str]:
    """List the codes that may stand for an area among a township's cells: its own, and its village's."""
    return [area, *([up_to(area, AreaLevel.VILLAGE)] if len(area) > AreaLevel.VILLAGE else [])]


def _zones_of(cells: Mapping[str, Place | None]) -> Zones:
    return zones_of(cells, {code: place for code, place in cells.items() if place is not None})


def _common(cells: tuple[str, ...]) -> str:
    """Name the smallest area that holds all cells; of cells on both sides of a border, the township that tells most."""
    for level in (AreaLevel.GRID, AreaLevel.VILLAGE):
        if len({up_to(cell, level) for cell in cells}) == 1:
            return up_to(cells[0], level)
    return township_of(cells[0])
