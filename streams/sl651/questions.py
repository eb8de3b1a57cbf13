"""What an operator asks of a station: its time, its present values, its state; and setting its clock."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol as Shape

from domain.devices import DeviceCommand
from streams.devices.met import Tell
from streams.packing import time_of
from streams.sl651.elements import BEIJING
from streams.sl651.frames import End
from streams.sl651.readings import GET_CLOCK, GET_DATA, GET_STATE, SET_CLOCK, Content, Message

FUNCTIONS = {"get-time": GET_CLOCK, "set-time": SET_CLOCK, "get-data": GET_DATA, "get-state": GET_STATE}
TIME_FORM = "%Y%m%d%H%M%S"


class Send(Shape):
    """Writes a frame of a function that holds a number and a time, ours unless told otherwise."""

    def __call__(self, function: int, serial: bytes, end: End, *, at: datetime | None = None) -> None:
        """Write it."""


@dataclass(frozen=True, slots=True)
class Question:
    """A command that waits for the station's answer."""

    tell: Tell
    timer: asyncio.TimerHandle


class Questions:
    """Questions to one station over one connection; one at a time for each function, since answers name nothing else."""

    def __init__(self, send: Send) -> None:
        """Take how to send."""
        self._send = send
        self._open: dict[int, Question] = {}
        self._serial = 0

    def ask(self, command: DeviceCommand, tell: Tell) -> None:
        """Send a command and wait; whatever becomes of it is told."""
        function = FUNCTIONS.get(command.name)
        if function is None:
            tell("refused", detail=f"a hydrological station knows {', '.join(FUNCTIONS)}", final=True)
            return
        if function in self._open:
            tell("refused", detail="the same question is still open", final=True)
            return
        at = None
        if wanted := command.arguments.get("time"):
            try:
                at = datetime.strptime(wanted, TIME_FORM).replace(tzinfo=BEIJING)
            except ValueError:
                tell("refused", detail="time must be like 20260701120000", final=True)
                return
        seconds = (command.expires_at - datetime.now(UTC)).total_seconds()
        timer = asyncio.get_running_loop().call_later(max(0.0, seconds), self._end, function, "timeout")
        self._open[function] = Question(tell, timer)
        self._serial = self._serial % 0xFFFF + 1
        self._send(function, self._serial.to_bytes(2, "big"), End.ENQ, at=at)
        tell("sent")

    def hear(self, message: Message, content: Content | None) -> None:
        """Take an answer to whoever asked."""
        values: dict[str, str] = {}
        if message.sent is not None:
            values["time"] = time_of(message.sent).astimezone(BEIJING).isoformat()
        if content is not None:
            values |= {one.channel: f"{one.value:g}" for one in content.observations[:60]}
        self._end(message.function, "done", values)

    def close(self) -> None:
        """Tell whoever waits that the connection is gone."""
        for function in list(self._open):
            self._end(function, "lost")

    def _end(self, function: int, outcome: str, values: dict[str, str] | None = None) -> None:
        question = self._open.pop(function, None)
        if question is not None:
            question.timer.cancel()
            question.tell(outcome, values=values, final=True)
