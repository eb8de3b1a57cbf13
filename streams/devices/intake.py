"""The one door for devices of all protocols: what they measure goes in, what is wrong is told.

Made for thousands of connections in one process: nothing here waits.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from math import isfinite
from types import TracebackType
from typing import Self, cast

import structlog

from config.sealing import Sealer
from config.settings import Settings
from domain.devices import MAX_CHANNELS
from domain.errors import BrokerUnavailable, Fault
from domain.inputs import Quality
from domain.registry import Protocol, Series, own_series
from streams.devices.collector import Collector
from streams.devices.directory import Directory
from streams.devices.met import Done, Line, Met, Observation
from streams.devices.refused import RefusedPackets
from streams.devices.sightings import Sightings
from streams.gateway_packer import Packer
from streams.gateway_readings import Catalog
from streams.packing import EARLIEST, MICROSECOND
from streams.producer import Writes, repeat
from streams.registry import Registry

log = structlog.get_logger(__name__)

SIGHTINGS_SECONDS = 0.5
REFUSED_SECONDS = 0.2


class DeviceIntake:
    """One per gateway; collects while the context is open."""

    def __init__(
        self,
        settings: Settings,
        registry: Registry,
        catalog: Catalog,
        packer: Packer,
        writer: Writes,
        sealer: Sealer,
        instance: str,
    ) -> None:
        """Take what the gateway has opened; `instance` names it in sightings."""
        self._note = int(settings.gateway.future_note_seconds * MICROSECOND)
        self._registry = registry
        self._catalog = catalog
        self._collector = Collector(packer, settings.devices.linger_milliseconds / 1_000)
        self._sightings = Sightings(writer, instance)
        self._refused = RefusedPackets(writer, sealer, instance, self.now)
        self._directory = Directory(
            registry, sealer, settings.devices.unregistered, self._sightings.note_at_once
        )
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Begin to tell what is seen."""
        for name, seconds, action in (
            ("sightings", SIGHTINGS_SECONDS, self._sightings.tell),
            ("device_refusals", REFUSED_SECONDS, self._refused.write),
        ):
            task = asyncio.create_task(repeat(seconds, action), name=name)
            self._stack.callback(task.cancel)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what was collected, then stop."""
        await self._collector.close()
        await self._stack.aclose()
        await self._refused.write()
        try:
            while len(self._sightings):
                await self._sightings.tell()
        except BrokerUnavailable:
            log.warning("device_sightings_not_written", devices=len(self._sightings))

    def now(self) -> datetime:
        """Tell county time."""
        return self._registry.clock.now()

    @property
    def is_congested(self) -> bool:
        """Say whether more is under way to the broker than should be: protocols then stop reading."""
        return self._collector.is_congested

    def meet(self, protocol: Protocol, address: str) -> Met | None:
        """Find a device by what it calls itself; None when too many strangers have come already."""
        return self._directory.meet(protocol, address)

    def device_met(self, device: str) -> Met | None:
        """Find a registered device by its id; None when it was never seen here."""
        return self._directory.device_met(device)

    def series(self, met: Met, channel: str) -> Series | None:
        """Find the series that a channel of a device goes to; None when nobody has registered it."""
        return self._directory.series(met, channel)

    def put(
        self,
        met: Met,
        observations: Sequence[Observation],
        done: Done | None = None,
        *,
        sent: int | None = None,
    ) -> int:
        """Collect what one packet says; `done(True)` follows when the broker has it on disk, `done(False)` if not.

        Never waits. Values that are not finite are refused one by one; a time that is absurd, or ahead by more than the
        bound of the settings, becomes the time of arrival, with a note. `sent` is the device's clock when it sent the packet
        (microseconds), where it tells that. Answers how many readings were collected.
        """
        now = self._registry.clock.now_micros()
        if sent is not None:
            self._compare_clocks(met, sent, now)
        rows: list[int | None] = []
        times: Sequence[int] = ()
        values: Sequence[float] = ()
        qualities: Sequence[int] = ()
        if observations:
            channels, times, values, qualities = zip(*observations, strict=True)
            rows = list(map(met.rows.get, channels))
            if (
                None in rows
                or min(times) < EARLIEST
                or max(times) > now + self._note
                or not isfinite(sum(values))
            ):
                rows, times, values, qualities = self._look_closely(met, observations, now)
        met.packets += 1
        met.readings += len(rows)
        met.seen = now
        met.forget_problem(now)
        self._sightings.note(met)
        self._collector.add(cast(list[int], rows), times, values, qualities, done, now)
        return len(rows)

    def _compare_clocks(self, met: Met, sent: int, now: int) -> None:
        """Note how far a device's clock is off; by more than the bound of the settings that is trouble."""
        met.clock_offset_seconds = (sent - now) / MICROSECOND
        if abs(sent - now) > self._note:
            met.note_problem("clock", now)
        elif met.problem == "clock":
            met.problem = ""

    def _look_closely(
        self, met: Met, observations: Sequence[Observation], now: int
    ) -> tuple[list[int | None], tuple[int, ...], tuple[float, ...], tuple[Quality, ...]]:
        """Go through readings one by one: a new channel, a value that is no number, or a time that cannot be."""
        kept: list[tuple[int | None, int, float, Quality]] = []
        for number, (channel, observed, value, quality) in enumerate(observations):
            row = met.rows.get(channel)
            row = self._row(met, channel) if row is None else row
            if row is None:
                continue
            if not isfinite(value):
                self.refuse(met, "not-finite", [Fault(channel, "is not a finite number")], b"")
            elif EARLIEST <= observed <= now + self._note:
                kept.append((row, observed, value, quality))
            else:
                met.note_problem("clock", now)
                noted = Quality.NOTED if quality == Quality.GOOD else quality
                # a microsecond apart: different readings stay different
                kept.append((row, now + number, value, noted))
        if not kept:
            return [], (), (), ()
        rows, times, values, qualities = zip(*kept, strict=True)
        return list(rows), times, values, qualities

    def connect(self, met: Met, line: Line, peer: str) -> None:
        """Note over which connection a device speaks; commands go over the newest."""
        met.lines.append(line)
        met.peer = peer
        self.touch(met)

    def disconnect(self, met: Met, line: Line) -> None:
        """Note that a connection is gone."""
        met.lines.remove(line)
        self.touch(met)

    def touch(self, met: Met) -> None:
        """Note that something without readings was seen of a device, such as a heartbeat or the end of a connection."""
        met.seen = self._registry.clock.now_micros()
        self._sightings.note_at_once(met)

    def trouble(self, met: Met, problem: str) -> None:
        """Note what is wrong with a device, by a slug."""
        self.touch(met)
        met.note_problem(problem, met.seen)

    def refuse(
        self,
        met: Met | None,
        reason: str,
        faults: Sequence[Fault],
        item: bytes,
        *,
        protocol: Protocol | None = None,
        is_trouble: bool = True,
    ) -> None:
        """Count what is turned away, and keep it sealed on `feed.rejected`; `protocol` where there is no `met`.

        `reason` is a slug of a closed set per protocol: it labels a metric. With `is_trouble` false nothing is wrong with
        the device: it sent something that is kept and goes nowhere, such as a log.
        """
        if met is not None:
            met.refused += is_trouble
            if is_trouble:
                self.trouble(met, reason)
            else:
                self.touch(met)
        source = met.device.source if met and met.device else None
        self._refused.add(str(met.protocol if met else protocol), source, reason, faults, item)

    def _row(self, met: Met, channel: str) -> int | None:
        """Find the row of a channel that is met for the first time since the registry changed."""
        name = self._directory.series_name(met, channel)
        if name is None:
            if channel not in met.channels and len(met.channels) >= MAX_CHANNELS:
                faults = [Fault("channel", f"is one more than the {MAX_CHANNELS} that may be unregistered")]
                self.refuse(met, "too-many-channels", faults, channel.encode())
                return None
            met.channels.add(channel)
            name = own_series(met.protocol, met.address, channel)
        row = met.rows[channel] = self._catalog.keep(name, met.area)
        return row
