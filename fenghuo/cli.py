"""The command line: every command with its own file in `fenghuo/commands/`; errors become one sentence and a status."""

import sys

import typer
from rich.console import Console

from domain.errors import FenghuoError, InvalidConfiguration
from fenghuo.commands import (
    aqi,
    areas,
    audit,
    backtest,
    bench,
    cap,
    channels,
    check,
    classify,
    contacts,
    demo,
    devices,
    drill,
    duties,
    imports,
    migrate,
    replay,
    rosters,
    score,
    series,
    simulate,
    sources,
    stages,
    tokens,
    topics,
    users,
)
from fenghuo.running import set_up_logging

WRONG_CONFIGURATION = 2
FAILED = 1


def create_cli() -> typer.Typer:
    """Put all commands together."""
    cli = typer.Typer(
        name="fenghuo",
        help="Fenghuo 烽火: watches a county for risk and sees to it that somebody who is responsible acts.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    for commands in (demo, stages, migrate, topics, check, classify, aqi, replay, backtest, score):
        commands.add_to(cli)
    cli.add_typer(audit.create_commands(), name="audit")
    cli.add_typer(users.create_commands(), name="user")
    cli.add_typer(contacts.create_commands(), name="contact")
    cli.add_typer(channels.create_commands(), name="channel")
    cli.add_typer(duties.create_commands(), name="duties")
    cli.add_typer(rosters.create_commands(), name="roster")
    cli.add_typer(areas.create_commands(), name="area")
    cli.add_typer(devices.create_commands(), name="device")
    cli.add_typer(series.create_commands(), name="series")
    cli.add_typer(drill.create_commands(), name="drill")
    cli.add_typer(imports.create_commands(), name="import")
    cli.add_typer(simulate.create_commands(), name="simulate")
    cli.add_typer(bench.create_commands(), name="bench")
    cli.add_typer(cap.create_commands(), name="cap")
    cli.add_typer(sources.create_commands(), name="source")
    cli.add_typer(tokens.create_commands(), name="token")
    return cli


def main() -> None:
    """Run the command line; exit status 0 well, 1 failed, 2 wrong use or configuration."""
    errors = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)
    set_up_logging("warning")  # stages set their own level once they know it
    try:
        create_cli()()
    except InvalidConfiguration as error:
        errors.print(f"Wrong configuration: {error}")
        sys.exit(WRONG_CONFIGURATION)
    except FenghuoError as error:
        errors.print(str(error))
        sys.exit(FAILED)
    except KeyboardInterrupt:
        sys.exit(130)
