"""Guards of a device and limits of the law, reading by reading; what they hold open stands in `since`.

A guard speaks of the device (range, rate, stuck), a limit of the world. Values out of range say nothing of the world and
reach no limit; a jump or a standing value may be true and does reach them. No learned model is asked.
"""

from detectors.compiled import compiled
from detectors.series.state import MAX_LIMITS, Code, Record

RANGE, RATE, STUCK, LIMIT = int(Code.RANGE), int(Code.RATE), int(Code.STUCK), int(Code.LIMIT)
RANGE_OPENS, RANGE_CLEARS = 2, 3
"""Readings in a row: one wild value is left out of everything but is no fault of the device yet."""
RATE_STEP, RATE_OPENS = 3, 5
"""A jump adds RATE_STEP, a quiet reading takes 1: two jumps close together open, a single one (a true event) does not."""
STUCK_READINGS, STUCK_MICROSECONDS = 20, 1_800_000_000
STUCK_RECORD = 4
"""Times the longest standstill that the series ever had without a fault."""
STUCK_VARIETY = 0.3
"""A series that changes less often than this (rain, a switch) is never called stuck."""


@compiled
def guard_range(fold: Record, spec: Record, time: int, value: float) -> bool:
    """Say whether the device can measure this value (no bound is NaN, and nothing compares with it)."""
    outside = value < spec.low or value > spec.high
    opened = fold.since[RANGE] != 0
    fold.run[RANGE] = min(fold.run[RANGE] + 1, 100) if outside != opened else 0
    if fold.run[RANGE] >= (RANGE_CLEARS if opened else RANGE_OPENS):
        fold.since[RANGE] = 0 if opened else time
        fold.run[RANGE] = 0
    return not outside


@compiled
def guard_rate(fold: Record, spec: Record, time: int, value: float) -> bool:
    """Say whether the value could be reached from the one before; half an interval is the least time counted."""
    if fold.value_time == 0:
        return True
    seconds = max(time - fold.value_time, 0.5 * spec.interval) / 1e6
    jumped = abs(value - fold.value) > spec.max_rate * seconds
    run = min(fold.run[RATE] + RATE_STEP, 9) if jumped else max(fold.run[RATE] - 1, 0)
    fold.run[RATE] = run
    if fold.since[RATE] == 0 and run >= RATE_OPENS:
        fold.since[RATE] = time
    elif fold.since[RATE] != 0 and run == 0:
        fold.since[RATE] = 0
    return not jumped


@compiled
def guard_stuck(fold: Record, spec: Record, time: int, value: float) -> bool:
    """Say whether the series still moves as it used to; zero and the lower bound may stand for ever (rain)."""
    if fold.value_time != 0 and value == fold.value:
        fold.same = min(fold.same + 1, 1_000_000)
    else:
        if fold.value_time != 0:
            if fold.since[STUCK] == 0:  # a standstill that is over, of `same` readings, and one that moved
                fold.longest = max(fold.longest, fold.same)
                weight = 1.0 - 0.98**fold.same
                fold.variety += weight * (1.0 / fold.same - fold.variety)
            fold.since[STUCK] = 0
        fold.same = 1
        fold.same_since = time
    if (
        fold.since[STUCK] == 0
        and fold.same >= max(STUCK_READINGS, STUCK_RECORD * fold.longest)
        and time - fold.same_since >= max(STUCK_MICROSECONDS, STUCK_READINGS * spec.interval)
        and fold.variety >= STUCK_VARIETY
        and value not in (0.0, spec.low)
    ):
        fold.since[STUCK] = time
    moving: bool = fold.since[STUCK] == 0
    return moving


@compiled
def watch_limits(fold: Record, spec: Record, time: int, value: float) -> None:
    """Hold each limit broken from `consecutive` readings beyond it to as many back by the hysteresis."""
    for number in range(MAX_LIMITS):
        sign = spec.sign[number]
        if sign == 0:
            return
        code = LIMIT + number
        limit = spec.limit[number]
        if fold.since[code] == 0:
            speaks = sign * (value - limit) > 0.0
        else:
            speaks = sign * (value - limit) < -spec.hysteresis[number] * abs(limit)
        fold.run[code] = min(fold.run[code] + 1, 100) if speaks else 0
        if fold.run[code] >= spec.consecutive[number]:
            fold.since[code] = time if fold.since[code] == 0 else 0
            fold.run[code] = 0
