"""When a series spoke, how rare that was and until when: what neighbours remember of findings, by county."""

import math
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

from detectors.fusion.travel import Travel
from domain.findings import Finding, FindingState, SubjectKind
from domain.levels import Feed

VERSION = 1
REMEMBERED = timedelta(hours=48)
"""How long before the county's newest finding a mark counts that is over: water that takes longer is another event."""
TIDIED_EVERY = timedelta(hours=1)
"""Of event time: to look through all marks at each finding would take longer than all else."""
MOST_MARKS = 6
"""Kept of each series, the newest: a flapping device must not fill the memory."""
MOST_SERIES = 20_000
"""Kept of each county; beyond, the series whose newest mark is the oldest is forgotten."""
LIMIT_RARITY = 4.0
"""A broken limit says nothing of how rare it is: it counts as much as the weakest finding that is told."""
HIGHEST_RARITY = 9.0
"""Beyond one in a billion the tail of a model is fiction: more is not believed of one station."""
DEVICE_FAULTS = frozenset({"stuck", "silent", "range", "rate", "unit"})


class Mark(Struct):
    """One finding of a series, in its newest word. `rarity` is −log10 of the smallest p-value told."""

    id: UUID
    category: str
    above: bool
    begin: datetime
    rarity: float
    weak: bool
    restricted: bool
    seen_at: datetime
    received_at: datetime
    open: bool
    observed: float | None
    expected: float | None
    inputs: tuple[UUID, ...] = ()

    def overlaps(self, begin: datetime, end: datetime) -> bool:
        """Say whether it held at any time from `begin` to `end`."""
        return self.begin <= end and (self.open or self.seen_at >= begin)


class Told(Struct):
    """A finding that was told of a river, and, by the last station alone, how far and how long what it tells of went."""

    river: str
    category: str
    finding: Finding
    metres: float = 0.0
    seconds: float = 0.0


class Fault(Struct, array_like=True):
    """A device's fault: the newest word on it."""

    id: UUID
    seen_at: datetime
    received_at: datetime
    open: bool


class County(Struct):
    """What is remembered of one county: a piece of what is dumped."""

    version: int = VERSION
    newest: datetime | None = None
    tidied: datetime | None = None
    marks: dict[str, list[Mark]] = {}
    faults: dict[str, list[Fault]] = {}
    told: dict[UUID, Told] = {}
    travels: dict[str, Travel] = {}

    def note(self, finding: Finding) -> bool:
        """Take in a finding of a series; False when it is none, or an old word that changes nothing."""
        if finding.subject_kind is not SubjectKind.SERIES or finding.feed is not Feed.READINGS:
            return False
        self.newest = max(finding.observed_at, self.newest or finding.observed_at)
        if finding.detector in DEVICE_FAULTS:
            return self._note_fault(finding)
        if finding.p_value is None and finding.limit is None:
            return False
        marks = self.marks.setdefault(finding.subject, [])
        known = next((mark for mark in marks if mark.id == finding.id), None)
        if known is None:
            if finding.observed_at < self.newest - REMEMBERED and finding.state is FindingState.CLEARED:
                if not marks:
                    del self.marks[finding.subject]
                return False
            marks.append(_mark(finding))
            marks.sort(key=lambda mark: (mark.begin, mark.id))
            del marks[:-MOST_MARKS]
            self._bound()
            return any(mark.id == finding.id for mark in marks)
        return _hear(known, finding)

    def is_well(self, series: str) -> bool:
        """Say whether no fault of the device is open: one that fell silent or sticks cannot see that nothing happens."""
        return not any(fault.open for fault in self.faults.get(series, ()))

    def forget(self) -> list[Told]:
        """Drop what is over for long, once in a while, and hand out what was told of it."""
        if self.newest is None or (self.tidied is not None and self.newest - self.tidied < TIDIED_EVERY):
            return []
        self.tidied = self.newest
        before = self.newest - REMEMBERED
        for name in list(self.marks):
            kept = [mark for mark in self.marks[name] if mark.open or mark.seen_at >= before]
            if kept:
                self.marks[name] = kept
            else:
                del self.marks[name]
        for name in list(self.faults):
            still = [fault for fault in self.faults[name] if fault.open or fault.seen_at >= before]
            if still:
                self.faults[name] = still
            else:
                del self.faults[name]
        gone = [
            name
            for name, told in self.told.items()
            if told.finding.state is FindingState.CLEARED and told.finding.observed_at < before
        ]
        return [self.told.pop(name) for name in sorted(gone)]

    def _note_fault(self, finding: Finding) -> bool:
        faults = self.faults.setdefault(finding.subject, [])
        word = Fault(
            finding.id,
            finding.observed_at,
            finding.received_at,
            finding.state is FindingState.CONFIRMED,
        )
        known = next((fault for fault in faults if fault.id == word.id), None)
        if known is not None:
            if (word.seen_at, word.received_at, not word.open) <= (
                known.seen_at,
                known.received_at,
                not known.open,
            ):
                return False
            faults.remove(known)
        faults.append(word)
        faults.sort(key=lambda fault: (fault.seen_at, fault.id))
        del faults[:-MOST_MARKS]
        return True

    def _bound(self) -> None:
        if len(self.marks) > MOST_SERIES:
            del self.marks[min(self.marks, key=lambda name: (self.marks[name][-1].begin, name))]


def rarity_of(finding: Finding) -> float:
    """Tell −log10 of a finding's p-value, as far as it is believed."""
    if finding.p_value is None or not math.isfinite(finding.p_value):
        return LIMIT_RARITY
    return min(HIGHEST_RARITY, -math.log10(min(1.0, max(finding.p_value, 1e-300))))


def _mark(finding: Finding) -> Mark:
    return Mark(
        id=finding.id,
        category=finding.category,
        above=finding.direction == "above",
        begin=finding.period_start,
        rarity=rarity_of(finding),
        weak=finding.weak,
        restricted=finding.restricted,
        seen_at=finding.observed_at,
        received_at=finding.received_at,
        open=finding.state is FindingState.CONFIRMED,
        observed=finding.observed,
        expected=finding.expected,
        inputs=finding.inputs[:1],
    )


def _hear(mark: Mark, finding: Finding) -> bool:
    """Take up another word on a known finding: of state the newest counts, of rarity the greatest, in any order."""
    changed = False
    if finding.p_value is not None and rarity_of(finding) > mark.rarity:
        mark.rarity, changed = rarity_of(finding), True
    if mark.weak and not finding.weak:
        mark.weak, changed = False, True
    if finding.restricted and not mark.restricted:
        mark.restricted, changed = True, True
    is_open = finding.state is FindingState.CONFIRMED
    if (finding.observed_at, finding.received_at, not is_open) > (
        mark.seen_at,
        mark.received_at,
        not mark.open,
    ):
        mark.seen_at, mark.received_at, mark.open = finding.observed_at, finding.received_at, is_open
        mark.observed, mark.expected, mark.inputs = finding.observed, finding.expected, finding.inputs[:1]
        mark.category = finding.category
        changed = True
    return changed
