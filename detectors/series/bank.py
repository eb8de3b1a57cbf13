"""The state of all series of one partition as arrays, and the readings' way into them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.series import kernel
from detectors.series.rollup import take
from detectors.series.state import (
    MAX_LIMITS,
    NEVER,
    RING,
    ROLLUP,
    SERIES,
    SPEC,
    TRANSITION,
    VERSION,
    Change,
    Code,
)
from domain.errors import Fault, InvalidInput

BLOCK = 200
"""Series in one dumped block: with names of 80 characters beside it, it stays below 256 KiB."""
SILENT_INTERVALS, SILENT_MICROSECONDS = 5, 900_000_000
Records = NDArray[np.void]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a batch: `transitions` (see `state.TRANSITION`), the positions that came too late, repetitions."""

    transitions: Records
    late: NDArray[np.int32]
    repeated: int


class Bank:
    """Series by slot, a number that the caller gives; slots are made as they are named and never taken back."""

    def __init__(self, lateness_seconds: float = 600.0) -> None:
        """Start empty. Later than the bound, or behind the ring of RING readings, is late and changes nothing."""
        self.lateness = int(lateness_seconds * 1e6)
        self.size = 0
        self._states: Records = np.zeros(0, SERIES)
        self._specs: Records = np.zeros(0, SPEC)
        self._dirty: set[int] = set()
        self._ended: list[Records] = []
        self._active: list[NDArray[np.int32]] = []
        self._reserve(BLOCK)

    def add(self, spec: Records | None = None) -> int:
        """Make a slot; without a specification its roll-ups are kept and nothing is said of it."""
        slot = self.size
        self.size += 1
        self._reserve(self.size)
        self.specify(slot, unknown() if spec is None else spec)
        return slot

    def specify(self, slot: int, spec: Records) -> None:
        """Set the specification of a series from now on; what was said stays said (see `retract`)."""
        self._specs[slot] = spec

    def retract(self, slot: int) -> Records:
        """Clear all that was said of a series, because it means something else from now on, or nothing any more."""
        state = self._states[slot]
        codes = np.flatnonzero(state["said"])
        found = np.zeros(len(codes), TRANSITION)
        found["slot"], found["code"], found["state"], found["direction"] = slot, codes, Change.CLEARED, 1
        found["observed_at"], found["received"] = state["head"]["time"], state["head"]["time"]
        found["period_start"] = state["said"][codes]
        found["observed"], found["expected"], found["rarity"] = state["head"]["value"], np.nan, np.nan
        for part in (state["head"]["since"], state["committed"]["since"], state["said"]):
            part[:] = 0
        self._dirty.add(slot // BLOCK)
        return found

    def update(
        self,
        slots: NDArray[np.int32],
        observed: NDArray[np.int64],
        values: NDArray[np.float64],
        quality: NDArray[np.uint8],
        received: int,
    ) -> Outcome:
        """Take in readings in the order of arrival; slots out of range are an error of the caller (IndexError)."""
        if len(slots) and not 0 <= int(slots.min()) <= int(slots.max()) < self.size:
            raise IndexError("no such slot")
        ended = np.empty(len(slots), ROLLUP)
        late = np.empty(len(slots), np.int32)
        said = np.empty(64, TRANSITION)
        spoken: list[Records] = []
        missed: list[NDArray[np.int32]] = []
        begin = repeated = 0
        while begin < len(slots):
            taken, told, closed, behind, again = kernel.update(
                self._states,
                self._specs,
                slots[begin:],
                observed[begin:],
                values[begin:],
                quality[begin:],
                received,
                self.lateness,
                said,
                ended,
                late,
            )
            if told:
                spoken.append(said[:told].copy())
            if closed:
                self._ended.append(ended[:closed].copy())
            if behind:
                missed.append(late[:behind] + np.int32(begin))
            begin += taken
            repeated += again
        self._active.append(slots)
        return Outcome(
            transitions=np.concatenate(spoken) if spoken else np.empty(0, TRANSITION),
            late=np.concatenate(missed) if missed else np.empty(0, np.int32),
            repeated=repeated,
        )

    def silent(self, watermark: int, received: int | None = None) -> Records:
        """Say which series are silent at the partition's newest observed time (µs), and were not said to be."""
        states, specs = self._states[: self.size], self._specs[: self.size]
        newest = states["head"]["time"]
        patience = np.maximum(SILENT_INTERVALS * specs["interval"], SILENT_MICROSECONDS)
        quiet = (newest > 0) & (watermark - newest > patience) & (states["said"][:, Code.SILENT] == 0)
        slots = np.flatnonzero(quiet & (specs["known"] != 0))
        found = np.zeros(len(slots), TRANSITION)
        found["slot"], found["code"], found["state"], found["direction"] = (
            slots,
            Code.SILENT,
            Change.CONFIRMED,
            -1,
        )
        found["observed_at"], found["received"] = watermark, watermark if received is None else received
        found["period_start"] = newest[slots]
        found["observed"], found["expected"], found["rarity"] = states["head"]["value"][slots], np.nan, np.nan
        states["said"][slots, Code.SILENT] = newest[slots]
        self._dirty.update((slots // BLOCK).tolist())
        return found

    def take_rollups(self) -> Records:
        """Take the cumulative minutes (see `state.ROLLUP`) touched since the last call."""
        slots = self._settle()
        rows = np.empty(len(slots) * (RING + 1), ROLLUP)
        count = take(self._states, slots, rows)
        taken: Records = np.concatenate([*self._ended, rows[:count]])
        self._ended.clear()
        return taken

    def dump(self) -> dict[int, bytes]:
        """Write the blocks that changed since the last dump; take the roll-ups first, they are not in it."""
        if self._ended or self._active:
            raise ValueError("take the roll-ups before a dump")
        blocks = {
            number: self._states[number * BLOCK : (number + 1) * BLOCK].tobytes()
            for number in sorted(self._dirty)
        }
        self._dirty.clear()
        return blocks

    def restore(self, number: int, block: bytes) -> None:
        """Put a dumped block back, bit by bit; InvalidInput when it is not of this version's form."""
        if len(block) != BLOCK * SERIES.itemsize:
            raise InvalidInput([Fault("block", f"is no block of {BLOCK} series in version {VERSION}")])
        self._reserve((number + 1) * BLOCK)
        self._states[number * BLOCK : (number + 1) * BLOCK] = np.frombuffer(block, SERIES)

    def said(self) -> Iterator[tuple[int, int, int]]:
        """Name what is open: slot, code and begin of each finding that was said and not cleared."""
        slots, codes = np.nonzero(self._states["said"][: self.size])
        begins = self._states["said"][slots, codes]
        yield from zip(slots.tolist(), codes.tolist(), begins.tolist(), strict=True)

    def newest(self) -> int:
        """Tell the newest observed time (µs) of all series, 0 when there is none."""
        return int(self._states["head"]["time"].max(initial=0))

    def _reserve(self, slots: int) -> None:
        if slots <= len(self._states):
            return
        room = max(-(-slots // BLOCK) * BLOCK, 2 * len(self._states))
        states, specs = np.zeros(room, SERIES), np.zeros(room, SPEC)
        states["touched"] = NEVER
        states[: len(self._states)], specs[: len(self._specs)] = self._states, self._specs
        self._states, self._specs = states, specs

    def _settle(self) -> NDArray[np.int32]:
        """Name the slots that had readings since the last call, and mark their blocks dirty."""
        if not self._active:
            return np.empty(0, np.int32)
        slots = np.unique(np.concatenate(self._active))
        self._active = []
        self._dirty.update(np.unique(slots // BLOCK).tolist())
        return slots


def unknown() -> Records:
    """Make the specification of a series that the registry does not know (yet)."""
    return specification(interval_seconds=60.0, known=False)


def specification(
    *,
    interval_seconds: float,
    low: float | None = None,
    high: float | None = None,
    max_rate: float | None = None,
    limits: Iterable[tuple[float, str, float, int]] = (),
    known: bool = True,
) -> Records:
    """Make a specification; limits are (value, "above" | "below", hysteresis, consecutive), MAX_LIMITS at most."""
    spec: Any = np.zeros((), SPEC)
    spec["interval"] = interval_seconds * 1e6
    for name, bound in (("low", low), ("high", high), ("max_rate", max_rate)):
        spec[name] = np.nan if bound is None else bound
    rows = list(limits)
    if len(rows) > MAX_LIMITS:
        raise ValueError(f"a series has {MAX_LIMITS} limits at most")
    for number, (value, direction, hysteresis, consecutive) in enumerate(rows):
        spec["limit"][number], spec["hysteresis"][number] = value, hysteresis
        spec["sign"][number], spec["consecutive"][number] = 1 if direction == "above" else -1, consecutive
    spec["known"] = known
    result: Records = spec
    return result
