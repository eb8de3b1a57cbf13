"""What the scan keeps of each cell: the periods of its windows, with what was counted and what was expected."""

import math
from collections.abc import Mapping

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from detectors.counts.scan_maxima import Maxima
from detectors.counts.zones import Zones
from domain.errors import Fault, InvalidInput

VERSION = 1
MOST_AT_ONCE = 1_000_000_000
Floats = NDArray[np.float64]


class _Written(msgspec.Struct, frozen=True, array_like=True):
    """One group's piece of the state: per stream and cell the counts, means and spreads of the periods that are kept."""

    version: int
    now: int
    columns: int
    cells: list[str]
    counts: list[list[list[int]]]
    means: bytes
    spreads: bytes
    moments: list[float]


class ScanCells:
    """Arrays by stream, cell and period; the last column is the period `now`.

    `means` are NaN where nothing is expected yet; `spreads` are mean / √shape.
    """

    def __init__(self, zones: Zones, streams: int, columns: int) -> None:
        """Start empty, before any period."""
        self.now: int | None = None
        self.columns = columns
        self.numbers = {code: number for number, code in enumerate(zones.cells)}
        self._zones = zones
        self._streams = streams
        shape = (streams, len(zones.cells), columns)
        self.counts: NDArray[np.int64] = np.zeros(shape, np.int64)
        self.means: Floats = np.full(shape, np.nan)
        self.spreads: Floats = np.full(shape, np.nan)

    def roll(self, period: int) -> None:
        """Go on to a period, and forget what its columns do not hold."""
        gone = self.columns if self.now is None else min(period - self.now, self.columns)
        for array, empty in ((self.counts, 0), (self.means, np.nan), (self.spreads, np.nan)):
            if gone:
                array[:, :, :-gone] = array[:, :, gone:].copy()
                array[:, :, -gone:] = empty
        self.now = period

    def column(self, period: int) -> int | None:
        """Find the column of a period, None for one that is not kept; ValueError for one that lies ahead."""
        if self.now is None or period > self.now:
            raise ValueError(f"period: {period} lies ahead of {self.now}; advance first")
        column = self.columns - 1 - (self.now - period)
        return column if column >= 0 else None

    def expect(self, column: int, stream: int, means: ArrayLike, shapes: ArrayLike) -> None:
        """Set what is expected of all cells; ValueError for a mean or shape that is not above 0, or an infinite mean."""
        self._check(stream)
        given = np.broadcast_to(np.asarray(means, np.float64), len(self.numbers))
        shaped = np.broadcast_to(np.asarray(shapes, np.float64), len(self.numbers))
        wrong = np.flatnonzero(~((given > 0.0) & np.isfinite(given) & (shaped > 0.0)))
        if len(wrong):
            cell = int(wrong[0])
            name = self._zones.cells[cell]
            raise ValueError(
                f"means, shapes: {given[cell]} and {shaped[cell]} of {name} are not above 0 and finite"
            )
        self.means[stream, :, column] = given
        self.spreads[stream, :, column] = given / np.sqrt(shaped)

    def count(self, column: int, stream: int, cell: int, n: float) -> int:
        """Add `n` cases and tell them as a whole number; ValueError for what is none."""
        self._check(stream)
        if not float(n).is_integer() or not 0 <= n <= MOST_AT_ONCE:
            raise ValueError(f"n: {n!r} is not a whole number from 0 to {MOST_AT_ONCE}")
        self.counts[stream, cell, column] += int(n)
        return int(n)

    def write(self, group: int, maxima: Maxima) -> bytes:
        """Write a group's piece."""
        cells = np.flatnonzero(self._zones.group_of_cell == group)
        written = _Written(
            version=VERSION,
            now=self.now or 0,
            columns=self.columns,
            cells=[self._zones.cells[cell] for cell in cells],
            counts=self.counts[:, cells].tolist(),
            means=self.means[:, cells].tobytes(),
            spreads=self.spreads[:, cells].tobytes(),
            moments=maxima.moments[group].tolist(),
        )
        return msgspec.msgpack.encode(written)

    def take_up(self, pieces: Mapping[str, bytes], maxima: Maxima) -> None:
        """Put written pieces back, all or none; InvalidInput for one of another version or form."""
        read = {group: self._read(group, piece) for group, piece in pieces.items()}
        newest = max((written.now for written in read.values()), default=None)
        if newest is not None and (self.now is None or newest > self.now):
            self.roll(newest)
        for group, written in read.items():
            self._put(written)
            if group in self._zones.groups:
                maxima.moments[self._zones.groups.index(group)] = written.moments

    def _read(self, group: str, piece: bytes) -> _Written:
        try:
            written = msgspec.msgpack.decode(piece, type=_Written)
        except msgspec.DecodeError as error:
            raise InvalidInput([Fault("piece", f"{group} is no piece of a scan: {error}")]) from error
        shape = self._shape(written)
        held = np.shape(written.counts) if written.cells else shape
        if (written.version, written.columns, held) != (VERSION, self.columns, shape):
            form = f"version {written.version} with {held} counts"
            raise InvalidInput([Fault("piece", f"{group} is of {form}, not {VERSION} with {shape}")])
        if {len(written.means), len(written.spreads)} != {8 * math.prod(shape)} or len(written.moments) != 3:
            raise InvalidInput([Fault("piece", f"{group} does not hold what is expected of its cells")])
        return written

    def _put(self, written: _Written) -> None:
        back = (self.now or 0) - written.now
        rows = [(row, self.numbers[code]) for row, code in enumerate(written.cells) if code in self.numbers]
        if back >= self.columns or not rows:
            return
        old, new = np.array(rows).T
        kept = self.columns - back
        self.counts[:, new, :kept] = np.array(written.counts, np.int64)[:, old, back:]
        for array, held in ((self.means, written.means), (self.spreads, written.spreads)):
            array[:, new, :kept] = np.frombuffer(held, np.float64).reshape(self._shape(written))[
                :, old, back:
            ]

    def _shape(self, written: _Written) -> tuple[int, int, int]:
        return self._streams, len(written.cells), self.columns

    def _check(self, stream: int) -> None:
        if not 0 <= stream < self._streams:
            raise ValueError(f"stream: {stream} is none of {self._streams}")
