"""Gamma and negative binomial arithmetic, compiled: what numba lacks of the special functions."""

import math

from detectors.compiled import compiled
from detectors.counts.design import Floats

LARGEST_SHAPE = 1e7
"""A negative binomial of this shape is a Poisson for all that a double can tell."""
SMALLEST_TAIL = 1e-30
MOST_TERMS = 20_000
"""Of the continued fraction, which needs about the square root of the count: enough for a hundred million."""
TINY = 1e-300
FEW = 16.0
"""Up to here a product is quicker than two logarithms of Γ."""
LARGEST = 1e9
"""Count beyond which no more is told apart."""


@compiled
def digamma(x: float) -> float:
    """Tell the derivative of log Γ at x > 0, to 1e-12 (Abramowitz and Stegun 6.3.18)."""
    shift = 0.0
    while x < 8.0:
        shift -= 1.0 / x
        x += 1.0
    i = 1.0 / (x * x)
    series = i * (1 / 12 - i * (1 / 120 - i * (1 / 252 - i * (1 / 240 - i * (1 / 132)))))
    return shift + math.log(x) - 0.5 / x - series


@compiled
def trigamma(x: float) -> float:
    """Tell the second derivative of log Γ at x > 0 (Abramowitz and Stegun 6.4.12)."""
    shift = 0.0
    while x < 8.0:
        shift += 1.0 / (x * x)
        x += 1.0
    i = 1.0 / (x * x)
    series = i / x * (1 / 6 - i * (1 / 30 - i * (1 / 42 - i * (1 / 30 - i * (5 / 66)))))
    return shift + 1.0 / x + i / 2 + series


@compiled
def tetragamma(x: float) -> float:
    """Tell the third derivative of log Γ at x > 0 (Abramowitz and Stegun 6.4.13)."""
    shift = 0.0
    while x < 8.0:
        shift -= 2.0 / (x * x * x)
        x += 1.0
    i = 1.0 / (x * x)
    return shift - i - i / x - i * i * (1 / 2 - i * (1 / 6 - i * (1 / 6 - i * (3 / 10 - i * (5 / 6)))))


@compiled
def shape_of(variance: float) -> float:
    """Find the shape of the gamma whose logarithm has this variance: trigamma's inverse by Newton's method.

    The iteration is that of Smyth, Linear models and empirical Bayes methods (2004), appendix; it converges from below
    for every start of this form.
    """
    shape = 0.5 + 1.0 / variance
    for _ in range(20):
        value = trigamma(shape)
        step = value * (1.0 - value / variance) / tetragamma(shape)
        shape += step
        if -step < 1e-12 * shape:
            break
    return shape


@compiled
def log_probability(count: float, mean: float, shape: float) -> float:
    """Tell log P(Y = count) for a negative binomial Y."""
    return (
        math.lgamma(count + shape)
        - math.lgamma(shape)
        - math.lgamma(count + 1.0)
        - shape * math.log1p(mean / shape)
        + count * math.log(mean / (mean + shape))
    )


@compiled
def log_likelihood(count: float, mean: float, shape: float) -> float:
    """Tell `log_probability` but for what depends on the count alone; quick for small whole counts, the usual ones."""
    if count <= FEW and count == math.floor(count):
        product = 1.0
        for k in range(int(count)):
            product *= (shape + k) / (shape + mean)
        rising = math.log(product)
    else:
        rising = math.lgamma(count + shape) - math.lgamma(shape) - count * math.log(shape + mean)
    return rising + count * math.log(mean) - shape * math.log1p(mean / shape)


@compiled
def upper_tail(count: float, mean: float, shape: float) -> float:
    """Tell P(Y ≥ count) for a negative binomial Y: a regularised incomplete beta function, by its continued fraction.

    Counts need not be whole; the tail then lies between those of its neighbours.
    """
    if count <= 0.0:
        return 1.0
    x = mean / (mean + shape)
    log_front = (
        math.lgamma(count + shape)
        - math.lgamma(count)
        - math.lgamma(shape)
        + count * math.log(x)
        - shape * math.log1p(mean / shape)
    )
    if x < (count + 1.0) / (count + shape + 2.0):
        return min(math.exp(log_front) * _fraction(count, shape, x) / count, 1.0)
    return min(max(1.0 - math.exp(log_front) * _fraction(shape, count, 1.0 - x) / shape, 0.0), 1.0)


@compiled
def _fraction(a: float, b: float, x: float) -> float:
    """Evaluate the continued fraction of the incomplete beta function by Lentz's method (DLMF 8.17.22)."""
    c, d = 1.0, 1.0 - (a + b) * x / (a + 1.0)
    d = 1.0 / (d if abs(d) > TINY else TINY)
    value = d
    for m in range(1, MOST_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        for term in (even, odd):
            d = 1.0 + term * d
            d = 1.0 / (d if abs(d) > TINY else TINY)
            c = 1.0 + term / c
            c = c if abs(c) > TINY else TINY
            value *= d * c
        if abs(d * c - 1.0) < 1e-12:
            break
    return value


@compiled
def tail_of(count: float, mean: float, shape: float) -> float:
    """Tell P(Y > count) + ½ P(Y = count), the mid-p-value; P(Y ≥ count) itself is too seldom small."""
    upper = upper_tail(count, mean, shape)
    return max(upper - 0.5 * math.exp(log_probability(count, mean, shape)), SMALLEST_TAIL)


@compiled
def rarities(counts: Floats, means: Floats, shapes: Floats, out: Floats) -> None:
    """Write −log10 of the mid-p-value of each count, 0 for what is no count."""
    for n in range(len(counts)):
        out[n] = 0.0
        if 0.0 <= counts[n] < math.inf:
            out[n] = max(-math.log10(tail_of(min(counts[n], LARGEST), means[n], shapes[n])), 0.0)
