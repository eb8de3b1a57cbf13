"""The scan as a River detector: cells of one township, which learns by itself what is usual in each."""

import copy
import math
from collections.abc import Hashable, Mapping
from typing import Any

from river import base

from detectors.counts.rate import MOST_RARE, belief, is_count
from detectors.counts.scan import WINDOWS, Scan
from detectors.counts.zones import zones_of

VERSION = 1
GUARD = 7
"""Periods that teach nothing yet, so that a cluster does not teach its own days to be usual."""
LONGEST_GAP = 400
"""Periods of silence that are still learned as periods without a case."""


class ClusterScore(base.SupervisedAnomalyDetector):
    """Scores `y` cases of `x["cell"]` in `x["period"]` by what they make of the township's score; high means a cluster.

    Without a cell it is the first, without a period the one after the last. Counts of one cell and period add up. What is no
    count, or lies before the windows, teaches nothing; KeyError for a cell that is not among `cells`. The score is a share
    of MOST_RARE in orders of magnitude. It learns on a copy: this form is for trials on few cells, streams use `Scan`.
    """

    def __init__(self, cells: tuple[str, ...] = ("000000000",), discount: float = 0.99) -> None:
        """Take the codes of cells, and what a period's weight keeps per period in learning what is usual."""
        self.cells = cells
        self.discount = discount
        self.weight = 0.0
        self.learned: list[float] = [0.0] * len(cells)
        self.waiting: list[list[int]] = []
        self._scan = Scan(zones_of(cells), WINDOWS, lag=0)
        self._number = {code: number for number, code in enumerate(self._scan.zones.cells)}

    def learn_one(self, x: Mapping[Hashable, Any] | None, y: Any) -> None:
        """Count cases; a later period than before lets time pass."""
        given = x or {}
        now = self._scan.now
        period = given.get("period", 0 if now is None else now + 1)
        cell = given.get("cell", self.cells[0])
        if not (isinstance(period, int) and is_count(y) and float(y).is_integer()):
            return
        if now is None or period > now:
            self._go_on(period)
        if self._scan.count(cell, period, int(y)):
            back = (self._scan.now or 0) - period
            if back < len(self.waiting):
                self.waiting[-1 - back][self._number[cell]] += int(y)

    def score_one(self, x: Mapping[Hashable, Any] | None, y: Any) -> float:
        """Score cases in [0, 1]; changes nothing."""
        if not (is_count(y) and float(y).is_integer()):
            return 0.0
        after = copy.deepcopy(self)
        after.learn_one(x, y)
        return min(after.rarity() / MOST_RARE, 1.0)

    def rarity(self) -> float:
        """Tell −log10 of how rare the cells' score is now, the rarest township's if there are several."""
        rare = min(self._scan.p_value(group) for group in self._scan.zones.groups)
        return max(-math.log10(max(rare, 1e-300)), 0.0)

    def dump(self) -> dict[str, Any]:
        """Write the state as plain numbers; `pieces` are the bytes of the scan's own, by township."""
        scan = copy.deepcopy(self._scan)  # whose record of what changed is not this reader's
        if scan.now is not None:
            scan.advance(scan.now)
        return {
            "version": VERSION,
            "weight": self.weight,
            "learned": list(self.learned),
            "waiting": [list(counts) for counts in self.waiting],
            "pieces": [[group, list(piece)] for group, piece in scan.dump().items()],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take up a written state; ValueError for another version."""
        if state.get("version") != VERSION:
            raise ValueError(f"state of version {state.get('version')}, this release reads {VERSION}")
        self.weight = state["weight"]
        self.learned = list(state["learned"])
        self.waiting = [list(counts) for counts in state["waiting"]]
        self._scan.restore({group: bytes(piece) for group, piece in state["pieces"]})

    def _go_on(self, period: int) -> None:
        """Begin a period: learn those that left the guard, and say what is expected of this one."""
        passed = period - (self._scan.now if self._scan.now is not None else period - 1)
        self._scan.advance(period)
        for _ in range(min(passed, LONGEST_GAP)):
            self.waiting.append([0] * len(self.cells))
        while len(self.waiting) > GUARD:
            counts = self.waiting.pop(0)
            self.weight = self.discount * self.weight + 1.0
            self.learned = [
                self.discount * seen + count for seen, count in zip(self.learned, counts, strict=True)
            ]
        expected = [belief(seen, self.weight, 1.0, 1.0) for seen in self.learned]
        self._scan.expect(period, [mean for mean, _ in expected], [shape for _, shape in expected])
