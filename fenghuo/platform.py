"""A whole platform on this machine: broker and database (embedded, or given), the processes, and a store to steer them."""

import base64
import os
import secrets
import shlex
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from config.settings import Settings, load_settings
from domain.registry import Protocol
from domain.topics import REGISTRY_SERIES, REGISTRY_SOURCES
from fenghuo.embedded import embedded_broker, embedded_postgres, free_port
from fenghuo.embedded_mqtt import mqtt_for_devices
from fenghuo.running import Stage
from fenghuo.supervisor import Supervisor, is_healthy
from fenghuo.topics import ensure_topics
from responders.migrate import migrate
from responders.store import Store
from streams.registry import Registry

START_SECONDS = 90.0
GIVE_UP_SECONDS = 30.0
PARTITIONS = 4
GROUP_SECONDS = "6"
"""The embedded broker makes the first member wait for a rebalance as long as this says."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where a platform listens; None means any free port."""

    gateway: int | None = None
    console: int | None = None
    hj212: int | None = None
    sl651: int | None = None
    mqtt: int | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a platform keeps its things and what it uses; None means embedded, or any free port."""

    folder: Path
    broker: str | None = None
    database: str | None = None
    ports: Ports = field(default_factory=Ports)
    mqtt: bool = False
    """Whether there is an MQTT broker, always embedded, that the gateway subscribes to."""


@dataclass(frozen=True, slots=True)
class Platform:
    """A platform that runs."""

    settings: Settings
    environment: Mapping[str, str]
    store: Store
    supervisor: Supervisor
    session: aiohttp.ClientSession
    folder: Path
    mqtt: str = ""
    """Where devices may publish; empty where there is no MQTT broker."""

    @property
    def gateway(self) -> str:
        """Tell the gateway's address."""
        return f"http://127.0.0.1:{self.settings.gateway.port}"

    def device_port(self, protocol: Protocol) -> int:
        """Tell on which port devices of a protocol connect; KeyError for one that is not spoken over TCP."""
        devices = self.settings.devices
        return {Protocol.HJ212: devices.hj212_port, Protocol.SL651: devices.sl651_port}[protocol] or 0

    @property
    def console(self) -> str:
        """Tell the console's address."""
        return f"http://127.0.0.1:{self.settings.console.port}"

    def write_connection(self, more: Mapping[str, str]) -> Path:
        """Write a shell file with the settings by which another command joins in; it holds secrets, so only we read it."""
        names = ("FENGHUO_BROKER_BOOTSTRAP", "FENGHUO_DATABASE_DSN", "FENGHUO_PERSONAL_KEY")
        values = {name: self.environment[name] for name in names} | dict(more)
        file = (self.folder / "connection.sh").absolute()
        file.touch(mode=0o600)
        file.write_text("".join(f"export {name}={shlex.quote(value)}\n" for name, value in values.items()))
        return file

    async def start_responder(self) -> None:
        """Start the responder, which publishes the registry, and wait until it is healthy."""
        self.supervisor.start(Stage.RESPOND)
        await self._healthy(Stage.RESPOND)

    async def start_rest(self, *, console: bool = True) -> None:
        """Wait until the registry is published as the database has it, then start the others."""
        await self._published()
        stages = [Stage.STREAM, Stage.GATEWAY, *([Stage.CONSOLE] if console else [])]
        for stage in stages:
            self.supervisor.start(stage)
        for stage in stages:
            await self._healthy(stage)

    async def _published(self) -> None:
        series, areas = await self.store.series(), await self.store.areas()

        async with Registry(self.settings.broker, "fenghuo") as registry:

            async def complete() -> bool:
                return len(registry.series) >= len(series) and len(registry.areas) >= len(areas)

            topics = f"{REGISTRY_SERIES.name} and {REGISTRY_SOURCES.name}"
            await self.supervisor.until(complete, f"The registry on {topics}", START_SECONDS)

    async def _healthy(self, stage: Stage) -> None:
        port = {
            Stage.GATEWAY: self.settings.gateway.port,
            Stage.STREAM: self.settings.stream.metrics_port,
            Stage.RESPOND: self.settings.respond.metrics_port,
            Stage.CONSOLE: self.settings.console.port,
        }[stage]
        await self.supervisor.until(
            lambda: is_healthy(self.session, port), f"A healthy {stage} process", START_SECONDS
        )


@asynccontextmanager
async def run_platform(layout: Layout, extra: Mapping[str, str] | None = None) -> AsyncIterator[Platform]:
    """Open broker, database, topics, schema and store; the caller seeds, then starts the processes."""
    layout.folder.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        bootstrap, dsn = layout.broker, layout.database
        if bootstrap is None:
            bootstrap = await stack.enter_async_context(embedded_broker(layout.folder))
        if dsn is None:
            dsn = await stack.enter_async_context(embedded_postgres(layout.folder, fast=True))
        environment = _environment(layout, bootstrap, dsn) | dict(extra or {})
        mqtt = ""
        if layout.mqtt:
            port = layout.ports.mqtt or free_port()
            url = await stack.enter_async_context(mqtt_for_devices(layout.folder, port))
            environment["FENGHUO_MQTT_URL"] = url
            environment["FENGHUO_MQTT_SHARE_GROUP"] = ""  # one gateway; rumqttd breaks down over shared ones
            mqtt = f"mqtt://127.0.0.1:{port}"
        settings = load_settings({k: v for k, v in environment.items() if k.startswith("FENGHUO_")})
        await ensure_topics(settings, give_up_seconds=GIVE_UP_SECONDS)
        await migrate(dsn)
        store = await stack.enter_async_context(Store.open(dsn, 4, give_up_seconds=GIVE_UP_SECONDS))
        session = await stack.enter_async_context(
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60))
        )
        supervisor = await stack.enter_async_context(Supervisor.open(layout.folder, environment))
        yield Platform(settings, environment, store, supervisor, session, layout.folder, mqtt)


def _environment(layout: Layout, bootstrap: str, dsn: str) -> dict[str, str]:
    """Make the processes' environment: ours without its own Fenghuo settings, and what this platform needs."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FENGHUO_")}
    return inherited | {
        "FENGHUO_BROKER_BOOTSTRAP": bootstrap,
        "FENGHUO_BROKER_PARTITIONS": str(PARTITIONS),
        "FENGHUO_BROKER_SESSION_TIMEOUT_SECONDS": GROUP_SECONDS,
        "FENGHUO_BROKER_REBALANCE_TIMEOUT_SECONDS": GROUP_SECONDS,
        "FENGHUO_DATABASE_DSN": dsn,
        "FENGHUO_PERSONAL_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
        "FENGHUO_GATEWAY_PORT": str(layout.ports.gateway or free_port()),
        "FENGHUO_DEVICES_HJ212_PORT": str(layout.ports.hj212 or free_port()),
        "FENGHUO_DEVICES_SL651_PORT": str(layout.ports.sl651 or free_port()),
        "FENGHUO_CONSOLE_PORT": str(layout.ports.console or free_port()),
        "FENGHUO_STREAM_METRICS_PORT": str(free_port()),
        "FENGHUO_RESPOND_METRICS_PORT": str(free_port()),
        "FENGHUO_RESPOND_FILE_PATH": str((layout.folder / "pages.jsonl").absolute()),
        "PYTHONUNBUFFERED": "1",
    }
