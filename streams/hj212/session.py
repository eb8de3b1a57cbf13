"""A station on the line: packets in, readings to the broker, answers when it has them."""

import time
from collections import OrderedDict
from collections.abc import Callable

from msgspec import structs

from config.settings import DeviceSettings
from domain.devices import DeviceCommand
from domain.errors import Fault, InvalidInput
from domain.registry import Protocol
from streams.devices.framing import Garbage
from streams.devices.intake import DeviceIntake
from streams.devices.met import Met, Tell
from streams.devices.recent import Standing
from streams.devices.tcp import DeviceServer, Link
from streams.hj212 import answers
from streams.hj212.answers import QnRtn
from streams.hj212.asking import Asking
from streams.hj212.crc import crc16
from streams.hj212.frames import Frame, Framer
from streams.hj212.packet import Packet, parse_segment, sender_of
from streams.hj212.parts import Assembler, Incomplete
from streams.hj212.readings import china_time, observations
from streams.hj212.sm4 import open_frame
from streams.metrics import DEVICE_ANSWER_SECONDS

MOST_GARBAGE = 64
"""Pieces of garbage in a row; then whoever speaks here is no station, or its line is of no use."""
MOST_TIMES = 32
"""Packets in several frames whose time is remembered on one connection."""
WAITED = DEVICE_ANSWER_SECONDS.labels(str(Protocol.HJ212))


class Hj212Session:
    """What is said on one connection; a data logger may speak there for several stations."""

    def __init__(self, link: Link, intake: DeviceIntake) -> None:
        """Take the connection and who takes readings."""
        self._link = link
        self._intake = intake
        self._framer = Framer()
        self._parts = Assembler()
        self._garbage = 0
        self._here: dict[str, Met] = {}
        self._times: OrderedDict[tuple[str, str, str], str] = OrderedDict()
        self._asking = Asking(link, intake)

    @property
    def pending(self) -> int:
        """Count the bytes of a frame whose end has not come."""
        return self._framer.pending

    def received(self, data: bytes) -> None:
        """Take bytes as they come."""
        for item in self._framer.feed(data):
            if not isinstance(item, Garbage):
                self._garbage = 0
                self._take_frame(item)
                continue
            self._refuse_bytes(item)
            self._garbage += 1
            if self._garbage > MOST_GARBAGE:
                self._link.close("garbage")
                return
        if not self._parts.is_idle:
            self._tell_incomplete(self._parts.give_up(time.monotonic()))

    def closed(self) -> None:
        """Tell what stays incomplete, and that the stations are gone."""
        for garbage in self._framer.finish():
            self._refuse_bytes(garbage)
        self._tell_incomplete(self._parts.finish())
        self._asking.end()
        for met in self._here.values():
            self._intake.disconnect(met, self)

    def ask(self, met: Met, command: DeviceCommand, tell: Tell) -> None:
        """Pass an operator's command on."""
        self._asking.ask(met, command, tell)

    def _take_frame(self, frame: Frame) -> None:
        try:
            packet = parse_segment(*self._opened(frame))
        except InvalidInput as error:
            met = self._met(sender_of(frame.segment))
            self._intake.refuse(met, "segment", error.faults, frame.segment, protocol=Protocol.HJ212)
            return
        met = self._met(packet.mn)
        if met is None:
            faults = [Fault("MN", "is one more than may be unregistered")]
            self._intake.refuse(None, "too-many-devices", faults, frame.segment, protocol=Protocol.HJ212)
            self._write(answers.request_answer(packet, QnRtn.MN_WRONG))
        elif met.secrets.password is not None and packet.pw != met.secrets.password:
            faults = [Fault("PW", "is not the password of this station")]
            self._intake.refuse(met, "wrong-password", faults, frame.segment)
            self._write(answers.request_answer(packet, QnRtn.PW_WRONG))
        else:
            self._take_packet(met, packet)

    def _opened(self, frame: Frame) -> tuple[bytes, tuple[str, ...]]:
        """Give segment and notes of a frame, decrypted with its station's key where it is encrypted."""
        if "encrypted" in frame.notes:
            met = self._met(sender_of(frame.segment))
            key = met.secrets.sm4_key if met else None
            frame = open_frame(frame, bytes.fromhex(key) if key else None)
        return frame.segment, frame.notes

    def _met(self, mn: str) -> Met | None:
        """Find the station, and note that it is on this line; None when the name is none, or there are too many."""
        met = self._here.get(mn)
        if met is None and mn and (met := self._intake.meet(Protocol.HJ212, mn)) is not None:
            self._here[mn] = met
            self._intake.connect(met, self, self._link.peer)
        return met

    def _take_packet(self, met: Met, packet: Packet) -> None:
        """Do what the packet's command asks for."""
        if self._asking.hears(met, packet):
            return
        if packet.cn in answers.NOTICES:
            self._intake.put(met, (), sent=_sent(packet))
            self._write(answers.notice_answer(packet))
        elif packet.cn in answers.LOGINS:
            self._intake.put(met, (), sent=_sent(packet))
            self._write(answers.login_answer(packet))
        elif packet.cn in answers.REPLIES:
            self._intake.put(
                met, (), sent=_sent(packet)
            )  # to a question of before a restart, or of somebody else
        elif packet.is_part:
            self._take_part(met, packet)
        else:
            self._take_data(met, packet)

    def _take_part(self, met: Met, packet: Packet) -> None:
        """Take one of several frames: by itself where it says when its values were measured, or the first one said it.

        So each is answered when it is on disk; a station may wait for that before it sends the next. What came before the
        first waits for it.
        """
        key = packet.mn, packet.cn, packet.qn
        time_item = packet.cp.partition(";")[0] if packet.cp.startswith("DataTime=") else ""
        if time_item:
            self._times[key] = time_item
            if len(self._times) > MOST_TIMES:
                self._times.popitem(last=False)
            self._take_data(met, packet)
            for part in self._parts.release(*key):
                self._take_data(met, structs.replace(part, cp=f"{time_item};{part.cp}"))
        elif key in self._times and packet.pno != 1:
            self._take_data(met, structs.replace(packet, cp=f"{self._times[key]};{packet.cp}"))
        elif (whole := self._parts.add(packet, time.monotonic())) is not None:
            self._take_data(met, whole)

    def _take_data(self, met: Met, packet: Packet) -> None:
        """Write what a packet measures, and answer when that is done; the same packet again is answered again."""
        key = f"{packet.cn} {packet.qn} {packet.pno or ''}" if packet.qn else f"{packet.cn} {packet.cp}"
        standing = met.recent.begin(key)
        if standing is Standing.WRITTEN:
            self._answer(packet)
            return
        if standing is Standing.UNDER_WAY:
            return  # its answer is on the way as well
        found, faults = observations(packet)
        if faults:
            self._intake.refuse(met, "value", faults, packet.cp.encode())
        if not found and not faults and packet.cp:
            note = [Fault("CN", f"{packet.cn} holds no readings")]
            self._intake.refuse(met, "no-readings", note, packet.cp.encode(), is_trouble=False)
        began = time.perf_counter()
        self._link.hold()

        def done(well: bool) -> None:
            self._link.release()
            met.recent.end(key, written=well)
            if well:
                self._answer(packet)
                WAITED.observe(time.perf_counter() - began)

        self._intake.put(met, found, done, sent=_sent(packet))

    def _answer(self, packet: Packet) -> None:
        if packet.wants_answer:
            self._write(answers.data_answer(packet))

    def _write(self, packet: Packet | None) -> None:
        if packet is not None:
            for frame in answers.encode(packet):
                self._link.write(frame)

    def _refuse_bytes(self, garbage: Garbage) -> None:
        """Turn bytes away that are no packet; whose they are is known when the connection is one station's."""
        met = next(iter(self._here.values())) if len(self._here) == 1 else None
        faults = [Fault("frame", f"{len(garbage.data)} bytes are no frame: {garbage.reason}")]
        self._intake.refuse(met, garbage.reason, faults, garbage.data, protocol=Protocol.HJ212)

    def _tell_incomplete(self, incomplete: list[Incomplete]) -> None:
        for one in incomplete:
            have = ", ".join(map(str, one.have))
            faults = [Fault("PNO", f"of {one.of} parts of QN {one.qn} only {have} came")]
            self._intake.refuse(
                self._here.get(one.mn), one.reason, faults, one.cp.encode(), protocol=Protocol.HJ212
            )


def _sent(packet: Packet) -> int | None:
    """Tell the station's clock when it sent a packet; a resent one has the time of its first sending."""
    return None if packet.rf else china_time(packet.qn)


def hj212_server(settings: DeviceSettings, intake: DeviceIntake, is_busy: Callable[[], bool]) -> DeviceServer:
    """Make the server that stations connect to; ValueError when the settings name no port."""
    if settings.hj212_port is None:
        raise ValueError("devices.hj212_port is not set")
    crc16(b"")  # compiled now, and not when the first station waits
    return DeviceServer(
        settings, Protocol.HJ212, settings.hj212_port, lambda link: Hj212Session(link, intake), is_busy
    )
