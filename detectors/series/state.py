"""What is remembered of one series, as plain numbers in one record per series.

A series holds its state twice: `committed` is what all readings before the ring say, `head` what the ring's readings add
to it. An out-of-order reading is put into the ring at its place and `head` is folded again from `committed`, so that
the order of arrival makes no difference inside the ring. Times are microseconds since 1970 UTC, 0 stands for none.
"""

from enum import IntEnum
from pathlib import Path
from typing import Any

import numpy as np

from detectors.compiled import source_digest

Record = Any
"""A record or an array of them inside compiled code, which types them by itself."""
VERSION = 1
"""Of the records below; raise it with every change of their form or meaning."""
RING = 16
"""Readings that may still be overtaken."""
MAX_LIMITS = 4
KNOTS = 8
"""Points of the hour-of-day profile, three hours apart, straight lines between them."""
NEVER = np.iinfo(np.int64).max


class Code(IntEnum):
    """Who speaks: the index into `since` and `said`."""

    RANGE = 0
    RATE = 1
    STUCK = 2
    LIMIT = 3  # … 6, one for each limit of the series
    LEARNED = 7
    SILENT = 8  # not folded: it hangs on the partition's newest time


FOLDED = 8
SPOKEN = 9

FOLD = np.dtype(
    [
        ("time", "i8"),  # newest reading of any quality
        ("value", "f8"),  # newest value inside the range
        ("value_time", "i8"),
        ("level", "f8"),  # of the value without its hour-of-day profile
        ("spread", "f8"),  # mean square of innovations
        ("wander", "f8"),  # mean square of the level
        ("stray", "f8"),  # the present stray's sum of what the level lay beyond its tail
        ("stray_rate", "f8"),  # share of readings that ended a stray
        ("stray_mean", "f8"),  # how large strays were
        ("tail_rate", "f8"),  # share of readings that began an excursion into the tail
        ("tail_excess", "f8"),  # how far excursions went
        ("excursion", "f8"),  # how far the present one went, 0 when there is none
        ("refractory", "i8"),  # the learned score is mute until then
        ("variety", "f4"),  # share of readings that differ from the one before
        ("peak", "f4"),  # greatest rarity of the open learned finding
        ("expected", "f8"),
        ("same_since", "i8"),
        ("learned", "u4"),  # readings that the learned score has seen
        ("opened", "u4"),  # of these, since the learned finding opened
        ("same", "u4"),  # readings in a row of one value
        ("longest", "u4"),  # longest such row that was no fault
        ("since", "i8", (FOLDED,)),  # when each detector's open finding began
        ("run", "u1", (FOLDED,)),  # readings in a row that speak for a change
        ("profile", "f8", (KNOTS,)),
    ]
)

SERIES = np.dtype(
    [
        ("committed", FOLD),
        ("head", FOLD),
        ("ring_time", "i8", (RING,)),
        ("ring_value", "f8", (RING,)),
        ("ring_good", "u1", (RING,)),
        ("start", "u1"),  # of the ring
        ("size", "u1"),
        (
            f"spare_{source_digest(Path(__file__).parent)}",
            "u1",
            (6,),
        ),  # keeps what follows on whole words; the name see there
        ("minute", "i8"),  # committed part of the one minute that reaches into the ring
        ("count", "i4"),
        ("good", "i4"),
        ("total", "f8"),
        ("low", "f8"),
        ("high", "f8"),
        ("last", "f8"),
        ("touched", "i8"),  # oldest reading since the roll-ups were taken; NEVER when there is none
        ("said", "i8", (SPOKEN,)),  # the begin of each finding that was said and not yet cleared
        ("said_peak", "f8"),
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
        ("period_start", "i8"),
        ("observed", "f8"),
        ("expected", "f8"),
        ("rarity", "f8"),  # −log10 of the p-value, NaN where there is none
    ]
)

ROLLUP = np.dtype(
    [
        ("slot", "i4"),
        ("minute", "i8"),
        ("count", "i4"),
        ("good", "i4"),
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
