"""The file of devices and series that an office keeps: TOML, or a table as CSV or XLSX, read into entries with their places.

Nothing is checked here but the form of the file: values become records in `fenghuo/registering.py`, where every fault is
told at the place from which its value came.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from domain.errors import Fault, InvalidInput
from fenghuo.tables import Heading, Table, read_tables
from responders.registration import Kind

MAX_LIMITS = 4
NAMES = {Kind.DEVICE: ("device", "devices", "设备"), Kind.SERIES: ("series", "监测项")}
"""What sheets of a workbook may be called."""

DEVICE_COLUMNS = {
    "id": ("编号", "设备编号"),
    "name": ("名称", "设备名称"),
    "station": ("站点", "站点名称"),
    "area": ("区域", "区域代码"),
    "source": ("来源",),
    "protocol": ("协议",),
    "address": ("地址", "mn", "站址", "测站编码"),
    "password": ("密码",),
    "sm4_key": ("国密密钥", "sm4密钥"),
    "lat": ("纬度",),
    "lon": ("经度",),
}
SERIES_COLUMNS = {
    "id": ("编号", "监测项编号"),
    "name": ("名称", "监测项名称"),
    "quantity": ("监测因子", "因子"),
    "unit": ("单位",),
    "area": ("区域", "区域代码"),
    "category": ("类别",),
    "source": ("来源",),
    "interval_seconds": ("间隔秒", "上报间隔（秒）", "上报间隔(秒)"),
    "low": ("量程下限",),
    "high": ("量程上限",),
    "max_rate": ("最大变化率",),
    "device": ("设备", "设备编号"),
    "channel": ("通道", "因子编码"),
    "river": ("河流", "河流编码"),
    "river_km": ("河流里程", "河流里程（公里）", "河流里程(公里)"),
}
LIMIT_COLUMNS = {
    "level": "级别",
    "value": "数值",
    "aqi": "aqi",
    "averaging": "平均时间",
    "direction": "方向",
    "consecutive": "连续次数",
    "hysteresis": "回差",
    "basis": "依据",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A device or series as the file has it; `fields` names the place of each field, `place` that of the whole."""

    kind: Kind
    values: dict[str, Any] = field(repr=False)  # a device's password may be among them
    place: str
    fields: Mapping[str, str]
    as_text: bool

    @property
    def id(self) -> str:
        """The id that the file gives it, "" when it gives none."""
        name = self.values.get("id")
        return name if isinstance(name, str) else ""

    def place_of(self, where: str) -> str:
        """Name the place of a field such as `area` or `limits[0].value`, else that of the nearest thing around it."""
        while where:
            if where in self.fields:
                return self.fields[where]
            where = where[: max(where.rfind("."), where.rfind("["), 0)]
        return self.place


def read_entries(path: Path, kind: Kind) -> list[Entry]:
    """Read a file; a table without a sheet of a known name holds entries of `kind`. InvalidInput when it cannot be read."""
    if path.suffix.lower() == ".toml":
        return _read_toml(path)
    tables = read_tables(path)
    named = {
        kind_of: table
        for kind_of, names in NAMES.items()
        for sheet, table in tables.items()
        if sheet.strip().lower() in names
    }
    if not named:
        named = {kind: next(iter(tables.values()))}
    return [entry for kind_of, table in named.items() for entry in _read_table(table, kind_of)]


def _read_toml(path: Path) -> list[Entry]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        values = tomllib.loads(text)
    except OSError as error:
        raise InvalidInput([Fault(str(path), f"cannot be read: {error.strerror}")]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput([Fault(path.name, f"is not TOML: {error}")]) from error
    entries: list[Entry] = []
    faults = [
        Fault(f"{path.name}: {name}", "is not known here; write [[device]] and [[series]]")
        for name in values.keys() - {*Kind}
    ]
    for kind in Kind:
        found = values.get(kind, [])
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            faults.append(Fault(f"{path.name}: {kind}", f"is no list of tables; write [[{kind}]]"))
            continue
        blocks = _blocks(text, kind)
        for number, one in enumerate(found):
            where = f"{path.name}: {kind}[{number}]"
            fields: dict[str, int] = {}
            if len(blocks) == len(found):  # else a header hides in a string: better no line than a wrong one
                line, fields = blocks[number]
                where = f"{path.name}: line {line}"
            places = {name: f"{path.name}: line {line}" for name, line in fields.items()}
            entries.append(Entry(kind, one, where, places, as_text=False))
    if not entries and not faults:
        faults.append(Fault(path.name, "holds neither [[device]] nor [[series]]"))
    if faults:
        raise InvalidInput(faults)
    return entries


def _blocks(text: str, kind: Kind) -> list[tuple[int, dict[str, int]]]:
    """Find in which line each `[[kind]]` begins, and there each field."""
    blocks: list[tuple[int, dict[str, int]]] = []
    fields: dict[str, int] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[+\s*([\w.]+)\s*\]+\s*(#.*)?$", line):
            fields = None
            if header[1] == kind and line.lstrip().startswith("[["):
                fields = {}
                blocks.append((number, fields))
            elif header[1] == f"{kind}.limits" and blocks:
                around = blocks[-1][1]
                around[f"limits[{sum(name.startswith('limits[') for name in around)}]"] = number
        elif fields is not None and (key := re.match(r"\s*(\w+)\s*=", line)):
            fields.setdefault(key[1], number)
    return blocks


def _read_table(table: Table, kind: Kind) -> Iterator[Entry]:
    heading = table.heading(_names(kind))
    if heading.unknown:
        raise InvalidInput(
            [
                Fault(table.place(heading.line), f"{name!r} is no column that is known here")
                for name in heading.unknown
            ]
        )
    for row in table.entries(heading):
        places = {name: table.place(row.line, column) for name, column in heading.columns.items()}
        values: dict[str, Any] = dict(row.values)
        if kind is Kind.SERIES:
            values, moved = _gather_limits(values, heading)
            places |= {name: places[column] for name, column in moved.items()}
        yield Entry(kind, values, table.place(row.line), places, as_text=True)


def _names(kind: Kind) -> dict[str, str]:
    """Say what a column may be called: its field in English, or one of its names in Chinese."""
    columns = DEVICE_COLUMNS if kind is Kind.DEVICE else SERIES_COLUMNS
    names = {called: column for column, others in columns.items() for called in (column, *others)}
    if kind is Kind.SERIES:
        for number in range(1, MAX_LIMITS + 1):
            for column, chinese in LIMIT_COLUMNS.items():
                names[f"limit{number}_{column}"] = names[f"限值{number}{chinese}"] = f"limit{number}_{column}"
    return names


def _gather_limits(values: dict[str, Any], heading: Heading) -> tuple[dict[str, Any], dict[str, str]]:
    """Turn columns such as `limit2_value` into a list of limits; tells which column each of their fields came from."""
    limits: list[dict[str, Any]] = []
    moved: dict[str, str] = {}
    for number in range(1, MAX_LIMITS + 1):
        limit = {
            column: values.pop(f"limit{number}_{column}")
            for column in LIMIT_COLUMNS
            if f"limit{number}_{column}" in values
        }
        if limit:
            at = f"limits[{len(limits)}]"
            moved |= {
                f"{at}.{column}": f"limit{number}_{column}"
                for column in LIMIT_COLUMNS
                if f"limit{number}_{column}" in heading.columns
            }
            limits.append(limit)
    return {**values, "limits": limits}, moved
