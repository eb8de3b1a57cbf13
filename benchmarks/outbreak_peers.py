"""The methods beside which the dynamic model stands: EARS, Farrington Flexible, River's GaussianScorer, and the truth.

Each takes a batch and writes, for the judged weeks, −log10 of a p-value, 0 where there is no count.
EARS C1 and C2: Hutwagner et al., Journal of Urban Health 80 (2003), a week against mean and spread of seven weeks before it,
C2 after a gap of two. Farrington Flexible: Noufaily et al. 2013 (doi 10.1002/sim.5595), with what the R package surveillance
does in `farringtonFlexible(b = 5, w = 3, noPeriods = 10, reweight = TRUE, weightsThreshold = 2.58, pThresholdTrend = 1,
pastWeeksNotIncluded = 26, thresholdMethod = "nbPlugin")`. Missing weeks are left out of every baseline.
"""

from typing import Any

import numpy as np
from river import anomaly
from scipy import stats  # type: ignore[import-untyped]  # comes with river

from benchmarks.outbreak_farrington import farrington_batch
from benchmarks.outbreak_series import JUDGED, WEEKS, Batch, Floats, time_of
from detectors.counts.gamma import rarities
from detectors.counts.glm_bank import GLMBank

MOST = 30.0
EARS_WEEKS = 7
GAUSSIAN_WEEKS = 100
"""Better here than all weeks, 52 (below its grace period) or 260."""


def glm(batch: Batch) -> Floats:
    """Score by the dynamic model, as it is shipped."""
    bank = GLMBank("week")
    slots = np.array([bank.add() for _ in range(len(batch))])
    found = np.zeros((len(batch), WEEKS - JUDGED))
    for week in range(WEEKS):
        counts, at = np.ascontiguousarray(batch.counts[:, week]), time_of(week)
        if week >= JUDGED:
            found[:, week - JUDGED] = bank.rarity(slots, at, counts)
        bank.learn(slots, at, counts)
    return found


def oracle(batch: Batch) -> Floats:
    """Score by the mean and the dispersion from which the counts were drawn: nobody can know better week by week."""
    means = batch.means[:, JUDGED:]
    shapes = np.minimum(means / (batch.dispersions[:, None] - 1.0 + 1e-9), 1e7)
    found = np.zeros(means.size)
    counts = np.ascontiguousarray(batch.counts[:, JUDGED:]).ravel()
    rarities(counts, np.ascontiguousarray(means).ravel(), shapes.ravel(), found)
    return found.reshape(means.shape)


def ears(batch: Batch, gap: int) -> Floats:
    """Score by EARS C1 (no gap) or C2 (a gap of two weeks); a week above a baseline without spread is as rare as can be."""
    found = np.zeros((len(batch), WEEKS - JUDGED))
    for week in range(JUDGED, WEEKS):
        base = batch.counts[:, week - gap - EARS_WEEKS : week - gap]
        known = np.isfinite(base)
        number = np.maximum(known.sum(axis=1), 1)
        mean = np.where(known, base, 0.0).sum(axis=1) / number
        square = np.where(known, (base - mean[:, None]) ** 2, 0.0).sum(axis=1)
        spread = np.sqrt(square / np.maximum(number - 1, 1))
        above = np.nan_to_num(batch.counts[:, week] - mean)
        far = np.divide(above, spread, out=np.where(above > 0.0, 99.0, 0.0), where=spread > 0.0)
        found[:, week - JUDGED] = np.minimum(-stats.norm.logsf(far) / np.log(10.0), MOST)
    return found


def farrington(batch: Batch) -> Floats:
    """Score by Farrington Flexible."""
    found = np.zeros((len(batch), WEEKS - JUDGED))
    farrington_batch(np.ascontiguousarray(batch.counts), JUDGED, found)
    return found


def gaussian(batch: Batch) -> Floats:
    """Score by River's GaussianScorer over GAUSSIAN_WEEKS; its score is that of both tails."""
    found = np.zeros((len(batch), WEEKS - JUDGED))
    for n in range(len(batch)):
        detector: Any = anomaly.GaussianScorer(window_size=GAUSSIAN_WEEKS)  # type: ignore[no-untyped-call]  # River has no types
        for week, count in enumerate(batch.counts[n].tolist()):
            if not np.isfinite(count):
                continue
            if week >= JUDGED:
                beyond = 1.0 - detector.score_one({}, count)
                found[n, week - JUDGED] = -np.log10(max(beyond, 10.0**-MOST))
            detector.learn_one({}, count)
    return found
