"""Packets of HJ 212 as frames: as strict as the standard, cut into parts where one frame is too short."""

import re

from msgspec import structs

from domain.errors import Fault, InvalidInput
from streams.hj212.frames import MAX_SEGMENT, encode_frame
from streams.hj212.packet import IS_SPLIT, MOST_PARTS, Packet
from streams.hj212.sm4 import seal_frame

MAX_CP = 950
"""Longest CP, without its `&&`, that the standard allows in one frame."""
AROUND_CP = len("CP=&&&&")
RULES = (
    ("QN", re.compile(r"(\d{17})?", re.ASCII), "must be 17 digits"),
    ("ST", re.compile(r"\d{2}", re.ASCII), "must be two digits"),
    ("CN", re.compile(r"\d{4}", re.ASCII), "must be four digits"),
    ("PW", re.compile(r"[!-%'-:<>-~]{0,40}"), "must be up to 40 visible characters, none of & ; ="),
    ("MN", re.compile(r"[\w.:\-]{1,40}", re.ASCII), "must be 1 to 40 letters, digits, or any of _ . : -"),
)
BREAKS_FRAME = re.compile(r"&&|##|[\r\n]|^&|&$")


def encode_packet(packet: Packet, key: bytes | None = None) -> list[bytes]:
    """Write a packet as one frame, or as several when its CP is too long for one; with a key, encrypted.

    A long CP is cut between groups, and each frame says which of how many it is. InvalidInput with every fault when the
    standard does not allow the packet, such as a single group that fits no frame.
    """
    if faults := _faults_in_writing(packet):
        raise InvalidInput(faults)
    cp = packet.cp.encode()
    head = _head(packet)
    if len(cp) <= MAX_CP and len(head) + len(cp) + AROUND_CP <= MAX_SEGMENT:
        return [_frame(head, cp, key)]
    if packet.pnum is not None:
        raise InvalidInput([Fault("CP", f"has {len(cp)} bytes, and a part cannot be cut into parts")])
    flag = (packet.flag or 0) | IS_SPLIT
    longest = _head(structs.replace(packet, flag=flag, pnum=MOST_PARTS, pno=MOST_PARTS))
    pieces = _cut(cp, min(MAX_CP, MAX_SEGMENT - len(longest) - AROUND_CP))
    return [
        _frame(_head(structs.replace(packet, flag=flag, pnum=len(pieces), pno=number)), piece, key)
        for number, piece in enumerate(pieces, 1)
    ]


def _faults_in_writing(packet: Packet) -> list[Fault]:
    """Find what the standard does not allow to be sent."""
    faults = [
        Fault(name, reason)
        for name, pattern, reason in RULES
        if not pattern.fullmatch(getattr(packet, name.lower()))
    ]
    if packet.flag is not None and not 0 <= packet.flag <= 255:
        faults.append(Fault("Flag", "must be 0 to 255"))
    if (packet.pnum is None) is not (packet.pno is None):
        faults.append(Fault("PNO", "goes together with PNUM"))
    if BREAKS_FRAME.search(packet.cp):
        faults.append(Fault("CP", "must hold neither && nor ## nor a line end, and not begin or end in &"))
    return faults


def _head(packet: Packet) -> bytes:
    qn = f"QN={packet.qn};" if packet.qn else ""
    pw = f"PW={packet.pw};" if packet.pw else ""
    flag = "" if packet.flag is None else f"Flag={packet.flag};"
    part = "" if packet.pnum is None else f"PNUM={packet.pnum};PNO={packet.pno};"
    resent = "RF=1;" if packet.rf else ""
    return f"{qn}ST={packet.st};CN={packet.cn};{pw}MN={packet.mn};{flag}{part}{resent}".encode()


def segment_of(packet: Packet) -> bytes:
    """Write a packet as a data segment, whether or not the standard allows it."""
    return _head(packet) + b"CP=&&" + packet.cp.encode() + b"&&"


def _frame(head: bytes, cp: bytes, key: bytes | None) -> bytes:
    segment = head + b"CP=&&" + cp + b"&&"
    return encode_frame(segment) if key is None else seal_frame(segment, key)


def _cut(cp: bytes, most: int) -> list[bytes]:
    """Cut a CP between groups into as few pieces as possible."""
    pieces: list[bytes] = []
    for group in cp.split(b";"):
        if len(group) > most:
            raise InvalidInput(
                [Fault("CP", f"has a group of {len(group)} bytes, at most {most} fit in a frame")]
            )
        if pieces and len(pieces[-1]) + 1 + len(group) <= most:
            pieces[-1] += b";" + group
        else:
            pieces.append(group)
    if len(pieces) > MOST_PARTS:
        raise InvalidInput(
            [Fault("CP", f"would need {len(pieces)} frames, at most {MOST_PARTS} may belong together")]
        )
    return pieces
