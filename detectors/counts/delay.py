"""How much of a period's counts is known while reports still come in: what `exposure` tells the model of counts.

The part known after a lag is learned from periods that are complete by now, as the ratio of sums (Lawless, Canadian Journal
of Statistics 22, 1994), the older ones discounted. A thinned negative binomial has the same law with a smaller mean and a
smaller dispersion; the model keeps the dispersion, so partial counts are judged a little mildly.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

VERSION = 1
WEIGHT = 30.0
"""Counts that what is given beforehand is worth."""
KEPT = 0.99
"""What is left of the evidence on a lag after another period."""
LEAST = 0.02
"""Part below which nothing can be judged: it would multiply chance by fifty."""


class Delay:
    """The parts of a period's counts that are known 0, 1, 2, … periods after it; all of them after the last lag given.

    Parts never shrink with the lag. One for all series that share a way of reporting, such as the hospitals of a county.
    """

    def __init__(self, parts: Sequence[float]) -> None:
        """Take the parts that are thought to be known by lag; ValueError unless they rise within (0, 1]."""
        found = tuple(float(part) for part in parts)
        if any(not 0.0 < part <= 1.0 for part in found):
            raise ValueError(f"parts: each lies above 0 and is at most 1, not {found}")
        if list(found) != sorted(found):
            raise ValueError(f"parts: a later lag cannot know less, as in {found}")
        self.parts = found
        self._known = [WEIGHT * part for part in found]
        self._whole = [WEIGHT] * len(found)

    def learn(self, lag: int, known: float, whole: float) -> None:
        """Learn that of `whole` counts `known` were there after a lag.

        What cannot be (not finite, less than 0, a lag that there is none of) teaches nothing. A period from which counts
        were taken back afterwards counts as complete at that lag.
        """
        if not 0 <= lag < len(self.parts):
            return
        if not (math.isfinite(known) and math.isfinite(whole) and known >= 0.0 and whole >= 0.0):
            return
        self._known[lag] = KEPT * self._known[lag] + min(known, whole)
        self._whole[lag] = KEPT * self._whole[lag] + whole

    def part(self, lag: int) -> float:
        """Tell the part that is known after a lag, for `exposure`; a lag below 0 knows as little as lag 0."""
        if lag >= len(self.parts):
            return 1.0
        found = LEAST
        for number in range(max(lag, 0) + 1):
            if self._whole[number] > 0.0:
                found = max(found, self._known[number] / self._whole[number])
        return min(found, 1.0)

    def dump(self) -> dict[str, Any]:
        """Write the state as plain numbers."""
        return {"version": VERSION, "known": list(self._known), "whole": list(self._whole)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take up a written state; ValueError for another version or another number of lags."""
        if state.get("version") != VERSION:
            raise ValueError(f"state of version {state.get('version')}, this release reads {VERSION}")
        if not len(state["known"]) == len(state["whole"]) == len(self.parts):
            raise ValueError(f"state of {len(state['known'])} lags, there are {len(self.parts)}")
        self._known, self._whole = list(state["known"]), list(state["whole"])
