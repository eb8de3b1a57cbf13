"""One reading through the detectors of a series, in their order: guards, limits, learned score."""

import numpy as np

from detectors.compiled import compiled
from detectors.series.guards import guard_range, guard_rate, guard_stuck, watch_limits
from detectors.series.score import HOUR, learn, rebase, score
from detectors.series.state import Code, Record

LEARNED = int(Code.LEARNED)
OPENS_AT = 6.0
"""Rarity from which readings in a row open a learned finding: one in a million."""
PERSISTENCE = 2
STAYS_AT, CLEARS_AFTER = 3.0, 3
LONGEST_READINGS, LONGEST_MICROSECONDS = 24, 3 * HOUR
"""A learned finding that lasts longer than both is the new normal: the profile is moved there. The score is mute as long."""


@compiled
def fold_in(fold: Record, spec: Record, time: int, value: float, good: bool) -> None:
    """Take in one reading that is newer than all before it."""
    fold.time = time
    if not good or not guard_range(fold, spec, time, value):
        return
    smooth = guard_rate(fold, spec, time, value)
    moving = guard_stuck(fold, spec, time, value)
    fold.value = value
    fold.value_time = time
    watch_limits(fold, spec, time, value)
    if smooth and moving:
        _learned(fold, spec.interval, time, value)


@compiled
def _learned(fold: Record, interval: float, time: int, value: float) -> None:
    """Score, then learn, then open or clear."""
    rarity, _, expected = score(fold, interval, time, value)
    learn(fold, interval, time, value)
    if fold.since[LEARNED] == 0:
        rare = rarity >= OPENS_AT and time >= fold.refractory
        fold.run[LEARNED] = fold.run[LEARNED] + 1 if rare else 0
        if fold.run[LEARNED] >= PERSISTENCE:
            fold.since[LEARNED] = time
            fold.run[LEARNED] = 0
            fold.peak = rarity
            fold.expected = expected
            fold.opened = 0
        return
    fold.opened += 1
    fold.peak = max(fold.peak, rarity)
    fold.run[LEARNED] = fold.run[LEARNED] + 1 if rarity < STAYS_AT else 0
    longest = max(LONGEST_READINGS * interval, LONGEST_MICROSECONDS)
    lasted = time - fold.since[LEARNED] >= longest and fold.opened >= LONGEST_READINGS
    if lasted or fold.run[LEARNED] >= CLEARS_AFTER:
        if lasted:
            rebase(fold, time, value)
        fold.since[LEARNED] = 0
        fold.run[LEARNED] = 0
        fold.peak = 0.0
        fold.refractory = time + np.int64(longest)
