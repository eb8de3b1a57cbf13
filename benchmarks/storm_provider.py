"""The provider of the storm: an HTTP server that says yes to each message, and counts which it got twice."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import msgspec

ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"ok":true}'


class Other(msgspec.Struct):
    """A page that a letter carries besides its first."""

    page: UUID


class Letter(msgspec.Struct):
    """What the provider reads of a message: its pages."""

    page: UUID
    also: tuple[Other, ...] = ()


class Provider:
    """Keeps how often it got each page; a repetition under the same key is dropped, as the contract asks."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._keys: set[bytes] = set()
        self._pages: Counter[UUID] = Counter()

    def take(self, key: bytes, body: bytes) -> None:
        """Take a message."""
        if key in self._keys:
            return
        self._keys.add(key)
        letter = msgspec.json.decode(body, type=Letter)
        self._pages.update([letter.page, *(other.page for other in letter.also)])

    @property
    def letters(self) -> int:
        """How many messages came."""
        return len(self._keys)

    @property
    def pages(self) -> int:
        """How many pages they carried."""
        return self._pages.total()

    @property
    def repeated(self) -> int:
        """How many pages came in more than one message."""
        return sum(count > 1 for count in self._pages.values())


class _Connection(asyncio.Protocol):
    """As much of HTTP/1.1 as one client of ours needs: aiohttp's own server would cost as much as the responder."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._rest = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = transport if isinstance(transport, asyncio.Transport) else None

    def data_received(self, data: bytes) -> None:
        """Answer each whole request."""
        self._rest += data
        while True:
            head, end, rest = self._rest.partition(b"\r\n\r\n")
            fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
            if not end or len(rest) < (size := int(fields[b"content-length"])):
                return
            self._provider.take(fields[b"idempotency-key"], rest[:size])
            self._rest = rest[size:]
            if self._transport is not None:
                self._transport.write(ANSWER)


@asynccontextmanager
async def open_provider(provider: Provider) -> AsyncIterator[str]:
    """Serve a provider on a port of this machine; its address."""
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(provider), "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    finally:
        server.close()
