"""The Common Alerting Protocol 1.2 in our words: its message as plain types, its closed sets, times, references, ids."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from enum import StrEnum

from domain.levels import Level

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
OLDER_NAMESPACES = {
    "urn:oasis:names:tc:emergency:cap:1.1": "CAP 1.1",
    "http://www.incident.com/cap/1.0": "CAP 1.0",
}
CONTENT_TYPE = "application/cap+xml"
BEIJING = timezone(timedelta(hours=8), "Asia/Shanghai")
"""Without summer time since 1991: a fixed offset needs no time zone data on the machine."""


class Status(StrEnum):
    """How a message is meant to be handled; only Actual may make anybody act."""

    ACTUAL = "Actual"
    EXERCISE = "Exercise"
    SYSTEM = "System"
    TEST = "Test"
    DRAFT = "Draft"


class MessageType(StrEnum):
    """What a message does to the ones before it."""

    ALERT = "Alert"
    UPDATE = "Update"
    CANCEL = "Cancel"
    ACK = "Ack"
    ERROR = "Error"


class Scope(StrEnum):
    """For whom a message is meant."""

    PUBLIC = "Public"
    RESTRICTED = "Restricted"
    PRIVATE = "Private"


class Severity(StrEnum):
    """How grave the event is."""

    EXTREME = "Extreme"
    SEVERE = "Severe"
    MODERATE = "Moderate"
    MINOR = "Minor"
    UNKNOWN = "Unknown"


class Urgency(StrEnum):
    """How soon something must be done."""

    IMMEDIATE = "Immediate"
    EXPECTED = "Expected"
    FUTURE = "Future"
    PAST = "Past"
    UNKNOWN = "Unknown"


class Certainty(StrEnum):
    """How sure the event is."""

    OBSERVED = "Observed"
    LIKELY = "Likely"
    POSSIBLE = "Possible"
    UNLIKELY = "Unlikely"
    UNKNOWN = "Unknown"


SEVERITY_OF = {
    Level.RED: Severity.EXTREME,
    Level.ORANGE: Severity.SEVERE,
    Level.YELLOW: Severity.MODERATE,
    Level.BLUE: Severity.MINOR,
}
LEVEL_OF = {severity: level for level, severity in SEVERITY_OF.items()}
"""Unknown has no level."""

Point = tuple[float, float]
"""Latitude and longitude in degrees, WGS-84: the order of CAP, not that of our outlines."""


@dataclass(frozen=True, slots=True)
class CapArea:
    """Where: polygons are closed rings, circles a centre with a radius in km, geocodes names with values."""

    description: str
    polygons: tuple[tuple[Point, ...], ...] = ()
    circles: tuple[tuple[Point, float], ...] = ()
    geocodes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CapInfo:
    """What happens, in one language; times are aware."""

    event: str
    categories: tuple[str, ...]
    urgency: Urgency
    severity: Severity
    certainty: Certainty
    language: str = "en-US"
    responses: tuple[str, ...] = ()
    event_codes: tuple[tuple[str, str], ...] = ()
    effective: datetime | None = None
    onset: datetime | None = None
    expires: datetime | None = None
    sender_name: str = ""
    headline: str = ""
    description: str = ""
    instruction: str = ""
    areas: tuple[CapArea, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """An earlier message, as a later one names it."""

    sender: str
    identifier: str
    sent: datetime

    def __str__(self) -> str:
        return f"{self.sender},{self.identifier},{write_time(self.sent)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CapAlert:
    """One message. `restriction` belongs to Restricted, `addresses` to Private messages."""

    identifier: str
    sender: str
    sent: datetime
    status: Status
    type: MessageType
    scope: Scope
    source: str = ""
    restriction: str = ""
    addresses: str = ""
    codes: tuple[str, ...] = ()
    note: str = ""
    references: tuple[Reference, ...] = ()
    incidents: str = ""
    infos: tuple[CapInfo, ...] = ()

    @property
    def reference(self) -> Reference:
        """Name this message as a later one does."""
        return Reference(sender=self.sender, identifier=self.identifier, sent=self.sent)


STRICT_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d")


def write_time(at: datetime) -> str:
    """Write an aware time as CAP wants it, in Beijing time: no Z, no fractions of a second."""
    if at.tzinfo is None:
        raise ValueError("a CAP time needs a zone")
    return at.astimezone(BEIJING).replace(microsecond=0).isoformat()


def read_time(text: str) -> tuple[datetime, str | None]:
    """Read a time, and say what about its form is not CAP's; ValueError when it is no time, or has no zone.

    Z, fractions of a second, a zone without a colon and a space for the T are common and clear, so they are read.
    """
    given = text.strip()
    try:
        at = datetime.fromisoformat(given)
    except ValueError:
        raise ValueError("is no time: write YYYY-MM-DDThh:mm:ss+08:00") from None
    if at.tzinfo is None:
        raise ValueError("has no zone: write YYYY-MM-DDThh:mm:ss+08:00")
    if STRICT_TIME.fullmatch(given):
        return at, None
    return at.replace(microsecond=0), "is not of the form YYYY-MM-DDThh:mm:ss+08:00, but clear"


def read_references(text: str) -> tuple[Reference, ...]:
    """Read `sender,identifier,sent` separated by white space; ValueError names the first that is not of that form."""
    found = []
    for number, word in enumerate(text.split(), 1):
        parts = word.split(",")
        if len(parts) != 3 or not all(parts):
            raise ValueError(f"number {number} is not sender,identifier,sent")
        try:
            sent, _ = read_time(parts[2])
        except ValueError as error:
            raise ValueError(f"number {number}: the time {error}") from error
        found.append(Reference(sender=parts[0], identifier=parts[1], sent=sent))
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChineseIdentifier:
    """An identifier as GB/T 35965.1 builds it: the issuing office, Beijing time, and a number where several left at once.

    `area` is the six-digit code of the office's area (GB/T 2260), `department` its branch (GB/T 4657, 416 is weather),
    `unit` its part and `extension` spare, zeros by default.
    """

    area: str
    department: str
    issued: datetime
    unit: str = "000"
    extension: str = "00"
    number: int | None = None

    def __str__(self) -> str:
        office = f"{self.area}{self.department}{self.unit}{self.extension}"
        stamp = self.issued.astimezone(BEIJING).strftime("%Y%m%d%H%M%S")
        return f"{office}_{stamp}" + ("" if self.number is None else f"_{self.number}")


_CHINESE = re.compile(r"(\d{6})(\d{3})(\d{3})(\d{2})_(\d{14})(?:_(\d))?")


def read_chinese_identifier(text: str) -> ChineseIdentifier | None:
    """Take an identifier of GB/T 35965.1 apart; None when it is of another form."""
    match = _CHINESE.fullmatch(text.strip())
    if match is None:
        return None
    area, department, unit, extension, stamp, number = match.groups()
    try:
        issued = datetime.strptime(stamp, "%Y%m%d%H%M%S").replace(tzinfo=BEIJING)
    except ValueError:
        return None
    return ChineseIdentifier(
        area=area,
        department=department,
        unit=unit,
        extension=extension,
        issued=issued,
        number=None if number is None else int(number),
    )


_CODE_NAMES = ("gb/t2260", "gb/t10114", "行政区划代码", "行政区划", "adcode", "areacode", "admincode")
AREA_CODE_NAME, TOWNSHIP_CODE_NAME = "GB/T 2260", "GB/T 10114"
"""What we call the six digits of a county and the nine of a township when we write."""


def area_code_of(name: str, value: str) -> str | None:
    """Read a geocode as one of our area codes; None when it is of another system.

    Codes are filled up with zeros to six or twelve digits in official tables, ours are not: 110000 is 11.
    """
    plain = re.sub(r"[\s_\-]", "", name).lower()
    code = value.strip()
    if not (code.isascii() and code.isdigit()) or not plain.startswith(_CODE_NAMES):
        return None
    for whole, levels in ((12, (9, 6)), (9, (6,)), (6, (4, 2))):
        if len(code) == whole:
            for length in levels:
                if not code[length:].strip("0"):
                    code = code[:length]
    return code
