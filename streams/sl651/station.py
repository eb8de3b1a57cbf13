"""One hydrological station on one connection: what it reports goes to the broker, and is confirmed when it is there."""

import time
from datetime import datetime
from hashlib import blake2b

import structlog

from domain.devices import DeviceCommand
from domain.errors import Fault, InvalidInput
from domain.registry import Protocol
from streams.devices.intake import DeviceIntake
from streams.devices.met import Met, Tell
from streams.devices.recent import Standing
from streams.devices.tcp import Link
from streams.metrics import DEVICE_ANSWER_SECONDS, DEVICE_MISSING, DEVICE_OTHER_BYTES
from streams.sl651.elements import write_time
from streams.sl651.frames import End, Frame, Start, encode_frame
from streams.sl651.parts import Collector, Parts
from streams.sl651.questions import Questions
from streams.sl651.readings import (
    ANSWERS,
    ANSWERS_WITH_ELEMENTS,
    FUNCTIONS,
    HEARTBEAT,
    PICTURE,
    REPORTS,
    Content,
    Message,
    Reader,
    open_message,
)

log = structlog.get_logger(__name__)

HEALED = ("wrong-password", "secrets")
"""Troubles that are over when a message is taken."""
NAME = str(Protocol.SL651)

_answer_seconds = DEVICE_ANSWER_SECONDS.labels(NAME)
_missing = DEVICE_MISSING.labels(NAME)
_other_bytes = DEVICE_OTHER_BYTES.labels(NAME)


class Station:
    """A station whose password was right. It is also the line over which an operator asks it something."""

    def __init__(self, met: Met, link: Link, intake: DeviceIntake, reader: Reader) -> None:
        """Take what is known of it, its connection, where readings go, and who reads messages."""
        self.met = met
        self._link = link
        self._intake = intake
        self._reader = reader
        self._heard: Frame | None = None
        self._packets = Collector(self)
        self._questions = Questions(self._send)
        intake.connect(met, self, link.peer)

    def ask(self, met: Met, command: DeviceCommand, tell: Tell) -> None:
        """Pass an operator's command on."""
        self._questions.ask(command, tell)

    def close(self) -> None:
        """Forget what has not ended: the station sends it again."""
        self._packets.drop()
        self._questions.close()
        self._intake.disconnect(self.met, self)

    def take(self, frame: Frame) -> None:
        """Take a frame of the station."""
        self._heard = frame
        if frame.function not in FUNCTIONS:
            self._refuse("function", Fault("function", f"{frame.function:02X} is not known"), frame)
        elif frame.start is Start.STX:
            self._take_text(frame, frame.text)
        elif 1 <= frame.sequence <= frame.total:
            self._packets.take(frame)
        else:
            fault = Fault("sequence", f"is {frame.sequence} of {frame.total}")
            self._refuse("sequence", fault, frame)

    def whole(self, frame: Frame, parts: Parts) -> None:
        """Take a message that came in packets."""
        self._take_text(frame, parts.text(), parts.size)

    def ask_again(self, parts: Parts) -> None:
        """Ask for packets that are missing."""
        for number in parts.missing():
            self._send(parts.first.function, parts.serial, End.NAK, total=parts.total, sequence=number)

    def give_up(self, parts: Parts, reason: str, sentence: str) -> None:
        """Refuse a message that did not become whole."""
        self._refuse(reason, Fault("packets", sentence), parts.first)

    def _take_text(self, frame: Frame, text: bytes, size: int = 0) -> None:
        """Take a whole message; `size` counts the bytes of one that came in packets."""
        arrived = time.perf_counter()
        try:
            message = open_message(frame.function, text)
        except InvalidInput as error:
            self._refuse("text", error.faults[0], frame)
            return
        if self.met.problem in HEALED:
            self.met.problem = ""
        if message.sent is None:
            self._intake.trouble(self.met, "clock")
        if frame.function == HEARTBEAT:
            self._intake.put(self.met, (), sent=message.sent)  # the standard wants no answer
            return
        key = (frame.function, message.serial, blake2b(text, digest_size=8).digest())
        match self.met.recent.begin(key):
            case Standing.WRITTEN:
                self._intake.touch(self.met)
                self._confirm(frame, message, arrived)
            case Standing.UNDER_WAY:
                self._intake.touch(self.met)  # the answer to the first one comes
            case Standing.NEW:
                self._put(frame, message, key, arrived, size)

    def _put(
        self, frame: Frame, message: Message, key: tuple[int, int, bytes], arrived: float, size: int
    ) -> None:
        """Hand a message's readings on; the station hears of it when the broker has them."""
        if message.function in REPORTS | ANSWERS_WITH_ELEMENTS:
            content = self._reader.read(message)
        else:
            content = Content(other_bytes=len(message.body))
        if message.function in ANSWERS:
            self._questions.hear(message, content)

        def done(well: bool) -> None:
            self.met.recent.end(key, written=well)
            if well:
                self._confirm(frame, message, arrived)
            self._link.release()

        self._link.hold()
        self._intake.put(self.met, content.observations, done, sent=message.sent)
        if content.faults:
            self._intake.refuse(self.met, "content", content.faults, frame.raw)
        _missing.inc(content.missing)
        if content.other_bytes:
            self._note(frame, size or content.other_bytes)

    def _note(self, frame: Frame, size: int) -> None:
        """Count what is no reading. A text that somebody typed is kept beside what was refused; a picture is not."""
        _other_bytes.inc(size)
        code = f"{frame.function:02X}"
        log.info("station_sent_no_readings", station=self.met.address, function=code, bytes=size)
        if frame.function in REPORTS - {PICTURE}:
            fault = Fault("body", "holds a text, which is no reading")
            self._intake.refuse(self.met, "no-reading", [fault], frame.raw, is_trouble=False)

    def _confirm(self, frame: Frame, message: Message, arrived: float) -> None:
        """Tell the station that the broker has its message. Answers to our questions want none.

        EOT and not ESC, which would keep a station on batteries awake for ten minutes.
        """
        if frame.function in ANSWERS:
            return
        follows = frame.end is End.ETB and frame.start is Start.STX
        self._send(frame.function, message.serial.to_bytes(2, "big"), End.ACK if follows else End.EOT)
        _answer_seconds.observe(time.perf_counter() - arrived)

    def _send(
        self,
        function: int,
        serial: bytes,
        end: End,
        *,
        at: datetime | None = None,
        total: int = 0,
        sequence: int = 0,
    ) -> None:
        """Write a frame that holds a number and a time, ours unless told otherwise."""
        if self._heard is None:
            return
        answer = Frame(
            up=False,
            centre=self._heard.centre,
            station=self._heard.station,
            password=self._heard.password,
            function=function,
            text=serial + write_time(at or self._intake.now(), seconds=True),
            start=Start.SYN if total else Start.STX,
            end=end,
            total=total,
            sequence=sequence,
        )
        self._link.write(encode_frame(answer))

    def _refuse(self, reason: str, fault: Fault, frame: Frame) -> None:
        self._intake.refuse(self.met, reason, [fault], frame.raw)
