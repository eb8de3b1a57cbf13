"""Frames of SL 651-2014 in HEX/BCD form: found in a stream of bytes, and written.

A frame is `7E7E`, the addresses (1 byte of the centre, 5 of the station; downwards the station comes first), 2 bytes of
password, 1 of function, 4 bits of direction and 12 of length, a start character, so many bytes of text, an end character
and a checksum. In a message of several packets the text begins with 12 bits of their total and 12 of their number.
"""

from dataclasses import dataclass, field
from enum import IntEnum

from domain.errors import Fault, InvalidInput
from streams.devices.framing import Garbage
from streams.sl651.checksum import checksum

SOH = b"\x7e\x7e"
HEAD = 14
"""Bytes from the first 7E to the start character."""
TAIL = 3
MOST_TEXT = 0xFFF
NUMBERED = 3
"""Bytes of total and number at the beginning of a packet's text."""
MOST_PACKETS = 0xFFF
UP, DOWN = 0x0, 0x8
FILL = b"\x00\n\r\x7e"
"""Between frames these mean nothing: lines end with them, modems and some loggers put them there."""


class Start(IntEnum):
    """The character before the text."""

    STX = 0x02  # one packet
    SYN = 0x16  # one of several, confirmed together


class End(IntEnum):
    """The character after the text: what the sender expects, or grants."""

    ETX = 0x03  # up: nothing follows
    EOT = 0x04  # down: taken, you may leave
    ENQ = 0x05  # down: a question or an order
    ACK = 0x06  # down: taken, go on
    NAK = 0x15  # down: send this packet again
    ETB = 0x17  # up: more follows
    ESC = 0x1B  # down: taken, stay on the line


STARTS = frozenset(Start)
ENDS = {True: frozenset({End.ETX, End.ETB}), False: frozenset(End) - {End.ETX, End.ETB}}
"""Which ends go up, which down. Only what we write keeps to it: a published sample of a logger ends an answer with ENQ."""
ALL_ENDS = frozenset(End)
TAKEN = frozenset({End.EOT, End.ESC, End.ACK})
"""Ends of a confirmation: the centre has what was sent."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame whose checksum is right.

    `station` has ten hexadecimal digits in upper case: `00` and the eight of a hydrological station, or six of the
    administrative division and four that are a number of their own. `password` has four. `text` is what stands between
    start and end, without `total` and `sequence`; those are 0 in a frame that is not numbered. `raw` is how it came.
    """

    up: bool
    centre: int
    station: str
    password: str
    function: int
    text: bytes
    start: Start = Start.STX
    end: End = End.ETX
    total: int = 0
    sequence: int = 0
    raw: bytes = field(default=b"", compare=False)

    def __repr__(self) -> str:
        way = "up" if self.up else "down"
        return f"Frame({self.station} {self.function:02X} {way} {len(self.text)} bytes {self.end.name})"


def encode_frame(frame: Frame) -> bytes:
    """Write a frame; InvalidInput with every field that does not fit."""
    faults = []
    station, password = _unhex(frame.station, 5), _unhex(frame.password, 2)
    if station is None:
        faults.append(Fault("station", "must be ten hexadecimal digits"))
    if password is None:
        faults.append(Fault("password", "must be four hexadecimal digits"))
    faults.extend(
        Fault(name, "must be a byte")
        for name, value in (("centre", frame.centre), ("function", frame.function))
        if not 0 <= value <= 0xFF
    )
    if frame.end not in ENDS[frame.up]:
        faults.append(Fault("end", f"{frame.end.name} does not go {'up' if frame.up else 'down'}"))
    if frame.start is Start.SYN and not 1 <= frame.sequence <= frame.total <= MOST_PACKETS:
        faults.append(Fault("sequence", "must lie between 1 and total, and total must not exceed 4095"))
    if frame.start is Start.STX and (frame.sequence or frame.total):
        faults.append(Fault("sequence", "belongs to a frame that begins with SYN"))
    number = (frame.total << 12 | frame.sequence) if not faults else 0
    text = (number.to_bytes(NUMBERED, "big") if frame.start is Start.SYN else b"") + frame.text
    if len(text) > MOST_TEXT:
        faults.append(Fault("text", f"has {len(text)} bytes, {MOST_TEXT} is the most"))
    if faults or station is None or password is None:
        raise InvalidInput(faults)
    centre = bytes([frame.centre])
    flag = (UP if frame.up else DOWN) << 12 | len(text)
    head = SOH + (centre + station if frame.up else station + centre) + password
    whole = (
        head
        + bytes([frame.function])
        + flag.to_bytes(2, "big")
        + bytes([frame.start])
        + text
        + bytes([frame.end])
    )
    return whole + checksum(whole).to_bytes(2, "big")


class Framer:
    """Finds frames in the bytes of one connection.

    Holds at most one unfinished frame, which is as long as its 12 bits say. What is no frame comes out as garbage, and the
    search goes on inside it at the next 7E7E. Bytes are looked at once while a frame is awaited; only the checksum of a
    wrong frame is counted in vain, at most one per 14 bytes that come.
    """

    __slots__ = ("_buffer", "_wanted")

    def __init__(self) -> None:
        """Begin with nothing."""
        self._buffer = bytearray()
        self._wanted = 0

    @property
    def pending(self) -> int:
        """Count the bytes of a frame that has begun and not ended."""
        return len(self._buffer) if self._buffer.startswith(SOH) else 0

    def feed(self, data: bytes) -> list[Frame | Garbage]:
        """Take bytes; answer what is complete, in order.

        Reasons of garbage: `noise` (no 7E7E), `head` (no direction or start that there is), `end` (no end character where
        the length says), `length` (too short for its total and number) and `crc`.
        """
        self._buffer += data
        found: list[Frame | Garbage] = []
        if len(self._buffer) < self._wanted:
            return found
        place = 0
        while True:
            begin = self._buffer.find(SOH, place)
            stop = begin if begin >= 0 else self._last(place, len(self._buffer))
            _tell(found, self._buffer[place:stop], "noise")
            place = stop
            if begin < 0:
                self._wanted = 0
                break
            size, reason = self._measure(place)
            if not reason and len(self._buffer) - place < size:
                self._wanted = size
                break
            frame = reason or self._open(place, size)
            if isinstance(frame, Frame):
                found.append(frame)
                place += size
            else:
                stop = self._buffer.find(SOH, place + 1, place + size)
                stop = stop if stop >= 0 else self._last(place + 1, place + size)
                _tell(found, self._buffer[place:stop], frame)
                place = stop
        del self._buffer[:place]
        return found

    def _last(self, place: int, stop: int) -> int:
        """Keep a last 7E, which may be the first half of a beginning."""
        return stop - 1 if stop > place and self._buffer[stop - 1] == SOH[0] else stop

    def _measure(self, place: int) -> tuple[int, str]:
        """Tell how long a frame is, as far as is known, and why it cannot be one."""
        if len(self._buffer) - place < HEAD:
            return HEAD, ""
        flag, low, start = self._buffer[place + 11 : place + HEAD]
        if flag >> 4 not in (UP, DOWN) or start not in STARTS:
            return HEAD, "head"
        length = (flag & 0xF) << 8 | low
        if start == Start.SYN and length < NUMBERED:
            return HEAD, "length"
        return HEAD + length + TAIL, ""

    def _open(self, place: int, size: int) -> Frame | str:
        """Read a whole frame; a reason where it is none."""
        raw = bytes(self._buffer[place : place + size])
        up = raw[11] >> 4 == UP
        if raw[-TAIL] not in ALL_ENDS:
            return "end"
        if checksum(raw[:-2]) != int.from_bytes(raw[-2:], "big"):
            return "crc"
        start, text = Start(raw[13]), raw[HEAD:-TAIL]
        number = int.from_bytes(text[:NUMBERED], "big") if start is Start.SYN else 0
        return Frame(
            up=up,
            centre=raw[2] if up else raw[7],
            station=(raw[3:8] if up else raw[2:7]).hex().upper(),
            password=raw[8:10].hex().upper(),
            function=raw[10],
            text=text[NUMBERED:] if start is Start.SYN else text,
            start=start,
            end=End(raw[-TAIL]),
            total=number >> 12,
            sequence=number & 0xFFF,
            raw=raw,
        )


def _tell(found: list[Frame | Garbage], data: bytearray, reason: str) -> None:
    """Report garbage, unless it is mere fill."""
    if data.strip(FILL):
        found.append(Garbage(bytes(data), reason))


def _unhex(digits: str, count: int) -> bytes | None:
    """Read so many bytes of hexadecimal digits, and nothing else."""
    if len(digits) != 2 * count or not all(digit in "0123456789abcdefABCDEF" for digit in digits):
        return None
    return bytes.fromhex(digits)
