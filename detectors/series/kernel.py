"""A batch of readings through the series of a partition: into each ring, through detectors and minutes, into words."""

import math

import numpy as np

from detectors.compiled import compiled
from detectors.series.fold import fold_in
from detectors.series.rollup import commit_to_cell
from detectors.series.state import FOLDED, RING, Change, Code, Record

LEARNED, SILENT = int(Code.LEARNED), int(Code.SILENT)
CONFIRMED, CLEARED, CHANGED = int(Change.CONFIRMED), int(Change.CLEARED), int(Change.CHANGED)
MOST_PER_READING = 2 * FOLDED + 1
"""Transitions that one reading can cause: each detector's clears and opens, and silence ends."""
NOTED = 1
"""The worst quality that reaches detectors."""
NEW, REPEATED, LATE = 0, 1, 2


@compiled
def update(
    states: Record,
    specs: Record,
    slots: Record,
    observed: Record,
    values: Record,
    quality: Record,
    received: int,
    lateness: int,
    said: Record,
    ended: Record,
    late: Record,
) -> tuple[int, int, int, int, int]:
    """Take in readings up to the end, or until `said` might overflow.

    Returns how many were taken in, and how much of `said`, `ended` and `late` is filled, and how many were repeated.
    """
    spoken = closed = missed = repeated = 0
    for number in range(len(slots)):
        if spoken + MOST_PER_READING > len(said):
            return number, spoken, closed, missed, repeated
        slot = slots[number]
        state = states[slot]
        value = values[number]
        good = quality[number] <= NOTED and math.isfinite(value)
        fate, closed = _enter(
            state, specs[slot], slot, observed[number], value, good, lateness, ended, closed
        )
        if fate == NEW:
            spoken = _speak(state, specs[slot], slot, received, said, spoken)
        elif fate == REPEATED:
            repeated += 1
        else:
            late[missed] = number
            missed += 1
    return len(slots), spoken, closed, missed, repeated


@compiled
def _enter(
    state: Record,
    spec: Record,
    slot: int,
    time: int,
    value: float,
    good: bool,
    lateness: int,
    ended: Record,
    closed: int,
) -> tuple[int, int]:
    """Put a reading at its place; returns its fate and how much of `ended` is filled."""
    head, committed = state.head, state.committed
    in_order = time > head.time
    if not in_order:
        for offset in range(state.size):
            if state.ring_time[(state.start + offset) % RING] == time:
                return REPEATED, closed
        if time == committed.time:
            return REPEATED, closed
        if time < committed.time or time < head.time - lateness:
            return LATE, closed
    state.touched = min(state.touched, time)
    if state.size == RING:
        place = state.start
        if time < state.ring_time[place]:  # older than the whole ring: it passes by it
            closed = commit_to_cell(state, slot, time, value, good, ended, closed)
            fold_in(committed, spec, time, value, good)
            _fold_again(state, spec)
            return NEW, closed
        oldest, kept, usable = state.ring_time[place], state.ring_value[place], state.ring_good[place] != 0
        closed = commit_to_cell(state, slot, oldest, kept, usable, ended, closed)
        fold_in(committed, spec, oldest, kept, usable)
        state.start = (place + 1) % RING
        state.size = RING - 1
    _insert(state, time, value, good)
    if in_order:
        fold_in(head, spec, time, value, good)
    else:
        _fold_again(state, spec)
    return NEW, closed


@compiled
def _insert(state: Record, time: int, value: float, good: bool) -> None:
    """Put a reading among those of the ring, which has room for it; later ones move up."""
    place = (state.start + state.size) % RING
    for _ in range(state.size):
        before = (place + RING - 1) % RING
        if state.ring_time[before] < time:
            break
        state.ring_time[place] = state.ring_time[before]
        state.ring_value[place] = state.ring_value[before]
        state.ring_good[place] = state.ring_good[before]
        place = before
    state.ring_time[place] = time
    state.ring_value[place] = value
    state.ring_good[place] = good
    state.size += 1


@compiled
def _fold_again(state: Record, spec: Record) -> None:
    state.head = state.committed
    for offset in range(state.size):
        place = (state.start + offset) % RING
        fold_in(
            state.head, spec, state.ring_time[place], state.ring_value[place], state.ring_good[place] != 0
        )


@compiled
def _speak(state: Record, spec: Record, slot: int, received: int, said: Record, number: int) -> int:
    """Say the difference between what was last said of a series and what its head holds now."""
    if not spec.known:
        return number
    head = state.head
    for code in range(FOLDED):
        since, before = head.since[code], state.said[code]
        if since == before:
            if code == LEARNED and since != 0 and int(head.peak) > int(state.said_peak):
                state.said_peak = head.peak
                number = _say(said, number, state, slot, code, CHANGED, since, received)
            continue
        if before != 0:
            number = _say(said, number, state, slot, code, CLEARED, before, received)
        if since != 0:
            if code == LEARNED:
                state.said_peak = head.peak
            number = _say(said, number, state, slot, code, CONFIRMED, since, received)
        state.said[code] = since
    if state.said[SILENT] != 0 and head.time > state.said[SILENT]:
        number = _say(said, number, state, slot, SILENT, CLEARED, state.said[SILENT], received)
        state.said[SILENT] = 0
    return number


@compiled
def _say(
    said: Record,
    number: int,
    state: Record,
    slot: int,
    code: int,
    change: int,
    since: int,
    received: int,
) -> int:
    head = state.head
    row = said[number]
    row.slot = slot
    row.code = code
    row.state = change
    row.direction = 1
    row.observed_at = head.time
    row.received = received
    row.period_start = since
    row.observed = head.value
    row.expected = np.nan
    row.rarity = np.nan
    if code == LEARNED:
        row.direction = 1 if head.value >= head.expected else -1
        row.expected = head.expected
        row.rarity = state.said_peak
    return number + 1
