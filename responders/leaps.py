"""Clocks that leap: pure. Timers are rows at instants of the county clock, so that a clock set back would delay them all.

A clock that leaps forward needs nothing: each case climbs one step, and the new step's whole wait counts from then.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

SLACK = timedelta(seconds=2)
"""Wall time by which two looks of several workers may overtake one another."""
MARK_EVERY = timedelta(seconds=1)
"""Wall time between two marks."""


@dataclass(frozen=True, slots=True)
class Look:
    """Both clocks in one moment."""

    wall: datetime
    county: datetime


@dataclass(frozen=True, slots=True)
class Leap:
    """How far the clocks were set back since the last look; nothing where they went forward."""

    wall: timedelta = timedelta(0)
    county: timedelta = timedelta(0)

    @property
    def is_none(self) -> bool:
        """Whether neither was."""
        return not self.wall and not self.county


def leap(before: Look, now: Look, factor: float) -> Leap:
    """Tell how far back the clocks leapt; the county clock runs `factor` times as fast as the wall's."""
    wall, county = before.wall - now.wall, before.county - now.county
    return Leap(
        wall if wall > SLACK else timedelta(0), county if county > SLACK * max(factor, 1.0) else timedelta(0)
    )
