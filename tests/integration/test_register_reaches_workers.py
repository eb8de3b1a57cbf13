"""A change of the registry reaches running workers within seconds, and they judge by it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types
from msgspec import structs
from responder_world import COUNTY, QINGXI, World, open_world
from typer.testing import CliRunner

from config.settings import BrokerSettings, Settings
from detectors.series.watch import SeriesWatch
from domain.clock import REAL_TIME
from domain.codec import encode, headers_for
from domain.devices import Sighting
from domain.findings import FindingState
from domain.levels import Feed
from domain.registry import Protocol, Series, Source
from domain.topics import SIGHTINGS
from fenghuo.cli import create_cli
from fenghuo.topics import ensure_topics
from responders.intake import BULK, Intake, run_intake
from responders.loops import Bell, Health
from responders.outbox import run_outbox
from streams.packing import micros
from streams.registry import Registry

PROMISED_SECONDS = 5.0
FILE = """
[[device]]
id = "reach-logger"
name = "一号"
area = "{area}"
source = "reach"
protocol = "sl651"
address = "0099887766"

[[series]]
id = "reach-1.cod"
name = "化学需氧量"
quantity = "cod"
unit = "mg/L"
area = "{area}"
category = "water-pollution"
source = "reach"
interval_seconds = 300
device = "reach-logger"
channel = "cod"
limits = [{{ level = "blue", value = {limit}, consecutive = 1 }}]
"""


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    """A settled county on real time with one source."""
    async with open_world(database) as opened:
        await opened.store.set_clock(REAL_TIME)
        await opened.store.put_sources(
            [Source(slug="reach", token_sha256="e" * 64, feeds=(Feed.READINGS,), area=COUNTY)]
        )
        yield opened


@pytest.fixture
async def registry(broker: str, world: World) -> AsyncIterator[Registry]:
    """A worker's registry, fed by a responder's outbox."""
    settings = BrokerSettings(bootstrap=broker, session_timeout_seconds=6, rebalance_timeout_seconds=6)
    await ensure_topics(Settings(broker=settings))
    stopping = asyncio.Event()
    outbox = asyncio.create_task(run_outbox(world.store, settings, Bell(), Health(), stopping))
    try:
        async with Registry(settings, "test") as followed:
            await followed.ready()
            yield followed
    finally:
        stopping.set()
        await outbox


async def fenghuo(*words: str | Path) -> None:
    """Run a command."""
    result = await asyncio.to_thread(CliRunner().invoke, create_cli(), [str(word) for word in words])
    assert result.exit_code == 0, result.output


async def seconds_until(condition: Callable[[], bool]) -> float:
    """Measure how long it takes until something holds, at most twenty seconds."""
    started = time.monotonic()
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)
    return time.monotonic() - started


def limit_of(registry: Registry) -> float | None:
    """Read the limit that a worker knows."""
    series = registry.series.get("reach-1.cod")
    return series.limits[0].value if series else None


def told(watch: SeriesWatch, value: float, minute: int) -> list[FindingState]:
    """Let a detector see one reading."""
    observed = micros(datetime(2026, 6, 1, 8, minute, tzinfo=UTC))
    seen = watch.observe(
        ["reach-1.cod"],
        np.zeros(1, np.int32),
        np.array([observed], np.int64),
        np.array([value]),
        np.zeros(1, np.uint8),
        observed,
    )
    return [finding.state for finding in seen.findings]


async def test_a_changed_limit_reaches_running_workers(
    world: World, registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the end of the command to a worker's next reading it takes a second or two, not five; removal too."""
    monkeypatch.setenv("FENGHUO_DATABASE_DSN", world.dsn)
    watch = SeriesWatch()

    def know(series: Series | None, name: str) -> None:
        if series is not None and name == "reach-1.cod":
            watch.know(series)

    registry.on_series.append(know)
    file = tmp_path / "registry.toml"
    took = []
    for limit in (40, 20):
        file.write_text(FILE.format(area=QINGXI, limit=limit), encoding="utf-8")
        await fenghuo("series", "import", file)
        took.append(await seconds_until(lambda wanted=limit: limit_of(registry) == wanted))  # type: ignore[misc]
        if limit == 40:
            assert told(watch, 30.0, 0) == []
    assert told(watch, 30.0, 5) == [FindingState.CONFIRMED]
    await fenghuo("device", "remove", "reach-logger", "--with-series", "--yes")
    took.append(
        await seconds_until(lambda: limit_of(registry) is None and "reach-logger" not in registry.devices)
    )
    assert max(took) < PROMISED_SECONDS / 2


async def test_what_gateways_see_is_stored(world: World, broker: str) -> None:
    """A sighting on the topic becomes a row, and poison beside it is set aside."""
    settings = BrokerSettings(bootstrap=broker, session_timeout_seconds=6, rebalance_timeout_seconds=6)
    await ensure_topics(Settings(broker=settings))
    seen = Sighting(
        protocol=Protocol.SL651, address="0055443322", device=None, gateway="g", peer="10.0.0.7:9",
        seen_at=datetime.now(UTC), packets=3, readings=9, refused=0, connected=True, channels=("39",),
    )  # fmt: skip
    stopping = asyncio.Event()
    intake = Intake(world.store, world.rules)
    running = asyncio.create_task(run_intake(settings, BULK, intake, Health(), "bulk", stopping))
    try:
        async with AIOKafkaProducer(bootstrap_servers=broker, acks="all") as producer:
            for value in (b"\xff no json", encode(seen)):
                await producer.send_and_wait(SIGHTINGS.name, value, key=b"x", headers=headers_for(SIGHTINGS))
        async with asyncio.timeout(60):
            while seen.address not in {one.address for one in await world.store.register.sightings()}:
                await asyncio.sleep(0.05)
    finally:
        stopping.set()
        await running
    (stored,) = (one for one in await world.store.register.sightings() if one.address == seen.address)
    assert stored == structs.replace(seen, seen_at=stored.seen_at)
