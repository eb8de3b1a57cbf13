"""From the rows of a file to orders as the gateway takes them; what is wrong is told by row and column, never by value."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from msgspec import structs

from domain.decode import convert
from domain.errors import Fault, InvalidInput
from domain.inputs import Person, TicketIn
from fenghuo.tables import Row, Table
from fenghuo.tickets.heading import Column, Heading
from fenghuo.tickets.map import CALLER, FLAGS, TIMES, TicketMap
from fenghuo.tickets.times import parse_time

_QUOTED = re.compile(r'="(.*)"', re.DOTALL)
"""How CSV files keep Excel from reading a number."""
_ROUNDED = re.compile(r"\d(\.\d+)?[eE]\+?\d+")
_EXCEL_ERRORS = frozenset({"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!"})
NUMBERS = ("order_number", "caller_phone", "caller_id_number", "area")
TRUTH = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class RowFault:
    """Why a row is not taken: where it stands, in which column if it is one, which field, and the reason."""

    line: int
    column: Column | None
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Order:
    """A row that may be sent: its line, the time of the call, and the JSON of the order."""

    line: int
    number: str
    at: datetime
    body: bytes


@dataclass(frozen=True, slots=True)
class Orders:
    """What a file holds: the orders in order of time, the faults of the other rows, and how often a number is repeated."""

    heading: Heading
    orders: tuple[Order, ...]
    faults: tuple[RowFault, ...]
    rows: int
    repeated: int


def read_orders(table: Table, heading: Heading, ticket_map: TicketMap) -> Orders:
    """Read all rows below the heading; those that are empty are none."""
    reader = _Reader(heading, ticket_map)
    orders: list[Order] = []
    faults: list[RowFault] = []
    rows = 0
    for row in table.rows:
        if row.line > heading.line and row:
            rows += 1
            try:
                orders.append(reader.read(row))
            except InvalidInput as error:
                faults += reader.placed(row, error.faults)
    orders.sort(key=lambda order: order.at)  # stable: pushes of one order stay in the order of the file
    repeated = len(orders) - len({order.number for order in orders})
    return Orders(heading, tuple(orders), tuple(faults), rows, repeated)


class _Reader:
    """Reads rows under one heading and map."""

    def __init__(self, heading: Heading, ticket_map: TicketMap) -> None:
        self._heading = heading
        self._map = ticket_map
        self._zone = ticket_map.timezone()
        self._clock = ticket_map.clock()
        self._values = {
            field: {name.strip(): value for name, value in names.items()}
            for field, names in ticket_map.values.items()
        }

    def read(self, row: Row) -> Order:
        """Make an order of a row; InvalidInput with all its faults, by field."""
        values: dict[str, Any] = dict(self._map.constants)
        faults: list[Fault] = []
        for field, column in self._heading.fields.items():
            cell = _cell(row, column)
            if cell:
                try:
                    values[field] = self._value(field, cell)
                except ValueError as error:
                    faults.append(Fault(field, str(error)))
        if address := self._address(row, values.get("address", "")):
            values["address"] = address
        broken = {fault.field for fault in faults}
        caller = {CALLER[field]: values.pop(field) for field in CALLER if field in values}
        try:
            item = convert(TicketIn, values | ({"caller": caller} if caller else {}))
        except InvalidInput as error:
            faults += [fault for fault in error.faults if fault.field not in broken]
        else:
            if item.area is None and item.address is None:
                faults.append(Fault("area", "is missing, and so is the address"))
            if not faults:
                return Order(row.line, item.order_number, item.observed_at, _encode(item))
        raise InvalidInput(faults)

    def placed(self, row: Row, faults: tuple[Fault, ...]) -> Iterator[RowFault]:
        """Name row and column of faults."""
        for fault in faults:
            field = fault.field.replace("caller.", "caller_")
            yield RowFault(row.line, self._heading.fields.get(field), field, fault.reason)

    def _value(self, field: str, cell: str) -> Any:
        if cell in _EXCEL_ERRORS:
            raise ValueError("holds an error of Excel")
        if quoted := _QUOTED.fullmatch(cell):
            cell = quoted.group(1)
        if field in NUMBERS:
            cell = cell.lstrip("'").strip()
            if _ROUNDED.fullmatch(cell):
                raise ValueError("is a number that Excel has rounded: store the column as text")
        cell = self._values.get(field, {}).get(cell, cell)
        if field in TIMES:
            return parse_time(cell, self._zone, self._clock)
        if field in FLAGS:
            if cell.lower() not in TRUTH:
                known = "、".join(self._values.get(field, {}))
                raise ValueError(f"must be true, false or one of {known}: translate it in [values.{field}]")
            return TRUTH[cell.lower()]
        return cell

    def _address(self, row: Row, address: str) -> str:
        """Put county, township and village before an address that does not name them itself."""
        for column in reversed(self._heading.parts):
            part = _cell(row, column)
            if part and part not in address and part not in _EXCEL_ERRORS:
                address = part + address
        return address


def _cell(row: Row, column: Column) -> str:
    return row.cells[column.number] if column.number < len(row.cells) else ""


def _encode(item: TicketIn) -> bytes:
    return msgspec.json.encode(
        {name: _bare(value) for name, value in structs.asdict(item).items() if value is not None}
    )


def _bare(value: Any) -> Any:
    if isinstance(value, Person):
        known: Mapping[str, Any] = structs.asdict(value)
        return {name: part for name, part in known.items() if part is not None}
    return value
