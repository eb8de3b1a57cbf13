"""The device's side of HJ 212: how a data logger answers what a platform asks. Simulators and tests use it."""

from dataclasses import dataclass, replace

from streams.hj212.answers import ExeRtn, QnRtn, notice_answer, request_answer, result
from streams.hj212.packet import Packet
from streams.hj212.readings import china_time


@dataclass(frozen=True, slots=True)
class Logger:
    """What of a data logger a platform can ask for or change; `clock` is its time as 20260102030405."""

    mn: str
    password: str
    clock: str
    interval_seconds: int = 60
    sends_realtime: bool = True


def respond(logger: Logger, request: Packet) -> tuple[Logger, list[Packet]]:
    """Answer a request as a logger does: 9011, the data asked for, 9012; or 9013 for a notice."""
    if request.cn.startswith("90"):
        return logger, []
    wrong = _refuses(logger, request)
    if wrong is not None:
        return logger, [request_answer(request, wrong)]
    values = request.values()
    match request.cn:
        case "1011":
            return _carried_out(logger, request, f"SystemTime={logger.clock}")
        case "1012":
            if china_time(values.get("SystemTime", "")) is None:
                return _failed(logger, request)
            return _carried_out(replace(logger, clock=values["SystemTime"]), request)
        case "1061":
            return _carried_out(logger, request, f"RtdInterval={logger.interval_seconds}")
        case "1062":
            text = values.get("RtdInterval", "")
            if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 9_999):
                return _failed(logger, request)
            return _carried_out(replace(logger, interval_seconds=int(text)), request)
        case "2011":
            return _carried_out(replace(logger, sends_realtime=True), request)
        case "2012":
            heard = notice_answer(request)
            return replace(logger, sends_realtime=False), [heard] if heard else []
        case _:
            return logger, [request_answer(request, QnRtn.CN_WRONG)]


def _refuses(logger: Logger, request: Packet) -> QnRtn | None:
    if request.mn != logger.mn:
        return QnRtn.MN_WRONG
    return None if request.pw == logger.password else QnRtn.PW_WRONG


def _carried_out(logger: Logger, request: Packet, data: str = "") -> tuple[Logger, list[Packet]]:
    told = []
    if data:
        by_2005 = request.version == 2005
        told = [
            Packet(
                qn="" if by_2005 else request.qn,
                st=request.st,
                cn=request.cn,
                pw=request.pw,
                mn=request.mn,
                flag=(request.flag or 0) & ~1,
                cp=f"QN={request.qn};{data}" if by_2005 else data,
            )
        ]
    return logger, [request_answer(request, QnRtn.READY), *told, result(request, ExeRtn.DONE)]


def _failed(logger: Logger, request: Packet) -> tuple[Logger, list[Packet]]:
    return logger, [request_answer(request, QnRtn.READY), result(request, ExeRtn.BAD_CONDITION)]
