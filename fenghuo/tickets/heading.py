"""Which column of a file is which of our fields: found by the headers, however many rows they take."""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from openpyxl.utils import get_column_letter

from domain.errors import Fault, InvalidInput
from fenghuo.tables import HEAD_ROWS, Row, Table
from fenghuo.tickets.map import REQUIRED, Headers, TicketMap

JOINT = "/"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the file: its number from 0, and its header as it is written there."""

    number: int
    header: str

    @property
    def letter(self) -> str:
        """Name it as a spreadsheet does."""
        return get_column_letter(self.number + 1)


@dataclass(frozen=True, slots=True)
class Heading:
    """The columns of each field, those that make up the address, and what is not read; data begins below `line`."""

    line: int
    fields: dict[str, Column]
    parts: tuple[Column, ...]
    unread: tuple[Column, ...]


def find_heading(table: Table, ticket_map: TicketMap) -> Heading:
    """Find the heading; InvalidInput with everything that is missing or there twice."""
    if ticket_map.header_rows:
        lines = set(ticket_map.header_rows)
        found = _heading([row for row in table.rows if row.line in lines], ticket_map)
    else:
        several = (_heading([row], ticket_map) for row in table.rows[:HEAD_ROWS] if row)
        found = max(several, key=lambda one: len(one[0].fields), default=_heading([], ticket_map))
    heading, faults = found
    if not heading.fields:
        where = "the rows that the map names" if ticket_map.header_rows else f"the first {HEAD_ROWS} rows"
        raise InvalidInput([Fault(table.name, f"no header that is known is in {where}")])
    faults += _missing(heading, ticket_map)
    if faults:
        raise InvalidInput(Fault(table.name, reason) for reason in faults)
    return heading


def _heading(rows: Sequence[Row], ticket_map: TicketMap) -> tuple[Heading, list[str]]:
    columns = [Column(number, header) for number, header in enumerate(_headers(rows)) if header]
    faults: list[str] = []
    fields = {}
    for field, names in ticket_map.columns.items():
        if (column := _find(columns, names, faults)) is not None:
            fields[field] = column
    parts = [column for names in ticket_map.address.parts if (column := _find(columns, names, faults))]
    used = {column.number for column in (*fields.values(), *parts)}
    unread = tuple(column for column in columns if column.number not in used)
    line = max((row.line for row in rows), default=0)
    return Heading(line, fields, tuple(parts), unread), list(dict.fromkeys(faults))


def _headers(rows: Sequence[Row]) -> Iterator[str]:
    """Read the headers of each column from above; a cell merged over several rows counts once."""
    for number in range(max((len(row.cells) for row in rows), default=0)):
        cells = [row.cells[number] for row in rows if number < len(row.cells)]
        yield JOINT.join(dict.fromkeys(cell for cell in cells if cell))


def _find(columns: Sequence[Column], names: Headers, faults: list[str]) -> Column | None:
    """Find the first name that a column has: its whole header, else the lowest row of it."""
    for name in map(_plain, names):
        whole = [column for column in columns if _plain(column.header) == name]
        own = whole or [column for column in columns if _plain(column.header.rpartition(JOINT)[2]) == name]
        if len(own) > 1:
            letters = ", ".join(column.letter for column in own)
            faults.append(f"{own[0].header!r} is there more than once, in columns {letters}")
        if own:
            return own[0]
    return None


def _plain(header: str) -> str:
    return "".join(unicodedata.normalize("NFKC", header).split()).lower().rstrip("*:")


def _missing(heading: Heading, ticket_map: TicketMap) -> Iterator[str]:
    for field in REQUIRED:
        if field not in heading.fields and field not in ticket_map.constants:
            yield f"has no column for {field}: none is called {'、'.join(ticket_map.columns.get(field, ())) or 'so'}"
    has_place = {"area", "address"} & (heading.fields.keys() | ticket_map.constants.keys()) or heading.parts
    if not has_place:
        yield "says nowhere where: it needs a column for area or address, or a constant area in the map"
