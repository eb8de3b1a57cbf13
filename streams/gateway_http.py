"""The gateway's HTTP door: takes bodies of the four feeds, and answers 202 when the broker has them on disk."""

import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from functools import partial
from traceback import extract_tb
from types import TracebackType
from typing import Any, Self

import msgspec
import structlog
from aiohttp import hdrs, web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from config.metrics import HTTP_REQUESTS, INPUTS, OUTPUTS
from config.settings import GatewaySettings
from domain.errors import BrokerUnavailable, Fault, InvalidConfiguration
from domain.levels import Feed
from domain.registry import Source
from domain.topics import BULLETINS, READINGS, REPORTS, TICKETS
from streams.cap.inlet import CONTENT_TYPES, PUSHED, CapInlet
from streams.gateway_access import Buckets, authenticate, permit
from streams.gateway_body import Room, body_of, has_lines
from streams.gateway_idempotency import Answers
from streams.gateway_packer import Packer
from streams.gateway_problems import Reason, Refused, problem, retry_after
from streams.gateway_readings import Catalog, parse_readings
from streams.gateway_refusals import STAGE, Refusals
from streams.gateway_texts import Desk
from streams.packing import micros
from streams.producer import Writer
from streams.registry import Registry

log = structlog.get_logger(__name__)

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


class HttpDoor:
    """Listens while the context is open; `port` tells where. Answers 503 until registry and broker are there."""

    def __init__(
        self,
        settings: GatewaySettings,
        registry: Registry,
        writer: Writer,
        catalog: Catalog,
        packer: Packer,
        desk: Desk,
        buckets: Buckets,
        refusals: Refusals,
        cap: CapInlet,
        others: Callable[[], Mapping[str, bool]],
    ) -> None:
        """Take what the gateway has made; `others` tells of feeds that are shown in /healthz and decide nothing there."""
        self._settings = settings
        self._registry = registry
        self._writer = writer
        self._catalog = catalog
        self._packer = packer
        self._desk = desk
        self._buckets = buckets
        self._answers = Answers()
        self._refusals = refusals
        self._cap = cap
        self._others = others
        self._room = Room(BODIES_AT_ONCE * settings.max_body_bytes)
        self._stack = AsyncExitStack()
        self.port = 0

    async def __aenter__(self) -> Self:
        """Start to listen."""
        async with AsyncExitStack() as stack:
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
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop accepting, and answer what is under way."""
        await self._stack.aclose()

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
        """Say whether input can be accepted now; another feed's absence is shown, and no reason to refuse these."""
        parts = {"registry": self._registry.is_ready, "broker": self._writer.is_ready}
        ready = all(parts.values())
        body = msgspec.json.encode({"ready": ready, **parts, **self._others()})
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
