"""What is remembered of one series, as plain numbers in one record per series: at most 500 bytes.

A series holds its state twice: `committed` is what all readings before the ring say, `head` what the ring's readings add
to it. An out-of-order reading is put into the ring at its place and `head` is folded again from `committed`, so that
the order of arrival makes no difference inside the ring. Times of readings are microseconds since 1970 UTC, times that a
detector keeps are marks (`detectors/series/marks.py`); 0 stands for none.
"""

from enum import IntEnum
from typing import Any

import numpy as np

Record = Any
"""A record or an array of them inside compiled code, which types them by itself."""
VERSION = 3
"""Of the records below; raise it with every change of their form or meaning."""
RING = 8
"""Readings that may still be overtaken; their good ones are bits of one byte."""
MAX_LIMITS = 4
KNOTS = 6
"""Points of the hour-of-day profile, four hours apart, straight lines between them."""
NEVER = np.iinfo(np.uint32).max


class Code(IntEnum):
    """Who speaks: the index into `since` and `run`, and the bit in `open` and `told`."""

    RANGE = 0
    RATE = 1
    UNIT = 2
    LIMIT = 3  # … 6, one for each limit of the series
    LEARNED = 7
    STUCK = 8  # has no run
    SILENT = 9  # not folded: it hangs on the partition's newest time


FOLDED = 9
RUNS = 8

SCORE = [
    ("level", "f4"),  # of the value without its profile
    ("spread", "f4"),  # mean square of innovations
    ("slow", "f4"),  # slow mean of the value
    ("low", "f4"),  # the least of what the profile left of a value
    ("high", "f4"),  # the greatest
    ("slow_low", "f4"),  # the same of the slow mean
    ("slow_high", "f4"),
    ("level_low", "f4"),  # the same of the level
    ("level_high", "f4"),
    ("weekend", "f4"),  # how far the profile lies away on Saturday and Sunday
    ("tail_excess", "u2"),  # how far excursions into the tail went; in steps, see `score.STEPS`
    ("excursion", "u2"),  # how far the present one went, 0 when there is none
    ("learned", "u4"),  # readings that the learned score has seen
    ("profile", "f4", (KNOTS,)),
]
"""The fields of the learned score: 72 bytes at most."""

FOLD = np.dtype(
    [
        ("value", "f8"),  # newest value inside the range
        ("value_time", "i8"),
        *SCORE,
        ("since", "u4", (FOLDED,)),  # mark: when the open finding began; while none is open see the next two
        # STUCK: since when the value stands. LEARNED: until when the learned score is mute.
        ("expected", "f4"),  # of the open learned finding
        ("peak", "f4"),  # greatest rarity of the open learned finding
        ("usual", "f4"),  # of the last ten readings or so, in the unit that the series always had
        ("variety", "f4"),  # share of readings that differ from the one before
        ("same", "u2"),  # readings in a row of one value
        ("longest", "u2"),  # longest such row that was no fault
        ("open", "u2"),  # bits: whose finding is open
        ("opened", "u1"),  # readings that the learned score has seen since its finding opened
        (
            "rises",
            "u1",
        ),  # rises since the last fall, by which a counter is known; COUNTER of one that was reset
        ("run", "u1", (RUNS,)),  # readings in a row that speak for a change
    ]
)

SERIES = np.dtype(
    [
        ("committed_time", "i8"),  # newest committed reading of any quality
        ("total", "f8"),  # committed part of the minute of that reading, as the next five
        ("low", "f8"),
        ("high", "f8"),
        ("last", "f8"),
        ("count", "u4"),
        ("good", "u4"),
        ("ring_time", "i8", (RING,)),
        ("ring_value", "f8", (RING,)),
        ("ring_good", "u1"),  # bits, by place
        ("start", "u1"),  # of the ring
        ("size", "u1"),
        ("ahead", "u1"),  # newest readings of the ring that are kept but not believed yet
        ("told", "u2"),  # bits: whose open finding was said
        ("spare", "u1", (2,)),
        ("committed", FOLD),
        ("head", FOLD),
    ]
)

SPEC = np.dtype(
    [
        ("interval", "f8"),  # µs
        ("low", "f8"),  # NaN where there is none, as below
        ("high", "f8"),
        ("max_rate", "f8"),  # unit per second
        ("limit", "f8", (MAX_LIMITS,)),
        ("hysteresis", "f4", (MAX_LIMITS,)),
        ("sign", "i1", (MAX_LIMITS,)),  # +1 above, −1 below
        ("consecutive", "u1", (MAX_LIMITS,)),
        ("known", "u1"),  # an unknown series is kept, but nothing is said of it
        ("prefixed", "u1"),  # its unit has a sister a thousand times larger or smaller
    ]
)

TRANSITION = np.dtype(
    [
        ("slot", "i4"),
        ("code", "u1"),
        ("state", "u1"),
        ("direction", "i1"),
        ("observed_at", "i8"),
        ("received", "i8"),
        ("period_start", "i8"),  # whole seconds, but for silence
        ("observed", "f8"),
        ("expected", "f8"),
        ("rarity", "f8"),  # −log10 of the p-value, NaN where there is none
    ]
)

ROLLUP = np.dtype(
    [
        ("slot", "i4"),
        ("minute", "i8"),
        ("count", "u4"),
        ("good", "u4"),
        ("total", "f8"),
        ("low", "f8"),
        ("high", "f8"),
        ("last", "f8"),
    ]
)


class Change(IntEnum):
    """What a transition tells."""

    CONFIRMED = 1
    CLEARED = 2
    CHANGED = 3
