"""Chances of dependent tests as one, and velocities that are learned."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped]  # comes with river

from config.rivers import River
from detectors.fusion.pooling import CORRELATION, at_least_once, pooled
from detectors.fusion.travel import Travel

RIVER = River(slug="", slowest=0.1, fastest=2.0)
CHANCES = st.floats(1e-12, 1.0)


@given(st.lists(CHANCES, min_size=1, max_size=6))
def test_without_correlation_it_is_fishers_method(p_values: list[float]) -> None:
    """The special case agrees with the one that SciPy ships."""
    expected = stats.combine_pvalues(p_values, method="fisher").pvalue
    assert pooled(p_values, 0.0) == pytest.approx(expected, rel=1e-6)


@given(st.lists(CHANCES, min_size=1, max_size=6), CHANCES)
def test_it_grows_with_each_of_its_chances(p_values: list[float], other: float) -> None:
    """A rarer mark never makes the whole less rare, and the order makes no difference."""
    rarer, commoner = sorted((p_values[0], other))
    rest = p_values[1:]
    assert pooled([rarer, *rest]) <= pooled([commoner, *rest]) * (1 + 1e-9)
    assert pooled([*rest, rarer]) == pytest.approx(pooled([rarer, *rest]), rel=1e-9)


@pytest.mark.parametrize("count", [2, 4])
def test_correlated_stations_are_right_as_often_as_they_say(count: int) -> None:
    """Of scores that correlate as assumed, one in a thousand is pooled below one in a thousand."""
    random = np.random.default_rng(7)
    common = random.standard_normal((20_000, 1))
    scores = math.sqrt(CORRELATION) * common + math.sqrt(1 - CORRELATION) * random.standard_normal(
        (20_000, count)
    )
    share = np.mean([pooled(list(row)) < 0.01 for row in stats.norm.sf(scores)])
    assert 0.007 < share < 0.013


def test_nothing_cannot_be_pooled() -> None:
    """There is no chance of nothing."""
    with pytest.raises(ValueError, match="nothing"):
        pooled([])


def test_looking_often_makes_a_chance_common() -> None:
    """A chance of one in a million in a hundred looks is one in ten thousand; a certain one stays so."""
    assert at_least_once(1e-6, 100) == pytest.approx(1e-4, rel=1e-3)
    assert at_least_once(0.2, 0.1) == pytest.approx(0.2)
    assert at_least_once(1.0, 3) == 1.0


def test_with_nothing_seen_the_range_is_the_configured_one() -> None:
    """The first passage is expected at any velocity that the river may have."""
    assert Travel().range(RIVER) == pytest.approx((0.1, 2.0))


@given(st.lists(st.tuples(st.floats(-10, 1e5), st.floats(-1e5, 1e7)), max_size=20))
def test_what_is_learned_never_leaves_the_configured_range(passages: list[tuple[float, float]]) -> None:
    """Whatever was measured, even nonsense, the range stays inside what the river may do, and is one."""
    travel = Travel()
    for metres, seconds in passages:
        travel.learn(metres, seconds, RIVER)
    slowest, fastest = travel.range(RIVER)
    assert 0.1 - 1e-9 <= slowest < fastest <= 2.0 + 1e-9


def test_no_number_teaches_nothing() -> None:
    """NaN and infinities leave no trace."""
    travel = Travel()
    for metres, seconds in ((math.nan, 60.0), (100.0, math.inf), (math.inf, 1.0)):
        travel.learn(metres, seconds, RIVER)
    assert travel == Travel()
