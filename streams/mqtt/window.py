"""Messages that are under way: acknowledged in the order in which they came, as MQTT asks."""

import asyncio
import time
from collections import deque
from collections.abc import Callable


class Letter:
    """One message with QoS 1, as long as it is not acknowledged; it may have several parts that are under way."""

    __slots__ = ("came", "mid", "parts", "window")

    def __init__(self, window: "Window", mid: int) -> None:
        """Begin with the one part that whoever opened it must finish."""
        self.window = window
        self.mid = mid
        self.came = time.monotonic()
        self.parts = 1

    def add(self) -> "Letter":
        """Note one part more; `done` must follow for it."""
        self.parts += 1
        return self

    def done(self, well: bool) -> None:
        """Note what became of a part."""
        self.window.done(self, well)


class Window:
    """What one connection has delivered and we have not acknowledged.

    A broker that finds acknowledgements out of order may drop the connection (rumqttd does), so a message waits for those
    before it; none waits longer than the Kafka broker may take for one.
    """

    def __init__(
        self,
        acknowledge: Callable[[int], None],
        fail: Callable[[], None],
        answered: Callable[[float], None],
    ) -> None:
        """Take how to acknowledge, whom to tell that a message could not be written, and who counts the seconds."""
        self._acknowledge = acknowledge
        self._fail = fail
        self._answered = answered
        self._letters: deque[Letter] = deque()
        self._empty = asyncio.Event()
        self._empty.set()
        self._closed = False
        self.acknowledged = 0

    def __len__(self) -> int:
        return len(self._letters)

    def open(self, mid: int) -> Letter:
        """Note a message that came."""
        letter = Letter(self, mid)
        self._letters.append(letter)
        self._empty.clear()
        return letter

    def done(self, letter: Letter, well: bool) -> None:
        """Note what became of a part of a message.

        After the first part that went ill nothing is acknowledged any more: the broker sends it all again on the next
        connection, and what was written twice is one reading by its series and time.
        """
        if self._closed:
            return
        if not well:
            self._closed = True
            self._fail()
            return
        letter.parts -= 1
        now = time.monotonic()
        while self._letters and not self._letters[0].parts:
            first = self._letters.popleft()
            self._acknowledge(first.mid)
            self._answered(now - first.came)
            self.acknowledged += 1
        if not self._letters:
            self._empty.set()

    async def empty(self) -> None:
        """Wait until everything is acknowledged, or the connection is gone."""
        await self._empty.wait()

    def close(self) -> None:
        """Forget what is open: the connection is gone, and late answers mean nothing to the next one."""
        self._closed = True
        self._letters.clear()
        self._empty.set()
