"""Real responders, killed with SIGKILL in the middle of their work, two and five at a time, and a database that restarts."""

import asyncio
import random
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TypeVar
from uuid import UUID, uuid5

import aiohttp
import asyncpg  # type: ignore[import-untyped]  # ships no types
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types
from responder_world import QINGXI, SHIPPED, TIMERS_DUE, World, alert, open_world
from service_world import KEY

from config.settings import BrokerSettings, Settings
from domain.clock import EPOCH, Clock
from domain.codec import encode, headers_for
from domain.errors import DatabaseUnavailable
from domain.findings import Alert
from domain.levels import Level
from domain.registry import Area
from domain.topics import ALERTS
from fenghuo import embedded
from fenghuo.processes import child_process
from fenghuo.supervisor import is_healthy
from fenghuo.topics import ensure_topics
from responders.cases import Rules
from responders.channels.webhook import open_webhook
from responders.dispatch import act_on_timers
from responders.sending import Sender
from responders.store import Store
from responders.views import Role, Shift, User

ROOT = Path(__file__).parents[2]
IDS = UUID("5a4d7a52-6c0f-4a7a-8d0e-9b1c3a990103")
TOWNS = 24
KILLS = 8
LONG = 120.0
"""Seconds until something is given up that will come: five dead members of a group are waited for, on a busy machine."""
LEVELS = (Level.BLUE, Level.ORANGE, Level.RED)
PAGES = """
select incident.place, page.step, page.loop, app_user.login, page.channel, page.state from page
join incident on incident.id = page.incident join app_user on app_user.id = page.recipient where page.task is null
"""

LEFT = f"select (select count(*) from page where state in ('due', 'sending')), ({TIMERS_DUE})"

OPENED = """
select count(*), count(distinct alert), (select count(*) from task) from incident where alert is not null
"""
END_ONE = """
select pg_terminate_backend(pid) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid() order by random() limit 1
"""
CUTS = 3
"""So often at most while one alert is recorded: a machine that is busy would never come to an end otherwise."""
T = TypeVar("T")


@dataclass
class Provider:
    """An SMS gateway that drops what it was sent before; slow enough that a kill meets messages on their way."""

    passed_on: dict[str, int] = field(default_factory=dict)
    entered: asyncio.Event = field(default_factory=asyncio.Event)
    seconds: float = 0.02

    async def take(self, request: web.Request) -> web.StreamResponse:
        """Take a message."""
        await request.read()
        key = request.headers["Idempotency-Key"]
        self.passed_on[key] = self.passed_on.get(key, 0) + 1
        self.entered.set()
        await asyncio.sleep(self.seconds)
        return web.json_response({"ok": True})


@asynccontextmanager
async def serve(provider: Provider) -> AsyncIterator[str]:
    """Serve a provider; its address."""
    app = web.Application()
    app.router.add_post("/", provider.take)
    async with TestServer(app) as server:
        yield str(server.make_url("/"))


async def settle(world: World) -> list[Alert]:
    """Put somebody on duty in each of many towns; an alert for each of them, the same whenever it is asked for."""
    towns = [f"990101{number:03}" for number in range(103, 103 + TOWNS)]
    await world.store.put_areas(Area(code=town, name=f"第{town[-3:]}镇") for town in towns)
    users = [
        User(id=uuid5(IDS, town), login=town, display=f"{town}值班室", role=Role.OFFICER, area=town)
        for town in towns
    ]
    await world.store.put_users(users)
    span = timedelta(days=3650)
    await world.store.put_shifts(
        Shift(area=user.area, post="", user=user.id, starts_at=world.now - span, ends_at=world.now + span)
        for user in users
    )
    return [
        alert(town, LEVELS[number % len(LEVELS)], at=world.now, identity=uuid5(IDS, f"alert {town}"))
        for number, town in enumerate(towns)
    ]


async def query(dsn: str, statement: str) -> list[tuple[object, ...]]:
    """Ask the database beside everybody."""
    connection = await asyncpg.connect(dsn)
    try:
        return [tuple(row) for row in await connection.fetch(statement)]
    finally:
        await connection.close()


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(LONG):
        while not await condition():
            await asyncio.sleep(0.05)


@dataclass
class Responders:
    """Processes of `fenghuo respond` on one database and broker."""

    environment: dict[str, str]
    folder: Path
    stack: AsyncExitStack
    running: list[tuple[int, asyncio.subprocess.Process]] = field(default_factory=list)
    started: int = 0

    async def start(self) -> None:
        """Start one more."""
        number, self.started = self.started, self.started + 1
        port = embedded.free_port()
        environment = self.environment | {"FENGHUO_RESPOND_METRICS_PORT": str(port)}
        process = await self.stack.enter_async_context(
            child_process(
                [sys.executable, "-m", "fenghuo", "respond"],
                log=self.folder / f"respond-{number}.log",
                environment=environment,
            )
        )
        self.running.append((port, process))

    async def one_works(self) -> bool:
        """Tell whether any of them is at work."""
        async with aiohttp.ClientSession() as session:
            return any([await is_healthy(session, port) for port, _ in self.running])

    async def kill(self, which: int) -> None:
        """Kill one −9."""
        _, process = self.running.pop(which % len(self.running))
        process.kill()
        await process.wait()


def environment_of(broker: str, dsn: str, url: str, folder: Path) -> dict[str, str]:
    """Set a responder up with a broker, a database and a provider."""
    return {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(ROOT),
        "FENGHUO_DATABASE_DSN": dsn,
        "FENGHUO_BROKER_BOOTSTRAP": broker,
        "FENGHUO_BROKER_SESSION_TIMEOUT_SECONDS": "6",
        "FENGHUO_BROKER_REBALANCE_TIMEOUT_SECONDS": "6",
        "FENGHUO_CONTACT_KEY": KEY,
        "FENGHUO_RESPOND_WEBHOOK_URL": url,
        "FENGHUO_RESPOND_FILE_PATH": str(folder / "pages.jsonl"),
        "FENGHUO_RESPOND_SILENT_AFTER_SECONDS": "3600",
    }


async def undisturbed(dsn: str) -> set[tuple[object, ...]]:
    """Play the same alerts to one responder that nobody kills; the pages of it, all of which are delivered."""
    async with open_world(dsn) as world:
        world.rules = Rules(SHIPPED, ("console", "file", "webhook"))
        for one in await settle(world):
            await world.store.record_alert(one, world.rules)
        await world.advance(minutes=15)
        return {row[:5] for row in await query(dsn, PAGES)}


@pytest.fixture
async def another_database(postgres: str) -> AsyncIterator[str]:
    """Make a second empty database."""
    connection = await asyncpg.connect(postgres)
    await connection.execute("create database undisturbed")
    yield postgres.replace("/fenghuo?", "/undisturbed?")
    await connection.execute("drop database undisturbed with (force)")
    await connection.close()


@pytest.mark.parametrize("workers", [2, 5])
async def test_responders_killed_at_random_under_load(
    fresh_broker: str, database: str, another_database: str, tmp_path: Path, workers: int
) -> None:
    """Each page of an undisturbed day is delivered, none is passed on to people twice, and the record is whole."""
    expected = await undisturbed(another_database)
    chance = random.Random(workers)  # to be played again, not to be secret
    provider = Provider()
    async with open_world(database) as world, serve(provider) as url, AsyncExitStack() as stack:
        alerts = await settle(world)
        environment = environment_of(fresh_broker, database, url, tmp_path)
        await ensure_topics(Settings(broker=BrokerSettings(bootstrap=fresh_broker)))
        responders = Responders(environment, tmp_path, stack)
        for _ in range(workers):
            await responders.start()
        producer = AIOKafkaProducer(bootstrap_servers=fresh_broker, acks="all")
        await producer.start()
        stack.push_async_callback(producer.stop)

        sent = 0
        for kill in range(KILLS):
            wanted = len(alerts) * (kill + 1) // KILLS
            for one in alerts[sent:wanted]:
                await producer.send_and_wait(
                    ALERTS.name, encode(one), key=b"990101", headers=headers_for(ALERTS)
                )
            sent = wanted
            await until(responders.one_works)
            await asyncio.sleep(chance.uniform(0.0, 0.4))  # when it is killed is what is left to chance
            await responders.kill(chance.randrange(workers))
            await responders.start()

        async def all_opened() -> bool:
            return await query(database, "select count(distinct alert) from case_alert") == [(len(alerts),)]

        async def all_out() -> bool:
            return await query(database, LEFT) == [(0, 0)]

        async def kill_all_and_go_on() -> None:
            while responders.running:
                await responders.kill(0)
            await query(database, "update page set wall_lease_until = now() where state = 'sending'")
            await responders.start()
            await until(all_out)

        await until(all_opened)
        await kill_all_and_go_on()  # what is told only after the next step would rightly be withdrawn
        world.now += timedelta(minutes=15)
        await world.set_clock()
        await asyncio.sleep(chance.uniform(0.1, 0.5))
        await kill_all_and_go_on()
        pages = await query(database, PAGES)
        assert {row[:5] for row in pages} == expected
        assert {row[5] for row in pages} == {"delivered"}
        assert len(pages) == len(expected)
        assert (await world.store.account()).repeated_pages == 0
        assert (await world.store.audit.verify())[1] == []


async def test_a_database_that_restarts_while_messages_are_on_their_way(tmp_path: Path) -> None:
    """What was passed on is written down when the database is back, and nothing is sent again."""
    provider = Provider(seconds=0.3)
    async with AsyncExitStack() as database, serve(provider) as url, open_webhook(url, 5) as channel:
        dsn = await database.enter_async_context(embedded.embedded_postgres(tmp_path / "pg", fast=True))
        async with open_world(dsn) as world:
            world.rules = Rules(SHIPPED, ("console", "webhook"))
            await world.raise_alert(QINGXI, Level.RED)
            sender = Sender(world.store, channel, None)
            await sender.start_due()
            async with asyncio.timeout(LONG):
                await provider.entered.wait()
            await database.aclose()
            async with embedded.embedded_postgres(tmp_path / "pg", fast=True):
                await sender.finish()
                rows = await query(dsn, "select state, attempts from page where channel = 'webhook'")
                assert rows == [("delivered", 1)] * len(provider.passed_on)
                assert set(provider.passed_on.values()) == {1}
                assert len(provider.passed_on) == len(("township", "county", "city", "province"))
                await act_on_timers(world.store, world.rules)
                assert await sender.start_due()


async def test_a_database_that_restarts_under_a_running_responder(fresh_broker: str, tmp_path: Path) -> None:
    """The process waits and goes on by itself: the case climbs, every page is passed on once, the record is whole."""
    provider = Provider()
    async with AsyncExitStack() as stack, AsyncExitStack() as first, serve(provider) as url:
        dsn = await first.enter_async_context(embedded.embedded_postgres(tmp_path / "pg", fast=True))
        await ensure_topics(Settings(broker=BrokerSettings(bootstrap=fresh_broker)))
        responders = Responders(environment_of(fresh_broker, dsn, url, tmp_path), tmp_path, stack)
        async with open_world(dsn) as world:
            world.rules = Rules(SHIPPED, ("console", "file", "webhook"))
            await world.raise_alert(QINGXI, Level.YELLOW)
            await responders.start()

            async def all_told() -> bool:
                return await query(dsn, LEFT) == [(0, 0)]

            await until(responders.one_works)
            await until(all_told)
        before = set(await query(dsn, PAGES))
        await first.aclose()

        async def noticed() -> bool:
            return not await responders.one_works()

        await until(noticed)
        async with embedded.embedded_postgres(tmp_path / "pg", fast=True), Store.open(dsn, 2) as store:
            await until(responders.one_works)
            later = world.now + timedelta(minutes=15)
            await store.set_clock(Clock(wall_anchor=EPOCH, county_anchor=later, factor=0.0))
            await until(all_told)
            after = set(await query(dsn, PAGES))
            assert before < after
            assert {row[3] for row in after - before} >= {"9901-officer-值班室"}
            assert {row[5] for row in after} == {"delivered"}
            assert set(provider.passed_on.values()) == {1}
            assert (await store.account()).repeated_pages == 0
            assert (await store.audit.verify())[1] == []


async def test_connections_that_are_cut_again_and_again(database: str) -> None:
    """With its connections ended by the server while it works, a responder loses a round and nothing else."""
    async with open_world(database) as world:
        alerts = await settle(world)
        killer = await asyncpg.connect(database)
        chance = random.Random(24)  # to be played again, not to be secret
        total = 0

        async def cut() -> None:
            nonlocal total
            for _ in range(CUTS):
                await asyncio.sleep(chance.uniform(0.0, 0.03))  # when it is cut is what is left to chance
                total += len(await killer.fetch(END_ONE))

        for one in alerts:
            cutting = asyncio.create_task(cut())
            await again(lambda one=one: world.store.record_alert(one, world.rules))  # type: ignore[misc]
            await cutting
        await killer.close()
        assert total > len(alerts) / 4
        assert await query(database, OPENED) == [(TOWNS, TOWNS, TOWNS)]


async def again(work: Callable[[], Awaitable[T]]) -> T:
    """Do something until the database lets it happen, as every loop of a responder does."""
    async with asyncio.timeout(LONG):
        while True:
            try:
                return await work()
            except DatabaseUnavailable:
                continue
