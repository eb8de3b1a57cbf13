"""Files of orders into rows that may be sent, and faults that name row and column."""

import json
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.decode import decode_json
from domain.errors import FenghuoError, InvalidConfiguration, InvalidInput
from domain.hotline import Kind, Status
from domain.inputs import TicketIn
from fenghuo.tables import read_table
from fenghuo.tickets.heading import find_heading
from fenghuo.tickets.map import TicketMap, read_map
from fenghuo.tickets.rows import Orders, read_orders

HEAD = "工单编号,来电时间,诉求内容,事发地址"
EXCEL_TIME = datetime(2026, 7, 1, 8, 5)  # noqa: DTZ001  # Excel knows no zones
ROW = "GD1,2026-07-01 08:05,水发黑,青石镇桥头"


def read(path: Path, ticket_map: TicketMap | None = None) -> Orders:
    """Read a file as the command does."""
    ticket_map = ticket_map or read_map()
    table = read_table(path, ticket_map.sheet)
    return read_orders(table, find_heading(table, ticket_map), ticket_map)


def items(found: Orders) -> list[TicketIn]:
    """Decode what would be sent."""
    return [decode_json(TicketIn, order.body) for order in found.orders]


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    """Write a text file."""
    path.write_bytes(text.encode(encoding))
    return path


def write_map(folder: Path, text: str) -> TicketMap:
    """Write a map above the shipped one and read both."""
    return read_map(write(folder / "map.toml", text))


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [("utf-8", ""), ("utf-8-sig", ""), ("gbk", ""), ("gb18030", "\ufeff"), ("utf-16", "")],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("title", ["", "热线工单导出\n"])
def test_every_common_form_of_csv_is_read(
    tmp_path: Path, encoding: str, mark: str, delimiter: str, title: str
) -> None:
    """Encoding and delimiter are found by the content, also under a title."""
    text = f"{mark}{title}{HEAD}\n{ROW}\n".replace(",", delimiter)
    (item,) = items(read(write(tmp_path / "a.csv", text, encoding)))
    assert (item.order_number, item.text, item.address) == ("GD1", "水发黑", "青石镇桥头")
    assert item.observed_at == datetime.fromisoformat("2026-07-01T08:05+08:00")


def test_values_are_cleaned_and_translated(tmp_path: Path) -> None:
    """Marks against Excel go, Chinese words become ours, the caller's fields are put together."""
    head = f"{HEAD},来电人,联系电话,诉求类型,工单状态,是否解决,所属乡镇"
    row = '="GD1",2026-07-01 08:05,水发黑,桥头,测试来电人,13800000001,举报,已办结,否,青石镇'
    (item,) = items(read(write(tmp_path / "a.csv", f"{head}\n{row}\n")))
    assert (item.order_number, item.kind, item.status) == ("GD1", Kind.ACCUSATION, Status.DONE)
    assert (item.resolved, item.address) == (False, "青石镇桥头")
    assert item.caller is not None and (item.caller.name, item.caller.phone) == ("测试来电人", "13800000001")


def test_orders_go_by_time_and_repeats_are_counted(tmp_path: Path) -> None:
    """Exports have the newest first; pushes of one order stay in the order of the file."""
    rows = [
        "GD3,2026-07-03 08:00,c,桥头",
        "GD1,2026-07-01 08:00,a,桥头",
        "GD2,2026-07-02 08:00,b,桥头",
        "GD1,2026-07-01 08:00,a2,桥头",
    ]
    found = read(write(tmp_path / "a.csv", "\n".join([HEAD, *rows])))
    assert [item.text for item in items(found)] == ["a", "a2", "b", "c"]
    assert (found.rows, found.repeated) == (4, 1)
    assert [order.line for order in found.orders] == [3, 5, 4, 2]


def test_all_faults_are_told_by_row_and_column_and_never_by_value(tmp_path: Path) -> None:
    """Whoever mends the file finds each cell; the report may lie about without giving anybody away."""
    head = f"{HEAD},诉求类型,联系电话,是否解决"
    rows = [
        ROW + ",投诉,1,是",
        "GD 2 王某,王某说的,,,王某,13800000001,王某",
        "2.02607E+17,2026-07-01,水,桥头,投诉,1.38E+10,是",
        "#N/A,2026-07-01 08:00,水,,投诉,,",
    ]
    found = read(write(tmp_path / "a.csv", "\n".join([head, *rows])))
    assert [order.number for order in found.orders] == ["GD1"]
    told = {(one.line, one.column.letter if one.column else "", one.field) for one in found.faults}
    assert told == {
        (3, "A", "order_number"),
        (3, "B", "observed_at"),
        (3, "C", "text"),
        (3, "E", "kind"),
        (3, "G", "resolved"),
        (4, "A", "order_number"),
        (4, "B", "observed_at"),
        (4, "F", "caller_phone"),
        (5, "A", "order_number"),
    }
    reasons = " ".join(one.reason for one in found.faults)
    assert "王某" not in reasons and "138" not in reasons
    assert "Excel has rounded" in reasons and "time_of_day" in reasons and "error of Excel" in reasons


def workbook(path: Path, rows: list[list[Any]], merged: list[str], title: str = "工单") -> Path:
    """Write an XLSX."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = title
    for row in rows:
        sheet.append(row)
    for cells in merged:
        sheet.merge_cells(cells)
    book.save(path)
    return path


def test_merged_cells_and_headings_of_two_rows(tmp_path: Path) -> None:
    """A township that is written once for several rows is that of each; headers are read from above."""
    rows: list[list[Any]] = [
        ["2026年7月热线工单", None, None, None, None, None],
        ["工单编号", "来电时间", "地点", None, "诉求内容", "来电人"],
        [None, None, "乡镇", "详细", None, "电话"],
        [20260701001.0, EXCEL_TIME, "青石镇", "桥头", "水发黑", 13800000001],
        [20260701002.0, "2026年7月1日 9:05", None, "村口", "路灯不亮", None],
    ]
    file = workbook(tmp_path / "a.xlsx", rows, ["A1:F1", "A2:A3", "B2:B3", "C2:D2", "E2:E3", "C4:C5"])
    ticket_map = write_map(
        tmp_path,
        'header_rows = [2, 3]\n[columns]\naddress = ["地点/详细"]\ncaller_phone = ["来电人/电话"]\n',
    )
    first, second = items(read(file, ticket_map))
    assert (first.order_number, first.address) == ("20260701001", "青石镇桥头")
    assert (second.address, second.observed_at) == (
        "青石镇村口",
        datetime.fromisoformat("2026-07-01T09:05+08:00"),
    )
    assert first.caller is not None and first.caller.phone == "13800000001"


def test_a_map_of_ones_own(tmp_path: Path) -> None:
    """It replaces the fields that it names, translates, fills in, and leaves fields out."""
    ticket_map = write_map(
        tmp_path,
        'time_of_day = "12:00"\n[columns]\norder_number = ["流水"]\naddress = []\n'
        '[values.kind]\n"牢骚" = "other"\n[constants]\narea = "990101"\nchannel = "phone"\n',
    )
    text = "流水,来电时间,诉求内容,事发地址,诉求类型\n7,2026-07-01,水,某人家里,牢骚\n"
    (item,) = items(read(write(tmp_path / "a.csv", text), ticket_map))
    assert (item.order_number, item.area, item.address, item.kind) == ("7", "990101", None, Kind.OTHER)
    assert item.observed_at == datetime.fromisoformat("2026-07-01T12:00+08:00")


def test_faults_of_a_map_are_told_together(tmp_path: Path) -> None:
    """Unknown fields, a zone that there is not, and constants that cannot be."""
    text = 'zone = "Mond"\ntime_of_day = "spät"\n[columns]\nfoo = ["x"]\n[constants]\norder_number = "1"\n'
    with pytest.raises(InvalidConfiguration) as caught:
        write_map(tmp_path, text)
    assert {fault.field for fault in caught.value.faults} == {
        "map.toml: columns.foo",
        "map.toml: constants.order_number",
        "map.toml: zone",
        "map.toml: time_of_day",
    }
    with pytest.raises(InvalidConfiguration, match=r"header_row"):
        write_map(tmp_path, "header_row = 3\n")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a,b\n1,2\n", "no header that is known"),
        ("工单编号,内容\n1,2\n", "has no column for observed_at: none is called 来电时间"),
        ("工单编号,来电时间,内容\n1,2,3\n", "says nowhere where"),
        (f"{HEAD},工单编号\n{ROW}\n", "'工单编号' is there more than once, in columns A, E"),
    ],
)
def test_a_heading_that_does_not_do(tmp_path: Path, text: str, told: str) -> None:
    """What is missing or twice is told before anything is read."""
    with pytest.raises(InvalidInput) as caught:
        read(write(tmp_path / "a.csv", text))
    assert told in str(caught.value)


def test_a_bomb_is_met_while_it_is_small(tmp_path: Path) -> None:
    """A sheet that merges all its cells is refused before they are built."""
    small, bomb = workbook(tmp_path / "small.xlsx", [["工单编号", "x"]], ["A1:B1"]), tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(small) as source, zipfile.ZipFile(bomb, "w") as target:
        for entry in source.infolist():
            content = source.read(entry)
            target.writestr(entry.filename, content.replace(b"A1:B1", b"A1:XFD1048576"))
    with pytest.raises(InvalidInput, match="merges more than"):
        read(bomb)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.binary(max_size=400), st.text(max_size=200).map(lambda text: f"{HEAD}\n{text}".encode())))
def test_no_bytes_break_the_import(tmp_path: Path, content: bytes) -> None:
    """Whatever a file holds: orders that may be sent and faults with their rows, or one sentence."""
    path = tmp_path / "any.csv"
    path.write_bytes(content)
    try:
        found = read(path)
    except FenghuoError as error:
        assert str(error)
    else:
        assert found.rows >= len(found.orders)
        assert all(json.loads(order.body)["order_number"] == order.number for order in found.orders)
        assert {fault.line for fault in found.faults}.isdisjoint({order.line for order in found.orders})
