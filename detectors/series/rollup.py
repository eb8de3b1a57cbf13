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
def _empty(cell: Record) -> None:
    cell.count = 0
    cell.good = 0
    cell.total = 0.0
    cell.low = 0.0
    cell.high = 0.0
    cell.last = 0.0


@compiled
def _write(row: Record, slot: int, minute: int, state: Record) -> None:
    row.slot = slot
    row.minute = minute
    row.count = state.count
    row.good = state.good
    row.total = state.total
    row.low = state.low
    row.high = state.high
    row.last = state.last


@compiled
def commit_to_cell(
    state: Record, touched: int, slot: int, time: int, value: float, good: bool, ended: Record, number: int
) -> int:
    """Add a reading that is about to be committed to its minute; a touched minute that it ends goes to `ended`.

    `touched` is the oldest minute with a reading since the roll-ups were taken. Returns how much of `ended` is filled.
    """
    before = state.committed_time // MINUTE
    if time // MINUTE != before:
        if state.count != 0 and before >= touched:
            _write(ended[number], slot, before, state)
            number += 1
        _empty(state)
    add_to_cell(state, value, good)
    return number


@compiled
def take(states: Record, touched: Record, slots: Record, rows: Record) -> int:
    """Write the minutes touched since the last take; returns how many. At most RING + 1 for each slot."""
    number = 0
    for slot in slots:
        state = states[slot]
        oldest = np.int64(touched[slot])
        touched[slot] = NEVER
        current = np.int64(-1)
        if state.count != 0 and state.committed_time // MINUTE >= oldest:
            current = state.committed_time // MINUTE
            _write(rows[number], slot, current, state)
            number += 1
        for offset in range(state.size):
            place = (state.start + offset) % RING
            minute = state.ring_time[place] // MINUTE
            if minute < oldest:
                continue
            if minute != current:
                rows[number].slot = slot
                rows[number].minute = minute
                _empty(rows[number])
                current = minute
                number += 1
            add_to_cell(rows[number - 1], state.ring_value[place], (state.ring_good >> place) & 1 != 0)
    return number
