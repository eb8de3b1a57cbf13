"""Records of a series: how often they are told by chance, what they see, and that they are told once."""

import numpy as np
import pytest

from detectors.series.alone import OneSeries
from detectors.series.innovation import Innovation

FIRST_MONDAY = 1_780_243_200
"""Midnight in China, in Unix seconds."""
FIVE = 300


def alarms(values: np.ndarray, seconds: int = FIVE) -> list[int]:
    """List the readings at which the stream would open a finding."""
    observed = (FIRST_MONDAY + np.arange(len(values), dtype=np.int64) * seconds) * 1_000_000
    return np.flatnonzero(OneSeries().judge(observed, values)[1]).tolist()


@pytest.mark.parametrize(("seconds", "readings"), [(60, 1_500), (300, 800), (3_600, 250)])
def test_chance_breaks_records_as_rarely_as_is_said(seconds: int, readings: int) -> None:
    """Ordinary noise, light-tailed or heavy, gives an alarm in so many readings at most, over the first 6,000."""
    generator = np.random.default_rng(6)
    for draw in (lambda: generator.normal(20.0, 1.0, 6_000), lambda: 20.0 + generator.standard_t(4, 6_000)):
        told = [len(alarms(draw(), seconds)) for _ in range(12)]
        assert sum(told) <= 12 * 6_000 / readings


def test_a_new_level_is_told_once_and_then_known() -> None:
    """A sensor that is replaced and reads four spreads more is told within an hour, and again at most twice."""
    values = np.random.default_rng(7).normal(20.0, 0.5, 6_000)
    values[4_000:] += 2.0
    told = [number for number in alarms(values) if number >= 4_000]
    assert 4_000 <= told[0] < 4_012
    assert len(told) <= 3


def test_a_slow_drift_is_told_while_it_is_slow() -> None:
    """Eight spreads in five days are told before half of them are through, though no reading is far from the one before."""
    generator = np.random.default_rng(8)
    values = generator.normal(20.0, 0.5, 20 * 288)
    values[15 * 288 :] += np.linspace(0.0, 4.0, 5 * 288)
    assert any(15 * 288 <= number < 17.5 * 288 for number in alarms(values))


def test_weekends_are_learned() -> None:
    """After six weeks a quiet Saturday is expected, and a Wednesday like it is not."""
    detector = Innovation(900.0)
    generator = np.random.default_rng(9)
    for number in range(6 * 7 * 96):
        at = FIRST_MONDAY + number * 900
        weekend = number // 96 % 7 >= 5
        detector.learn_one({"at": at}, 20.0 - 6.0 * weekend + float(generator.normal(0.0, 0.5)))
    assert detector.weekend == pytest.approx(-6.0, abs=1.5)
    next_week = FIRST_MONDAY + 6 * 7 * 86_400
    working = [detector._season((next_week + day * 86_400 + 43_200) * 1_000_000) for day in range(7)]
    assert min(working[:5]) - max(working[5:]) > 4.0


def test_first_values_set_no_records() -> None:
    """A sensor whose first three values are nonsense is no less watched afterwards."""
    detector = Innovation(300.0)
    for value in [900.0] * 3 + np.random.default_rng(10).normal(20.0, 0.5, 2_500).tolist():
        detector.learn_one({}, value)
    tail, record = detector.rarities({}, 30.0)
    assert tail > 6.0
    assert record > 4.0


def test_what_mostly_rests_is_not_surprised_by_its_ways() -> None:
    """A gauge that rests at 0 and jumps every few hours is told of rarely once it is known."""
    generator = np.random.default_rng(11)
    values = np.zeros(8_000)
    for begin in range(40, 8_000, 60):
        values[begin : begin + 6] = generator.uniform(20.0, 100.0, 6)
    assert len([number for number in alarms(values) if number >= 4_000]) <= 2


@pytest.mark.parametrize("huge", [1e16, -1e30, 1.7e308])
def test_values_beyond_all_measure_leave_the_score_sane(huge: float) -> None:
    """Numbers that four bytes cannot square are taken in, and what follows is scored in [0, 1]."""
    detector = Innovation(3_600.0)
    for value in [*np.random.default_rng(12).normal(20.0, 0.5, 200).tolist(), huge, huge, 20.0, 20.0]:
        assert 0.0 <= detector.score_one({}, value) <= 1.0
        detector.learn_one({}, value)
    assert all(np.isfinite([detector.level, detector.spread, detector.slow, *detector.profile]))
