"""The dynamic model of counts over many cells at once: state in one array, forecasts and updates compiled."""

import math
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec
import numpy as np
from numpy.typing import ArrayLike

from detectors.counts import glm_kernel as kernel
from detectors.counts.design import Floats, Period, design_of, features, index_of
from detectors.counts.gamma import rarities
from detectors.counts.glm_state import PARENT, fresh_row, prior_of
from domain.errors import Fault, InvalidInput

VERSION = 1
BLOCK = 32
"""Rows in one dumped block, which stays below 256 KiB for the longest rows."""
SHARE = 1 / 8
"""What a cell is first thought to have of its zone."""
MOST_YEARS = 1
"""Of silence that still make a cell's level staler."""
YEAR_SECONDS = 365 * 86_400


class _Written(msgspec.Struct, frozen=True, array_like=True):
    """A block of rows."""

    version: int
    period: Period
    used: int
    rows: bytes


class GLMBank:
    """Cells (or cells × syndromes) by slot, all with counts of one period; the model is that of `glm.CountGLM`.

    A cell with a zone above it (`parent`) is its zone's expectation times a share that it learns, with small seasons of its
    own: a new cell knows its zone's seasons at once. A zone is a slot like others, with counts that its caller adds up.
    Not promised: that counts of a period are told apart when they come in several calls; a period is learned once.
    """

    def __init__(self, period: Period = "day") -> None:
        """Start empty; ValueError for a period that is not known."""
        self.period: Period = period
        self.size = 0
        self._design = design_of(period)
        self._prior = prior_of(self._design)
        self._most_steps = MOST_YEARS * YEAR_SECONDS // self._design.seconds
        self._states: Floats = np.zeros((BLOCK, len(fresh_row(self._design))))
        self._dirty: set[int] = set()

    def add(self, parent: int | None = None, share: float = SHARE) -> int:
        """Make a slot. `share` is what the cell is first thought to have of its zone, one over its siblings.

        IndexError for a parent that was not made before, ValueError for a share that is not above 0.
        """
        if parent is not None and not 0 <= parent < self.size:
            raise IndexError(f"parent: there is no slot {parent}")
        if not 0.0 < share < math.inf:
            raise ValueError(f"share: {share} is not above 0")
        slot = self.size
        self.size += 1
        self._reserve(self.size)
        self._states[slot] = fresh_row(self._design, parent, 1.0 if parent is None else share)
        self._dirty.add(slot // BLOCK)
        return slot

    def expect(self, slots: ArrayLike, at: datetime, exposures: ArrayLike = 1.0) -> tuple[Floats, Floats]:
        """Tell mean and shape of the negative binomial expected of each slot in the period of `at`; changes nothing.

        `exposures` are the parts of the period's counts that can be known, as for late reports: 1 for all of them.
        """
        named = self._named(slots)
        index = index_of(at, self.period)
        values, shifts = features(index, self.period), self._shifts(named, index, exposures)
        means, shapes = np.empty(len(named)), np.empty(len(named))
        kernel.expect_all(
            self._states,
            named,
            values,
            index,
            self._most_steps,
            self._prior,
            shifts,
            means,
            shapes,
        )
        return means, shapes

    def rarity(self, slots: ArrayLike, at: datetime, counts: ArrayLike, exposures: ArrayLike = 1.0) -> Floats:
        """Tell −log10 p of each slot's count (see `gamma.tail_of`), 0 for what is no count; changes nothing."""
        means, shapes = self.expect(slots, at, exposures)
        given = np.broadcast_to(np.asarray(counts, np.float64), means.shape)
        found = np.empty(len(means))
        rarities(given, means, shapes, found)
        return found

    def learn(self, slots: ArrayLike, at: datetime, counts: ArrayLike, exposures: ArrayLike = 1.0) -> int:
        """Learn the counts of a period, zones and their cells in one call; tell how many taught nothing.

        What is no count (NaN, infinite, negative) teaches nothing, nor does a period that a slot has behind it.
        """
        named = self._named(slots)
        given = np.ascontiguousarray(np.broadcast_to(np.asarray(counts, np.float64), named.shape))
        index = index_of(at, self.period)
        values, shifts = features(index, self.period), self._shifts(named, index, exposures)
        self._dirty.update(np.unique(named // BLOCK).tolist())
        return int(
            kernel.learn_all(
                self._states,
                named,
                values,
                index,
                self._most_steps,
                self._prior,
                self._design.patience,
                self._design.watched,
                shifts,
                given,
            )
        )

    def dump(self) -> dict[int, bytes]:
        """Write the blocks that changed since the last dump, by their number."""
        written = {number: msgspec.msgpack.encode(self._block(number)) for number in sorted(self._dirty)}
        self._dirty.clear()
        return written

    def restore(self, number: int, block: bytes) -> None:
        """Put a dumped block back, bit by bit; InvalidInput when it is of another version, period or form."""
        try:
            written = msgspec.msgpack.decode(block, type=_Written)
        except msgspec.DecodeError as error:
            raise InvalidInput([Fault("block", f"is no block of a bank of counts: {error}")]) from error
        if (written.version, written.period) != (VERSION, self.period):
            found = f"is of version {written.version} for periods of a {written.period}"
            raise InvalidInput([Fault("block", f"{found}, not {VERSION} and {self.period}")])
        if len(written.rows) != written.used * self._states.shape[1] * 8 or not 0 < written.used <= BLOCK:
            raise InvalidInput([Fault("block", f"does not hold the {written.used} rows that it names")])
        first = number * BLOCK
        self._reserve(first + BLOCK)
        rows = np.frombuffer(written.rows, np.float64).reshape(written.used, -1)
        self._states[first : first + written.used] = rows
        self.size = max(self.size, first + written.used)

    def parents(self) -> Iterator[int | None]:
        """Name each slot's parent in the order of slots."""
        for parent in self._states[: self.size, PARENT].tolist():
            yield None if parent < 0 else int(parent)

    def _block(self, number: int) -> _Written:
        first = number * BLOCK
        rows = self._states[first : min(first + BLOCK, self.size)]
        return _Written(VERSION, self.period, len(rows), rows.tobytes())

    def _named(self, slots: ArrayLike) -> kernel.Slots:
        named: Any = np.atleast_1d(np.asarray(slots, np.int64))
        if len(named) and not 0 <= int(named.min()) <= int(named.max()) < self.size:
            raise IndexError("no such slot")
        return np.ascontiguousarray(named)

    def _shifts(self, named: kernel.Slots, index: int, exposures: ArrayLike) -> Floats:
        exposed = np.ascontiguousarray(np.broadcast_to(np.asarray(exposures, np.float64), named.shape))
        if not np.all((exposed > 0.0) & np.isfinite(exposed)):
            raise ValueError("exposures: each must be above 0 and finite")
        shifts = np.empty(len(named))
        values = features(index, self.period)
        kernel.offsets(
            self._states,
            named,
            values,
            index,
            self._most_steps,
            self._prior,
            exposed,
            shifts,
        )
        return shifts

    def _reserve(self, slots: int) -> None:
        if slots <= len(self._states):
            return
        room = max(-(-slots // BLOCK) * BLOCK, 2 * len(self._states))
        states = np.zeros((room, self._states.shape[1]))
        states[: len(self._states)] = self._states
        self._states = states
