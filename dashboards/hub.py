"""Writes changes to all live browsers: one task reads what changed and writes to every client itself.

A task and a queue per client collapse under a few thousand clients, so there is one loop. Changes are gathered for a tick
and read once for everybody, with the accounts that watch as they are now; each is encoded once, and written to the clients
whose account and session may see it (responders/live.py decides). Each client remembers the last change it was sent; frames
carry change ids, so a browser that reconnects with Last-Event-ID gets what it missed, no more and no less. Whoever cannot
keep up gets one `resync` instead of a backlog.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from typing import NamedTuple

import msgspec
import structlog
from aiohttp import ClientConnectionResetError, web

from dashboards.keys import Door
from dashboards.metrics import LIVE_CLIENTS, LIVE_FRAMES
from domain.areas import covers
from domain.errors import NotAllowed, Unavailable
from responders.live import News, Sight, Telling, newest_of, telling_of
from responders.store import Store
from responders.views import Viewer

log = structlog.get_logger()

TICK_SECONDS = 0.1
"""How long changes are gathered: far below what a person notices, far above what a burst of commits needs."""
HEARTBEAT_SECONDS = 15.0
STREAM_SECONDS = 600.0
"""A stream ends after this and the browser comes back at once: then its session is checked anew."""
CATCH_UP = 500
"""Changes sent to somebody who was away; beyond that reading the page anew is cheaper."""
BACKLOG_BYTES = 32 * 1024
"""Below aiohttp's own limit (64 KiB), so that writing to a slow client never makes the others wait."""
CHUNK_BYTES = 16 * 1024
RETRY_SECONDS = 1.0
RELIEF_SECONDS = 1.0
"""How often we look whether somebody who was behind can take a resync."""


def frame(event: str, data: object, number: int | None = None) -> bytes:
    """Encode a server-sent event."""
    head = f"id: {number}\n" if number is not None else ""
    return f"{head}event: {event}\ndata: ".encode() + msgspec.json.encode(data) + b"\n\n"


class Frame(NamedTuple):
    """An encoded event with the id of the change that it tells."""

    number: int
    kind: str
    data: bytes


def chunks(frames: Iterable[Frame]) -> Iterator[tuple[int, bytes]]:
    """Join frames to writes of a handy size, each with the id of its last change."""
    joined, number = b"", 0
    for one in frames:
        if joined and len(joined) + len(one.data) > CHUNK_BYTES:
            yield number, joined
            joined = b""
        joined, number = joined + one.data, one.number
    if joined:
        yield number, joined


@dataclass(eq=False, slots=True)
class Client:
    """One browser that follows; `last` is the newest change it was sent, `behind` says that it owes a resync."""

    response: web.StreamResponse
    transport: asyncio.Transport
    viewer: Viewer
    session: str
    last: int
    behind: bool = False
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def backlog(self) -> int:
        """Count the bytes that the network has not taken yet."""
        return self.transport.get_write_buffer_size()

    async def write(self, data: bytes) -> None:
        """Write, or notice that nobody is there any more."""
        try:
            await self.response.write(data)
        except (ClientConnectionResetError, ConnectionError):
            self.gone.set()


class Hub:
    """All live clients."""

    def __init__(self, door: Door) -> None:
        """Serve the store behind the door."""
        self._door = door
        self._clients: set[Client] = set()
        self._told = 0
        self._present: set[Client] = set()
        self._writing = asyncio.Lock()
        self._news = asyncio.Event()
        self.newest = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Hub"]:
        """Listen, write and beat until left; then end all streams."""
        tasks = [asyncio.create_task(work()) for work in (self._listen, self._write, self._beat)]
        try:
            yield self
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self.end_streams()

    def end_streams(self, session: str | None = None) -> None:
        """End the streams of a session (signed out), or all."""
        for client in self._present:
            if session is None or client.session == session:
                client.gone.set()

    async def follow(self, client: Client, *, fresh: bool) -> None:
        """Send a client what it missed and everything from then on, until it goes or its time is over.

        `fresh` clients bring no change id and start with the present.
        """
        store = self._door.opened()
        self._present.add(client)
        LIVE_CLIENTS.inc()
        try:
            async with self._writing:  # no tick between the catch-up and joining the others
                newest = await store.newest_change()
                if not self._clients:
                    self._told = newest
                await self._clock_to([client], store)
                if fresh:
                    client.last = newest
                elif client.last != newest:  # after a lost connection most have missed nothing
                    await self._catch_up(client, store)
                self._clients.add(client)
            with suppress(TimeoutError):
                await asyncio.wait_for(client.gone.wait(), STREAM_SECONDS)
        finally:
            LIVE_CLIENTS.dec()
            self._present.discard(client)
            self._clients.discard(client)

    async def _catch_up(self, client: Client, store: Store) -> None:
        """Send what a client missed, at most so much as is cheaper than reading its page anew."""
        sight = (await self._sights([client], store)).get(client)
        if sight is None:
            raise NotAllowed
        oldest, newest = await store.oldest_change(), await store.newest_change()
        missed = await store.live.missed(client.viewer, client.last, CATCH_UP)
        if client.last > newest or client.last < oldest - 1 or len(missed) >= CATCH_UP:
            await self._resync(client, newest)
        else:
            await self._send([client], self._frames(newest_of(missed), sight, {}))

    async def _listen(self) -> None:
        """Note each new change; the store reconnects by itself."""
        while True:
            try:
                async for number in self._door.opened().listen():
                    self.newest = max(self.newest, number)
                    self._news.set()
            except Unavailable:
                pass  # the writer says so once
            await asyncio.sleep(RETRY_SECONDS)

    async def _write(self) -> None:
        """Write what is new to everybody, tick by tick."""
        lost = False
        while True:
            await self._news.wait()
            await asyncio.sleep(TICK_SECONDS)
            self._news.clear()
            try:
                async with self._writing:
                    await self._tick(self._door.opened())
                if lost:
                    log.info("live_events_back")
                lost = False
            except Unavailable:
                if not lost:
                    log.warning("live_events_lost", reason="database away")
                lost = True
                self._news.set()
                await asyncio.sleep(RETRY_SECONDS)
            except Exception:  # a worker's outermost loop: one bad row must not silence all screens
                log.exception("live_tick_failed")
                await asyncio.sleep(RETRY_SECONDS)

    async def _tick(self, store: Store) -> None:
        """Tell everybody what is new; more than one tick's worth is told in the next, at once."""
        clients = self._all()
        if not clients:
            return
        news = await store.live.news(self._told, CATCH_UP)
        if not news:
            return
        groups: dict[Sight, list[Client]] = {}
        for client, sight in (await self._sights(clients, store)).items():
            groups.setdefault(sight, []).append(client)
        told, encoded = newest_of(news), dict[tuple[int, Telling], bytes]()
        for sight, group in groups.items():
            if frames := self._frames(told, sight, encoded):
                await self._send(group, frames)
        self._told = news[-1].change.id
        if len(news) >= CATCH_UP:
            self._news.set()

    async def _sights(self, clients: list[Client], store: Store) -> dict[Client, Sight]:
        """Find what each client may see: its account's area now, or the narrower one of its session or token.

        Whoever's account was disabled while it was watching is sent away.
        """
        watchers = await store.live.watchers({client.viewer.user for client in clients})
        found = {}
        for client in clients:
            if (watcher := watchers.get(client.viewer.user)) is None:
                client.gone.set()
                continue
            own = client.viewer.area
            narrower = covers(watcher.sight.area, own) and own != watcher.sight.area
            found[client] = Sight(own, watcher.sight.cases) if narrower else watcher.sight
        return found

    def _frames(
        self, news: list[News], sight: Sight, encoded: dict[tuple[int, Telling], bytes]
    ) -> list[Frame]:
        """Encode what somebody is told of; each change is encoded once per tick, whoever looks."""
        frames = []
        for one in news:
            telling = telling_of(one, sight)
            if telling is Telling.NOT_MINE:
                continue
            name = one.change.id, telling
            if name not in encoded:
                encoded[name] = _encode(one, telling)
            kind = "gone" if telling is Telling.GONE else one.change.kind
            frames.append(Frame(one.change.id, kind, encoded[name]))
        return frames

    async def _send(self, clients: list[Client], frames: list[Frame]) -> None:
        for client in clients:
            for number, data in chunks([one for one in frames if one.number > client.last]):
                client.behind = client.behind or client.backlog + len(data) > BACKLOG_BYTES
                if client.behind:
                    break
                client.last = number
                await client.write(data)
            if client.behind and client.backlog == 0:
                await self._resync(client, frames[-1].number)
        for one in frames:
            LIVE_FRAMES.labels(one.kind).inc(len(clients))

    async def _resync(self, client: Client, newest: int) -> None:
        """Tell a client to read its page anew."""
        client.last, client.behind = newest, False
        await client.write(frame("resync", {}, newest))
        LIVE_FRAMES.labels("resync").inc()

    async def _beat(self) -> None:
        """Tell county time every 15 s of it, so that a page knows how new its news is; relieve the slow."""
        next_at = monotonic()
        while True:
            try:
                if monotonic() >= next_at:
                    next_at = monotonic() + HEARTBEAT_SECONDS
                    if clients := self._all():
                        factor = await self._clock_to(clients, self._door.opened())
                        next_at = monotonic() + HEARTBEAT_SECONDS / max(factor, 1.0)
            except Unavailable:
                log.debug("beat_skipped")  # silence is the message: the lamp on the page goes out
            async with self._writing:
                for client in self._all():
                    if client.behind and client.backlog == 0:
                        await self._resync(client, client.last)
            await asyncio.sleep(RELIEF_SECONDS)

    async def _clock_to(self, clients: list[Client], store: Store) -> float:
        """Tell county time; answers how fast it passes."""
        clock = await store.clock()
        data = frame("clock", clock_now(clock.at(datetime.now(UTC)), clock.factor))
        for client in clients:
            if client.backlog + len(data) <= BACKLOG_BYTES:
                await client.write(data)
        return clock.factor

    def _all(self) -> list[Client]:
        return [client for client in self._clients if not client.gone.is_set()]


def _encode(news: News, telling: Telling) -> bytes:
    change = news.change
    if telling is Telling.GONE:
        return frame("gone", {"ref": change.ref}, change.id)
    return frame(change.kind, {"ref": change.ref} if news.row is None else news.row, change.id)


def clock_now(now: datetime, factor: float) -> dict[str, float]:
    """Tell a page what time it is in the county (Unix milliseconds) and how fast it passes."""
    return {"county": now.timestamp() * 1000, "factor": factor}
