"""`fenghuo duties` and `fenghuo roster` on a real database: from files with faults to a county that is on duty."""

import asyncio
import json
import tomllib
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import Result
from responder_world import CITY, COUNTY, DATA, HEWAN, PROVINCE, QINGXI, World, open_world, post
from typer.testing import CliRunner

from domain.errors import InvalidConfiguration, InvalidInput
from fenghuo.cli import create_cli
from responders.views import Role

Fenghuo = Callable[..., Awaitable[Result]]
DUTY_HEAD = "序号,事件类别,区域代码,责任岗位,层级,时限（分钟）,备注"
DATA_FOLDER = Path(__file__).parents[2] / "config" / "data"
ROTATION_HEAD = "区域代码,岗位,值班账号,每班时长,交接时间,起始日期"
SHIFT_HEAD = "区域代码,岗位,账号,开始时间,结束时间"


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    """A county in which nobody is on duty in Qingxi and Hewan; the clock stands at 16:00."""
    async with open_world(database, vacant=[QINGXI, HEWAN]) as opened:
        accounts = [post(area, suffix=name) for area in (QINGXI, HEWAN) for name in ("甲岗", "乙岗")]
        await opened.store.put_users([*accounts, post(QINGXI, Role.GRID, "网格")])
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty data folder."""
    made = tmp_path / "data"
    made.mkdir()
    return made


@pytest.fixture
def fenghuo(world: World, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Fenghuo:
    """Run commands as the command line does, each in a thread, since it has an event loop of its own."""
    monkeypatch.setenv("FENGHUO_DATABASE_DSN", world.dsn)
    monkeypatch.setenv("FENGHUO_DATA_DIR", str(folder))

    async def run(*words: str | Path) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, create_cli(), [str(word) for word in words])

    return run


def answer(result: Result) -> Any:
    """Read what a command answered in JSON."""
    return json.loads(result.stdout)


def write(path: Path, head: str, *rows: str, encoding: str = "utf-8") -> Path:
    """Write a CSV file."""
    path.write_text("\n".join((head, *rows)) + "\n", encoding=encoding)
    return path


def login(area: str, suffix: str, role: Role = Role.OFFICER) -> str:
    """Name the login of a post."""
    return post(area, role, suffix).login


def files_in(folder: Path) -> list[str]:
    """Name what is in a folder."""
    return sorted(path.name for path in folder.iterdir())


def all_duties() -> list[str]:
    """Write a row for each category, in Chinese, as an office does."""
    return [
        f"{number},{category.zh},,应急值班,乡镇,60,"
        for number, category in enumerate(DATA.categories.values(), 1)
    ]


async def test_a_list_of_duties_is_checked_imported_and_in_force(
    world: World, fenghuo: Fenghuo, folder: Path, tmp_path: Path
) -> None:
    """In GBK as offices have it: nothing is written by a check; then the file is there, whole, and commands read it."""
    rows = [*all_duties(), f"99,洪涝,{COUNTY},防汛值班,县级,30,本县从严"]
    file = write(tmp_path / "权责清单.csv", DUTY_HEAD, *rows, encoding="gbk")
    flood = DATA.categories["flood"].zh
    file.write_text(file.read_text("gbk").replace("99,洪涝", f"99,{flood}"), "gbk")
    checked = await fenghuo("duties", "import", file, "--check")
    assert (checked.exit_code, "All is well" in checked.stdout, files_in(folder)) == (0, True, [])
    done = await fenghuo("duties", "import", file, "--json")
    assert answer(done)["duties"] == len(rows)
    assert files_in(folder) == ["duties.toml"]
    written = tomllib.loads((folder / "duties.toml").read_text("utf-8"))["duty"]
    assert written[-1] == {
        "category": "flood",
        "area": COUNTY,
        "post": "flood-duty",
        "level": "county",
        "due_minutes": 30.0,
        "clock": "natural",
    }
    shown = answer(await fenghuo("duties", "show", QINGXI, "--json"))["duties"]
    assert [duty["post"] for duty in shown if duty["category"] == "flood"] == ["flood-duty"]
    assert "防汛值班" in (await fenghuo("duties", "show", HEWAN)).stdout
    assert isinstance((await fenghuo("duties", "show", "12345")).exception, InvalidInput)
    proof = answer(await fenghuo("check", "--json"))
    assert (proof["ok"], [one["area"] for one in proof["proof"]]) == (
        True,
        [PROVINCE, CITY, COUNTY, QINGXI, HEWAN],
    )
    assert (
        f"{QINGXI}: {len(DATA.categories)} categories with one owner"
        in (await fenghuo("check", "--list")).stdout
    )


async def test_every_fault_of_a_list_of_duties_is_told_and_nothing_is_written(
    fenghuo: Fenghuo, folder: Path, tmp_path: Path
) -> None:
    """Unknown categories, areas and levels, empty cells, times, doubles, columns nobody knows: each at its cell."""
    (folder / "duties.toml").write_bytes((DATA_FOLDER / "duties.toml").read_bytes())
    before = (folder / "duties.toml").read_bytes()
    zh = next(iter(DATA.categories.values())).zh
    file = write(
        tmp_path / "bad.csv",
        f"{DUTY_HEAD},联系电话",
        f"1,{zh},,应急值班,乡镇,60,,1",
        f"2,{zh},,应急值班,乡镇,60,,1",
        "3,外星人,990101109,应急值班,村级,60,,1",
        f"4,{zh},990101,,,0,,1",
        f"5,{zh},990102,应急值班,乡镇,一小时,,1",
        "6,,,=1+1,乡镇,60,,1",
    )
    result = await fenghuo("duties", "import", file)
    assert result.exit_code == 1
    *lines, last = result.stderr.splitlines()
    places = [line.partition(": ")[2].split(": ")[0] for line in lines]
    assert places == [
        "row 1",
        "row 4, column B",
        "row 4, column C",
        "row 4, column E",
        "row 5, column D",
        "row 5, column E",
        "row 5, column F",
        "row 6, column C",
        "row 6, column F",
        "row 7, column D",
        "row 7, column B",
        "row 3, column B",
    ]
    assert last == "Nothing was changed: 12 fault(s)."
    assert (folder / "duties.toml").read_bytes() == before


async def test_gaps_of_a_list_are_told_by_category(
    fenghuo: Fenghuo, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the list does not name has no owner anywhere, unless the duties in force are kept."""
    first, *_ = all_duties()
    file = write(tmp_path / "short.csv", DUTY_HEAD, first)
    result = answer(await fenghuo("duties", "import", file, "--json"))
    assert not result["ok"]
    assert any(f"has no owner in area {HEWAN}" in fault["reason"] for fault in result["faults"])
    assert files_in(folder) == []
    assert (await fenghuo("duties", "import", file, "--keep")).exit_code == 0
    assert len(tomllib.loads((folder / "duties.toml").read_text("utf-8"))["duty"]) == len(DATA.categories)
    monkeypatch.delenv("FENGHUO_DATA_DIR")
    assert isinstance((await fenghuo("duties", "import", file)).exception, InvalidConfiguration)


async def test_formulas_and_bombs_do_no_harm(fenghuo: Fenghuo, folder: Path, tmp_path: Path) -> None:
    """A formula is a fault of its cell, since an empty area means everywhere; a bomb is no file."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "权责清单"
    sheet.append(["事件类别", "区域代码", "责任岗位", "层级", "时限（分钟）"])
    for category in DATA.categories.values():
        sheet.append([category.zh, None, "应急值班", "乡镇", 60])
    sheet["B3"] = '=HYPERLINK("http://198.51.100.1/","990101")'
    sheet["C4"] = "=cmd|' /C calc'!A0"
    for column in "ABCDE":
        sheet[f"{column}40"] = "=A1"
    file = tmp_path / "公式.xlsx"
    book.create_sheet("说明")["A1"] = "=1+1"
    book.save(file)
    told = answer(await fenghuo("duties", "import", file, "--json"))
    assert [fault["field"].rpartition(": ")[2] for fault in told["faults"]] == [
        "row 3, column B",
        "row 4, column C",
        *(f"row 40, column {column}" for column in "ABCDE"),
    ]
    bomb = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(file) as whole, zipfile.ZipFile(bomb, "w") as made:
        for name in whole.namelist():
            part = whole.read(name)
            if name.endswith("sheet1.xml"):
                lol = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
                head = f'<?xml version="1.0"?><!DOCTYPE w [<!ENTITY l0 "lol">{lol}]>'
                part = head.encode() + part.replace(b"<sheetData>", b"<sheetData><x>&l9;</x>")
            made.writestr(name, part)
    refused = await fenghuo("duties", "import", bomb)
    assert (refused.exit_code, "no .xlsx file that can be read" in refused.stderr) == (1, True)
    for name, content in (("empty.csv", b""), ("noise.xlsx", b"PK\x03\x04noise"), ("gone.csv", None)):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        assert (await fenghuo("duties", "import", tmp_path / name)).exit_code == 1
    assert files_in(folder) == []


async def test_a_roster_is_checked_imported_and_shown(world: World, fenghuo: Fenghuo, tmp_path: Path) -> None:
    """Gaps before; rotations of one sheet and shifts of the other; none after; the same file again changes nothing."""
    before = await fenghuo("roster", "gaps", "--days", "7")
    assert before.exit_code == 1
    assert f"{QINGXI} 值班室: 2026-05-01 16:00 – 2026-05-08 16:00 无人值班" in before.stdout
    book = openpyxl.Workbook()
    rotations = book.active
    assert rotations is not None
    rotations.title = "轮值"
    rotations.append(ROTATION_HEAD.split(","))
    crews = f"{login(QINGXI, '甲岗')}、{login(QINGXI, '乙岗')}"
    rotations.append([int(QINGXI), None, crews, "12小时", "08:00", "2026年5月1日"])
    shifts = book.create_sheet("班次")
    shifts.append(SHIFT_HEAD.split(","))
    shifts.append([int(HEWAN), "值班室", login(HEWAN, "甲岗"), "2026/5/1 8:00", "2026-05-20 24:00"])
    shifts.append([int(HEWAN), "防汛值班", login(HEWAN, "乙岗"), "2026-04-01 8:00", "2026-04-02 8:00"])
    file = tmp_path / "值班表.xlsx"
    book.save(file)
    checked = await fenghuo("roster", "import", file, "--check")
    assert "This would be done: 2 changed, 1 same." in checked.stdout
    assert (await fenghuo("roster", "gaps", "--days", "7")).exit_code == 1
    done = answer(await fenghuo("roster", "import", file, "--json"))
    assert (done["changed"], done["same"], [one["past"] for one in done["desks"]]) == (2, 1, [0, 0, 1])
    after = await fenghuo("roster", "gaps", "--days", "7")
    assert (after.exit_code, "Somebody is on duty at every desk" in after.stdout) == (0, True)
    far = answer(await fenghuo("roster", "gaps", "--days", "30", "--json"))
    assert {gap["area"] for gap in far} == {HEWAN}
    assert far[0]["starts_at"] == "2026-05-20T16:00:00Z"
    assert "Done: 3 same." in (await fenghuo("roster", "import", file)).stdout
    shown = answer(await fenghuo("roster", "show", QINGXI, "--days", "1", "--json"))
    assert [span["display"] for span in shown[0]["spans"]] == ["青溪镇甲岗", "青溪镇乙岗", "青溪镇甲岗"]
    table = await fenghuo("roster", "show", HEWAN, "--days", "30")
    assert "无人值班" in table.stdout
    changes = (await world.store.roster.outlook(world.now, world.now, "")).changes
    assert {change.actor.partition(" (")[0] for change in changes} == {"command line"}


async def test_a_rotation_is_ended(world: World, fenghuo: Fenghuo, tmp_path: Path) -> None:
    """From the moment that the row names nobody is planned, `gaps` says so; the same file again changes nothing."""
    row = f"{QINGXI},,{login(QINGXI, '甲岗')},1天,08:00,2026-05-01"
    await fenghuo("roster", "import", write(tmp_path / "begin.csv", ROTATION_HEAD, row))
    file = write(tmp_path / "end.csv", ROTATION_HEAD, f"{QINGXI},,停止,,20:00,2026-05-03")
    assert "Done: 1 changed." in (await fenghuo("roster", "import", file)).stdout
    assert "Done: 1 same." in (await fenghuo("roster", "import", file)).stdout
    gaps = answer(await fenghuo("roster", "gaps", "--area", QINGXI, "--days", "60", "--json"))
    assert [gap["starts_at"] for gap in gaps] == ["2026-05-03T12:00:00Z"]
    shown = answer(await fenghuo("roster", "show", QINGXI, "--days", "60", "--json"))
    assert max(span["ends_at"] for span in shown[0]["spans"]) == "2026-05-03T12:00:00Z"
    await world.advance(days=30)
    while await world.store.roster.watch_next(world.rules):
        pass
    later = answer(await fenghuo("roster", "show", QINGXI, "--days", "60", "--json"))
    assert later[0]["spans"] == []


async def test_every_fault_of_a_roster_is_told_and_nothing_is_changed(
    world: World, fenghuo: Fenghuo, tmp_path: Path
) -> None:
    """Accounts that there are not or that may not, areas, posts, turns, times: each at its cell, all at once."""
    own, other = login(QINGXI, "甲岗"), login(HEWAN, "甲岗")
    grid = login(QINGXI, "网格", Role.GRID)
    file = write(
        tmp_path / "rotations.csv",
        ROTATION_HEAD,
        f"{QINGXI},,{own}、{other}、nobody+{grid},12小时,08:00,2026-05-01",
        f"{QINGXI},,{own}+{own},7,25:00,2026-02-30",
        f"990101109,食堂,{own},100天,8点,1026-05-01",
        ",,,,,",
        f"{QINGXI},应急值班,,,,",
        f"{QINGXI},值班室,{own},1周,8:00,2026/5/1",
        f"{QINGXI},,{own},1天,8:00,2026-5-1",
    )
    result = await fenghuo("roster", "import", file)
    assert result.exit_code == 1
    lines = result.stderr.splitlines()
    places = [line.partition(": ")[2].split(": ")[0] for line in lines[:-1]]
    assert places == [
        *["row 2, column C"] * 3,
        "row 3, column C",
        "row 3, column D",
        "row 3, column E",
        "row 3, column F",
        "row 4, column A",
        "row 4, column B",
        "row 4, column C",
        "row 4, column D",
        "row 4, column F",
        "row 6, column C",
        "row 6, column D",
        "row 6, column E",
        "row 6, column F",
        "row 8, column F",
    ]
    shifts = write(
        tmp_path / "shifts.csv",
        SHIFT_HEAD,
        f"{QINGXI},,{own},2026-05-01 08:00,2026-05-02 08:00",
        f"{QINGXI},,{own},2026-05-02 07:00,2026-05-03 08:00",
        f"{QINGXI},,{own},2026-05-05 07:00,2026-05-05 07:00",
        f"{QINGXI},,{own},明天,2026-05-05 07:00",
    )
    told = answer(await fenghuo("roster", "import", shifts, "--json"))
    assert [fault["field"].rpartition(": ")[2] for fault in told["faults"]] == [
        "row 4, column E",
        "row 5, column D",
        "row 3, column D",
    ]
    assert [desk.area for desk in await world.store.roster.gaps(world.now, world.now.replace(year=2027))] == [
        QINGXI,
        HEWAN,
    ]
    empty = write(tmp_path / "empty.csv", SHIFT_HEAD)
    assert "no shift" in (await fenghuo("roster", "import", empty)).stderr


async def test_an_area_that_nobody_knows_is_a_fault_of_the_check(fenghuo: Fenghuo, folder: Path) -> None:
    """A duty with a slip in its area code would never hold: the check names it, with the areas of the database."""
    text = (DATA_FOLDER / "duties.toml").read_text("utf-8")
    extra = '\n[[duty]]\ncategory = "flood"\narea = "990107"\npost = "flood-duty"\nlevel = "county"\n'
    (folder / "duties.toml").write_text(text + extra, "utf-8")
    result = await fenghuo("check")
    assert result.exit_code == 2
    assert "duty: names the area 990107, which is not among the areas" in result.stdout
