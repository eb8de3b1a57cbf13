"""A batch of readings through the series of a partition: into each ring, through detectors and minutes, into words."""

import math

import numpy as np

from detectors.compiled import compiled
from detectors.series.fold import fold_in
from detectors.series.marks import is_open, since_of, time_of_mark
from detectors.series.ring import (
    are_reached,
    believed_of,
    holds,
    insert,
    is_good,
    newest_of,
    place_of,
    set_ahead_aside,
)
from detectors.series.rollup import MINUTE, commit_to_cell
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
    touched: Record,
    slots: Record,
    observed: Record,
    values: Record,
    quality: Record,
    received: int,
    lateness: int,
    said: Record,
    ended: Record,
    late: Record,
    before: Record,
) -> tuple[int, int, int, int, int]:
    """Take in readings up to the end, or until `said` might overflow.

    Returns how many were taken in, and how much of `said`, `ended` and `late` is filled, and how many were repeated.
    `before` is one fold to work with. `ended` holds at least as many rows as there are readings.
    """
    spoken = closed = missed = repeated = 0
    for number in range(len(slots)):
        if spoken + MOST_PER_READING > len(said):
            return number, spoken, closed, missed, repeated
        slot, time, value = slots[number], observed[number], values[number]
        state, spec = states[slot], specs[slot]
        good = quality[number] <= NOTED and math.isfinite(value)
        newest = newest_of(state)
        if state.told:
            before[0] = state.head
        fate, closed = _enter(
            state, spec, touched[slot], slot, time, value, good, newest, lateness, ended, closed
        )
        if fate == NEW:
            touched[slot] = min(np.int64(touched[slot]), time // MINUTE)
            if state.head.open or state.told:
                spoken = _speak(state, spec, before[0], newest, slot, received, said, spoken)
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
    touched: int,
    slot: int,
    time: int,
    value: float,
    good: bool,
    newest: int,
    lateness: int,
    ended: Record,
    closed: int,
) -> tuple[int, int]:
    """Put a reading at its place; returns its fate and how much of `ended` is filled."""
    fold_again = False
    if time <= newest or state.ahead:
        if holds(state, time):
            return REPEATED, closed
        if time < state.committed_time:
            return LATE, closed
        if time < newest:
            fold_again = True
            if time < newest - lateness and not set_ahead_aside(state, spec.interval, time):
                return LATE, closed
        elif are_reached(state, spec.interval, time):
            state.ahead = 0
            fold_again = True
    if state.size == RING:
        place = place_of(state, 0)
        if time < state.ring_time[place]:  # older than the whole ring: it passes by it
            closed = _commit(state, spec, touched, slot, time, value, good, ended, closed)
            _fold_again(state, spec)
            return NEW, closed
        oldest, kept = state.ring_time[place], state.ring_value[place]
        closed = _commit(state, spec, touched, slot, oldest, kept, is_good(state, place), ended, closed)
        state.start = place_of(state, 1)
        state.size = RING - 1
    insert(state, time, value, good)
    if fold_again:
        _fold_again(state, spec)
    else:
        fold_in(state.head, spec, time, value, good)
    return NEW, closed


@compiled
def _commit(
    state: Record,
    spec: Record,
    touched: int,
    slot: int,
    time: int,
    value: float,
    good: bool,
    ended: Record,
    closed: int,
) -> int:
    """Give a reading that nothing can overtake any more to its minute and to the state before the ring."""
    closed = commit_to_cell(state, touched, slot, time, value, good, ended, closed)
    fold_in(state.committed, spec, time, value, good)
    state.committed_time = time
    return closed


@compiled
def settle(states: Record, specs: Record, touched: Record, slot: int, ended: Record) -> int:
    """Commit all believed readings of a series' ring, so that nothing overtakes them; returns how much of `ended` is filled.

    `ended` holds RING rows at least.
    """
    state, closed = states[slot], 0
    for _ in range(believed_of(state)):
        place = place_of(state, 0)
        time, value, good = state.ring_time[place], state.ring_value[place], is_good(state, place)
        closed = _commit(state, specs[slot], touched[slot], slot, time, value, good, ended, closed)
        state.start = place_of(state, 1)
        state.size -= 1
    return closed


@compiled
def _fold_again(state: Record, spec: Record) -> None:
    state.head = state.committed
    for offset in range(believed_of(state)):
        place = place_of(state, offset)
        fold_in(state.head, spec, state.ring_time[place], state.ring_value[place], is_good(state, place))


@compiled
def _speak(
    state: Record,
    spec: Record,
    before: Record,
    newest: int,
    slot: int,
    received: int,
    said: Record,
    number: int,
) -> int:
    """Say the difference between what was last said of a series and what its head holds now.

    What was said is what `before`, the head before this reading, held open of those told. What was said of a series that
    nobody knows any more is forgotten: it cannot be cleared in its name.
    """
    if not spec.known:
        state.told = 0
        return number
    head = state.head
    for code in range(FOLDED):
        since = since_of(head, code, is_open(head, code))
        earlier = since_of(before, code, bool(state.told & (1 << code)))
        if since == earlier:
            if code == LEARNED and since != 0 and int(head.peak) > int(before.peak):
                number = _say(
                    said, number, state, slot, code, CHANGED, time_of_mark(since), head.peak, received
                )
            continue
        if earlier != 0:
            number = _say(
                said, number, state, slot, code, CLEARED, time_of_mark(earlier), before.peak, received
            )
        if since != 0:
            number = _say(
                said, number, state, slot, code, CONFIRMED, time_of_mark(since), head.peak, received
            )
    told = int(head.open)
    if state.told & (1 << SILENT):
        if newest_of(state) == newest:
            told |= 1 << SILENT
        else:
            number = _say(said, number, state, slot, SILENT, CLEARED, newest, 0.0, received)
    state.told = told
    return number


@compiled
def _say(
    said: Record,
    number: int,
    state: Record,
    slot: int,
    code: int,
    change: int,
    begin: int,
    rarity: float,
    received: int,
) -> int:
    head = state.head
    row = said[number]
    row.slot = slot
    row.code = code
    row.state = change
    row.direction = 1
    row.observed_at = newest_of(state)
    row.received = received
    row.period_start = begin
    row.observed = head.value
    row.expected = np.nan
    row.rarity = np.nan
    if code == LEARNED:
        row.direction = 1 if head.value >= head.expected else -1
        row.expected = head.expected
        row.rarity = rarity
    return number + 1
