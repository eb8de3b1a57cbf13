"""The prospective space-time scan: more cases in some near cells over some days than their own past lets expect.

Expectation-based (Neill, Moore, Sabhnani and Daniel, Detection of emerging space-time clusters, KDD 2005) over all zones
and windows that end now, with negative binomial counts. What is judged is the mean of the likelihood ratios over a
township's zones and windows, not the greatest (Neill, Moore and Cooper, A Bayesian spatial scan statistic, NIPS 2005): a
cluster that fits no zone raises many a little, and the greatest ratio is moved by chance alone. Simulated at 0.2 cases per
cell and day this finds 87 of 100 clusters of nine cells where the greatest ratio finds 83 (docs/benchmarks/clusters.md).
A score's p-value is how rare it is among the township's own daily maxima.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from detectors.counts import scan_kernel as kernel
from detectors.counts.scan_maxima import Maxima
from detectors.counts.zones import Zones
from domain.errors import Fault, InvalidInput

VERSION = 1
WINDOWS = (1, 2, 3, 4, 5, 6, 7)
LEAST = 3
"""Cases: two are a coincidence, however rare where they are."""
MOST_STREAMS = 3
MOST_FOUND = 3
"""Zones reported of a township at a time."""
TELLING = 0.5
"""Cells are named whose share of the evidence is at least this part of the most telling one's."""
Floats = NDArray[np.float64]


class Found(NamedTuple):
    """Cells with more than was expected over the periods `first` to `last`, both included.

    `cells` are those that tell most, the most telling first; `observed` and `expected` are theirs, over all streams. `score`
    is the logarithm of the mean likelihood ratio; `p` the chance that a period without a cluster has a score as high
    somewhere in the group (township). Zones of one answer have no cell in common.
    """

    group: str
    cells: tuple[str, ...]
    first: int
    last: int
    observed: int
    expected: float
    score: float
    p: float


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


class Scan:
    """Scans the cells of a county for one kind of case, which one or several streams report.

    Streams are such as the hotline, clinics, grid workers. Periods are whole numbers, such as days since 1970; `advance` names the one that is going on. Order within the kept
    periods does not matter, to the bit. Memory is bounded by zones × windows × streams and cells × periods. A period's
    maximum is learned `lag` periods after its end, when nothing is counted for it any more.
    """

    def __init__(
        self,
        zones: Zones,
        windows: Sequence[int] = WINDOWS,
        *,
        streams: int = 1,
        lag: int = 1,
        least: int = LEAST,
    ) -> None:
        """Take the zones, the lengths of windows in periods, and how many streams there are.

        ValueError for windows that are empty, below 1 or not rising, and for streams, lag or least out of range.
        """
        if not windows or min(windows) < 1 or list(windows) != sorted(set(windows)):
            raise ValueError(f"windows: {list(windows)} are not rising numbers of periods from 1")
        if not 1 <= streams <= MOST_STREAMS:
            raise ValueError(f"streams: {streams} is not within 1 and {MOST_STREAMS}")
        if lag < 0 or least < 1:
            raise ValueError(f"lag, least: {lag} is below 0 or {least} below 1")
        self.zones = zones
        self.windows = tuple(windows)
        self.streams, self.lag, self.least = streams, lag, least
        self.now: int | None = None
        self._longest = windows[-1]
        self._windows = np.array(windows, np.int64)
        self._number = {code: number for number, code in enumerate(zones.cells)}
        shape = (streams, len(zones.cells), self._longest + lag)
        self._counts = np.zeros(shape, np.int64)
        self._means: Floats = np.full(shape, np.nan)
        self._spreads: Floats = np.full(shape, np.nan)
        self._scan = _Arrays.of(zones.size, len(windows), streams)
        self._settling = _Arrays.of(zones.size, len(windows), streams) if lag else self._scan
        self._stale = True
        self._maxima = Maxima(len(zones.groups))
        self._changed: set[int] = set()

    def advance(self, period: int) -> None:
        """Go on to a period; what was expected and counted before the windows is forgotten. ValueError for going back."""
        if self.now is not None and period < self.now:
            raise ValueError(f"period: {period} lies before {self.now}, and time does not go back")
        columns = self._counts.shape[2]
        steps = columns if self.now is None else min(period - self.now, columns)
        for _ in range(steps):
            if self.now is not None:
                self._settle()
            for array, empty in ((self._counts, 0), (self._means, np.nan), (self._spreads, np.nan)):
                array[:, :, :-1] = array[:, :, 1:].copy()
                array[:, :, -1] = empty
            self._stale = True
        self.now = period
        self._changed.update(range(len(self.zones.groups)))

    def expect(self, period: int, means: ArrayLike, shapes: ArrayLike = math.inf, *, stream: int = 0) -> None:
        """Set what a stream is expected to report of each cell (in the order of `zones.cells`) in a kept period.

        Counts are negative binomial with these means and gamma shapes, as CountGLM.expect tells them; an infinite shape is a
        Poisson. ValueError for a mean or shape that is not above 0, a mean that is not finite, or a period not kept.
        """
        column = self._column(period)
        if column is None:
            raise ValueError(f"period: {period} is not kept any more")
        given = np.broadcast_to(np.asarray(means, np.float64), len(self.zones.cells))
        shaped = np.broadcast_to(np.asarray(shapes, np.float64), len(self.zones.cells))
        wrong = np.flatnonzero(~((given > 0.0) & np.isfinite(given) & (shaped > 0.0)))
        if len(wrong):
            cell = int(wrong[0])
            raise ValueError(
                f"means, shapes: {given[cell]} and {shaped[cell]} of {self.zones.cells[cell]} are not above 0 and finite"
            )
        self._means[self._stream(stream), :, column] = given
        self._spreads[stream, :, column] = given / np.sqrt(shaped)
        self._stale = True
        self._changed.update(range(len(self.zones.groups)))

    def count(self, cell: str, period: int, n: int = 1, *, stream: int = 0) -> bool:
        """Count `n` cases of a cell in a period; False when it is too long ago to be kept, and nothing was counted.

        KeyError for a cell that is in no zone; ValueError for `n` that is no whole number from 0, a period that lies ahead.
        """
        if not float(n).is_integer() or n < 0:
            raise ValueError(f"n: {n!r} is not a whole number from 0")
        number = self._number[cell]
        column = self._column(period)
        if column is None:
            return False
        self._counts[self._stream(stream), number, column] += int(n)
        self._changed.add(int(self.zones.group_of_cell[number]))
        age = self._counts.shape[2] - 1 - column
        if not self._stale and age < self._longest:
            kernel.count_event(
                number,
                stream,
                age,
                int(n),
                self.least,
                self._windows,
                self.zones.holder_starts,
                self.zones.holders,
                *self._scan,
            )
        return True

    def score(self, group: str) -> float:
        """Tell the group's score now: the logarithm of its mean likelihood ratio, −inf while nothing is expected."""
        return self._score(self.zones.groups.index(group), self._fresh())

    def p_value(self, group: str) -> float:
        """Tell how rare the group's score is among its own."""
        number = self.zones.groups.index(group)
        return self._maxima.p_value(number, self._score(number, self._fresh()))

    def best(self, groups: Iterable[str] | None = None) -> list[Found]:
        """List what stands out now, in all groups or those named, the rarest first.

        Each group's best zone is listed, whatever its p-value, and further ones of a score above 0 that touch no cell named.
        """
        scan = self._fresh()
        numbers = [self.zones.groups.index(group) for group in groups or self.zones.groups]
        ranked = sorted((-self._score(number, scan), number) for number in numbers)
        taken = np.zeros(len(self.zones.cells), bool)
        found: list[Found] = []
        for worst, number in ranked:
            if worst < math.inf:
                found += self._found(number, scan, taken)
        return sorted(found, key=lambda one: (one.p, -one.score, one.group))

    def dump(self) -> dict[str, bytes]:
        """Write the pieces that changed since the last dump, by the group's code."""
        changed, self._changed = sorted(self._changed), set()
        return {self.zones.groups[number]: self._write(number) for number in changed}

    def restore(self, pieces: Mapping[str, bytes]) -> None:
        """Take up all written pieces, exactly; cells that are in no zone any more are let go, new ones start empty.

        InvalidInput for a piece of another version or form.
        """
        for group, piece in pieces.items():
            try:
                written = msgspec.msgpack.decode(piece, type=_Written)
            except msgspec.DecodeError as error:
                raise InvalidInput([Fault("piece", f"{group} is no piece of a scan: {error}")]) from error
            self._take_up(group, written)
        self._stale = True
        self._changed.clear()

    def _found(self, number: int, scan: "_Arrays", taken: NDArray[np.bool_]) -> list[Found]:
        """List a group's zones, each with the cells and the window that tell most, and mark their cells."""
        zones = self.zones
        first, last = zones.group_starts[number : number + 2].tolist()
        begin, end = zones.starts[[first, last]].tolist()
        lengths = np.diff(zones.starts[first : last + 1])
        members = zones.members[begin:end]
        terms = scan.terms[first:last].copy()
        known = (scan.costs[first:last] < math.inf).any(axis=2).sum()
        found: list[Found] = []
        while len(found) < MOST_FOUND:
            free = ~np.logical_or.reduceat(taken[members], zones.starts[first:last] - begin)
            terms[~free] = 0.0
            total = terms.sum()
            score = math.log(total / known) if total > 0.0 else -math.inf
            if score == -math.inf or (found and score <= 0.0):
                break
            evidence = np.bincount(members, np.repeat(terms.sum(axis=1), lengths), minlength=len(zones.cells))
            telling = np.flatnonzero(evidence >= TELLING * evidence.max())
            telling = telling[np.lexsort((telling, -evidence[telling]))]
            taken[telling] = True
            length = self.windows[int(terms.sum(axis=0).argmax())]
            found.append(self._tell(number, telling, length, score))
        return found

    def _tell(self, number: int, cells: NDArray[np.intp], length: int, score: float) -> Found:
        assert self.now is not None  # noqa: S101 (nothing is expected before)
        return Found(
            group=self.zones.groups[number],
            cells=tuple(self.zones.cells[cell] for cell in cells),
            first=self.now - length + 1,
            last=self.now,
            observed=int(self._counts[:, cells, -length:].sum()),
            expected=float(np.nansum(self._means[:, cells, -length:])),
            score=score,
            p=self._maxima.p_value(number, score),
        )

    def _column(self, period: int) -> int | None:
        """Find the column of a period, None for one that is not kept; ValueError for one that lies ahead."""
        if self.now is None or period > self.now:
            raise ValueError(f"period: {period} lies ahead of {self.now}; advance first")
        column = self._counts.shape[2] - 1 - (self.now - period)
        return column if column >= 0 else None

    def _stream(self, stream: int) -> int:
        if not 0 <= stream < self.streams:
            raise ValueError(f"stream: {stream} is none of {self.streams}")
        return stream

    def _fresh(self) -> "_Arrays":
        """Work the scan out anew where expectations or the period changed."""
        if self._stale:
            self._weigh(self._counts.shape[2] - 1, self._scan)
            self._stale = False
        return self._scan

    def _settle(self) -> None:
        """Learn the maximum of the period that nothing is counted for any more."""
        if self.lag:
            self._weigh(self._counts.shape[2] - 1 - self.lag, self._settling)
        else:
            self._fresh()
        for number in range(len(self.zones.groups)):
            self._maxima.learn(number, self._score(number, self._settling))

    def _weigh(self, column: int, scan: "_Arrays") -> None:
        kernel.weigh(
            column,
            self.least,
            self._windows,
            self.zones.starts,
            self.zones.members,
            self._counts,
            self._means,
            self._spreads,
            *scan,
        )

    def _score(self, number: int, scan: "_Arrays") -> float:
        first, last = self.zones.group_starts[number : number + 2]
        return float(kernel.score(int(first), int(last), scan.costs, scan.terms))

    def _write(self, number: int) -> bytes:
        cells = np.flatnonzero(self.zones.group_of_cell == number)
        written = _Written(
            version=VERSION,
            now=self.now or 0,
            columns=self._counts.shape[2],
            cells=[self.zones.cells[cell] for cell in cells],
            counts=self._counts[:, cells].tolist(),
            means=self._means[:, cells].tobytes(),
            spreads=self._spreads[:, cells].tobytes(),
            moments=self._maxima.moments[number].tolist(),
        )
        return msgspec.msgpack.encode(written)

    def _take_up(self, group: str, written: _Written) -> None:
        shape = (self.streams, len(written.cells), self._counts.shape[2])
        if written.version != VERSION or written.columns != shape[2] or np.shape(written.counts) != shape:
            form = f"version {written.version} with {np.shape(written.counts)} counts"
            raise InvalidInput([Fault("piece", f"{group} is of {form}, not {VERSION} with {shape}")])
        if len(written.means) != 8 * math.prod(shape) or len(written.spreads) != 8 * math.prod(shape):
            raise InvalidInput([Fault("piece", f"{group} does not hold what is expected of its cells")])
        if self.now is None or written.now > self.now:
            self.advance(written.now)
        back = int(self.now or 0) - written.now
        rows = [(row, self._number[code]) for row, code in enumerate(written.cells) if code in self._number]
        if back >= shape[2] or not rows:
            return
        old, new = np.array(rows).T
        kept = shape[2] - back
        self._counts[:, new, :kept] = np.array(written.counts, np.int64)[:, old, back:]
        for array, held in ((self._means, written.means), (self._spreads, written.spreads)):
            array[:, new, :kept] = np.frombuffer(held, np.float64).reshape(shape)[:, old, back:]
        if group in self.zones.groups:
            self._maxima.moments[self.zones.groups.index(group)] = written.moments


class _Arrays(NamedTuple):
    """What is known of each zone and window: by stream the count, an event's gain and the cost; and the averaged ratio."""

    observed: NDArray[np.int64]
    gains: Floats
    costs: Floats
    terms: Floats

    @classmethod
    def of(cls, zones: int, windows: int, streams: int) -> "_Arrays":
        by_stream = (zones, windows, streams)
        return cls(
            np.zeros(by_stream, np.int64),
            np.zeros(by_stream),
            np.full(by_stream, np.inf),
            np.zeros((zones, windows)),
        )
