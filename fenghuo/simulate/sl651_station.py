"""A simulated hydrological station: reports over TCP as SL 651 wants it, waits for confirmations, answers questions."""

from collections.abc import Mapping
from datetime import datetime
from types import TracebackType
from typing import Self

from config.hydrology import Element
from fenghuo.simulate.line import ANSWER_SECONDS, PATIENCE_SECONDS, Line, Mangle
from fenghuo.simulate.sl651_texts import report_text, station_guide, time_guide
from streams.sl651.elements import write_time
from streams.sl651.frames import TAKEN, End, Frame, Framer, Start, encode_frame
from streams.sl651.readings import GET_DATA, HEARTBEAT, PICTURE, TIMED

PACKET_BYTES = 1_000


class Sl651Station:
    """One station; connects when it has something to say, and again when the connection is lost.

    Values are given under the identifiers of elements, such as `39`; None is sent as missing. Several reports may be
    waiting for their confirmations at once.
    """

    def __init__(
        self,
        host: str,
        port: int,
        address: str,
        elements: Mapping[str, Element],
        *,
        password: str = "0000",  # noqa: S107  # what loggers leave the factory with
        kind: str = "H",
        centre: int = 1,
        confirm_seconds: float = ANSWER_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
        mangle: Mangle | None = None,
    ) -> None:
        """Take where the gateway listens, ten digits of address, and the table of elements."""
        self.address = address
        self._elements = elements
        self._password = password
        self._kind = kind
        self._centre = centre
        self._line: Line[Frame] = Line(
            (host, port),
            self._take,
            self._lost,
            answer_seconds=confirm_seconds,
            patience_seconds=patience_seconds,
            mangle=mangle,
        )
        self._framer = Framer()
        self._packets: dict[int, list[bytes]] = {}
        self._serial = 0
        self._last: tuple[datetime, Mapping[str, float | None]] | None = None
        self.questions: list[int] = []

    async def __aenter__(self) -> Self:
        """Connect when there is something to say."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End the connection; reports that wait are not confirmed any more."""
        await self._line.close()

    async def report(
        self,
        at: datetime,
        values: Mapping[str, float | None],
        *,
        function: int = TIMED,
        sent: datetime | None = None,
        before: bytes = b"",
    ) -> float:
        """Send values observed at a time, and wait until the gateway confirms them; answers how many seconds that took.

        `sent` is the station's clock, `at` unless told otherwise; `before` a text that goes before the values. Sends again
        until confirmed. Unavailable when that takes longer than the station's patience.
        """
        text = station_guide(self.address, self._kind) + before
        if values:
            text += report_text(at, values, self._elements)
        self._last = (at, values)
        return await self.send(function, text, sent or at)

    async def send(self, function: int, text: bytes, sent: datetime) -> float:
        """Send a text of any function, in packets where it is long, until it is confirmed."""
        self._serial = self._serial % 0xFFFF + 1
        serial = self._serial
        whole = serial.to_bytes(2, "big") + write_time(sent, seconds=True) + text
        frames = self._frames(function, whole)
        self._packets[function] = frames
        _, seconds = await self._line.ask((function, serial), b"".join(frames), f"station {self.address}")
        return seconds

    async def heartbeat(self, at: datetime) -> None:
        """Send a heartbeat, which nobody answers; OSError when there is no connection."""
        self._serial = self._serial % 0xFFFF + 1
        text = self._serial.to_bytes(2, "big") + write_time(at, seconds=True)
        await self._line.write(encode_frame(self._frame(HEARTBEAT, text)))

    async def picture(self, at: datetime, picture: bytes) -> float:
        """Send a picture in packets; answers how many seconds the confirmation took."""
        text = station_guide(self.address, self._kind) + time_guide(at) + b"\xf3\xf3" + picture
        return await self.send(PICTURE, text, at)

    def _frames(self, function: int, text: bytes) -> list[bytes]:
        pieces = [text[place : place + PACKET_BYTES] for place in range(0, len(text), PACKET_BYTES)]
        if len(pieces) == 1:
            return [encode_frame(self._frame(function, text))]
        return [
            encode_frame(self._frame(function, piece, number, len(pieces)))
            for number, piece in enumerate(pieces, 1)
        ]

    def _frame(self, function: int, text: bytes, number: int = 0, total: int = 0) -> Frame:
        return Frame(
            up=True,
            centre=self._centre,
            station=self.address,
            password=self._password,
            function=function,
            text=text,
            start=Start.SYN if total else Start.STX,
            end=End.ETX if number == total else End.ETB,
            total=total,
            sequence=number,
        )

    async def _take(self, data: bytes) -> None:
        for found in self._framer.feed(data):
            if isinstance(found, Frame) and not found.up:
                await self._hear(found)

    async def _hear(self, frame: Frame) -> None:
        """Take a confirmation, a request for a packet, or a question."""
        if frame.end in TAKEN:
            self._line.answer((frame.function, int.from_bytes(frame.text[:2], "big")), frame)
        elif frame.end is End.NAK:
            packets = self._packets.get(frame.function, [])
            if 1 <= frame.sequence <= len(packets):
                await self._line.write(packets[frame.sequence - 1])
        elif frame.end is End.ENQ:
            await self._answer(frame)

    async def _answer(self, frame: Frame) -> None:
        """Answer a question: number and time of the question, who we are, and our newest values if it is about those."""
        self.questions.append(frame.function)
        text = frame.text[:8] + b"\xf1\xf1" + bytes.fromhex(self.address)
        if frame.function == GET_DATA and self._last is not None:
            at, values = self._last
            text += self._kind.encode("ascii") + report_text(at, values, self._elements)
        await self._line.write(encode_frame(self._frame(frame.function, text)))

    def _lost(self) -> None:
        """Begin anew with the bytes of the next connection."""
        self._framer = Framer()
