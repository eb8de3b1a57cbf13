"""Series by name: what the registry knows of them, their bank, and its words as findings."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.series.bank import BLOCK, Bank, Records, specification, unknown
from detectors.series.fold import OPENS_AT
from detectors.series.state import VERSION, Change, Code
from detectors.series.units import has_sister
from domain.clock import EPOCH
from domain.decode import NOT_JSON
from domain.errors import Fault, InvalidInput
from domain.findings import BrokenLimit, Finding, FindingState, LateReading, SubjectKind
from domain.identity import finding_id, reading_id
from domain.levels import Feed
from domain.registry import Series
from domain.rollups import pack_rollups

DETECTOR_VERSION = 1
"""Stands in every finding's id; raise it when a detector means something else by the same reading."""
FAULT_CATEGORY = "equipment-fault"
GUARDS = {
    Code.RANGE: "range",
    Code.RATE: "rate",
    Code.UNIT: "unit",
    Code.STUCK: "stuck",
    Code.SILENT: "silent",
}
UNKNOWN = unknown()
REMEMBERED_NAMES = 100_000
"""Of all packs together, each pack's own: 10 MB."""
AHEAD_MICROSECONDS = 86_400_000_000
"""A time so far beyond all that was observed and received is no watermark: one wrong clock would make all others silent."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What a pack of readings led to."""

    findings: list[Finding]
    late: list[LateReading]
    repeated: int


class _Block(msgspec.Struct, frozen=True, array_like=True):
    """A dumped block: its version, the names of its series by slot, their states as bytes."""

    version: int
    names: list[str]
    states: bytes


class SeriesWatch:
    """Watches the series of one partition. Call order and arguments decide everything; it has no clock."""

    def __init__(self, parameters: Iterable[Series] = (), lateness_seconds: float = 600.0) -> None:
        """Know the given series; later than the bound behind the series' newest reading is late."""
        self._bank = Bank(lateness_seconds)
        self._series: dict[str, Series] = {}
        self._slots: dict[str, int] = {}
        self._names: list[str] = []
        self._packs: dict[tuple[str, ...], NDArray[np.int32]] = {}
        self._remembered = 0
        self._newest = 0
        for series in parameters:
            self.know(series)

    @property
    def newest_observed(self) -> int:
        """Tell the partition's watermark: the newest observed time (µs) of all readings, as far as it is believed."""
        return self._newest

    def know(self, series: Series) -> list[Finding]:
        """Take a series into account from now on, new or changed; cheap until it has a reading.

        When its category, area, unit or limits change, what was said of it is cleared, and said anew if it still holds. In
        another unit it is learned anew.
        """
        before, slot = self._series.get(series.id), self._slots.get(series.id)
        findings = []
        if slot is not None:
            if before is not None and _meaning(before) != _meaning(series):
                findings = self._findings(self._bank.retract(slot))
                if before.unit != series.unit:
                    self._bank.relearn(slot)
            self._bank.specify(slot, _specification(series))
        self._series[series.id] = series
        return findings

    def forget(self, name: str) -> list[Finding]:
        """Clear and say nothing more of a series that left the registry; its roll-ups go on if it does."""
        slot, findings = self._slots.get(name), []
        if slot is not None and name in self._series:
            findings = self._findings(self._bank.retract(slot))
            self._bank.specify(slot, UNKNOWN)
        self._series.pop(name, None)
        return findings

    def observe(
        self,
        names: list[str],
        index: NDArray[np.int32],
        observed: NDArray[np.int64],
        values: NDArray[np.float64],
        quality: NDArray[np.uint8],
        received: int,
    ) -> Observed:
        """Take in a pack of readings (columns as in `ReadingPack`) in their order of arrival."""
        if len(index) == 0:
            return Observed([], [], 0)
        slots = self._slots_of(names)[index]
        outcome = self._bank.update(slots, observed, values, quality, received)
        newest, bound = int(observed.max()), max(self._newest, received) + AHEAD_MICROSECONDS
        if newest > bound:
            newest = int(observed[observed <= bound].max(initial=0))
        self._newest = max(self._newest, newest)
        late = [
            LateReading(
                series=names[index[at]],
                observed_at=_time(int(observed[at])),
                value=float(values[at]),
                quality=int(quality[at]),
            )
            for at in outcome.late.tolist()
        ]
        return Observed(self._findings(outcome.transitions), late, outcome.repeated)

    def silent(self, watermark: int, received: int | None = None) -> list[Finding]:
        """Find the known series that have gone silent at a watermark (µs), usually `newest_observed`."""
        return self._findings(self._bank.silent(watermark, received))

    @property
    def names(self) -> list[str]:
        """Name the series by slot; grows, and is not to be written to."""
        return self._names

    def take_rollups(self) -> Records:
        """Take the minutes touched since the last call as rows by slot (see `state.ROLLUP`)."""
        return self._bank.take_rollups()

    def pack(self, rows: Records, late: list[LateReading]) -> bytes:
        """Put rows and late readings into packed columns that leave this process (see `domain/rollups.py`)."""
        slots, series = np.unique(rows["slot"], return_inverse=True)
        return pack_rollups([self._names[slot] for slot in slots.tolist()], series, rows, late)

    def dump(self) -> dict[int, bytes]:
        """Write the blocks changed since the last dump, each below 256 KiB; ValueError before `take_rollups` was called."""
        return {
            number: msgspec.msgpack.encode(
                _Block(
                    version=VERSION, names=self._names[number * BLOCK : (number + 1) * BLOCK], states=states
                )
            )
            for number, states in self._bank.dump().items()
        }

    def restore(self, blocks: dict[int, bytes]) -> None:
        """Put all dumped blocks back into a watch that has seen nothing yet; InvalidInput when they do not fit."""
        if self._names:
            raise ValueError("only a fresh watch can be restored")
        for number in range(len(blocks)):
            try:
                block = msgspec.msgpack.decode(blocks[number], type=_Block)
            except KeyError as error:
                raise InvalidInput(
                    [Fault("blocks", f"number {number} of {len(blocks)} is missing")]
                ) from error
            except NOT_JSON as error:
                raise InvalidInput([Fault("blocks", f"number {number} is no block: {error}")]) from error
            if block.version != VERSION:
                raise InvalidInput([Fault("blocks", _other_version(block.version))])
            self._make_slots(block.names)
            self._bank.restore(number, block.states)
        self._newest = self._bank.newest()

    def _slots_of(self, names: list[str]) -> NDArray[np.int32]:
        """Look a pack's names up at once; a gateway sends the same ones again and again."""
        key = tuple(names)
        slots = self._packs.get(key)
        if slots is None:
            self._make_slots(names)
            slots = np.array([self._slots[name] for name in names], np.int32)
            self._remembered += len(names)
            if self._remembered > REMEMBERED_NAMES:
                self._packs.clear()
                self._remembered = len(names)
            self._packs[key] = slots
        return slots

    def _make_slots(self, names: list[str]) -> None:
        """Give a slot to each name that has none."""
        fresh = [name for name in dict.fromkeys(names) if name not in self._slots]
        if not fresh:
            return
        known = map(self._series.get, fresh)
        first = self._bank.extend([UNKNOWN if one is None else _specification(one) for one in known])
        self._slots.update(zip(fresh, range(first, first + len(fresh)), strict=True))
        self._names += fresh

    def _findings(self, transitions: Records) -> list[Finding]:
        return [self._finding(row) for row in transitions if self._names[row["slot"]] in self._series]

    def _finding(self, row: np.void) -> Finding:
        series = self._series[self._names[row["slot"]]]
        code, begin, rarity = int(row["code"]), _time(int(row["period_start"])), float(row["rarity"])
        limit: BrokenLimit | None = None
        category, direction = series.category, "above" if row["direction"] > 0 else "below"
        if code in GUARDS:
            detector, category = GUARDS[Code(code)], FAULT_CATEGORY
        elif code == Code.LEARNED:
            detector = "innovation"
        else:
            broken = series.limits[code - Code.LIMIT]
            detector, direction = f"limit-{code - Code.LIMIT + 1}", broken.direction
            limit = BrokenLimit(level=broken.level, value=broken.value, basis=broken.basis)
        observed_at = _time(int(row["observed_at"]))
        cleared = row["state"] == Change.CLEARED
        return Finding(
            id=finding_id(detector, DETECTOR_VERSION, series.id, begin),
            detector=detector,
            detector_version=DETECTOR_VERSION,
            category=category,
            subject_kind=SubjectKind.SERIES,
            subject=series.id,
            area=series.area,
            feed=Feed.READINGS,
            state=FindingState.CLEARED if cleared else FindingState.CONFIRMED,
            observed_at=observed_at,
            received_at=_time(int(row["received"])),
            period_start=begin,
            period_end=observed_at if cleared else None,
            direction=direction,
            observed=float(row["observed"]),
            expected=None if np.isnan(row["expected"]) else float(row["expected"]),
            unit=series.unit,
            p_value=None if np.isnan(rarity) else 10.0**-rarity,
            limit=limit,
            weak=code == Code.LEARNED and rarity < OPENS_AT,
            inputs=() if code == Code.SILENT else (reading_id(series.id, observed_at),),
        )


def _other_version(version: int) -> str:
    return (
        f"hold the state of series in version {version}, this release reads version {VERSION}:"
        " detectors start anew and learn for three days"
    )


def _meaning(series: Series) -> tuple[object, ...]:
    return series.category, series.area, series.unit, series.limits


def _specification(series: Series) -> Records:
    rules = tuple((rule.value, rule.direction, rule.hysteresis, rule.consecutive) for rule in series.limits)
    return _shared_specification(
        series.interval_seconds, series.low, series.high, series.max_rate, rules, series.unit
    )


@lru_cache(maxsize=4_096)
def _shared_specification(
    interval_seconds: float,
    low: float | None,
    high: float | None,
    max_rate: float | None,
    limits: tuple[tuple[float, str, float, int], ...],
    unit: str,
) -> Records:
    """Make the specification that all series of a kind have in common, once."""
    return specification(
        interval_seconds=interval_seconds,
        low=low,
        high=high,
        max_rate=max_rate,
        limits=limits,
        prefixed=has_sister(unit),
    )


def _time(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=microseconds)
