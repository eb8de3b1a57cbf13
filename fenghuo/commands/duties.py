"""`fenghuo duties import | show`: the list of duties (权责清单), from an office's table into force."""

from datetime import UTC, datetime
from pathlib import Path

import typer
from rich.table import Table

from config.data import Data, Duty
from config.settings import Settings
from domain.areas import is_area_code
from domain.errors import Fault, InvalidConfiguration, InvalidInput
from fenghuo.commands.answers import console, print_json
from fenghuo.commands.registers import tell_faults
from fenghuo.duties_file import put_in_place, read_duties, write_out
from fenghuo.known import known_areas
from fenghuo.running import read_settings
from responders import words


def create_commands() -> typer.Typer:
    """Make the group of commands."""
    cli = typer.Typer(help="Duties (权责清单): who answers for which category where.", no_args_is_help=True)

    @cli.command("import")
    def import_duties(
        file: Path = typer.Argument(help="CSV or XLSX with category, area, post, level and due_minutes."),
        check: bool = typer.Option(False, "--check", help="Only find faults; write nothing."),
        keep: bool = typer.Option(False, help="Keep the duties of categories that the file does not name."),
        as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
    ) -> None:
        """Write duties.toml into the data folder from a table, all of it or nothing.

        Columns may be called 类别, 区域代码, 岗位, 层级, 时限（分钟）, 计时. Every fault is told with its place, and
        each gap and overlap over the areas of the database, else over every area that there can be.
        """
        settings, data = read_settings()
        folder = None if check else _folder(settings)
        try:
            duties = read_duties(file, data, known_areas(settings), keep=keep)
        except InvalidInput as error:
            tell_faults(error, as_json=as_json)
        place = None
        if folder is not None:
            place = put_in_place(folder, write_out(duties, file.name, datetime.now(UTC)))
        if as_json:
            print_json({"ok": True, "duties": len(duties), "written": None if place is None else str(place)})
        elif place is None:
            console().print(f"All is well: {len(duties)} duties. Nothing was written.", markup=False)
        else:
            told = f"{len(duties)} duties are in {place}. Restart the processes to make them take effect."
            console().print(told, markup=False)

    @cli.command()
    def show(
        area: str = typer.Argument(help="Area code."),
        as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
    ) -> None:
        """Show who answers for each category in an area, and by which rule."""
        if not is_area_code(area):
            raise InvalidInput([Fault("AREA", f"{area!r} is no area code")])
        _, data = read_settings()
        owners = [data.owner(slug, area) for slug in data.categories]
        if as_json:
            print_json({"area": area, "duties": owners})
            return
        table = Table("category", "类别", "post", "level", "due", "rule for")
        for duty in owners:
            table.add_row(*_cells(duty, data))
        console().print(table)

    return cli


def _cells(duty: Duty, data: Data) -> tuple[str, ...]:
    return (
        duty.category,
        data.categories[duty.category].zh,
        f"{words.post_name(duty.post)} ({duty.post})",
        duty.level,
        f"{duty.due_minutes:g} min",
        duty.area or "everywhere",
    )


def _folder(settings: Settings) -> Path:
    if settings.data_dir is None:
        raise InvalidConfiguration(
            [Fault("FENGHUO_DATA_DIR", "is not set: it names the folder into which duties.toml is written")]
        )
    return settings.data_dir
