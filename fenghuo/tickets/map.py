"""The map from a file's columns to our fields: a shipped one for common exports, overlaid by the operator's own."""

import hashlib
import tomllib
from collections.abc import Iterator
from datetime import time
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta, Struct

from domain.decode import convert
from domain.errors import Fault, InvalidConfiguration, InvalidInput
from domain.hotline import ORDER_TIMES
from domain.inputs import Person, TicketIn

SHIPPED = Path(__file__).parent / "data" / "map.toml"
CALLER = {f"caller_{name}": name for name in Person.__struct_fields__}
FIELDS = (*(name for name in TicketIn.__struct_fields__ if name != "caller"), *CALLER)
"""What a column may be mapped to."""
TIMES = ("observed_at", *ORDER_TIMES)
FLAGS = ("responded", "resolved")
REQUIRED = ("order_number", "observed_at", "text")
Headers = tuple[str, ...]


class AddressParts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Columns that say where in words: county, township, village. They go before the address, each unless it is in it."""

    parts: tuple[Headers, ...] = ()


class TicketMap(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a file is read. `columns` names each field's column, alternatives in order; an empty list leaves a field out.

    `values` translates what stands in a field; `constants` fill fields that a row has not. `header_rows` are looked for
    where none are named; several are read together, as `来电人/电话`.
    """

    columns: dict[str, Headers] = {}
    address: AddressParts = AddressParts()
    values: dict[str, dict[str, str]] = {}
    constants: dict[str, str] = {}
    header_rows: Annotated[tuple[Annotated[int, Meta(ge=1, le=1_000)], ...], Meta(max_length=5)] = ()
    sheet: str | None = None
    zone: str = "Asia/Shanghai"
    time_of_day: str | None = None

    @property
    def digest(self) -> str:
        """Tell maps apart: what was imported under another one is imported anew."""
        return hashlib.sha256(msgspec.json.encode(self, order="sorted")).hexdigest()

    def timezone(self) -> ZoneInfo:
        """Name the zone of times that have no offset."""
        return ZoneInfo(self.zone)

    def clock(self) -> time | None:
        """Tell the time of day of dates that have none."""
        return None if self.time_of_day is None else time.fromisoformat(self.time_of_day)


def read_map(path: Path | None = None) -> TicketMap:
    """Read a map over the shipped one, field by field; InvalidConfiguration with every fault."""
    content = _read(SHIPPED)
    if path is not None:
        content = _overlay(content, _read(path))
    name = (path or SHIPPED).name
    try:
        found = convert(TicketMap, content)
    except InvalidInput as error:
        raise InvalidConfiguration(
            Fault(f"{name}: {one.field}", one.reason) for one in error.faults
        ) from error
    if faults := [Fault(f"{name}: {one.field}", one.reason) for one in _faults(found)]:
        raise InvalidConfiguration(faults)
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InvalidConfiguration([Fault(str(path), f"cannot be read: {error.strerror}")]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidConfiguration([Fault(str(path), f"is not TOML: {error}")]) from error


def _overlay(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for name, value in above.items():
        under = merged.get(name)
        merged[name] = (
            _overlay(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
        )
    return merged


def _faults(found: TicketMap) -> Iterator[Fault]:
    for table in ("columns", "values", "constants"):
        for name in getattr(found, table).keys() - set(FIELDS):
            yield Fault(f"{table}.{name}", f"is no field: there are {', '.join(FIELDS)}")
    for name in {"order_number", *TIMES, *CALLER} & found.constants.keys():
        yield Fault(f"constants.{name}", "cannot be the same for all orders")
    try:
        found.timezone()
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield Fault("zone", "is no time zone such as Asia/Shanghai")
    try:
        found.clock()
    except ValueError:
        yield Fault("time_of_day", "is no time such as 12:00")
