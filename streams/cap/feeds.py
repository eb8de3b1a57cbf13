"""Feeds of official warnings: looked at again and again, each message taken once, failures borne with longer pauses."""

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

import aiohttp
import structlog
from yarl import URL

from config.settings import CapSettings
from domain.cap import read_time
from domain.errors import BrokerUnavailable, Fault, FenghuoError, InvalidConfiguration, InvalidInput
from domain.levels import Feed
from domain.registry import Source
from streams.cap.document import MAX_BYTES
from streams.cap.entries import MAX_FEED_BYTES, Entry, read_entries
from streams.cap.inlet import CapInlet
from streams.cap.metrics import CAP_FEED_FAILURES, CAP_FEED_READ
from streams.gateway_problems import Reason, Refused
from streams.gateway_refusals import Refusals
from streams.registry import Registry

log = structlog.get_logger(__name__)

MOST_PAUSE_SECONDS = 900.0
MOST_TRIES = 3
"""Of a message whose link does not answer; then it is let go, and the feed counts as read."""
REMEMBERED = 10_000
"""Entries per feed that are known to have been taken."""
OK, NOT_MODIFIED = 200, 304
_SENT = re.compile(rb"<(?:[A-Za-z_][\w.-]{0,20}:)?sent>\s*([0-9T:.+\-Z]{1,40})\s*<")


class FeedFailed(FenghuoError):
    """A feed or one of its messages could not be read."""

    def __init__(self, reason: str, detail: str) -> None:
        """Take the reason from a closed set, for the count, and what to tell the operator."""
        super().__init__(detail)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Address:
    """Where a feed is, and in whose name it is read."""

    url: URL
    source: str


def addresses_of(settings: CapSettings) -> tuple[Address, ...]:
    """Read the feeds' addresses from the settings, `URL` or `SOURCE URL`; InvalidConfiguration names each that is none."""
    found, faults = [], []
    for number, text in enumerate(settings.feeds):
        words = text.split()
        source, text_url = words if len(words) == 2 else (settings.source, text.strip())
        try:
            url = URL(text_url)
        except ValueError:
            url = URL()
        if url.scheme not in ("http", "https") or not url.host or len(words) > 2:
            faults.append(
                Fault(f"cap.feeds[{number}]", "must be an http or https address, or SOURCE and address")
            )
        found.append(Address(url, source))
    if faults:
        raise InvalidConfiguration(faults)
    return tuple(found)


@dataclass
class State:
    """What is remembered of one feed: how it was marked last, what was taken, and what failed how often."""

    etag: str = ""
    modified: str = ""
    taken: OrderedDict[str, None] = field(default_factory=OrderedDict)
    tries: dict[str, int] = field(default_factory=dict)

    def take(self, mark: str) -> None:
        """Remember an entry."""
        self.taken[mark] = None
        self.tries.pop(mark, None)
        while len(self.taken) > REMEMBERED:
            self.taken.popitem(last=False)


class Feeds:
    """Looks at all feeds while the context is open."""

    def __init__(
        self, settings: CapSettings, inlet: CapInlet, registry: Registry, refusals: Refusals
    ) -> None:
        """Take the settings and where messages go; InvalidConfiguration when an address is none."""
        self._settings = settings
        self._inlet = inlet
        self._registry = registry
        self._refusals = refusals
        self._addresses = addresses_of(settings)
        self._stack = AsyncExitStack()
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Begin to look; returns at once."""
        if not self._addresses:
            return self
        async with AsyncExitStack() as stack:
            timeout = aiohttp.ClientTimeout(total=self._settings.timeout_seconds)
            self._session = await stack.enter_async_context(
                aiohttp.ClientSession(timeout=timeout, auto_decompress=False, trust_env=True)
            )
            tasks = [
                asyncio.create_task(self._follow(address), name="cap_feed") for address in self._addresses
            ]
            stack.push_async_callback(_end, tasks)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def _follow(self, address: Address) -> None:
        """Look at one feed for ever; after a failure after twice the time, at most a quarter of an hour."""
        await self._registry.ready()
        state, failures, host = State(), 0, address.url.host or ""
        while True:
            try:
                await self.look(address, state)
            except (FeedFailed, BrokerUnavailable) as error:
                failures += 1
                reason = error.reason if isinstance(error, FeedFailed) else "broker-away"
                CAP_FEED_FAILURES.labels(host, reason).inc()
                if failures == 1:
                    log.warning("cap_feed_lost", host=host, reason=reason, detail=str(error))
            except Exception as error:  # noqa: BLE001  the outermost loop: a feed must be looked at again
                failures += 1
                CAP_FEED_FAILURES.labels(host, "failed").inc()
                log.error("cap_feed_failed", host=host, error=type(error).__name__)
            else:
                if failures:
                    log.info("cap_feed_is_back", host=host)
                failures = 0
                CAP_FEED_READ.labels(host).set(time.time())
            pause = self._settings.poll_seconds * 2 ** min(failures, 20)
            await asyncio.sleep(min(pause, max(MOST_PAUSE_SECONDS, self._settings.poll_seconds)))

    async def look(self, address: Address, state: State) -> None:
        """Look once: take what is new, oldest first; FeedFailed or BrokerUnavailable when that could not be done."""
        source = self._source(address.source)
        headers = {"If-None-Match": state.etag, "If-Modified-Since": state.modified}
        answer = await self._get(
            address.url, MAX_FEED_BYTES, {name: value for name, value in headers.items() if value}
        )
        if answer is None:
            return
        body, etag, modified = answer
        try:
            entries = await asyncio.to_thread(read_entries, body, str(address.url))
        except InvalidInput as error:
            raise FeedFailed("no-feed", str(error)) from error
        new = [entry for entry in entries if not entry.mark or entry.mark not in state.taken]
        failed = await self._take(new, address, source, state)
        if failed is not None:
            raise failed
        state.etag, state.modified = etag, modified  # all of it was taken: only now may it go unread

    async def _take(
        self, entries: Iterable[Entry], address: Address, source: Source, state: State
    ) -> FeedFailed | None:
        """Fetch and take entries; the last failure comes back, after the others have been taken."""
        failed: FeedFailed | None = None
        messages: list[tuple[datetime, Entry, bytes]] = []
        for entry in entries:
            try:
                body = entry.message or await self._fetch(entry.link, address)
            except FeedFailed as error:
                state.tries[entry.mark] = state.tries.get(entry.mark, 0) + 1
                if state.tries[entry.mark] >= MOST_TRIES:
                    log.warning("cap_message_let_go", host=address.url.host, detail=str(error))
                    state.take(entry.mark)
                else:
                    failed = error
            else:
                messages.append((_sent(body), entry, body))
        for _, entry, body in sorted(messages, key=lambda message: message[0]):
            try:
                await self._inlet.accept(body, source, "feed")
            except Refused as refused:
                if (
                    refused.reason is not Reason.FORBIDDEN
                ):  # a nation's feed is full of what lies elsewhere: counted
                    await self._refusals.answer(refused, Feed.BULLETINS, source)
            if entry.mark:
                state.take(entry.mark)
        return failed

    async def _fetch(self, link: str, address: Address) -> bytes:
        """Fetch a message; a feed must not send us anywhere else than the operator said."""
        try:
            url = URL(link)
        except ValueError as error:
            raise FeedFailed("bad-link", "an entry's link is no address") from error
        if url.scheme not in ("http", "https") or (
            url.origin() != address.url.origin() and url.host not in self._settings.hosts
        ):
            raise FeedFailed("foreign-link", f"an entry leads to {url.host}, which is not in cap.hosts")
        answer = await self._get(url, MAX_BYTES, {})
        return answer[0] if answer else b""

    async def _get(self, url: URL, max_bytes: int, headers: dict[str, str]) -> tuple[bytes, str, str] | None:
        """Get a document with its ETag and Last-Modified; None when it has not changed since."""
        if self._session is None:
            raise FeedFailed("closed", "feeds are not being read")
        asked = {"Accept-Encoding": "identity", **headers}
        try:
            async with self._session.get(url, headers=asked, allow_redirects=False) as response:
                if response.status == NOT_MODIFIED:
                    return None
                if response.status != OK:
                    moved = response.headers.get("Location", "")
                    raise FeedFailed(
                        "status",
                        f"{url.host} answers {response.status}" + (f", it moved to {moved}" if moved else ""),
                    )
                if response.headers.get("Content-Encoding", "identity") != "identity":
                    raise FeedFailed("encoding", f"{url.host} compresses although it was asked not to")
                body = bytearray()
                async for chunk in response.content.iter_chunked(65_536):
                    body += chunk
                    if len(body) > max_bytes:
                        raise FeedFailed("too-large", f"{url.host} sends more than {max_bytes} bytes")
                return (
                    bytes(body),
                    response.headers.get("ETag", ""),
                    response.headers.get("Last-Modified", ""),
                )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise FeedFailed("away", f"{url.host} does not answer: {type(error).__name__}") from error

    def _source(self, slug: str) -> Source:
        """Find the source in whose name a feed is read; its area bounds what is taken."""
        source = next((one for one in self._registry.sources.values() if one.slug == slug), None)
        if source is None or Feed.BULLETINS not in source.feeds:
            raise FeedFailed("no-source", f"there is no source {slug} that may send bulletins")
        return source


def _sent(body: bytes) -> datetime:
    """Look up when a message was sent, for the order alone; what cannot be read comes first and is refused."""
    found = _SENT.search(body)
    try:
        return read_time(found[1].decode())[0] if found else datetime.min.replace(tzinfo=UTC)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
