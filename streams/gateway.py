"""The HTTP gateway: takes feeds in, and answers 202 when the broker has them on disk."""

import asyncio
import gc
import os
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial
from traceback import extract_tb
from types import TracebackType
from typing import Any, Self

import msgspec
import structlog
from aiohttp import hdrs, web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from config.data import Data
from config.metrics import HTTP_REQUESTS, INPUTS, OUTPUTS
from config.settings import Settings
from domain.codec import encode, headers_for
from domain.errors import BrokerUnavailable, Fault, InvalidConfiguration
from domain.findings import Heartbeat
from domain.levels import Feed
from domain.registry import Protocol, Source
from domain.topics import BULLETINS, HEARTBEATS, READINGS, REPORTS, TICKETS
from streams.cap.feeds import Feeds
from streams.cap.folder import Folder
from streams.cap.inlet import CONTENT_TYPES, PUSHED, CapInlet
from streams.devices.commands import Commands
from streams.devices.intake import DeviceIntake
from streams.devices.tcp import DeviceServer
from streams.gateway_access import Buckets, authenticate, permit
from streams.gateway_body import Room, body_of, has_lines
from streams.gateway_idempotency import Answers
from streams.gateway_packer import Packer
from streams.gateway_problems import Reason, Refused, problem, retry_after
from streams.gateway_readings import Catalog, parse_readings
from streams.gateway_refusals import STAGE, Refusals
from streams.gateway_texts import Desk
from streams.hj212.session import hj212_server
from streams.mqtt.subscriber import Subscriber
from streams.packing import micros
from streams.personal import read_key
from streams.places import Places
from streams.producer import Message, Writer, repeat
from streams.registry import Registry
from streams.sl651.server import open_sl651

log = structlog.get_logger(__name__)

HEARTBEAT_SECONDS = 5.0
GARBAGE_THRESHOLD = (20_000, 20, 50)
"""As in `gc.set_threshold`; Python's own is (700, 10, 10)."""
RETRY_SECONDS = 2.0
BODIES_AT_ONCE = 16
"""Bodies of the greatest size that may lie in memory together."""
TOPIC_OF = {
    Feed.READINGS: READINGS,
    Feed.TICKETS: TICKETS,
    Feed.REPORTS: REPORTS,
    Feed.BULLETINS: BULLETINS,
}
ROUTES = {f"/v1/{feed}": feed for feed in Feed}
SOURCE = web.RequestKey("source", Source)
ITEMS = web.RequestKey("items", int)
BYTES = web.RequestKey("bytes", int)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Gateway:
    """One gateway; listens while the context is open, and answers 503 until registry and broker are there."""

    def __init__(self, settings: Settings, data: Data) -> None:
        """Take checked settings and data; InvalidConfiguration when the personal key is not usable."""
        self._settings = settings.gateway
        self._sealer = read_key(settings.personal_key)
        self._registry = Registry(settings.broker, STAGE)
        self._writer = Writer(settings.broker, self._settings.send_timeout_seconds)
        self._catalog = Catalog(self._registry)
        self._packer = Packer(
            self._writer,
            self._catalog,
            pack_readings=self._settings.pack_readings,
            linger_seconds=self._settings.linger_milliseconds / 1_000,
            max_bytes=settings.broker.max_message_bytes,
        )
        self._desk = Desk(settings, data, self._registry, self._sealer, Places(self._registry))
        self._buckets = Buckets()
        self._answers = Answers()
        self._refusals = Refusals(self._writer, self._registry, self._sealer, self._buckets)
        self._cap = CapInlet(settings.cap, data, self._registry, self._desk, self._writer, self._refusals)
        self._feeds = Feeds(settings.cap, self._cap, self._registry, self._refusals)
        self._folder = Folder(settings.cap, self._cap, self._registry, self._refusals)
        self._room = Room(BODIES_AT_ONCE * self._settings.max_body_bytes)
        self._instance = f"{socket.gethostname()}:{os.getpid()}"
        self.devices = DeviceIntake(
            settings,
            self._registry,
            self._catalog,
            self._packer,
            self._writer,
            self._sealer,
            self._instance,
        )
        self._commands = Commands(settings.broker, self.devices, self._writer, self._instance)
        self._mqtt = self._subscriber(settings, data) if settings.mqtt.url else None
        self._servers = self._device_servers(settings, data)
        self._stack = AsyncExitStack()
        self.port = 0

    async def __aenter__(self) -> Self:
        """Start to listen; `port` tells where."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._registry)
            await stack.enter_async_context(self._writer)
            beat = asyncio.create_task(self._beat(), name="heartbeat")
            stack.callback(beat.cancel)
            stack.push_async_callback(self._packer.flush)
            await stack.enter_async_context(self._feeds)
            await stack.enter_async_context(self._folder)
            await stack.enter_async_context(self.devices)
            await stack.enter_async_context(self._commands)
            if self._mqtt is not None:
                await stack.enter_async_context(self._mqtt)
            for server in self._servers.values():
                await stack.enter_async_context(server)
            runner = web.AppRunner(
                self._application(),
                access_log=None,
                auto_decompress=False,  # the limit on decompressed bytes is ours
                lingering_time=2.0,
                shutdown_timeout=self._settings.send_timeout_seconds + 1,
            )
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            site = web.TCPSite(runner, self._settings.host, self._settings.port)
            try:
                await site.start()
            except OSError as error:
                fault = Fault("gateway.port", f"cannot listen on {self._settings.host}: {error.strerror}")
                raise InvalidConfiguration([fault]) from error
            self.port = runner.addresses[0][1]
            self._stack = stack.pop_all()
        log.info("gateway_listening", host=self._settings.host, port=self.port)
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

    def _application(self) -> web.Application:
        application = web.Application(middlewares=[self._observe])
        application.router.add_get("/healthz", self._health)
        application.router.add_get("/metrics", _metrics)
        for route in ROUTES:
            application.router.add_post(route, self._take)
        return application

    @web.middleware
    async def _observe(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Turn refusals into problem documents, count and log each request; never its token or body."""
        started = time.perf_counter()
        try:
            response = await handler(request)
        except Refused as refused:
            response = await self._refusals.answer(refused, ROUTES.get(request.path), request.get(SOURCE))
            request[ITEMS] = refused.count
        except web.HTTPNotFound:
            response = problem(
                Refused(Reason.NOT_FOUND, "see /v1/readings, /v1/tickets, /v1/reports, /v1/bulletins")
            )
        except web.HTTPMethodNotAllowed as error:
            allow = {"Allow": ", ".join(sorted(error.allowed_methods))}
            response = problem(Refused(Reason.METHOD, "this address takes another method", headers=allow))
        except Exception as error:  # noqa: BLE001  # the outermost loop of a request: the next must find us alive
            # Places alone: the error's own words, or local variables, could quote what somebody sent.
            where = [f"{frame.filename}:{frame.lineno}" for frame in extract_tb(error.__traceback__)[-5:]]
            log.error("request_failed", route=_route(request), error=type(error).__name__, where=where)
            response = problem(Refused(Reason.FAILED, "the fault is on our side and has been logged"))
        HTTP_REQUESTS.labels(_route(request), str(response.status)).inc()
        if request.path in ROUTES:
            log.info(
                "request",
                method=request.method,
                route=_route(request),
                status=response.status,
                source=request[SOURCE].slug if SOURCE in request else "",
                items=request.get(ITEMS, 0),
                bytes=request.get(BYTES, 0),
                milliseconds=round((time.perf_counter() - started) * 1_000, 1),
            )
        return response

    async def _health(self, request: web.Request) -> web.Response:
        """Say whether input can be accepted now; MQTT is shown, but its absence is no reason to refuse the other feeds."""
        parts = {"registry": self._registry.is_ready, "broker": self._writer.is_ready}
        ready = all(parts.values())
        if self._mqtt is not None:
            parts["mqtt"] = self._mqtt.is_connected
        body = msgspec.json.encode({"ready": ready, **parts})
        return web.Response(body=body, status=200 if ready else 503, content_type="application/json")

    async def _take(self, request: web.Request) -> web.Response:
        """Take a body of one of the feeds, answer 202 when all of it is on the broker's disk."""
        feed = ROUTES[request.path]
        if not self._registry.is_ready:
            raise _away()
        source = authenticate(request, self._registry)
        request[SOURCE] = source
        permit(source, feed)
        if not self._writer.is_ready:
            raise _away()
        self._buckets.check(source)
        lines = not _is_cap(request, feed) and has_lines(request)
        try:
            async with body_of(
                request, self._room, self._settings.max_body_bytes, self._settings.body_timeout_seconds
            ) as body:
                request[BYTES] = len(body)
                return await self._answer(request, feed, source, body, lines=lines)
        except BrokerUnavailable as error:
            raise _away(request.get(ITEMS, 1)) from error

    async def _answer(
        self, request: web.Request, feed: Feed, source: Source, body: bytearray, *, lines: bool
    ) -> web.Response:
        """Answer a request, the same again for the same idempotency key."""
        key = request.headers.get("Idempotency-Key")
        name = (source.slug, str(feed), key or "")
        if key is not None and (known := self._answers.recall(name, body)):
            return _accepted(known, replayed=True)
        try:
            answer = msgspec.json.encode(await self._accept(request, feed, source, body, lines=lines))
        except BaseException:
            self._answers.forget(name)
            raise
        self._answers.remember(name, answer)
        return _accepted(answer)

    async def _accept(
        self, request: web.Request, feed: Feed, source: Source, body: bytearray, *, lines: bool
    ) -> dict[str, Any]:
        now = self._registry.clock.now()
        if feed is Feed.READINGS:
            received = micros(now)
            columns = parse_readings(body, self._catalog, source, received, self._settings, lines=lines)
            self._charge(request, source, feed, len(columns))
            await self._packer.add(columns, received)
            answer: dict[str, Any] = {"accepted": len(columns), "noted": columns.noted}
        elif _is_cap(request, feed):
            charge = partial(self._charge, request, source, feed)
            answer = (await self._cap.accept(bytes(body), source, PUSHED, charge)).answer
        else:
            accepted = self._desk.take(feed, body, source, now, lines=lines)
            self._charge(request, source, feed, len(accepted.ids))
            await self._writer.write(accepted.messages)
            answer = {"accepted": len(accepted.ids), "ids": accepted.ids, "noted": accepted.noted}
        OUTPUTS.labels(STAGE, TOPIC_OF[feed].name).inc(answer["accepted"])
        return answer

    def _charge(self, request: web.Request, source: Source, feed: Feed, items: int) -> None:
        request[ITEMS] = items
        self._buckets.take(source, items)
        INPUTS.labels(STAGE, feed).inc(items)

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


async def _metrics(request: web.Request) -> web.Response:
    return web.Response(body=generate_latest(), headers={hdrs.CONTENT_TYPE: CONTENT_TYPE_LATEST})


def _is_cap(request: web.Request, feed: Feed) -> bool:
    """Say by the content type whether the body is a CAP message; such come as bulletins only."""
    return feed is Feed.BULLETINS and request.content_type.lower() in CONTENT_TYPES


def _route(request: web.Request) -> str:
    """Name the route, one word for all unknown addresses: they would fill the metrics."""
    resource = request.match_info.route.resource
    return resource.canonical if resource else "other"


def _accepted(answer: bytes, *, replayed: bool = False) -> web.Response:
    headers = {"Idempotency-Replayed": "true"} if replayed else {}
    return web.Response(body=answer, status=202, content_type="application/json", headers=headers)


def _away(items: int = 1) -> Refused:
    headers = retry_after(RETRY_SECONDS)
    return Refused(Reason.AWAY, "the broker does not answer", headers=headers, count=items)
