"""`fenghuo area import | list`: the tree of areas from which everything else hangs."""

import asyncio
from pathlib import Path
from typing import Any

import typer
from rich.table import Table

from domain.decode import convert
from domain.errors import InvalidInput
from domain.registry import Area
from domain.shapes import AreaShape
from fenghuo.areas_file import COLUMNS, is_geojson, read_areas
from fenghuo.commands.answers import console, dsn_of, print_json
from fenghuo.commands.registers import GIVE_UP_SECONDS, tell_faults
from fenghuo.running import read_settings
from fenghuo.shapes_file import read_shapes


def create_commands() -> typer.Typer:
    """Make the group of commands."""
    cli = typer.Typer(help="Areas (区域): from the province down to grid cells.", no_args_is_help=True)

    @cli.command("import")
    def import_areas(
        file: Path = typer.Argument(
            help="CSV or XLSX with code and name, TOML with [[area]], or GeoJSON with shapes."
        ),
        dry_run: bool = typer.Option(False, help="Tell what would change, and change nothing."),
        as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
    ) -> None:
        """Add or rename areas by their statistical code (统计用区划代码), all of the file or nothing.

        Columns are code and name, or 区域代码 and 名称; name_en, lat and lon may stand beside. An area keeps what the file
        does not give, such as its outline. GeoJSON (.geojson, .json; WGS 84) gives shapes for the map besides.
        """
        try:
            wanted, shapes = read_shapes(file, COLUMNS) if is_geojson(file) else (read_areas(file), [])
        except InvalidInput as error:
            tell_faults(error, as_json=as_json)
        added, changed, same = asyncio.run(_put(wanted, shapes, dry_run=dry_run))
        counts = {"added": added, "changed": changed, "same": same, "shapes": len(shapes)}
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


async def _put(
    wanted: list[dict[str, Any]], shapes: list[AreaShape], *, dry_run: bool
) -> tuple[int, int, int]:
    """Write what differs, and all shapes; tells how many are added, changed and the same."""
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
            await store.command.put_shapes(shapes)
    added = sum(area.code not in present for area in different)
    return added, len(different) - added, len(after) - len(different)


async def _all() -> list[Area]:
    from responders.store import Store

    settings, _ = read_settings()
    async with Store.open(dsn_of(settings), 1, give_up_seconds=GIVE_UP_SECONDS) as store:
        return await store.areas()
