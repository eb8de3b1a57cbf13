"""What a score is worth on series with an outbreak to find: power, false alarms, delay, each with its standard error.

An alarm is a week whose score exceeds a threshold. POD is the share of outbreaks with an alarm in any of their weeks, FPR
the share of judged weeks outside the outbreak that are alarms, PPV the share of alarms that lie in an outbreak, delay the
weeks from the first of an outbreak to its first alarm, of those that were found. Standard errors are those of ratios of sums
over series, which are independent (the weeks of one are not).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.outbreak_series import JUDGED, SCENARIOS, Batch, Floats

RATES = (0.01, 0.02, 0.05)
NOMINAL = 2.0
"""−log10 of the nominal p-value."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A share or a number of weeks, and its standard error."""

    value: float
    error: float


@dataclass(frozen=True, slots=True)
class Measures:
    """What alarms at one threshold are worth; `worst` is the largest FPR of a scenario."""

    threshold: float
    pod: Figure
    pod_first: Figure
    fpr: Figure
    ppv: Figure
    delay: Figure
    worst: float


def ratio(over: Floats, under: Floats) -> Figure:
    """Tell the ratio of two sums over series and its standard error (linearised); NaN where the second is 0."""
    whole = float(under.sum())
    if whole == 0.0:
        return Figure(float("nan"), float("nan"))
    value = float(over.sum()) / whole
    spread = float(np.sqrt(np.sum((over - value * under) ** 2)))
    return Figure(value, spread / whole)


def threshold_at(batch: Batch, scores: Floats, rate: float) -> float:
    """Find the least threshold that at most `rate` of all weeks without an outbreak exceed, all scenarios taken together."""
    quiet = np.sort(scores[_quiet(batch)])
    return float(quiet[max(int(np.ceil((1.0 - rate) * len(quiet))) - 1, 0)])


def measure(batch: Batch, scores: Floats, threshold: float) -> Measures:
    """Measure alarms above a threshold."""
    alarms, outbreak, quiet = scores > threshold, batch.outbreak[:, JUDGED:], _quiet(batch)
    caught = (alarms & outbreak).astype(np.float64)
    found = caught.max(axis=1)
    begin = outbreak.argmax(axis=1)
    first = caught[np.arange(len(batch)), begin]
    delay = np.where(found > 0.0, caught.argmax(axis=1) - begin, 0).astype(np.float64)
    false, weeks = (alarms & quiet).sum(axis=1), quiet.sum(axis=1)
    one = np.ones(len(batch))
    by_scenario = [
        false[batch.scenario == number].sum() / weeks[batch.scenario == number].sum()
        for number in range(len(SCENARIOS))
    ]
    return Measures(
        threshold,
        ratio(found, one),
        ratio(first, one),
        ratio(false.astype(np.float64), weeks.astype(np.float64)),
        ratio(caught.sum(axis=1), caught.sum(axis=1) + false),
        ratio(delay, found),
        float(max(by_scenario)),
    )


def _quiet(batch: Batch) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = ~batch.outbreak[:, JUDGED:] & np.isfinite(batch.counts[:, JUDGED:])
    return found
