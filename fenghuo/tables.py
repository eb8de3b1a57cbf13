"""Tables as offices send them: CSV in UTF-8 or GBK and XLSX, read into rows of text that know where they stood."""

import csv
import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import openpyxl
from defusedxml.ElementTree import iterparse  # type: ignore[import-untyped]  # ships no types
from openpyxl.utils import get_column_letter, range_boundaries
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.worksheet import Worksheet

from domain.errors import Fault, InvalidInput

MAX_BYTES = 64 * 1024 * 1024
MAX_UNPACKED_BYTES = 512 * 1024 * 1024
"""An XLSX is a ZIP: a small file may hold gigabytes, and openpyxl would build them all."""
MAX_ROWS, MAX_COLUMNS = 500_000, 500
HEAD_ROWS = 20
"""The heading is looked for in so many rows: a title, a unit and a date often stand above it."""
HEAD_BYTES = 100_000
MAX_MERGED_CELLS = 2_000_000
"""One entry of a few bytes merges all 17 billion cells of a sheet, and openpyxl makes an object of each."""
ENCODINGS = ("utf-8-sig", "gb18030")
"""In this order: text in GBK is hardly ever valid UTF-8. GB 18030 contains GBK and GB 2312."""
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
ZIP_MARK, OLD_EXCEL_MARK = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
DELIMITERS = ",\t;"


@dataclass(frozen=True, slots=True)
class Row:
    """One row; `line` counts from 1 as people see it, cells are stripped, and "" where nothing stands."""

    line: int
    cells: tuple[str, ...]

    def __bool__(self) -> bool:
        return any(self.cells)


@dataclass(frozen=True, slots=True)
class Entry:
    """A row under a heading: its values by field; fields whose cell is empty are not there."""

    line: int
    values: dict[str, str]


@dataclass(frozen=True, slots=True)
class Heading:
    """The heading of a table: the column of each field, and what the columns are called that no field has."""

    line: int
    columns: dict[str, int]
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """All rows of a CSV file or of one sheet, empty ones too, so that a heading may stand anywhere."""

    name: str
    rows: tuple[Row, ...]

    def place(self, line: int, column: int | None = None) -> str:
        """Name a place as a spreadsheet does: `stations.xlsx [设备]: row 12, column C`."""
        where = f"{self.name}: row {line}"
        return where if column is None else f"{where}, column {get_column_letter(column + 1)}"

    def heading(self, names: Mapping[str, str]) -> Heading:
        """Find the row that names most fields; `names` leads from what a column may be called, lower case, to its field.

        InvalidInput when no row near the top names any, or when it names one twice.
        """
        best: dict[str, int] = {}
        found = 0
        doubles: list[tuple[int, str]] = []
        unknown: tuple[str, ...] = ()
        for row in self.rows[:HEAD_ROWS]:
            columns: dict[str, int] = {}
            twice = []
            for number, cell in enumerate(row.cells):
                field = names.get(cell.lower())
                if field is None:
                    continue
                if field in columns:
                    twice.append((number, cell))
                columns.setdefault(field, number)
            if len(columns) > len(best):
                best, found, doubles = columns, row.line, twice
                unknown = tuple(cell for cell in row.cells if cell and cell.lower() not in names)
        if not best:
            raise InvalidInput([Fault(self.name, f"none of the first {HEAD_ROWS} rows is a heading")])
        if doubles:
            raise InvalidInput(
                [Fault(self.place(found, column), f"{cell!r} is there twice") for column, cell in doubles]
            )
        return Heading(found, best, unknown)

    def entries(self, heading: Heading) -> Iterator[Entry]:
        """Give the rows below the heading that are not empty."""
        for row in self.rows:
            if row.line > heading.line and row:
                cells = {field: row.cells[at] for field, at in heading.columns.items() if at < len(row.cells)}
                values = {field: cell for field, cell in cells.items() if cell}
                if values:
                    yield Entry(row.line, values)


def read_table(path: Path, sheet: str | None = None) -> Table:
    """Read a CSV file or a sheet of an XLSX file (the first, unless one is named); by content, whatever it is called.

    A value of merged cells stands in each of them. InvalidInput, naming the file, when it cannot be read.
    """
    tables = read_tables(path)
    if sheet is None:
        return next(iter(tables.values()))
    if sheet not in tables:
        raise InvalidInput([Fault(path.name, f"has no sheet {sheet!r}: there are {', '.join(tables)}")])
    return tables[sheet]


def read_tables(path: Path) -> dict[str, Table]:
    """Read all sheets by name, in their order; a CSV file is one sheet without a name."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InvalidInput(
                [Fault(path.name, f"is larger than {MAX_BYTES // 1024 // 1024} MiB: split it")]
            )
        content = path.read_bytes()
    except OSError as error:
        raise InvalidInput([Fault(str(path), f"cannot be read: {error.strerror}")]) from error
    if content.startswith(OLD_EXCEL_MARK):
        raise InvalidInput(
            [Fault(path.name, "is an old Excel file (.xls) or locked by a password: save it as .xlsx")]
        )
    if content.startswith(ZIP_MARK):
        return _read_xlsx(path.name, content)
    return {"": Table(path.name, tuple(_read_csv(path.name, content)))}


def _read_csv(name: str, content: bytes) -> Iterator[Row]:
    text = _decode(name, content)
    head = text[:HEAD_BYTES].split("\n")[:HEAD_ROWS]  # a title without delimiters may stand above the heading
    delimiter = max(DELIMITERS, key=lambda mark: max(line.count(mark) for line in head))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    before = 0
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise InvalidInput([Fault(f"{name}: row {before + 1}", f"is not CSV: {error}")]) from error
        _check_size(name, before + 1, len(cells))
        yield Row(before + 1, tuple(cell.strip() for cell in cells))
        before = reader.line_num  # a quoted cell may hold line breaks: a row starts after the one before


def _decode(name: str, content: bytes) -> str:
    for encoding in ("utf-16",) if content.startswith(UTF16_MARKS) else ENCODINGS:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text.removeprefix("\ufeff")  # GB 18030 has a mark too
    raise InvalidInput([Fault(name, "is no text in UTF-8 or GBK, and no .xlsx either")])


def _read_xlsx(name: str, content: bytes) -> dict[str, Table]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_UNPACKED_BYTES:
                raise InvalidInput([Fault(name, "unpacks to more than half a gigabyte")])
            if sum(_merged_cells(archive.read(entry)) for entry in archive.infolist()) > MAX_MERGED_CELLS:
                raise InvalidInput([Fault(name, f"merges more than {MAX_MERGED_CELLS} cells")])
        book = openpyxl.load_workbook(io.BytesIO(content), data_only=True, keep_links=False)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, SyntaxError) as error:
        # openpyxl has no error of its own for a ZIP that is no workbook; SyntaxError is XML that does not parse.
        raise InvalidInput([Fault(name, "is no .xlsx file that can be read")]) from error
    tables = {
        sheet.title: Table(
            f"{name} [{sheet.title}]" if len(book.worksheets) > 1 else name, _rows(name, sheet)
        )
        for sheet in book.worksheets
    }
    if not tables:
        raise InvalidInput([Fault(name, "has no sheet with cells")])
    return tables


def _merged_cells(part: bytes) -> int:
    """Count the cells that a part of an XLSX merges, without building them."""
    if not any("mergeCell".encode(encoding) in part for encoding in ("utf-8", "utf-16-le", "utf-16-be")):
        return 0
    return sum(
        _cells_of(element.get("ref", ""))
        for _, element in iterparse(io.BytesIO(part))
        if element.tag.rpartition("}")[2] == "mergeCell"
    )


def _cells_of(ref: str) -> int:
    left, top, right, bottom = range_boundaries(ref)
    if left is None or top is None or right is None or bottom is None:
        raise ValueError("no range of cells")
    return (right - left + 1) * (bottom - top + 1)


def _rows(name: str, sheet: Worksheet) -> tuple[Row, ...]:
    _check_size(name, sheet.max_row, sheet.max_column)
    spread = {
        (row, column): (merged.min_row, merged.min_col)
        for merged in sheet.merged_cells.ranges
        for row in range(merged.min_row, merged.max_row + 1)
        for column in range(merged.min_col, merged.max_col + 1)
    }
    lines: list[list[Any]] = [list(cells) for cells in sheet.iter_rows(values_only=True)]
    for (row, column), (top, left) in spread.items():
        if row <= len(lines) and column <= len(lines[row - 1]):
            lines[row - 1][column - 1] = lines[top - 1][left - 1]
    return tuple(Row(line, tuple(map(_text, cells))) for line, cells in enumerate(lines, 1))


def _check_size(name: str, rows: int, columns: int) -> None:
    if rows > MAX_ROWS or columns > MAX_COLUMNS:
        raise InvalidInput(
            [
                Fault(
                    name,
                    f"has more than {MAX_ROWS} rows or {MAX_COLUMNS} columns, formatted empty ones counted",
                )
            ]
        )


def _text(value: object) -> str:
    """Write a cell as text: whole numbers without a point (Excel keeps area codes as numbers), times as ISO 8601."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer() and abs(value) < 2**53:
            return str(int(value))
        case datetime() if value.time() == time():
            return value.date().isoformat()
        case datetime() | date() | time():
            return value.isoformat()
        case _:
            return str(value).strip()
