"""Environmental stations on a real gateway and a real broker: what is answered is on the broker, once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from device_world import KEY, device_settings, publish, readings_of, refused_of, sighting_of

from config.data import load_data
from config.personal import read_key
from config.settings import DeviceSettings, Settings
from domain.codec import encode
from domain.devices import DeviceAnswer, DeviceCommand, Sighting
from domain.errors import InvalidInput
from domain.inputs import Quality
from domain.registry import Area, Device, Protocol, Secrets, Series
from domain.topics import REGISTRY_AREAS, REGISTRY_DEVICES, REGISTRY_SERIES
from fenghuo.asking import ask
from fenghuo.embedded import embedded_broker
from fenghuo.simulate.hj212_station import HEARTBEAT, MINUTE, Hj212Station
from streams.devices.directory import secrets_record
from streams.gateway import Gateway
from streams.hj212.encode import encode_packet
from streams.hj212.frames import Frame, Framer, encode_frame
from streams.hj212.packet import Packet, parse_segment
from streams.hj212.readings import CHINA
from streams.packing import micros

TOWNSHIP = "990188102"
PASSWORD = "654321"
SM4_KEY = "0123456789abcdeffedcba9876543210"
DATA = load_data()
NOW = datetime.now(UTC).replace(microsecond=0)
"""Renewed before each test: a whole run takes longer than a clock may be off."""


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each test begin at the present time."""
    monkeypatch.setitem(globals(), "NOW", datetime.now(UTC).replace(microsecond=0))


def owner_of(mn: str) -> str:
    """Name the source that a station belongs to: one of its own, so that tests can tell what was refused of theirs."""
    return f"bureau-{mn[:8]}"


def registry_of(mn: str, **secrets: str) -> list[Any]:
    """Register a river station and the series of its ammonia."""
    name = f"river.{mn}"
    sealed = read_key(KEY).seal(encode(Secrets(**{"password": PASSWORD, **secrets})), secrets_record(name))
    device = Device(
        id=name,
        name="青溪断面",
        area=TOWNSHIP,
        source=owner_of(mn),
        protocol=Protocol.HJ212,
        address=mn,
        sealed=sealed,
    )
    series = Series(
        id=f"{name}.ammonia",
        name="氨氮",
        quantity="ammonia",
        unit="mg/L",
        area=TOWNSHIP,
        category="water-pollution",
        source=owner_of(mn),
        interval_seconds=300,
        device=name,
        channel="w21003",
    )
    return [
        (REGISTRY_AREAS, TOWNSHIP, Area(code=TOWNSHIP, name="青溪镇")),
        (REGISTRY_DEVICES, name, device),
        (REGISTRY_SERIES, series.id, series),
    ]


class World:
    """A running gateway and its one registered station."""

    def __init__(self, gateway: Gateway, settings: Settings, mn: str) -> None:
        self.gateway = gateway
        self.broker = settings.broker.bootstrap
        self.mn = mn

    def station(self, mn: str = "", **changes: Any) -> Hj212Station:
        """Make the registered station, or another one."""
        options = {"password": PASSWORD, "patience_seconds": 20.0, **changes}
        return Hj212Station("127.0.0.1", self.gateway.hj212_port, mn or self.mn, **options)

    def packet(self, cp: str = "", cn: str = "2011", number: int = 0, **changes: Any) -> Packet:
        """Make a packet of the station that wants an answer; `number` makes its QN."""
        qn = f"{NOW.astimezone(CHINA):%Y%m%d%H%M%S}{number:03d}"
        fields = {"qn": qn, "st": "21", "cn": cn, "pw": PASSWORD, "mn": self.mn, "flag": 5, "cp": cp}
        return Packet(**{**fields, **changes})

    @asynccontextmanager
    async def line(self) -> AsyncIterator["Bare"]:
        """Connect without a station's manners."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.gateway.hj212_port)
        try:
            yield Bare(reader, writer)
        finally:
            writer.close()
            with suppress(ConnectionError):  # cut off, as the test wanted
                await writer.wait_closed()

    async def sighting(self, wanted: Any) -> Sighting:
        """Wait for what the gateway tells of the station."""
        return await sighting_of(self.broker, self.mn, wanted)

    async def readings(self) -> list[tuple[str, int, float, int]]:
        """Read what the station has on the broker."""
        return await readings_of(self.broker, self.mn)

    async def reasons(self) -> list[str]:
        """Name why things of this station were turned away."""
        records = await refused_of(self.broker, Protocol.HJ212)
        return [one.reason for one in records if one.source == owner_of(self.mn)]


class Bare:
    """A connection on which a test says what it likes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._framer = Framer()

    def say(self, *pieces: bytes | Packet) -> None:
        """Send packets or bytes."""
        for piece in pieces:
            self._writer.write(piece if isinstance(piece, bytes) else b"".join(encode_packet(piece)))

    async def hear(self, count: int) -> list[Packet]:
        """Read so many packets of the gateway."""
        found: list[Packet] = []
        async with asyncio.timeout(20):
            while len(found) < count:
                for item in self._framer.feed(await self._reader.read(4_096)):
                    assert isinstance(item, Frame)
                    found.append(parse_segment(item.segment))
        assert len(found) == count
        return found

    async def ended(self) -> None:
        """Wait until the gateway cuts the connection."""
        async with asyncio.timeout(20):
            try:
                while await self._reader.read(4_096):
                    pass
            except ConnectionResetError:
                pass


@pytest.fixture
def mn() -> str:
    """Choose a station's MN that no other test uses."""
    return uuid4().hex[:24].upper()


@pytest.fixture
async def world(broker: str, mn: str) -> AsyncIterator[World]:
    """Run a gateway on the broker that the tests share."""
    settings = device_settings(broker, DeviceSettings(hj212_port=0))
    await publish(settings, registry_of(mn))
    async with Gateway(settings, DATA) as gateway:
        yield World(gateway, settings, mn)


def values_at(at: datetime, value: float = 0.5) -> str:
    """Write the CP of a real-time packet."""
    return f"DataTime={at.astimezone(CHINA):%Y%m%d%H%M%S};w21003-Rtd={value},w21003-Flag=N"


async def test_a_registered_station_reports(world: World) -> None:
    """Real-time values go to their series, minute values and other codes to series of their own; it is seen."""
    async with world.station() as station:
        await station.report(NOW, {"w21003": 0.31, "w01018": 12.5}, flags={"w01018": "M"})
        await station.report(NOW, {"w21003": 0.3}, cn=MINUTE)
        await station.send(HEARTBEAT, "", NOW)
        seen = await world.sighting(lambda seen: seen.connected and seen.packets == 3)
    assert await world.readings() == [
        (f"hj212.{world.mn}.w01018", micros(NOW), 12.5, int(Quality.MAINTENANCE)),
        (f"hj212.{world.mn}.w21003.minute.avg", micros(NOW), 0.3, 0),
        (f"river.{world.mn}.ammonia", micros(NOW), 0.31, 0),
    ]
    assert (seen.device, seen.problem) == (f"river.{world.mn}", "")
    assert seen.channels == ("w01018", "w21003.minute.avg")
    await world.sighting(lambda seen: not seen.connected)


async def test_a_wrong_password_is_refused_and_the_right_one_taken(world: World) -> None:
    """The station hears 9011 with QnRtn 3, nothing of the packet is in effect, it is kept, counted and listed."""
    async with world.station(password="000000") as station:
        with pytest.raises(InvalidInput, match="PW 错误"):
            await station.report(NOW, {"w21003": 9.0})
    seen = await world.sighting(lambda seen: seen.refused == 1)
    assert (seen.problem, seen.packets) == ("wrong-password", 0)
    assert await world.reasons() == ["wrong-password"]
    async with world.station() as station:
        await station.report(NOW, {"w21003": 1.0})
    assert [value for _, _, value, _ in await world.readings()] == [1.0]


async def test_split_sticky_and_damaged_bytes(world: World) -> None:
    """Byte by byte, two in one piece, noise and a damaged frame between: each good packet is answered once."""
    packets = [world.packet(values_at(NOW + timedelta(seconds=n)), number=n) for n in range(4)]
    frames = [b"".join(encode_packet(packet)) for packet in packets]
    damaged = frames[3].replace(b"w21003-Rtd=0.5", b"w21003-Rtd=0.6")
    async with world.line() as line:
        for byte in frames[0]:
            line.say(bytes([byte]))
        line.say(frames[1] + b"noise" + frames[2], damaged, frames[2][:40] + frames[3])
        answers = await line.hear(4)
    assert [answer.qn for answer in answers] == [packet.qn for packet in packets]
    assert {(answer.cn, answer.st, answer.mn, answer.wants_answer) for answer in answers} == {
        ("9014", "91", world.mn, False)
    }
    assert len(await world.readings()) == 4
    await world.sighting(lambda seen: seen.refused == 3)
    assert sorted(await world.reasons()) == ["crc", "length", "noise"]


async def test_who_sends_nothing_but_garbage_is_cut_off(world: World) -> None:
    """Bytes that are no frames, piece after piece; one good packet among them and the count begins anew."""
    async with world.line() as line:
        for number in range(3):
            line.say(
                b"##9999garbage of a size that matters##" * 15, world.packet(values_at(NOW), number=number)
            )
            await line.hear(1)
        for _ in range(20):
            line.say(b"##9999garbage of a size that matters##" * 15)
        await line.ended()


async def test_the_same_packet_again_is_answered_again_and_counts_once(world: World) -> None:
    """By MN, CN and QN; a packet without QN is known by what it says."""
    first, without_qn = world.packet(values_at(NOW)), world.packet(values_at(NOW, 0.7), qn="", flag=1)
    async with world.line() as line:
        for packet in (first, without_qn) * 3:
            line.say(packet)
            (answer,) = await line.hear(1)
            assert answer.cn == "9014"
        seen = await world.sighting(lambda seen: seen.packets == 2)
    assert seen.readings == 2


async def test_parts_of_a_packet_are_answered_one_by_one(world: World) -> None:
    """Three parts, of which the first alone says when it was: each is answered, in any order, and all values are there."""
    clock = f"DataTime={NOW.astimezone(CHINA):%Y%m%d%H%M%S}"
    parts = [
        world.packet(cp, flag=7, pnum=3, pno=number)
        for number, cp in enumerate((f"{clock};a-Rtd=1,a-Flag=N", "b-Rtd=2,b-Flag=N", "c-Rtd=3,c-Flag=N"), 1)
    ]
    async with world.line() as line:
        line.say(parts[0])
        await line.hear(1)
        line.say(parts[1])
        await line.hear(1)
        line.say(parts[2])
        await line.hear(1)
    async with world.line() as line:
        line.say(world.packet("d-Rtd=4,d-Flag=N", flag=7, pnum=2, pno=2, number=1))
        line.say(world.packet(f"{clock};e-Rtd=5,e-Flag=N", flag=7, pnum=2, pno=1, number=1))
        await line.hear(2)
    found = {name.rsplit(".", 1)[1]: (at, value) for name, at, value, _ in await world.readings()}
    assert found == {code: (micros(NOW), value) for code, value in zip("abcde", (1, 2, 3, 4, 5), strict=True)}


async def test_parts_that_never_come_are_told(world: World) -> None:
    """What waits for its first part when the connection ends is turned away by name."""
    async with world.line() as line:
        line.say(world.packet("b-Rtd=2,b-Flag=N", flag=7, pnum=2, pno=2))
        await world.sighting(lambda seen: seen.connected)
    await world.sighting(lambda seen: seen.problem == "parts-missing")
    assert await world.readings() == []


async def test_an_unregistered_station_is_kept_and_listed(world: World) -> None:
    """Nobody has registered it: any password does, its readings are kept under its own name and answered."""
    other = f"{world.mn[:-4]}0000"
    async with world.station(other, password="whatever") as station:
        await station.report(NOW, {"a34004": 35.0})
    assert await readings_of(world.broker, other) == [(f"hj212.{other}.a34004", micros(NOW), 35.0, 0)]
    seen = await sighting_of(world.broker, other, lambda seen: seen.readings == 1)
    assert (seen.device, seen.channels) == (None, ("a34004",))


async def test_a_clock_that_is_hours_off_is_noted(world: World) -> None:
    """Three hours ahead: the time of arrival, with a note. Hours behind: its own time stays; both are listed."""
    ahead, behind = NOW + timedelta(hours=3), NOW - timedelta(hours=3)
    async with world.station() as station:
        await station.report(behind, {"w21003": 1.0})
        seen = await world.sighting(lambda seen: seen.problem == "clock")
        assert seen.clock_offset_seconds == pytest.approx(-3 * 3_600, abs=120)
        await station.report(ahead, {"w21003": 2.0})
        seen = await world.sighting(lambda seen: (seen.clock_offset_seconds or 0) > 0)
    (late, early) = await world.readings()
    assert late[1:] == (micros(behind), 1.0, int(Quality.GOOD))
    assert early[3] == int(Quality.NOTED)
    assert abs(early[1] - micros(NOW)) < 120_000_000


async def test_a_late_resend_keeps_its_time_and_is_no_clock_trouble(world: World) -> None:
    """RF=1: yesterday's data, sent when the network is back."""
    yesterday = NOW - timedelta(days=1)
    async with world.station() as station:
        await station.report(yesterday, {"w21003": 1.0}, resent=True)
    assert [(at, value) for _, at, value, _ in await world.readings()] == [(micros(yesterday), 1.0)]
    assert (await world.sighting(lambda seen: seen.packets == 1)).problem == ""


async def test_values_that_cannot_be_read_are_told_by_field(world: World) -> None:
    """The good value of a packet is in effect, the bad one is kept with its name; the packet is answered."""
    cp = f"{values_at(NOW)};w01018-Rtd=abc,w01018-Flag=N"
    async with world.line() as line:
        line.say(world.packet(cp))
        await line.hear(1)
    assert len(await world.readings()) == 1
    await world.sighting(lambda seen: seen.problem == "value")
    (record,) = [
        one for one in await refused_of(world.broker, Protocol.HJ212) if one.source == owner_of(world.mn)
    ]
    assert record.faults == ("w01018-Rtd: is not a number",)


async def test_notices_logins_and_logs_are_answered(world: World) -> None:
    """A request for the time by 9013, a login of 2005 by 9022, a log by 9014, and the log is kept."""
    async with world.line() as line:
        line.say(world.packet("PolId=w21003", cn="1013"))
        line.say(world.packet("", cn="9021", flag=1, number=1))
        log = f"DataTime={NOW.astimezone(CHINA):%Y%m%d%H%M%S};PolId=w21003,i11001-Info=//door open//"
        line.say(world.packet(log, cn="3020", number=2))
        answers = await line.hear(3)
    assert [answer.cn for answer in answers] == ["9013", "9022", "9014"]
    seen = await world.sighting(lambda seen: seen.packets == 3)
    assert (seen.refused, seen.problem) == (0, "")
    assert await world.reasons() == ["no-readings"]


async def test_a_segment_that_is_no_packet_is_kept(world: World) -> None:
    """A right check code does not make sense of nonsense; every fault is named."""
    async with world.line() as line:
        line.say(encode_frame(b"ST=x;CN=20;PW=1;MN=%s;CP=&&&&" % world.mn.encode()))
        await world.sighting(lambda seen: seen.problem == "segment")
    (record,) = [
        one for one in await refused_of(world.broker, Protocol.HJ212) if one.source == owner_of(world.mn)
    ]
    assert record.faults == ("CN: must be four digits",)


async def test_an_encrypted_station(broker: str, mn: str) -> None:
    """HJ 212-2025: the CP by SM4 with the key of the registry; with another key nothing of it enters."""
    settings = device_settings(broker, DeviceSettings(hj212_port=0))
    await publish(settings, registry_of(mn, sm4_key=SM4_KEY))
    async with Gateway(settings, DATA) as gateway:
        world = World(gateway, settings, mn)
        async with world.station(version=2025, key=bytes.fromhex(SM4_KEY)) as station:
            await station.report(NOW, {"w21003": 0.42})
        assert [value for _, _, value, _ in await world.readings()] == [0.42]
        async with world.line() as line:
            packet = world.packet(values_at(NOW + timedelta(seconds=1)), flag=9)
            line.say(b"".join(encode_packet(packet, bytes(16))))
            await world.sighting(lambda seen: seen.problem == "segment")
        assert len(await world.readings()) == 1


async def test_operators_ask_a_station(world: World) -> None:
    """Its time, its interval, an interval set, real-time data stopped; an argument that is none is refused."""
    async with world.station() as station:
        await station.report(NOW, {"w21003": 1.0})

        async def asked(name: str, **arguments: str) -> list[DeviceAnswer]:
            command = DeviceCommand(
                id=uuid4(),
                device=f"river.{world.mn}",
                name=name,
                arguments=arguments,
                expires_at=datetime.now(UTC) + timedelta(seconds=20),
            )
            settings = device_settings(world.broker, DeviceSettings())
            return [answer async for answer in ask(settings.broker, command, 20)]

        told = await asked("get-time")
        assert [answer.outcome for answer in told] == ["sent", "accepted", "accepted", "done"]
        assert told[2].values["SystemTime"].startswith(f"{NOW.astimezone(CHINA):%Y%m%d}")
        assert (await asked("set-interval", seconds="30"))[-1].outcome == "done"
        assert station.logger.interval_seconds == 30
        assert (await asked("get-interval"))[2].values == {"RtdInterval": "30"}
        assert (await asked("set-time"))[-1].final
        assert (await asked("stop-realtime"))[-1].outcome == "done"
        (refused,) = await asked("set-interval", seconds="0", speed="5")
        assert refused.outcome == "refused"
        assert "seconds: must be 1 to 9999 seconds" in refused.detail
        assert "speed: is no argument" in refused.detail


async def test_without_the_broker_nothing_is_answered(tmp_path: Path, mn: str, free_port: int) -> None:
    """While the broker is away a station waits; when it is back the same packet is answered, and is there."""
    settings = device_settings(
        f"127.0.0.1:{free_port}", DeviceSettings(hj212_port=0), send_timeout_seconds=1.0
    )
    async with Gateway(settings, DATA) as gateway:
        world = World(gateway, settings, mn)
        async with world.station(answer_seconds=1.5, patience_seconds=60.0) as station:
            early = asyncio.create_task(
                station.report(NOW, {"w21003": 0.5})
            )  # before anybody knows the station
            async with embedded_broker(tmp_path / "1", free_port):
                await publish(settings, registry_of(mn))
                await early
                assert [name for name, *_ in await world.readings()] == [f"river.{mn}.ammonia"]
            late = asyncio.create_task(station.report(NOW + timedelta(seconds=1), {"w21003": 1.0}))
            async with asyncio.timeout(30):
                while not station.resent:
                    await asyncio.sleep(0.05)
            assert not late.done()
            async with embedded_broker(tmp_path / "2", free_port):  # empty, as one that lost its disks
                await publish(settings, registry_of(mn))
                await late
                assert [value for _, _, value, _ in await world.readings()] == [1.0]
