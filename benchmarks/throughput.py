"""Readings per second through one stream worker on one core, and through its peers in the same run."""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.util import find_spec
from pathlib import Path

import aiohttp
import msgspec
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.gateway import cpu_seconds, megabytes
from benchmarks.load import make_series, messages, publish_readings, publish_series
from config.settings import Settings, load_settings
from domain.errors import FenghuoError, Unavailable
from domain.topics import READINGS
from fenghuo.embedded import embedded_broker, free_port
from fenghuo.processes import child_process
from fenghuo.topics import ensure_topics

SERIES_COUNT = 20_000
PARTITIONS = 4
POLL_SECONDS = 0.1
"""Each look costs the worker about two milliseconds of its core."""
START_SECONDS = 60.0
STALL_SECONDS = 60.0
PEERS = {"aiokafka + msgspec": "benchmarks.peer_aiokafka", "Quix Streams": "benchmarks.peer_quix"}
NEEDS = {"benchmarks.peer_quix": "quixstreams"}

Say = Callable[[str], None]


class Throughput(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured; a peer that could not run has a sentence instead of a figure.

    `readings_per_core_second` counts only the time that the worker had its core, which others may have used besides.
    """

    readings_per_second: float
    readings_per_core_second: float
    packing: int
    readings: int
    series: int
    seconds: float
    broker: str
    worker_megabytes: float
    peers: dict[str, float | str]


async def measure(
    readings: int,
    packing: int,
    say: Say,
    *,
    broker: str | None = None,
    peers: bool = True,
    peer_readings: int,
) -> Throughput:
    """Measure our worker, then each peer, one after the other on the same core."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fenghuo-")))
        ours = await _ours(folder, readings, packing, say, broker)
        found: dict[str, float | str] = {}
        for name, module in PEERS.items() if peers else ():
            found[name] = await _peer(folder, name, module, peer_readings, packing, say, broker)
        return msgspec.structs.replace(ours, peers=found)


@asynccontextmanager
async def _prepared(
    folder: Path, readings: int, packing: int, say: Say, broker: str | None, *, as_json: bool
) -> AsyncIterator[tuple[Settings, dict[str, str]]]:
    """Open a broker with the registry and all readings on it; a given one is taken as it is and must be fresh."""
    async with AsyncExitStack() as stack:
        bootstrap = broker
        if bootstrap is None:
            bootstrap = await stack.enter_async_context(embedded_broker(folder))
        environment = {
            "FENGHUO_BROKER_BOOTSTRAP": bootstrap,
            "FENGHUO_BROKER_PARTITIONS": str(PARTITIONS),
            "FENGHUO_BROKER_SESSION_TIMEOUT_SECONDS": "6",
            "FENGHUO_BROKER_REBALANCE_TIMEOUT_SECONDS": "6",
            "FENGHUO_STREAM_METRICS_PORT": str(free_port()),
            "FENGHUO_LOG_LEVEL": "warning",
        }
        settings = load_settings(environment)
        await ensure_topics(settings, give_up_seconds=START_SECONDS)
        series = make_series(SERIES_COUNT)
        say(f"{readings:,} readings go on the topic, {packing} a message")
        await publish_series(settings, series)
        await publish_readings(settings, messages(series, readings, packing, PARTITIONS, as_json=as_json))
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("FENGHUO_")}
        yield settings, inherited | environment


async def _ours(folder: Path, readings: int, packing: int, say: Say, broker: str | None) -> Throughput:
    async with _prepared(folder, readings, packing, say, broker, as_json=False) as (settings, environment):
        say("Fenghuo's stream worker")
        log = folder / "stream.log"
        command: list[str | Path] = [sys.executable, "-m", "fenghuo", "stream"]
        async with child_process(command, log=log, environment=environment) as process:
            pin(process.pid)
            rate, core_rate, seconds = await _watch(settings, process, readings, log)
            size = megabytes(process.pid)
    return Throughput(
        readings_per_second=round(rate),
        readings_per_core_second=round(core_rate),
        packing=packing,
        readings=readings,
        series=SERIES_COUNT,
        seconds=round(seconds, 2),
        broker=broker or "embedded",
        worker_megabytes=size,
        peers={},
    )


def pin(pid: int) -> None:
    """Keep a process on the last core that we may use, where the system can do that."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(pid, {max(os.sched_getaffinity(0))})


async def _watch(
    settings: Settings, process: asyncio.subprocess.Process, readings: int, log: Path
) -> tuple[float, float, float]:
    """Follow the worker's own counter from the first reading worked off to the last.

    Answers readings a second, readings a second of its core, and the seconds.
    """
    address = f"http://127.0.0.1:{settings.stream.metrics_port}/metrics"
    first: tuple[float, float, float] | None = None
    newest, moved = 0.0, time.perf_counter()
    async with aiohttp.ClientSession() as session:
        while True:
            if process.returncode is not None:
                raise Unavailable(f"The worker ended with status {process.returncode}: see {log}")
            count, now = await worked_off(session, address), time.perf_counter()
            if count > newest:
                newest, moved = count, now
                first = first or (count, now, cpu_seconds(process.pid))
            elif now - moved > STALL_SECONDS:
                raise Unavailable(f"The worker stands still at {newest:,.0f} readings: see {log}")
            if first is not None and count >= readings:
                worked, used = count - first[0], cpu_seconds(process.pid) - first[2]
                return worked / (now - first[1]), worked / max(used, 0.01), now - first[1]
            await asyncio.sleep(POLL_SECONDS)


async def worked_off(session: aiohttp.ClientSession, address: str) -> float:
    """Ask a worker how many readings it has worked off; 0 while it does not answer."""
    try:
        async with session.get(address) as answer:
            text = await answer.text()
    except aiohttp.ClientError:
        return 0.0
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        if family.name == "fenghuo_inputs"
        for sample in family.samples
        if sample.name == "fenghuo_inputs_total" and sample.labels["feed"] == "readings"
    )


async def _peer(
    folder: Path, name: str, module: str, readings: int, packing: int, say: Say, broker: str | None
) -> float | str:
    """Run a peer over the same readings as JSON, the form that it can read; answers its rate or why there is none."""
    needed = NEEDS.get(module)
    if needed and find_spec(needed) is None:
        return f"not installed: pip install {needed}"
    if broker is not None:
        return "not run: peers need a broker of their own, leave --broker out"
    home = folder / module
    async with _prepared(home, readings, packing, say, None, as_json=True) as (settings, environment):
        say(name)
        command: list[str | Path] = [
            sys.executable,
            "-m",
            module,
            settings.broker.bootstrap,
            READINGS.name,
            str(readings),
        ]
        async with child_process(command, log=home / "peer.log", environment=environment) as process:
            pin(process.pid)
            async with asyncio.timeout(20 * START_SECONDS):
                status = await process.wait()
    lines = (home / "peer.log").read_text().splitlines()
    if status or not lines:
        raise FenghuoError(f"{name} failed with status {status}: {' / '.join(lines[-5:])}")
    rate: float = msgspec.json.decode(lines[-1])["readings_per_second"]
    return rate
