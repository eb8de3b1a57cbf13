"""What an operator can ask of a station that speaks HJ 212, as data; and how the station's answers are understood."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from domain.errors import Fault, InvalidInput
from streams.hj212.answers import EXE_SENTENCES, QN_SENTENCES, ExeRtn, QnRtn, echoed_qn
from streams.hj212.packet import VERSIONS, WANTS_ANSWER, Packet
from streams.hj212.readings import CHINA, china_time

MOST_VALUES = 100
"""Values of one answer that are shown."""


@dataclass(frozen=True, slots=True)
class Argument:
    """One thing that a command must be told; `field` is its name in the CP."""

    name: str
    field: str
    pattern: str
    reason: str
    is_now: bool = False
    """When it is not given, it is the present time."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command: what is sent, what ends it, and which of the values that come back are shown."""

    name: str
    cn: str
    zh: str
    arguments: tuple[Argument, ...] = ()
    ends: str = "9012"
    """The last answer: 9012 after 9011 and perhaps data, or 9013 at once for a notice."""
    shows: tuple[str, ...] = ()


TIME = Argument("time", "SystemTime", r"\d{14}", "must be a time such as 20260102030405", is_now=True)
SECONDS = Argument("seconds", "RtdInterval", r"[1-9]\d{0,3}", "must be 1 to 9999 seconds")

COMMANDS = {
    command.name: command
    for command in (
        Command("get-time", "1011", "提取现场机时间", shows=("SystemTime",)),
        Command("set-time", "1012", "设置现场机时间", (TIME,)),
        Command("get-interval", "1061", "提取实时数据间隔", shows=("RtdInterval",)),
        Command("set-interval", "1062", "设置实时数据间隔", (SECONDS,)),
        Command("start-realtime", "2011", "取污染物实时数据"),
        Command("stop-realtime", "2012", "停止察看污染物实时数据", ends="9013"),
    )
}


@dataclass(frozen=True, slots=True)
class Heard:
    """What an answer means for the command: as in `DeviceAnswer`."""

    outcome: str
    detail: str = ""
    values: dict[str, str] = field(default_factory=dict)
    final: bool = False


def question(
    name: str,
    arguments: Mapping[str, str],
    *,
    mn: str,
    pw: str,
    st: str,
    version: int,
    now: datetime,
) -> Packet:
    """Make the packet that asks; its QN is the present time of China. InvalidInput with every fault.

    `version` is that of the station's own packets, `st` as well; `now` is an aware time.
    """
    command = COMMANDS.get(name)
    if command is None:
        raise InvalidInput([Fault("command", f"must be one of {', '.join(COMMANDS)}")])
    known = {argument.name for argument in command.arguments}
    faults = [
        Fault(other, f"is no argument of {name}, which has {', '.join(sorted(known)) or 'none'}")
        for other in sorted(arguments.keys() - known)
    ]
    here = now.astimezone(CHINA)
    items = []
    for argument in command.arguments:
        text = arguments.get(argument.name, f"{here:%Y%m%d%H%M%S}" if argument.is_now else "")
        if not re.fullmatch(argument.pattern, text, re.ASCII) or (
            argument.is_now and china_time(text) is None
        ):
            faults.append(Fault(argument.name, argument.reason))
        items.append(f"{argument.field}={text}")
    if faults:
        raise InvalidInput(faults)
    return Packet(
        qn=f"{here:%Y%m%d%H%M%S}{here.microsecond // 1_000:03d}",
        st=st,
        cn=command.cn,
        pw=pw,
        mn=mn,
        flag=VERSIONS.index(version) << 2 | WANTS_ANSWER,
        cp=";".join(items),
    )


def hear(asked: Packet, command: Command, packet: Packet) -> Heard | None:
    """Understand a packet as an answer to what was asked; None when it is about something else."""
    if packet.mn != asked.mn or echoed_qn(packet) != asked.qn:
        return None
    values = packet.values()
    match packet.cn:
        case "9011":
            qn_code = _code(values.get("QnRtn"))
            if qn_code == QnRtn.READY:
                return Heard("accepted", _sentence(QN_SENTENCES, qn_code))
            return Heard("refused", _sentence(QN_SENTENCES, qn_code), final=True)
        case "9012":
            exe_code = _code(values.get("ExeRtn"))
            well = exe_code == ExeRtn.DONE
            return Heard("done" if well else "refused", _sentence(EXE_SENTENCES, exe_code), final=True)
        case "9013":
            return Heard("done", "the station has heard it (通知应答)", final=command.ends == "9013")
        case command.cn if command.shows:
            shown = {name: value for name, value in values.items() if name in command.shows}
            shown = shown or {name: value for name, value in values.items() if name != "QN"}
            return Heard("accepted", "the station has told it", dict(list(shown.items())[:MOST_VALUES]))
        case _:
            return None


def _code(text: str | None) -> int:
    """Read a return code; what is none counts as unknown."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 4 else 0


def _sentence(sentences: Mapping[QnRtn, str] | Mapping[ExeRtn, str], code: int) -> str:
    known = {int(one): sentence for one, sentence in sentences.items()}
    return f"the station {known.get(code, f'answers with the code {code}, which is unknown')}"
