"""One series of counts by itself, row by row, through the compiled model of counts: what `fenghuo score` answers."""

import numpy as np
from numpy.typing import NDArray

from detectors.compiled import compiled
from detectors.counts import glm_kernel as kernel
from detectors.counts.design import LOCAL, MONDAY, Floats, Period, design_of, features
from detectors.counts.gamma import rarities
from detectors.counts.glm import ALARM, SCORE_CAP
from detectors.counts.glm_bank import MOST_YEARS, YEAR_SECONDS
from detectors.counts.glm_kernel import Record
from detectors.counts.glm_state import fresh_row, prior_of

MICROSECOND = 1_000_000
LOCAL_SECONDS = int(LOCAL.total_seconds())


class OneCount:
    """Judges the counts of periods as they come, each by those before it alone; bounded memory.

    Score and alarm are those of `glm.CountGLM`: −log10 p over SCORE_CAP, and p < ALARM. A row that is no count (negative or
    not finite) has no score (NaN) and is no alarm, nor has one whose period was there before or lies behind the newest.
    A period without a row is missing, not zero.
    """

    def __init__(self, period: Period = "day") -> None:
        """Know nothing yet; ValueError for a period that is not known."""
        self.period: Period = period
        design = design_of(period)
        self._design = design
        self._prior = prior_of(design)
        self._most_steps = MOST_YEARS * YEAR_SECONDS // design.seconds
        self._states: Floats = fresh_row(design).reshape(1, -1)

    def judge(
        self, observed: NDArray[np.int64], values: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Judge counts (some time in the period, µs since 1970 UTC; value) in the order of arrival."""
        indices = self._indices(observed)
        known, places = np.unique(indices, return_inverse=True)
        table = np.array([features(int(index), self.period) for index in known]).reshape(
            -1, self._design.terms
        )
        found = np.full(len(indices), np.nan)
        _judge(
            self._states,
            np.ascontiguousarray(table),
            places.astype(np.int64),
            indices,
            np.ascontiguousarray(values, np.float64),
            self._most_steps,
            self._prior,
            self._design.patience,
            self._design.watched,
            found,
        )
        with np.errstate(invalid="ignore"):
            return np.clip(found / SCORE_CAP, 0.0, 1.0), found > -np.log10(ALARM)

    def _indices(self, observed: NDArray[np.int64]) -> NDArray[np.int64]:
        """Number the periods, as `design.index_of` does."""
        seconds = observed // MICROSECOND + LOCAL_SECONDS
        if self.period == "week":
            seconds = seconds - MONDAY
        return np.ascontiguousarray(seconds // self._design.seconds)


@compiled
def _judge(
    states: Floats,
    table: Floats,
    places: Record,
    indices: Record,
    counts: Floats,
    most_steps: int,
    prior: Record,
    patience: float,
    watched: float,
    found: Floats,
) -> None:
    """Write each count's rarity, then learn it; `table` holds the features of its period at `places`."""
    slots = np.zeros(1, np.int64)
    exposed, shifts = np.ones(1), np.zeros(1)
    means, shapes, rare = np.zeros(1), np.zeros(1), np.zeros(1)
    for number in range(len(counts)):
        if not 0.0 <= counts[number] < np.inf:
            continue
        values, index = table[places[number]], indices[number]
        count = counts[number : number + 1]
        kernel.offsets(states, slots, values, index, most_steps, prior, exposed, shifts)
        kernel.expect_all(states, slots, values, index, most_steps, prior, shifts, means, shapes)
        rarities(count, means, shapes, rare)
        if not kernel.learn_all(
            states, slots, values, index, most_steps, prior, patience, watched, shifts, count
        ):
            found[number] = rare[0]
