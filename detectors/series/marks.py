"""Times that detectors keep, in four bytes: whole seconds since 2000, and which findings are open since when.

A mark is rounded down, so the same reading always gives the same mark. Times outside 2000 … 2136 give the nearest one.
"""

import numpy as np

from detectors.compiled import compiled
from detectors.series.state import NEVER, Record

SECOND = 1_000_000
BASE = 946_684_800
"""Seconds from 1970 to 2000 UTC: no device's clock is believed to be earlier."""
LAST = int(NEVER)


@compiled
def mark_of(time: int) -> int:
    """Make the mark of a time (µs); never 0, which stands for none."""
    return min(max(time // SECOND - BASE, 1), LAST)


@compiled
def time_of_mark(mark: int) -> int:
    """Make the time (µs) of a mark."""
    return int((np.int64(mark) + BASE) * SECOND)


@compiled
def is_open(fold: Record, code: int) -> bool:
    """Say whether a detector's finding is open."""
    return bool(fold.open & (1 << code))


@compiled
def since_of(fold: Record, code: int, is_wanted: bool) -> int:
    """Tell the mark since when a detector's finding is open; 0 when it is not wanted, because it is none."""
    return int(np.int64(fold.since[code])) if is_wanted else 0


@compiled
def begin(fold: Record, code: int, time: int) -> None:
    """Open a detector's finding."""
    fold.open |= 1 << code
    fold.since[code] = mark_of(time)


@compiled
def end(fold: Record, code: int) -> None:
    """Close a detector's finding."""
    fold.open &= ~(1 << code) & 0xFFFF
    fold.since[code] = 0
