"""One-minute roll-ups of a series: the committed part of one minute, and what the ring adds to it and to later ones.

Readings reach a minute's sum in the order of time, whatever the order of their arrival, so that sums are bit-equal. Rows
are cumulative for their (slot, minute): the later one replaces the earlier. Late readings are not in them.
"""

import numpy as np

from detectors.compiled import compiled
from detectors.series.state import NEVER, RING, Record

MINUTE = 60_000_000


@compiled
def add_to_cell(cell: Record, value: float, good: bool) -> None:
    """Count a reading into a minute, a state's or a roll-up's."""
    cell.count += 1
    if good:
        cell.low = value if cell.good == 0 else min(cell.low, value)
        cell.high = value if cell.good == 0 else max(cell.high, value)
        cell.good += 1
        cell.total += value
        cell.last = value


@compiled
def _empty(cell: Record, minute: int) -> None:
    cell.minute = minute
    cell.count = 0
    cell.good = 0
    cell.total = 0.0
    cell.low = 0.0
    cell.high = 0.0
    cell.last = 0.0


@compiled
def _write(row: Record, slot: int, state: Record) -> None:
    row.slot = slot
    row.minute = state.minute
    row.count = state.count
    row.good = state.good
    row.total = state.total
    row.low = state.low
    row.high = state.high
    row.last = state.last


@compiled
def commit_to_cell(
    state: Record, slot: int, time: int, value: float, good: bool, ended: Record, number: int
) -> int:
    """Add the oldest reading to the committed minute; a touched minute that it ends goes to `ended`."""
    minute = time // MINUTE
    if minute != state.minute:
        if state.count != 0 and state.touched != NEVER and state.minute >= state.touched // MINUTE:
            _write(ended[number], slot, state)
            number += 1
        _empty(state, minute)
    add_to_cell(state, value, good)
    return number


@compiled
def take(states: Record, slots: Record, rows: Record) -> int:
    """Write the minutes touched since the last take; returns how many. At most RING + 1 for each slot."""
    number = 0
    for slot in slots:
        state = states[slot]
        if state.touched == NEVER:
            continue
        oldest = state.touched // MINUTE
        state.touched = NEVER
        current = np.int64(-1)
        if state.count != 0 and state.minute >= oldest:
            _write(rows[number], slot, state)
            current = state.minute
            number += 1
        for offset in range(state.size):
            place = (state.start + offset) % RING
            minute = state.ring_time[place] // MINUTE
            if minute < oldest:
                continue
            if minute != current:
                rows[number].slot = slot
                _empty(rows[number], minute)
                current = minute
                number += 1
            add_to_cell(rows[number - 1], state.ring_value[place], state.ring_good[place])
    return number
