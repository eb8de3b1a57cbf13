"""One series by itself, reading by reading, through the very kernel that the stream runs: what `fenghuo score` answers.

Its distance of readings is learned from the first GAPS of them: each reading is judged by the median of the distances so
far. Nothing is known of its range, its rate or its limits, so what can speak are the learned score and the guards that need
none of these, such as that for a sensor that is stuck.
"""

import numpy as np
from numpy.typing import NDArray

from detectors.compiled import compiled
from detectors.series.bank import Bank, specification
from detectors.series.fold import WEAK_AT
from detectors.series.kernel import MOST_PER_READING, update
from detectors.series.ring import newest_of
from detectors.series.rollup import MINUTE
from detectors.series.score import RARITY_CAP, score
from detectors.series.state import FOLD, NEVER, ROLLUP, SERIES, TRANSITION, Code, Record

GAPS = 63
"""Distances of readings that are looked at; their median does not mind some that are missing."""
DEFAULT_SECONDS = 300.0
"""Distance of readings until there are two."""
PATIENCE = 30
"""Readings in a row behind the newest that make the newest a clock gone wrong: what was learned begins anew."""
ALARM = 0.5
"""The score of what opens a finding, and of nothing less."""
LEARNED = int(Code.LEARNED)
UNSAID = 0.499999
"""The most that anything else scores; still below ALARM when it is written with six digits."""


class OneSeries:
    """Judges readings as they come; bounded memory, and no reading is judged by anything after it.

    A reading that opens a finding, be it weak, is an alarm: its score is ALARM at least, more the rarer it is, and 1 at the
    rarity of `score.RARITY_CAP`; a guard has no rarity, so its alarm scores just ALARM. All others score below ALARM: by the
    rarity of the record they set, also while a finding is open, since nothing new is to be told then. A reading that
    a guard holds back from the learned score (a stuck sensor's) scores 0. What is not finite, comes twice or behind a later
    one has no score (NaN) and is no alarm.
    """

    def __init__(self) -> None:
        """Know nothing yet."""
        self._states = np.zeros(1, SERIES)
        self._spec = specification(interval_seconds=DEFAULT_SECONDS).reshape(1)
        self._lateness = Bank().lateness
        self._gaps = np.zeros(GAPS, np.int64)
        self._counted = np.zeros(2, np.int64)  # distances, and readings in a row behind the newest
        self._touched = np.full(1, NEVER, np.uint32)
        self._said = np.empty(2 * MOST_PER_READING, TRANSITION)
        self._ended = np.empty(16, ROLLUP)
        self._before = np.zeros(1, FOLD)

    def judge(
        self, observed: NDArray[np.int64], values: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Judge readings (µs since 1970 UTC, values) in the order of arrival; answers scores and alarms."""
        scores = np.full(len(observed), np.nan)
        alarms = np.zeros(len(observed), np.bool_)
        _judge(
            self._states,
            self._spec,
            self._touched,
            self._gaps,
            self._counted,
            np.ascontiguousarray(observed, np.int64),
            np.ascontiguousarray(values, np.float64),
            self._lateness,
            self._said,
            self._ended,
            self._before,
            scores,
            alarms,
        )
        return scores, alarms


@compiled
def _judge(
    states: Record,
    specs: Record,
    touched: Record,
    gaps: Record,
    counted: Record,
    observed: Record,
    values: Record,
    lateness: int,
    said: Record,
    ended: Record,
    before: Record,
    scores: Record,
    alarms: Record,
) -> None:
    slots = np.zeros(1, np.int32)
    quality = np.zeros(1, np.uint8)
    late = np.zeros(1, np.int32)
    for number in range(len(observed)):
        time, value = observed[number], values[number]
        if not np.isfinite(value):
            continue
        newest = newest_of(states[0])
        if newest != 0 and time > newest and counted[0] < GAPS:
            gaps[counted[0]] = time - newest
            counted[0] += 1
            specs[0].interval = np.median(gaps[: counted[0]])
        head, interval = states[0].head, specs[0].interval
        rarity = score(head, interval, time, value)[1]
        opened, learned = int(head.open), int(head.learned)
        part = slice(number, number + 1)
        touched[0] = time // MINUTE
        result = update(
            states, specs, touched, slots, observed[part], values[part], quality, time, lateness,
            said, ended, late, before,
        )  # fmt: skip
        if result[3] or result[4] or time <= newest:  # too late, repeated, or in time but behind another
            counted[1] += 1
            if counted[1] >= PATIENCE:
                states[0] = np.zeros(1, states.dtype)[0]
                counted[:] = 0
            continue
        counted[1] = 0
        head = states[0].head
        fresh = int(head.open) & ~opened
        if fresh:
            alarms[number] = True
            scores[number] = ALARM
            if fresh & (1 << LEARNED):
                beyond = (min(float(head.peak), RARITY_CAP) - WEAK_AT) / (RARITY_CAP - WEAK_AT)
                scores[number] += (1.0 - ALARM) * max(beyond, 0.0)
        elif int(head.learned) == learned:
            scores[number] = 0.0
        else:
            scores[number] = min(ALARM * rarity / WEAK_AT, UNSAID)
