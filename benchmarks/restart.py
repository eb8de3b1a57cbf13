"""How long a stream worker that was killed takes until it judges readings again, with its state from the changelog.

Run `python -m benchmarks.restart [--series 100000] [--json]`. A worker takes in three readings of each series, is killed
with SIGKILL once its snapshots cover them, and another begins. It is ready when /healthz says so; then one reading of each
series is sent, and it is back when it has judged them all.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from itertools import islice
from pathlib import Path

import aiohttp
import msgspec
from aiokafka import TopicPartition  # type: ignore[import-untyped]  # ships no types
from aiokafka.admin import AIOKafkaAdminClient  # type: ignore[import-untyped]  # ships no types

from benchmarks.gateway import cpu_seconds, megabytes
from benchmarks.load import make_series, messages, publish_readings, publish_series
from benchmarks.throughput import worked_off
from config.settings import Settings, load_settings
from domain.errors import Unavailable
from domain.registry import Series
from domain.topics import READINGS
from fenghuo.embedded import embedded_broker, free_port
from fenghuo.processes import child_process
from fenghuo.supervisor import is_healthy
from fenghuo.topic_reading import end_of
from fenghuo.topics import ensure_topics
from streams.app import NAME

PARTITIONS = 4
PACKING = 500
ROUNDS = 3
POLL_SECONDS = 0.05
PATIENCE_SECONDS = 300.0


class Restart(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured, in seconds of wall time from the start of the process, and of its core.

    `busy_seconds` is what the worker had of its core until it was ready: on a machine that nobody else uses, about as long
    as it takes.
    """

    series: int
    ready_seconds: float
    busy_seconds: float
    judged_seconds: float
    worker_megabytes: float


async def measure(count: int) -> Restart:
    """Bring a worker to its state, kill it, and time the next one."""
    with tempfile.TemporaryDirectory(prefix="fenghuo-") as name:
        folder = Path(name)
        async with embedded_broker(folder) as bootstrap:
            settings, environment = _settings(bootstrap)
            await ensure_topics(settings, give_up_seconds=60)
            series = make_series(count)
            await publish_series(settings, series)
            async with aiohttp.ClientSession() as session:
                await _first(settings, environment, series, folder / "first.log")
                return await _second(session, settings, environment, series, folder / "second.log")


def _settings(bootstrap: str) -> tuple[Settings, dict[str, str]]:
    environment = {
        "FENGHUO_BROKER_BOOTSTRAP": bootstrap,
        "FENGHUO_BROKER_PARTITIONS": str(PARTITIONS),
        "FENGHUO_BROKER_SESSION_TIMEOUT_SECONDS": "6",
        "FENGHUO_BROKER_REBALANCE_TIMEOUT_SECONDS": "6",
        "FENGHUO_STREAM_METRICS_PORT": str(free_port()),
        "FENGHUO_LOG_LEVEL": "warning",
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FENGHUO_")}
    return load_settings(environment), inherited | environment


@asynccontextmanager
async def _worker(environment: dict[str, str], log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    command: list[str | Path] = [sys.executable, "-m", "fenghuo", "stream"]
    async with child_process(command, log=log, environment=environment) as process:
        yield process


async def _first(settings: Settings, environment: dict[str, str], series: list[Series], log: Path) -> None:
    """Have the state made, written down and acknowledged, then kill who made it."""
    async with _worker(environment, log) as process:
        await _send(settings, series, 0, ROUNDS)
        found = await end_of(settings.broker.bootstrap, READINGS)
        ends = {place.partition: end for place, end in found.items() if end}
        admin = AIOKafkaAdminClient(bootstrap_servers=settings.broker.bootstrap)
        await admin.start()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while await _committed(admin, ends) != ends:
                    _is_alive(process, log)
                    await asyncio.sleep(10 * POLL_SECONDS)
        finally:
            await admin.close()
        process.send_signal(signal.SIGKILL)
        await process.wait()


async def _second(
    session: aiohttp.ClientSession,
    settings: Settings,
    environment: dict[str, str],
    series: list[Series],
    log: Path,
) -> Restart:
    """Time the next worker until it is ready, and until it has judged a reading of each series."""
    port = settings.stream.metrics_port
    started = time.perf_counter()
    async with _worker(environment, log) as process, asyncio.timeout(PATIENCE_SECONDS):
        while not await is_healthy(session, port):
            _is_alive(process, log)
            await asyncio.sleep(POLL_SECONDS)
        ready, busy = time.perf_counter() - started, cpu_seconds(process.pid)
        await _send(settings, series, ROUNDS, ROUNDS + 1)
        sent = time.perf_counter()
        while await worked_off(session, f"http://127.0.0.1:{port}/metrics") < len(series):
            _is_alive(process, log)
            await asyncio.sleep(POLL_SECONDS)
        return Restart(
            series=len(series),
            ready_seconds=round(ready, 2),
            busy_seconds=round(busy, 2),
            judged_seconds=round(ready + time.perf_counter() - sent, 2),
            worker_megabytes=megabytes(process.pid),
        )


async def _send(settings: Settings, series: list[Series], begin: int, end: int) -> None:
    """Send some rounds of readings, one reading of each series a round."""
    packs = messages(series, end * len(series), PACKING, PARTITIONS, as_json=False)
    of_a_round = sum(1 for _ in messages(series, len(series), PACKING, PARTITIONS, as_json=False))
    await publish_readings(settings, islice(packs, begin * of_a_round, None))


async def _committed(admin: AIOKafkaAdminClient, numbers: Iterable[int]) -> dict[int, int]:
    places = [TopicPartition(READINGS.name, number) for number in numbers]
    found = await admin.list_consumer_group_offsets(NAME, partitions=places)
    return {place.partition: offset.offset for place, offset in found.items()}


def _is_alive(process: asyncio.subprocess.Process, log: Path) -> None:
    if process.returncode is not None:
        raise Unavailable(f"The worker ended with status {process.returncode}: see {log}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=100_000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found = asyncio.run(measure(arguments.series))
    if arguments.json:
        print(json.dumps(msgspec.to_builtins(found)))
        return
    print(
        f"{found.series:,} series: ready after {found.ready_seconds} s ({found.busy_seconds} s of a core), a reading of"
        f" each judged after {found.judged_seconds} s, {found.worker_megabytes:,.0f} MB"
    )


if __name__ == "__main__":
    main()
