"""Answers are as in the standard's examples, and every command can be asked, carried out and understood."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec import structs

from domain.errors import InvalidInput
from streams.hj212 import answers
from streams.hj212.answers import ExeRtn, QnRtn
from streams.hj212.commands import COMMANDS, hear, question
from streams.hj212.device import Logger, respond
from streams.hj212.encode import encode_packet, segment_of
from streams.hj212.frames import Frame, Framer
from streams.hj212.packet import Packet, parse_segment

MN = "010000A8900016F000169DC0"
NOW = datetime(2026, 1, 1, 19, 4, 5, 678_000, tzinfo=UTC)
DATA = Packet(
    qn="20160801085857223", st="32", cn="2011", pw="123456", mn=MN, flag=5, cp="DataTime=20160801085857"
)
LOGGER = Logger(mn=MN, password="123456", clock="20260102030400")


def written(packet: Packet | None) -> str:
    """Write a packet's segment."""
    assert packet is not None
    return segment_of(packet).decode()


def ask(name: str, arguments: dict[str, str] | None = None, version: int = 2017) -> Packet:
    """Make a question to the station."""
    return question(name, arguments or {}, mn=MN, pw="123456", st="32", version=version, now=NOW)


def test_answers_of_2017_are_those_of_its_examples() -> None:
    """QN, password and MN are repeated, the system is 91, and no answer is asked for."""
    head = f"QN=20160801085857223;ST=91;CN={{}};PW=123456;MN={MN};Flag=4;CP=&&{{}}&&"
    assert written(answers.data_answer(DATA)) == head.format("9014", "")
    assert written(answers.notice_answer(DATA)) == head.format("9013", "")
    assert written(answers.request_answer(DATA, QnRtn.READY)) == head.format("9011", "QnRtn=1")
    assert written(answers.result(DATA, ExeRtn.DONE)) == head.format("9012", "ExeRtn=1")
    by_2025 = structs.replace(DATA, flag=9)
    assert written(answers.data_answer(by_2025)) == head.format("9014", "").replace("Flag=4", "Flag=8")


def test_answers_of_2005_have_the_qn_inside() -> None:
    """And Flag 0; what has no QN gets an answer without."""
    login = Packet(qn="20120416225111069", st="91", cn="9021", pw="122333", mn="88888880000006", flag=1)
    head = "ST=91;CN={};PW=122333;MN=88888880000006;Flag=0;CP=&&{}&&"
    assert written(answers.login_answer(login)) == head.format("9022", "QN=20120416225111069;Logon=1")
    assert written(answers.login_answer(login, well=False)) == head.format(
        "9022", "QN=20120416225111069;Logon=0"
    )
    assert written(answers.data_answer(login)) == head.format("9014", "QN=20120416225111069")
    assert written(answers.request_answer(login, QnRtn.PW_WRONG)) == head.format(
        "9011", "QN=20120416225111069;QnRtn=3"
    )
    assert written(answers.data_answer(structs.replace(login, qn=""))) == head.format("9014", "")


def test_a_notice_that_asks_for_nothing_gets_nothing() -> None:
    """Heartbeats of the 2025 edition have Flag 8."""
    assert answers.notice_answer(Packet(qn="20260102030405678", st="91", cn="9015", mn=MN, flag=8)) is None


def test_an_answer_repeats_what_it_must_however_odd() -> None:
    """A QN that is no time comes back as it was: the device knows its packet by it."""
    (frame,) = answers.encode(answers.data_answer(structs.replace(DATA, qn="7", pw="密码")))
    (item,) = Framer().feed(frame)
    assert isinstance(item, Frame)
    answer = parse_segment(item.segment)
    assert (answer.qn, answer.pw, answer.cn) == ("7", "密码", "9014")


@pytest.mark.parametrize("version", [2005, 2017, 2025])
@pytest.mark.parametrize(
    ("name", "arguments", "cp", "outcomes", "values"),
    [
        ("get-time", {}, "", ["accepted", "accepted", "done"], {"SystemTime": "20260102030400"}),
        ("set-time", {}, "SystemTime=20260102030405", ["accepted", "done"], {}),
        ("set-time", {"time": "20260102030500"}, "SystemTime=20260102030500", ["accepted", "done"], {}),
        ("get-interval", {}, "", ["accepted", "accepted", "done"], {"RtdInterval": "60"}),
        ("set-interval", {"seconds": "30"}, "RtdInterval=30", ["accepted", "done"], {}),
        ("start-realtime", {}, "", ["accepted", "done"], {}),
        ("stop-realtime", {}, "", ["done"], {}),
    ],
)
def test_a_command_is_asked_carried_out_and_understood(
    version: int, name: str, arguments: dict[str, str], cp: str, outcomes: list[str], values: dict[str, str]
) -> None:
    """In each edition, over the wire both ways; the last answer alone is final."""
    asked = ask(name, arguments, version)
    assert (asked.qn, asked.cp, asked.wants_answer, asked.version) == ("20260102030405678", cp, True, version)
    (item,) = Framer().feed(encode_packet(asked)[0])
    assert isinstance(item, Frame)
    _, told = respond(LOGGER, parse_segment(item.segment))
    items = Framer().feed(b"".join(frame for packet in told for frame in answers.encode(packet)))
    heard = [
        hear(asked, COMMANDS[name], parse_segment(item.segment)) for item in items if isinstance(item, Frame)
    ]
    assert [one.outcome for one in heard if one] == outcomes
    assert [one.final for one in heard if one] == [False] * (len(outcomes) - 1) + [True]
    assert {key: value for one in heard if one for key, value in one.values.items()} == values


def test_a_logger_does_what_it_is_asked() -> None:
    """Its clock, its interval, and whether it sends."""
    logger, _ = respond(LOGGER, ask("set-time", {"time": "20260102030500"}))
    logger, _ = respond(logger, ask("set-interval", {"seconds": "30"}))
    logger, _ = respond(logger, ask("stop-realtime"))
    assert (logger.clock, logger.interval_seconds, logger.sends_realtime) == ("20260102030500", 30, False)
    logger, _ = respond(logger, ask("start-realtime"))
    assert logger.sends_realtime
    assert respond(logger, answers.data_answer(DATA)) == (logger, [])


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ({"pw": "000000"}, "says that the password is wrong"),
        ({"mn": "A1"}, "says that this is not its MN"),
        ({"cn": "3012"}, "does not know this command"),
    ],
)
def test_a_logger_refuses_by_number(change: dict[str, str], answer: str) -> None:
    """And the operator hears it in words."""
    asked = structs.replace(ask("get-time"), **change)
    logger, (told,) = respond(LOGGER, asked)
    heard = hear(asked, COMMANDS["get-time"], told)
    assert logger == LOGGER
    assert heard is not None
    assert (heard.outcome, heard.final) == ("refused", True)
    assert answer in heard.detail


@pytest.mark.parametrize(("cn", "cp"), [("1012", "SystemTime=2026"), ("1062", "RtdInterval=0"), ("1062", "")])
def test_a_logger_that_cannot_do_it_says_so(cn: str, cp: str) -> None:
    """Ready, and then not done."""
    asked = structs.replace(ask("get-time"), cn=cn, cp=cp)
    logger, told = respond(LOGGER, asked)
    assert logger == LOGGER
    assert [packet.cp for packet in told] == ["QnRtn=1", "ExeRtn=3"]
    heard = hear(asked, COMMANDS["set-time"], told[1])
    assert heard is not None
    assert (heard.outcome, heard.final) == ("refused", True)


def test_faults_of_a_question_come_at_once() -> None:
    """An unknown command, unknown arguments, wrong ones."""
    with pytest.raises(InvalidInput, match="command: must be one of get-time, set-time"):
        ask("reboot")
    with pytest.raises(InvalidInput) as caught:
        ask("set-interval", {"minutes": "1", "seconds": "0"})
    assert list(map(str, caught.value.faults)) == [
        "minutes: is no argument of set-interval, which has seconds",
        "seconds: must be 1 to 9999 seconds",
    ]
    with pytest.raises(InvalidInput, match="time: must be a time such as"):
        ask("set-time", {"time": "20261302030405"})
    with pytest.raises(InvalidInput, match="seconds: must be 1 to 9999 seconds"):
        ask("set-interval")


def test_answers_to_other_questions_are_not_heard() -> None:
    """Another QN, another station, or data as they come."""
    asked = ask("start-realtime")
    _, (ready, done) = respond(LOGGER, asked)
    command = COMMANDS["start-realtime"]
    assert hear(asked, command, structs.replace(ready, qn="20260102030405679")) is None
    assert hear(asked, command, structs.replace(done, mn="A1")) is None
    assert hear(asked, command, structs.replace(DATA, qn=asked.qn)) is None


@pytest.mark.parametrize("cp", ["QnRtn=77", "QnRtn=", "QnRtn=x", ""])
def test_a_code_that_nobody_knows_is_a_refusal(cp: str) -> None:
    """With its number, as far as it is one."""
    asked = ask("get-time")
    heard = hear(asked, COMMANDS["get-time"], structs.replace(asked, cn="9011", cp=cp))
    assert heard is not None
    assert (heard.outcome, heard.final) == ("refused", True)
    assert "which is unknown" in heard.detail


def test_every_code_has_its_sentence() -> None:
    """None is forgotten."""
    assert answers.QN_SENTENCES.keys() == set(QnRtn)
    assert answers.EXE_SENTENCES.keys() == set(ExeRtn)


def test_a_question_takes_its_time_in_china() -> None:
    """Whatever the zone of the clock that tells it."""
    late = NOW.astimezone(tz=None) + timedelta(hours=1)
    asked = question("get-time", {}, mn=MN, pw="", st="32", version=2025, now=late)
    assert (asked.qn, asked.flag) == ("20260102040405678", 9)
