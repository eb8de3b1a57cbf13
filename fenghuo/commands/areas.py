"""`fenghuo area import | list`: the tree of areas from which everything else hangs."""

import asyncio
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import typer
from rich.table import Table

from domain.decode import convert
from domain.errors import Fault, InvalidInput
from domain.registry import Area
from fenghuo.commands.answers import console, dsn_of, print_json
from fenghuo.commands.registers import GIVE_UP_SECONDS, tell_faults
from fenghuo.running import read_settings
from fenghuo.tables import read_table

COLUMNS = {
    "code": "code", "代码": "code", "区域代码": "code", "统计用区划代码": "code",
    "name": "name", "名称": "name", "区域名称": "name",
    "name_en": "name_en", "英文名称": "name_en",
    "lat": "lat", "纬度": "lat", "lon": "lon", "经度": "lon",
}  # fmt: skip


def create_commands() -> typer.Typer:
    """Make the group of commands."""
    cli = typer.Typer(help="Areas (区域): from the province down to grid cells.", no_args_is_help=True)

    @cli.command("import")
    def import_areas(
        file: Path = typer.Argument(help="CSV or XLSX with code and name, or TOML with [[area]]."),
        dry_run: bool = typer.Option(False, help="Tell what would change, and change nothing."),
        as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
    ) -> None:
        """Add or rename areas by their statistical code (统计用区划代码), all of the file or nothing.

        Columns are code and name, or 区域代码 and 名称; name_en, lat and lon may stand beside. An area keeps what the file
        does not give, such as its outline.
        """
        try:
            wanted = _read(file)
        except InvalidInput as error:
            tell_faults(error, as_json=as_json)
        added, changed, same = asyncio.run(_put(wanted, dry_run=dry_run))
        counts = {"added": added, "changed": changed, "same": same}
        if as_json:
            print_json({"ok": True, "done": not dry_run, **counts})
            return
        told = ", ".join(f"{count} {what}" for what, count in counts.items() if count) or "nothing"
        console().print(f"{'This would be done' if dry_run else 'Done'}: {told}.", markup=False)

    @cli.command("list")
    def list_areas(
        within: str = typer.Option("", help="Only of the area that begins so."),
        as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
    ) -> None:
        """List areas by code."""
        found = [area for area in asyncio.run(_all()) if area.code.startswith(within)]
        if as_json:
            print_json([{"code": area.code, "name": area.name, "name_en": area.name_en} for area in found])
            return
        table = Table("code", "name", "in English")
        for area in found:
            table.add_row(area.code, area.name, area.name_en)
        console().print(table)

    return cli


def _read(file: Path) -> list[dict[str, Any]]:
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


async def _put(wanted: list[dict[str, Any]], *, dry_run: bool) -> tuple[int, int, int]:
    """Write what differs; tells how many are added, changed and the same."""
    from responders.store import Store

    settings, _ = read_settings()
    async with Store.open(dsn_of(settings), 1, give_up_seconds=GIVE_UP_SECONDS) as store:
        present = {area.code: area for area in await store.areas()}
        after = []
        for values in wanted:
            before = present.get(values["code"])
            kept = {name: getattr(before, name) for name in Area.__struct_fields__} if before else {}
            after.append(convert(Area, {**kept, **values}, lenient=True))
        different = [area for area in after if present.get(area.code) != area]
        if not dry_run:
            await store.put_areas(different)
    added = sum(area.code not in present for area in different)
    return added, len(different) - added, len(after) - len(different)


async def _all() -> list[Area]:
    from responders.store import Store

    settings, _ = read_settings()
    async with Store.open(dsn_of(settings), 1, give_up_seconds=GIVE_UP_SECONDS) as store:
        return await store.areas()
