"""`fenghuo simulate sl651`: hydrological stations that are not there."""

import asyncio
import math

import typer
from msgspec import structs
from rich.console import Console
from rich.progress import Progress

from domain.errors import Fault, InvalidInput
from fenghuo.commands.answers import console, print_json
from fenghuo.running import read_settings, set_up_logging
from fenghuo.simulate.outcome import outcome_table
from fenghuo.simulate.playing import garbled, place_of, split
from fenghuo.simulate.sl651_play import KINDS, Play, play

LISTED = ", ".join(KINDS)
MOST_ADDRESS = 9_999_999_999


def add_to(cli: typer.Typer) -> None:
    """Add the command."""

    @cli.command()
    def sl651(
        gateway: str = typer.Argument(help="Where hydrological stations connect, such as 127.0.0.1:7651."),
        stations: int = typer.Option(1, min=1, max=10_000, help="How many stations 测站数."),
        station: str = typer.Option("0099010001", help="Ten digits of the first; the others count upwards."),
        password: str = typer.Option("0000", help="Four hexadecimal digits 密码."),
        kind: list[str] = typer.Option(
            ["timed"], help=f"What they send, in turn; may be given again: {LISTED}."
        ),
        interval: float = typer.Option(5.0, min=0, help="Seconds between two messages of a station."),
        count: int = typer.Option(3, min=1, help="Messages of each station."),
        duration: float = typer.Option(0.0, min=0, help="Seconds to go on, instead of --count."),
        wait: float = typer.Option(10.0, min=0.1, help="Seconds that a confirmation may take."),
        garbage: bool = typer.Option(
            False, "--garbage", help="Noise and broken frames before each good one."
        ),
        wrong_password: bool = typer.Option(
            False, "--wrong-password", help="Use a password that is not the one given."
        ),
        split_frames: bool = typer.Option(False, "--split", help="Send each frame in three pieces."),
        late: bool = typer.Option(False, "--late", help="Tell values of half an hour ago."),
        as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
    ) -> None:
        """Play hydrological stations (SL 651-2014, 水文遥测站) against a running gateway, for acceptance.

        A gateway confirms a message when the broker has its readings. Exit status 1 when something was not confirmed, as
        with a wrong password. Heartbeats want no answer.
        """
        host, port = place_of(gateway)
        faults = [Fault("--kind", f"{one!r} must be one of {LISTED}") for one in kind if one not in KINDS]
        if not (station.isascii() and station.isdigit() and len(station) == 10):
            faults.append(Fault("--station", "must be ten digits"))
        elif int(station) + stations - 1 > MOST_ADDRESS:
            faults.append(Fault("--station", "leaves no ten digits for all stations"))
        if len(password) != 4 or any(digit not in "0123456789abcdefABCDEF" for digit in password):
            faults.append(Fault("--password", "must be four hexadecimal digits"))
        if duration and not interval:
            faults.append(Fault("--interval", "must be more than 0 with --duration"))
        if garbage and split_frames:
            faults.append(Fault("--split", "does not go together with --garbage"))
        if faults:
            raise InvalidInput(faults)
        _, data = read_settings()
        set_up_logging("warning")
        used = f"{int(password, 16) ^ 0xFFFF:04X}" if wrong_password else password
        what = Play(
            host=host,
            port=port,
            first=station,
            stations=stations,
            count=math.ceil(duration / interval) if duration else count,
            interval_seconds=interval,
            kinds=tuple(kind),
            password=used,
            elements={element.id: element for element in data.elements},
            is_late=late,
            mangle=garbled(station) if garbage else split if split_frames else None,
            confirm_seconds=wait,
        )
        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("stations", total=what.stations * what.count)
            outcome = asyncio.run(play(what, lambda sent: bar.update(task, completed=sent)))
        if as_json:
            print_json(structs.asdict(outcome))
        else:
            console().print(outcome_table(outcome, f"SL 651 → {gateway}"))
        if outcome.unconfirmed:
            raise typer.Exit(1)
