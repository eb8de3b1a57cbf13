"""Rows of an office's table as fields that know their cells; a formula is never taken for a value."""

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import openpyxl

from domain.errors import Fault, InvalidInput
from fenghuo.tables import ZIP_MARK, Table

_KEPT_AS_TEXT = re.compile(r'="(.*)"', re.DOTALL)
"""How CSV files keep Excel from reading a number: no formula."""
FORMULA = "是公式，请粘贴为数值。 holds a formula: paste its value"
IGNORED = frozenset({"序号", "备注", "说明", "no", "note", "remark"})
"""Columns that lists have for their readers."""

Formulas = Mapping[str, frozenset[tuple[int, int]]]


@dataclass(frozen=True, slots=True)
class Fields:
    """One row: the text of each field whose cell is not empty, and where each cell stands."""

    line: int
    values: dict[str, str]
    place: str
    places: Mapping[str, str]
    broken: frozenset[str] = frozenset()
    """Fields whose cell holds a formula: that was told already."""

    def place_of(self, field: str) -> str:
        """Name the cell of a field, or the row when the table has no column for it."""
        return self.places.get(field, self.place)


def find_formulas(path: Path) -> Formulas:
    """Find the formula cells of each sheet of an XLSX file that was read before: (row, column), from 1; none in a CSV.

    What a spreadsheet once reckoned is not read in their place: it may be old, or not there at all, and an empty cell can
    mean everywhere.
    """
    content = path.read_bytes()
    if not content.startswith(ZIP_MARK):
        return {}
    book = openpyxl.load_workbook(io.BytesIO(content), keep_links=False)
    return {
        sheet.title: frozenset(
            (int(cell.row or 0), int(cell.column or 0))
            for row in sheet.iter_rows()
            for cell in row
            if getattr(cell, "data_type", "") == "f"
        )
        for sheet in book.worksheets
    }


def read_fields(
    table: Table, names: Mapping[str, str], formulas: frozenset[tuple[int, int]], faults: list[Fault]
) -> Iterator[Fields]:
    """Give the rows below a table's heading; `names` leads from what a column may be called, lower case, to its field.

    Columns that nobody knows and formulas become faults; InvalidInput when there is no heading at all.
    """
    heading = table.heading(names)
    faults += [
        Fault(table.place(heading.line), f"{name!r} is no column that is known here")
        for name in heading.unknown
        if name.lower() not in IGNORED
    ]
    below = {(line, column) for line, column in formulas if line > heading.line}
    fields = {column + 1: field for field, column in heading.columns.items()}
    for line, column in sorted(below):
        if column in fields:
            faults.append(Fault(table.place(line, column - 1), FORMULA))
    for entry in table.entries(heading):
        values = {field: _plain(text) for field, text in entry.values.items()}
        broken = {fields[column] for line, column in below if line == entry.line and column in fields}
        for field, text in values.items():
            if text.startswith("=") and field not in broken:
                faults.append(Fault(table.place(entry.line, heading.columns[field]), FORMULA))
                broken.add(field)
        yield Fields(
            line=entry.line,
            values={field: text for field, text in values.items() if field not in broken},
            place=table.place(entry.line),
            places={field: table.place(entry.line, column) for field, column in heading.columns.items()},
            broken=frozenset(broken),
        )


def _plain(text: str) -> str:
    found = _KEPT_AS_TEXT.fullmatch(text)
    return found[1].strip() if found else text


def names_of(columns: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Say what columns may be called: each field by its own name and by its others."""
    return {called.lower(): field for field, others in columns.items() for called in (field, *others)}


def raise_if_any(faults: list[Fault]) -> None:
    """Raise InvalidInput with all faults, each once."""
    if faults:
        raise InvalidInput(dict.fromkeys(faults))
