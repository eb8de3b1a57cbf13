"""Devices over TCP: connections with bounds of number, time and memory; what is said on them is a session's business."""

import asyncio
import time
from collections.abc import Callable
from types import TracebackType
from typing import Protocol as Shape
from typing import Self, cast

import structlog

from config.metrics import REJECTED
from config.settings import DeviceSettings
from domain.errors import Fault, InvalidConfiguration
from domain.registry import Protocol
from streams.gateway_refusals import STAGE
from streams.metrics import DEVICE_CONNECTIONS

log = structlog.get_logger(__name__)

SWEEP_SECONDS = 1.0
MOST_UNANSWERED = 16
"""Packets of one connection that may be under way to the broker; then it is not read until some are answered."""
MOST_UNREAD_BYTES = 64 * 1024
"""Answers that a device does not read; beyond, it is not read either."""


class Session(Shape):
    """What a protocol makes of one connection. Nothing here may wait."""

    def received(self, data: bytes) -> None:
        """Take bytes as they come."""

    def closed(self) -> None:
        """Hear that the connection is gone."""

    @property
    def pending(self) -> int:
        """Count the bytes of a frame whose end has not come."""


class Link(asyncio.Protocol):
    """One connection, as its session sees it."""

    def __init__(self, server: "DeviceServer") -> None:
        """Belong to a server."""
        self._server = server
        self._transport: asyncio.Transport | None = None
        self._session: Session | None = None
        self._unanswered = 0
        self._choked = False
        self._paused = False
        self.peer = ""
        self.heard = self.unfinished_since = self.choked_since = 0.0

    def write(self, data: bytes) -> None:
        """Send bytes, unless the connection is gone."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def close(self, reason: str) -> None:
        """Cut the connection off; `reason` is a slug that is counted and logged."""
        if self._transport is not None and not self._transport.is_closing():
            REJECTED.labels(STAGE, str(self._server.protocol), reason).inc()
            log.info("device_cut_off", protocol=str(self._server.protocol), peer=self.peer, reason=reason)
            self._transport.abort()

    def end(self) -> None:
        """Close in good order: what was written still goes out."""
        if self._transport is not None:
            self._transport.close()

    def hold(self) -> None:
        """Note that a packet is under way to the broker; `release` follows when it is known what became of it."""
        self._unanswered += 1
        if self._unanswered == MOST_UNANSWERED:
            self._pace()

    def release(self) -> None:
        """Note that a packet is answered, or never will be."""
        self._unanswered -= 1
        if self._paused:
            self._pace()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin a session, or close at once where there are too many."""
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self.peer = f"{peer[0]}:{peer[1]}" if peer else ""
        self.heard = time.monotonic()
        if len(self._server.links) >= self._server.settings.max_connections:
            self.close("too-many-connections")
            return
        self._transport.set_write_buffer_limits(MOST_UNREAD_BYTES)
        self._server.links.add(self)
        self._server.count()
        self._session = self._server.make_session(self)
        self._pace()  # devices wait until their registry is known

    def data_received(self, data: bytes) -> None:
        """Pass bytes on."""
        self.heard = time.monotonic()
        if self._session is None:
            return
        unfinished = self._session.pending + len(data)
        self._session.received(data)
        if not self._session.pending:
            self.unfinished_since = 0.0
        elif self._session.pending < unfinished or not self.unfinished_since:
            self.unfinished_since = self.heard  # a frame ended, and another began
        if self._server.is_congested():
            self._pace()

    def pause_writing(self) -> None:
        """Stop reading from a device that does not read our answers."""
        self._choked, self.choked_since = True, time.monotonic()
        self._pace()

    def resume_writing(self) -> None:
        """Read again."""
        self._choked, self.choked_since = False, 0.0
        self._pace()

    def connection_lost(self, error: Exception | None) -> None:
        """End the session."""
        self._server.links.discard(self)
        self._server.count()
        if self._session is not None:
            self._session.closed()
            self._session = None

    def sweep(self, now: float) -> None:
        """Cut off who does not finish a frame, does not read, or says nothing; read again after congestion."""
        settings = self._server.settings
        if self.unfinished_since and now - self.unfinished_since > settings.frame_seconds:
            self.close("unfinished-frame")
        elif self.choked_since and now - self.choked_since > settings.frame_seconds:
            self.close("answers-not-read")
        elif now - self.heard > settings.idle_seconds:
            self.close("idle")
        else:
            self._pace()

    def _pace(self) -> None:
        """Read or do not read, as the state of things asks."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        wanted = self._choked or self._unanswered >= MOST_UNANSWERED or self._server.is_congested()
        if wanted and not self._paused:
            transport.pause_reading()
        elif self._paused and not wanted:
            transport.resume_reading()
        self._paused = wanted


class DeviceServer:
    """Listens for devices of one protocol while the context is open; `port` tells where."""

    def __init__(
        self,
        settings: DeviceSettings,
        protocol: Protocol,
        port: int,
        make_session: Callable[[Link], Session],
        is_congested: Callable[[], bool],
    ) -> None:
        """Take the bounds, where to listen, what to make of a connection, and whether the broker keeps up."""
        self.settings = settings
        self.protocol = protocol
        self.port = port
        self.make_session = make_session
        self.is_congested = is_congested
        self.links: set[Link] = set()
        self._server: asyncio.Server | None = None
        self._sweeper: asyncio.Task[None] | None = None
        self._gauge = DEVICE_CONNECTIONS.labels(str(protocol))

    async def __aenter__(self) -> Self:
        """Listen; InvalidConfiguration when the port cannot be had."""
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(
                lambda: Link(self), self.settings.host, self.port, backlog=1_024
            )
        except OSError as error:
            place = f"devices.{self.protocol}_port"
            fault = Fault(place, f"cannot listen on {self.settings.host}: {error.strerror}")
            raise InvalidConfiguration([fault]) from error
        self.port = self._server.sockets[0].getsockname()[1]
        self._sweeper = asyncio.create_task(self._sweep(), name=f"{self.protocol}_sweeper")
        log.info("devices_may_connect", protocol=str(self.protocol), host=self.settings.host, port=self.port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening and end all connections; devices send again what was not answered."""
        if self._server is not None:
            self._server.close()
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.gather(self._sweeper, return_exceptions=True)
        for link in list(self.links):
            link.end()
        if self._server is not None:
            await self._server.wait_closed()

    def count(self) -> None:
        """Show how many are connected."""
        self._gauge.set(len(self.links))

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(min(SWEEP_SECONDS, self.settings.frame_seconds / 4))
            now = time.monotonic()
            for link in list(self.links):
                link.sweep(now)
