"""The dynamic model of counts for one series, as a River detector and as the reference for the compiled bank.

The logarithm of a period's expected count is a sum of terms (level, slope, seasons, holidays) that may drift. What is
believed of the sum is carried over to a gamma distribution of the rate with the same mean and variance of the logarithm, the
count updates it by conjugacy, and linear Bayes brings the change back to the terms (West, Harrison and Migon 1985,
doi 10.1080/01621459.1985.10477131). Instead of a variance of the drift there is a discount: what was known grows stale by a
fixed part per period. Counts that vary more than a Poisson's teach as if divided by their dispersion, which is learned by
Bayes' rule over a list of values. Past outbreaks teach less: a count whose Anscombe residual s exceeds 2.58 has the weight
(2.58 / s)² (Noufaily et al. 2013, doi 10.1002/sim.5595). An excess that stays is a new level: when the sum of residuals
beyond a drift exceeds the design's patience, the level is opened and follows at once (monitoring and intervention, West and
Harrison 1997, chapter 11).
"""

import math
from collections.abc import Hashable, Mapping
from datetime import datetime
from typing import Any

import numpy as np
from river import base
from scipy import special  # type: ignore[import-untyped]  # comes with river

from detectors.counts.design import LEVEL, SLOPE, Floats, Period, design_of, features, index_of
from detectors.counts.gamma import LARGEST, LARGEST_SHAPE, tail_of
from detectors.counts.glm_state import (
    CALM,
    DISPERSION_KEPT,
    DISPERSIONS,
    DRIFT,
    FAR_OUTLYING,
    FARTHEST,
    LEAST_UNKNOWN,
    MOST_LEVEL,
    MOST_UNKNOWN,
    OUTLYING,
    PATIENT_ABOUT_TIME,
    PRIOR,
    RESTLESS,
    SHIFT,
)
from detectors.counts.rate import is_count

VERSION = 1
ALARM = 0.01
"""The p-value below which a count is an alarm, the nominal level of surveillance systems."""
SCORE_CAP = 12.0
"""Orders of magnitude that make the score 1."""
SCALARS = ("time", "seen", "learned", "up", "down", "late", "last", "together", "square")


class CountGLM(base.SupervisedAnomalyDetector):
    """Scores the count `y` of a period against season, week, holidays and its own past; high means more than expected.

    `x` may hold `at`, an aware time in the period (else it is the one after the newest); `exposure`, the part of the
    period's counts that can be known by now (1 is all, see `delay.Delay`); `zone`, the count expected of the zone that
    holds the cell, whose seasons it then shares. The score is −log10 p over SCORE_CAP; an alarm is p < ALARM (`is_alarm`).
    What is no count (None, NaN, infinite, negative) scores 0 and teaches nothing, like a missing row. A period counts once:
    repetitions and rows behind the newest teach nothing. It fails where a season is neither of the year, week nor day.
    """

    def __init__(self, period: Period = "day", within_zone: bool = False, share: float = 0.125) -> None:
        """Take the period; `within_zone` says that `x["zone"]` will be given, of which `share` is the cell's at first."""
        self.period: Period = period
        self.within_zone = within_zone
        self.share = share
        design = design_of(period)
        self._design = design
        self._caps = design.caps[1 if within_zone else 0]
        self._most_steps = 365 * 86_400 // design.seconds
        self.time = self.seen = 0
        self.learned = self.late = 0
        self.up = self.down = self.last = self.together = 0.0
        self.square = 1.0
        self.mean: Floats = np.zeros(design.terms)
        self.mean[LEVEL] = math.log(share) if within_zone else 0.0
        self.covariance: Floats = np.diag(self._caps)
        self.weights: Floats = PRIOR.copy()

    def expect(
        self, at: datetime | None = None, x: Mapping[Hashable, Any] | None = None
    ) -> tuple[float, float]:
        """Tell mean and shape of the negative binomial expected in the period of `at`; changes nothing."""
        index = self._index({"at": at})
        level, variance, _, _ = self._forecast(index)
        unknown = _shape_of(variance)
        mean = unknown * math.exp(level + _offset(x) - float(special.digamma(unknown)))
        mean = min(max(mean, 1e-9), LARGEST)
        return mean, _shape_at(mean, self.dispersion(), unknown)

    def median(self, at: datetime | None = None, x: Mapping[Hashable, Any] | None = None) -> float:
        """Tell the exponential of the expected logarithm, which cells of this series, a zone, take as `x["zone"]`."""
        return math.exp(self._forecast(self._index({"at": at}))[0] + _offset(x))

    def p_value(self, at: datetime | None, y: Any, x: Mapping[Hashable, Any] | None = None) -> float:
        """Tell how probable so high a count was (mid-p-value, see `gamma.tail_of`); 1 for what is no count."""
        if not is_count(y):
            return 1.0
        return tail_of(min(float(y), LARGEST), *self.expect(at, x))

    def is_alarm(self, at: datetime | None, y: Any, x: Mapping[Hashable, Any] | None = None) -> bool:
        """Say whether a count is an alarm by itself."""
        return self.p_value(at, y, x) < ALARM

    def score_one(self, x: Mapping[Hashable, Any] | None, y: Any) -> float:
        """Score a count in [0, 1]; changes nothing."""
        rarity = -math.log10(self.p_value((x or {}).get("at"), y, x))
        return min(max(rarity / SCORE_CAP, 0.0), 1.0)

    def learn_one(self, x: Mapping[Hashable, Any] | None, y: Any) -> None:
        """Learn the count of a period; call `score_one` first."""
        index = self._index(x or {})
        self.seen = index
        if not is_count(y) or not self._is_due(index):
            return
        self._learn(index, min(float(y), LARGEST), _offset(x))
        self.time = index
        self.learned += 1

    def dispersion(self) -> float:
        """Tell the expected variance over mean of a period's count."""
        weights = np.exp(self.weights - self.weights.max())
        return float(weights @ DISPERSIONS / weights.sum())

    def dump(self) -> dict[str, Any]:
        """Write the state as plain numbers."""
        arrays = {"mean": self.mean, "covariance": self.covariance.ravel(), "weights": self.weights}
        return {
            "version": VERSION,
            **{name: getattr(self, name) for name in SCALARS},
            **{name: array.tolist() for name, array in arrays.items()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take up a written state; ValueError for another version or another period's."""
        if state.get("version") != VERSION:
            raise ValueError(f"state of version {state.get('version')}, this release reads {VERSION}")
        terms = self._design.terms
        if len(state["mean"]) != terms:
            raise ValueError(f"state of {len(state['mean'])} terms, periods of a {self.period} have {terms}")
        for name in SCALARS:
            setattr(self, name, state[name])
        self.mean = np.array(state["mean"])
        self.covariance = np.array(state["covariance"]).reshape(terms, terms)
        self.weights = np.array(state["weights"])

    def _forecast(self, index: int) -> tuple[float, float, Floats, Floats]:
        """Tell mean and variance of the sum of terms, and the moved mean and covariance of the terms."""
        steps = float(min(max(index - self.time, 0), self._most_steps)) if self.learned else 0.0
        values = features(index, self.period)
        scale = np.minimum(self._growth() ** steps, np.sqrt(self._caps / np.diag(self.covariance)))
        move = np.eye(len(values))
        move[LEVEL, SLOPE] = steps
        mean = move @ self.mean
        covariance = move @ (self.covariance * np.outer(scale, scale)) @ move.T
        variance = float(values @ covariance @ values)
        level = min(max(float(values @ mean), -MOST_LEVEL), MOST_LEVEL)
        return level, min(max(variance, 1e-12), MOST_UNKNOWN), mean, covariance

    def _learn(self, index: int, count: float, offset: float) -> None:
        level, variance, mean, covariance = self._forecast(index)
        values = features(index, self.period)
        unknown = _shape_of(variance)
        rate = math.exp(float(special.digamma(unknown)) - level - offset)
        expected = unknown / rate
        dispersion = self.dispersion()
        residual = _anscombe(count, expected, dispersion + expected / unknown)
        weight = _trust(residual, OUTLYING)
        shape, rate = unknown + weight * count / dispersion, rate + weight / dispersion
        shift = float(special.digamma(shape)) - math.log(rate) - level - offset
        gain = covariance @ values / variance
        self.mean = mean + gain * shift
        lost = variance - float(special.polygamma(1, shape))
        self.covariance = covariance - np.outer(gain, gain) * lost
        np.fill_diagonal(self.covariance, np.maximum(np.diag(self.covariance), LEAST_UNKNOWN))
        trusted = _trust(residual, FAR_OUTLYING)
        self.weights = PRIOR + DISPERSION_KEPT * (self.weights - PRIOR)
        for number, value in enumerate(DISPERSIONS.tolist()):
            shape = _shape_at(expected, value, unknown)
            self.weights[number] += trusted * _log_probability(count, expected, shape)
        self.weights -= self.weights.max()
        self._watch_level(residual)
        bounded = min(max(residual, -OUTLYING), OUTLYING)
        if index - self.time == 1 and self.learned:
            self.together += (bounded * self.last - self.together) / self._design.watched
        self.square += (bounded**2 - self.square) / self._design.watched
        self.last = bounded

    def _growth(self) -> Floats:
        """Tell by what deviations grow in a period: more where neighbouring residuals hang together."""
        calm, restless = self._design.growths
        correlation = self.together / self.square
        part = min(max((correlation - CALM) / (RESTLESS - CALM), 0.0), 1.0)
        found: Floats = calm + part * (restless - calm)
        return found

    def _watch_level(self, residual: float) -> None:
        self.up = max(self.up + min(residual, FARTHEST) - DRIFT, 0.0)
        self.down = max(self.down - max(residual, -FARTHEST) - DRIFT, 0.0)
        if max(self.up, self.down) > self._design.patience:
            self.up = self.down = 0.0
            opened = self.covariance[LEVEL, LEVEL] + SHIFT
            self.covariance[LEVEL, LEVEL] = min(opened, self._caps[LEVEL])

    def _is_due(self, index: int) -> bool:
        """Say whether a period is still to be learned; see `glm_kernel.is_due`."""
        if self.learned and index <= self.time:
            self.late += index < self.time
            if self.late < PATIENT_ABOUT_TIME:
                return False
        self.late = 0
        return True

    def _index(self, x: Mapping[Hashable, Any]) -> int:
        at = x.get("at")
        if isinstance(at, datetime):
            return index_of(at, self.period)
        return self.seen + 1


def _offset(x: Mapping[Hashable, Any] | None) -> float:
    """Tell by what logarithm a period's expectation is shifted."""
    given = [(x or {}).get(name, 1.0) for name in ("exposure", "zone")]
    return sum(math.log(value) for value in given if is_count(value) and value > 0)


def _shape_of(variance: float) -> float:
    """Find the shape of the gamma whose logarithm has this variance, by Newton's method on 1 / trigamma."""
    shape = 0.5 + 1.0 / variance
    for _ in range(20):
        value = float(special.polygamma(1, shape))
        step = value * (1.0 - value / variance) / float(special.polygamma(2, shape))
        shape += step
        if -step < 1e-12 * shape:
            break
    return shape


def _shape_at(mean: float, dispersion: float, unknown: float) -> float:
    return min(mean / (dispersion - 1.0 + mean / unknown + 1e-9), LARGEST_SHAPE)


def _trust(residual: float, most: float) -> float:
    return 1.0 if residual <= most else (most / residual) ** 2


def _anscombe(count: float, mean: float, dispersion: float) -> float:
    rise: float = count ** (2 / 3) - mean ** (2 / 3)
    width: float = mean ** (1 / 6)
    return 1.5 * rise / (width * math.sqrt(dispersion))


def _log_probability(count: float, mean: float, shape: float) -> float:
    return (
        math.lgamma(count + shape)
        - math.lgamma(shape)
        - math.lgamma(count + 1.0)
        - shape * math.log1p(mean / shape)
        + count * math.log(mean / (mean + shape))
    )
