"""Chances of dependent tests as one: Brown's extension of Fisher's method."""

import math
from collections.abc import Sequence

from scipy.special import gammaincc  # type: ignore[import-untyped]  # comes with river

CORRELATION = 0.3
"""Assumed between the residuals of two stations of one river. Rain and the seasons move them together: 0 (Fisher) would
claim too much. It is an assumption, not an estimate: should it be 0.5, a pooled 1e-5 happens six times as often (simulated),
against which stands the rule for weather in `passages.py`."""
SMALLEST = 1e-300


def pooled(p_values: Sequence[float], correlation: float = CORRELATION) -> float:
    """Pool one-sided p-values of tests whose normal scores correlate equally; ValueError without any.

    Brown 1975 (doi 10.2307/2529826): −2·Σ ln p is taken for a scaled chi-square with the mean 2k and the variance that the
    correlation gives, by the polynomial of Kost & McDermott 2002 (doi 10.1016/S0167-7152(02)00310-3). With a correlation of
    0 it is Fisher's method; with 1 it gives nearly the p-value back that all share.
    """
    if not p_values:
        raise ValueError("there is nothing to pool")
    count = len(p_values)
    statistic = -2.0 * sum(math.log(min(1.0, max(p, SMALLEST))) for p in p_values)
    covariance = correlation * (3.263 + correlation * (0.710 + correlation * 0.027))
    mean = 2.0 * count
    variance = 4.0 * count + count * (count - 1) * covariance
    scale = variance / (2.0 * mean)
    return max(SMALLEST, float(gammaincc(mean / (2.0 * scale), statistic / (2.0 * scale))))


def at_least_once(p_value: float, times: float) -> float:
    """Tell the chance of at least one such value in so many looks (Šidák), exact for small chances."""
    if p_value >= 1.0:
        return 1.0
    return -math.expm1(max(1.0, times) * math.log1p(-p_value))
