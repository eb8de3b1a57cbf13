"""Frames of HJ 212 in a stream of bytes: `##`, four digits of length, the data segment, four of check code, CR LF.

Found again after anything: what stands between frames, frames that lack bytes, and lengths that lie. Whatever the bytes
are, each is looked at a fixed number of times and at most `MAX_FRAME` of them are kept.
"""

import re
from typing import NamedTuple

from domain.errors import Fault, InvalidInput
from streams.devices.framing import Garbage
from streams.hj212.crc import crc16

__all__ = ["Frame", "Framer", "crc16", "encode_frame", "looks_encrypted", "wrap"]

MAX_SEGMENT = 1_024
"""Longest data segment that the standard allows; longer ones are taken with the note `long`, up to what four digits say."""
MAX_FRAME = 2 + 4 + 9_999 + 4 + 2
MIN_FRAME = 24
"""Shorter pieces between two heads are noise, not a frame that lacks something: no frame has room there."""
NOISE_BYTES = 1_024
"""Noise is told in pieces of this size, or when a frame begins."""

HEAD = re.compile(rb"##(\d{4})")
CODE = re.compile(rb"[0-9A-Fa-f]{4}")
ENDING = re.compile(rb"&&([0-9A-Fa-f]{4})")
EVENT = re.compile(rb"&&([0-9A-Fa-f]{4})[\r\n]|##\d{4}")
"""Where a frame is over, whatever its length says: its check code and a line end, or the head of the next one."""
EVENT_BYTES = 7
PART_OF_HEAD = re.compile(rb"(?:##\d{0,3}|#)\Z")
VERSION_2025 = re.compile(rb"(?:^|;)Flag=(?:8|9|10|11);")
PRINTED = b"{0x"
BLOCK = 16
PRINTABLE = re.compile(rb"[ -~]{16}")


class Frame(NamedTuple):
    """One frame: its data segment, what was odd about it, and the check code that came with it.

    Notes: `length` (the length was wrong, the rest right), `long` (over MAX_SEGMENT), `encrypted` (the check code is that
    of the plain text and was not looked at: see `sm4.open_frame`).
    """

    segment: bytes
    notes: tuple[str, ...] = ()
    crc: int = 0


class Framer:
    """Finds frames in bytes that come in pieces; how they are cut makes no difference.

    The first of these ends a frame: its length is up and `&&` and a check code stand there; `&&`, a check code and a line
    end; the head of another frame. So a frame that lies about its length hides none behind it, at the price that no
    segment may hold `##` and four digits. Garbage is `noise` (bytes outside of frames), `length` (no end where one should
    be) or `crc` (the check code is wrong). Line ends between frames may lack, or be many.
    """

    def __init__(self) -> None:
        """Begin with nothing received."""
        self._rest = b""
        self._looked = 0
        self._noise = bytearray()

    @property
    def pending(self) -> int:
        """Count the bytes of a frame whose end has not come."""
        return len(self._rest)

    def feed(self, data: bytes) -> list[Frame | Garbage]:
        """Take bytes as they come, and tell what is complete now."""
        buffer = self._rest + data if self._rest else bytes(data)
        found: list[Frame | Garbage] = []
        at = 0
        while True:
            head = HEAD.match(buffer, at)
            if head is None:
                head = HEAD.search(buffer, at)
                end = head.start() if head else _start_of_head(buffer, at)
                self._hear_noise(buffer[at:end], found)
                at = end
                if head is None:
                    self._looked = 0
                    break
            looked, self._looked = self._looked, 0
            item, after = self._decide(buffer, at, int(head[1]), looked)
            if item is None and after == at:
                self._looked = max(0, len(buffer) - at - EVENT_BYTES)
                break
            if item is None:
                self._hear_noise(buffer[at:after], found)
            else:
                if self._noise:
                    self._tell_noise(found)
                found.append(item)
            at = after
        self._rest = buffer[at:]
        return found

    def finish(self) -> list[Garbage]:
        """Tell what is left when no more bytes come."""
        found: list[Frame | Garbage] = []
        self._tell_noise(found)
        rest, self._rest = self._rest, b""
        left = [item for item in found if isinstance(item, Garbage)]
        return [*left, Garbage(rest, "unfinished")] if rest else left

    def _decide(
        self, buffer: bytes, at: int, declared: int, looked: int
    ) -> tuple[Frame | Garbage | None, int]:
        """Tell what begins at `at`, and where it is over; None is noise, or at `at` itself that more bytes are needed."""
        start = at + 6
        end = start + declared
        limit = end + 4
        whole = limit <= len(buffer) and buffer[end - 2 : end] == b"&&" and declared > 1
        if whole:  # nothing can have ended it before its length is up: the common case, and quick
            segment = buffer[start:end]
            if b"##" not in segment and b"\r" not in segment and b"\n" not in segment:
                sent = buffer[end:limit]
                crc = crc16(segment)
                if sent.upper() == b"%04X" % crc and segment.isascii():
                    return Frame(segment, _length_notes(segment), crc), limit
                if CODE.fullmatch(sent):
                    return _judge(segment, int(sent, 16), buffer[at:limit]), limit
        event = EVENT.search(buffer, max(start, at + looked), at + MAX_FRAME)
        if whole and (event is None or event.end() > limit) and CODE.match(buffer, end):
            return _judge(buffer[start:end], int(buffer[end:limit], 16), buffer[at:limit]), limit
        if event is None:
            if len(buffer) - at < MAX_FRAME:
                return None, at
            after = at + MAX_FRAME - 5  # a head may begin in the last bytes
            return Garbage(buffer[at:after], "length"), after
        place = event.start()
        if event[1] is None:  # the head of another frame
            place = max(start, place - 6)
            event = ENDING.fullmatch(buffer, place, event.start()) or event
        if event[1] is None:
            after = event.start()
            return (Garbage(buffer[at:after], "length") if after - at >= MIN_FRAME else None), after
        segment, code = buffer[start : place + 2], int(event[1], 16)
        if crc16(segment) == code:
            return Frame(segment, (*_length_notes(segment), "length"), code), place + 6
        return Garbage(buffer[at : place + 6], "length"), place + 6

    def _hear_noise(self, data: bytes, found: list[Frame | Garbage]) -> None:
        self._noise += data
        while len(self._noise) >= NOISE_BYTES:
            self._tell_noise(found)

    def _tell_noise(self, found: list[Frame | Garbage]) -> None:
        """Tell a piece of noise; line ends alone are none."""
        if noise := bytes(self._noise[:NOISE_BYTES].strip(b"\r\n")):
            found.append(Garbage(noise, "noise"))
        del self._noise[:NOISE_BYTES]


def encode_frame(segment: bytes) -> bytes:
    """Put a data segment into a frame; InvalidInput when it is longer than the standard allows."""
    if len(segment) > MAX_SEGMENT:
        raise InvalidInput(
            [Fault("segment", f"is {len(segment)} bytes long, at most {MAX_SEGMENT} are allowed")]
        )
    return wrap(segment, crc16(segment))


def wrap(segment: bytes, crc: int) -> bytes:
    """Put a data segment into a frame with a check code that may be that of another text."""
    return b"##%04d%b%04X\r\n" % (len(segment), segment, crc)


def looks_encrypted(segment: bytes) -> bool:
    """Say whether a segment of HJ 212-2025 holds an encrypted CP: its first block is not text, or printed as `{0x…`.

    A CP shorter than a block is never encrypted. By chance, 16 encrypted bytes are all printable once in ten million.
    """
    begin = segment.find(b"CP=&&") + 5
    if begin < 5 or not VERSION_2025.search(segment, 0, begin):
        return False
    if segment.startswith(PRINTED, begin):
        return True
    return len(segment) - 2 - begin >= BLOCK and not PRINTABLE.match(segment, begin)


def _judge(segment: bytes, code: int, whole: bytes) -> Frame | Garbage:
    """Tell what a segment of the right length is."""
    right = crc16(segment) == code
    if right and segment.isascii():
        return Frame(segment, _length_notes(segment), code)
    if looks_encrypted(segment):
        return Frame(segment, (*_length_notes(segment), "encrypted"), code)
    return Frame(segment, _length_notes(segment), code) if right else Garbage(whole, "crc")


def _length_notes(segment: bytes) -> tuple[str, ...]:
    return ("long",) if len(segment) > MAX_SEGMENT else ()


def _start_of_head(buffer: bytes, at: int) -> int:
    """Find where the last bytes may be the beginning of a head; the end when they are not."""
    part = PART_OF_HEAD.search(buffer, max(at, len(buffer) - 5))
    return part.start() if part else len(buffer)
