"""The one clock of the platform: county time as a straight line over wall time (DESIGN.md, Clock)."""

import time
from datetime import UTC, datetime

from msgspec import Struct

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Struct, frozen=True, kw_only=True):
    """County time is `county_anchor` at wall time `wall_anchor` and then runs `factor` times as fast.

    Factor 1 with equal anchors is the real time; factor 0 stands still. Before `wall_anchor` it stands at
    `county_anchor`. The same line is drawn by the SQL function `clock_now()`.
    """

    wall_anchor: datetime = EPOCH
    county_anchor: datetime = EPOCH
    factor: float = 1.0

    def at(self, wall: datetime) -> datetime:
        """Tell county time (aware UTC) at a wall time (aware)."""
        elapsed = max(wall - self.wall_anchor, wall - wall)
        return self.county_anchor + elapsed * self.factor

    def now(self) -> datetime:
        """Tell county time at this moment; the only place besides `clock_now()` that looks at the wall."""
        return self.at(datetime.now(UTC))

    def now_micros(self) -> int:
        """Tell county time in whole microseconds since 1970 UTC: for who asks thousands of times a second."""
        if self == REAL_TIME:
            return time.time_ns() // 1_000
        since = self.now() - EPOCH
        return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds

    def wall_seconds(self, county_seconds: float) -> float:
        """Convert a stretch of county time into seconds of wall time; infinite on a standing clock."""
        return county_seconds / self.factor if self.factor else float("inf")


REAL_TIME = Clock()
