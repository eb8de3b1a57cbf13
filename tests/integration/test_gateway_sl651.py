"""Hydrological stations on a real gateway and a real broker: what is confirmed is on the broker, once."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from device_world import KEY, device_settings, publish, readings_of, refused_of, sighting_of
from msgspec import structs

from config.data import load_data
from config.personal import read_key
from config.settings import DeviceSettings, Secret, Settings
from domain.codec import encode
from domain.devices import DeviceCommand, Sighting
from domain.errors import Unavailable
from domain.inputs import Quality, Rejected
from domain.registry import Area, Device, Protocol, Secrets, Series
from domain.topics import (
    REGISTRY_AREAS,
    REGISTRY_DEVICES,
    REGISTRY_SERIES,
)
from fenghuo.embedded import embedded_broker
from fenghuo.simulate.playing import garbled, split
from fenghuo.simulate.sl651_play import Play, play
from fenghuo.simulate.sl651_station import Sl651Station
from fenghuo.simulate.sl651_texts import hour_text, station_guide
from streams.devices.directory import secrets_record
from streams.gateway import Gateway
from streams.packing import micros
from streams.sl651.frames import SOH, End, Frame, Framer, Start, encode_frame
from streams.sl651.readings import ALARM, HOURLY, TIMED
from streams.sl651.server import MOST_GARBAGE

TOWNSHIP = "990188101"
PASSWORD = "03E8"  # of a station that is not there
DATA = load_data()
ELEMENTS = {element.id: element for element in DATA.elements}
NOW = datetime.now(UTC).replace(second=0, microsecond=0)
"""Renewed before each test: a whole run takes longer than a clock may be off."""


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each test begin at the present time."""
    monkeypatch.setitem(globals(), "NOW", datetime.now(UTC).replace(second=0, microsecond=0))


def settings_for(broker: str, **gateway: Any) -> Settings:
    """Make settings with a short patience."""
    return device_settings(broker, DeviceSettings(sl651_port=0), **gateway)


def registry_of(address: str) -> list[tuple[Any, str, Any]]:
    """Register a river station with a password, and the series of its level."""
    name = f"level.{address}"
    sealed = read_key(KEY).seal(encode(Secrets(password=PASSWORD)), secrets_record(name))
    device = Device(
        id=name,
        name="青溪水位站",
        area=TOWNSHIP,
        source="water-bureau",
        protocol=Protocol.SL651,
        address=address,
        sealed=sealed,
    )
    series = Series(
        id=f"{name}.stage",
        name="水位",
        quantity="stage",
        unit="m",
        area=TOWNSHIP,
        category="flood",
        source="water-bureau",
        interval_seconds=300,
        device=name,
        channel="39",
    )
    return [
        (REGISTRY_AREAS, TOWNSHIP, Area(code=TOWNSHIP, name="青溪镇")),
        (REGISTRY_DEVICES, name, device),
        (REGISTRY_SERIES, series.id, series),
    ]


class World:
    """A running gateway and what came of the stations' reports."""

    def __init__(self, gateway: Gateway, broker: str, address: str) -> None:
        self.gateway = gateway
        self.broker = broker
        self.address = address

    def station(self, address: str = "", **changes: Any) -> Sl651Station:
        """Make the registered station, or another one."""
        return Sl651Station(
            "127.0.0.1",
            self.gateway.sl651_port,
            address or self.address,
            ELEMENTS,
            **{"password": PASSWORD, "patience_seconds": 20.0, **changes},
        )

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect without a station's manners."""
        return await asyncio.open_connection("127.0.0.1", self.gateway.sl651_port)

    async def readings(self, address: str = "") -> list[tuple[str, int, float, int]]:
        """Read all that a station has on the broker: series, time, value, quality."""
        return await readings_of(self.broker, address or self.address)

    async def refused(self) -> list[Rejected]:
        """Read what was turned away from stations."""
        return await refused_of(self.broker, Protocol.SL651)

    async def sighting(self, wanted: Callable[[Sighting], bool], address: str = "") -> Sighting:
        """Wait for what the gateway tells of a station."""
        return await sighting_of(self.broker, address or self.address, wanted)


async def publish_registry(settings: Settings, address: str) -> None:
    """Publish a registry with one station."""
    await publish(settings, registry_of(address))


@pytest.fixture
def address() -> str:
    """Choose a station's address that no other test uses."""
    return f"00{uuid4().int % 10**8:08d}"


@pytest.fixture
async def world(broker: str, address: str) -> AsyncIterator[World]:
    """Run a gateway on the broker that the tests share."""
    settings = settings_for(broker)
    await publish_registry(settings, address)
    async with Gateway(settings, DATA) as gateway:
        yield World(gateway, broker, address)


def frame_of(address: str, serial: int, text: bytes, **changes: Any) -> bytes:
    """Write an upward frame of the registered station."""
    at = NOW.astimezone().strftime("%y%m%d%H%M%S")
    fields = {"up": True, "centre": 1, "station": address, "password": PASSWORD, "function": TIMED}
    head = serial.to_bytes(2, "big") + bytes.fromhex(at) if serial else b""
    return encode_frame(Frame(**{**fields, "text": head + text, **changes}))


def level_of(address: str, value: str = "00001234") -> bytes:
    """Write a level as a river station does; 1.234 m unless told otherwise."""
    return station_guide(address, "H") + bytes.fromhex(f"3923{value}")


async def answers(reader: asyncio.StreamReader, count: int) -> list[Frame]:
    """Read so many frames of the gateway."""
    framer = Framer()
    found: list[Frame] = []
    async with asyncio.timeout(20):
        while len(found) < count:
            found += [one for one in framer.feed(await reader.read(4096)) if isinstance(one, Frame)]
    assert len(found) == count
    return found


async def test_a_registered_station_reports(world: World) -> None:
    """Its level goes to the series that is registered for it, other elements to series of their own; it is seen."""
    async with world.station() as station:
        await station.report(NOW, {"39": 1.234, "20": 12.5, "38": None})
        seen = await world.sighting(lambda seen: seen.connected and seen.readings == 2)
    level = f"level.{world.address}.stage"
    assert await world.readings() == [
        (level, micros(NOW), 1.234, 0),
        (f"sl651.{world.address}.20", micros(NOW), 12.5, 0),
    ]
    assert (seen.device, seen.channels, seen.problem) == (f"level.{world.address}", ("20",), "")
    assert seen.clock_offset_seconds is not None
    assert abs(seen.clock_offset_seconds) < 120
    await world.sighting(lambda seen: not seen.connected)


async def test_an_unregistered_station_is_kept(world: World, address: str) -> None:
    """Nobody has registered it: any password does, its readings are kept under its own name and confirmed."""
    other = f"99010188{address[-2:]}"
    async with world.station(other, password="ABCD") as station:
        await station.report(NOW, {"39": -0.5})
        seen = await world.sighting(lambda seen: seen.readings == 1, other)
    assert await world.readings(other) == [(f"sl651.{other}.39", micros(NOW), -0.5, 0)]
    assert (seen.device, seen.channels) == (None, ("39",))


async def test_a_wrong_password_is_not_confirmed(world: World) -> None:
    """Nothing of it reaches the series, it is told and kept; with the right one the station is confirmed again."""
    async with world.station(password="0000", confirm_seconds=2.0, patience_seconds=2.0) as station:
        with pytest.raises(Unavailable, match=r"was not answered"):
            await station.report(NOW, {"39": 9.0})
    seen = await world.sighting(lambda seen: seen.refused > 0)
    assert (seen.problem, seen.packets, seen.connected) == ("wrong-password", 0, False)
    kept = [record for record in await world.refused() if record.source == "water-bureau"]
    assert kept[-1].reason == "wrong-password"
    assert PASSWORD not in str(kept)
    async with world.station() as station:
        await station.report(NOW, {"39": 1.0})
    assert [value for _, _, value, _ in await world.readings()] == [1.0]


async def test_frames_that_are_split_or_stick_together(world: World) -> None:
    """TCP cuts where it likes: byte by byte, or two frames and fill in one piece, all are confirmed once."""
    one, two, three = (
        frame_of(world.address, serial, level_of(world.address, f"0000{serial}000")) for serial in (1, 2, 3)
    )
    reader, writer = await world.connect()
    for byte in one:
        writer.write(bytes([byte]))
        await writer.drain()
    writer.write(two + b"\x7e" + three + b"\r\n")
    confirmed = await answers(reader, 3)
    writer.close()
    assert {int.from_bytes(answer.text[:2], "big") for answer in confirmed} == {1, 2, 3}
    assert {(answer.up, answer.end, answer.function) for answer in confirmed} == {(False, End.EOT, TIMED)}
    assert {answer.password for answer in confirmed} == {PASSWORD}
    assert sorted(value for _, _, value, _ in await world.readings()) == [1.0, 2.0, 3.0]


async def test_garbage_between_frames_does_no_harm(world: World) -> None:
    """Noise, half a frame and a wrong checksum are told and kept; what follows is taken."""
    good = frame_of(world.address, 7, level_of(world.address))
    reader, writer = await world.connect()
    writer.write(good)
    await answers(reader, 1)
    next_one = frame_of(world.address, 8, level_of(world.address))
    writer.write(b"hello" + good[:-1] + bytes([good[-1] ^ 1]) + next_one[:30] + next_one)
    (answer,) = await answers(reader, 1)
    writer.close()
    assert answer.text[:2] == bytes([0, 8])
    await world.sighting(lambda seen: seen.refused == 3)
    kept = [record.reason for record in await world.refused() if record.source == "water-bureau"]
    assert {"noise", "crc"} <= set(kept)


async def test_a_repeated_message_is_confirmed_again_and_counts_once(world: World) -> None:
    """A station that missed the confirmation repeats itself; the same number with another text is another message."""
    same = frame_of(world.address, 1, level_of(world.address))
    other = frame_of(world.address, 1, level_of(world.address, "00005000"))
    reader, writer = await world.connect()
    for _ in range(3):
        writer.write(same)
        await answers(reader, 1)
    writer.write(other)
    await answers(reader, 1)
    writer.close()
    assert [value for _, _, value, _ in await world.readings()] == [1.234, 5.0]


async def test_without_the_broker_nothing_is_confirmed(tmp_path: Path, address: str, free_port: int) -> None:
    """While the broker is away a station waits; when it is back the same report is confirmed, and is there."""
    settings = settings_for(f"127.0.0.1:{free_port}", send_timeout_seconds=1.0)
    async with Gateway(settings, DATA) as gateway:
        world = World(gateway, settings.broker.bootstrap, address)
        async with world.station(confirm_seconds=1.5, patience_seconds=60.0) as station:
            early = asyncio.create_task(station.report(NOW, {"39": 0.5}))  # before anybody knows the station
            async with embedded_broker(tmp_path / "1", free_port):
                await publish_registry(settings, address)
                await early
                level = f"level.{address}.stage"
                assert await world.readings() == [(level, micros(NOW), 0.5, 0)]
            late = asyncio.create_task(station.report(NOW, {"39": 1.0}))
            met = gateway.devices.device_met(f"level.{address}")
            assert met is not None
            packets = met.packets
            async with asyncio.timeout(30):
                while met.packets < packets + 2:  # it came, was not confirmed, and came again
                    await asyncio.sleep(0.05)
            assert not late.done()
            async with embedded_broker(tmp_path / "2", free_port):  # empty, as one that lost its disks
                await publish_registry(settings, address)
                await late
                assert await world.readings() == [(level, micros(NOW), 1.0, 0)]


async def test_an_hour_of_five_minute_values(world: World) -> None:
    """The twelve rains and levels of an hourly report lie five minutes apart and end with the report."""
    at = NOW.replace(minute=0)
    rain = [0.1 * number for number in range(11)] + [None]
    level = [1.0 + 0.01 * number for number in range(12)]
    async with world.station() as station:
        await station.report(at, {"39": 2.0}, function=HOURLY, before=hour_text(at, rain, level))
    found = await world.readings()
    first = micros(at - timedelta(minutes=55))
    step = 300_000_000
    assert [(at, round(value, 3)) for name, at, value, _ in found if name.endswith(".f4")] == [
        (first + number * step, round(0.1 * number, 3)) for number in range(11)
    ]
    levels = [(at, value) for name, at, value, _ in found if name.endswith(".f5")]
    assert levels[-1] == (micros(at), 1.11)
    assert len(levels) == 12


async def test_a_picture_is_taken_and_is_no_reading(world: World) -> None:
    """Packets of a picture are confirmed once, at the end; it counts as a packet without readings."""
    async with world.station() as station:
        await station.picture(NOW, bytes(range(256)) * 30)
        seen = await world.sighting(lambda seen: seen.packets == 1)
    assert (seen.readings, seen.refused, seen.problem) == (0, 0, "")
    assert await world.readings() == []


async def test_a_missing_packet_is_asked_for(world: World) -> None:
    """The second of three packets is lost: the gateway names it, and confirms when it has come."""
    whole = NOW.astimezone().strftime("%y%m%d%H%M%S")
    text = bytes.fromhex(f"0009{whole}") + level_of(world.address)
    pieces = text[:20], text[20:25], text[25:]
    frames = [
        frame_of(
            world.address,
            0,
            piece,
            function=ALARM,
            start=Start.SYN,
            end=End.ETX if number == 3 else End.ETB,
            total=3,
            sequence=number,
        )
        for number, piece in enumerate(pieces, 1)
    ]
    reader, writer = await world.connect()
    writer.write(frames[0] + frames[2])
    (asked,) = await answers(reader, 1)
    assert (asked.end, asked.total, asked.sequence, asked.text[:2]) == (End.NAK, 3, 2, bytes([0, 9]))
    writer.write(frames[1])
    (confirmed,) = await answers(reader, 1)
    writer.close()
    assert (confirmed.end, confirmed.start) == (End.EOT, Start.STX)
    assert [value for _, _, value, _ in await world.readings()] == [1.234]


async def test_a_clock_that_is_wrong_is_told(world: World) -> None:
    """An hour ahead: the reading is kept with a note at the time of arrival, and the sighting says why."""
    ahead = NOW + timedelta(hours=1)
    async with world.station() as station:
        await station.report(ahead, {"39": 1.0})
        seen = await world.sighting(lambda seen: seen.problem == "clock")
    assert seen.clock_offset_seconds is not None
    assert seen.clock_offset_seconds > 3_000
    ((_, observed, value, quality),) = await world.readings()
    assert (value, quality) == (1.0, Quality.NOTED)
    assert observed < micros(ahead)


async def test_an_operator_asks_a_station(world: World) -> None:
    """The question goes over the station's connection, its answer is told and its values are readings."""
    async with world.station() as station:
        await station.report(NOW, {"39": 3.5})
        met = world.gateway.devices.device_met(f"level.{world.address}")
        assert met is not None
        heard: list[tuple[str, dict[str, str], bool]] = []

        def tell(
            outcome: str, *, detail: str = "", values: dict[str, str] | None = None, final: bool = False
        ) -> None:
            heard.append((outcome, values or {}, final))

        expires = datetime.now(UTC) + timedelta(seconds=20)
        for name in ("get-data", "get-time", "dance"):
            command = DeviceCommand(id=uuid4(), device=met.address, name=name, expires_at=expires)
            met.lines[-1].ask(met, command, tell)
        async with asyncio.timeout(20):
            while sum(final for _, _, final in heard) < 3:
                await asyncio.sleep(0.01)
    told = {outcome: values for outcome, values, final in heard if final and values.get("39")}
    assert told["done"]["39"] == "3.5"
    assert [outcome for outcome, _, final in heard if final].count("refused") == 1
    assert station.questions == [0x37, 0x51]


async def test_several_stations_share_a_connection(world: World) -> None:
    """A relay speaks for sixteen; each is confirmed under its own address, one more is refused."""
    others = [f"99{world.address[2:8]}{number:02d}" for number in range(17)]
    reader, writer = await world.connect()
    writer.write(b"".join(frame_of(other, 1, level_of(other)) for other in others))
    confirmed = await answers(reader, 16)
    assert {answer.station for answer in confirmed} == set(others[:16])
    seen = await world.sighting(lambda seen: seen.refused == 1, others[16])
    assert seen.problem == "too-many-stations"
    writer.close()
    for other in others[:16]:
        assert len(await world.readings(other)) == 1


async def test_frames_that_are_no_message_are_refused(world: World) -> None:
    """Downwards, of an unknown function, without a number, outside its total: told one by one, not confirmed."""
    text = level_of(world.address)
    reader, writer = await world.connect()
    down = {"up": False, "end": End.EOT}
    writer.write(frame_of(world.address, 1, text, **down))
    await world.sighting(lambda seen: seen.problem == "direction")
    writer.write(frame_of(world.address, 1, text, function=0x77))
    await world.sighting(lambda seen: seen.problem == "function")
    writer.write(frame_of(world.address, 0, b"short"))
    await world.sighting(lambda seen: seen.problem == "text")
    writer.write_eof()
    assert await reader.read() == b""
    writer.close()
    assert await world.readings() == []
    kept = [record.reason for record in await world.refused() if record.source == "water-bureau"]
    assert {"direction", "function", "text"} <= set(kept)


async def test_a_password_that_cannot_be_opened_opens_nothing(broker: str, address: str) -> None:
    """A gateway with another key than the one that sealed does not let anybody in."""
    other = Secret(base64.b64encode(bytes(range(1, 33))).decode())
    await publish_registry(settings_for(broker), address)
    settings = structs.replace(settings_for(broker), personal_key=other)
    async with Gateway(settings, DATA) as gateway:
        world = World(gateway, broker, address)
        async with world.station(confirm_seconds=2.0, patience_seconds=2.0) as station:
            with pytest.raises(Unavailable):
                await station.report(NOW, {"39": 1.0})
        await world.sighting(lambda seen: seen.problem == "secrets")
    assert await world.readings() == []


async def test_who_sends_nothing_but_garbage_is_cut_off(world: World) -> None:
    """A scanner does not keep a place for half an hour."""
    reader, writer = await world.connect()
    writer.write((b"GET / HTTP/1.1" + SOH + b"Host: here") * (MOST_GARBAGE + 1))
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(20):
            assert await reader.read() == b""
    writer.close()


async def test_an_element_that_cannot_be_read_is_told_and_the_others_are_taken(world: World) -> None:
    """The report is confirmed: sending it again would not help."""
    text = station_guide(world.address, "H") + bytes.fromhex("38121290 39230000b127")
    reader, writer = await world.connect()
    writer.write(frame_of(world.address, 1, text))
    (answer,) = await answers(reader, 1)
    writer.close()
    assert answer.end is End.EOT
    assert [value for _, _, value, _ in await world.readings()] == [12.9]
    await world.sighting(lambda seen: seen.problem == "content")


@pytest.mark.parametrize(
    ("changes", "confirmed"),
    [
        ({}, 8),
        ({"mangle": split}, 8),
        ({"mangle": garbled("x")}, 8),
        ({"kinds": ("hourly", "even", "picture", "heartbeat")}, 6),
        ({"is_late": True}, 8),
        ({"password": "0000", "confirm_seconds": 3.0}, 4),
    ],
    ids=["plain", "split", "garbage", "kinds", "late", "wrong password"],
)
async def test_a_simulation_counts_what_is_confirmed(
    world: World, changes: dict[str, Any], confirmed: int
) -> None:
    """Two stations with four messages each, of which the first is registered, under every fault that can be played."""
    fields = {
        "host": "127.0.0.1",
        "port": world.gateway.sl651_port,
        "first": world.address,
        "stations": 2,
        "count": 4,
        "interval_seconds": 0.01,
        "kinds": ("timed",),
        "password": PASSWORD,
        "elements": ELEMENTS,
    }
    outcome = await play(Play(**{**fields, **changes}), lambda sent: None)
    assert (outcome.sent, outcome.confirmed) == (8, confirmed)
    assert outcome.confirmed + outcome.unconfirmed + outcome.unanswered == 8
    assert outcome.unanswered == (2 if "kinds" in changes else 0)
    assert outcome.confirm_ms_p50 is not None


async def test_a_simulation_without_a_gateway_says_so(free_port: int) -> None:
    """One sentence names the place."""
    what = Play(
        "127.0.0.1", free_port, "0099010001", 1, 1, 1.0, ("timed",), PASSWORD, ELEMENTS, confirm_seconds=1.0
    )
    with pytest.raises(Unavailable, match=rf"Nobody listens at 127\.0\.0\.1:{free_port}"):
        await play(what, lambda sent: None)
