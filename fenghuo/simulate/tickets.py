"""`fenghuo simulate tickets`: a 12345 platform that is not there."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import typer
from msgspec import structs
from rich.console import Console
from rich.progress import Progress

from domain.areas import is_area_code
from domain.errors import Fault, InvalidInput
from domain.registry import Area
from fenghuo.commands.answers import console, print_json
from fenghuo.demo.places import build_places
from fenghuo.demo.readings import SHANGHAI
from fenghuo.feeding import Feeder
from fenghuo.simulate.outcome import Outcome, outcome_table
from fenghuo.simulate.tickets_play import SOURCE, Push, build_pushes, play, villages_of

TIMEOUT_SECONDS = 60.0
MOST_CALLS = 200_000
"""All pushes are built before the first is sent, four for each call."""


def add_to(cli: typer.Typer) -> None:
    """Add the command."""

    @cli.command()
    def tickets(
        gateway: str = typer.Argument(help="Address of the gateway, such as http://127.0.0.1:8080."),
        token: str = typer.Option("", envvar="FENGHUO_IMPORT_TOKEN", help="Token of the hotline's source."),
        areas: Path | None = typer.Option(
            None, help="File with a village's code and name a line; else those of the demo county."
        ),
        per_day: float = typer.Option(
            200.0, min=0.1, max=1_000_000, help="Calls of a weekday 日均来电; fewer at weekends."
        ),
        days: float = typer.Option(1.0, min=0, max=90, help="Days of the past that are sent at once."),
        live: float = typer.Option(0.0, min=0, help="Minutes to go on in real time after that."),
        until: str = typer.Option("", help="When the past ends, such as 2026-07-01T08:00; else now."),
        seed: int = typer.Option(1, min=0, help="Another seed makes other calls."),
        as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
    ) -> None:
        """Play a 12345 hotline platform (热线平台): calls by day and evening, and how each order is handled.

        Each order is pushed when it is accepted, dispatched, done and asked about, under the same number. The same seed and
        days make the same orders, and sending them again has no second effect. Callers are 测试来电人, nobody is real.
        """
        end = _time(until)
        villages = villages_of(build_places().areas if areas is None else _read_areas(areas))
        faults = []
        if not token:
            faults.append(Fault("--token", "is needed: set FENGHUO_IMPORT_TOKEN"))
        if not villages:
            faults.append(Fault("--areas", "names no village: 12 digits and a name a line"))
        if per_day * (days + live / 1_440) > MOST_CALLS:
            faults.append(Fault("--per-day", f"times --days may be {MOST_CALLS} calls"))
        if until and live:
            faults.append(Fault("--until", "does not go together with --live"))
        if faults:
            raise InvalidInput(faults)
        pushes = build_pushes(
            villages,
            end - timedelta(days=days),
            end + timedelta(minutes=live),
            per_day=per_day,
            seed=seed,
        )
        outcome = asyncio.run(_play(gateway, token, pushes, end if until else None))
        if as_json:
            print_json(structs.asdict(outcome))
        else:
            console().print(outcome_table(outcome, f"12345 → {gateway}"))


async def _play(gateway: str, token: str, pushes: list[Push], end: datetime | None) -> Outcome:
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("orders", total=len(pushes))
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            feeder = Feeder(session, gateway, {SOURCE: token})
            return await play(
                feeder,
                pushes,
                lambda: end or datetime.now(UTC),
                lambda done: bar.update(task, completed=done),
            )


def _time(text: str) -> datetime:
    if not text:
        return datetime.now(UTC)
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput([Fault("--until", "is no time such as 2026-07-01T08:00")]) from error
    return at if at.tzinfo else at.replace(tzinfo=SHANGHAI)


def _read_areas(path: Path) -> list[Area]:
    """Read codes and names; what is no code is told by its line."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise InvalidInput([Fault(str(path), f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise InvalidInput([Fault(path.name, "is not UTF-8")]) from error
    words = [(number, line.replace(",", " ").split()) for number, line in enumerate(lines, 1)]
    found = [(number, own) for number, own in words if own and not own[0].startswith("#")]
    wrong = [
        Fault(f"{path.name}:{number}", "must be an area code and a name")
        for number, own in found
        if len(own) < 2 or not is_area_code(own[0])
    ]
    if wrong:
        raise InvalidInput(wrong)
    return [Area(code=own[0], name=own[1]) for _, own in found]
