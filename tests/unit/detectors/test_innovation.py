"""The learned score: one series, plain Python and compiled."""

import math
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.series import score
from detectors.series.innovation import FIELDS, Innovation
from detectors.series.state import FOLD

START = datetime(2026, 6, 1, tzinfo=UTC)
values = st.one_of(
    st.floats(-1e6, 1e6),
    st.integers(-3, 3).map(float),
    st.sampled_from([0.0, 20.0, 20.0, 20.0, 21.0, 1e9]),
)


def run(detector: Innovation, series: Iterable[float]) -> list[float]:
    """Score and learn each value; the rarities."""
    rarities = []
    for value in series:
        rarities.append(detector.rarity({}, float(value)))
        detector.learn_one({}, float(value))
    return rarities


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(values, st.floats(0.2, 5.0)), min_size=1, max_size=300),
    st.sampled_from([1.0, 60.0, 900.0, 3600.0]),
)
def test_the_kernel_says_what_river_says(steps: list[tuple[float, float]], interval: float) -> None:
    """The compiled kernel gives the same score and holds the same state as the River detector, as far as four bytes tell."""
    detector, fold = Innovation(interval), np.zeros(1, FOLD)[0]
    at = int(START.timestamp() * 1e6)
    for value, pace in steps:
        at += int(interval * pace * 1e6)
        tail, record, _ = score.score(fold, interval * 1e6, at, value)
        rarity = max(tail, record)
        assert math.isclose(rarity, detector.rarity({"at": at / 1e6}, value), rel_tol=1e-9, abs_tol=1e-9)
        score.learn(fold, interval * 1e6, at, value)
        detector.learn_one({"at": at / 1e6}, value)
    for name in FIELDS[1:]:
        assert fold[name] == getattr(detector, name), name
    records = [("low", "high"), ("slow_low", "slow_high"), ("level_low", "level_high")]
    assert [(fold[low], fold[high]) for low, high in records] == list(detector.records.values())
    assert fold["profile"].tolist() == detector.profile


def test_a_jump_is_rare_and_noise_is_not() -> None:
    """A jump of ten spreads is rarer than one in a million, ordinary noise never is."""
    noise = np.random.default_rng(1).normal(20.0, 0.5, 2_000)
    detector = Innovation(60.0)
    assert max(run(detector, noise)) < 6.0
    assert detector.rarity({}, 25.0) > 6.0
    assert detector.score_one({}, 25.0) <= 1.0


def test_a_slow_drift_stays_modest() -> None:
    """A drift that takes days is never more than a record."""
    generator = np.random.default_rng(2)
    quiet = generator.normal(20.0, 0.5, 10 * 288)
    drift = 20.0 + np.linspace(0.0, 8.0, 5 * 288) + generator.normal(0.0, 0.5, 5 * 288)
    detector = Innovation(300.0)
    run(detector, quiet)
    assert max(run(detector, drift)) <= score.RECORD_CAP


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf, None, "7"])
def test_what_is_no_number_changes_nothing(odd: object) -> None:
    """A value that is not finite scores 0 and teaches nothing."""
    detector = Innovation()
    run(detector, np.random.default_rng(3).normal(size=100))
    before = detector.dump()
    assert detector.score_one({}, odd) == 0.0
    detector.learn_one({}, odd)
    assert detector.dump() == before


def test_a_constant_series_is_never_rare() -> None:
    """A series that never moves scores 0, and its first flicker is no event."""
    detector = Innovation()
    assert max(run(detector, [7.0] * 500)) == 0.0
    assert detector.rarity({}, 7.001) < 6.0


def test_a_score_does_not_depend_on_what_follows() -> None:
    """Scores are causal: cutting the series short changes none of those before."""
    series = np.random.default_rng(4).standard_t(3, 600)
    assert run(Innovation(), series[:400]) == run(Innovation(), series)[:400]


def test_a_written_state_goes_on_as_before() -> None:
    """A detector restored from plain numbers scores on exactly as the undisturbed one."""
    series = np.random.default_rng(5).normal(size=400)
    whole, first, second = Innovation(), Innovation(), Innovation()
    expected = run(whole, series)
    run(first, series[:150])
    second.restore(first.dump())
    assert run(second, series[150:]) == expected[150:]
    with pytest.raises(ValueError, match="version"):
        second.restore({"version": 99})


def test_time_may_be_aware_or_unix_seconds() -> None:
    """Both forms of time mean the same hour of day."""
    one, other = Innovation(3600.0), Innovation(3600.0)
    for hour in range(200):
        at = START + timedelta(hours=hour)
        value = math.sin(hour / 24 * 2 * math.pi)
        one.learn_one({"at": at}, value)
        other.learn_one({"at": at.timestamp()}, value)
    assert one.dump() == other.dump()
