"""Readings of devices on their way to the broker, and all that every protocol asks about a device.

Made for thousands of connections in one process: nothing here waits. Readings of all devices are collected for some
milliseconds, written together, and each packet's sender hears of it by a callback.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from itertools import chain, islice
from math import isfinite
from types import TracebackType
from typing import NamedTuple, Self, cast
from typing import Protocol as Shape

import numpy as np
import structlog

from config.metrics import INPUTS, OUTPUTS, REJECTED
from config.settings import Settings
from domain.codec import encode, headers_for
from domain.decode import decode_json
from domain.devices import MAX_CHANNELS, DeviceCommand, Sighting
from domain.errors import BrokerUnavailable, Fault, InvalidInput
from domain.inputs import Quality, Rejected
from domain.levels import Feed
from domain.registry import Device, Protocol, Secrets, Series, own_series
from domain.topics import READINGS, SIGHTINGS
from domain.topics import REJECTED as REJECTED_TOPIC
from streams.devices.recent import Recent
from streams.gateway_access import Bucket
from streams.gateway_packer import Packer
from streams.gateway_readings import Catalog, Columns
from streams.gateway_refusals import STAGE
from streams.packing import EARLIEST, MICROSECOND, time_of
from streams.personal import Sealer
from streams.producer import Message, Writes, repeat
from streams.registry import Registry
from streams.rejected import turn_away

log = structlog.get_logger(__name__)

SIGHTINGS_SECONDS = 0.5
REFUSED_SECONDS = 0.2
MOST_TOLD = 50
"""Sightings that are written at once; with 2,000 busy devices each is told of every 20 seconds."""
MOST_COLLECTED = 20_000
"""Readings that are written at once; more do not wait for company."""
MOST_WAITING = 200_000
"""Readings under way to the broker; beyond, `is_congested` asks protocols to stop reading."""
KEPT_PER_SECOND, KEPT_AT_ONCE = 100.0, 2_000.0
"""Refused packets that are kept on `feed.rejected`: strangers could fill it. The others are counted as `not-kept`."""
FORGOTTEN_SECONDS = 3_600.0
PROBLEM_LASTS = 3_600 * MICROSECOND
"""So long after it a device with a problem that does not come again has none."""
LASTING = frozenset({"secrets"})
"""Problems that hold until somebody mends them."""
UNKNOWN_AREA = "unknown"
"""Key of readings whose device nobody has registered."""

Done = Callable[[bool], None]
Tell = Callable[..., None]
"""Called with `outcome`, and by name `detail`, `values`, `final`, as in `DeviceAnswer`."""


class Observation(NamedTuple):
    """One value of one channel; `observed` in microseconds since 1970 UTC."""

    channel: str
    observed: int
    value: float
    quality: Quality = Quality.GOOD


class Line(Shape):
    """A connection over which a device can be asked something."""

    def ask(self, met: "Met", command: DeviceCommand, tell: Tell) -> None:
        """Pass a command on; `tell` hears what becomes of it, the last time with `final`."""


class Met:
    """A device that this gateway has met, registered or not, and what was seen of it."""

    __slots__ = (
        "address",
        "channels",
        "clock_offset_seconds",
        "device",
        "lines",
        "packets",
        "peer",
        "problem",
        "problem_at",
        "protocol",
        "readings",
        "recent",
        "refused",
        "rows",
        "secrets",
        "seen",
    )

    def __init__(self, protocol: Protocol, address: str) -> None:
        """Begin with nothing seen."""
        self.protocol = protocol
        self.address = address
        self.device: Device | None = None
        self.secrets = Secrets()
        self.rows: dict[str, int] = {}
        self.channels: set[str] = set()
        self.lines: list[Line] = []
        self.recent = Recent()
        self.packets = self.readings = self.refused = 0
        self.problem = ""
        self.problem_at = 0
        self.peer = ""
        self.clock_offset_seconds: float | None = None
        self.seen = 0

    @property
    def area(self) -> str:
        """Tell where it stands, as far as anybody knows."""
        return self.device.area if self.device else UNKNOWN_AREA


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
        self._settings = settings.devices
        self._note = int(settings.gateway.future_note_seconds * MICROSECOND)
        self._registry = registry
        self._catalog = catalog
        self._packer = packer
        self._writer = writer
        self._sealer = sealer
        self._instance = instance
        self._met: dict[tuple[Protocol, str], Met] = {}
        self._ids: dict[tuple[Protocol, str], str] = {}
        self._series_of: dict[tuple[str, str], str] = {}
        self._channel_of: dict[str, tuple[str, str]] = {}
        self._address_of: dict[str, tuple[Protocol, str]] = {}
        self._urgent: dict[Met, None] = {}
        self._changed: dict[Met, None] = {}
        self._batch = _Batch()
        self._timer: asyncio.TimerHandle | None = None
        self._is_due = False
        self._writing: set[asyncio.Task[None]] = set()
        self._waiting = 0
        self._refused: list[Rejected] = []
        self._refusals = 0
        self._bucket = Bucket(KEPT_PER_SECOND, KEPT_AT_ONCE, time.monotonic())
        self._stack = AsyncExitStack()
        self._inputs = INPUTS.labels(STAGE, Feed.READINGS)
        self._outputs = OUTPUTS.labels(STAGE, READINGS.name)
        for device in registry.devices.values():
            self._on_device(device, device.id)
        for series in registry.series.values():
            self._on_series(series, series.id)
        registry.on_device.append(self._on_device)
        registry.on_series.append(self._on_series)

    async def __aenter__(self) -> Self:
        """Begin to tell what is seen."""
        for name, seconds, action in (
            ("sightings", SIGHTINGS_SECONDS, self._tell_sightings),
            ("device_refusals", REFUSED_SECONDS, self._write_refused),
        ):
            task = asyncio.create_task(repeat(seconds, action), name=name)
            self._stack.callback(task.cancel)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what was collected, then stop."""
        self._flush()
        while self._writing:
            await asyncio.gather(*self._writing)
        await self._stack.aclose()
        try:
            await self._write_refused()
            while self._urgent or self._changed:
                await self._tell_sightings()
        except BrokerUnavailable:
            log.warning("device_sightings_not_written", devices=len(self._urgent) + len(self._changed))

    def now(self) -> datetime:
        """Tell county time."""
        return self._registry.clock.now()

    @property
    def is_congested(self) -> bool:
        """Say whether more is under way to the broker than should be."""
        return self._waiting > MOST_WAITING

    def meet(self, protocol: Protocol, address: str) -> Met | None:
        """Find a device by what it calls itself; None when too many strangers have come already."""
        met = self._met.get((protocol, address))
        if met is None:
            known = (protocol, address) in self._ids
            if not known and self._strangers() >= self._settings.unregistered:
                return None
            met = self._met[protocol, address] = Met(protocol, address)
            self._identify(met)
        return met

    def device_met(self, device: str) -> Met | None:
        """Find a registered device by its id; None when it was never seen here."""
        address = self._address_of.get(device)
        return self._met.get(address) if address else None

    def series(self, met: Met, channel: str) -> Series | None:
        """Find the series that a channel of a device goes to; None when nobody has registered it."""
        name = self._series_of.get((met.device.id, channel)) if met.device else None
        return self._registry.series.get(name or own_series(met.protocol, met.address, channel))

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
        batch = self._batch
        count = 0
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
            batch.rows += cast(list[int], rows)
            batch.observed += times
            batch.values += values
            batch.quality += qualities
            count = len(rows)
        met.packets += 1
        met.readings += count
        met.seen = now
        if met.problem and met.problem not in LASTING and now - met.problem_at > PROBLEM_LASTS:
            met.problem = ""
        self._changed[met] = None
        if done is not None:
            batch.done.append(done)
        self._waiting += count
        batch.received = batch.received or now
        if len(batch.rows) >= MOST_COLLECTED:
            self._flush()
        elif self._timer is None and not self._is_due:
            linger = self._settings.linger_milliseconds / 1_000
            self._timer = asyncio.get_running_loop().call_later(linger, self._be_due)
        return count

    def _compare_clocks(self, met: Met, sent: int, now: int) -> None:
        """Note how far a device's clock is off; by more than the bound of the settings that is trouble."""
        met.clock_offset_seconds = (sent - now) / MICROSECOND
        if abs(sent - now) > self._note:
            met.problem, met.problem_at = "clock", now
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
                met.problem, met.problem_at = "clock", now
                noted = Quality.NOTED if quality == Quality.GOOD else quality
                # a microsecond apart: different readings stay different
                kept.append((row, now + number, value, noted))
        if not kept:
            return [], (), (), ()
        rows, times, values, qualities = zip(*kept, strict=True)
        return list(rows), times, values, qualities

    async def put_and_wait(self, met: Met, observations: Sequence[Observation]) -> int:
        """Collect, and wait until the broker has it on disk; BrokerUnavailable when it does not take it."""
        written: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        def done(well: bool) -> None:
            if not written.done():
                written.set_result(well)

        count = self.put(met, observations, done)
        if not await written:
            raise BrokerUnavailable
        return count

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
        self._urgent[met] = None

    def trouble(self, met: Met, problem: str) -> None:
        """Note what is wrong with a device, by a slug."""
        self.touch(met)
        met.problem, met.problem_at = problem, met.seen

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
        spoken = met.protocol if met else protocol
        REJECTED.labels(STAGE, str(spoken), reason).inc()
        if met is not None:
            met.refused += is_trouble
            if is_trouble:
                self.trouble(met, reason)
            else:
                self.touch(met)
        if self._bucket.wait_seconds(1, time.monotonic()):
            REJECTED.labels(STAGE, str(spoken), "not-kept").inc()
            return
        self._bucket.level -= 1
        self._refusals += 1
        now = self.now()
        self._refused.append(
            turn_away(
                item,
                stage=STAGE,
                feed=str(spoken),
                source=met.device.source if met and met.device else None,
                at=now,
                reason=reason,
                faults=faults,
                cause=(self._instance, now.isoformat(), self._refusals),
                sealer=self._sealer,
            )
        )

    def _row(self, met: Met, channel: str) -> int | None:
        """Find the row of a channel that is met for the first time since the registry changed."""
        name = self._series_of.get((met.device.id, channel)) if met.device else None
        if name is None:
            own = own_series(met.protocol, met.address, channel)
            if own in self._registry.series:
                name = own
            elif channel not in met.channels and len(met.channels) >= MAX_CHANNELS:
                faults = [Fault("channel", f"is one more than the {MAX_CHANNELS} that may be unregistered")]
                self.refuse(met, "too-many-channels", faults, channel.encode())
                return None
            else:
                met.channels.add(channel)
                name = own
        row = self._catalog.keep(name, met.area)
        met.rows[channel] = row
        return row

    def _strangers(self) -> int:
        """Count the devices that nobody has registered; those not seen for an hour are forgotten first."""
        strangers = [met for met in self._met.values() if met.device is None]
        if len(strangers) >= self._settings.unregistered:
            oldest = self._registry.clock.now_micros() - int(FORGOTTEN_SECONDS * MICROSECOND)
            for met in strangers:
                if met.seen < oldest and not met.lines:
                    del self._met[met.protocol, met.address]
            strangers = [met for met in strangers if (met.protocol, met.address) in self._met]
        return len(strangers)

    def _identify(self, met: Met) -> None:
        """Look a device up in the registry, and open its secrets."""
        name = self._ids.get((met.protocol, met.address))
        met.device = self._registry.devices.get(name) if name else None
        met.secrets = Secrets()
        met.rows.clear()
        met.channels.clear()
        if met.device and met.device.sealed:
            try:
                met.secrets = decode_json(
                    Secrets, self._sealer.open_sealed(met.device.sealed, secrets_record(met.device.id))
                )
            except InvalidInput as error:
                met.problem = "secrets"
                log.warning("device_secrets_not_readable", device=met.device.id, detail=str(error))
        self._urgent[met] = None

    def _on_device(self, device: Device | None, name: str) -> None:
        concerned = {self._address_of.pop(name, None)}
        if device is not None:
            self._address_of[name] = (device.protocol, device.address)
            concerned.add(self._address_of[name])
        for address in filter(None, concerned):
            if device is not None and self._address_of.get(name) == address:
                self._ids[address] = name
            elif self._ids.get(address) == name:
                del self._ids[address]
            if (met := self._met.get(address)) is not None:
                self._identify(met)

    def _on_series(self, series: Series | None, name: str) -> None:
        concerned = {self._channel_of.pop(name, None)}
        if series is not None and series.device is not None:
            self._channel_of[name] = (series.device, series.channel)
            concerned.add(self._channel_of[name])
        for place in filter(None, concerned):
            if self._channel_of.get(name) == place:
                self._series_of[place] = name
            elif self._series_of.get(place) == name:
                del self._series_of[place]
            if (met := self.device_met(place[0])) is not None:
                self._identify(met)

    def _be_due(self) -> None:
        """Write what was collected, after what is being written: the more there is to do, the more goes in one message."""
        self._timer = None
        self._is_due = True
        if not self._writing:
            self._flush()

    def _written(self, task: asyncio.Task[None]) -> None:
        self._writing.discard(task)
        if self._is_due and not self._writing:
            self._flush()

    def _flush(self) -> None:
        self._is_due = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._batch.done or self._batch.rows:
            batch, self._batch = self._batch, _Batch()
            task = asyncio.create_task(self._write(batch), name="device_batch")
            self._writing.add(task)
            task.add_done_callback(self._written)

    async def _write(self, batch: "_Batch") -> None:
        self._inputs.inc(len(batch.rows))
        try:
            if batch.rows:
                await self._packer.add(batch.columns(), batch.received)
        except BrokerUnavailable:
            REJECTED.labels(STAGE, Feed.READINGS, "away").inc(len(batch.rows))
            well = False
        else:
            self._outputs.inc(len(batch.rows))
            well = True
        self._waiting -= len(batch.rows)
        for done in batch.done:
            done(well)

    async def _tell_sightings(self) -> None:
        """Tell of devices that something new is known of: first what people should hear of, then who waited longest.

        Bounded, since thousands of messages at once would hold up the answers that devices wait for.
        """
        changed = dict.fromkeys(islice(chain(self._urgent, self._changed), MOST_TOLD))
        for met in changed:
            self._urgent.pop(met, None)
            self._changed.pop(met, None)
        messages = [
            Message(
                SIGHTINGS.name,
                f"{met.protocol}:{met.address}".encode(),
                encode(self._sighting(met)),
                headers_for(SIGHTINGS),
            )
            for met in changed
            if met.seen
        ]
        try:
            if messages:
                await self._writer.write(messages)
        except BrokerUnavailable:
            self._urgent = changed | self._urgent
            raise

    def _sighting(self, met: Met) -> Sighting:
        return Sighting(
            protocol=met.protocol,
            address=met.address,
            device=met.device.id if met.device else None,
            gateway=self._instance,
            peer=met.peer,
            seen_at=time_of(met.seen),
            packets=met.packets,
            readings=met.readings,
            refused=met.refused,
            connected=bool(met.lines),
            problem=met.problem,
            clock_offset_seconds=met.clock_offset_seconds,
            channels=tuple(sorted(met.channels)),
        )

    async def _write_refused(self) -> None:
        refused, self._refused = self._refused, []
        try:
            if refused:
                await self._writer.write(
                    [
                        Message(
                            REJECTED_TOPIC.name,
                            str(one.id).encode(),
                            encode(one),
                            headers_for(REJECTED_TOPIC),
                        )
                        for one in refused
                    ]
                )
        except BrokerUnavailable:
            REJECTED.labels(STAGE, REJECTED_TOPIC.name, "not-written").inc(len(refused))
            log.warning("rejected_not_written", records=len(refused))
        else:
            OUTPUTS.labels(STAGE, REJECTED_TOPIC.name).inc(len(refused))


class _Batch:
    """Readings as growing columns, and who waits for them."""

    __slots__ = ("done", "observed", "quality", "received", "rows", "values")

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.observed: list[int] = []
        self.values: list[float] = []
        self.quality: list[int] = []
        self.done: list[Done] = []
        self.received = 0

    def columns(self) -> Columns:
        """Make arrays of it."""
        return Columns(
            np.array(self.rows, np.int32),
            np.array(self.observed, np.int64),
            np.array(self.values, np.float64),
            np.array(self.quality, np.uint8),
            0,
        )


def secrets_record(device: str) -> str:
    """Name the record that a device's secrets are sealed for."""
    return f"device/{device}"
