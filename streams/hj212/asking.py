"""Operators' commands on the way to a station: asked, asked again when nothing comes, answered or given up."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.devices import DeviceCommand
from domain.errors import InvalidInput
from streams.devices.intake import DeviceIntake
from streams.devices.met import Met, Tell
from streams.devices.tcp import Link
from streams.hj212.answers import encode
from streams.hj212.commands import COMMANDS, Command, hear, question
from streams.hj212.packet import Packet

OVERTIME_SECONDS = 5.0
RESENDS = 3
"""OverTime and ReCount, the standard's values until a platform sets others."""
DONE_SECONDS = 60.0
"""How long a station that has said 9011 may take to say 9012."""
MILLISECOND = timedelta(milliseconds=1)
USUAL_ST, USUAL_VERSION = "31", 2017
"""What a station is asked in before it has sent anything."""


@dataclass(eq=False)
class Question:
    """One command under way."""

    command: Command
    packet: Packet
    tell: Tell
    sent: int = 0
    is_accepted: bool = False
    timer: asyncio.TimerHandle | None = None


class Asking:
    """All that is being asked on one connection."""

    def __init__(
        self,
        link: Link,
        intake: DeviceIntake,
        *,
        overtime_seconds: float = OVERTIME_SECONDS,
        done_seconds: float = DONE_SECONDS,
    ) -> None:
        """Take the connection, and who knows the time."""
        self._link = link
        self._intake = intake
        self._overtime_seconds = overtime_seconds
        self._done_seconds = done_seconds
        self._questions: dict[str, Question] = {}
        self._spoken: dict[str, tuple[str, int]] = {}
        self._asked_at: datetime | None = None

    def ask(self, met: Met, command: DeviceCommand, tell: Tell) -> None:
        """Send a command; `tell` hears what becomes of it."""
        st, version = self._spoken.get(met.address, (USUAL_ST, USUAL_VERSION))
        try:
            packet = question(
                command.name,
                command.arguments,
                mn=met.address,
                pw=met.secrets.password or "",
                st=st,
                version=version,
                now=self._unused_time(),
            )
        except InvalidInput as error:
            tell("refused", detail=str(error), final=True)
            return
        asked = self._questions[packet.qn] = Question(COMMANDS[command.name], packet, tell)
        self._send(asked)
        tell("sent", detail=f"QN={packet.qn}")

    def hears(self, met: Met, packet: Packet) -> bool:
        """Take an answer to something that was asked; False when the packet is about something else."""
        self._spoken[met.address] = (packet.st if packet.st != "91" else USUAL_ST, packet.version)
        for asked in self._questions.values():
            heard = hear(asked.packet, asked.command, packet)
            if heard is None:
                continue
            if heard.final:
                self._close(asked)
            else:
                asked.is_accepted = True
                self._wait(asked, self._done_seconds)
            asked.tell(heard.outcome, detail=heard.detail, values=heard.values, final=heard.final)
            self._intake.touch(met)
            return True
        return False

    def end(self) -> None:
        """Give everything up: the connection is gone."""
        for asked in list(self._questions.values()):
            self._close(asked)
            asked.tell("lost", detail="the connection ended before the station had done it", final=True)

    def _send(self, asked: Question) -> None:
        asked.sent += 1
        for frame in encode(asked.packet):
            self._link.write(frame)
        self._wait(asked, self._overtime_seconds)

    def _wait(self, asked: Question, seconds: float) -> None:
        """Wait for the next answer; before the first one, the question is sent again for a while."""
        if asked.timer is not None:
            asked.timer.cancel()
        asked.timer = asyncio.get_running_loop().call_later(seconds, self._time_out, asked)

    def _time_out(self, asked: Question) -> None:
        if not asked.is_accepted and asked.sent <= RESENDS:
            self._send(asked)
            return
        self._close(asked)
        asked.tell("timeout", detail=f"the station did not finish, asked {asked.sent} times", final=True)

    def _close(self, asked: Question) -> None:
        if asked.timer is not None:
            asked.timer.cancel()
        self._questions.pop(asked.packet.qn, None)

    def _unused_time(self) -> datetime:
        """Tell the time, at least a millisecond after the last question's: each needs a QN of its own."""
        at = self._intake.now()
        if self._asked_at is not None and at < self._asked_at + MILLISECOND:
            at = self._asked_at + MILLISECOND
        self._asked_at = at
        return at
