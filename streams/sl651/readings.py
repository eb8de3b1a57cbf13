"""What a message of SL 651 says: its number and time, and readings with the times at which they were taken."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from config.hydrology import Element, ElementKind
from domain.errors import Fault, InvalidInput
from domain.inputs import Quality
from streams.devices.met import Observation
from streams.packing import MICROSECOND
from streams.sl651.elements import OWN, read_duration, read_number, read_step, read_time

HEARTBEAT, TEST, EVEN, TIMED, ALARM, HOURLY, MANUAL, PICTURE = range(0x2F, 0x37)
GET_DATA, GET_STATE, SET_CLOCK, GET_CLOCK = 0x37, 0x46, 0x4A, 0x51
REPORTS = frozenset({TEST, EVEN, TIMED, ALARM, HOURLY, MANUAL, PICTURE})
ANSWERS_WITH_ELEMENTS = frozenset({GET_DATA, 0x38, 0x39, 0x3A, 0x44, GET_STATE})
"""Answers that hold elements: present data, data of a period, what was typed, chosen elements, pumps, state."""
ANSWERS = frozenset({*range(0x37, 0x3B), *range(0x40, 0x52)})
"""Answers to questions and orders; those without elements tell settings, versions and clocks."""
FUNCTIONS = REPORTS | ANSWERS | {HEARTBEAT}

WITH_KIND = REPORTS | {GET_DATA, 0x38, 0x3A, 0x44}
"""Messages in which the kind of station follows its address."""

TIME_GUIDE, STATION_GUIDE = 0xF0, 0xF1
CLASSES = frozenset(b"PHKZDTMGQIO")
"""Kinds of station, a letter after the address: rain, river, reservoir, gate, pumps, tide, soil, groundwater, …"""
BEFORE_TEXT = 8
"""Bytes of serial number and time before all else."""
MOST_VALUES = 4_096
"""Readings in one message; more do not fit into a message that keeps to the standard."""
AHEAD_MICROSECONDS = 60 * MICROSECOND


@dataclass(frozen=True, slots=True)
class Message:
    """A message whose packets are put together; `sent` in microseconds since 1970 UTC, None where it is no time."""

    function: int
    serial: int
    sent: int | None
    body: bytes


@dataclass(slots=True)
class Content:
    """What was found: readings, how many values were marked missing, bytes of texts and pictures, and what is wrong."""

    observations: list[Observation] = field(default_factory=list)
    missing: int = 0
    other_bytes: int = 0
    faults: list[Fault] = field(default_factory=list)


def open_message(function: int, text: bytes) -> Message:
    """Take number and time off a text; InvalidInput when it is too short for them."""
    if len(text) < BEFORE_TEXT:
        raise InvalidInput(
            [Fault("text", f"has {len(text)} bytes, number and time alone have {BEFORE_TEXT}")]
        )
    serial, sent = int.from_bytes(text[:2], "big"), read_time(text[2:BEFORE_TEXT])
    return Message(function, serial, sent, text[BEFORE_TEXT:])


class Reader:
    """Makes readings of messages; holds the table of elements and nothing else."""

    def __init__(self, elements: Iterable[Element]) -> None:
        """Take the table."""
        self._elements = {element.id: element for element in elements}

    def read(self, message: Message) -> Content:
        """Read all elements; what cannot be read is told as a fault, and what can be read is kept."""
        return _Pass(self._elements, message).run()


class _Pass:
    """One message while it is read; `place` runs over its body."""

    def __init__(self, elements: dict[str, Element], message: Message) -> None:
        self.elements = elements
        self.message = message
        self.body = message.body
        self.place = 0
        self.observed: int | None = None
        self.step = 0
        # Somebody who tests a station pours water into its gauge: such values are kept and reach no detector.
        self.quality = Quality.MAINTENANCE if message.function == TEST else Quality.GOOD
        self.content = Content()

    def run(self) -> Content:
        while self.place < len(self.body):
            first = self.body[self.place]
            doubled = self.body[self.place + 1 : self.place + 2] == bytes([first])
            if doubled and first in (TIME_GUIDE, STATION_GUIDE):
                self._take_guide(first)
            elif doubled and self._kind(f"{first:02x}") is ElementKind.REST:
                self.content.other_bytes += len(self.body) - self.place - 2
                break
            else:
                self._take_element()
        return self.content

    def _kind(self, name: str) -> ElementKind:
        element = self.elements.get(name)
        return element.kind if element else ElementKind.NUMBER

    def _take_guide(self, guide: int) -> None:
        """Take a time or a station: two bytes of guide, five of digits; after a station mostly its kind."""
        data = self.body[self.place + 2 : self.place + 7]
        name = f"{guide:02x}"
        self.place += 7
        if len(data) < 5:
            self._give_up(name, "runs past the end")
        elif guide == TIME_GUIDE:
            self.observed = read_time(data)
            if self.observed is None:
                self._blame(name, "is no time")
        elif self.body[self.place : self.place + 1]:
            before_time = self.body[self.place + 1 : self.place + 3] == bytes([TIME_GUIDE, TIME_GUIDE])
            has_kind = self.message.function in WITH_KIND and self.body[self.place] in CLASSES
            self.place += before_time or has_kind

    def _take_element(self) -> None:
        """Take one element: identifier, format, values."""
        start = self.place + (self.body[self.place] == OWN)
        name = self.body[self.place : start + 1].hex()
        if start + 2 > len(self.body):
            self._give_up(name, "has no format")
            return
        form = self.body[start + 1]
        element, length = self.elements.get(name), form >> 3
        if element and element.kind is ElementKind.SERIES and (not length or length % element.size):
            length = (
                element.count * element.size
            )  # some loggers write another format before the values of an hour
        data = self.body[start + 2 : start + 2 + length]
        self.place = start + 2 + length
        if not length or len(data) < length:
            self._give_up(name, "runs past the end" if length else "has no bytes")
            return
        try:
            self._take_values(name, element, data, form & 0b111)
        except ValueError as error:
            self._blame(name, str(error))

    def _take_values(self, name: str, element: Element | None, data: bytes, decimals: int) -> None:
        match element.kind if element else ElementKind.NUMBER:
            case ElementKind.STEP:
                self.step = read_step(data)
            case ElementKind.SERIES if element:
                sizes = range(0, len(data), element.size)
                values = [_binary(data[at : at + element.size], element.decimals) for at in sizes]
                self._keep(name, values, element.minutes * 60 * MICROSECOND)
            case ElementKind.STATUS if element:
                word = int.from_bytes(data, "big")
                for bit in element.bits:
                    self._keep(f"{name}.{bit.slug}", [float(word >> bit.bit & 1)])
            case ElementKind.DURATION:
                self._keep(name, [read_duration(data)])
            case ElementKind.REST | ElementKind.GUIDE:
                self.content.other_bytes += len(data)
            case _:
                values = [read_number(data, decimals)]
                if self.step and self._repeats(len(data)):
                    rest, self.place = self.body[self.place :], len(self.body)
                    values += [
                        read_number(rest[at : at + len(data)], decimals)
                        for at in range(0, len(rest), len(data))
                    ]
                self._keep(name, values, self.step)

    def _repeats(self, length: int) -> bool:
        """Say whether more values follow, and not another element: after a step, one identifier stands for all values."""
        rest = self.body[self.place :]
        other = self.elements.get(rest[:1].hex())
        is_element = (
            other is not None
            and len(rest) > 1
            and other.kind is ElementKind.NUMBER
            and rest[1] == other.length << 3 | other.decimals
        )
        return len(rest) % length == 0 and not is_element

    def _keep(self, channel: str, values: list[float | None], step: int = 0) -> None:
        """Keep values of a channel at their times.

        The time that a message tells is that of the first value. Where the last one would then lie ahead of the moment of
        sending, it is that of the last: both are met in the field.
        """
        sent, span = self.message.sent, (len(values) - 1) * step
        if self.observed is not None:
            first = self.observed
            if sent is not None and first + span > sent + AHEAD_MICROSECONDS:
                first -= span
        elif sent is not None:
            first = sent - (sent % step if step else 0) - span
        else:
            first = 0  # no time at all: it becomes that of arrival, with a note
        for number, value in enumerate(values):
            if value is None:
                self.content.missing += 1
            elif len(self.content.observations) < MOST_VALUES:
                self.content.observations.append(
                    Observation(channel, first + number * step if first else 0, value, self.quality)
                )
            else:
                self._give_up(channel, f"is one more than the {MOST_VALUES} readings that a message may hold")
                return

    def _give_up(self, name: str, reason: str) -> None:
        """Blame something whose end is not known: what follows cannot be read."""
        self._blame(name, reason)
        self.place = len(self.body)

    def _blame(self, name: str, reason: str) -> None:
        self.content.faults.append(Fault(name, reason))


def _binary(data: bytes, decimals: int) -> float | None:
    return None if data == b"\xff" * len(data) else int.from_bytes(data, "big") / 10**decimals
