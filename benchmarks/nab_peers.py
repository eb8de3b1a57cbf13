"""Methods beside ours on the Numenta Anomaly Benchmark: stock River, and the benchmark's own baselines."""

import math
from itertools import pairwise
from typing import Any

import numpy as np
from river import anomaly, drift, preprocessing

from benchmarks.nab_files import File
from benchmarks.nab_score import Floats

WINDOW, STEP = 6_400, 100
"""Of `windowedGaussian`: values that the mean and deviation are of, and values from one renewal to the next."""


def gaussian_scorer(file: File) -> Floats:
    """Score by River's GaussianScorer at its defaults; 0 where its deviation is 0."""
    scorer: Any = anomaly.GaussianScorer()  # type: ignore[no-untyped-call]
    scores = np.zeros(len(file.values))
    with np.errstate(all="ignore"):
        for number, value in enumerate(file.values.tolist()):
            scores[number] = np.nan_to_num(scorer.score_one(None, value))
            scorer.learn_one(None, value)
    return scores


def half_space_trees(file: File) -> Floats:
    """Score by River's HalfSpaceTrees at its defaults, on values scaled to their range so far."""
    trees: Any = anomaly.HalfSpaceTrees(seed=42)
    scaler: Any = preprocessing.MinMaxScaler()
    scores = np.zeros(len(file.values))
    for number, value in enumerate(file.values.tolist()):
        scaler.learn_one({"value": value})
        scaled = scaler.transform_one({"value": value})
        scores[number] = trees.score_one(scaled)
        trees.learn_one(scaled)
    return scores


def adwin(file: File) -> Floats:
    """Alarm where River's ADWIN finds a drift, at its defaults."""
    detector: Any = drift.ADWIN()  # type: ignore[no-untyped-call]
    scores = np.zeros(len(file.values))
    for number, value in enumerate(file.values.tolist()):
        detector.update(value)
        scores[number] = float(detector.drift_detected)
    return scores


def windowed_gaussian(file: File) -> Floats:
    """Score by NAB's windowedGaussian: one less the tail of a Gaussian with the mean and deviation of a window."""
    scores = np.zeros(len(file.values))
    edges = [*range(min(WINDOW, len(scores))), *range(WINDOW, len(scores), STEP), len(scores)]
    for begin, end in pairwise(edges):
        window = file.values[max(begin - WINDOW, 0) : begin]
        if len(window) == 0:
            continue
        mean, deviation = float(window.mean()), float(window.std()) or 1e-6
        for number in range(begin, end):
            scores[number] = 1.0 - 0.5 * math.erfc(
                abs(file.values[number] - mean) / deviation / math.sqrt(2.0)
            )
    return scores


def null(file: File) -> Floats:
    """Say nothing at all: what 0 on the benchmark's scale is."""
    return np.full(len(file.values), 0.5)
