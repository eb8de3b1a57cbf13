"""Made-up weekly counts with one outbreak to find: Noufaily et al. 2013, as used by Bédubourg and Le Strat 2017.

doi 10.1002/sim.5595 and 10.1371/journal.pone.0181227. The mean of week t is exp(theta + beta·t·trend
+ Σ_{j≤m} [g1 cos(2πjt/52) + g2 sin(2πjt/52)]), counts are negative binomial of variance phi·mean, Poisson where phi is 1. Of
624 weeks the last 49 are judged. Four past outbreaks lie in weeks 313–575. An outbreak's size is Poisson with mean
k·√(phi·mean at its start), at least 2; each case comes floor(LogNormal(0, ½)) weeks after the start. `BENDS` are series that
the model does not expect.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from detectors.counts.calendar import DayKind, is_after_break, kind_of

Floats = NDArray[np.float64]
WEEKS, PAST, JUDGED = 624, 312, 575
"""Weeks of a series; the first that may hold a past outbreak, and the first that is judged, both from 0."""
PARAMETERS = (
    (0.1, 0.0025, 0.6, 0.6, 1.5),
    (-2.0, 0.005, 0.1, 0.3, 2.0),
    (1.5, 0.003, 0.2, -0.4, 1.0),
    (0.5, 0.002, 0.5, 0.5, 5.0),
    (2.5, 0.001, 1.0, 0.1, 3.0),
    (3.75, 0.001, 0.1, -0.1, 1.1),
    (5.0, 0.0001, 0.05, 0.01, 1.2),
)
"""theta, beta, g1, g2, phi."""
SCENARIOS = [(*row, trend, waves) for row in PARAMETERS for trend in (0, 1) for waves in (0, 1, 2)]
PAST_SIZES, SIZES = (0, 2, 3, 5, 10), tuple(range(1, 11))
PER_ROUND = len(PAST_SIZES) * len(SIZES)
"""Series of a scenario in which each size of past and present outbreaks occurs once."""
START = datetime(2012, 12, 31, 4, tzinfo=UTC)
"""A Monday at noon in Shanghai: the judged weeks are those of 2024."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Series in rows. `counts` are NaN where a week is missing; `outbreak` marks the weeks of the one to find."""

    counts: Floats
    means: Floats
    dispersions: Floats
    outbreak: NDArray[np.bool_]
    scenario: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.counts)


def time_of(week: int) -> datetime:
    """Tell when a week is, counted from 0."""
    return START + timedelta(weeks=week)


def plain(weeks: Floats, parameters: tuple[float, ...], generator: np.random.Generator) -> Floats:
    """Tell the logarithm of the mean, as in the paper; `weeks` count from 1."""
    theta, beta, g1, g2, _, trend, waves = parameters
    season = np.zeros_like(weeks)
    for j in range(1, int(waves) + 1):
        angle = 2.0 * np.pi * j * weeks / 52.0
        season += g1 * np.cos(angle) + g2 * np.sin(angle)
    found: Floats = theta + beta * weeks * trend + season
    return found


def shifted(weeks: Floats, parameters: tuple[float, ...], generator: np.random.Generator) -> Floats:
    """Let each year's season come up to three weeks early or late, and half as strong to half as strong again."""
    *_, trend, _ = parameters
    years = int(weeks[-1] // 52) + 2
    late, strong = generator.uniform(-3.0, 3.0, years), generator.uniform(0.5, 1.5, years)
    # the middle of the quiet half year is where one season's shape gives way to the next one's
    year = ((weeks + 26) // 52).astype(int)
    moved = plain(weeks - late[year], parameters, generator)
    flat = parameters[0] + parameters[1] * weeks * trend
    found: Floats = flat + strong[year] * (moved - flat)
    return found


def jumped(weeks: Floats, parameters: tuple[float, ...], generator: np.random.Generator) -> Floats:
    """Double or halve the level for good, half a year to three years before the judged weeks."""
    at = generator.integers(JUDGED - 156, JUDGED - 26)
    step = np.log(2.0) * generator.choice([-1.0, 1.0])
    return plain(weeks, parameters, generator) + np.where(weeks > at, step, 0.0)


def true_years(weeks: Floats, parameters: tuple[float, ...], generator: np.random.Generator) -> Floats:
    """Let the season follow the sun: years are a day and a quarter longer than 52 weeks."""
    beta, trend = parameters[1], parameters[5]
    turned = weeks * (364.0 / 365.2425)
    return plain(turned, parameters, generator) + beta * trend * (weeks - turned)


def holidays(weeks: Floats, parameters: tuple[float, ...], generator: np.random.Generator) -> Floats:
    """Let people stay away on legal holidays and come in the days after."""
    return plain(weeks, parameters, generator) + HOLIDAY_EFFECT[: len(weeks)]


def _holiday_effect() -> Floats:
    """Tell the logarithm by which each week's mean is changed: a day off loses 80 %, a third of it comes after."""
    effect = np.zeros(WEEKS)
    for week in range(WEEKS):
        first: date = time_of(week).date()
        days = [first + timedelta(days=n) for n in range(7)]
        off = sum(kind_of(day) is DayKind.HOLIDAY and day.weekday() < 5 for day in days)
        back = any(map(is_after_break, days))
        effect[week] = np.log(1.0 - 0.8 * off / 7.0 + 0.25 * back)
    return effect


HOLIDAY_EFFECT = _holiday_effect()
Bend = Callable[[Floats, tuple[float, ...], np.random.Generator], Floats]
BENDS: dict[str, Bend] = {
    "seasons shifted": shifted,
    "level jumped": jumped,
    "weeks missing": plain,
    "holidays": holidays,
    "years of 365.24 days": true_years,
}
MISSING = "weeks missing"


def make(rounds: int, seed: int, bend: str | None = None) -> Batch:
    """Make `rounds` × PER_ROUND series of each scenario; the same seed makes the same series."""
    batches = [_scenario(number, rounds, seed, bend) for number in range(len(SCENARIOS))]
    names = ("counts", "means", "dispersions", "outbreak", "scenario")
    return Batch(*(np.concatenate([getattr(batch, name) for batch in batches]) for name in names))


def _scenario(number: int, rounds: int, seed: int, bend: str | None) -> Batch:
    kind = 0 if bend is None else 1 + list(BENDS).index(bend)
    generator = np.random.default_rng([seed, kind, number])
    parameters = SCENARIOS[number]
    phi = parameters[4]
    total = rounds * PER_ROUND
    weeks = np.arange(1.0, WEEKS + 1.0)
    shape = BENDS[bend] if bend else plain
    means = np.exp(np.stack([shape(weeks, parameters, generator) for _ in range(total)]))
    rates = means if phi == 1.0 else generator.gamma(means / (phi - 1.0)) * (phi - 1.0)
    counts = generator.poisson(rates).astype(np.float64)
    outbreak = np.zeros((total, WEEKS), np.bool_)
    for n in range(total):
        past, size = PAST_SIZES[n % len(PAST_SIZES)], SIZES[n // len(PAST_SIZES) % len(SIZES)]
        if past:
            for start in generator.integers(PAST, JUDGED, 4):
                _break_out(counts[n], means[n], phi, int(start), past, generator)
        start = int(generator.integers(JUDGED, WEEKS))
        last = _break_out(counts[n], means[n], phi, start, size, generator)
        outbreak[n, start : last + 1] = True
    if bend == MISSING:
        _lose(counts, outbreak, generator)
    return Batch(counts, means, np.full(total, phi), outbreak, np.full(total, number))


def _break_out(
    counts: Floats, means: Floats, phi: float, start: int, size: int, generator: np.random.Generator
) -> int:
    """Add an outbreak's cases, as far as they lie inside the series; its last week."""
    cases = max(int(generator.poisson(size * np.sqrt(phi * means[start]))), 2)
    when = start + np.floor(generator.lognormal(0.0, 0.5, cases)).astype(int)
    when = when[when < WEEKS]
    np.add.at(counts, when, 1.0)
    return int(when.max(initial=start))


def _lose(counts: Floats, outbreak: NDArray[np.bool_], generator: np.random.Generator) -> None:
    """Lose a week in ten and two months in a row before the judged weeks, never those of the outbreak to find."""
    lost = generator.random(counts.shape) < 0.1
    for row, begin in zip(lost, generator.integers(PAST, JUDGED - 9, len(counts)), strict=True):
        row[begin : begin + 9] = True
    counts[lost & ~outbreak] = np.nan
