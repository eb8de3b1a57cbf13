"""Plays the demo county's days through the gateway: sources over HTTP, and stations over their own connections."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

import msgspec
import numpy as np
from numpy.typing import NDArray

from domain.clock import Clock
from domain.inputs import ReportIn, TicketIn
from domain.levels import Feed
from fenghuo.demo.county import START, County
from fenghuo.demo.readings import ReadingGenerator
from fenghuo.demo.stations import Stations
from fenghuo.feeding import Feeder, encode_readings

HISTORY_STEP = timedelta(minutes=15)
STEP = timedelta(minutes=5)
MINUTE = timedelta(minutes=1)
STEPS_PER_BODY = 4
"""History goes in bodies of one hour. Longer ones would let one source run ahead of another by more than the 75 minutes
after which a series counts as silent."""

Progress = Callable[[datetime], None]
Pace = Callable[[datetime], Awaitable[None]]
"""Waits until what happens at a time may be sent."""
Rows = NDArray[np.intp]


def pace_of(clock: Clock) -> Pace:
    """Make the pace of a running clock: each thing when the county has come to it."""

    async def pace(at: datetime) -> None:
        await asyncio.sleep(max(0.0, clock.wall_seconds((at - clock.now()).total_seconds())))

    return pace


class Play:
    """Sends what happens, in order of time."""

    def __init__(self, county: County, feeder: Feeder, stations: Stations) -> None:
        """Take the county and the ways to its gateway."""
        self._county = county
        self._feeder = feeder
        self._stations = stations
        self._generator = ReadingGenerator(county.channels, county.happenings, START, county.plan.seed)
        self._names = [msgspec.json.encode(channel.series.id) for channel in county.channels]
        sources = np.array([channel.series.source for channel in county.channels])
        self._rows = {str(source): np.flatnonzero(sources == source) for source in np.unique(sources)}
        self._by_themselves = [
            (row, channel.device.id, channel.series.channel)
            for row, channel in enumerate(county.channels)
            if channel.device
        ]
        alone = np.array([row for row, _, _ in self._by_themselves], np.intp)
        self._rows_of_sources = {
            source: np.setdiff1d(rows, alone, assume_unique=True) for source, rows in self._rows.items()
        }
        self._next_call = 0

    async def history(self, progress: Progress) -> None:
        """Send the days before the scenario, as fast as they are taken; all over HTTP, as a bureau hands over its files."""
        at = self._county.plan.history_from
        bodies: dict[str, list[bytes]] = defaultdict(list)
        count = 0
        while at < START:
            values, present = self._generator.step(at)
            self._write(at, bodies, self._rows, values, present)
            at += HISTORY_STEP
            count += 1
            if count % STEPS_PER_BODY == 0 or at >= START:
                await self._send_readings(bodies)
                await self._send_calls(min(at, START))
                progress(at)

    async def scenario(self, pace: Pace, progress: Progress) -> None:
        """Send the scenario, minute by minute, each as soon as the pace lets it."""
        at = START
        bodies: dict[str, list[bytes]] = defaultdict(list)
        while at <= self._county.plan.until:
            await pace(at)
            if (at - START) % STEP == timedelta(0):
                values, present = self._generator.step(at)
                self._write(at, bodies, self._rows_of_sources, values, present)
                await asyncio.gather(
                    self._send_readings(bodies), self._stations.report(at, self._measured(values, present))
                )
            await self._send_calls(at)
            progress(at)
            at += MINUTE

    def _write(
        self,
        at: datetime,
        bodies: dict[str, list[bytes]],
        rows_of: Mapping[str, Rows],
        values: NDArray[np.float64],
        present: NDArray[np.bool_],
    ) -> None:
        """Add what each source has to say to its body."""
        for source, rows in rows_of.items():
            speaking = rows[present[rows]]
            names = [self._names[row] for row in speaking]
            bodies[source].append(encode_readings(names, at, values[speaking].tolist()))

    def _measured(
        self, values: NDArray[np.float64], present: NDArray[np.bool_]
    ) -> dict[str, dict[str, float]]:
        """Tell what each station that connects by itself has measured, by device and channel."""
        measured: dict[str, dict[str, float]] = defaultdict(dict)
        for row, device, channel in self._by_themselves:
            if present[row]:
                measured[device][channel] = float(values[row])
        return measured

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
