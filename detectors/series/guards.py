"""Guards of a device and limits of the law, reading by reading; what they hold open stands in `open` and `since`.

A guard speaks of the device (unit, range, rate, stuck), a limit of the world. Values out of range say nothing of the world
and reach no limit; a jump, a standing value or one in a doubtful unit may be true and does reach them. No learned model is
asked.
"""

from detectors.compiled import compiled
from detectors.series.marks import SECOND, begin, end, is_open, mark_of
from detectors.series.state import MAX_LIMITS, Code, Record

RANGE, RATE, UNIT, STUCK = int(Code.RANGE), int(Code.RATE), int(Code.UNIT), int(Code.STUCK)
LIMIT, LEARNED = int(Code.LIMIT), int(Code.LEARNED)
DAY = 86_400_000_000
RANGE_OPENS, RANGE_CLEARS = 2, 3
"""Readings in a row: one wild value is left out of everything but is no fault of the device yet."""
RATE_STEP, RATE_OPENS = 3, 5
"""A jump adds RATE_STEP, a quiet reading takes 1: two jumps close together open, a single one (a true event) does not."""
STUCK_READINGS, STUCK_SECONDS = 20, 1_800
STUCK_RECORD = 4
"""Times the longest standstill that the series ever had without a fault."""
STUCK_VARIETY = 0.3
"""A series that changes less often than this (rain, a switch) is never called stuck."""
MOST_SAME = 65_000
UNIT_LEAST, UNIT_MOST = 1_000.0 / 3.0, 3_000.0
"""Times the usual value of the last readings, or the part of it, that looks like milligrams told as micrograms or back."""
UNIT_OPENS, UNIT_CLEARS = 3, 3
UNIT_GAIN = 0.1
SAME, DOUBTED, STAYED = 0, 1, 2
UNIT_SECONDS = 7 * 86_400
"""A suspected unit that stays so long is taken for the series' own: no guard keeps the learned score mute for ever."""
COUNTER_RISES, COUNTER_REST = 20, 0.1
"""What rose so often and never fell may be a counter; a fall to this part of it at most, and not below 0, is its reset."""
COUNTER = 255
"""Rises of what was reset like a counter and has not fallen otherwise since."""
MISSING_MICROSECONDS, MISSING_INTERVALS = DAY, 24
"""A series without a usable reading for longer than both was missing; also how far ahead a clock has jumped."""


@compiled
def missing_after(interval: float) -> float:
    """Tell after how long (µs) without readings a series of this interval was missing, not merely late."""
    return max(MISSING_INTERVALS * interval, float(MISSING_MICROSECONDS))


@compiled
def guard_range(fold: Record, spec: Record, time: int, value: float) -> bool:
    """Say whether the device can measure this value (no bound is NaN, and nothing compares with it)."""
    outside = value < spec.low or value > spec.high
    opened = is_open(fold, RANGE)
    if outside == opened:
        fold.run[RANGE] = 0
        return not outside
    run = fold.run[RANGE] + 1
    if run >= (RANGE_CLEARS if opened else RANGE_OPENS):
        if opened:
            end(fold, RANGE)
        else:
            begin(fold, RANGE, time)
        run = 0
    fold.run[RANGE] = run
    return not outside


@compiled
def guard_rate(fold: Record, spec: Record, time: int, value: float) -> bool:
    """Say whether the value could be reached from the one before; half an interval is the least time counted."""
    if fold.value_time == 0:
        return True
    seconds = max(time - fold.value_time, 0.5 * spec.interval) / SECOND
    jumped = abs(value - fold.value) > spec.max_rate * seconds
    run = min(fold.run[RATE] + RATE_STEP, 9) if jumped else max(fold.run[RATE] - 1, 0)
    fold.run[RATE] = run
    if is_open(fold, RATE):
        if run == 0:
            end(fold, RATE)
    elif run >= RATE_OPENS:
        begin(fold, RATE, time)
    return not jumped


@compiled
def guard_stuck(fold: Record, spec: Record, time: int, value: float) -> bool:
    """Say whether the series still moves as it used to; zero and the lower bound may stand for ever (rain).

    A value that is the same before and after the series was missing did not stand still in between.
    """
    opened = is_open(fold, STUCK)
    if fold.value_time == 0:
        fold.same, fold.since[STUCK] = 1, mark_of(time)
    elif value != fold.value:
        if opened:
            end(fold, STUCK)
            opened = False
        else:  # a standstill that is over, of `same` readings, and one that moved
            fold.longest = max(fold.longest, fold.same)
            fold.variety += (1.0 - 0.98**fold.same) * (1.0 / fold.same - fold.variety)
        fold.same, fold.since[STUCK] = 1, mark_of(time)
    elif not opened and time - fold.value_time > missing_after(spec.interval):
        fold.same, fold.since[STUCK] = 1, mark_of(time)
    else:
        fold.same = min(fold.same + 1, MOST_SAME)
    if (
        not opened
        and fold.same >= max(STUCK_READINGS, STUCK_RECORD * fold.longest)
        and mark_of(time) - fold.since[STUCK] >= max(STUCK_SECONDS, STUCK_READINGS * spec.interval / SECOND)
        and fold.variety >= STUCK_VARIETY
        and value not in (0.0, spec.low)
    ):
        begin(fold, STUCK, time)
        opened = True
    return not opened


@compiled
def watch_limits(fold: Record, spec: Record, time: int, value: float) -> None:
    """Hold each limit broken from `consecutive` readings beyond it to as many back by the hysteresis."""
    for number in range(MAX_LIMITS):
        sign = spec.sign[number]
        if sign == 0:
            return
        code = LIMIT + number
        limit = spec.limit[number]
        opened = is_open(fold, code)
        beyond = sign * (value - limit)
        if not (beyond < -spec.hysteresis[number] * abs(limit) if opened else beyond > 0.0):
            fold.run[code] = 0
            continue
        run = fold.run[code] + 1
        if run >= spec.consecutive[number]:
            if opened:
                end(fold, code)
            else:
                begin(fold, code, time)
            run = 0
        fold.run[code] = run


@compiled
def _in_other_unit(usual: float, value: float) -> int:
    """Say whether a value looks like the usual one in a unit a thousand times smaller (1) or larger (−1), or not (0)."""
    if usual <= 0.0 or value <= 0.0:
        return 0
    if UNIT_LEAST * usual <= value <= UNIT_MOST * usual:
        return 1
    if UNIT_LEAST * value <= usual <= UNIT_MOST * value:
        return -1
    return 0


@compiled
def guard_unit(fold: Record, spec: Record, time: int, value: float) -> int:
    """Say whether the value is in the unit that the series always had: SAME, DOUBTED, or STAYED in another for long.

    One reading is enough to doubt, UNIT_OPENS to say it. What is usual is followed in the old unit all the while, so that
    the level may move as it does each day.
    """
    if spec.prefixed == 0:
        return SAME
    opened = is_open(fold, UNIT)
    other = _in_other_unit(fold.usual, value)
    if not opened and other == 0:
        fold.run[UNIT] = 0
        if value > 0.0:
            fold.usual = value if fold.usual <= 0.0 else fold.usual + UNIT_GAIN * (value - fold.usual)
        return SAME
    if other != 0:
        fold.usual += UNIT_GAIN * ((value / 1_000.0 if other > 0 else value * 1_000.0) - fold.usual)
    if opened == (other != 0):
        fold.run[UNIT] = 0
        return STAYED if opened and mark_of(time) - fold.since[UNIT] >= UNIT_SECONDS else DOUBTED
    run = fold.run[UNIT] + 1
    if run >= (UNIT_CLEARS if opened else UNIT_OPENS):
        if opened:
            end(fold, UNIT)
        else:
            begin(fold, UNIT, time)
        run = 0
    fold.run[UNIT] = run
    return DOUBTED


@compiled
def is_counter_reset(fold: Record, value: float) -> bool:
    """Say whether a counter, such as the rain of a day, began anew; learns by the way what is a counter."""
    if fold.value_time == 0 or value == fold.value:
        return False
    if value > fold.value:
        if fold.rises < COUNTER:
            fold.rises = min(fold.rises + 1, COUNTER - 1)
        return False
    if fold.rises >= COUNTER_RISES and 0.0 <= value <= COUNTER_REST * fold.value:
        fold.rises = COUNTER
        return True
    fold.rises = 0
    return False
