"""A simulated environmental station: sends data over HJ 212, waits for answers (9014), does what it is asked."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from domain.errors import Fault, InvalidInput
from fenghuo.simulate.line import ANSWER_SECONDS, PATIENCE_SECONDS, Line, Mangle
from streams.devices.framing import Garbage
from streams.hj212.answers import QN_SENTENCES, QnRtn, echoed_qn
from streams.hj212.device import Logger, respond
from streams.hj212.encode import encode_packet
from streams.hj212.frames import Framer
from streams.hj212.packet import VERSIONS, WANTS_ANSWER, Packet, parse_segment
from streams.hj212.readings import CHINA

REAL_TIME, MINUTE, HOUR, HEARTBEAT = "2011", "2051", "2061", "9015"
ANSWERS = frozenset({"9011", "9013", "9014", "9022"})
FIELDS = {REAL_TIME: "Rtd", MINUTE: "Avg", HOUR: "Avg"}
MILLISECOND = timedelta(milliseconds=1)


class Hj212Station:
    """One station; connects when it has something to say, and again when the connection is lost.

    Values are given under their codes, such as `w21003`. Several packets may wait for their answers at once. With `key`
    (16 bytes) the CP is encrypted by SM4, which is of the 2025 edition.
    """

    def __init__(
        self,
        host: str,
        port: int,
        mn: str,
        *,
        password: str = "123456",  # noqa: S107  # what loggers leave the factory with
        st: str = "21",
        version: int = 2017,
        key: bytes | None = None,
        answer_seconds: float = ANSWER_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
        mangle: Mangle | None = None,
    ) -> None:
        """Take where the gateway listens and who the station is."""
        self.mn = mn
        self.questions: list[str] = []
        self._password = password
        self._st = st
        self._flag = VERSIONS.index(version) << 2 | WANTS_ANSWER
        self._key = key
        self._line: Line[Packet] = Line(
            (host, port),
            self._hear,
            self._lost,
            answer_seconds=answer_seconds,
            patience_seconds=patience_seconds,
            mangle=mangle,
        )
        self._framer = Framer()
        self._last_qn: datetime | None = None
        self.logger = Logger(mn, password, "20260101000000")

    async def __aenter__(self) -> Self:
        """Connect when there is something to say."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End the connection."""
        await self._line.close()

    async def report(
        self,
        at: datetime,
        values: Mapping[str, float],
        *,
        cn: str = REAL_TIME,
        flags: Mapping[str, str] | None = None,
        sent: datetime | None = None,
        resent: bool = False,
    ) -> float:
        """Send values observed at a time (aware) until they are answered; answers how many seconds that took.

        `sent` is the station's clock, `at` unless told otherwise. InvalidInput when the gateway refuses the packet, with its
        reason; Unavailable when no answer comes for longer than the station's patience.
        """
        field = FIELDS.get(cn, "Rtd")
        items = [f"DataTime={at.astimezone(CHINA):%Y%m%d%H%M%S}"] + [
            f"{code}-{field}={value:.6g},{code}-Flag={(flags or {}).get(code, 'N')}"
            for code, value in values.items()
        ]
        return await self.send(cn, ";".join(items), sent or at, resent=resent)

    async def send(self, cn: str, cp: str, sent: datetime, *, resent: bool = False) -> float:
        """Send a packet of any command until it is answered."""
        packet = Packet(
            qn=self._qn(sent),
            st=self._st,
            cn=cn,
            pw=self._password,
            mn=self.mn,
            flag=self._flag,
            cp=cp,
            rf=resent,
        )
        frames = encode_packet(packet, self._key)
        answer, seconds = await self._line.ask(packet.qn, b"".join(frames), f"station {self.mn}")
        _check(answer)
        return seconds

    @property
    def resent(self) -> int:
        """Count how often something was sent again."""
        return self._line.resent

    async def say(self, data: bytes) -> None:
        """Send bytes as they are; OSError when there is no connection."""
        await self._line.write(data)

    def _qn(self, sent: datetime) -> str:
        """Number a packet by the time of its sending, at least a millisecond after the one before."""
        if self._last_qn is not None and sent < self._last_qn + MILLISECOND:
            sent = self._last_qn + MILLISECOND
        self._last_qn = sent
        here = sent.astimezone(CHINA)
        return f"{here:%Y%m%d%H%M%S}{here.microsecond // 1_000:03d}"

    async def _hear(self, data: bytes) -> None:
        for item in self._framer.feed(data):
            if isinstance(item, Garbage):
                continue  # a gateway sends none; a packet that it would have answered is sent again
            packet = parse_segment(item.segment, item.notes)
            if packet.cn in ANSWERS and self._line.answer(echoed_qn(packet), packet):
                continue
            self.questions.append(packet.cn)
            clock = self._last_qn.astimezone(CHINA) if self._last_qn else None
            logger = replace(self.logger, clock=f"{clock:%Y%m%d%H%M%S}") if clock else self.logger
            self.logger, replies = respond(logger, packet)
            for reply in replies:
                for frame in encode_packet(reply):
                    await self._line.write(frame)

    def _lost(self) -> None:
        """Begin anew with the bytes of the next connection."""
        self._framer = Framer()


def _check(answer: Packet) -> None:
    """Raise InvalidInput when a packet was answered with a refusal."""
    if answer.cn == "9011":
        code = answer.values().get("QnRtn", "")
        known = {str(int(one)): sentence for one, sentence in QN_SENTENCES.items() if one is not QnRtn.READY}
        raise InvalidInput(
            [Fault("packet", f"was refused: the gateway {known.get(code, f'answers {code}')}")]
        )
