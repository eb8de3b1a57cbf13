"""Farrington Flexible (Noufaily et al. 2013) for many series, compiled; see `benchmarks/outbreak_peers.py` for its settings.

A quasi-Poisson regression on ten levels of season and a trend over five years, fitted by iteratively reweighted least
squares, once more with past outbreaks weighted down, and a negative binomial with the fitted mean and dispersion for the
week in question. The matrix of the normal equations is an arrow (levels on the diagonal, the trend at the border) and is
solved as such.
"""

import math

import numpy as np
from numpy.typing import NDArray

from detectors.compiled import compiled
from detectors.counts.design import Floats
from detectors.counts.gamma import upper_tail

YEARS, HALF, LEVELS, YEAR, NOT_INCLUDED = 5, 3, 10, 52, 26
OUTLYING = 2.58
ROUNDS = 25
"""Of the fit, as many as R's glm makes at most."""
FARTHEST = 30.0
"""Of a linear predictor from 0: where a level saw no case at all it would run away."""


@compiled
def baseline(week: int, weeks: NDArray[np.int64], levels: NDArray[np.int64]) -> int:
    """Write the baseline of a week and the level of season of each; how many there are.

    Level 0 are the weeks up to HALF from the same week of a year before; the rest of a year is cut into nine of like length,
    the first ones a week longer where it does not come out even.
    """
    level_of = np.full(week + 1, -1)
    level_of[week - HALF : week + 1] = 0
    between = YEAR - 2 * HALF - 1
    length, rest = between // (LEVELS - 1), between % (LEVELS - 1)
    for year in range(1, YEARS + 1):
        same = week - year * YEAR
        level_of[same - HALF : same + HALF + 1] = 0
        begin = same + HALF + 1
        for level in range(1, LEVELS):
            end = begin + length + (1 if level <= rest else 0)
            level_of[begin:end] = level
            begin = end
    number = 0
    for past in range(week - NOT_INCLUDED):
        if level_of[past] >= 0:
            weeks[number], levels[number] = past, level_of[past]
            number += 1
    return number


@compiled
def fit(
    counts: Floats,
    times: Floats,
    levels: NDArray[np.int64],
    weights: Floats,
    trend: bool,
    means: Floats,
    hats: Floats,
) -> tuple[Floats, float, float]:
    """Fit levels and slope by maximum quasi-likelihood; writes means and leverages. Levels, slope, dispersion."""
    number = len(counts)
    level, slope, saturated = np.zeros(LEVELS), 0.0, 0.0
    eta = np.empty(number)
    for i in range(number):
        means[i] = counts[i] + 0.1
        eta[i] = math.log(means[i])
        if counts[i] > 0.0:
            saturated += weights[i] * 2.0 * counts[i] * (math.log(counts[i]) - 1.0)
    before = math.inf
    sums = np.zeros((LEVELS, 3))
    border = 1.0
    for _ in range(ROUNDS):
        sums[:] = 0.0
        tt, tz = 0.0, 0.0
        for i in range(number):
            w, t = weights[i] * means[i], times[i]
            z = eta[i] + (counts[i] - means[i]) / means[i]
            row = sums[levels[i]]
            row[0] += w
            row[1] += w * t
            row[2] += w * z
            tt += w * t * t
            tz += w * t * z
        for g in range(LEVELS):
            if sums[g, 0] > 0.0:
                tt -= sums[g, 1] ** 2 / sums[g, 0]
                tz -= sums[g, 1] * sums[g, 2] / sums[g, 0]
        border = max(tt, 1e-12)
        slope = tz / border if trend else 0.0
        for g in range(LEVELS):
            level[g] = (sums[g, 2] - slope * sums[g, 1]) / sums[g, 0] if sums[g, 0] > 0.0 else 0.0
        deviance = saturated
        for i in range(number):
            eta[i] = min(max(level[levels[i]] + slope * times[i], -FARTHEST), FARTHEST)
            means[i] = math.exp(eta[i])
            deviance += weights[i] * 2.0 * (means[i] - counts[i] * eta[i])
        if abs(deviance - before) < 1e-8 * (abs(deviance) + 0.1):
            break
        before = deviance
    pearson, used = 0.0, 1 if trend else 0
    for g in range(LEVELS):
        used += 1 if sums[g, 0] > 0.0 else 0
    for i in range(number):
        w, row = weights[i] * means[i], sums[levels[i]]
        away = times[i] - row[1] / row[0]
        hats[i] = w * (1.0 / row[0] + (away * away / border if trend else 0.0))
        pearson += weights[i] * (counts[i] - means[i]) ** 2 / means[i]
    return level, slope, max(pearson / max(number - used, 1), 1.0)


@compiled
def reweigh(counts: Floats, means: Floats, hats: Floats, dispersion: float, weights: Floats) -> None:
    """Write weights: one over the square of Anscombe's residual beyond OUTLYING, 1 else, made to sum to their number."""
    total = 0.0
    for i in range(len(counts)):
        rise = counts[i] ** (2 / 3) * means[i] ** (-1 / 6) - math.sqrt(means[i])
        residual = 1.5 * rise / math.sqrt(dispersion * max(1.0 - hats[i], 1e-6))
        weights[i] = 1.0 if residual <= OUTLYING else residual**-2
        total += weights[i]
    weights *= len(counts) / total


@compiled
def predict(counts: Floats, times: Floats, levels: NDArray[np.int64], now: float) -> tuple[float, float]:
    """Tell mean and dispersion expected now; a trend that leads beyond all counts of the baseline is left out."""
    number = len(counts)
    means, hats, weights = np.empty(number), np.empty(number), np.empty(number)
    expected, dispersion = 0.0, 1.0
    for trend in (True, False):
        weights[:] = 1.0
        level, slope, dispersion = fit(counts, times, levels, weights, trend, means, hats)
        reweigh(counts, means, hats, dispersion, weights)
        level, slope, dispersion = fit(counts, times, levels, weights, trend, means, hats)
        expected = math.exp(min(max(level[0] + slope * now, -FARTHEST), FARTHEST))
        if expected <= counts.max():
            break
    return expected, dispersion


@compiled
def farrington_batch(counts: Floats, first: int, out: Floats) -> None:
    """Write −log10 P(Y ≥ count) of all weeks from `first` on."""
    series, total = counts.shape
    weeks, levels = np.empty(total, np.int64), np.empty(total, np.int64)
    for week in range(first, total):
        number = baseline(week, weeks, levels)
        for n in range(series):
            count = counts[n, week]
            out[n, week - first] = 0.0
            if not math.isfinite(count):
                continue
            kept = np.isfinite(counts[n][weeks[:number]])
            past = counts[n][weeks[:number]][kept]
            times = (weeks[:number][kept] - week) / YEAR
            mean, dispersion = predict(past, times, levels[:number][kept], 0.0)
            shape = min(mean / (dispersion - 1.0 + 1e-9), 1e7)
            out[n, week - first] = -math.log10(max(upper_tail(count, mean, shape), 1e-30))
