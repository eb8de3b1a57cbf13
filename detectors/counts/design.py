"""The periods in which counts come, and what the model knows of a period before its count: season, week, day, holidays.

All seasons are written as cosines and sines (West and Harrison, Bayesian Forecasting and Dynamic Models, 2nd edition 1997,
chapter 8): two waves of the year, three of the week (which are its seven days), four of the day. Periods are those of local
time, weeks begin on Monday. A year of weeks has 52 of them, as surveillance counts; the discount lets the season's phase
follow the day and a quarter by which true years are longer. Other periods go by a year of 365.2425 days.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from detectors.counts.calendar import is_after_break, is_off, weekday_like
from domain.clock import EPOCH

Period = Literal["hour", "2h", "day", "week"]
Floats = NDArray[np.float64]
LOCAL = timedelta(hours=8)
"""What Asia/Shanghai is ahead of UTC."""
HOUR, DAY, WEEK = 3_600, 86_400, 604_800
"""Seconds."""
YEAR = 365.2425
"""Days."""
MONDAY = 4 * DAY
"""Seconds from the Thursday of 1970-01-01 to the first Monday."""
FIRST, LAST = date(1900, 1, 1), date(2199, 12, 31)
"""Days further off have the seasons of these."""
LEVEL, SLOPE = 0, 1


@dataclass(frozen=True, slots=True)
class Block:
    """Terms of the model that are alike: how many, how long they last, how far from zero they may lie.

    `memory` is in periods: the discount is 1 − 1 / memory; `memory_restless` is the memory where neighbouring residuals
    hang together. `reach` is the prior standard deviation on the logarithmic scale, which is also the most that is ever
    believed to be unknown; `reach_within` is that of a cell's deviation from its zone.
    """

    terms: int
    memory: float
    memory_restless: float
    reach: float
    reach_within: float


@dataclass(frozen=True, slots=True)
class Design:
    """The model's terms for one period, and how long an excess must last to be a new level.

    Terms are level, slope, year, holidays, then week and day where the period is short enough. `patience` is the sum of
    residuals, each at most 3 and less 0.75, that makes a new level: 2.25 for each period far above or below. `watched` is
    the number of periods over which it is asked whether neighbouring residuals hang together: many outbreaks long.
    """

    seconds: int
    blocks: tuple[Block, ...]
    patience: float
    watched: float

    @property
    def terms(self) -> int:
        """The number of terms."""
        return sum(block.terms for block in self.blocks)

    def per_term(self, values: Sequence[float]) -> Floats:
        """Spread one value per block over its terms."""
        return np.repeat(np.array(values, np.float64), [block.terms for block in self.blocks])

    @property
    def growths(self) -> Floats:
        """By what a term's standard deviation grows in a period; calm and restless, in two rows."""
        memories = [[block.memory for block in self.blocks], [block.memory_restless for block in self.blocks]]
        found: Floats = np.stack([(1.0 - 1.0 / self.per_term(row)) ** -0.5 for row in memories])
        return found

    @property
    def caps(self) -> Floats:
        """The prior variance of each term, also its largest; without and with a zone above, in two rows."""
        rows = [[block.reach**2 for block in self.blocks], [block.reach_within**2 for block in self.blocks]]
        return np.stack([self.per_term(row) for row in rows])


def _design(
    seconds: int,
    level: tuple[float, float],
    slope: float,
    year: float,
    *short: tuple[int, float],
    patience: float,
    watched: float,
) -> Design:
    """Make a design of memories in periods: `level` calm and restless, `short` with the number of terms of week and day."""
    years = seconds / (YEAR * DAY)
    return Design(
        seconds,
        (
            Block(1, *level, 3.0, 1.5),
            Block(
                1, slope, slope, 0.3 * years, 0.1 * years
            ),  # a third more or less in a year is already much
            Block(2, year, year, 0.5, 0.1),
            Block(2, year, year, 0.3, 0.05),
            Block(2, year, year, 0.4, 0.1),
            *(Block(terms, memory, memory, 0.5, 0.1) for terms, memory in short),
        ),
        patience,
        watched,
    )


DESIGNS: dict[Period, Design] = {
    "week": _design(WEEK, (500, 12), 500, 1_000, patience=12, watched=150),
    "day": _design(DAY, (500, 40), 2_000, 4_000, (6, 1_000), patience=40, watched=500),
    "2h": _design(
        2 * HOUR, (2_000, 240), 24_000, 48_000, (6, 6_000), (8, 3_000), patience=200, watched=3_000
    ),
    "hour": _design(HOUR, (3_000, 480), 48_000, 96_000, (6, 12_000), (8, 6_000), patience=300, watched=5_000),
}


def design_of(period: Period) -> Design:
    """Look up the design of a period; ValueError for one that is not known."""
    if period not in DESIGNS:
        raise ValueError(f"period {period!r} is none of {', '.join(get_args(Period))}")
    return DESIGNS[period]


def index_of(at: datetime, period: Period) -> int:
    """Number the period of an aware time, counted in local time; ValueError for a naive one."""
    if at.tzinfo is None:
        raise ValueError("at: a time without its zone does not say when it is")
    since = at - EPOCH + LOCAL
    seconds = since.days * DAY + since.seconds
    if period == "week":
        seconds -= MONDAY
    return seconds // design_of(period).seconds


def begin_of(index: int, period: Period) -> datetime:
    """Tell when a period begins, in UTC."""
    seconds = index * design_of(period).seconds + (MONDAY if period == "week" else 0)
    return EPOCH - LOCAL + timedelta(seconds=seconds)


@lru_cache(maxsize=1_024)
def features(index: int, period: Period) -> Floats:
    """Describe a period: the value of each term of its design, read only."""
    seconds = design_of(period).seconds
    days = (index * seconds + (MONDAY if period == "week" else 0)) // DAY
    day = min(max(days, (FIRST - EPOCH.date()).days), (LAST - EPOCH.date()).days)
    begin = EPOCH.date() + timedelta(days=day)
    year = index / 52.0 if period == "week" else days / YEAR
    terms = [1.0, 0.0, *_waves(year, 2)]
    if period == "week":
        week = [begin + timedelta(days=number) for number in range(7)]
        terms += [sum(map(is_off, week)) / 7.0 - 2.0 / 7.0, float(any(map(is_after_break, week)))]
    else:
        alike = weekday_like(begin)
        terms += [float(alike == 6 and begin.weekday() != 6), float(is_after_break(begin))]
        terms += _waves(alike / 7.0, 3)
    if seconds < DAY:
        terms += _waves(index * seconds % DAY / DAY, 4)
    values = np.array(terms)
    values.flags.writeable = False
    return values


def _waves(turns: float, count: int) -> list[float]:
    """Write a place in a circle as cosines and sines of its multiples."""
    angle = 2.0 * math.pi * (turns - math.floor(turns))
    return [wave(multiple * angle) for multiple in range(1, count + 1) for wave in (math.cos, math.sin)]
