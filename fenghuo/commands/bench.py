"""`fenghuo bench throughput | latency | gateway | storm | map | live`: speed; code is in `benchmarks/` of a checkout."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from msgspec import Struct, structs
from rich.console import Console
from rich.table import Table

from domain.errors import FenghuoError
from fenghuo.commands.answers import console, print_json
from fenghuo.running import set_up_logging

LEAST_FRAMES = 30.0
"""Frames a second below which a map is felt to stutter."""


def create_commands() -> typer.Typer:
    """Make the group of commands."""
    cli = typer.Typer(help="Measure speed; needs a checkout, where benchmarks/ lies.", no_args_is_help=True)

    @cli.command()
    def throughput(
        readings: int = typer.Option(6_000_000, min=10_000, help="Readings for our worker."),
        packing: int = typer.Option(2_000, min=1, max=5_000, help="Readings in a message."),
        peer_readings: int = typer.Option(
            2_600_000, min=1_000, help="For each peer; below 64 a series its detector only warms up."
        ),
        peers: bool = typer.Option(True, help="Measure the peers too."),
        broker: str | None = typer.Option(
            None, help="A fresh Kafka (host:port) instead of the embedded broker."
        ),
        as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
    ) -> None:
        """Readings a second through one worker on one core, 20,000 series, detection on, from first to last."""
        set_up_logging("error")
        with _checkout():
            from benchmarks.throughput import measure
        found = asyncio.run(
            measure(readings, packing, _say, broker=broker, peers=peers, peer_readings=peer_readings)
        )
        if as_json:
            print_json(found)
            return
        table = Table(
            "what",
            "readings/s",
            "a second of its core",
            title=f"{found.series:,} series, {found.packing} readings a message",
        )
        own = f"{found.readings_per_second:,.0f}", f"{found.readings_per_core_second:,.0f}"
        table.add_row("Fenghuo stream worker", *own)
        for name, rate in found.peers.items():
            table.add_row(name, rate if isinstance(rate, str) else f"{rate:,.0f}", "")
        console().print(table)

    @cli.command()
    def latency(
        rate: int = typer.Option(2_000, min=20, help="Readings a second."),
        seconds: float = typer.Option(60.0, min=15, help="How long."),
        townships: int = typer.Option(
            40, min=1, max=300, help="Each makes messages of its own, and 3 alerts."
        ),
        broker: str | None = typer.Option(
            None, help="Use this Kafka (host:port) instead of the embedded broker."
        ),
        as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
    ) -> None:
        """Milliseconds from the gateway's receipt to the alert's row and to the page, through all processes."""
        set_up_logging("error")
        with _checkout():
            from benchmarks.latency import measure
        found = asyncio.run(measure(rate, seconds, townships, _say, broker))
        if as_json:
            print_json(found)
            return
        title = f"{found.alerts} alerts, {found.townships} townships, {rate:,} readings/s"
        table = Table("ms from receipt", "p50", "p99", title=title)
        table.add_row("to the alert's row", _ms(found.alert_p50), _ms(found.alert_p99))
        table.add_row("to the page", _ms(found.page_p50), _ms(found.page_p99))
        console().print(table)

    @cli.command()
    def gateway(
        connections: int = typer.Option(2_000, min=1, help="HJ 212 stations connected at once."),
        rate: int = typer.Option(5_000, min=1, help="Packets a second of all of them."),
        seconds: float = typer.Option(30.0, min=1, help="How long."),
        broker: str | None = typer.Option(
            None, help="A fresh Kafka (host:port) instead of the embedded broker."
        ),
        as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
    ) -> None:
        """HJ 212 packets through one gateway process, each answered (9014) when the broker has it on disk."""
        set_up_logging("error")
        with _checkout():
            from benchmarks.gateway import measure
        found = asyncio.run(measure(connections, rate, seconds, _say, broker))
        _tell(found, f"{found.connections:,} stations, one gateway process", as_json=as_json)
        if found.unanswered or found.refused:
            raise typer.Exit(1)

    @cli.command()
    def storm(
        alerts: int = typer.Option(10_000, min=100, help="Alerts put on the topic."),
        seconds: float = typer.Option(10.0, min=1, help="In how long."),
        townships: int = typer.Option(200, min=1, max=5_000, help="Spread over ten counties."),
        timers: int = typer.Option(
            0, min=0, max=1_000_000, help="Cases that are open besides, with timers to come."
        ),
        apart: bool = typer.Option(False, help="Make each alert a case of its own."),
        digests: bool = typer.Option(True, help="Gather pages in the storm, as shipped."),
        digest_minutes: float | None = typer.Option(
            None, min=0.1, help="Between a person's digests, instead of those shipped."
        ),
        as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
    ) -> None:
        """A stormy night through one responder: seconds to first pages, what was lost, what came twice."""
        set_up_logging("error")
        with _checkout():
            from benchmarks.storm import measure
            from benchmarks.storm_table import table_of
        found = asyncio.run(
            measure(
                alerts,
                seconds,
                townships,
                _say,
                timers=timers,
                apart=apart,
                digests=digests,
                digest_minutes=digest_minutes,
            )
        )
        if as_json:
            print_json(found)
        else:
            columns, rows = table_of(found)
            table = Table(*columns, title=f"{alerts:,} alerts in {seconds:g} s over {townships} townships")
            for row in rows:
                table.add_row(*row)
            console().print(table)
        if found.lost or found.repeated:
            raise typer.Exit(1)

    @cli.command("map")
    def measure_map(
        cells: int = typer.Option(10_000, min=100, max=12_000, help="Grid cells, each with an open case."),
        rate: int = typer.Option(1_000, min=1, help="Cases a second that change their level."),
        seconds: float = typer.Option(20.0, min=2, help="How long."),
        as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
    ) -> None:
        """Frames a second of the console's map in Chromium without a GPU; exit status 1 below 30."""
        set_up_logging("error")
        with _checkout():
            from benchmarks.map import measure
        found = asyncio.run(measure(cells, rate, seconds, _say))
        _tell(found, f"{cells:,} cells, {rate:,} updates a second, no GPU", as_json=as_json)
        if found.frames_per_second < LEAST_FRAMES:
            raise typer.Exit(1)

    @cli.command()
    def live(
        pages: int = typer.Option(5_000, min=1, help="Live pages open at once."),
        rate: float = typer.Option(10.0, min=0.1, help="Changes a second, each told to every page."),
        seconds: float = typer.Option(30.0, min=1, help="How long."),
        as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
    ) -> None:
        """Milliseconds from a case's change to its arrival at thousands of live pages of one console process."""
        set_up_logging("error")
        with _checkout():
            from benchmarks.live import measure
        found = asyncio.run(measure(pages, rate, seconds, _say))
        _tell(found, f"{pages:,} live pages on one console process", as_json=as_json)
        if found.missing or found.resyncs:
            raise typer.Exit(1)

    return cli


def _say(text: str) -> None:
    Console(stderr=True, highlight=False).print(f"{text} …")


def _ms(value: float | None) -> str:
    return "—" if value is None else f"{value:,.0f}"


def _tell(found: Struct, title: str, *, as_json: bool) -> None:
    """Answer with figures by name."""
    if as_json:
        print_json(found)
        return
    table = Table("what", "figure", title=title)
    for name, value in structs.asdict(found).items():
        told = (
            f"{value:,.1f}"
            if isinstance(value, float)
            else f"{value:,}"
            if isinstance(value, int)
            else str(value)
        )
        table.add_row(name.replace("_", " "), told)
    console().print(table)


@contextmanager
def _checkout() -> Iterator[None]:
    """Say where benchmarks/ is to be found when it is not."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise FenghuoError("benchmarks/ is not here: run this in a checkout of Fenghuo") from error
