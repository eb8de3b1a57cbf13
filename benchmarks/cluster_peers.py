"""Who looks for clusters: the scan as it is shipped, and two peers on the same days with the same expectations."""

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammainc  # type: ignore[import-untyped]  # scipy ships no types

from benchmarks.cluster_townships import CELLS, SIDE, Floats, Runs
from detectors.counts.scan import WINDOWS, Scan
from detectors.counts.zones import zones_of

CIRCLES = range(1, 13)
"""Cells in the circles of the peer."""


class Judged(NamedTuple):
    """By township and day: a score, and the cells that it is about."""

    scores: Floats
    cells: NDArray[np.bool_]


class Method(Protocol):
    """Judges the days of townships; the first six only fill the windows."""

    def __call__(self, runs: Runs) -> Judged:
        """Judge all days."""


class OurScan:
    """The scan, day by day, as the stream runs it at the end of each day."""

    def __init__(self) -> None:
        """Draw the zones of the square, by places."""
        codes = [f"330106001{cell // SIDE + 1:03d}{cell % SIDE + 1:03d}" for cell in range(CELLS)]
        places = {
            code: (30.0 + 0.009 * (cell // SIDE), 120.0 + 0.0104 * (cell % SIDE))
            for cell, code in enumerate(codes)
        }
        self.zones = zones_of(codes, places)
        self._number = {code: cell for cell, code in enumerate(codes)}

    def __call__(self, runs: Runs) -> Judged:
        """Judge all days."""
        townships, days = runs.counts.shape[:2]
        judged = Judged(np.full((townships, days), -np.inf), np.zeros((townships, days, CELLS), bool))
        for township in range(townships):
            scan = Scan(self.zones, lag=0)
            for day in range(days):
                scan.advance(day)
                scan.expect(day, runs.means[township, day], runs.shapes[township, day])
                for cell in np.flatnonzero(runs.counts[township, day]).tolist():
                    scan.count(self.zones.cells[cell], day, int(runs.counts[township, day, cell]))
                for found in scan.best()[:1]:
                    judged.scores[township, day] = found.score
                    judged.cells[township, day, [self._number[code] for code in found.cells]] = True
        return judged


def cell_by_cell(runs: Runs) -> Judged:
    """Test each cell and window by itself: the least Poisson tail, as −log10 p."""
    scores = np.zeros(runs.counts.shape)
    for counts, means in _windows(runs):
        tails = np.where(counts > 0, gammainc(np.maximum(counts, 1), means), 1.0)
        scores = np.maximum(scores, -np.log10(np.maximum(tails, 1e-300)))
    best = scores.argmax(axis=2)
    return Judged(scores.max(axis=2), best[..., None] == np.arange(CELLS))


def circles(runs: Runs) -> Judged:
    """Take the greatest expectation-based Poisson log-likelihood ratio over circles of 1 to 12 cells and windows.

    Kulldorff's prospective scan (2001) with the statistic of Neill et al. (2005).
    """
    points = np.array([divmod(cell, SIDE) for cell in range(CELLS)])
    drawn: set[tuple[int, ...]] = set()
    for point in points:
        order = np.argsort(((points - point) ** 2).sum(axis=1), kind="stable")
        drawn.update(tuple(sorted(order[:size].tolist())) for size in CIRCLES)
    zones = np.zeros((len(drawn), CELLS), np.float32)
    for number, zone in enumerate(sorted(drawn)):
        zones[number, list(zone)] = 1.0
    shape = runs.counts.shape[:2]
    greatest, where = np.full(shape, -1.0), np.zeros(shape, np.int64)
    for counts, means in _windows(runs):
        for township in range(shape[0]):
            seen = counts[township].astype(np.float32) @ zones.T
            usual = means[township].astype(np.float32) @ zones.T
            ratios = np.where(seen > usual, seen * np.log(np.maximum(seen, 1) / usual) - (seen - usual), 0.0)
            best = ratios.max(axis=1)
            where[township] = np.where(best > greatest[township], ratios.argmax(axis=1), where[township])
            greatest[township] = np.maximum(greatest[township], best)
    return Judged(greatest, zones[where] > 0)


def _windows(runs: Runs) -> list[tuple[Floats, Floats]]:
    """Add up counts and means over each window that ends on each day; where the days do not reach, over those there are."""
    sums = []
    for length in WINDOWS:
        pair = []
        for values in (runs.counts, runs.means):
            total = np.cumsum(values, axis=1, dtype=np.float64)
            total[:, length:] -= total[:, :-length].copy()
            pair.append(total)
        sums.append((pair[0], pair[1]))
    return sums
