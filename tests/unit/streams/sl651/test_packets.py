"""Messages in several packets, and questions to stations: what is asked for, what is given up, and who hears of it."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from domain.devices import DeviceCommand
from streams.devices.met import Observation
from streams.packing import micros
from streams.sl651 import parts as module
from streams.sl651.elements import BEIJING
from streams.sl651.frames import End, Frame, Start
from streams.sl651.parts import MOST_BYTES, Collector, Parts
from streams.sl651.questions import Questions
from streams.sl651.readings import ALARM, GET_CLOCK, GET_DATA, PICTURE, SET_CLOCK, Content, Message


def packet(sequence: int, total: int = 3, text: bytes = b"ab", function: int = ALARM) -> Frame:
    """Make one packet of a message."""
    return Frame(
        up=True,
        centre=1,
        station="0012345678",
        password="1234",
        function=function,
        text=text,
        start=Start.SYN,
        end=End.ETX if sequence == total else End.ETB,
        total=total,
        sequence=sequence,
    )


class Heard:
    """Remembers what a collector tells."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.texts: list[bytes] = []
        self.asked: list[list[int]] = []
        self.given_up: list[str] = []
        self.sizes: list[int] = []

    def whole(self, frame: Frame, parts: Parts) -> None:
        """Take a message."""
        self.texts.append(parts.text())
        self.sizes.append(parts.size)

    def ask_again(self, parts: Parts) -> None:
        """Take a request."""
        self.asked.append(parts.missing())

    def give_up(self, parts: Parts, reason: str, sentence: str) -> None:
        """Take the end of a message."""
        self.given_up.append(reason)


async def take(*packets: Frame) -> tuple[Heard, Collector]:
    """Collect packets."""
    heard = Heard()
    collector = Collector(heard)
    for one in packets:
        collector.take(one)
    return heard, collector


async def until(condition: Any) -> None:
    """Wait for a condition, at most ten seconds."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.001)


async def test_packets_make_a_message_in_any_order() -> None:
    """Twice the same packet is one; the last missing one ends it, and the next message is another."""
    heard, _ = await take(
        packet(1, text=b"1"), packet(1, text=b"1"), packet(2, text=b"2"), packet(3, text=b"3")
    )
    assert (heard.texts, heard.asked) == ([b"123"], [])
    heard, _ = await take(packet(3, text=b"3"), packet(1, text=b"1"), packet(2, text=b"2"))
    assert (heard.texts, heard.asked) == ([b"123"], [[1, 2]])


async def test_a_silence_asks_and_then_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its last packet a message is asked for three times, then refused; it may begin anew."""
    monkeypatch.setattr(module, "SILENT_SECONDS", 0.01)
    heard, collector = await take(packet(1))
    await until(lambda: heard.given_up)
    assert (heard.asked, heard.given_up) == ([[2, 3]] * 3, ["incomplete"])
    for sequence in (1, 2, 3):
        collector.take(packet(sequence))
    assert heard.texts == [b"ababab"]


async def test_another_message_in_between_ends_the_first() -> None:
    """A first packet with another text, another total or another function is another message."""
    for other in (packet(1, text=b"xy"), packet(2, total=4), packet(2, function=PICTURE)):
        heard, collector = await take(packet(1), other)
        collector.drop()
        assert heard.given_up == ["incomplete"]


async def test_a_message_that_is_too_long_is_refused_and_a_picture_is_not() -> None:
    """What must be kept is bounded; of a picture only the first packet is, however long it is."""
    text = bytes(4_000)
    packets = MOST_BYTES // len(text) + 2
    heard, collector = await take(*(packet(number, packets, text) for number in range(1, packets)))
    collector.drop()
    assert heard.given_up == ["too-long"]
    heard, _ = await take(*(packet(n, packets, text, PICTURE) for n in range(1, packets + 1)))
    assert (heard.texts, heard.sizes) == ([text], [packets * len(text)])


async def test_of_many_missing_packets_the_first_are_asked_for() -> None:
    """A station is not flooded with requests."""
    heard, collector = await take(packet(4_095, 4_095))
    collector.drop()
    assert heard.asked == [list(range(1, 17))]


class Desk:
    """Sends questions, and remembers what was said of them."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.sent: list[tuple[int, bytes, End, datetime | None]] = []
        self.told: list[tuple[str, str, dict[str, str], bool]] = []
        self.questions = Questions(self.send)

    def send(self, function: int, serial: bytes, end: End, *, at: datetime | None = None) -> None:
        """Take a frame."""
        self.sent.append((function, serial, end, at))

    def tell(
        self, outcome: str, *, detail: str = "", values: dict[str, str] | None = None, final: bool = False
    ) -> None:
        """Take an answer."""
        self.told.append((outcome, detail, values or {}, final))

    def ask(self, name: str, seconds: float = 30.0, **arguments: str) -> None:
        """Ask something."""
        expires = datetime.now(UTC) + timedelta(seconds=seconds)
        command = DeviceCommand(id=uuid4(), device="x", name=name, arguments=arguments, expires_at=expires)
        self.questions.ask(command, self.tell)


async def test_a_question_is_answered_with_time_and_values() -> None:
    """What the station says goes to whoever asked, once."""
    desk = Desk()
    desk.ask("get-data")
    at = micros(datetime(2026, 7, 1, 12, tzinfo=BEIJING))
    answer = Message(GET_DATA, 1, at, b"")
    for _ in range(2):
        desk.questions.hear(answer, Content([Observation("39", at, 1.25)]))
    assert desk.sent == [(GET_DATA, b"\x00\x01", End.ENQ, None)]
    assert desk.told == [
        ("sent", "", {}, False),
        ("done", "", {"time": "2026-07-01T12:00:00+08:00", "39": "1.25"}, True),
    ]


async def test_a_clock_is_set_to_ours_or_to_a_time_that_is_told() -> None:
    """The time is one of Beijing; what is none is refused in words."""
    desk = Desk()
    desk.ask("set-time", time="20260701120000")
    desk.questions.hear(Message(SET_CLOCK, 1, None, b""), None)
    desk.ask("set-time")
    desk.questions.close()
    desk.ask("set-time", time="noon")
    assert [at for _, _, _, at in desk.sent] == [datetime(2026, 7, 1, 12, tzinfo=BEIJING), None]
    assert [told[0] for told in desk.told if told[3]] == ["done", "lost", "refused"]
    assert desk.told[-1][1] == "time must be like 20260701120000"


async def test_a_question_without_an_answer_ends() -> None:
    """When its time is over, and not before; meanwhile the same question is not asked twice."""
    desk = Desk()
    desk.ask("get-time", seconds=0.02)
    desk.ask("get-time")
    await until(lambda: desk.told[-1][0] == "timeout")
    assert [(told[0], told[3]) for told in desk.told] == [
        ("sent", False),
        ("refused", True),
        ("timeout", True),
    ]
    assert [function for function, *_ in desk.sent] == [GET_CLOCK]


async def test_an_unknown_command_is_refused_with_those_that_there_are() -> None:
    """Nothing is sent."""
    desk = Desk()
    desk.ask("dance")
    assert desk.sent == []
    assert desk.told == [
        ("refused", "a hydrological station knows get-time, set-time, get-data, get-state", {}, True)
    ]
