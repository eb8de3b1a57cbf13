"""`fenghuo roster import | show | gaps`: who is on duty when (值班表), and where nobody will be."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.table import Table

from config.data import Data
from config.settings import Settings
from domain.areas import is_area_code
from domain.errors import Fault, InvalidInput
from fenghuo.commands.answers import console, print_json
from fenghuo.commands.registers import tell_faults, with_store
from responders import words
from responders.arrangements import Account
from responders.cases import Desk
from responders.roster import Gap
from responders.roster_plan import Done, What
from responders.roster_views import RosterView
from responders.rotations import SHANGHAI

if TYPE_CHECKING:
    from fenghuo.roster_file import Known
    from responders.store import Store

MOST_DAYS = 366


def create_commands() -> typer.Typer:
    """Make the group of commands."""
    cli = typer.Typer(help="Rosters (值班表): who is on duty at which desk and when.", no_args_is_help=True)
    _add_import(cli)
    _add_reading(cli)
    return cli


def _add_import(cli: typer.Typer) -> None:
    @cli.command("import")
    def import_roster(
        file: Path = typer.Argument(help="CSV or XLSX; sheets 轮值 (rotations) and 班次 (shifts)."),
        check: bool = typer.Option(False, "--check", help="Tell what would change, and change nothing."),
        as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
    ) -> None:
        """Put rotations and shifts into force, all of the file or nothing; times are in Asia/Shanghai.

        Rotations: 区域代码, 岗位, 值班账号 (in order, + for several at once; 停止 ends them), 每班时长, 交接时间, 起始日期.
        Shifts: 区域代码, 岗位, 账号, 开始时间, 结束时间. What has passed stays as it was.
        """

        async def put(store: "Store", settings: Settings, data: Data) -> list[Done]:
            from fenghuo.registering import command_line
            from fenghuo.roster_file import read_roster

            plan = read_roster(file, await _known(store, data))
            return await store.roster.put(plan, command_line(), check=check)

        try:
            done = with_store(put)
        except InvalidInput as error:
            tell_faults(error, as_json=as_json)
        _tell(done, check=check, as_json=as_json)


async def _known(store: "Store", data: Data) -> "Known":
    from fenghuo.roster_file import Known

    accounts = {
        user.login: Account(user.id, user.display, user.role, user.area) for user in await store.users()
    }
    areas = frozenset(area.code for area in await store.areas())
    return Known(accounts, areas, frozenset({"", "leader", *(duty.post for duty in data.duties)}))


def _tell(done: list[Done], *, check: bool, as_json: bool) -> None:
    counts = {what.value: sum(one.what is what for one in done) for what in What}
    if as_json:
        print_json({"ok": True, "done": not check, **counts, "desks": done})
        return
    for one in done:
        if one.what is What.CHANGED:
            parts = [f"{one.rotations} rotations"] if one.rotations else []
            parts += [f"{one.added} shifts written"] if one.added else []
            parts += [f"{one.removed} shifts taken back"] if one.removed else []
            parts += [f"{one.past} shifts are over and were left alone"] if one.past else []
            console().print(f"~ {_desk(one.desk)}: {', '.join(parts)}", markup=False)
    told = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    console().print(f"{'This would be done' if check else 'Done'}: {told}.", markup=False)


def _add_reading(cli: typer.Typer) -> None:
    @cli.command()
    def show(
        area: str = typer.Argument(help="Area code; everything that lies in it."),
        days: float = typer.Option(7.0, min=0.01, max=MOST_DAYS, help="Days from now."),
        as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
    ) -> None:
        """Show who is on duty in an area, with people who stand in put in and vacancies marked."""
        if not is_area_code(area):
            raise InvalidInput([Fault("AREA", f"{area!r} is no area code")])

        async def read(store: "Store", settings: Settings, data: Data) -> RosterView:
            now = (await store.clock()).now()
            return await store.roster.outlook(now, now + timedelta(days=days), area)

        view = with_store(read)
        if as_json:
            print_json(view.desks)
            return
        table = Table("desk", "岗位", "from", "to", "on duty")
        for desk in view.desks:
            lines = [(span.starts_at, span.ends_at, span.display, span.disabled) for span in desk.spans]
            lines += [(gap.starts_at, gap.ends_at, "无人值班 nobody", False) for gap in desk.vacancies]
            for starts_at, ends_at, who, disabled in sorted(lines):
                shown = f"{who}（账号已停用）" if disabled else who
                table.add_row(
                    _desk(Desk(desk.area, desk.post)),
                    f"{desk.area_name}{desk.post_name}",
                    _local(starts_at),
                    _local(ends_at),
                    shown,
                )
        console().print(table)

    @cli.command()
    def gaps(
        days: float = typer.Option(30.0, min=0.01, max=MOST_DAYS, help="Days from now."),
        area: str = typer.Option("", help="Only of the area that begins so."),
        as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
    ) -> None:
        """Name each desk and time at which nobody is on duty; exit status 1 when there is any.

        A post whose area's general desk is there has no gap. A township or county without any general desk has one.
        """

        async def read(store: "Store", settings: Settings, data: Data) -> dict[Desk, list[Gap]]:
            now = (await store.clock()).now()
            return await store.roster.gaps(now, now + timedelta(days=days), area)

        found = with_store(read)
        if as_json:
            print_json(
                [
                    {"area": desk.area, "post": desk.post, "starts_at": gap.starts_at, "ends_at": gap.ends_at}
                    for desk, times in found.items()
                    for gap in times
                ]
            )
        for desk, times in found.items():
            for gap in times if not as_json else ():
                line = (
                    f"{_desk(desk)}: {_local(gap.starts_at)} – {_local(gap.ends_at)} 无人值班 nobody on duty"
                )
                console().print(line, markup=False)
        if found:
            raise typer.Exit(1)
        if not as_json:
            console().print(f"Somebody is on duty at every desk for the next {days:g} days.")


def _desk(desk: Desk) -> str:
    return f"{desk.area} {words.post_name(desk.post)}"


def _local(at: datetime) -> str:
    return at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
