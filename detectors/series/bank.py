"""The state of all series of one partition as arrays, and the readings' way into them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.series import kernel
from detectors.series.marks import time_of_mark
from detectors.series.rollup import take
from detectors.series.state import (
    FOLD,
    FOLDED,
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
BATCH = 16_384
"""Readings that go through the kernel at once: so what it needs beside the state is the same for a million of them."""
WORDS = 64
SILENT_INTERVALS, SILENT_MICROSECONDS = 5, 900_000_000
SPOKEN = len(Code) + MAX_LIMITS - 1
SILENT_BIT = np.uint16(1 << Code.SILENT)
Records = NDArray[np.void]
NOTHING_SAID: Records = np.empty(0, TRANSITION)
NONE_LATE: NDArray[np.int32] = np.empty(0, np.int32)


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
        self._touched: NDArray[np.uint32] = np.zeros(0, np.uint32)
        self._dirty: set[int] = set()
        self._ended: Records = np.empty(BATCH, ROLLUP)
        self._ended_count = 0
        self._said = np.empty(WORDS, TRANSITION)
        self._late = np.empty(BATCH, np.int32)
        self._before = np.zeros(1, FOLD)
        self._reserve(BLOCK)

    def add(self, spec: Records | None = None) -> int:
        """Make a slot; without a specification its roll-ups are kept and nothing is said of it."""
        return self.extend([unknown() if spec is None else spec])

    def extend(self, specs: list[Records]) -> int:
        """Make a slot for each specification, which may be the same object for many; answers the first slot."""
        first = self.size
        self.size += len(specs)
        self._reserve(self.size)
        alike: dict[int, list[int]] = {}
        for slot, spec in enumerate(specs, first):
            alike.setdefault(id(spec), []).append(slot)
        for slots in alike.values():
            self._specs[slots] = specs[slots[0] - first]
        return first

    def specify(self, slot: int, spec: Records) -> None:
        """Set the specification of a series from now on; what was said stays said (see `retract`)."""
        self._specs[slot] = spec

    def retract(self, slot: int) -> Records:
        """Clear all that was said of a series, because it means something else from now on, or nothing any more."""
        state = self._states[slot]
        codes = np.flatnonzero(state["told"] >> np.arange(SPOKEN) & 1)
        newest, since = int(self._newest(slice(slot, slot + 1))[0]), state["head"]["since"]
        found = np.zeros(len(codes), TRANSITION)
        found["slot"], found["code"], found["state"], found["direction"] = slot, codes, Change.CLEARED, 1
        found["observed_at"], found["received"] = newest, newest
        found["period_start"] = [
            newest if code == Code.SILENT else time_of_mark(since[code]) for code in codes.tolist()
        ]
        found["observed"], found["expected"], found["rarity"] = state["head"]["value"], np.nan, np.nan
        for fold in (state["head"], state["committed"]):
            fold["since"][np.flatnonzero(fold["open"] >> np.arange(FOLDED) & 1)] = 0
            fold["open"] = 0
        state["told"] = 0
        self._dirty.add(slot // BLOCK)
        return found

    def relearn(self, slot: int) -> None:
        """Forget what was learned of a series, because its values come in another unit from now on; retract it first."""
        ended = self._room_for_ended(RING)
        self._ended_count += kernel.settle(self._states, self._specs, self._touched, slot, ended)
        for name in ("head", "committed"):
            self._states[name][slot] = np.zeros((), FOLD)
        self._dirty.add(slot // BLOCK)

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
        spoken: list[Records] = []
        missed: list[NDArray[np.int32]] = []
        begin = repeated = 0
        while begin < len(slots):
            part = slice(begin, begin + BATCH)
            ended = self._room_for_ended(min(len(slots) - begin, BATCH))
            taken, told, closed, behind, again = kernel.update(
                self._states,
                self._specs,
                self._touched,
                slots[part],
                observed[part],
                values[part],
                quality[part],
                received,
                self.lateness,
                self._said,
                ended,
                self._late,
                self._before,
            )
            if told:
                spoken.append(self._said[:told].copy())
            self._ended_count += closed
            if behind:
                missed.append(self._late[:behind] + np.int32(begin))
            begin += taken
            repeated += again
        return Outcome(
            transitions=np.concatenate(spoken) if spoken else NOTHING_SAID,
            late=np.concatenate(missed) if missed else NONE_LATE,
            repeated=repeated,
        )

    def silent(self, watermark: int, received: int | None = None) -> Records:
        """Say which series are silent at the partition's newest observed time (µs), and were not said to be."""
        states, specs = self._states[: self.size], self._specs[: self.size]
        newest = self._newest(slice(0, self.size))
        patience = np.maximum(SILENT_INTERVALS * specs["interval"], SILENT_MICROSECONDS)
        quiet = (newest > 0) & (watermark - newest > patience) & (states["told"] & SILENT_BIT == 0)
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
        states["told"][slots] |= SILENT_BIT
        self._dirty.update((slots // BLOCK).tolist())
        return found

    def take_rollups(self) -> Records:
        """Take the cumulative minutes (see `state.ROLLUP`) touched since the last call; they are the caller's."""
        slots = np.flatnonzero(self._touched[: self.size] != NEVER)
        self._dirty.update(np.unique(slots // BLOCK).tolist())
        rows = self._room_for_ended(len(slots) * (RING + 1))
        count = self._ended_count + take(self._states, self._touched, slots, rows)
        taken, self._ended, self._ended_count = self._ended[:count], np.empty(BATCH, ROLLUP), 0
        return taken

    def dump(self) -> dict[int, bytes]:
        """Write the blocks that changed since the last dump; take the roll-ups first, they are not in it."""
        if self._ended_count or bool((self._touched[: self.size] != NEVER).any()):
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
        """Name what is open: slot, code and begin (µs) of each finding that was said and not cleared."""
        newest = self._newest(slice(0, self.size))
        states = self._states[: self.size]
        for slot in np.flatnonzero(states["told"]).tolist():
            told, since = int(states["told"][slot]), states["head"]["since"][slot]
            for code in range(SPOKEN):
                if told >> code & 1:
                    yield (
                        slot,
                        code,
                        int(newest[slot]) if code == Code.SILENT else time_of_mark(since[code]),
                    )

    def newest(self) -> int:
        """Tell the newest observed time (µs) of all series, 0 when there is none."""
        return int(self._newest(slice(0, self.size)).max(initial=0))

    def nbytes(self) -> int:
        """Tell the bytes of the state of all slots, without their specifications.

        Room for more slots is memory that was asked for and never touched: the system gives none for it yet.
        """
        return self._states[: self.size].nbytes + self._touched[: self.size].nbytes

    def _newest(self, slots: slice) -> NDArray[np.int64]:
        """Tell the time (µs) of each series' newest believed reading, 0 where there is none (see `ring.newest_of`)."""
        states = self._states[slots]
        believed = states["size"].astype(np.int64) - states["ahead"]
        places = (states["start"] + believed - 1) % RING
        times = states["ring_time"][np.arange(len(states)), places]
        newest: NDArray[np.int64] = np.where(believed > 0, times, states["committed_time"])
        return newest

    def _room_for_ended(self, rows: int) -> Records:
        """Give the free part of the rows that ended, with room for so many more."""
        if self._ended_count + rows > len(self._ended):
            longer = np.empty(max(2 * len(self._ended), self._ended_count + rows), ROLLUP)
            longer.view(np.uint8)[: self._ended_count * ROLLUP.itemsize] = self._ended[
                : self._ended_count
            ].view(np.uint8)
            self._ended = longer
        return self._ended[self._ended_count :]

    def _reserve(self, slots: int) -> None:
        if slots <= len(self._states):
            return
        room = max(-(-slots // BLOCK) * BLOCK, len(self._states) + len(self._states) // (4 * BLOCK) * BLOCK)
        states, specs, touched = np.zeros(room, SERIES), np.zeros(room, SPEC), np.full(room, NEVER, np.uint32)
        held = len(self._states)
        states[:held], specs[:held], touched[:held] = self._states, self._specs, self._touched
        self._states, self._specs, self._touched = states, specs, touched


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
    prefixed: bool = False,
    known: bool = True,
) -> Records:
    """Make a specification; limits are (value, "above" | "below", hysteresis, consecutive), MAX_LIMITS at most.

    `prefixed` says that values may come in a unit a thousand times larger or smaller by mistake.
    """
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
    spec["known"], spec["prefixed"] = known, prefixed
    result: Records = spec
    return result
