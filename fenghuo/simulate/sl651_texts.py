"""Texts that a simulated hydrological station sends: reports, an hour's series, even steps, a picture."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from config.hydrology import Element
from domain.errors import Fault, InvalidInput
from streams.sl651.elements import write_elements, write_number, write_time

STEP_MINUTES = 5
STEPS = 12
PICTURE_HEAD = bytes.fromhex("FFD8FFE000104A464946000101")


def station_guide(station: str, kind: str) -> bytes:
    """Write who reports: ten digits and a letter for the kind of station."""
    return b"\xf1\xf1" + bytes.fromhex(station) + kind.encode("ascii")


def time_guide(at: datetime) -> bytes:
    """Write when what follows was observed."""
    return b"\xf0\xf0" + write_time(at, seconds=False)


def report_text(at: datetime, values: Mapping[str, float | None], elements: Mapping[str, Element]) -> bytes:
    """Write values of one moment."""
    return time_guide(at) + write_elements(values, elements)


def hour_text(at: datetime, rain: Sequence[float | None], level: Sequence[float | None]) -> bytes:
    """Write the rain and the relative level of every five minutes of the hour that ends at a time."""
    first = at - timedelta(minutes=STEP_MINUTES * (STEPS - 1))
    return (
        time_guide(first)
        + bytes([0xF4, STEPS << 3])
        + b"".join(_binary("f4", value, 1, 0.1) for value in rain)
        + time_guide(first)
        + bytes([0xF5, STEPS * 2 << 3])
        + b"".join(_binary("f5", value, 2, 0.01) for value in level)
    )


def even_text(first: datetime, name: str, values: Sequence[float | None], element: Element) -> bytes:
    """Write values of one element, five minutes apart."""
    written = b"".join(write_number(value, element.length, element.decimals) for value in values)
    form = element.length << 3 | element.decimals
    step = bytes.fromhex(f"041800{0:02d}{STEP_MINUTES:02d}")
    return time_guide(first) + step + bytes.fromhex(name) + bytes([form]) + written


def _binary(name: str, value: float | None, size: int, resolution: float) -> bytes:
    number = round(value / resolution) if value is not None else (1 << 8 * size) - 1
    if not 0 <= number < 1 << 8 * size:
        raise InvalidInput([Fault(name, f"{value} does not fit into {size} bytes")])
    return number.to_bytes(size, "big")
