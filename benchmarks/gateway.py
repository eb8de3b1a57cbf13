"""How many HJ 212 stations one gateway process holds, and how soon it answers that the broker has a packet on disk."""

import asyncio
import gc
import os
import resource
import secrets
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import aiohttp
import msgspec
import numpy as np
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.load import TOWNSHIPS, publish_records
from config.settings import load_settings
from domain.registry import Device, Protocol, Series
from domain.topics import REGISTRY_DEVICES, REGISTRY_SERIES
from fenghuo.embedded import embedded_broker, free_port
from fenghuo.processes import child_process, until_ready
from fenghuo.supervisor import is_healthy
from fenghuo.topics import ensure_topics
from streams.hj212.frames import encode_frame

SHANGHAI = ZoneInfo("Asia/Shanghai")
CHANNELS = tuple(
    f"w{code}" for code in (1001, 1003, 1009, 1010, 1014, 1018, 1019, 21001, 21003, 21011, 22001)
)
"""Eleven values in a packet of some 450 bytes, as a water station sends them."""
TICK_SECONDS = 0.01
START_SECONDS = 90.0
CONNECTS_AT_ONCE = 100
ANSWER = b"CN=9014"
SETTLE_SECONDS = 10.0

Say = Callable[[str], None]


class GatewayResult(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured. Milliseconds are from the moment a packet was due to its answer; `unanswered` must be 0."""

    connections: int
    packets: int
    packets_per_second: float
    readings_per_second: float
    unanswered: int
    refused: int
    p50_ms: float
    p99_ms: float
    longest_ms: float
    gateway_core_share: float
    gateway_megabytes: float
    seconds: float
    broker: str


class Station(asyncio.Protocol):
    """One connection that sends packets and measures how long their answers take."""

    def __init__(self, address: str, bench: "Bench") -> None:
        """Be a station of the bench."""
        self.address = address
        self._bench = bench
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self.waiting: dict[bytes, float] = {}
        self.at = bench.begins

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way out."""
        self._transport = transport if isinstance(transport, asyncio.Transport) else None

    def connection_lost(self, error: Exception | None) -> None:
        """Count what nobody will answer."""
        self._transport = None

    def send(self, due: float) -> None:
        """Send a packet whose time has come; its readings are a second later than those of the one before."""
        number = self._bench.next_number()
        key = b"%s%06d" % (self._bench.day, number)
        self.at += timedelta(seconds=1)
        items = self._bench.items[number % len(self._bench.items)]
        segment = b"QN=%s;ST=21;CN=2011;PW=123456;MN=%s;Flag=9;CP=&&DataTime=%s;%s&&" % (
            key,
            self.address.encode(),
            self.at.strftime("%Y%m%d%H%M%S").encode(),
            items,
        )
        self.waiting[key] = due
        if self._transport is not None:
            self._transport.write(encode_frame(segment))

    def data_received(self, data: bytes) -> None:
        """Take answers, each with the number of its packet."""
        now = time.perf_counter()
        *frames, self._rest = (self._rest + data).split(b"\r\n")
        for frame in frames:
            place = frame.find(b"QN=") + 3
            due = self.waiting.pop(frame[place : place + 17], None)
            if due is None or ANSWER not in frame:
                self._bench.refused += 1
            else:
                self._bench.times.append(now - due)


class Bench:
    """All stations, sending evenly."""

    def __init__(self, connections: int, rate: int) -> None:
        """Take how many stations there are and how many packets all of them send a second."""
        self.rate = rate
        self.times: list[float] = []
        self.refused = 0
        self._number = 0
        self.begins = datetime.now(SHANGHAI).replace(microsecond=0) - timedelta(hours=2)
        self.day = datetime.now(SHANGHAI).strftime("%Y%m%d%H%M")[:11].encode()
        random = np.random.default_rng(1)
        self.items = [
            b";".join(
                b"%s-Rtd=%.3f,%s-Flag=N" % (channel.encode(), value, channel.encode())
                for channel, value in zip(CHANNELS, random.normal(7.0, 0.2, len(CHANNELS)), strict=True)
            )
            for _ in range(64)
        ]
        self.stations = [Station(address_of(number), self) for number in range(connections)]

    def next_number(self) -> int:
        """Count packets: the end of each QN."""
        self._number += 1
        return self._number

    async def connect(self, port: int) -> None:
        """Connect all stations."""
        loop = asyncio.get_running_loop()
        for first in range(0, len(self.stations), CONNECTS_AT_ONCE):
            await asyncio.gather(
                *(
                    loop.create_connection(lambda station=station: station, "127.0.0.1", port)  # type: ignore[misc]  # a lambda
                    for station in self.stations[first : first + CONNECTS_AT_ONCE]
                )
            )

    async def warm_up(self) -> None:
        """Have each station send one packet that does not count: a process's very first message takes half a second."""
        for station in self.stations:
            station.send(time.perf_counter())
        async with asyncio.timeout(START_SECONDS):
            await self._answered()
        self.times.clear()

    async def _answered(self) -> None:
        while any(station.waiting for station in self.stations):  # noqa: ASYNC110  # another process answers
            await asyncio.sleep(TICK_SECONDS)

    async def run(self, seconds: float) -> float:
        """Send for so long, then wait for the last answers; answers the seconds from first to last sending."""
        began = time.perf_counter()
        total = int(self.rate * seconds)
        sent = 0
        while sent < total:
            due = min(total, int((time.perf_counter() - began) * self.rate))
            while sent < due:
                self.stations[sent % len(self.stations)].send(began + sent / self.rate)
                sent += 1
            await asyncio.sleep(TICK_SECONDS)
        took = time.perf_counter() - began
        with suppress(TimeoutError):  # the result tells how many are missing
            async with asyncio.timeout(SETTLE_SECONDS):
                await self._answered()
        return took


def address_of(number: int) -> str:
    """Name a station's MN."""
    return f"9901010A21{number:014d}"


def registry_of(connections: int) -> tuple[list[Device], list[Series]]:
    """Describe the stations and their channels, evenly in the townships."""
    devices = [
        Device(
            id=f"bench.{number:05d}",
            name=f"bench {number}",
            area=f"990101{number % TOWNSHIPS + 100:03d}001001",
            source="bench",
            protocol=Protocol.HJ212,
            address=address_of(number),
        )
        for number in range(connections)
    ]
    series = [
        Series(
            id=f"{device.id}.{channel}",
            name=channel,
            quantity=channel,
            unit="mg/L",
            area=device.area,
            category="water-pollution",
            source="bench",
            interval_seconds=1,
            device=device.id,
            channel=channel,
        )
        for device in devices
        for channel in CHANNELS
    ]
    return devices, series


async def measure(
    connections: int, rate: int, seconds: float, say: Say, broker: str | None = None
) -> GatewayResult:
    """Start a broker and one gateway process, connect all stations, send evenly at the rate."""
    _allow_files(connections + 1_000)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fenghuo-")))
        bootstrap = broker
        if bootstrap is None:
            bootstrap = await stack.enter_async_context(embedded_broker(folder))
        port = free_port()
        own = {
            "FENGHUO_BROKER_BOOTSTRAP": bootstrap,
            "FENGHUO_PERSONAL_KEY": b64encode(secrets.token_bytes(32)).decode(),
            "FENGHUO_GATEWAY_PORT": str(free_port()),
            "FENGHUO_DEVICES_HJ212_PORT": str(port),
            "FENGHUO_LOG_LEVEL": "warning",
        }
        settings = load_settings(own)
        await ensure_topics(settings, give_up_seconds=START_SECONDS)
        devices, series = registry_of(connections)
        say(f"{connections:,} stations with {len(series):,} series go into the registry")
        await publish_records(settings, REGISTRY_DEVICES, {one.id: one for one in devices})
        await publish_records(settings, REGISTRY_SERIES, {one.id: one for one in series})
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("FENGHUO_")}
        log = folder / "gateway.log"
        command: list[str | Path] = [sys.executable, "-m", "fenghuo", "gateway"]
        process = await stack.enter_async_context(
            child_process(command, log=log, environment=inherited | own)
        )
        session = await stack.enter_async_context(aiohttp.ClientSession())
        http = settings.gateway.port
        await until_ready(
            "gateway", lambda: is_healthy(session, http), process, log=log, within_seconds=START_SECONDS
        )
        bench = Bench(connections, rate)
        say("All stations connect")
        await bench.connect(port)
        while await _connected(session, http) < connections:  # noqa: ASYNC110  # another process works
            await asyncio.sleep(TICK_SECONDS)
        await bench.warm_up()
        say(f"{rate:,} packets a second for {seconds:g} seconds")
        pid = process.pid
        used = cpu_seconds(pid)
        gc.collect()
        gc.disable()  # the stations' own pauses are not the gateway's
        try:
            took = await bench.run(seconds)
        finally:
            gc.enable()
        times = np.array(bench.times or [float("nan")]) * 1_000
        return GatewayResult(
            connections=connections,
            packets=len(bench.times),
            packets_per_second=round(len(bench.times) / took, 1),
            readings_per_second=round(len(bench.times) * len(CHANNELS) / took),
            unanswered=sum(len(station.waiting) for station in bench.stations),
            refused=bench.refused,
            p50_ms=round(float(np.percentile(times, 50)), 1),
            p99_ms=round(float(np.percentile(times, 99)), 1),
            longest_ms=round(float(times.max()), 1),
            gateway_core_share=round((cpu_seconds(pid) - used) / took, 2),
            gateway_megabytes=megabytes(pid),
            seconds=round(took, 1),
            broker=broker or "embedded",
        )


async def _connected(session: aiohttp.ClientSession, port: int) -> float:
    """Ask the gateway how many stations it has taken: the system lets them in before that."""
    async with session.get(f"http://127.0.0.1:{port}/metrics") as answer:
        text = await answer.text()
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        if family.name == "fenghuo_device_connections"
        for sample in family.samples
    )


def _allow_files(count: int) -> None:
    """Raise our bound on open files as far as we may; children inherit it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(count, 1_024), hard), hard))


def cpu_seconds(pid: int) -> float:
    """Tell the processor time that a process has used; 0 where there is no /proc."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return 0.0
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def megabytes(pid: int) -> float:
    """Tell the memory that a process holds; 0 where there is no /proc."""
    status = Path(f"/proc/{pid}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((round(int(line.split()[1]) / 1024, 1) for line in lines if line.startswith("VmRSS")), 0.0)
