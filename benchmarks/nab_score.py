"""The score of the Numenta Anomaly Benchmark, standard profile, as its own scorer computes it.

Source: Lavin and Ahmad, "Evaluating Real-time Anomaly Detection Algorithms – the Numenta Anomaly Benchmark", ICMLA 2015,
doi 10.1109/ICMLA.2015.141, and `nab/sweeper.py` of its repository. In a window the earliest alarm counts, by a sigmoid that
falls from 1 at the first row to nearly 0 at the last; every alarm outside costs by how far it is behind the last window; a
window without an alarm costs 1. Rows of the probation are left out. All files together have one threshold.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PROBATION_SHARE, PROBATION_MOST = 0.15, 750
"""Rows at the beginning of a file that nobody is judged by: a share of them, and this many at most."""
WEIGHT_TRUE, WEIGHT_FALSE, WEIGHT_MISSED = 1.0, 0.11, 1.0
"""The standard profile: of a window that was found, of a false alarm, of a window that was missed."""
FAR_BEHIND = 3.0
"""Window widths behind a window from which on an alarm is as false as can be."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Marked:
    """One file's rows as they are scored: what an alarm there is worth, and in which window it is (−1: in none)."""

    weights: Floats
    window: NDArray[np.int64]
    windows: int
    probation: int


def scaled_sigmoid(position: float) -> float:
    """Weigh a place, in window widths behind a window's last row: 1 long before it, 0 at it, −1 long after."""
    return -1.0 if position > FAR_BEHIND else 2.0 / (1.0 + math.exp(5.0 * position)) - 1.0


def mark(rows: int, windows: Sequence[tuple[int, int]]) -> Marked:
    """Weigh a file's rows, given the first and the last row of its windows in order; ValueError if they are not in order."""
    weights, window = np.full(rows, -WEIGHT_FALSE), np.full(rows, -1, np.int64)
    behind = -1
    for number, (first, last) in enumerate(windows):
        if not behind < first < last < rows:
            raise ValueError(
                f"window {number} is rows {first} to {last} of {rows}, and the one before ends at {behind}"
            )
        width, behind = last - first + 1, last
        window[first : last + 1] = number
        for row in range(first, last + 1):
            weights[row] = WEIGHT_TRUE * scaled_sigmoid((row - last - 1) / width) / scaled_sigmoid(-1.0)
        for row in range(last + 1, rows):
            weights[row] = WEIGHT_FALSE * scaled_sigmoid((row - last) / (width - 1))
    return Marked(weights, window, len(windows), min(int(PROBATION_SHARE * rows), PROBATION_MOST))


def worth(file: Marked, alarms: NDArray[np.bool_]) -> float:
    """Add up what a file's alarms are worth, missed windows included: as many as its windows at best."""
    alarms = alarms.copy()
    alarms[: file.probation] = False
    total = float(file.weights[alarms & (file.window < 0)].sum())
    for number in range(file.windows):
        hits = file.weights[alarms & (file.window == number)]
        total += float(hits.max()) if len(hits) else -WEIGHT_MISSED
    return total


def standard(total: float, windows: int) -> float:
    """Put what alarms are worth on NAB's scale: 0 is no alarm at all, 100 every window found in its first row."""
    return 100.0 * (total + WEIGHT_MISSED * windows) / ((WEIGHT_TRUE + WEIGHT_MISSED) * windows)


def steps(file: Marked, scores: Floats) -> tuple[Floats, Floats]:
    """List the scores of a file, falling, and what each row adds when the threshold falls to its score."""
    adds = np.where(file.window < 0, file.weights, 0.0)
    for number in range(file.windows):
        rows = np.flatnonzero((file.window == number) & (np.arange(len(scores)) >= file.probation))
        rows = rows[np.argsort(-scores[rows], kind="stable")]
        best = np.maximum.accumulate(np.append(-WEIGHT_MISSED, file.weights[rows]))
        adds[rows] = np.diff(best)
    order = file.probation + np.argsort(-scores[file.probation :], kind="stable")
    return scores[order], adds[order]


def best_threshold(files: Sequence[Marked], scores: Sequence[Floats]) -> float:
    """Find the threshold that scores best over all files together; infinity when no alarm is better than any."""
    pieces = [steps(file, own) for file, own in zip(files, scores, strict=True)]
    heights = np.concatenate([piece[0] for piece in pieces])
    order = np.argsort(-heights, kind="stable")
    heights, gained = heights[order], np.cumsum(np.concatenate([piece[1] for piece in pieces])[order])
    is_last = np.append(heights[1:] != heights[:-1], True)
    heights, gained = heights[is_last], gained[is_last]
    best = int(np.argmax(gained))
    return float(heights[best]) if gained[best] > 0 else math.inf
