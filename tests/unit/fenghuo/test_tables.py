"""Tables as offices send them: encodings, merged cells, titles above the heading, and files that are none."""

import zipfile
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest

from domain.errors import InvalidInput
from fenghuo import tables
from fenghuo.tables import Entry, read_table, read_tables

NAMES = {"编号": "id", "id": "id", "名称": "name", "区域代码": "area"}
TEXT = "编号,名称,区域代码\nriver-1,青溪河断面,990101101001\n"


def written(path: Path, content: bytes) -> Path:
    """Write a file."""
    path.write_bytes(content)
    return path


def refused(path: Path) -> str:
    """Read what is told of a file that cannot be read."""
    with pytest.raises(InvalidInput) as caught:
        read_tables(path)
    return str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_a_csv_is_read_in_each_encoding_that_offices_use(tmp_path: Path, encoding: str) -> None:
    """The same table comes out of UTF-8 with and without a mark, GBK, GB 18030 and Excel's Unicode text."""
    table = read_table(written(tmp_path / "a.csv", TEXT.encode(encoding)))
    heading = table.heading(NAMES)
    assert list(table.entries(heading)) == [
        Entry(2, {"id": "river-1", "name": "青溪河断面", "area": "990101101001"})
    ]


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_rows_know_their_line_also_after_a_quoted_line_break(tmp_path: Path, delimiter: str) -> None:
    """A cell with a line break counts as the two lines that an editor shows, empty rows count too."""
    text = '编号,名称\r\na,"两\r\n行"\r\n\r\nb, 一行 \r\n'.replace(",", delimiter)
    table = read_table(written(tmp_path / "a.csv", text.encode()))
    found = list(table.entries(table.heading(NAMES)))
    assert [(entry.line, entry.values["id"]) for entry in found] == [(2, "a"), (5, "b")]
    assert found[1].values["name"] == "一行"


def workbook(path: Path) -> Path:
    """Make a workbook as an office would: a title over merged cells, a merged station, numbers, a date."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "监测项"
    sheet.append(["示例县监测项台账"])
    sheet.merge_cells("A1:D1")
    sheet.append([])
    sheet.append(["编号", "名称", "区域代码", "备注"])
    sheet.append(["river-1", "青溪河", 990101101001, date(2026, 3, 1)])
    sheet.append(["river-2", None, 990101101002.0, datetime.fromisoformat("2026-03-01T08:30")])
    sheet.append(["river-3", "白石河", True, 0.25])
    sheet.merge_cells("B4:B5")
    book.create_sheet("空表")
    book.save(path)
    return path


def test_an_xlsx_is_read_as_it_looks(tmp_path: Path) -> None:
    """The heading is found below a title, merged cells each hold their value, codes are whole numbers."""
    table = read_tables(workbook(tmp_path / "b.bin"))["监测项"]
    heading = table.heading(NAMES)
    assert (heading.line, heading.unknown) == (3, ("备注",))
    rows = [entry.values for entry in table.entries(heading)]
    assert [row["name"] for row in rows] == ["青溪河", "青溪河", "白石河"]
    assert [row["area"] for row in rows] == ["990101101001", "990101101002", "true"]
    assert [row.cells[3] for row in table.rows[3:]] == ["2026-03-01", "2026-03-01T08:30:00", "0.25"]
    assert table.place(4, 2) == "b.bin [监测项]: row 4, column C"


def test_a_sheet_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    """Whoever names a sheet reads which there are."""
    with pytest.raises(InvalidInput, match="监测项, 空表"):
        read_table(workbook(tmp_path / "b.xlsx"), "设备")


def test_a_table_without_a_heading_and_one_with_a_column_twice_are_refused(tmp_path: Path) -> None:
    """Nothing is guessed: the reader names the file and the column."""
    with pytest.raises(InvalidInput, match="is a heading"):
        read_table(written(tmp_path / "a.csv", b"1,2,3\n")).heading(NAMES)
    with pytest.raises(InvalidInput, match="row 1, column C: 'id' is there twice"):
        read_table(written(tmp_path / "a.csv", "编号,名称,id\n".encode())).heading(NAMES)


def test_files_that_are_no_tables_are_refused_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Old Excel, a bomb, a broken ZIP, bytes that are no text, a quote without end, a file that is not there."""
    assert "save it as .xlsx" in refused(written(tmp_path / "a.xls", b"\xd0\xcf\x11\xe0" + b"\0" * 600))
    assert "no .xlsx file" in refused(written(tmp_path / "a.xlsx", b"PK\x03\x04 nothing"))
    with zipfile.ZipFile(tmp_path / "c.xlsx", "w") as archive:
        archive.writestr("readme.txt", "no workbook")
    assert "no .xlsx file" in refused(tmp_path / "c.xlsx")
    assert "no text" in refused(written(tmp_path / "a.csv", b"\x00\xff\xfe\x00\x80"))
    assert "row 2: is not CSV" in refused(written(tmp_path / "q.csv", b'id,name\na,"never ends\n'))
    assert "cannot be read" in refused(tmp_path / "none.csv")
    monkeypatch.setattr(tables, "MAX_UNPACKED_BYTES", 100)
    assert "unpacks to more" in refused(workbook(tmp_path / "b.xlsx"))
    monkeypatch.setattr(tables, "MAX_BYTES", 10)
    assert "is larger than" in refused(tmp_path / "b.xlsx")
