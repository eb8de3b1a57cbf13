"""Files of devices and series become records, and each fault is told at the place from which its value came."""

import base64
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import openpyxl
import pytest

from config.data import load_data
from config.personal import read_key
from config.settings import Secret
from domain.errors import Fault, InvalidInput
from domain.levels import Level
from domain.registry import Device, Protocol, Secrets
from fenghuo.registering import Wanted, make_wish, open_secrets, placed
from fenghuo.registry_file import read_entries
from responders.registration import Kind

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
DATA = load_data()
ON = date(2026, 6, 1)
KEY = Secret(base64.b64encode(b"k" * 32).decode())
SEALER = read_key(KEY)


def wanted(path: Path, kind: Kind = Kind.SERIES, present: Iterable[Device] = (), key: Secret = KEY) -> Wanted:
    """Read a file and make records of it."""
    known = {device.id: device for device in present}
    return make_wish(read_entries(path, kind), DATA, ON, known, key)


def written(path: Path, text: str, encoding: str = "utf-8") -> Path:
    """Write a file."""
    path.write_text(text, encoding=encoding)
    return path


def told(found: Wanted) -> dict[str, str]:
    """Read the faults by place and field."""
    return {fault.field: fault.reason for fault in found.faults}


def test_the_example_becomes_devices_and_series() -> None:
    """What we show as an example is right, its password is sealed, and its index is a concentration."""
    found = wanted(EXAMPLES / "registry.toml")
    assert found.faults == ()
    water, stage = found.wish.devices
    assert (water.protocol, stage.protocol) == (Protocol.HJ212, Protocol.SL651)
    assert open_secrets(SEALER, water) == Secrets(password="208866")
    assert stage.sealed is None
    limits = found.wish.series[3].limits
    assert [(limit.level, limit.value, limit.basis) for limit in limits] == [
        (Level.BLUE, 115, "HJ 633-2026, AQI 150"),
        (Level.ORANGE, 250, "HJ 633-2026, AQI 300"),
    ]
    assert [(one.river, one.river_km) for one in found.wish.series[:3]] == [("qingxi", 12.4)] * 2 + [
        (None, None)
    ]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_the_example_table_is_read_with_chinese_headings(tmp_path: Path, encoding: str) -> None:
    """Columns, categories, levels and directions may be Chinese; empty limits in between are no limits."""
    text = (EXAMPLES / "registry-series.csv").read_text(encoding="utf-8")
    oxygen, dioxide = wanted(written(tmp_path / "s.csv", text, encoding)).wish.series
    (low,) = oxygen.limits
    assert (oxygen.category, oxygen.device, oxygen.channel) == ("water-pollution", "shiqiao-water", "w01009")
    assert (oxygen.river, oxygen.river_km) == ("qingxi", 12.4)
    assert (low.level, low.value, low.direction) == (Level.BLUE, 5, "below")
    (high,) = dioxide.limits
    assert (high.level, high.value, high.consecutive, high.aqi) == (Level.YELLOW, 1200, 2, 200)
    assert (dioxide.device, dioxide.river) == (None, None)


def test_a_workbook_holds_devices_and_series_on_sheets_of_their_names(tmp_path: Path) -> None:
    """Whatever command reads it, both come; an SM4 key of letters and digits is a text."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "设备"
    sheet.append(["设备台账"])
    sheet.append(["设备编号", "名称", "区域代码", "来源", "协议", "MN", "密码", "国密密钥"])
    sheet.append(["d1", "一号", 990101101, "ecology", "HJ 212", "A1", 123456, "AB" * 16])
    series = book.create_sheet("监测项")
    series.append(["id", "name", "quantity", "unit", "area", "category", "source", "interval_seconds"])
    series.append(["s1", "一", "cod", "mg/L", 990101101, "flood", "ecology", 300])
    book.save(tmp_path / "b.xlsx")
    found = wanted(tmp_path / "b.xlsx")
    assert found.faults == ()
    (device,) = found.wish.devices
    assert open_secrets(SEALER, device) == Secrets(password="123456", sm4_key="AB" * 16)
    assert found.wish.series[0].area == "990101101"


BAD = """\
[[device]]
id = "d1"
name = "一"
area = "99"
source = "x"
protocol = "modbus"
address = "A1"

[[series]]
id = "s1"
name = "一"
quantity = "radon"
unit = "Bq"
area = "12345"
category = "flood"
source = "x"
interval_seconds = "often"
colour = "red"
device = "d1"
channel = "c"
limits = [
  { level = "purple", value = 1 },
  { level = 2, aqi = 100, averaging = "1h" },
]

[[series]]
name = "没有编号"
"""


def test_faults_of_a_toml_file_name_line_entry_and_field(tmp_path: Path) -> None:
    """An unknown protocol, a wrong area, a text for a number, an unknown field, levels and indices that are none."""
    found = told(wanted(written(tmp_path / "r.toml", BAD)))
    assert {
        "r.toml: line 6: device d1: protocol",
        "r.toml: line 14: series s1: area",
        "r.toml: line 17: series s1: interval_seconds",
        "r.toml: line 18: series s1: colour",
        "r.toml: line 21: series s1: limits[0].level",
        "r.toml: line 21: series s1: limits[1].pollutant",
        "r.toml: line 26: series ?: id",
        "r.toml: line 26: series ?: unit",
    } <= found.keys()
    assert "'radon' must be one of so2" in found["r.toml: line 21: series s1: limits[1].pollutant"]


def test_faults_of_the_registry_come_at_the_place_of_their_value(tmp_path: Path) -> None:
    """A series whose device is broken is not also blamed for naming a device that there is not."""
    found = wanted(written(tmp_path / "r.toml", BAD.replace("12345", "990101").replace("modbus", "hj 212")))
    place = placed(
        found, [Fault("series s1: limits[0].value", "is wrong"), Fault("device d9: id", "is used")]
    )
    assert [fault.field for fault in place] == [
        "r.toml: line 21: series s1: limits[0].value",
        "device d9: id",
    ]
    broken = wanted(written(tmp_path / "r.toml", BAD))
    assert placed(broken, [Fault("series s1: device", "'d1' is not registered")]) == []


def test_faults_of_a_table_name_row_and_column(tmp_path: Path) -> None:
    """A spreadsheet is mended where its reader points."""
    text = (
        "id,name,quantity,unit,area,category,source,interval_seconds,limit1_level,limit1_value\n"
        "s1,一,cod,mg/L,99010,flood,x,abc,紫,高\n"
    )
    assert {
        "s.csv: row 2, column E: series s1: area",
        "s.csv: row 2, column H: series s1: interval_seconds",
        "s.csv: row 2, column I: series s1: limits[0].level",
        "s.csv: row 2, column J: series s1: limits[0].value",
    } <= told(wanted(written(tmp_path / "s.csv", text))).keys()


def test_a_river_without_its_kilometres_is_refused(tmp_path: Path) -> None:
    """A station that is somewhere on a river could confirm nobody; the row is named."""
    text = (
        "id,name,quantity,unit,area,category,source,interval_seconds,河流,river_km\n"
        "s1,一,cod,mg/L,99,flood,x,300,qingxi,\ns2,二,cod,mg/L,99,flood,x,300,qingxi,-1\n"
    )
    found = told(wanted(written(tmp_path / "s.csv", text)))
    assert found["s.csv: row 2: series s1: body"] == "river and river_km go together"
    assert "s.csv: row 3, column J: series s2: river_km" in found


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("a.toml", "[[station]]\nid = 1\n", "write [[device]] and [[series]]"),
        ("a.toml", 'device = "x"\n', "write [[device]]"),
        ("a.toml", "# nothing\n", "holds neither"),
        ("a.toml", "[[", "is not TOML"),
        ("a.csv", "id,colour\na,red\n", "column B"),
        ("a.csv", "colour\nred\n", "is a heading"),
    ],
)
def test_files_of_another_form_are_refused(tmp_path: Path, name: str, text: str, reason: str) -> None:
    """One sentence says what is wrong with the file."""
    path = written(tmp_path / name, text)
    if "column B" in reason:
        with pytest.raises(InvalidInput, match="'colour' is no column"):
            read_entries(path, Kind.DEVICE)
        return
    with pytest.raises(InvalidInput) as caught:
        read_entries(path, Kind.DEVICE)
    assert reason in str(caught.value)


def device_file(path: Path, **secrets: str) -> Path:
    """Write a file of one device with these secrets."""
    lines = [f'{name} = "{value}"' for name, value in secrets.items()]
    head = (
        '[[device]]\nid = "d1"\nname = "一"\narea = "99"\nsource = "x"\nprotocol = "hj212"\naddress = "A1"\n'
    )
    return written(path, head + "\n".join(lines) + "\n")


def test_secrets_change_only_where_the_file_gives_others(tmp_path: Path) -> None:
    """The same password is no change; one of two given leaves the other; an empty one takes it away."""
    path = tmp_path / "d.toml"

    def imported(present: Iterable[Device] = (), **secrets: str) -> Device:
        found = wanted(device_file(path, **secrets), present=present)
        assert found.faults == ()
        return found.wish.devices[0]

    first = imported(password="123456", sm4_key="0a" * 16)
    assert "123456" not in repr(first)
    assert imported([first]).sealed is None
    assert imported([first], password="123456").sealed is None
    other = imported([first], password="654321")
    assert open_secrets(SEALER, other) == Secrets(password="654321", sm4_key="0a" * 16)
    assert open_secrets(SEALER, imported([first], password="")) == Secrets(sm4_key="0a" * 16)
    assert imported([first], password="", sm4_key="").sealed == ""
    foreign = read_key(Secret(base64.b64encode(b"f" * 32).decode()))
    assert open_secrets(foreign, first) is None


def test_secrets_that_cannot_be_sealed_are_told_without_them(tmp_path: Path) -> None:
    """No key at hand, a key that is none, a key for another protocol: no fault repeats what was given."""
    path = device_file(tmp_path / "d.toml", password="123456")
    (reason,) = told(wanted(path, key=Secret())).values()
    assert "FENGHUO_PERSONAL_KEY is not set" in reason
    path = device_file(tmp_path / "d.toml", sm4_key="zz")
    assert "d.toml: line 8: device d1: sm4_key" in told(wanted(path))
    assert "zz" not in str(told(wanted(path)))
    path = device_file(tmp_path / "d.toml", sm4_key="0a" * 16)
    written(path, path.read_text().replace("hj212", "sl651"))
    assert "is of HJ 212 alone" in str(told(wanted(path)))
    path = written(tmp_path / "d.toml", path.read_text() + 'sealed = "v1.x.y"\n')
    assert "device d1: sealed" in str(told(wanted(path)))
    assert "123456" not in repr(read_entries(device_file(path, password="123456"), Kind.DEVICE))
