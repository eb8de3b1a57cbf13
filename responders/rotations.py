"""Rotations: crews that take turns at a desk, changing at the same time of day in Asia/Shanghai; pure.

The beginning of turn n is the first hand-over plus n lengths in wall time, then put on the clock of the world. So hand-overs
stay at their time of day whatever a month's length or a change of the clock (China had summer time from 1986 to 1991), and
each turn ends in the moment in which the next begins. GoAlert keeps its rotations in wall time for the same reason
(target/goalert, schedule/rotation/rotation.go).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
LEAST_TURN_HOURS, MOST_TURN_HOURS = 1, 24 * 92
"""Shorter turns could meet in the hour that a change of the clock skips; longer than a quarter is no rotation."""
FIRST_YEAR, LAST_YEAR = 1970, 2200
"""Dates outside are slips of the pen."""

Crew = tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Turn:
    """One crew's time on duty, from `starts_at` up to `ends_at`, which is not in it; aware UTC."""

    crew: Crew
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Rotation:
    """Crews of a post in an area in their order; the first takes over on `starts_on` at `hand_over`, wall time.

    One without crews ends the rotation before it: from its beginning nobody's turn comes.
    """

    area: str
    post: str
    crews: tuple[Crew, ...]
    turn_hours: int
    hand_over: time
    starts_on: date

    @property
    def starts_at(self) -> datetime:
        """The first hand-over, in UTC."""
        return self.beginning(0)

    def beginning(self, number: int) -> datetime:
        """Tell when turn `number` begins, in UTC; the first is 0."""
        wall = datetime.combine(self.starts_on, self.hand_over) + number * timedelta(hours=self.turn_hours)
        return wall.replace(tzinfo=SHANGHAI).astimezone(UTC)

    def turn(self, number: int) -> Turn:
        """Give a turn by its number."""
        crew = self.crews[number % len(self.crews)] if self.crews else ()
        return Turn(crew, self.beginning(number), self.beginning(number + 1))

    def number_at(self, at: datetime) -> int:
        """Tell the number of the turn in which an instant lies; below 0 before the first hand-over."""
        first = datetime.combine(self.starts_on, self.hand_over)
        since_first = at.astimezone(SHANGHAI).replace(tzinfo=None) - first
        number = since_first // timedelta(hours=self.turn_hours)
        while self.beginning(number) > at:  # a change of the clock may lie between: one step at most
            number -= 1
        while self.beginning(number + 1) <= at:
            number += 1
        return number


def crew_at(rotation: Rotation, at: datetime) -> Crew:
    """Say who is on duty at an instant; nobody before the first hand-over, nor after an end."""
    number = rotation.number_at(at)
    return rotation.turn(number).crew if number >= 0 else ()


def turns(rotation: Rotation, since: datetime, until: datetime) -> Iterator[Turn]:
    """Give the turns that touch a stretch of time, whole and in order; none has no length."""
    number = max(rotation.number_at(since), 0)
    while (turn := rotation.turn(number)).starts_at < until:
        if turn.starts_at < turn.ends_at:
            yield turn
        number += 1


def plan(rotations: Iterable[Rotation], since: datetime, until: datetime) -> Iterator[Turn]:
    """Plan one desk: each rotation holds until the next one begins, be it an end; turns are cut to the stretch of time."""
    in_order = sorted(rotations, key=lambda rotation: rotation.starts_at)
    for rotation, following in pairwise([*in_order, None]):
        if rotation is None:  # only the last of the pairs' second parts is
            continue
        end = until if following is None else min(until, following.starts_at)
        first = max(since, rotation.starts_at)
        if first < end and rotation.crews:
            for turn in turns(rotation, first, end):
                yield Turn(turn.crew, max(turn.starts_at, first), min(turn.ends_at, end))
