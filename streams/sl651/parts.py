"""Messages in several packets: collected, asked for again where some are missing, given up in the end."""

import asyncio
from typing import Protocol as Shape

from streams.sl651.frames import Frame
from streams.sl651.readings import PICTURE

MOST_BYTES = 64 * 1024
"""Text of a message that is kept until all of it is there. Of a picture only the first packet is kept."""
SILENT_SECONDS = 10.0
"""After so long a silence within a message, the packets that are missing are asked for."""
MOST_ASKED = 3
MOST_ASKED_AT_ONCE = 16


class Parts:
    """What has come of one message."""

    __slots__ = ("_texts", "asked", "first", "has_end", "kept", "size", "total")

    def __init__(self, frame: Frame) -> None:
        """Begin with whichever packet came first; `add` takes it."""
        self.first = frame
        self.total = frame.total
        self.kept = self.size = 0
        self.asked = 0
        self.has_end = False
        self._texts: dict[int, bytes] = {}

    def fits(self, frame: Frame) -> bool:
        """Say whether a packet belongs to this message, as far as packets tell."""
        known = self._texts.get(frame.sequence)
        same = not known or known == frame.text
        return frame.function == self.first.function and frame.total == self.total and same

    def add(self, frame: Frame) -> None:
        """Take a packet, the first time that it comes."""
        if frame.sequence not in self._texts:
            text = frame.text if frame.function != PICTURE or frame.sequence == 1 else b""
            self._texts[frame.sequence] = text
            self.kept += len(text)
            self.size += len(frame.text)
        self.has_end = self.has_end or frame.sequence == self.total

    @property
    def is_whole(self) -> bool:
        """Say whether every packet is there."""
        return len(self._texts) == self.total

    @property
    def serial(self) -> bytes:
        """Tell the message's number, which stands in the first packet; zeros where that is missing."""
        return self._texts.get(1, b"")[:2].ljust(2, b"\0")

    def missing(self) -> list[int]:
        """Name the packets that have not come, the first of them where there are many."""
        wanted = (number for number in range(1, self.total + 1) if number not in self._texts)
        return [number for number, _ in zip(wanted, range(MOST_ASKED_AT_ONCE), strict=False)]

    def text(self) -> bytes:
        """Put the texts together, in order."""
        return b"".join(self._texts[number] for number in sorted(self._texts))


class Hears(Shape):
    """Who is told of messages in packets."""

    def whole(self, frame: Frame, parts: Parts) -> None:
        """Take a message whose last missing packet was `frame`."""

    def ask_again(self, parts: Parts) -> None:
        """Ask the station for the packets that are missing."""

    def give_up(self, parts: Parts, reason: str, sentence: str) -> None:
        """Hear that a message will not become whole."""


class Collector:
    """Collects the message that a station is sending; there is one at a time."""

    def __init__(self, hears: Hears) -> None:
        """Take who is told."""
        self._hears = hears
        self._parts: Parts | None = None
        self._timer: asyncio.TimerHandle | None = None

    def take(self, frame: Frame) -> None:
        """Take a packet whose number lies within its total."""
        if self._parts is not None and not self._parts.fits(frame):
            self._give_up("incomplete", "were not all there when another message began")
        parts = self._parts = self._parts or Parts(frame)
        parts.add(frame)
        if parts.kept > MOST_BYTES:
            self._give_up("too-long", f"hold more than {MOST_BYTES} bytes")
        elif parts.is_whole:
            self.drop()
            self._hears.whole(frame, parts)
        elif parts.has_end and not parts.asked:
            self._ask()
        else:
            self._wait()

    def drop(self) -> None:
        """Forget the message."""
        self._parts = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ask(self) -> None:
        """Ask for what is missing, a few times; then wait for the station to begin anew."""
        parts = self._parts
        if parts is None:
            return
        if parts.asked == MOST_ASKED:
            self._give_up("incomplete", f"were not all there after {MOST_ASKED} requests")
            return
        parts.asked += 1
        self._hears.ask_again(parts)
        self._wait()

    def _wait(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(SILENT_SECONDS, self._ask)

    def _give_up(self, reason: str, sentence: str) -> None:
        parts = self._parts
        self.drop()
        if parts is not None:
            self._hears.give_up(parts, reason, sentence)
