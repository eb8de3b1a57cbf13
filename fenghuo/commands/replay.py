"""`fenghuo replay`: recorded sensor series through a gateway."""

import asyncio
import tempfile
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from domain.areas import is_area_code
from domain.errors import Fault, InvalidInput
from fenghuo.commands.answers import console, print_json
from fenghuo.recorded import Recorded, read_recorded
from fenghuo.replaying import GRID, Replayed, make_series, replay_here, replay_to
from fenghuo.running import read_settings, set_up_logging

SHANGHAI = ZoneInfo("Asia/Shanghai")


def add_to(cli: typer.Typer) -> None:
    """Add the command."""

    @cli.command()
    def replay(
        readings: Path = typer.Option(..., help="A CSV with a header, a time and a value."),
        series: str = typer.Option("", help="Id of the series; else the name of the file."),
        gateway: str = typer.Option("", help="Address of a running gateway, such as http://127.0.0.1:8080."),
        token: str = typer.Option(
            "", envvar="FENGHUO_REPLAY_TOKEN", help="Token of the source at that gateway."
        ),
        source: str = typer.Option("replay", help="Slug of the source that the token belongs to."),
        start: bool = typer.Option(
            False, help="Start a platform for the replay; so it is without --gateway."
        ),
        area: str = typer.Option("", help="Area code where the series lies."),
        category: str = typer.Option("fire-hazard", help="Category that the series speaks of."),
        unit: str = typer.Option("", help="Unit of the values."),
        seconds: float = typer.Option(
            60.0, min=1, help="On a platform of its own: how long the replay lasts."
        ),
        time_column: str | None = typer.Option(None, help="Column of the time; guessed otherwise."),
        value_column: str | None = typer.Option(
            None, "--value-column", "--column", help="Column of the value; guessed otherwise."
        ),
        as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
    ) -> None:
        """Send a recorded series in order and tell which alerts came of it.

        A gateway refuses series that it does not know. They are registered here first: with --start, or with
        FENGHUO_DATABASE_DSN and FENGHUO_BROKER_BOOTSTRAP those of the running platform. With neither, the series must be
        known already, and alerts are to be looked up in the console. A running platform keeps its own clock: there the
        readings go as fast as they are taken, and alerts open at its present time.
        """
        recorded = read_recorded(readings, time_column=time_column, value_column=value_column)
        settings, data = read_settings()
        place = area or GRID
        if not is_area_code(place):
            raise InvalidInput([Fault("--area", f"{place!r} is no area code")])
        if category not in data.categories:
            raise InvalidInput([Fault("--category", f"must be one of {', '.join(data.categories)}")])
        name = series or readings.stem.replace(" ", "_")
        described = make_series(name, recorded, area=place, category=category, source=source, unit=unit)
        set_up_logging("warning")
        _tell_naive(recorded)
        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(f"{name}", total=len(recorded.times))

            def progress(sent: int) -> None:
                bar.update(task, completed=sent)

            if gateway and not start:
                if not token:
                    raise InvalidInput([Fault("--token", "is needed with --gateway")])
                dsn = settings.database.dsn.value or None
                done = asyncio.run(
                    replay_to(gateway, token, described, recorded, progress, dsn=dsn, broker=settings.broker)
                )
            else:
                with tempfile.TemporaryDirectory(prefix="fenghuo-", ignore_cleanup_errors=True) as folder:
                    done = asyncio.run(replay_here(Path(folder), described, recorded, progress, seconds))
        if as_json:
            print_json(done)
        else:
            _show(done)


def _tell_naive(recorded: Recorded) -> None:
    if recorded.naive:
        Console(stderr=True).print("Times without an offset are taken as Asia/Shanghai (+08:00).")


def _show(done: Replayed) -> None:
    console().print(f"{done.sent} readings of {done.series} sent, {done.skipped} rows skipped.")
    if done.alerts is None:
        console().print("The alerts stand in the console.")
        return
    table = Table("opened", "until", "level", "what")
    for alert in done.alerts:
        table.add_row(
            _local(alert.opened_at), _local(alert.changed_at), alert.level, f"{alert.zh}\n{alert.en}"
        )
    console().print(table if done.alerts else "No alert.")


def _local(at: datetime) -> str:
    return f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
