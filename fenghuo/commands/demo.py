"""`fenghuo demo`: everything on one machine with embedded services and the demo county."""

import asyncio
import socket
from pathlib import Path

import typer

from domain.errors import Fault, InvalidInput
from fenghuo.commands.answers import write_json
from fenghuo.running import set_up_logging

FACTOR = 60.0
HEADLESS_FACTOR = 600.0
PORTS = {"gateway": 8080, "console": 8000, "hj212": 7212, "sl651": 7651, "mqtt": 1883}
"""Where a demo with people listens, as far as these ports are free."""


def add_to(cli: typer.Typer) -> None:
    """Add the command."""

    @cli.command()
    def demo(
        factor: float | None = typer.Option(
            None, min=0, help="County time over wall time; 60, headless 600."
        ),
        headless: bool = typer.Option(False, help="Simulated officers instead of people at the console."),
        until_end: bool = typer.Option(False, help="End with the scenario instead of staying open."),
        report: Path | None = typer.Option(
            None, help="Where the report is written as JSON; - is standard output."
        ),
        seed: int = typer.Option(1, help="Another seed is another day with the same events."),
        hours: float = typer.Option(24.0, min=0.1, max=24.0, help="Hours of the scenario."),
        history_days: float = typer.Option(2.0, min=0, max=14, help="Days before it, played quickly."),
        share: float = typer.Option(1.0, min=0.05, max=1, help="Share of the 2,000 series to play."),
        data_dir: Path | None = typer.Option(None, help="Where everything is kept; must be empty."),
        keep: bool = typer.Option(False, help="Keep the folder of the demo afterwards."),
        ports: str = typer.Option("", help="GATEWAY,CONSOLE; any free ones otherwise (8080,8000 if free)."),
        broker: str | None = typer.Option(
            None, help="Use this Kafka (host:port) instead of the embedded one."
        ),
        database: str | None = typer.Option(
            None, help="Use this PostgreSQL (DSN) instead of the embedded one."
        ),
        password: str = typer.Option(
            "", envvar="FENGHUO_DEMO_PASSWORD", help="Of all accounts; else a new one."
        ),
    ) -> None:
        """Play a day of the demo county: sensors, calls, alerts, incidents, people."""
        from fenghuo.demo.county import Plan
        from fenghuo.demo.run import Demo, run_demo
        from fenghuo.demo.screen import RichScreen
        from fenghuo.platform import Ports

        set_up_logging("warning")
        wanted = Demo(
            plan=Plan(seed=seed, share=share, history_days=history_days, hours=hours),
            factor=factor if factor is not None else HEADLESS_FACTOR if headless else FACTOR,
            headless=headless,
            until_end=until_end or headless,
            password=password,
            broker=broker,
            database=database,
            ports=Ports(**_ports(ports, headless)),
            folder=data_dir,
            keep=keep,
        )
        with RichScreen() as screen:
            found = asyncio.run(run_demo(wanted, screen))
        if found is None:
            raise typer.Exit(0 if not until_end else 1)
        if report is not None:
            write_json(found, report)


def _ports(text: str, headless: bool) -> dict[str, int | None]:
    """Read the wish for ports; None is any free one."""
    usual = {} if headless else {name: _if_free(port) for name, port in PORTS.items()}
    if not text:
        return usual
    try:
        gateway, console = (int(part) for part in text.split(","))
    except ValueError as error:
        raise InvalidInput([Fault("--ports", "must be two numbers with a comma between them")]) from error
    return {**usual, "gateway": gateway, "console": console}


def _if_free(port: int) -> int | None:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return None
        return port
