"""The connection of a simulated station: made when there is something to say, and made again when it was lost."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeVar

from domain.errors import Unavailable

T = TypeVar("T")

Mangle = Callable[[bytes], Sequence[bytes]]
"""Makes pieces of what is sent, wrong ones if need be; they go out one by one."""
APART_SECONDS = 0.01
CONNECT_SECONDS = 10.0
PAUSE_SECONDS = 0.5
ANSWER_SECONDS = 10.0
"""How long an answer may take before a message is sent again."""
PATIENCE_SECONDS = 120.0


class Line(Generic[T]):
    """One connection at a time to one place, and messages that are sent again until they are answered with a T."""

    def __init__(
        self,
        place: tuple[str, int],
        hear: Callable[[bytes], Awaitable[None]],
        lost: Callable[[], None],
        *,
        answer_seconds: float = ANSWER_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
        mangle: Mangle | None = None,
    ) -> None:
        """Take host and port, who hears what comes, and who is told that the connection is gone."""
        self._place = place
        self._hear = hear
        self._lost = lost
        self._answer_seconds = answer_seconds
        self._patience_seconds = patience_seconds
        self._mangle = mangle
        self._waiting: dict[Hashable, asyncio.Future[T | None]] = {}
        self.resent = 0
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

    async def ask(self, key: Hashable, data: bytes, who: str) -> tuple[T, float]:
        """Send a message until `answer` is called with its key; tells the answer and the seconds that the last try took.

        Unavailable, naming `who`, when that takes longer than the patience; several may wait at once.
        """
        loop = asyncio.get_running_loop()
        give_up = loop.time() + self._patience_seconds
        while True:
            began = loop.time()
            waiting = self._waiting[key] = loop.create_future()
            try:
                await self.write(data)
                async with asyncio.timeout(self._answer_seconds):
                    answer = await waiting
                if answer is not None:
                    return answer, loop.time() - began
            except (OSError, TimeoutError):
                pass  # the connection is lost or was never made, or nobody answers: again, while there is patience
            finally:
                self._waiting.pop(key, None)
            if loop.time() + PAUSE_SECONDS >= give_up:
                raise Unavailable(f"A message of {who} was not answered.")
            self.resent += 1
            await asyncio.sleep(PAUSE_SECONDS)

    def answer(self, key: Hashable, answer: T) -> bool:
        """Give a message its answer; False when nobody waits for one."""
        waiting = self._waiting.get(key)
        if waiting is None:
            return False
        if not waiting.done():
            waiting.set_result(answer)
        return True

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
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_result(None)  # whoever waits sends again over another connection
