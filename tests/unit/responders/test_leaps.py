"""Clocks that leap: how far back, and what counts as none."""

from datetime import UTC, datetime, timedelta

import pytest

from responders.leaps import Leap, Look, leap

NOW = datetime(2026, 5, 1, 8, tzinfo=UTC)
HOUR, SECOND, NONE = timedelta(hours=1), timedelta(seconds=1), timedelta(0)


@pytest.mark.parametrize(
    ("wall", "county", "factor", "back"),
    [
        (SECOND, SECOND, 1.0, Leap()),
        (HOUR, HOUR, 1.0, Leap()),  # forward: each case climbs one step
        (-SECOND, -SECOND, 1.0, Leap()),  # two workers that overtook one another
        (-2 * SECOND, -2 * SECOND, 1.0, Leap()),
        (-3 * SECOND, -3 * SECOND, 1.0, Leap(3 * SECOND, 3 * SECOND)),
        (-HOUR, -HOUR, 1.0, Leap(HOUR, HOUR)),  # the host's clock in production
        (-HOUR, SECOND, 60.0, Leap(HOUR, NONE)),
        (SECOND, -HOUR, 0.0, Leap(NONE, HOUR)),  # a standing clock that a test set back
        (-2 * SECOND, -120 * SECOND, 60.0, Leap()),  # the same slack, at sixty times the speed
        (-3 * SECOND, -180 * SECOND, 60.0, Leap(3 * SECOND, 180 * SECOND)),
    ],
)
def test_how_far_the_clocks_were_set_back(
    wall: timedelta, county: timedelta, factor: float, back: Leap
) -> None:
    """Only backwards, only by more than workers may overtake one another, each clock by itself."""
    found = leap(Look(NOW, NOW), Look(NOW + wall, NOW + county), factor)
    assert found == back
    assert found.is_none == (back == Leap())
