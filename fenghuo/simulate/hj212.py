"""`fenghuo simulate hj212`: environmental stations that are not there."""

import asyncio
import math
import re
from datetime import timedelta

import typer
from msgspec import structs
from rich.console import Console
from rich.progress import Progress

from domain.errors import Fault, InvalidInput
from fenghuo.commands.answers import console, print_json
from fenghuo.running import set_up_logging
from fenghuo.simulate.hj212_play import KINDS, Play, address_of, play
from fenghuo.simulate.outcome import outcome_table
from fenghuo.simulate.playing import garbled, place_of, split
from streams.hj212.packet import VERSIONS

LISTED = ", ".join(KINDS)


def add_to(cli: typer.Typer) -> None:
    """Add the command."""

    @cli.command()
    def hj212(
        gateway: str = typer.Argument(help="Where environmental stations connect, such as 127.0.0.1:7212."),
        stations: int = typer.Option(1, min=1, max=10_000, help="How many stations 监测点数."),
        mn: str = typer.Option("9901010A2100000000FF0001", help="MN of the first; the others count upwards."),
        password: str = typer.Option("123456", help="PW 访问密码."),
        kind: list[str] = typer.Option(
            ["realtime"], help=f"What they send, in turn; may be given again: {LISTED}."
        ),
        codes: str = typer.Option(
            "w01018,w21003,w21011,w01001", help="Codes of what they measure, by commas."
        ),
        st: str = typer.Option("21", help="System 系统编码: 21 surface water, 22 air, 31, 32 …"),
        version: int = typer.Option(2017, help="Edition of the standard: 2005, 2017 or 2025."),
        sm4_key: str = typer.Option("", help="32 hexadecimal digits: encrypt as the 2025 edition does."),
        interval: float = typer.Option(5.0, min=0, help="Seconds between two packets of a station."),
        count: int = typer.Option(3, min=1, help="Packets of each station."),
        duration: float = typer.Option(0.0, min=0, help="Seconds to go on, instead of --count."),
        wait: float = typer.Option(10.0, min=0.1, help="Seconds that an answer may take."),
        garbage: bool = typer.Option(
            False, "--garbage", help="Noise and broken frames before each good one."
        ),
        wrong_password: bool = typer.Option(
            False, "--wrong-password", help="Use a password that is not the one given."
        ),
        split_frames: bool = typer.Option(False, "--split", help="Send each frame in three pieces."),
        late: bool = typer.Option(False, "--late", help="Resend values of three hours ago (RF=1)."),
        clock_off: float = typer.Option(
            0.0, help="Hours that the stations' clocks are ahead (or behind: -3)."
        ),
        as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
    ) -> None:
        """Play environmental stations (HJ 212, 污染物在线监控) against a running gateway, for acceptance.

        A gateway answers a packet (9014) when the broker has its readings. Exit status 1 when something was not answered or
        was refused, as with a wrong password.
        """
        host, port = place_of(gateway)
        faults = list(_faults(kind, mn, stations, version, sm4_key, codes))
        if duration and not interval:
            faults.append(Fault("--interval", "must be more than 0 with --duration"))
        if garbage and split_frames:
            faults.append(Fault("--split", "does not go together with --garbage"))
        if faults:
            raise InvalidInput(faults)
        set_up_logging("warning")
        what = Play(
            host=host,
            port=port,
            first=mn,
            stations=stations,
            count=math.ceil(duration / interval) if duration else count,
            interval_seconds=interval,
            kinds=tuple(kind),
            codes=tuple(codes.split(",")),
            password=f"not-{password}"[:20] if wrong_password else password,
            st=st,
            version=version,
            key=bytes.fromhex(sm4_key) if sm4_key else None,
            is_late=late,
            clock_off=timedelta(hours=clock_off),
            mangle=garbled(mn) if garbage else split if split_frames else None,
            answer_seconds=wait,
        )
        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("stations", total=what.stations * what.count)
            outcome = asyncio.run(play(what, lambda sent: bar.update(task, completed=sent)))
        if as_json:
            print_json(structs.asdict(outcome))
        else:
            console().print(outcome_table(outcome, f"HJ 212 → {gateway}"))
        if outcome.unconfirmed:
            raise typer.Exit(1)


def _faults(kinds: list[str], mn: str, stations: int, version: int, sm4_key: str, codes: str) -> list[Fault]:
    """Find what is wrong with the options."""
    faults = [Fault("--kind", f"{one!r} must be one of {LISTED}") for one in kinds if one not in KINDS]
    if not re.fullmatch(r"[\w.:\-]{0,34}[0-9A-Fa-f]{6}", mn, re.ASCII):
        faults.append(Fault("--mn", "must be up to 40 letters and digits, the last six hexadecimal"))
    elif len(address_of(mn, stations - 1)) > len(mn):
        faults.append(Fault("--mn", "leaves no six digits for all stations"))
    if version not in VERSIONS:
        faults.append(Fault("--version", f"must be one of {', '.join(map(str, VERSIONS))}"))
    if sm4_key and not re.fullmatch(r"[0-9A-Fa-f]{32}", sm4_key):
        faults.append(Fault("--sm4-key", "must be 32 hexadecimal digits"))
    if sm4_key and version != 2025:
        faults.append(Fault("--sm4-key", "is of the 2025 edition: give --version 2025"))
    if not all(re.fullmatch(r"[\w.:]{1,32}", code, re.ASCII) for code in codes.split(",")):
        faults.append(Fault("--codes", "must be codes with commas between them"))
    return faults
