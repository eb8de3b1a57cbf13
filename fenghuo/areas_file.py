"""The file of areas that an office keeps: CSV, XLSX or TOML, read into the fields that it gives of each."""

import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

from domain.decode import convert
from domain.errors import Fault, InvalidInput
from domain.registry import Area
from fenghuo.tables import read_table

COLUMNS = {
    "code": "code", "代码": "code", "区域代码": "code", "统计用区划代码": "code",
    "name": "name", "名称": "name", "区域名称": "name",
    "name_en": "name_en", "英文名称": "name_en",
    "lat": "lat", "纬度": "lat", "lon": "lon", "经度": "lon",
}  # fmt: skip


def is_geojson(file: Path) -> bool:
    """Say whether a file is GeoJSON by its name."""
    return file.suffix.lower() in (".geojson", ".json")


def read_areas(file: Path) -> list[dict[str, Any]]:
    """Read the fields that a file gives of each area; InvalidInput with every fault at its place."""
    rows = _toml_rows(file) if file.suffix.lower() == ".toml" else _table_rows(file)
    faults = []
    for place, values in rows:
        try:
            convert(Area, {"name": "", **values}, lenient=True)
        except InvalidInput as error:
            faults += [Fault(f"{place}: {fault.field}", fault.reason) for fault in error.faults]
        if not values.get("name"):
            faults.append(Fault(f"{place}: name", "is missing"))
    for code, count in Counter(values.get("code") for _, values in rows).items():
        if count > 1 and code is not None:
            faults.append(Fault(f"{file.name}: {code}", f"is there {count} times"))
    if faults or not rows:
        raise InvalidInput(faults or [Fault(file.name, "names no area")])
    return [values for _, values in rows]


def _table_rows(file: Path) -> list[tuple[str, dict[str, Any]]]:
    table = read_table(file)
    heading = table.heading(COLUMNS)
    return [(table.place(row.line), dict(row.values)) for row in table.entries(heading)]


def _toml_rows(file: Path) -> list[tuple[str, dict[str, Any]]]:
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InvalidInput([Fault(str(file), f"cannot be read: {error.strerror}")]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput([Fault(file.name, f"is not TOML: {error}")]) from error
    found = values.get("area", [])
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise InvalidInput([Fault(file.name, "is no list of [[area]]")])
    return [(f"{file.name}: area[{number}]", one) for number, one in enumerate(found)]
