"""The broker is away at the start, or falls silent in the middle."""

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path

import aiohttp
from stream_world import (
    Sent,
    broker_of_its_own,
    committed,
    is_worked_off,
    outcome_of,
    pack_of,
    prepare,
    send,
    settings_for,
    until,
    worker,
)

from config.data import load_data
from domain.topics import READINGS
from fenghuo import embedded
from streams.app import run_stream

SERIES, MINUTES = 6, 240


def some_hours() -> list[Sent]:
    """Readings of a few series, one to a message, so that there is something to be in the middle of."""
    return [pack_of(number, [minute]) for minute in range(MINUTES) for number in range(SERIES)]


async def health(port: int) -> int:
    """Ask a worker how it is; 0 when it does not answer."""
    with suppress(aiohttp.ClientError, TimeoutError):
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session,
            session.get(f"http://127.0.0.1:{port}/healthz") as answer,
        ):
            return answer.status
    return 0


async def counted(bootstrap: str) -> int:
    """Count the readings that roll-ups tell of."""
    return sum(row[0] for row in (await outcome_of(bootstrap)).rollups.values())


async def test_broker_away_at_the_start_is_waited_for(tmp_path: Path) -> None:
    """A worker without a broker says so on /healthz and begins when the broker is there."""
    broker_port, metrics_port = embedded.free_port(), embedded.free_port()
    settings = settings_for(f"127.0.0.1:{broker_port}", metrics_port)
    stopping = asyncio.Event()
    running = asyncio.create_task(run_stream(settings, load_data(), stopping))
    await until(lambda: says(metrics_port, 503))
    async with broker_of_its_own(tmp_path / "broker", broker_port) as bootstrap:
        await prepare(bootstrap, SERIES)
        await send(bootstrap, some_hours())
        await until(lambda: is_worked_off(bootstrap))
        assert await health(metrics_port) == 200
        stopping.set()
        await running
        assert await counted(bootstrap) == SERIES * MINUTES


async def test_silent_broker_is_waited_for(tmp_path: Path) -> None:
    """A broker that falls silent in the middle is told of on /healthz; when it answers again nothing is missing."""
    metrics_port = embedded.free_port()
    async with broker_of_its_own(tmp_path / "broker") as bootstrap:
        await prepare(bootstrap, SERIES)
        await send(bootstrap, some_hours())
        async with worker(bootstrap, tmp_path, metrics_port=metrics_port):
            await until(lambda: has_begun(bootstrap))
            broker = broker_process(bootstrap, tmp_path / "broker")
            os.kill(broker, signal.SIGSTOP)
            try:
                await until(lambda: says(metrics_port, 503))
            finally:
                os.kill(broker, signal.SIGCONT)
            await send(bootstrap, [pack_of(0, [MINUTES])])
            await until(lambda: is_worked_off(bootstrap))
            await until(lambda: says(metrics_port, 200))
        assert await counted(bootstrap) == SERIES * MINUTES + 1


async def says(port: int, status: int) -> bool:
    """Say whether a worker answers so."""
    return await health(port) == status


async def has_begun(bootstrap: str) -> bool:
    """Say whether some readings have been acknowledged."""
    return any(
        offset for place, offset in (await committed(bootstrap)).items() if place.topic == READINGS.name
    )


def broker_process(bootstrap: str, folder: Path) -> int:
    """Find our own child that is the broker: its address or its folder is in its command line."""
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parent = int((place / "stat").read_text().rpartition(")")[2].split()[1])
            command = (place / "cmdline").read_text()
            if parent == os.getpid() and (bootstrap in command or str(folder) in command):
                return int(place.name)
    raise AssertionError("no broker runs")
