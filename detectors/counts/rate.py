"""Counts against an expectation: a gamma belief about a rate, and how rare a count is under it.

A gamma-distributed rate makes counts negative binomial; what is not known of the rate, and how it varies from day to day,
both are in its shape, which is therefore never believed to exceed LARGEST_SHAPE.
"""

import math
from collections.abc import Iterable
from typing import Any

LARGEST_SHAPE = 20.0
"""Calls vary by a fifth from one day to the next with nothing being the matter."""
MOST_RARE = 30.0


def rarity_of(count: int, mean: float, shape: float) -> float:
    """Tell −log10 P(Y ≥ count) for a negative binomial Y, MOST_RARE at most."""
    if count <= 0:
        return 0.0
    q = mean / (mean + shape)
    if q <= 0.0:
        return MOST_RARE
    log_term = (
        math.lgamma(count + shape)
        - math.lgamma(shape)
        - math.lgamma(count + 1)
        + shape * math.log1p(-q)
        + count * math.log(q)
    )
    if count <= mean:  # the tail is long: take the short side
        below = sum(_terms(log_term, count, shape, q, downwards=True))
        return min(max(-math.log10(max(1.0 - below, 1e-300)), 0.0), MOST_RARE)
    total = sum(_terms(0.0, count, shape, q, downwards=False))
    return min(max(-(log_term + math.log(total)) / math.log(10.0), 0.0), MOST_RARE)


def _terms(log_first: float, count: int, shape: float, q: float, *, downwards: bool) -> Iterable[float]:
    """Yield probabilities upwards from `count` (relative to its own), or downwards from below it."""
    term = math.exp(log_first)
    if downwards:
        for k in range(count, 0, -1):
            term *= k / (q * (k - 1 + shape))
            yield term
        return
    k = count
    while term > 1e-12:
        yield term
        term *= q * (k + shape) / (k + 1)
        k += 1


def belief(
    counted: float,
    exposure: float,
    prior_mean: float,
    prior_shape: float,
    largest_shape: float = LARGEST_SHAPE,
) -> tuple[float, float]:
    """Tell the mean rate and the shape after (discounted) counts over (discounted) exposure."""
    shape = prior_shape + counted
    mean = shape / (prior_shape / prior_mean + exposure)
    return mean, min(shape, largest_shape)


def is_count(value: Any) -> bool:
    """Say whether a value can be a count."""
    return isinstance(value, int | float) and math.isfinite(value) and value >= 0
