"""A list of duties (权责清单) as an office keeps it, CSV or XLSX: read into duties, written as duties.toml."""

import json
import os
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from config.data import FILES, Data, Duty
from config.ownership import Claim, faults_in, prove, strangers
from config.policies import TOWERS
from domain.decode import convert
from domain.errors import Fault, FenghuoError, InvalidInput
from fenghuo.cells import Fields, find_formulas, names_of, raise_if_any, read_fields
from fenghuo.tables import read_tables
from responders import words

COLUMNS = {
    "category": ("类别", "事件类别", "事项", "事件类型"),
    "area": ("区域", "区域代码", "适用区域"),
    "post": ("岗位", "责任岗位", "责任单位"),
    "level": ("层级", "责任层级"),
    "due_minutes": ("时限（分钟）", "时限(分钟)", "办结时限（分钟）", "办结时限(分钟)", "时限分钟"),
    "clock": ("计时", "计时方式"),
}
REQUIRED = ("category", "post", "level")
EVERYWHERE = frozenset({"全部", "全域", "全县", "everywhere"})
SHEETS = ("duties", "duty", "权责清单")
POSTS = {called: slug for slug, called in words.POST.items() if slug}
CLOCKS = {"自然时间": "natural", "工作时间": "working"}
LEVELS = {"乡镇": "township", "镇": "township", "县": "county", "市": "city", "省": "province"} | {
    called: slug for slug, called in words.TOWER.items()
}


@dataclass(frozen=True, slots=True)
class Line:
    """A duty with the row that it stands in."""

    duty: Duty
    row: Fields


def read_duties(path: Path, data: Data, areas: Sequence[str], *, keep: bool) -> tuple[Duty, ...]:
    """Read a list and prove it; InvalidInput with every fault by sheet, row and column, and each gap and overlap.

    Without `areas` the proof is made for every area that there can be. With `keep` the duties in force of categories that
    the list does not name stay.
    """
    faults: list[Fault] = []
    lines: list[Line] = []
    tables = read_tables(path)
    named = [sheet for sheet in tables if sheet.strip().lower() in SHEETS]
    formulas = find_formulas(path)
    slugs = {category.zh: slug for slug, category in data.categories.items()} | {
        s: s for s in data.categories
    }
    for sheet in named or [next(iter(tables))]:
        for row in read_fields(tables[sheet], names_of(COLUMNS), formulas.get(sheet, frozenset()), faults):
            line = _line(row, slugs, areas, faults)
            lines += [line] if line else []
    faults += _doubles(lines)
    duties = tuple(line.duty for line in lines)
    if keep:
        ours = {duty.category for duty in duties}
        duties += tuple(duty for duty in data.duties if duty.category not in ours)
    if not faults:
        faults += prove_duties(duties, data, areas)
    raise_if_any(faults)
    return duties


def prove_duties(duties: Sequence[Duty], data: Data, areas: Sequence[str]) -> list[Fault]:
    """Find gaps and overlaps of duties over areas; over all that there can be when none are named."""
    claims = [Claim(category=duty.category, area=duty.area) for duty in duties]
    slugs = tuple(data.categories)
    faults = list(faults_in(prove(claims, slugs, areas))) if areas else []
    everywhere = {claim.category for claim in claims if not claim.area}
    faults += [
        Fault("duty", f"{slug} has no owner everywhere: one row needs an empty area")
        for slug in slugs
        if slug not in everywhere
    ]
    return faults + (list(strangers(claims, areas)) if areas else [])


def _line(row: Fields, slugs: dict[str, str], areas: Sequence[str], faults: list[Fault]) -> Line | None:
    """Make a duty of a row; what is wrong with it becomes faults."""
    before = len(faults)
    values: dict[str, Any] = dict(row.values)
    faults += [
        Fault(row.place_of(field), f"{COLUMNS[field][0]}没有填写。 {field} is missing")
        for field in REQUIRED
        if field not in values and field not in row.broken
    ]
    if (category := values.get("category")) is not None:
        values["category"] = slugs.get(category, category)
        if category not in slugs:
            faults.append(
                Fault(row.place_of("category"), f"没有类别 {category}。 {category!r} is no category")
            )
    if values.get("area", "") in EVERYWHERE:
        values["area"] = ""
    area = values.get("area", "")
    if area and areas and area not in areas:
        faults.append(Fault(row.place_of("area"), f"区域表中没有 {area}。 {area} is no area of the registry"))
    values["post"] = POSTS.get(values.get("post", ""), values.get("post", ""))
    if "clock" in values:
        values["clock"] = CLOCKS.get(values["clock"], values["clock"])
    values["level"] = LEVELS.get(values.get("level", ""), values.get("level", ""))
    if values["level"] and values["level"] not in TOWERS:
        known = "、".join(words.TOWER.values())
        faults.append(Fault(row.place_of("level"), f"须为{known}之一。 must be one of {', '.join(TOWERS)}"))
    told = {fault.field for fault in faults[before:]} | {row.place_of(field) for field in row.broken}
    try:
        duty = convert(Duty, values, lenient=True)
    except InvalidInput as error:
        further = [Fault(row.place_of(fault.field), fault.reason) for fault in error.faults]
        if told:  # a sentence about the row as a whole says again what was told of a cell
            told.add(row.place)
        faults += [fault for fault in further if fault.field not in told]
        return None
    return None if told else Line(duty, row)


def _doubles(lines: Sequence[Line]) -> list[Fault]:
    first: dict[tuple[str, str], Line] = {}
    faults = []
    for line in lines:
        key = (line.duty.category, line.duty.area)
        if key in first:
            where = f"与第 {first[key].row.line} 行重复。 is the same category and area as row {first[key].row.line}"
            faults.append(Fault(line.row.place_of("category"), where))
        first.setdefault(key, line)
    return faults


def write_out(duties: Sequence[Duty], source: str, at: datetime) -> str:
    """Write duties as TOML; what it says is read again and compared."""
    lines = [
        "# Who answers for what (权责清单). The longest area prefix wins; the empty area is everywhere.",
        f"# Imported from {json.dumps(source, ensure_ascii=False)} at {at.isoformat(timespec='seconds')}.",
    ]
    for duty in duties:
        lines += ["", "[[duty]]"]
        for name, value in msgspec.to_builtins(duty).items():
            if value != "":
                lines.append(f"{name} = {json.dumps(value, ensure_ascii=False)}")
    text = "\n".join(lines) + "\n"
    if convert(tuple[Duty, ...], tomllib.loads(text)["duty"]) != tuple(duties):
        raise AssertionError("what was written is not what was read")
    return text


def put_in_place(folder: Path, text: str) -> Path:
    """Put duties.toml into a folder: all of it or nothing, whatever happens in between."""
    goal = folder / FILES["duty"]
    try:
        handle, name = tempfile.mkstemp(prefix=f".{goal.name}.", dir=folder)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(0o644)
            Path(name).replace(goal)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise FenghuoError(f"{goal} cannot be written: {error.strerror}") from error
    return goal
