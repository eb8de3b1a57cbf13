"""Rows of state (`glm_state.py`) learn and forecast, compiled: what `detectors/counts/glm.py` says in plain Python."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.compiled import compiled
from detectors.counts.design import LEVEL, SLOPE, Floats
from detectors.counts.gamma import LARGEST, LARGEST_SHAPE, digamma, log_likelihood, shape_of, trigamma
from detectors.counts.glm_state import (
    CALM,
    DISPERSION_KEPT,
    DISPERSIONS,
    DOWN,
    DRIFT,
    FAR_OUTLYING,
    FARTHEST,
    LAST,
    LATE,
    LEARNED,
    LEAST_UNKNOWN,
    MOST_LEVEL,
    MOST_UNKNOWN,
    OUTLYING,
    PARENT,
    PATIENT_ABOUT_TIME,
    PRIOR,
    RESTLESS,
    SCALARS,
    SHIFT,
    SQUARE,
    TIME,
    TOGETHER,
    UP,
)

Record = Any
"""An array of `glm_state.TERM` inside compiled code, which types it by itself."""
Slots = NDArray[np.int64]


@compiled
def forecast(
    row: Floats, values: Floats, steps: float, prior: Record, scaled: Floats, along: Floats, gain: Floats
) -> tuple[float, float]:
    """Tell mean and variance of the linear predictor `steps` after the row's time; changes only the three last arrays.

    `scaled` becomes the growths of the terms' deviations, `along` the values each term is multiplied by, its growth
    included, `gain` the covariance of each moved term with the predictor. A term never becomes less known than at first:
    in long gaps, and where a term is seldom asked for, discounting by itself would grow without bound.
    """
    terms = len(values)
    mean = row[SCALARS : SCALARS + terms]
    covariance = row[len(row) - terms * terms :].reshape(terms, terms)
    slow, fast, caps = prior["growth"], prior["growth_restless"], caps_of(row, prior)
    restless = restlessness(row)
    level, variance = 0.0, 0.0
    for i in range(terms):
        growth = slow[i] + restless * (fast[i] - slow[i])
        grown = growth if steps == 1.0 else growth**steps
        scaled[i] = min(grown, math.sqrt(caps[i] / covariance[i, i]))
        moved = values[i] + (steps * values[LEVEL] if i == SLOPE else 0.0)
        level += moved * mean[i]
        along[i] = moved * scaled[i]
    for i in range(terms):
        total = 0.0
        for j in range(terms):
            total += covariance[i, j] * along[j]
        gain[i] = total * scaled[i]
        variance += along[i] * total
    gain[LEVEL] += steps * gain[SLOPE]
    level = min(max(level, -MOST_LEVEL), MOST_LEVEL)
    return level, min(max(variance, 1e-12), MOST_UNKNOWN)


@compiled
def restlessness(row: Floats) -> float:
    """Tell in [0, 1] how far neighbouring residuals hang together, which they would not if the terms followed the counts."""
    correlation: float = row[TOGETHER] / row[SQUARE]
    return min(max((correlation - CALM) / (RESTLESS - CALM), 0.0), 1.0)


@compiled
def caps_of(row: Floats, prior: Record) -> Floats:
    """Tell the terms' largest variances for a row with a zone above it or without."""
    caps: Floats = prior["cap_within"] if row[PARENT] >= 0.0 else prior["cap"]
    return caps


@compiled
def dispersion_of(row: Floats, terms: int) -> float:
    """Tell the expected variance over mean."""
    weights = row[SCALARS + terms : SCALARS + terms + len(DISPERSIONS)]
    greatest = weights.max()
    total, found = 0.0, 0.0
    for j in range(len(DISPERSIONS)):
        weight = math.exp(weights[j] - greatest)
        total += weight
        found += weight * DISPERSIONS[j]
    mean: float = found / total
    return mean


@compiled
def shape_at(mean: float, dispersion: float, unknown: float) -> float:
    """Tell the negative binomial's shape whose variance is dispersion × mean + mean² / `unknown`, a gamma's shape."""
    return min(mean / (dispersion - 1.0 + mean / unknown + 1e-9), LARGEST_SHAPE)


@compiled
def learn(
    row: Floats,
    values: Floats,
    offset: float,
    count: float,
    steps: float,
    prior: Record,
    patience: float,
    watched: float,
    room: Floats,
) -> None:
    """Let a row learn a count `steps` after its time; `room` are three rows as long as the terms."""
    terms = len(values)
    scaled, gain = room[0], room[2]
    level, variance = forecast(row, values, steps, prior, scaled, room[1], gain)
    unknown = shape_of(variance)
    log_rate = digamma(unknown) - level - offset
    mean = unknown * math.exp(-log_rate)
    dispersion = dispersion_of(row, terms)
    residual = anscombe(count, mean, dispersion + mean / unknown)
    weight = trust(residual, OUTLYING)
    shape = unknown + weight * count / dispersion
    rate = math.exp(log_rate) + weight / dispersion
    shift = digamma(shape) - math.log(rate) - level - offset
    _carry(row, terms, steps, scaled)
    covariance = row[len(row) - terms * terms :].reshape(terms, terms)
    lost = (1.0 - trigamma(shape) / variance) / variance
    for i in range(terms):
        row[SCALARS + i] += gain[i] / variance * shift
        taken = gain[i] * lost
        for j in range(i + 1):
            covariance[i, j] -= taken * gain[j]
            covariance[j, i] = covariance[i, j]
        covariance[i, i] = max(covariance[i, i], LEAST_UNKNOWN)
    _learn_dispersion(row, terms, count, mean, unknown, trust(residual, FAR_OUTLYING))
    _watch_level(row, residual, patience, covariance, caps_of(row, prior))
    _watch_residuals(row, residual, steps, watched)


@compiled
def trust(residual: float, most: float) -> float:
    """Tell how much a count teaches: fully up to a residual of `most`, then by the square of how far it is beyond."""
    return 1.0 if residual <= most else (most / residual) ** 2


@compiled
def anscombe(count: float, mean: float, dispersion: float) -> float:
    """Tell how far a count lies from its mean, in standard deviations (Anscombe's residual of a quasi-Poisson)."""
    rise: float = count ** (2 / 3) - mean ** (2 / 3)
    width: float = mean ** (1 / 6)
    return 1.5 * rise / (width * math.sqrt(dispersion))


@compiled
def _carry(row: Floats, terms: int, steps: float, scaled: Floats) -> None:
    """Move mean and covariance on in time: what was known grows stale, then the slope moves the level."""
    covariance = row[len(row) - terms * terms :].reshape(terms, terms)
    for i in range(terms):
        for j in range(terms):
            covariance[i, j] *= scaled[i] * scaled[j]
    row[SCALARS + LEVEL] += steps * row[SCALARS + SLOPE]
    for j in range(terms):
        covariance[LEVEL, j] += steps * covariance[SLOPE, j]
    for i in range(terms):
        covariance[i, LEVEL] += steps * covariance[i, SLOPE]


@compiled
def _learn_dispersion(
    row: Floats, terms: int, count: float, mean: float, unknown: float, weight: float
) -> None:
    weights = row[SCALARS + terms : SCALARS + terms + len(DISPERSIONS)]
    for j in range(len(DISPERSIONS)):
        shape = shape_at(mean, DISPERSIONS[j], unknown)
        weights[j] = PRIOR[j] + DISPERSION_KEPT * (weights[j] - PRIOR[j])
        weights[j] += weight * log_likelihood(count, mean, shape)
    weights -= weights.max()


@compiled
def _watch_level(row: Floats, residual: float, patience: float, covariance: Floats, caps: Floats) -> None:
    """Sum up what lies above and below; a sum beyond `patience` opens the level to what comes next."""
    row[UP] = max(row[UP] + min(residual, FARTHEST) - DRIFT, 0.0)
    row[DOWN] = max(row[DOWN] - max(residual, -FARTHEST) - DRIFT, 0.0)
    if max(row[UP], row[DOWN]) > patience:
        row[UP] = row[DOWN] = 0.0
        covariance[LEVEL, LEVEL] = min(covariance[LEVEL, LEVEL] + SHIFT, caps[LEVEL])


@compiled
def _watch_residuals(row: Floats, residual: float, steps: float, watched: float) -> None:
    """Learn how far neighbouring residuals hang together; an outbreak's count no more than OUTLYING."""
    bounded = min(max(residual, -OUTLYING), OUTLYING)
    if steps == 1.0:
        row[TOGETHER] += (bounded * row[LAST] - row[TOGETHER]) / watched
    row[SQUARE] += (bounded * bounded - row[SQUARE]) / watched
    row[LAST] = bounded


@compiled
def offsets(
    states: Floats,
    slots: Slots,
    values: Floats,
    index: int,
    most_steps: int,
    prior: Record,
    exposures: Floats,
    out: Floats,
) -> None:
    """Add up, for each slot, the logarithm of its exposure and the linear predictors of all zones above it."""
    room = np.empty((3, len(values)))
    before, found = -1, 0.0
    for n in range(len(slots)):
        above = int(states[slots[n], PARENT])
        if above != before:  # neighbours often have the zone in common
            before, found = above, 0.0
            while above >= 0:
                row = states[above]
                steps = steps_of(row, index, most_steps)
                found += forecast(row, values, steps, prior, room[0], room[1], room[2])[0]
                above = int(row[PARENT])
        out[n] = found + math.log(exposures[n])


@compiled
def steps_of(row: Floats, index: int, most_steps: int) -> float:
    """Count the periods since a row's time: none for what lies behind it, at most `most_steps`."""
    if row[LEARNED] == 0.0:
        return 0.0
    return float(min(max(index - row[TIME], 0.0), most_steps))


@compiled
def expect_all(
    states: Floats,
    slots: Slots,
    values: Floats,
    index: int,
    most_steps: int,
    prior: Record,
    shifts: Floats,
    means: Floats,
    shapes: Floats,
) -> None:
    """Write mean and shape expected of each slot; `shifts` are `offsets`."""
    terms = len(values)
    room = np.empty((3, terms))
    for n in range(len(slots)):
        row = states[slots[n]]
        steps = steps_of(row, index, most_steps)
        level, variance = forecast(row, values, steps, prior, room[0], room[1], room[2])
        unknown = shape_of(variance)
        mean = unknown * math.exp(level + shifts[n] - digamma(unknown))
        means[n] = min(max(mean, 1e-9), LARGEST)
        shapes[n] = shape_at(means[n], dispersion_of(row, terms), unknown)


@compiled
def learn_all(
    states: Floats,
    slots: Slots,
    values: Floats,
    index: int,
    most_steps: int,
    prior: Record,
    patience: float,
    watched: float,
    shifts: Floats,
    counts: Floats,
) -> int:
    """Let each slot learn its count; how many were left out, being no counts or of a period already learned."""
    room = np.empty((3, len(values)))
    left_out = 0
    for n in range(len(slots)):
        row, count = states[slots[n]], counts[n]
        if not 0.0 <= count < np.inf or not is_due(row, index):
            left_out += 1
            continue
        steps = steps_of(row, index, most_steps)
        learn(row, values, shifts[n], min(count, LARGEST), steps, prior, patience, watched, room)
        row[TIME] = float(index)
        row[LEARNED] += 1.0
    return left_out


@compiled
def is_due(row: Floats, index: int) -> bool:
    """Say whether a period is still to be learned, and count those that are not.

    A period counts once: repetitions and what comes behind a newer period teach nothing. After PATIENT_ABOUT_TIME counts
    behind the newest time it was that time that was wrong.
    """
    if row[LEARNED] > 0.0 and index <= row[TIME]:
        row[LATE] += 1.0 if index < row[TIME] else 0.0
        if row[LATE] < PATIENT_ABOUT_TIME:
            return False
    row[LATE] = 0.0
    return True
