"""The parts of counts that are known while reports still come in."""

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from detectors.counts.delay import Delay
from detectors.counts.glm import CountGLM


def test_the_given_parts_hold_at_first() -> None:
    """Before anything is learned the parts are those given, and all is known after the last lag."""
    delay = Delay((0.4, 0.7, 0.9))
    assert [delay.part(lag) for lag in (-1, 0, 1, 2, 3, 99)] == pytest.approx([0.4, 0.4, 0.7, 0.9, 1.0, 1.0])


def test_parts_are_learned_and_never_shrink_with_the_lag() -> None:
    """Ratios of complete periods replace what was given; a lag that chance made smaller follows the one before it."""
    delay = Delay((0.4, 0.7, 0.9))
    for _ in range(400):
        delay.learn(0, 60, 100)
        delay.learn(1, 50, 100)
    assert delay.part(0) == pytest.approx(0.6, abs=0.01)
    assert delay.part(0) == delay.part(1) < delay.part(2)


@pytest.mark.parametrize(
    ("lag", "known", "whole"),
    [(0, math.nan, 3), (0, 3, math.inf), (0, -1, 3), (0, 1, -3), (7, 1, 2), (-1, 1, 2)],
)
def test_what_cannot_be_teaches_nothing(lag: int, known: float, whole: float) -> None:
    """Numbers that are no counts, and lags that there are none of, change nothing."""
    delay = Delay((0.5,))
    before = delay.dump()
    delay.learn(lag, known, whole)
    assert delay.dump() == before


def test_empty_periods_leave_a_part_that_can_be_used() -> None:
    """However many periods were empty, a part stays above 0."""
    delay = Delay((0.5,))
    for _ in range(5_000):
        delay.learn(0, 0, 0)
    assert 0.0 < delay.part(0) <= 1.0
    for _ in range(5_000):
        delay.learn(0, 0, 50)
    assert delay.part(0) > 0.0


@pytest.mark.parametrize("parts", [(0.0,), (1.2,), (0.5, 0.4), (math.nan,)])
def test_impossible_parts_are_refused(parts: tuple[float, ...]) -> None:
    """Parts outside (0, 1] and parts that shrink are errors that name them."""
    with pytest.raises(ValueError, match="parts"):
        Delay(parts)


def test_a_state_goes_on_and_another_is_refused() -> None:
    """What was dumped is taken up; another version or number of lags is an error."""
    delay, other = Delay((0.3, 0.8)), Delay((0.5, 0.9))
    delay.learn(0, 8, 10)
    other.restore(delay.dump())
    assert [other.part(lag) for lag in (0, 1)] == [delay.part(lag) for lag in (0, 1)]
    with pytest.raises(ValueError, match="version"):
        other.restore({"version": 5})
    with pytest.raises(ValueError, match="lags"):
        Delay((0.5,)).restore(delay.dump())


def test_an_incomplete_day_hides_no_outbreak_and_feigns_none() -> None:
    """Judged by the part that is known, half of an ordinary day is ordinary and half of an outbreak is not."""
    model, delay, generator = CountGLM("day"), Delay((0.5,)), np.random.default_rng(1)
    start = datetime(2023, 1, 2, 4, tzinfo=UTC)
    for day in range(200):
        model.learn_one({"at": start + timedelta(days=day)}, int(generator.poisson(30)))
    today = start + timedelta(days=200)
    x = {"exposure": delay.part(0)}
    assert not model.is_alarm(today, 15, x)
    assert model.is_alarm(today, 30, x)
    assert not model.is_alarm(today, 30)
