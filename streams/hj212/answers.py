"""What a platform answers to packets of HJ 212, and by what a device answers a platform.

Annex C of the 2017 edition: an answer repeats the QN of what it answers, has ST 91, and its Flag has the same version and
asks for no answer. By the 2005 edition the QN stands in the CP, and Flag is 0; 9022 is of that edition alone.
"""

from enum import IntEnum

from streams.hj212.crc import crc16
from streams.hj212.encode import segment_of
from streams.hj212.frames import wrap
from streams.hj212.packet import Packet

SYSTEM = "91"
VERSION_BITS = 0b1111_1100


class QnRtn(IntEnum):
    """What a request is answered with at once (9011)."""

    READY = 1
    REFUSED = 2
    PW_WRONG = 3
    MN_WRONG = 4
    ST_WRONG = 5
    FLAG_WRONG = 6
    QN_WRONG = 7
    CN_WRONG = 8
    CRC_WRONG = 9
    UNKNOWN = 100


class ExeRtn(IntEnum):
    """What became of a request (9012)."""

    DONE = 1
    FAILED = 2
    BAD_CONDITION = 3
    TIMED_OUT = 4
    BUSY = 5
    BROKEN = 6
    NO_DATA = 100


QN_SENTENCES = {
    QnRtn.READY: "is ready to do it (准备执行请求)",
    QnRtn.REFUSED: "refuses (请求被拒绝)",
    QnRtn.PW_WRONG: "says that the password is wrong (PW 错误)",
    QnRtn.MN_WRONG: "says that this is not its MN (MN 错误)",
    QnRtn.ST_WRONG: "says that ST is wrong (ST 错误)",
    QnRtn.FLAG_WRONG: "says that Flag is wrong (Flag 错误)",
    QnRtn.QN_WRONG: "says that QN is wrong (QN 错误)",
    QnRtn.CN_WRONG: "does not know this command (CN 错误)",
    QnRtn.CRC_WRONG: "says that the check code is wrong (CRC 校验错误)",
    QnRtn.UNKNOWN: "refuses without a reason (未知错误)",
}
EXE_SENTENCES = {
    ExeRtn.DONE: "has done it (执行成功)",
    ExeRtn.FAILED: "failed and does not know why (执行失败)",
    ExeRtn.BAD_CONDITION: "says that the request's conditions are wrong (命令请求条件错误)",
    ExeRtn.TIMED_OUT: "got no answer from its instrument (通讯超时)",
    ExeRtn.BUSY: "is busy (系统繁忙不能执行)",
    ExeRtn.BROKEN: "is broken (系统故障)",
    ExeRtn.NO_DATA: "has no data (没有数据)",
}

NOTICES = frozenset({"1001", "1013", "1014", "9015"})
"""What a device tells or asks for without sending data: its serial number, the time, a new key, that it is there."""
LOGINS = frozenset({"9021"})
REPLIES = frozenset({"1011", "1061", "9011", "9012", "9013", "9014", "9022"})
"""What a device sends because it was asked something."""


def data_answer(packet: Packet) -> Packet:
    """Say that data have come and are kept (9014)."""
    return _answer(packet, "9014")


def notice_answer(packet: Packet) -> Packet | None:
    """Say that a notice was heard (9013); nothing when no answer is asked for."""
    return _answer(packet, "9013") if packet.wants_answer else None


def login_answer(packet: Packet, *, well: bool = True) -> Packet:
    """Let a device of the 2005 edition in, or not (9022)."""
    return _answer(packet, "9022", f"Logon={int(well)}")


def request_answer(packet: Packet, outcome: QnRtn) -> Packet:
    """Say whether a request will be carried out, or why a packet is not taken (9011)."""
    return _answer(packet, "9011", f"QnRtn={int(outcome)}")


def result(packet: Packet, outcome: ExeRtn) -> Packet:
    """Say what became of a request (9012)."""
    return _answer(packet, "9012", f"ExeRtn={int(outcome)}")


def encode(packet: Packet) -> list[bytes]:
    """Write an answer as a frame; what it repeats of a device's packet need not be as the standard wants it."""
    segment = segment_of(packet)
    return [wrap(segment, crc16(segment))]


def echoed_qn(packet: Packet) -> str:
    """Find the QN of what an answer answers."""
    return packet.qn or packet.values().get("QN", "")


def _answer(packet: Packet, cn: str, cp: str = "") -> Packet:
    flag = (packet.flag or 0) & VERSION_BITS
    if packet.version > 2005:
        return Packet(qn=packet.qn, st=SYSTEM, cn=cn, pw=packet.pw, mn=packet.mn, flag=flag, cp=cp)
    items = filter(None, (f"QN={packet.qn}" if packet.qn else "", cp))
    return Packet(st=SYSTEM, cn=cn, pw=packet.pw, mn=packet.mn, flag=0, cp=";".join(items))
