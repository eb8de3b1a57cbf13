"""Connections of devices: bounds of number, time and memory, whatever a peer does."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from config.settings import DeviceSettings
from domain.errors import InvalidConfiguration
from domain.registry import Protocol
from streams.devices.tcp import MOST_UNANSWERED, DeviceServer, Link


class Lines:
    """A session that takes lines and answers each as a test tells it to."""

    def __init__(self, link: Link, world: "World") -> None:
        """Be one of the world's sessions."""
        self.link = link
        self.buffer = b""
        self.lines: list[bytes] = []
        self.world = world
        self.is_closed = False
        world.sessions.append(self)

    @property
    def pending(self) -> int:
        """Count what has no end yet."""
        return len(self.buffer)

    def received(self, data: bytes) -> None:
        """Take lines; each is under way until the test answers it."""
        *lines, self.buffer = (self.buffer + data).split(b"\n")
        for line in lines:
            self.lines.append(line)
            if line == b"answer":
                self.link.write(b"x" * 1_000_000)
            elif self.world.holds:
                self.link.hold()

    def closed(self) -> None:
        """Hear of the end."""
        self.is_closed = True


class World:
    """A server and what its sessions saw."""

    def __init__(self) -> None:
        """Start with no connection."""
        self.sessions: list[Lines] = []
        self.holds = False
        self.congested = False


@asynccontextmanager
async def serving(**settings: object) -> AsyncIterator[tuple[World, DeviceServer]]:
    """Run a server."""
    world = World()
    server = DeviceServer(
        DeviceSettings(**settings),  # type: ignore[arg-type]  plain fields
        Protocol.HJ212,
        0,
        lambda link: Lines(link, world),
        lambda: world.congested,
    )
    async with server:
        yield world, server


@asynccontextmanager
async def connected(
    server: DeviceServer, **options: int
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Connect as a device does."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port, **options)  # type: ignore[arg-type]  limit
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(ConnectionError):  # cut off by the server, as the test wanted
            await writer.wait_closed()


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition, at most ten seconds."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


async def test_bytes_reach_the_session_and_the_end_does_too() -> None:
    """A connection is one session from its beginning to its end."""
    async with serving() as (world, server):
        async with connected(server) as (_, writer):
            writer.write(b"one\ntwo\n")
            await until(lambda: bool(world.sessions) and world.sessions[0].lines == [b"one", b"two"])
        await until(lambda: world.sessions[0].is_closed and not server.links)


async def test_who_never_ends_a_frame_is_cut_off_and_who_ends_frames_is_not() -> None:
    """Bytes that drip in without an end do not keep a connection open; half frames of a busy device are none of these."""
    async with (
        serving(frame_seconds=0.3) as (world, server),
        connected(server) as (reader, writer),
        connected(server) as (_, busy),
    ):
        await until(lambda: len(world.sessions) == 2)

        async def drip() -> None:
            while not world.sessions[0].is_closed:
                writer.write(b"#")
                busy.write(b"end\nbegin")
                await asyncio.sleep(0.02)

        async with asyncio.timeout(10):
            await asyncio.gather(drip(), ended(reader))
        assert not world.sessions[1].is_closed


async def ended(reader: asyncio.StreamReader) -> None:
    """Wait until the other side cut the connection."""
    try:
        while await reader.read(4096):
            pass
    except ConnectionResetError:
        pass


async def test_who_says_nothing_is_cut_off() -> None:
    """A dead connection does not hold a place for ever."""
    async with (
        serving(idle_seconds=0.2, frame_seconds=0.2) as (world, server),
        connected(server) as (reader, _),
    ):
        async with asyncio.timeout(10):
            await ended(reader)
        await until(lambda: world.sessions[0].is_closed)


async def test_one_connection_too_many_is_closed_at_once() -> None:
    """The bound holds, and a place that becomes free is given again."""
    async with serving(max_connections=1) as (world, server):
        async with connected(server):
            await until(lambda: len(world.sessions) == 1)
            async with connected(server) as (refused, _), asyncio.timeout(10):
                await ended(refused)
            assert len(world.sessions) == 1
        await until(lambda: not server.links)
        async with connected(server) as (_, writer):
            writer.write(b"hello\n")
            await until(lambda: len(world.sessions) == 2 and world.sessions[1].lines == [b"hello"])


async def test_a_connection_with_too_many_unanswered_packets_is_not_read() -> None:
    """What the broker does not take stays with the device, until packets are answered."""
    async with serving() as (world, server), connected(server) as (_, writer):
        world.holds = True
        for number in range(MOST_UNANSWERED):
            writer.write(b"%d\n" % number)
        await until(lambda: bool(world.sessions) and len(world.sessions[0].lines) == MOST_UNANSWERED)
        link = world.sessions[0].link
        assert link._transport is not None
        assert not link._transport.is_reading()
        link.release()
        assert link._transport.is_reading()


async def test_congestion_stops_reading_and_its_end_starts_it_again() -> None:
    """While too much is under way to the broker nobody is read; afterwards the sweep reads on."""
    async with serving() as (world, server), connected(server) as (_, writer):
        world.congested = True
        writer.write(b"one\n")
        await until(lambda: bool(world.sessions) and world.sessions[0].lines == [b"one"])
        writer.write(b"two\n")
        transport = world.sessions[0].link._transport
        assert transport is not None
        assert not transport.is_reading()
        world.congested = False
        await until(lambda: world.sessions[0].lines == [b"one", b"two"])


async def test_who_comes_while_nobody_is_read_is_not_read_either() -> None:
    """A gateway that does not know its devices yet must not take anybody's first packet."""
    async with serving() as (world, server):
        world.congested = True
        async with connected(server) as (_, writer):
            writer.write(b"one\n")
            await until(lambda: bool(world.sessions))
            transport = world.sessions[0].link._transport
            assert transport is not None
            assert not transport.is_reading()
            assert world.sessions[0].lines == []
            world.congested = False
            await until(lambda: world.sessions[0].lines == [b"one"])


async def test_who_does_not_read_answers_is_cut_off() -> None:
    """Answers that nobody fetches do not fill the memory."""
    async with serving(frame_seconds=0.3) as (world, server), connected(server, limit=1) as (_, writer):
        writer.write(b"answer\n" * 30)
        await until(lambda: bool(world.sessions) and world.sessions[0].is_closed)


async def test_a_port_that_is_taken_ends_the_start_with_a_sentence() -> None:
    """The setting is named."""
    async with serving() as (_, server):
        second = DeviceServer(
            DeviceSettings(), Protocol.SL651, server.port, lambda link: Lines(link, World()), lambda: False
        )
        with pytest.raises(InvalidConfiguration, match=r"devices\.sl651_port: cannot listen on 127\.0\.0\.1"):
            async with second:
                pass
