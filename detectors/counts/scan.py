"""The prospective space-time scan: more cases in some near cells over some days than their own past lets expect.

Expectation-based (Neill, Moore, Sabhnani and Daniel, Detection of emerging space-time clusters, KDD 2005) over all zones
and windows that end now, with negative binomial counts. What is judged is the mean of the likelihood ratios over a
township's zones and windows, not the greatest (Neill, Moore and Cooper, A Bayesian spatial scan statistic, NIPS 2005): a
cluster that fits no zone raises many a little, and the greatest ratio is moved by chance alone. At 0.2 cases per cell and
day and a false day in 30 it finds 87 of 100 clusters of nine cells, the greatest ratio 85 (docs/benchmarks/clusters.md).
A score's p-value is how rare it is among the township's own daily maxima.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from detectors.counts import scan_kernel as kernel
from detectors.counts.scan_cells import ScanCells
from detectors.counts.scan_maxima import Maxima
from detectors.counts.zones import Zones

WINDOWS = (1, 2, 3, 4, 5, 6, 7)
LEAST = 3
"""Cases: two are a coincidence, however rare where they are."""
MOST_STREAMS = 3
AGAINST = 1.0
"""Nats of evidence against a cell that being near the others outweighs."""
ROUNDS = 3
MOST_FOUND = 3
"""Zones reported of a township at a time."""
TELLING = 0.2
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


class Scan:
    """Scans the cells of a county for one kind of case, which one or several streams report.

    Streams are such as the hotline, clinics, grid workers. Periods are whole numbers, such as days since 1970; `advance`
    names the one that is going on. Order within the kept periods does not matter, to the bit. Memory is bounded by zones ×
    windows × streams and cells × periods. A period's maximum is learned `lag` periods after its end, when nothing is
    counted for it any more.
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
        self._longest = windows[-1]
        self._windows = np.array(windows, np.int64)
        self._cells = ScanCells(zones, streams, self._longest + lag)
        self._scan = kernel.Ratios.of(zones.size, len(windows), streams)
        self._settling = kernel.Ratios.of(zones.size, len(windows), streams) if lag else self._scan
        self._knowing: dict[int, int] = {}
        self._bounds: list[int] = zones.group_starts.tolist()
        self._groups = {group: number for number, group in enumerate(zones.groups)}
        self._stale = True
        self._maxima = Maxima(len(zones.groups))
        self._changed: set[int] = set()

    def advance(self, period: int) -> None:
        """Go on to a period; what was expected and counted before the windows is forgotten. ValueError for going back."""
        if self.now is not None and period < self.now:
            raise ValueError(f"period: {period} lies before {self.now}, and time does not go back")
        if self.now is not None:
            for _ in range(min(period - self.now, self._cells.columns)):
                self._settle()
                self._cells.roll(self.now + 1)
                self._stale = True
        self._cells.roll(period)
        self._stale = True
        self._changed.update(range(len(self.zones.groups)))

    def expect(self, period: int, means: ArrayLike, shapes: ArrayLike = math.inf, *, stream: int = 0) -> None:
        """Set what a stream is expected to report of each cell (in the order of `zones.cells`) in a kept period.

        Counts are negative binomial with these means and gamma shapes, as CountGLM.expect tells them; an infinite shape is a
        Poisson. ValueError for a mean or shape that is not above 0, a mean that is not finite, or a period not kept.
        """
        column = self._cells.column(period)
        if column is None:
            raise ValueError(f"period: {period} is not kept any more")
        self._cells.expect(column, stream, means, shapes)
        self._stale = True
        self._changed.update(range(len(self.zones.groups)))

    def count(self, cell: str, period: int, n: int = 1, *, stream: int = 0) -> bool:
        """Count `n` cases of a cell in a period; False when it is too long ago to be kept, and nothing was counted.

        KeyError for a cell that is in no zone; ValueError for `n` that is no whole number from 0, a period that lies ahead.
        """
        number = self._cells.numbers[cell]
        column = self._cells.column(period)
        if column is None:
            return False
        cases = self._cells.count(column, stream, number, n)
        self._changed.add(int(self.zones.group_of_cell[number]))
        age = self._cells.columns - 1 - column
        if not self._stale and age < self._longest:
            kernel.count_event(
                number,
                stream,
                age,
                cases,
                self.least,
                self._windows,
                self.zones.holder_starts,
                self.zones.holders,
                *self._scan,
            )
        return True

    def score(self, group: str) -> float:
        """Tell the group's score now: the logarithm of its mean likelihood ratio, −inf while nothing is expected."""
        return self._score(self._group(group), self._fresh())

    def p_value(self, group: str) -> float:
        """Tell how rare the group's score is among its own."""
        number = self._group(group)
        return self._maxima.p_value(number, self._score(number, self._fresh()))

    def best(self, groups: Iterable[str] | None = None) -> list[Found]:
        """List what stands out now, in all groups or those named, the rarest first.

        Each group's best zone is listed, whatever its p-value, and further ones of a score above 0 that touch no cell named.
        """
        scan = self._fresh()
        numbers = [self._group(group) for group in groups or self.zones.groups]
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
        return {self.zones.groups[number]: self._cells.write(number, self._maxima) for number in changed}

    def restore(self, pieces: Mapping[str, bytes]) -> None:
        """Take up all written pieces, exactly; cells that are in no zone any more are let go, new ones start empty.

        InvalidInput for a piece of another version or form.
        """
        self._cells.take_up(pieces, self._maxima)
        self._stale = True

    @property
    def now(self) -> int | None:
        """The period that is going on, None before the first."""
        return self._cells.now

    def _found(self, number: int, scan: kernel.Ratios, taken: NDArray[np.bool_]) -> list[Found]:
        """List a group's zones, each with the cells and the window that tell most, and mark their cells."""
        zones = self.zones
        first, last = self._bounds[number : number + 2]
        begin, end = zones.starts[[first, last]].tolist()
        lengths = np.diff(zones.starts[first : last + 1])
        members, starts = zones.members[begin:end], zones.starts[first:last] - begin
        terms = scan.terms[first:last].copy()
        known = self._known(number, scan)
        found: list[Found] = []
        while len(found) < MOST_FOUND:
            free = ~np.logical_or.reduceat(taken[members], starts)
            terms[~free] = 0.0
            total = terms.sum()
            score = math.log(total / known) if total > 0.0 else -math.inf
            if score == -math.inf or (found and score <= 0.0):
                break
            best = terms.sum(axis=1).argmax()
            best_cells = members[starts[best] : starts[best] + lengths[best]]
            touching = np.logical_or.reduceat(np.isin(members, best_cells), starts)
            ratios = np.where(touching[:, None], terms, 0.0)
            length = self.windows[int(ratios.sum(axis=0).argmax())]
            evidence = np.bincount(
                members, np.repeat(ratios.sum(axis=1), lengths), minlength=len(zones.cells)
            )
            telling = self._telling(evidence.astype(np.float64), length)
            taken[telling] = True
            found.append(self._tell(number, telling, length, score))
        return found

    def _telling(self, evidence: Floats, length: int) -> NDArray[np.intp]:
        """Choose the cells to name, the most telling first: of those with much evidence, which take part by themselves.

        A cell takes part unless its own count speaks against the common relative risk by more than what its neighbours say.
        """
        chosen = np.flatnonzero(evidence >= TELLING * evidence.max())
        seen = self._cells.counts[:, chosen, -length:].sum(axis=(0, 2))
        usual = np.nansum(self._cells.means[:, chosen, -length:], axis=(0, 2))
        part = np.ones(len(chosen), bool)
        for _ in range(ROUNDS):
            risk = max(seen[part].sum() / usual[part].sum(), 1.0)
            own = seen * math.log(risk) - (risk - 1.0) * usual
            part = own >= min(-AGAINST, own.max())
        chosen = chosen[part]
        return chosen[np.lexsort((chosen, -evidence[chosen]))]

    def _tell(self, number: int, cells: NDArray[np.intp], length: int, score: float) -> Found:
        now = self.now or 0  # before the first period nothing is expected, and nothing found
        return Found(
            group=self.zones.groups[number],
            cells=tuple(self.zones.cells[cell] for cell in cells),
            first=now - length + 1,
            last=now,
            observed=int(self._cells.counts[:, cells, -length:].sum()),
            expected=float(np.nansum(self._cells.means[:, cells, -length:])),
            score=score,
            p=self._maxima.p_value(number, score),
        )

    def _group(self, group: str) -> int:
        number = self._groups.get(group)
        if number is None:
            raise ValueError(f"group: {group!r} is none of the scan's townships")
        return number

    def _fresh(self) -> kernel.Ratios:
        """Work the scan out anew where expectations or the period changed."""
        if self._stale:
            self._weigh(self._cells.columns - 1, self._scan)
            self._stale = False
            self._knowing.clear()
        return self._scan

    def _settle(self) -> None:
        """Learn the maximum of the period that nothing is counted for any more."""
        if self.lag:
            self._weigh(self._cells.columns - 1 - self.lag, self._settling)
        else:
            self._fresh()
        for number in range(len(self.zones.groups)):
            self._maxima.learn(number, self._score(number, self._settling))

    def _weigh(self, column: int, scan: kernel.Ratios) -> None:
        kernel.weigh(
            column,
            self.least,
            self._windows,
            self.zones.starts,
            self.zones.members,
            self._cells.counts,
            self._cells.means,
            self._cells.spreads,
            *scan,
        )

    def _score(self, number: int, scan: kernel.Ratios) -> float:
        total = kernel.total_of(self._bounds[number], self._bounds[number + 1], scan.terms)
        return math.log(total / self._known(number, scan)) if total > 0.0 else -math.inf

    def _known(self, number: int, scan: kernel.Ratios) -> int:
        """Count a group's zones and windows of which something is expected."""
        kept = self._knowing if scan is self._scan else {}
        if number not in kept:
            costs = scan.costs[self._bounds[number] : self._bounds[number + 1]]
            kept[number] = int((costs < math.inf).any(axis=2).sum())
        return kept[number]
