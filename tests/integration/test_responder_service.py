"""The responder as a whole on a real broker and database: intake, poison, outages, outbox, dead-man's switch."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types
from msgspec import structs
from responder_world import COUNTY, DATA, POSTS, QINGXI, RULES, World, alert, open_world, viewer

from config.settings import BrokerSettings, DatabaseSettings, RespondSettings, Secret, Settings
from domain.clock import REAL_TIME
from domain.codec import decode, encode, headers_for
from domain.errors import InvalidConfiguration
from domain.findings import Heartbeat
from domain.identity import incident_id
from domain.inputs import Ticket
from domain.topics import (
    ALERTS,
    HEARTBEATS,
    REGISTRY_AREAS,
    REJECTED,
    REPORTS,
    ROLLUPS,
    TICKETS,
    TOPICS,
    Topic,
)
from fenghuo import embedded
from fenghuo.topics import ensure_topics
from responders.deadman import DeadMan, give_sign
from responders.migrate import migrate, migrations
from responders.service import run_responder
from responders.store import Store
from responders.views import IncidentRow

LONG = 60.0


def settings_for(broker: str, dsn: str, port: int, folder: Path, **respond: object) -> Settings:
    """Make settings for one responder."""
    return Settings(
        broker=BrokerSettings(bootstrap=broker, session_timeout_seconds=6, rebalance_timeout_seconds=6),
        database=DatabaseSettings(dsn=Secret(dsn), pool_size=6),
        respond=RespondSettings(
            metrics_port=port,
            file_path=folder / "pages.jsonl",
            silent_after_seconds=600,
            **respond,  # type: ignore[arg-type]  # each test names its own
        ),
    )


@asynccontextmanager
async def responding(settings: Settings) -> AsyncIterator[asyncio.Task[None]]:
    """Run a responder and stop it in order."""
    stopping = asyncio.Event()
    running = asyncio.create_task(run_responder(settings, DATA, stopping))
    try:
        yield running
    finally:
        stopping.set()
        await asyncio.wait_for(running, LONG)


async def until(condition: Callable[[], Awaitable[object]], seconds: float = LONG) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.05)


async def health(port: int) -> tuple[int, dict[str, object]]:
    """Ask a responder how it is."""
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{port}/healthz") as response,
        ):
            return response.status, await response.json()
    except aiohttp.ClientConnectorError:
        return 0, {}


async def healthy(port: int) -> bool:
    """Tell whether everything of a responder works."""
    return (await health(port))[0] == 200


async def produce(broker: str, messages: list[tuple[Topic, bytes]]) -> None:
    """Put messages on topics."""
    producer = AIOKafkaProducer(bootstrap_servers=broker, acks="all")
    await producer.start()
    try:
        for topic, value in messages:
            await producer.send_and_wait(topic.name, value, key=b"990101", headers=headers_for(topic))
    finally:
        await producer.stop()


def ticket() -> Ticket:
    """Make a ticket."""
    at = datetime.now(UTC)
    return Ticket(
        id=uuid4(), source="12345", order_number="1", observed_at=at, received_at=at, area=QINGXI, text="臭"
    )


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    """A settled county on real time."""
    async with open_world(database) as opened:
        await opened.store.set_clock(REAL_TIME)
        yield opened


async def test_from_the_topic_to_the_file(broker: str, world: World, free_port: int, tmp_path: Path) -> None:
    """An alert becomes a case, a task, and a line in the file; poison is set aside and the rest goes on."""
    settings = settings_for(broker, world.dsn, free_port, tmp_path, deadman_url=str(tmp_path / "alive"))
    await ensure_topics(settings)
    raised = [structs.replace(alert(at=datetime.now(UTC)), opened_at=datetime.now(UTC)) for _ in range(3)]
    unknown = structs.replace(alert(), category="unheard-of")
    good = ticket()
    poison = [
        (topic, b"\xff not json") for topic in (ALERTS, ROLLUPS, TICKETS, REPORTS, HEARTBEATS, REJECTED)
    ]
    async with responding(settings):
        await produce(
            broker,
            [
                (ALERTS, encode(raised[0])),
                *poison,
                (ALERTS, encode(unknown)),
                (ALERTS, encode(raised[1])),
                (ALERTS, encode(raised[0])),
                (ALERTS, encode(raised[2])),
                (TICKETS, encode(good)),
            ],
        )
        path = tmp_path / "pages.jsonl"
        wanted = {str(incident_id(one.id)) for one in raised}

        async def all_paged() -> bool:
            lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
            return wanted <= {json.loads(line)["incident"] for line in lines}

        await until(all_paged)

        async def ticket_stored() -> bool:
            return good.id in await world.store.stored_ids()

        await until(ticket_stored)

        async def poison_stored() -> bool:
            return (await world.store.account()).rows["rejected"] >= 6  # not the one of feed.rejected itself

        await until(poison_stored)
        await until(lambda: healthy(free_port))
        await until(lambda: asyncio.to_thread((tmp_path / "alive").exists))
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{free_port}/metrics") as response,
        ):
            figures = await response.text()
    assert 'fenghuo_rejected_total{feed="feed.rejected",reason="invalid",stage="respond"}' in figures
    assert 'fenghuo_pages_total{channel="file",outcome="delivered"}' in figures
    account = await world.store.account()
    assert account.repeated_pages == 0
    assert account.alert_latency_ms.p50 is not None


async def test_what_came_while_nobody_responded_is_taken_later(
    broker: str, world: World, free_port: int, tmp_path: Path
) -> None:
    """Offsets are committed after the transaction: a second responder goes on where the first one stopped."""
    settings = settings_for(broker, world.dsn, free_port, tmp_path)
    await ensure_topics(settings)
    first, second = alert(at=datetime.now(UTC)), alert(at=datetime.now(UTC))
    for one in (first, second):
        await produce(broker, [(ALERTS, encode(one))])
        async with responding(settings):

            async def stored(wanted: object = one.id) -> bool:
                return wanted in {version.alert for version in (await world.store.account()).alerts}

            await until(stored)
    versions = [version.alert for version in (await world.store.account()).alerts]
    assert (versions.count(first.id), versions.count(second.id)) == (1, 1)


async def test_a_database_that_goes_away_in_the_middle_loses_nothing(
    broker: str, free_port: int, tmp_path: Path
) -> None:
    """While PostgreSQL is down alerts wait on the topic; the responder says so and goes on by itself."""
    async with embedded.embedded_postgres(tmp_path / "pg", fast=True) as dsn:
        settings = settings_for(broker, dsn, free_port, tmp_path)
        await ensure_topics(settings)
        async with open_world(dsn) as world:
            await world.store.set_clock(REAL_TIME)
    async with responding(settings):  # starts without a database
        await until(lambda: lost_database(free_port))
        async with embedded.embedded_postgres(tmp_path / "pg", fast=True):
            await until(lambda: healthy(free_port))
        raised = alert(at=datetime.now(UTC))
        await produce(broker, [(ALERTS, encode(raised))])
        await until(lambda: unhealthy(free_port))
        async with embedded.embedded_postgres(tmp_path / "pg", fast=True) as dsn, Store.open(dsn) as store:

            async def recorded() -> bool:
                return raised.id in {version.alert for version in (await store.account()).alerts}

            await until(recorded)
            await until(lambda: healthy(free_port))
            assert (await store.account()).rows["incident"] == (await store.account()).rows["alert"]


async def lost_database(port: int) -> bool:
    """Tell whether a responder says that its database is away."""
    status, answer = await health(port)
    return status == 503 and answer["lost"] == {"database": "DatabaseUnavailable"}


async def unhealthy(port: int) -> bool:
    """Tell whether a responder says that something does not work."""
    return (await health(port))[0] == 503


async def test_a_broker_that_comes_back_empty_is_filled_again(
    world: World, free_port: int, tmp_path: Path
) -> None:
    """The registry is published before any stage needs it, and again when the broker forgot it."""
    port = embedded.free_port()
    settings = settings_for(f"127.0.0.1:{port}", world.dsn, free_port, tmp_path)
    async with responding(settings):  # starts without a broker
        await until(lambda: unhealthy(free_port))
        for _ in range(2):
            async with embedded.embedded_broker(tmp_path, port) as address:
                await ensure_topics(settings)
                assert await read_keys(address, REGISTRY_AREAS, 5) == {
                    "99",
                    "9901",
                    "990101",
                    "990101101",
                    "990101102",
                }
                await until(lambda: healthy(free_port))
                raised = alert(at=datetime.now(UTC))
                await produce(address, [(ALERTS, encode(raised))])

                async def recorded(wanted: object = raised.id) -> bool:
                    return wanted in {version.alert for version in (await world.store.account()).alerts}

                await until(recorded)


async def read_keys(broker: str, topic: Topic, count: int) -> set[str]:
    """Read a topic from its beginning until so many keys were seen."""
    consumer = AIOKafkaConsumer(
        topic.name, bootstrap_servers=broker, auto_offset_reset="earliest", group_id=None
    )
    await consumer.start()
    keys: set[str] = set()
    try:
        async with asyncio.timeout(LONG):
            while len(keys) < count:
                message = await consumer.getone()
                decode(TOPICS[topic.name], message.value, message.headers)
                keys.add(message.key.decode())
    finally:
        await consumer.stop()
    return keys


async def test_the_silence_of_a_component_is_a_case_once(world: World) -> None:
    """A gateway that falls silent opens one case; back again, the case is asked to be closed; the next silence reopens."""
    deadman = DeadMan(world.store, RULES, 30)
    deadman._began -= 1000

    async def beat(component: str, seconds_ago: float) -> None:
        at = datetime.now(UTC) - timedelta(seconds=seconds_ago)
        await world.store.record_heartbeats([Heartbeat(component=component, instance="one", at=at)])

    await beat("gateway", 100)
    await beat("stream", 0)
    for _ in range(3):
        assert await deadman.check() == {"gateway"}
    assert await DeadMan(world.store, RULES, 30).check() == set()  # one that has only just begun to watch
    (row,) = await cases(world)
    assert (row.category, row.place, row.alert_open, row.title) == (
        "platform-fault",
        "990101",
        True,
        "平台运行异常 · 示例县",
    )
    await beat("gateway", 0)
    assert await deadman.check() == set()
    assert [case.alert_open for case in await cases(world)] == [False]
    deadman._silent_after = -1.0
    assert await deadman.check() == {"gateway", "stream"}
    assert sorted(case.alert_open for case in await cases(world)) == [True, True]


async def cases(world: World) -> list[IncidentRow]:
    """List the county's open cases."""
    return await world.store.queue(viewer(POSTS[COUNTY]))


async def test_a_sign_of_life_goes_to_a_file_or_an_address(tmp_path: Path, free_port: int) -> None:
    """The watcher of the watcher sees a renewed file or a POST; nobody there is told, not raised."""
    async with aiohttp.ClientSession() as session:
        assert await give_sign(session, str(tmp_path / "alive"))
        assert (tmp_path / "alive").exists()
        assert await give_sign(session, f"file://{tmp_path}/alive2")
        assert (tmp_path / "alive2").exists()
        assert not await give_sign(session, str(tmp_path / "nowhere" / "alive"))
        assert not await give_sign(session, f"http://127.0.0.1:{free_port}/")


async def test_wrong_settings_end_the_start_with_one_sentence(
    broker: str, database: str, free_port: int, tmp_path: Path
) -> None:
    """No database named, a taken port, and a database from the future are refused at once."""
    stopping = asyncio.Event()
    with pytest.raises(InvalidConfiguration, match="FENGHUO_DATABASE_DSN"):
        await run_responder(settings_for(broker, "", free_port, tmp_path), DATA, stopping)
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", free_port)
    with pytest.raises(InvalidConfiguration, match="metrics_port"):
        await run_responder(settings_for(broker, database, free_port, tmp_path), DATA, stopping)
    server.close()
    await server.wait_closed()
    assert await migrate(database) == [name for name, _ in migrations()]
