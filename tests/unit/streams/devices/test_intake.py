"""What becomes of a device's readings between its packet and the broker."""

import asyncio
import base64
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from math import inf, nan

import pytest

from config.personal import read_key
from config.sealing import Sealer
from config.settings import BrokerSettings, DeviceSettings, Secret, Settings
from domain.clock import Clock
from domain.codec import decode, encode
from domain.devices import MAX_CHANNELS, Sighting
from domain.errors import BrokerUnavailable
from domain.inputs import Quality, Rejected
from domain.registry import Device, Protocol, Secrets, Series
from domain.topics import (
    READINGS,
    REGISTRY_CLOCK,
    REGISTRY_DEVICES,
    REGISTRY_SERIES,
    REJECTED,
    SIGHTINGS,
    Topic,
)
from streams.devices import collector
from streams.devices.directory import secrets_record
from streams.devices.intake import DeviceIntake
from streams.devices.met import Met, Observation
from streams.gateway_packer import Packer
from streams.gateway_readings import Catalog
from streams.packing import ReadingPack, micros, unpack
from streams.producer import Message
from streams.registry import Registry

NOW = datetime(2026, 7, 1, 4, tzinfo=UTC)
AT = micros(NOW)
TOWNSHIP = "990101101"
MN = "010000A8900016F000169DC0"
KEY = Secret(base64.b64encode(bytes(range(32))).decode())


class FakeWriter:
    """Takes messages, or is away."""

    def __init__(self) -> None:
        """Start with nothing taken."""
        self.messages: list[Message] = []
        self.is_away = False

    async def write(self, messages: Sequence[Message]) -> None:
        """Take messages."""
        await asyncio.sleep(0)
        if self.is_away:
            raise BrokerUnavailable
        self.messages += messages

    def of(self, topic: Topic) -> list[Message]:
        """List what was written to a topic."""
        return [message for message in self.messages if message.topic == topic.name]

    def packs(self) -> dict[str, list[tuple[str, int, float, int]]]:
        """Read packed readings back, by key."""
        found: dict[str, list[tuple[str, int, float, int]]] = {}
        for message in self.of(READINGS):
            pack: ReadingPack = unpack(message.value, message.headers)
            found.setdefault(message.key.decode(), []).extend(
                zip(
                    [pack.names[place] for place in pack.index.tolist()],
                    pack.observed.tolist(),
                    pack.values.tolist(),
                    pack.quality.tolist(),
                    strict=True,
                )
            )
        return found


class World:
    """An intake over a registry that tests fill, and a writer that they look into."""

    def __init__(self, settings: Settings, registry: Registry, writer: FakeWriter) -> None:
        """Build it as a gateway does."""
        self.registry = registry
        self.writer = writer
        self.sealer: Sealer = read_key(settings.personal_key)
        catalog = Catalog(registry)
        packer = Packer(
            writer, catalog, partitions=8, pack_readings=500, linger_seconds=0, max_bytes=1_000_000
        )
        self.intake = DeviceIntake(settings, registry, catalog, packer, writer, self.sealer, "gateway:1")

    def stand_at(self, at: datetime) -> None:
        """Set the county's clock, which stands."""
        clock = Clock(wall_anchor=NOW, county_anchor=at, factor=0)
        self.registry._apply(REGISTRY_CLOCK.name, b"clock", clock)

    def put_device(self, **changes: object) -> None:
        """Register the device."""
        fields = {"id": "river-01", "name": "数采仪", "area": TOWNSHIP, "source": "bureau", "address": MN}
        device = Device(**{"protocol": Protocol.HJ212, **fields, **changes})  # type: ignore[arg-type]  plain fields
        self.registry._apply(REGISTRY_DEVICES.name, device.id.encode(), device)

    def put_series(self, name: str = "river-01.ammonia", channel: str = "w21003") -> None:
        """Register a series of the device."""
        series = Series(
            id=name,
            name="氨氮",
            quantity="ammonia",
            unit="mg/L",
            area=TOWNSHIP,
            category="water-pollution",
            source="bureau",
            interval_seconds=60,
            device="river-01",
            channel=channel,
        )
        self.registry._apply(REGISTRY_SERIES.name, name.encode(), series)

    def meet(self, address: str = MN) -> Met:
        """Meet a device that there is room for."""
        met = self.intake.meet(Protocol.HJ212, address)
        assert met is not None
        return met

    async def put_and_wait(self, met: Met, observations: Sequence[Observation]) -> int:
        """Put what a packet says, and wait until the broker has it; BrokerUnavailable when it does not take it."""
        written: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        count = self.intake.put(met, observations, written.set_result)
        if not await written:
            raise BrokerUnavailable
        return count


@asynccontextmanager
async def running(**devices: object) -> AsyncIterator[World]:
    """Run an intake on a standing clock."""
    settings = Settings(
        devices=DeviceSettings(**{"linger_milliseconds": 0, **devices}),  # type: ignore[arg-type]  plain fields
        personal_key=KEY,
    )
    registry = Registry(BrokerSettings(), "test")
    world = World(settings, registry, FakeWriter())
    world.stand_at(NOW)
    async with world.intake:
        yield world


async def test_a_registered_channel_goes_to_its_series_in_its_township() -> None:
    """Device and channel name the series; another channel of the device is kept under an id of its own."""
    async with running() as world:
        world.put_device()
        world.put_series()
        met = world.meet()
        await world.put_and_wait(met, [Observation("w21003", AT, 0.5), Observation("w01018", AT, 12.0)])
    assert world.writer.packs() == {
        TOWNSHIP: [("river-01.ammonia", AT, 0.5, 0), (f"hj212.{MN}.w01018", AT, 12.0, 0)]
    }
    assert met.channels == {"w01018"}


async def test_readings_of_a_stranger_are_kept() -> None:
    """Nobody has registered the device: its readings are accepted all the same, and a sighting tells of it."""
    async with running() as world:
        await world.put_and_wait(world.meet("STRANGER-1"), [Observation("a34004", AT, 35.0)])
    assert world.writer.packs() == {"unknown": [("hj212.STRANGER-1.a34004", AT, 35.0, 0)]}
    sighting = last_sighting(world)
    assert (sighting.device, sighting.address, sighting.channels) == (None, "STRANGER-1", ("a34004",))
    assert (sighting.packets, sighting.readings) == (1, 1)


async def test_registration_takes_effect_with_the_next_packet() -> None:
    """A device and its series registered while it is connected are found without a restart, and lost when removed."""
    async with running() as world:
        met = world.meet()
        await world.put_and_wait(met, [Observation("w21003", AT, 1.0)])
        world.put_device()
        world.put_series()
        await world.put_and_wait(met, [Observation("w21003", AT + 1, 2.0)])
        world.put_series(channel="w21011")
        await world.put_and_wait(met, [Observation("w21003", AT + 2, 3.0)])
        world.registry._apply(REGISTRY_DEVICES.name, b"river-01", None)
        await world.put_and_wait(met, [Observation("w21003", AT + 3, 4.0)])
    own = f"hj212.{MN}.w21003"
    assert world.writer.packs() == {
        "unknown": [(own, AT, 1.0, 0), (own, AT + 3, 4.0, 0)],
        TOWNSHIP: [("river-01.ammonia", AT + 1, 2.0, 0), (own, AT + 2, 3.0, 0)],
    }


async def test_a_clock_that_is_ahead_or_lost_becomes_the_time_of_arrival_with_a_note() -> None:
    """Six minutes ahead, a day ahead, or 1980: noted, at arrival; a resend of yesterday keeps its time."""
    async with running() as world:
        met = world.meet()
        yesterday = micros(NOW - timedelta(days=1))
        times = [AT + 360_000_000, micros(NOW + timedelta(days=2)), micros(datetime(1980, 1, 1, tzinfo=UTC))]
        await world.put_and_wait(
            met, [*(Observation("a", at, 1.0) for at in times), Observation("a", yesterday, 2.0)]
        )
        assert met.problem == "clock"
    noted, kept = int(Quality.NOTED), int(Quality.GOOD)
    assert [(at, quality) for _, at, _, quality in world.writer.packs()["unknown"]] == [
        (AT, noted),
        (AT + 1, noted),
        (AT + 2, noted),
        (yesterday, kept),
    ]


async def test_what_is_not_finite_is_refused_by_itself() -> None:
    """NaN and infinity reach no detector; what came with them does."""
    async with running() as world:
        values = [nan, 1.0, inf, -inf]
        met = world.meet()
        count = await world.put_and_wait(met, [Observation("a", AT + n, v) for n, v in enumerate(values)])
        assert count == 1
    assert [row[2] for row in world.writer.packs()["unknown"]] == [1.0]
    assert [rejected(message).reason for message in world.writer.of(REJECTED)] == ["not-finite"] * 3


async def test_nobody_is_told_well_while_the_broker_is_away() -> None:
    """The callback says no, and a packet sent again later gets through."""
    async with running() as world:
        met = world.meet()
        world.writer.is_away = True
        with pytest.raises(BrokerUnavailable):
            await world.put_and_wait(met, [Observation("a", AT, 1.0)])
        world.writer.is_away = False
        await world.put_and_wait(met, [Observation("a", AT, 1.0)])
    assert len(world.writer.packs()["unknown"]) == 1


async def test_a_refused_packet_is_kept_sealed_and_the_device_is_listed() -> None:
    """The item opens with the key only; the sighting names the newest trouble."""
    async with running() as world:
        world.put_device()
        world.intake.refuse(world.meet(), "wrong-password", [], b"PW=000000")
    record = rejected(world.writer.of(REJECTED)[0])
    assert (record.feed, record.source, record.reason) == ("hj212", "bureau", "wrong-password")
    assert "000000" not in record.item
    assert world.sealer.open_sealed(record.item, str(record.id)) == b"PW=000000"
    sighting = last_sighting(world)
    assert (sighting.device, sighting.refused, sighting.problem) == ("river-01", 1, "wrong-password")


async def test_a_problem_that_does_not_come_again_is_over_after_an_hour() -> None:
    """An old bad packet does not keep a device on the list of those with problems; newer ones do."""
    async with running() as world:
        met = world.meet()
        world.intake.refuse(met, "crc", [], b"##")
        for minutes, problem in ((59, "crc"), (61, "")):
            world.stand_at(NOW + timedelta(minutes=minutes))
            world.intake.put(met, [])
            assert met.problem == problem


async def test_strangers_are_bounded_and_registered_devices_are_not() -> None:
    """One more than the settings allow is not met; a device of the registry always is."""
    async with running(unregistered=2) as world:
        world.put_device()
        for number in range(2):
            world.meet(f"S{number}").seen = AT
        assert world.intake.meet(Protocol.HJ212, "S2") is None
        assert world.meet().device is not None


async def test_a_stranger_not_seen_for_an_hour_makes_room() -> None:
    """The bound is on strangers who still come."""
    async with running(unregistered=1) as world:
        world.meet("OLD").seen = micros(NOW - timedelta(hours=2))
        assert world.meet("NEW").address == "NEW"


async def test_channels_of_a_device_are_bounded() -> None:
    """A device that invents channels cannot fill the memory; what is over the bound is refused by name."""
    async with running() as world:
        met = world.meet()
        count = await world.put_and_wait(
            met, [Observation(f"c{number}", AT, 1.0) for number in range(MAX_CHANNELS + 5)]
        )
        assert count == MAX_CHANNELS
    assert [rejected(message).reason for message in world.writer.of(REJECTED)] == ["too-many-channels"] * 5


async def test_secrets_open_with_the_gateways_key_for_their_device_alone() -> None:
    """What was sealed for another device tells nothing, and the device is listed with that trouble."""
    async with running() as world:
        secrets = encode(Secrets(password="123456"))
        world.put_device(sealed=world.sealer.seal(secrets, secrets_record("river-01")))
        assert world.meet().secrets.password == "123456"
        world.put_device(sealed=world.sealer.seal(secrets, secrets_record("river-02")))
        met = world.meet()
        assert (met.secrets.password, met.problem) == (None, "secrets")
        world.put_device(sealed=world.sealer.seal(secrets, secrets_record("river-01")))
        assert (met.secrets.password, met.problem) == ("123456", "")
        assert "123456" not in repr(met.secrets) + repr(Secrets(password="123456"))


async def test_congestion_shows_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """More readings under way than the bound ask protocols to stop reading, until the broker has them."""
    monkeypatch.setattr(collector, "MOST_WAITING", 1)
    async with running() as world:
        heard: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        met = world.meet()
        world.intake.put(met, [Observation("a", AT + n, 1.0) for n in range(3)], heard.set_result)
        assert world.intake.is_congested
        assert await heard
        assert not world.intake.is_congested


def rejected(message: Message) -> Rejected:
    """Read a record of `feed.rejected`."""
    record: Rejected = decode(REJECTED, message.value, message.headers)
    return record


def last_sighting(world: World) -> Sighting:
    """Read the newest sighting."""
    sighting: Sighting = decode(SIGHTINGS, world.writer.of(SIGHTINGS)[-1].value, None)
    return sighting
