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
"""Rarity of two readings in a row from which a learned finding raises something by itself: one in a million."""
PERSISTENCE = 2
WEAK_AT = 3.2
"""Rarity of one record that opens a weak finding: about one in 2,000 readings of noise, in the first weeks of a series."""
WEAK_MOST = 5.99
"""What a weak finding says at most, however rare its one reading was."""
ONCE_RARE = 128
"""Stands for the run of a weak finding's readings while the newest alone is beyond OPENS_AT."""
STAYS_AT, CLEARS_AFTER = 3.0, 3
LONGEST_READINGS, LONGEST_SECONDS = 24, 3 * 3_600
"""A finding that lasts longer than both is over; unless it was weak, the profile is moved there: it is the new normal. After
any finding nothing weak opens as long, and after one that was not weak nothing at all."""


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
        fold.peak = OPENS_AT


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
    """Score, then learn, then open, raise or clear."""
    tail, record, expected = score(fold, interval, time, value)
    rarity = max(tail, record)
    learn(fold, interval, time, value)
    if is_open(fold, LEARNED):
        _go_on(fold, interval, time, value, rarity)
        return
    is_mute = mark_of(time) < fold.since[LEARNED]
    rare = rarity >= OPENS_AT and not (is_mute and fold.peak >= OPENS_AT)
    fold.run[LEARNED] = fold.run[LEARNED] + 1 if rare else 0
    strong = fold.run[LEARNED] >= PERSISTENCE
    if strong or (record >= WEAK_AT and not is_mute):
        begin(fold, LEARNED, time)
        fold.run[LEARNED] = ONCE_RARE if rare and not strong else 0
        fold.peak = rarity if strong else min(rarity, WEAK_MOST)
        fold.expected = expected
        fold.opened = 0


@compiled
def _go_on(fold: Record, interval: float, time: int, value: float, rarity: float) -> None:
    """Raise an open finding, or clear it."""
    fold.opened = min(fold.opened + 1, 255)
    weak = fold.peak < OPENS_AT
    if weak and rarity >= OPENS_AT and fold.run[LEARNED] != ONCE_RARE:
        fold.run[LEARNED] = ONCE_RARE
        fold.peak = WEAK_MOST
    elif rarity < STAYS_AT:
        fold.run[LEARNED] = fold.run[LEARNED] % ONCE_RARE + 1
    else:
        fold.run[LEARNED] = 0
        fold.peak = max(fold.peak, rarity)
    longest = _longest(interval)
    lasted = mark_of(time) - fold.since[LEARNED] >= longest and fold.opened >= LONGEST_READINGS
    if lasted or fold.run[LEARNED] % ONCE_RARE >= CLEARS_AFTER:
        if lasted and fold.peak >= OPENS_AT:
            rebase(fold, time, value)
        end(fold, LEARNED)
        fold.run[LEARNED] = 0
        fold.since[LEARNED] = mark_of(time) + longest
