"""How rare a group's score is among its own days: a Gumbel distribution that follows the daily maxima.

Maxima of many dependent statistics are near a Gumbel distribution (Abrams, Kulldorff and Kleinman, Gumbel based p-value
approximations for spatial scan statistics, Int. J. Health Geogr. 9, 2010); here its moments are followed day by day,
with a discount. What an outbreak adds is bounded: a maximum counts at most as one in 300 days.
"""

import math

import numpy as np
from numpy.typing import NDArray

EULER = 0.5772156649015329
SPREAD_TO_SCALE = math.sqrt(6.0) / math.pi
DISCOUNT = 1.0 - 1.0 / 365.0
PRIOR_LOCATION, PRIOR_SCALE = -1.4, 0.85
"""Of the score of Poisson counts with known expectations, over townships of 64 cells (simulated)."""
PRIOR_DAYS = 30.0
LEAST_SCALE, MOST_SCALE = 0.5, 2.0
"""Bounds, so that a township in which nothing happens does not take its first case for a sensation."""
BOUND = -math.log(-math.log1p(-1.0 / 300.0))
"""The standard Gumbel's value that is exceeded once in 300 days."""
MOST_EXPONENT = 700.0
"""What the exponential of a double holds."""
MEAN, SQUARE, DAYS = range(3)
Floats = NDArray[np.float64]


class Maxima:
    """Follows the maxima of several groups; `moments` holds each one's mean, mean square and (discounted) number of days."""

    def __init__(self, groups: int) -> None:
        """Start every group at the prior."""
        mean = PRIOR_LOCATION + EULER * PRIOR_SCALE
        square = mean * mean + (PRIOR_SCALE / SPREAD_TO_SCALE) ** 2
        self.moments: Floats = np.tile([mean, square, PRIOR_DAYS], (groups, 1))

    def fit(self, group: int) -> tuple[float, float]:
        """Tell location and scale of a group's Gumbel distribution."""
        mean, square, _ = self.moments[group].tolist()
        scale = math.sqrt(max(square - mean * mean, 0.0)) * SPREAD_TO_SCALE
        scale = min(max(scale, LEAST_SCALE), MOST_SCALE)
        return mean - EULER * scale, scale

    def learn(self, group: int, maximum: float) -> None:
        """Take in the maximum of a day; −inf, of a day of which nothing was expected, teaches nothing."""
        if maximum == -math.inf:
            return
        location, scale = self.fit(group)
        value = min(maximum, location + BOUND * scale)
        row = self.moments[group]
        row[DAYS] = DISCOUNT * row[DAYS] + 1.0
        row[MEAN] += (value - row[MEAN]) / row[DAYS]
        row[SQUARE] += (value * value - row[SQUARE]) / row[DAYS]

    def p_value(self, group: int, score: float) -> float:
        """Tell the chance that a day of this group has a maximum as high."""
        if score == -math.inf:
            return 1.0
        location, scale = self.fit(group)
        return -math.expm1(-math.exp(min(-(score - location) / scale, MOST_EXPONENT)))
