"""The connection of a simulated station: made when there is something to say, and made again when it was lost."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

Mangle = Callable[[bytes], Sequence[bytes]]
"""Makes pieces of what is sent, wrong ones if need be; they go out one by one."""
APART_SECONDS = 0.01
CONNECT_SECONDS = 10.0


class Line:
    """One connection at a time to one place."""

    def __init__(
        self,
        place: tuple[str, int],
        hear: Callable[[bytes], Awaitable[None]],
        lost: Callable[[], None],
        mangle: Mangle | None = None,
    ) -> None:
        """Take host and port, who hears what comes, and who is told that the connection is gone."""
        self._place = place
        self._hear = hear
        self._lost = lost
        self._mangle = mangle
        self._writer: asyncio.StreamWriter | None = None
        self._listener: asyncio.Task[None] | None = None
        self._connecting = asyncio.Lock()

    async def write(self, data: bytes) -> None:
        """Send bytes; OSError or TimeoutError when there is no connection."""
        writer = await self._connect()
        for number, piece in enumerate(self._mangle(data) if self._mangle else (data,)):
            if number:
                await asyncio.sleep(APART_SECONDS)  # so that it leaves by itself
            writer.write(piece)
            await writer.drain()

    async def close(self) -> None:
        """End the connection."""
        if self._listener is not None:
            self._listener.cancel()
            await asyncio.gather(self._listener, return_exceptions=True)
        self._drop()

    async def _connect(self) -> asyncio.StreamWriter:
        async with self._connecting:
            if self._writer is None:
                async with asyncio.timeout(CONNECT_SECONDS):
                    reader, self._writer = await asyncio.open_connection(*self._place)
                self._listener = asyncio.create_task(self._listen(reader), name="station")
            return self._writer

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        try:
            while data := await reader.read(4_096):
                await self._hear(data)
        except OSError:
            pass  # whoever waits hears of it below
        finally:
            self._drop()

    def _drop(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        self._lost()
