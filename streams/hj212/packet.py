"""Data segments of HJ 212 as packets, read with tolerance; `encode` writes them strictly.

A segment is `QN=…;ST=…;CN=…;PW=…;MN=…;Flag=…;PNUM=…;PNO=…;RF=1;CP=&&…&&`; the version stands in the high bits of Flag.
"""

import re

from msgspec import Struct

from domain.errors import Fault, InvalidInput

MOST_PARTS = 9_999
WANTS_ANSWER = 1
IS_SPLIT = 2
VERSIONS = (2005, 2017, 2025)

HEAD = re.compile(
    r"(?:QN=(\d{17});)?ST=(\d{2});CN=(\d{4});PW=([^;&=]{0,40});MN=(?:([0-9A-Fa-f]{1,40})|([\w.:\-]{1,40}));"
    r"(?:Flag=(\d{1,3});)?(?:RF=([01]);)?CP=&&",
    re.ASCII,
)
"""The head of a packet in one part as it should be, but for the MN; anything else is looked at field by field."""
CP_BEGIN = re.compile(r"CP=&&", re.IGNORECASE)
PATTERNS = {
    "QN": (re.compile(r"[\w\-]{0,40}", re.ASCII), "must be up to 40 letters and digits"),
    "ST": (re.compile(r"\w{1,5}", re.ASCII), "must be two digits"),
    "CN": (re.compile(r"\d{4}", re.ASCII), "must be four digits"),
    "PW": (re.compile(r"[^;&=]{0,40}"), "must be up to 40 characters, none of & ; ="),
    "MN": (re.compile(r"[\w.:\-]{1,40}", re.ASCII), "must be 1 to 40 letters, digits, or any of _ . : -"),
    "Flag": (re.compile(r"\d{1,3}", re.ASCII), "must be a number up to 255"),
    "PNUM": (re.compile(r"\d{1,8}", re.ASCII), "must be a number"),
    "PNO": (re.compile(r"\d{1,8}", re.ASCII), "must be a number"),
    "RF": (re.compile(r"[01]?"), "must be 0 or 1"),
}
REQUIRED = ("ST", "CN", "MN")
NAMES = {name.lower(): name for name in PATTERNS}
HEX = re.compile(r"[0-9A-Fa-f]+")
SENDER = re.compile(rb"(?:^|;)MN=([\w.:\-]{1,40});")
ENCODINGS = ("ascii", "utf-8", "gb18030")
"""The 2005 standard writes Chinese in GB 2312, the 2017 one some of it in UTF-8; loggers do either."""


class Packet(Struct, frozen=True, kw_only=True):
    """A packet; `cp` is the text between `&&` and `&&`, `notes` tell what was odd though it could be read.

    Notes: `mn` (not hexadecimal), `qn` (missing where the version wants one, or no time), `case` (names in other letters),
    `order` (fields in another order), `extra` (fields that the standard does not know), `version` (a version to come),
    `semicolon` (the CP ends in one), `empty-item` (nothing between two separators), `milliseconds` (DataTime has them),
    `unsplit` (Flag tells of parts, but there is no PNUM); and those of the frame.
    """

    st: str
    cn: str
    mn: str
    qn: str = ""
    pw: str = ""
    flag: int | None = None
    pnum: int | None = None
    pno: int | None = None
    rf: bool = False
    cp: str = ""
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Packet(mn={self.mn!r}, cn={self.cn!r}, qn={self.qn!r}, {len(self.cp)} characters)"

    @property
    def version(self) -> int:
        """Tell which edition of the standard it is written by."""
        return VERSIONS[min((self.flag or 0) >> 2, 2)]

    @property
    def wants_answer(self) -> bool:
        """Say whether an answer is asked for."""
        return bool((self.flag or 0) & WANTS_ANSWER)

    @property
    def is_part(self) -> bool:
        """Say whether it is one of several that belong together."""
        return self.pno is not None and self.pnum is not None and self.pnum > 1

    def groups(self) -> list[dict[str, str]]:
        """Read the CP: its groups, each with its items by name."""
        groups = (
            dict(item.strip().partition("=")[::2] for item in group.split(",") if item.strip())
            for group in self.cp.split(";")
        )
        return [group for group in groups if group]

    def values(self) -> dict[str, str]:
        """Read the CP as one table; of items with the same name the last one stays."""
        return {name: value for group in self.groups() for name, value in group.items()}


def sender_of(segment: bytes) -> str:
    """Find the MN in a segment that may be encrypted or wrong; empty when there is none."""
    found = SENDER.search(segment)
    return found[1].decode("ascii") if found else ""


def parse_segment(segment: bytes, notes: tuple[str, ...] = ()) -> Packet:
    """Read a data segment, with the notes of its frame; InvalidInput with every fault when that cannot be done."""
    text = _text(segment)
    head = HEAD.match(text)
    if head is None or not text.endswith("&&", head.end()):
        return _parse_slowly(text, notes)
    qn, st, cn, pw, mn, other_mn, flag_text, rf = head.groups()
    flag = int(flag_text) if flag_text else None
    if flag is not None and (flag > 11 or not qn or flag & IS_SPLIT):
        return _parse_slowly(text, notes)
    cp = text[head.end() : -2]
    if other_mn:
        notes = (*notes, "mn")
    cp, notes = _tidy(cp, notes)
    return Packet(
        st=st,
        cn=cn,
        mn=mn or other_mn,
        qn=qn or "",
        pw=pw,
        flag=flag,
        rf=rf == "1",
        cp=cp,
        notes=notes,
    )


def _text(segment: bytes) -> str:
    for encoding in ENCODINGS:
        try:
            return segment.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InvalidInput([Fault("segment", "is text in none of ASCII, UTF-8 and GB 18030")])


def _tidy(cp: str, notes: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Take off what says nothing at the ends of a CP, and note what is odd in it."""
    cp = cp.strip()
    if cp.endswith((";", ",")):
        cp = cp.rstrip(";, ")
        notes = (*notes, "semicolon")
    if (";;" in cp or ",," in cp or ",;" in cp or ";," in cp or cp.startswith((";", ","))) and cp:
        notes = (*notes, "empty-item")
    time = cp.find("DataTime=")
    if time >= 0 and cp[time + 23 : time + 24].isdigit():
        notes = (*notes, "milliseconds")
    return cp, notes


def _parse_slowly(text: str, notes: tuple[str, ...]) -> Packet:
    """Read a head that is not as it should be, field by field."""
    faults: list[Fault] = []
    odd: dict[str, None] = {}
    begin = CP_BEGIN.search(text)
    if begin is None:
        faults.append(Fault("CP", "is missing"))
    elif not text.endswith("&&", begin.end()):
        faults.append(Fault("CP", "must end in &&"))
    fields: dict[str, str] = {}
    for field in filter(None, map(str.strip, text[: begin.start() if begin else None].split(";"))):
        written, equals, value = map(str.strip, field.partition("="))
        name = NAMES.get(written.lower())
        if name is None or not equals:
            odd["extra"] = None
        elif name in fields:
            faults.append(Fault(name, "is there twice"))
        else:
            if name != written:
                odd["case"] = None
            pattern, reason = PATTERNS[name]
            if pattern.fullmatch(value):
                fields[name] = value
            else:
                faults.append(Fault(name, reason))
    said = {fault.field for fault in faults}
    faults.extend(Fault(name, "is missing") for name in REQUIRED if name not in fields and name not in said)
    flag = int(fields["Flag"]) if "Flag" in fields else None
    if flag is not None and flag > 255:
        faults.append(Fault("Flag", "must be a number up to 255"))
    pnum, pno = _parts(fields, faults)
    if faults:
        raise InvalidInput(faults)
    if begin is not None and begin[0] != "CP=&&":
        odd["case"] = None
    if list(fields) != [name for name in PATTERNS if name in fields]:
        odd["order"] = None
    qn, version = fields.get("QN", ""), (flag or 0) >> 2
    if (version and not qn) or (qn and not (len(qn) == 17 and qn.isdigit())):
        odd["qn"] = None
    if version > 2:
        odd["version"] = None
    if version and flag and flag & IS_SPLIT and pnum is None:
        odd["unsplit"] = None  # requests of 2005 have this bit without parts
    if not HEX.fullmatch(fields["MN"]):
        odd["mn"] = None
    cp, notes = _tidy(text[begin.end() : -2] if begin else "", (*notes, *odd))
    return Packet(
        st=fields["ST"],
        cn=fields["CN"],
        mn=fields["MN"],
        qn=qn,
        pw=fields.get("PW", ""),
        flag=flag,
        pnum=pnum,
        pno=pno,
        rf=fields.get("RF") == "1",
        cp=cp,
        notes=notes,
    )


def _parts(fields: dict[str, str], faults: list[Fault]) -> tuple[int | None, int | None]:
    """Read which part of how many it is."""
    pnum, pno = (int(fields[name]) if name in fields else None for name in ("PNUM", "PNO"))
    if pnum is None and pno is None:
        return None, None
    if pnum is None or not 1 <= pnum <= MOST_PARTS:
        faults.append(Fault("PNUM", f"must be 1 to {MOST_PARTS} where there is a PNO"))
    elif pno is None or not 1 <= pno <= pnum:
        faults.append(Fault("PNO", f"must be 1 to PNUM, which is {pnum}"))
    return pnum, pno
