"""The console while the database is away: it says so in words, and comes back by itself."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from urllib.parse import parse_qs, urlsplit

import console_world as world
import pytest
import pytest_asyncio
from aiohttp import ClientSession
from console_world import RIVER, WAGES, case_of, running_console

from config.settings import ConsoleSettings, DatabaseSettings, Secret, Settings
from dashboards.app import run_console
from domain.errors import InvalidConfiguration
from responders.migrate import migrate


async def until(address: str, wanted: Callable[[int], bool]) -> int:
    """Ask again and again until the status is as wanted, at most twenty seconds."""
    async with asyncio.timeout(20), ClientSession() as session:
        while True:
            try:
                async with session.get(address) as answer:
                    if wanted(answer.status):
                        return answer.status
            except OSError:
                pass
            await asyncio.sleep(0.05)


class Wire:
    """A wire to a database that a test can cut: connections break and nobody gets through until it is mended."""

    def __init__(self, dsn: str) -> None:
        parts = urlsplit(dsn)
        self._socket = f"{parse_qs(parts.query)['host'][0]}/.s.PGSQL.5432"
        self._user, self._name = parts.username, parts.path
        self._whole = True
        self._writers: set[asyncio.StreamWriter] = set()
        self.dsn = ""

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._whole:
            writer.transport.abort()
            return
        far_reader, far_writer = await asyncio.open_unix_connection(self._socket)
        self._writers |= {writer, far_writer}

        async def pump(source: asyncio.StreamReader, goal: asyncio.StreamWriter) -> None:
            with suppress(OSError):
                while data := await source.read(65536):
                    goal.write(data)
                    await goal.drain()
            goal.close()

        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))
        self._writers -= {writer, far_writer}

    @asynccontextmanager
    async def laid(self) -> AsyncIterator["Wire"]:
        """Lay the wire; `dsn` leads through it."""
        server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        self.dsn = f"postgresql://{self._user}@127.0.0.1:{port}{self._name}"
        try:
            yield self
        finally:
            server.close()
            self.break_all()

    def break_all(self) -> None:
        """Break what is connected."""
        for writer in self._writers:
            writer.transport.abort()

    @asynccontextmanager
    async def cut(self) -> AsyncIterator[None]:
        """Cut the wire for as long as the context."""
        self._whole = False
        self.break_all()
        yield
        self._whole = True


@pytest_asyncio.fixture
async def wire(database: str) -> AsyncIterator[Wire]:
    """Lay a wire to an empty database."""
    async with Wire(database).laid() as laid:
        yield laid


async def test_database_away_in_the_middle(wire: Wire) -> None:
    """Pages and the API answer 503 in words, and go on with the same session when it is back."""
    async with running_console(wire.dsn) as console:
        await console.raise_alerts(RIVER)
        seat = await console.seat("qingxi")
        async with wire.cut():
            page = await seat.page("/")
            assert page.status == 503
            assert page.headers["Retry-After"] == "5"
            assert "数据库没有应答" in await page.text()
            answer = await seat.get("/api/v1/incidents")
            assert (answer.status, answer.content_type) == (503, "application/problem+json")
            assert (await seat.act(case_of(RIVER), "acknowledge")).status == 503
            assert (await seat.get("/api/v1/events")).status == 503
            assert (await seat.get("/healthz")).status == 503
            assert (await seat.sign_in("qingxi")).status == 503
        await until(str(seat.client.make_url("/healthz")), lambda status: status == 200)
        assert (await seat.page("/")).status == 200
        view = await (await seat.get(f"/api/v1/incidents/{case_of(RIVER)}")).json()
        assert view["incident"]["row"]["acknowledged_at"] is None


async def test_live_events_come_back_with_the_database(wire: Wire) -> None:
    """A stream that was open before the database went away carries what happens after it is back."""
    async with running_console(wire.dsn) as console:
        seat = await console.seat("qingxi")
        async with asyncio.timeout(30), seat.client.get("/api/v1/events") as stream:
            await stream.content.readuntil(b"event: clock")
            await console.raise_alerts(WAGES)
            await stream.content.readuntil(str(case_of(WAGES)).encode())
            async with wire.cut():
                assert (await seat.get("/healthz")).status == 503
            await until(str(seat.client.make_url("/healthz")), lambda status: status == 200)
            await console.raise_alerts(RIVER)
            await stream.content.readuntil(str(case_of(RIVER)).encode())
            assert not stream.content.at_eof()


async def test_database_away_at_the_start(wire: Wire, free_port: int) -> None:
    """The process serves at once, says 503 until the database answers, then works; asked to stop, it stops."""
    settings = Settings(
        database=DatabaseSettings(dsn=Secret(wire.dsn)), console=ConsoleSettings(port=free_port)
    )
    await migrate(wire.dsn)
    stopping = asyncio.Event()
    home = f"http://127.0.0.1:{free_port}"
    async with wire.cut():
        process = asyncio.create_task(run_console(settings, world.DATA, stopping))
        await until(f"{home}/healthz", lambda status: status == 503)
        async with ClientSession(headers={"Accept": "text/html"}) as session:
            for path in ("/", "/sign-in"):
                async with session.get(home + path) as answer:
                    assert answer.status == 503
                    assert "系统暂时不可用" in await answer.text()
    await until(f"{home}/sign-in", lambda status: status == 200)
    stopping.set()
    await asyncio.wait_for(process, 10)


async def test_stopping_before_the_database_ever_answered(free_port: int) -> None:
    """Nothing holds up a stop, not even the wait for a database that is not there."""
    dsn = Secret(f"postgresql://nobody@127.0.0.1:{free_port}/none")
    settings = Settings(database=DatabaseSettings(dsn=dsn), console=ConsoleSettings(port=0))
    stopping = asyncio.Event()
    process = asyncio.create_task(run_console(settings, world.DATA, stopping))
    await asyncio.sleep(0)
    stopping.set()
    await asyncio.wait_for(process, 10)


async def test_without_a_database_in_the_settings() -> None:
    """A console that was never told of a database does not start, in one sentence."""
    with pytest.raises(InvalidConfiguration, match="FENGHUO_DATABASE_DSN"):
        await run_console(Settings(), world.DATA, asyncio.Event())
