"""Values of SL 651 as bytes: decimal digits two a byte, times of Beijing, and elements with their formats."""

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

from config.hydrology import Element, ElementKind
from domain.errors import Fault, InvalidInput
from streams.packing import micros

BEIJING = timezone(timedelta(hours=8))
"""Asia/Shanghai since 1992; a fixed offset, because a logger's clock knows no other."""
NEGATIVE = 0xFF
MISSING = (0xFF, 0xAA)
"""All bytes of a value that was not measured, or was not valid."""
OWN = 0xFF
"""Before an identifier that a maker has given."""


def read_number(data: bytes, decimals: int) -> float | None:
    """Read decimal digits, two a byte, after FF if negative; None where nothing was measured, ValueError if not digits."""
    if data[0] in MISSING and data == data[:1] * len(data):
        return None
    is_negative = data[0] == NEGATIVE
    digits = data[is_negative:].hex()
    if not digits.isdecimal():
        raise ValueError("has digits that are not decimal")
    value = int(digits) / float(10**decimals)
    return -value if is_negative else value


def write_number(value: float | None, length: int, decimals: int) -> bytes:
    """Write a number, one byte longer if it is negative, and None as missing; ValueError where it does not fit."""
    if value is None:
        return bytes([MISSING[0]]) * length
    digits = f"{round(abs(value) * 10**decimals):0{2 * length}d}"
    if len(digits) > 2 * length:
        raise ValueError(f"{value} does not fit into {2 * length} digits, {decimals} of them decimals")
    return (bytes([NEGATIVE]) if value < 0 else b"") + bytes.fromhex(digits)


def read_time(data: bytes) -> int | None:
    """Read year, month, day, hour, minute and perhaps second as microseconds since 1970 UTC; None where it is no time."""
    digits = data.hex()
    if not digits.isdecimal():
        return None
    year, month, day, hour, minute, second = (
        int(digits[place : place + 2] or 0) for place in range(0, 12, 2)
    )
    try:
        return micros(datetime(2000 + year, month, day, hour, minute, second, tzinfo=BEIJING))
    except ValueError:
        return None


def write_time(at: datetime, *, seconds: bool) -> bytes:
    """Write an aware time."""
    return bytes.fromhex(at.astimezone(BEIJING).strftime("%y%m%d%H%M%S" if seconds else "%y%m%d%H%M"))


def read_step(data: bytes) -> int:
    """Read days, hours and minutes between values as microseconds; ValueError where it is no step."""
    digits = data.hex()
    if len(data) != 3 or not digits.isdecimal() or not int(digits):
        raise ValueError("is no step of days, hours and minutes")
    days, hours, minutes = (int(digits[place : place + 2]) for place in (0, 2, 4))
    return ((days * 24 + hours) * 60 + minutes) * 60_000_000


def read_duration(data: bytes) -> float | None:
    """Read hours and minutes as hours; None where nothing was measured, ValueError where it is no duration."""
    value = read_number(data, 0)
    return None if value is None else value // 100 + value % 100 / 60


def write_elements(values: Mapping[str, float | None], elements: Mapping[str, Element]) -> bytes:
    """Write numbers under their identifiers in the default formats; InvalidInput names each that cannot be written."""
    written, faults = b"", []
    for name, value in values.items():
        element = elements.get(name)
        if element is None or element.kind is not ElementKind.NUMBER:
            faults.append(Fault(name, "is no element that holds a number"))
            continue
        try:
            data = write_number(value, element.length, element.decimals)
        except ValueError as error:
            faults.append(Fault(name, str(error)))
            continue
        written += bytes.fromhex(name) + bytes([len(data) << 3 | element.decimals]) + data
    if faults:
        raise InvalidInput(faults)
    return written
