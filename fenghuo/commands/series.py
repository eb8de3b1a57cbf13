"""`fenghuo series import | list | show | remove`: what is measured where, with its limits."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.table import Table

from config.data import Data
from config.settings import Settings
from domain.errors import NotFound
from domain.registry import Series
from fenghuo.commands.answers import console, print_json
from fenghuo.commands.registers import (
    describe_limits,
    describe_river,
    import_file,
    remove,
    show_fields,
    with_store,
)
from responders.registration import Kind, Wish

if TYPE_CHECKING:
    from responders.store import Store


def create_commands() -> typer.Typer:
    """Make the group of commands."""
    cli = typer.Typer(help="Series (监测项): what is measured where, and their limits.", no_args_is_help=True)

    @cli.command("import")
    def import_series(
        file: Path = typer.Argument(help="TOML with [[series]] and [[device]], or CSV or XLSX."),
        dry_run: bool = typer.Option(False, help="Tell what would change, and change nothing."),
        as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
    ) -> None:
        """Add or change series, and devices where the file has any; all of it or nothing.

        A CSV or a workbook has a row for each series; sheets called 设备 and 监测项 hold devices and series. Whatever the
        file does not name stays as it is. Gateways and workers know it within a second or two, without a restart.
        """
        import_file(file, Kind.SERIES, dry_run=dry_run, as_json=as_json)

    @cli.command("list")
    def list_series(
        area: str = typer.Option("", help="Only of the area that begins so."),
        source: str = typer.Option("", help="Only of this source."),
        as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
    ) -> None:
        """List series."""
        found = [one for one in _all() if one.area.startswith(area) and source in ("", one.source)]
        if as_json:
            print_json(found)
            return
        table = Table("id", "name", "unit", "area", "source", "device", "channel", "river", "limits")
        for one in found:
            table.add_row(
                one.id, one.name, one.unit, one.area, one.source, one.device or "", one.channel,
                describe_river(one), describe_limits(one.limits),
            )  # fmt: skip
        console().print(table)

    @cli.command()
    def show(
        name: str = typer.Argument(metavar="ID"),
        as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
    ) -> None:
        """Show one series with all its fields."""
        found = next((one for one in _all() if one.id == name), None)
        if found is None:
            raise NotFound(f"There is no series {name}.")
        if as_json:
            print_json(found)
        else:
            show_fields(found)

    @cli.command("remove")
    def remove_series(
        names: list[str] = typer.Argument(metavar="ID..."),
        yes: bool = typer.Option(False, "--yes", help="Do not ask."),
        as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
    ) -> None:
        """Remove series; their past curves stay, and what alerts said of them is cleared."""
        remove(Wish(gone_series=tuple(names)), yes=yes, as_json=as_json)

    return cli


def _all() -> list[Series]:
    async def read(store: "Store", settings: Settings, data: Data) -> list[Series]:
        return await store.series()

    return with_store(read)
