"""One reading through the detectors of a series, in their order: guards, limits, learned score."""

from detectors.compiled import compiled
from detectors.series.guards import (
    COUNTER,
    LEARNED,
    SAME,
    STAYED,
    UNIT,
    guard_range,
    guard_rate,
    guard_stuck,
    guard_unit,
    is_counter_reset,
    missing_after,
    watch_limits,
)
from detectors.series.marks import SECOND, begin, end, is_open, mark_of
from detectors.series.score import learn, rebase, score
from detectors.series.state import Record

OPENS_AT = 6.0
"""Rarity from which readings in a row open a learned finding: one in a million."""
PERSISTENCE = 2
STAYS_AT, CLEARS_AFTER = 3.0, 3
LONGEST_READINGS, LONGEST_SECONDS = 24, 3 * 3_600
"""A learned finding that lasts longer than both is the new normal: the profile is moved there. The score is mute as long."""


@compiled
def fold_in(fold: Record, spec: Record, time: int, value: float, good: bool) -> None:
    """Take in one reading that is newer than all before it."""
    if not good:
        return
    inside = guard_range(fold, spec, time, value)
    began_anew = inside and is_counter_reset(fold, value)
    unit = SAME if began_anew else guard_unit(fold, spec, time, value)
    if not inside:
        return
    if fold.value_time != 0 and time - fold.value_time > missing_after(spec.interval):
        _welcome_back(fold, spec.interval, time)
    smooth = began_anew or guard_rate(fold, spec, time, value)
    moving = guard_stuck(fold, spec, time, value)
    fold.value = value
    fold.value_time = time
    watch_limits(fold, spec, time, value)
    if began_anew:
        _count_anew(fold, value)
    elif fold.rises == COUNTER:  # the hour of day and the level say nothing of a total
        return
    elif unit == STAYED:
        _take_over_unit(fold, time, value)
    elif unit == SAME and smooth and moving:
        _learned(fold, spec.interval, time, value)


@compiled
def _longest(interval: float) -> int:
    return int(max(LONGEST_READINGS * interval / SECOND, LONGEST_SECONDS))


@compiled
def _welcome_back(fold: Record, interval: float, time: int) -> None:
    """Keep what was learned of a series that was missing, and let it find its present level before it is judged."""
    fold.run[LEARNED] = 0
    if not is_open(fold, LEARNED):
        fold.since[LEARNED] = mark_of(time) + _longest(interval)


@compiled
def _count_anew(fold: Record, value: float) -> None:
    """Take a counter's reset for what it is, and judge its total by limits alone."""
    fold.usual = max(value, 0.0)
    fold.learned = 0
    fold.run[LEARNED] = 0
    if is_open(fold, LEARNED):
        end(fold, LEARNED)


@compiled
def _take_over_unit(fold: Record, time: int, value: float) -> None:
    """Take a suspected unit for the series' own, and learn in it anew."""
    end(fold, UNIT)
    fold.usual = value
    rebase(fold, time, value)
    fold.learned = 0


@compiled
def _learned(fold: Record, interval: float, time: int, value: float) -> None:
    """Score, then learn, then open or clear."""
    rarity, _, expected = score(fold, interval, time, value)
    learn(fold, interval, time, value)
    if not is_open(fold, LEARNED):
        rare = rarity >= OPENS_AT and mark_of(time) >= fold.since[LEARNED]
        fold.run[LEARNED] = fold.run[LEARNED] + 1 if rare else 0
        if fold.run[LEARNED] >= PERSISTENCE:
            begin(fold, LEARNED, time)
            fold.run[LEARNED] = 0
            fold.peak = rarity
            fold.expected = expected
            fold.opened = 0
        return
    fold.opened = min(fold.opened + 1, 255)
    fold.peak = max(fold.peak, rarity)
    fold.run[LEARNED] = fold.run[LEARNED] + 1 if rarity < STAYS_AT else 0
    longest = _longest(interval)
    lasted = mark_of(time) - fold.since[LEARNED] >= longest and fold.opened >= LONGEST_READINGS
    if lasted or fold.run[LEARNED] >= CLEARS_AFTER:
        if lasted:
            rebase(fold, time, value)
        end(fold, LEARNED)
        fold.run[LEARNED] = 0
        fold.peak = 0.0
        fold.since[LEARNED] = mark_of(time) + longest
