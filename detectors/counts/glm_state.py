"""The state of the dynamic model of counts: a row of doubles for each series, and the constants by which it learns.

A row holds the scalars named below, the mean of the terms, the log weights of DISPERSIONS, the covariance of the terms.
"""

import math

import numpy as np
from numpy.typing import NDArray

from detectors.counts.design import LEVEL, Design, Floats

TIME, LEARNED, UP, DOWN, LATE, LAST, TOGETHER, SQUARE, PARENT = range(9)
"""Period of the newest count; counts learned; sums of residuals above and below; counts in a row behind TIME; the newest
residual, the mean product of neighbouring ones and their mean square; the row of the zone, −1 for none."""
SCALARS = 9
DISPERSIONS = np.array([1.0, 1.1, 1.25, 1.5, 1.8, 2.2, 2.7, 3.3, 4.2, 5.5, 7.5, 11.0, 18.0, 40.0])
"""Variances over means that are thought possible."""
PRIOR = -0.3 * np.log(DISPERSIONS)
"""Their log weights before any count: a little less for the large ones."""
DISPERSION_KEPT = 0.998
"""What is left of the evidence about them after another count."""
OUTLYING = 2.58
"""Anscombe residual from which a count teaches less (Noufaily et al. 2013)."""
FAR_OUTLYING = 3.5
"""Residual from which a count says less about the dispersion: at OUTLYING what is taken away would be missed."""
DRIFT, FARTHEST = 0.75, 3.0
"""Of the sums UP and DOWN: what a period must exceed, and the most that it adds before."""
CALM, RESTLESS = 0.15, 0.4
"""Correlations of neighbouring residuals: up to the first the terms last as long as designed, from the second on as
short as allowed."""
SHIFT = 0.25
"""Variance of the level's logarithm that is added when a new level shows itself: it may be a half more or less."""
PATIENT_ABOUT_TIME = 30
"""Counts in a row behind the newest that make the newest a clock gone wrong."""
MOST_UNKNOWN = 64.0
"""Variance of a logarithm beyond which nothing is known anyway."""
MOST_LEVEL = 40.0
"""Of a linear predictor, either way: no county has so many cases, and no series so few."""
LEAST_UNKNOWN = 1e-18
"""Variance that rounding must not bring to nothing."""
TERM = np.dtype(
    [
        ("growth", "f8"),
        ("growth_restless", "f8"),
        ("cap", "f8"),
        ("cap_within", "f8"),
    ]
)
"""What is known of a term before any count, see `design.Block`."""


def prior_of(design: Design) -> NDArray[np.void]:
    """Make the TERM records of a design."""
    prior = np.zeros(design.terms, TERM)
    prior["growth"], prior["growth_restless"] = design.growths
    prior["cap"], prior["cap_within"] = design.caps
    return prior


def fresh_row(design: Design, parent: int | None = None, share: float = 1.0) -> Floats:
    """Make the row of a series of which nothing is known yet but, within a zone, its first share of it."""
    terms = design.terms
    row = np.zeros(SCALARS + terms + len(PRIOR) + terms * terms)
    row[PARENT] = -1.0 if parent is None else float(parent)
    row[SQUARE] = 1.0
    row[SCALARS + LEVEL] = math.log(share)
    row[SCALARS + terms :][: len(PRIOR)] = PRIOR
    row[-terms * terms :] = np.diag(design.caps[0 if parent is None else 1]).ravel()
    return row
