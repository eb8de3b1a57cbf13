"""The newest readings of a series, in order of time: those that may be overtaken, and those not believed yet.

A reading far ahead of all before it (see `missing_after`) is believed, until one comes that follows those before: then it
is set aside with what followed it, MOST_AHEAD readings at most, until time reaches them or another reading comes after
them. So a clock that is wrong for a few readings does not make all later ones late.
"""

import numpy as np

from detectors.compiled import compiled
from detectors.series.guards import missing_after
from detectors.series.state import RING, Record

MOST_AHEAD = 3


@compiled
def place_of(state: Record, offset: int) -> int:
    """Tell where in the ring its reading number `offset` lies, the oldest being number 0."""
    return int(np.int64(state.start) + offset) % RING


@compiled
def believed_of(state: Record) -> int:
    """Count the ring's readings that are believed: all but the newest `ahead`."""
    return int(np.int64(state.size) - np.int64(state.ahead))


@compiled
def newest_of(state: Record) -> int:
    """Tell the time (µs) of the newest believed reading, 0 when there is none."""
    believed = believed_of(state)
    time: int = state.ring_time[place_of(state, believed - 1)] if believed else state.committed_time
    return time


@compiled
def holds(state: Record, time: int) -> bool:
    """Say whether there is a reading of this very time."""
    for offset in range(state.size):
        if state.ring_time[place_of(state, offset)] == time:
            return True
    repeated: bool = time == state.committed_time
    return repeated


@compiled
def is_good(state: Record, place: int) -> bool:
    """Say whether the reading at a place may reach detectors."""
    return bool((state.ring_good >> place) & 1)


@compiled
def insert(state: Record, time: int, value: float, good: bool) -> None:
    """Put a reading among those of the ring, which has room for it; later ones move up."""
    offset = int(np.int64(state.size))
    place = place_of(state, offset)
    bits = np.int64(state.ring_good)
    while offset > 0:
        before = place_of(state, offset - 1)
        if state.ring_time[before] < time:
            break
        state.ring_time[place] = state.ring_time[before]
        state.ring_value[place] = state.ring_value[before]
        bits = (bits & ~(1 << place)) | (((bits >> before) & 1) << place)
        place = before
        offset -= 1
    state.ring_time[place] = time
    state.ring_value[place] = value
    state.ring_good = (bits & ~(1 << place)) | (np.int64(good) << place)
    state.size += 1


@compiled
def set_ahead_aside(state: Record, interval: float, time: int) -> bool:
    """Believe this reading instead of those far ahead of it, if they are few; says whether that was done."""
    if state.ahead:
        return False
    before, size = 0, int(np.int64(state.size))
    while before < size and state.ring_time[place_of(state, before)] < time:
        before += 1
    ahead = size - before
    if not 1 <= ahead <= MOST_AHEAD or (before == 0 and state.committed_time != 0):
        return False
    if state.ring_time[place_of(state, before)] - time <= missing_after(interval):
        return False
    state.ahead = ahead
    return True


@compiled
def are_reached(state: Record, interval: float, time: int) -> bool:
    """Say whether a new reading makes those set aside believed: it is beyond the first of them, or near it."""
    first = state.ring_time[place_of(state, believed_of(state))]
    reached: bool = first - time <= missing_after(interval)
    return reached
