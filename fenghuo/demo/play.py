"""Plays the demo county's days through the HTTP gateway, each source with its own token."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
import numpy as np

from domain.clock import Clock
from domain.inputs import ReportIn, TicketIn
from domain.levels import Feed
from fenghuo.demo.county import START, County
from fenghuo.demo.readings import ReadingGenerator
from fenghuo.feeding import Feeder, encode_readings

HISTORY_STEP = timedelta(minutes=15)
STEP = timedelta(minutes=5)
MINUTE = timedelta(minutes=1)
STEPS_PER_BODY = 4
"""History goes in bodies of one hour. Longer ones would let one source run ahead of another by more than the 75 minutes
after which a series counts as silent."""

Progress = Callable[[datetime], None]


class Play:
    """Sends what happens, in order of time."""

    def __init__(self, county: County, feeder: Feeder) -> None:
        """Take the county and the way to its gateway."""
        self._county = county
        self._feeder = feeder
        self._generator = ReadingGenerator(county.channels, county.happenings, START, county.plan.seed)
        self._names = [msgspec.json.encode(channel.series.id) for channel in county.channels]
        sources = np.array([channel.series.source for channel in county.channels])
        self._rows = {str(source): np.flatnonzero(sources == source) for source in np.unique(sources)}
        self._next_call = 0

    async def history(self, progress: Progress) -> None:
        """Send the days before the scenario, as fast as they are taken."""
        at = self._county.plan.history_from
        bodies: dict[str, list[bytes]] = defaultdict(list)
        count = 0
        while at < START:
            self._measure(at, bodies)
            at += HISTORY_STEP
            count += 1
            if count % STEPS_PER_BODY == 0 or at >= START:
                await self._send_readings(bodies)
                await self._send_calls(min(at, START))
                progress(at)

    async def scenario(self, clock: Clock, progress: Progress) -> None:
        """Send the scenario, each thing when the county's clock has come to it; a standing clock is not waited for."""
        at = START
        bodies: dict[str, list[bytes]] = defaultdict(list)
        while at <= self._county.plan.until:
            if clock.factor:
                await asyncio.sleep(max(0.0, clock.wall_seconds((at - clock.now()).total_seconds())))
            if (at - START) % STEP == timedelta(0):
                self._measure(at, bodies)
                await self._send_readings(bodies)
            await self._send_calls(at)
            progress(at)
            at += MINUTE

    def _measure(self, at: datetime, bodies: dict[str, list[bytes]]) -> None:
        values, present = self._generator.step(at)
        for source, rows in self._rows.items():
            speaking = rows[present[rows]]
            names = [self._names[row] for row in speaking]
            bodies[source].append(encode_readings(names, at, values[speaking].tolist()))

    async def _send_readings(self, bodies: dict[str, list[bytes]]) -> None:
        await asyncio.gather(
            *(
                self._feeder.send(source, Feed.READINGS, b"[" + b",".join(parts) + b"]")
                for source, parts in bodies.items()
            )
        )
        bodies.clear()

    async def _send_calls(self, until: datetime) -> None:
        """Send what was called in up to a time, one body for each way it comes."""
        calls = self._county.calls
        first = self._next_call
        while self._next_call < len(calls) and calls[self._next_call].at <= until:
            self._next_call += 1
        items = [call.item for call in calls[first : self._next_call]]
        tickets = [item for item in items if isinstance(item, TicketIn)]
        reports = [item for item in items if isinstance(item, ReportIn)]
        bulletins = [item for item in items if not isinstance(item, TicketIn | ReportIn)]
        if tickets:
            await self._feeder.send("hotline-12345", Feed.TICKETS, msgspec.json.encode(tickets))
        if reports:
            await self._feeder.send("grid-app", Feed.REPORTS, msgspec.json.encode(reports))
        for bulletin in bulletins:
            await self._feeder.send("weather-office", Feed.BULLETINS, msgspec.json.encode(bulletin))
