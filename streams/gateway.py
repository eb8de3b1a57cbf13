"""The gateway: every feed by which input comes in, opened together and closed in order."""

import asyncio
import gc
import os
import socket
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

import structlog

from config.data import Data
from config.personal import read_key
from config.settings import Settings
from domain.codec import encode, headers_for
from domain.findings import Heartbeat
from domain.registry import Protocol
from domain.topics import HEARTBEATS
from streams.cap.feeds import Feeds
from streams.cap.folder import Folder
from streams.cap.inlet import CapInlet
from streams.devices.commands import Commands
from streams.devices.intake import DeviceIntake
from streams.devices.tcp import DeviceServer
from streams.gateway_access import Buckets
from streams.gateway_http import HttpDoor
from streams.gateway_packer import Packer
from streams.gateway_readings import Catalog
from streams.gateway_refusals import STAGE, Refusals
from streams.gateway_texts import Desk
from streams.hj212.session import hj212_server
from streams.mqtt.subscriber import Subscriber
from streams.places import Places
from streams.producer import Message, Writer, repeat
from streams.registry import Registry
from streams.sl651.server import open_sl651

log = structlog.get_logger(__name__)

HEARTBEAT_SECONDS = 5.0
GARBAGE_THRESHOLD = (20_000, 20, 50)
"""As in `gc.set_threshold`; Python's own is (700, 10, 10)."""


class Gateway:
    """One gateway; takes input while the context is open."""

    def __init__(self, settings: Settings, data: Data) -> None:
        """Take checked settings and data; InvalidConfiguration when the personal key is not usable."""
        gateway, sealer = settings.gateway, read_key(settings.personal_key)
        self._registry = Registry(settings.broker, STAGE)
        self._writer = Writer(settings.broker, gateway.send_timeout_seconds)
        catalog = Catalog(self._registry)
        self._packer = Packer(
            self._writer,
            catalog,
            partitions=settings.broker.partitions,
            pack_readings=gateway.pack_readings,
            linger_seconds=gateway.linger_milliseconds / 1_000,
            max_bytes=settings.broker.max_message_bytes,
        )
        desk = Desk(settings, data, self._registry, sealer, Places(self._registry))
        buckets = Buckets()
        refusals = Refusals(self._writer, self._registry, sealer, buckets)
        cap = CapInlet(settings.cap, data, self._registry, desk, self._writer, refusals)
        self._instance = f"{socket.gethostname()}:{os.getpid()}"
        self.devices = DeviceIntake(
            settings, self._registry, catalog, self._packer, self._writer, sealer, self._instance
        )
        self._mqtt = self._subscriber(settings, data) if settings.mqtt.url else None
        self._servers = self._device_servers(settings, data)
        self._http = HttpDoor(
            gateway,
            self._registry,
            self._writer,
            catalog,
            self._packer,
            desk,
            buckets,
            refusals,
            cap,
            self._other_feeds,
        )
        self._feeds: list[AbstractAsyncContextManager[object]] = [
            Feeds(settings.cap, cap, self._registry, refusals),
            Folder(settings.cap, cap, self._registry, refusals),
            self.devices,
            Commands(settings.broker, self.devices, self._writer, self._instance),
            *([] if self._mqtt is None else [self._mqtt]),
            *self._servers.values(),
            self._http,
        ]
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Start to listen; `port` tells where."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._registry)
            await stack.enter_async_context(self._writer)
            beat = asyncio.create_task(self._beat(), name="heartbeat")
            stack.callback(beat.cancel)
            stack.push_async_callback(self._packer.flush)
            for feed in self._feeds:
                await stack.enter_async_context(feed)
            self._stack = stack.pop_all()
        log.info("gateway_listening", port=self.port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop accepting, answer what is under way, send what is packed, leave."""
        await self._stack.aclose()
        log.info("gateway_stopped")

    async def knows_registry(self) -> None:
        """Wait until the registry has been read."""
        await self._registry.ready()

    @property
    def port(self) -> int:
        """Tell where HTTP is listened for."""
        return self._http.port

    @property
    def hj212_port(self) -> int:
        """Tell where environmental stations connect; KeyError where none may."""
        return self._servers[Protocol.HJ212].port

    @property
    def sl651_port(self) -> int:
        """Tell where hydrological stations connect; KeyError where none may."""
        return self._servers[Protocol.SL651].port

    def _device_servers(self, settings: Settings, data: Data) -> dict[Protocol, DeviceServer]:
        """Make what devices connect to, for each protocol that has a port."""
        servers = {}
        if settings.devices.hj212_port is not None:
            servers[Protocol.HJ212] = hj212_server(settings.devices, self.devices, self._is_busy)
        if settings.devices.sl651_port is not None:
            servers[Protocol.SL651] = open_sl651(settings.devices, self.devices, data.elements, self._is_busy)
        return servers

    def _is_busy(self) -> bool:
        """Say whether devices must wait: who they are is not known yet, or the broker does not keep up."""
        return not self._registry.is_ready or self.devices.is_congested

    def _subscriber(self, settings: Settings, data: Data) -> Subscriber:
        return Subscriber(
            settings.mqtt,
            data.routes,
            self._registry,
            self._writer,
            self.devices,
            port=settings.gateway.port,
            patience_seconds=settings.gateway.send_timeout_seconds + 1,
        )

    def _other_feeds(self) -> dict[str, bool]:
        """Tell which feeds that come by themselves are there."""
        return {} if self._mqtt is None else {"mqtt": self._mqtt.is_connected}

    async def _beat(self) -> None:
        """Give signs of life, by wall time, as soon as there is somebody to hear them."""
        await self._registry.ready()
        await self._writer.ready()
        await repeat(HEARTBEAT_SECONDS, self._send_heartbeat)

    async def _send_heartbeat(self) -> None:
        beat = Heartbeat(component=STAGE, instance=self._instance, at=datetime.now(UTC))
        await self._writer.write(
            [Message(HEARTBEATS.name, self._instance.encode(), encode(beat), headers_for(HEARTBEATS))]
        )


async def run_gateway(settings: Settings, data: Data, stopping: asyncio.Event) -> None:
    """Run a gateway until `stopping` is set; InvalidConfiguration when it cannot start."""
    async with Gateway(settings, data) as gateway:
        freezing = asyncio.create_task(_freeze(gateway), name="freeze")
        await stopping.wait()
        freezing.cancel()


async def _freeze(gateway: Gateway) -> None:
    """Keep Python from looking through the registry again and again: that would hold up answers for 100 ms.

    What is left is looked through seldom: little of what a gateway makes refers to itself, and looking took 4 % of a core.
    """
    await gateway.knows_registry()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLD)
