"""The dynamic model of counts: what it learns, what it does not, and what bad input does to it."""

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]  # comes with river

from detectors.counts.design import Period, begin_of, index_of
from detectors.counts.gamma import digamma, shape_of, tail_of, trigamma, upper_tail
from detectors.counts.glm import ALARM, CountGLM
from detectors.counts.glm_bank import GLMBank

START = datetime(2020, 1, 6, 4, tzinfo=UTC)  # a Monday at noon in Shanghai
BAD = [math.nan, math.inf, -math.inf, -1, None, "7"]


def teach(model: CountGLM, counts: list[float], begin: int = 0) -> list[float]:
    """Let a model learn counts, one period after another; the p-value of each before it was learned."""
    first = index_of(START, model.period) + begin
    found = []
    for number, count in enumerate(counts):
        at = begin_of(first + number, model.period)
        found.append(model.p_value(at, count))
        model.learn_one({"at": at}, count)
    return found


def draw(means: list[float] | np.ndarray, seed: int = 1) -> list[float]:
    """Draw Poisson counts."""
    return [float(count) for count in np.random.default_rng(seed).poisson(means)]


@pytest.mark.parametrize("x", [1e-3, 0.3, 1.0, 7.9, 8.0, 250.0, 1e6])
def test_special_functions_are_those_of_scipy(x: float) -> None:
    """Digamma, trigamma and its inverse agree with scipy's."""
    from scipy import special

    assert digamma(x) == pytest.approx(special.digamma(x), rel=1e-10, abs=1e-12)
    assert trigamma(x) == pytest.approx(special.polygamma(1, x), rel=1e-10)
    assert shape_of(float(special.polygamma(1, x))) == pytest.approx(x, rel=1e-6)


@pytest.mark.parametrize("mean", [0.01, 0.8, 30.0, 4e4])
@pytest.mark.parametrize("shape", [0.05, 1.0, 40.0, 1e6])
@pytest.mark.parametrize("times", [0.3, 1.0, 1.4, 3.0])
def test_the_tail_is_that_of_the_negative_binomial(mean: float, shape: float, times: float) -> None:
    """Upper tail and mid-p-value agree with scipy's negative binomial."""
    count = max(float(round(mean * times)), 1.0)
    law = stats.nbinom(shape, shape / (shape + mean))
    assert upper_tail(count, mean, shape) == pytest.approx(law.sf(count - 1), rel=1e-5, abs=1e-30)
    mid = law.sf(count) + 0.5 * law.pmf(count)
    assert tail_of(count, mean, shape) == pytest.approx(mid, rel=1e-5, abs=1e-30)


def test_a_season_is_learned() -> None:
    """After some years, winter and summer weeks are expected at their own levels."""
    weeks = np.arange(300)
    means = 20 * np.exp(0.8 * np.cos(2 * np.pi * weeks / 52))
    model = CountGLM("week")
    teach(model, draw(means))
    for ahead in (12, 38):
        expected, _ = model.expect(START + timedelta(weeks=300 + ahead - 300 % 52))
        assert expected == pytest.approx(20 * math.exp(0.8 * math.cos(2 * math.pi * ahead / 52)), rel=0.15)


def test_days_of_the_week_and_holidays_are_learned() -> None:
    """Sundays, legal holidays and weekend days that are worked are expected apart from each other."""
    model, generator = CountGLM("day"), np.random.default_rng(1)
    from detectors.counts.calendar import is_off

    start = datetime(2021, 1, 1, 4, tzinfo=UTC)
    for day in range(1_100):
        at = start + timedelta(days=day)
        model.learn_one({"at": at}, int(generator.poisson(10 if is_off(at.date()) else 50)))
    tuesday, sunday = datetime(2024, 3, 5, 4, tzinfo=UTC), datetime(2024, 3, 10, 4, tzinfo=UTC)
    holiday, makeup = datetime(2024, 2, 13, 4, tzinfo=UTC), datetime(2024, 4, 7, 4, tzinfo=UTC)
    assert model.expect(tuesday)[0] == pytest.approx(50, rel=0.15)
    assert model.expect(sunday)[0] == pytest.approx(10, rel=0.2)
    assert model.expect(holiday)[0] == pytest.approx(10, rel=0.25)  # a Tuesday of Spring Festival
    assert model.expect(makeup)[0] == pytest.approx(50, rel=0.25)  # a Sunday that is worked


@pytest.mark.parametrize(("period", "per_day"), [("hour", 24), ("2h", 12)])
def test_the_hours_of_the_day_are_learned(period: Period, per_day: int) -> None:
    """Nights are expected to be quieter than days after a month."""
    model = CountGLM(period)
    day = 5.0 + 4.0 * np.sin(2 * np.pi * np.arange(per_day) / per_day)
    teach(model, draw(np.tile(day, 30)))
    first = index_of(START, period) + 30 * per_day
    busy, quiet = (model.expect(begin_of(first + n, period))[0] for n in (per_day // 4, 3 * per_day // 4))
    assert busy > 4 * quiet


@pytest.mark.parametrize(("period", "most"), [("week", 13), ("day", 30)])
def test_a_level_jump_is_learned(period: Period, most: int) -> None:
    """A level that doubled for good is told at first and usual after a quarter of a year, or a month of days."""
    model = CountGLM(period)
    teach(model, draw([20.0] * 200))
    found = teach(model, draw([40.0] * 60, seed=2), begin=200)
    assert found[0] < ALARM or found[1] < ALARM
    assert sum(p < ALARM for p in found[most:]) <= 2
    assert model.expect()[0] == pytest.approx(40.0, rel=0.15)


@pytest.mark.parametrize(("period", "past", "length"), [("week", 200, 3), ("day", 730, 10)])
def test_an_outbreak_is_not_learned(period: Period, past: int, length: int) -> None:
    """An outbreak of weeks is an alarm to its end, and afterwards the same is expected as before it."""
    model = CountGLM(period)
    teach(model, draw([20.0] * past))
    before = model.expect()[0]
    found = teach(model, [45.0] * length, begin=past)
    assert max(found) < ALARM
    assert model.expect()[0] < 1.3 * before
    assert min(teach(model, draw([20.0] * 12, seed=3), begin=past + length)) > 0.001
    assert teach(model, [45.0], begin=past + 12 + length)[0] < ALARM


@pytest.mark.parametrize(("mean", "dispersion"), [(0.3, 1.0), (5.0, 1.0), (5.0, 4.0), (80.0, 2.0)])
def test_a_nominal_alarm_is_honest(mean: float, dispersion: float) -> None:
    """On series with nothing to find, after two years, at most 1.4 % of p-values are below 1 %, whatever their level.

    With a known mean it would be 1 %; the dispersion is learned, and a mid-p-value is not sure to keep its level.
    """
    generator = np.random.default_rng(4)
    series, weeks = 400, 260
    rates = np.full((weeks, series), mean)
    if dispersion > 1.0:
        rates = generator.gamma(mean / (dispersion - 1.0), size=(weeks, series)) * (dispersion - 1.0)
    counts = generator.poisson(rates).astype(float)
    bank = GLMBank("week")
    slots = [bank.add() for _ in range(series)]
    rare = 0
    for week in range(weeks):
        at = START + timedelta(weeks=week)
        if week >= 104:
            rare += int((bank.rarity(slots, at, counts[week]) > 2.0).sum())
        bank.learn(slots, at, counts[week])
    assert 0.002 < rare / (series * (weeks - 104)) < 0.014


def test_missing_periods_teach_nothing_but_doubt() -> None:
    """A missing row, a NaN and a None are the same: the mean stays and the distribution grows wider."""
    nothing, gap = CountGLM("week"), CountGLM("week")
    counts = draw([20.0] * 100)
    for model in (nothing, gap):
        teach(model, counts)
    teach(nothing, [math.nan] * 40, begin=100)
    later = begin_of(index_of(START, "week") + 140, "week")
    assert nothing.expect(later) == gap.expect(later)
    near, far = gap.expect(begin_of(index_of(START, "week") + 100, "week")), gap.expect(later)
    assert far[0] == pytest.approx(near[0], rel=0.25)
    assert far[1] < near[1]


@pytest.mark.parametrize("bad", BAD, ids=repr)
def test_what_is_no_count_scores_nothing_and_changes_no_belief(bad: object) -> None:
    """NaN, infinities, negatives, None and texts are neither scored nor learned."""
    model = CountGLM("day")
    teach(model, draw([5.0] * 30))
    before = {name: value for name, value in model.dump().items() if name != "seen"}
    at = START + timedelta(days=30)
    assert model.score_one({"at": at}, bad) == 0.0
    assert not model.is_alarm(at, bad)
    model.learn_one({"at": at}, bad)
    assert {name: value for name, value in model.dump().items() if name != "seen"} == before


@pytest.mark.parametrize(
    "counts",
    [
        [0.0] * 3_000,
        [7.0] * 3_000,
        [0.3, 1.7, 2.5] * 500,
        [0.0, 1e9] * 200,
        [1e300] * 50 + [0.0] * 200,
        [float(n) for n in range(2_000)] * 2,
        [math.nan] * 500 + [3.0] * 50,
        [5.0],
    ],
    ids=["zero", "constant", "fractions", "wild", "beyond", "counter reset", "late begin", "one row"],
)
def test_odd_series_stay_sane(counts: list[float]) -> None:
    """Whatever comes, scores are in [0, 1], expectations finite, and the state is as large as before."""
    model = CountGLM("day")
    size = len(str(sorted(model.dump())))
    for number, count in enumerate(counts):
        at = START + timedelta(days=number)
        if number % 50 < 3:
            assert 0.0 <= model.score_one({"at": at}, count) <= 1.0
        model.learn_one({"at": at}, count)
    mean, shape = model.expect()
    assert 0.0 < mean <= 1e9
    assert 0.0 < shape <= 1e7
    assert np.isfinite(model.covariance).all()
    assert np.linalg.eigvalsh(model.covariance).min() > -1e-9
    assert len(str(sorted(model.dump()))) == size


def test_a_million_rows_are_bounded_and_sane() -> None:
    """After a million periods the state has its size, and is still a covariance."""
    bank = GLMBank("hour")
    slots = [bank.add() for _ in range(100)]
    generator = np.random.default_rng(5)
    first = index_of(START, "hour")
    bytes_before = sum(map(len, bank.dump().values()))
    for hour in range(10_000):
        bank.learn(slots, begin_of(first + hour, "hour"), generator.poisson(3.0, 100))
    means, _ = bank.expect(slots, begin_of(first + 10_000, "hour"))
    assert means == pytest.approx(np.full(100, 3.0), rel=0.35)
    assert sum(map(len, bank.dump().values())) == bytes_before


def test_a_period_counts_once() -> None:
    """Repeating a period's row, or going back, changes nothing that is believed."""
    model = CountGLM("day")
    teach(model, draw([5.0] * 30))
    before = model.mean.tolist()
    for back in (1, 1, 3, 29):
        model.learn_one({"at": START + timedelta(days=30 - back)}, 400)
    assert model.mean.tolist() == before


def test_a_clock_that_ran_ahead_is_forgiven() -> None:
    """One row from years ahead does not silence the model for years: after a month of rows it learns again."""
    model = CountGLM("day")
    teach(model, draw([5.0] * 100))
    model.learn_one({"at": START + timedelta(days=9_000)}, 5)
    teach(model, draw([5.0] * 60, seed=2), begin=100)
    assert model.time == index_of(START + timedelta(days=159), "day")
    assert model.expect(START + timedelta(days=160))[0] == pytest.approx(5.0, rel=0.4)


@pytest.mark.parametrize("at", [datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)])
def test_the_ends_of_time_are_periods_too(at: datetime) -> None:
    """The first and the last days that a date can name are answered."""
    for period in ("hour", "day", "week"):
        model = CountGLM(period)
        model.learn_one({"at": at}, 3)
        assert model.expect(at)[0] > 0.0


def test_partial_counts_are_judged_as_parts() -> None:
    """Half of a day's reports are expected to be half as many, and teach the whole."""
    model = CountGLM("day")
    teach(model, draw([40.0] * 60))
    at = START + timedelta(days=60)
    whole, half = model.expect(at)[0], model.expect(at, {"exposure": 0.5})[0]
    assert half == pytest.approx(whole / 2)
    assert model.p_value(at, 40, {"exposure": 0.5}) < ALARM < model.p_value(at, 40)
    model.learn_one({"at": at, "exposure": 0.5}, round(half))
    assert model.expect(at)[0] == pytest.approx(whole, rel=0.05)


def test_rarer_counts_score_higher() -> None:
    """The score grows with the count, and an alarm is a p-value below the nominal level."""
    model = CountGLM("day")
    teach(model, draw([5.0] * 60))
    at = {"at": START + timedelta(days=60)}
    scores = [model.score_one(at, count) for count in range(40)]
    assert scores == sorted(scores)
    assert scores[-1] > scores[10] > scores[5]
    alarms = [model.is_alarm(at["at"], count) for count in range(40)]
    assert alarms == [score * 12 > 2 for score in scores]


def test_a_state_of_another_form_is_refused() -> None:
    """Another version and another period's state are errors that say so."""
    state = CountGLM("week").dump()
    with pytest.raises(ValueError, match="version 9"):
        CountGLM("week").restore({**state, "version": 9})
    with pytest.raises(ValueError, match="periods of a day"):
        CountGLM("day").restore(state)


def test_naive_times_are_refused() -> None:
    """A time without its zone is an error, not a guess."""
    with pytest.raises(ValueError, match="zone"):
        CountGLM().learn_one({"at": datetime(2024, 1, 1)}, 3)  # noqa: DTZ001  # that is the point
