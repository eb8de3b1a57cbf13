"""`fenghuo migrate`: bring the database to the schema of this release."""

import asyncio

import typer

from fenghuo.commands.answers import console, dsn_of, print_json
from fenghuo.running import read_settings


def add_to(cli: typer.Typer) -> None:
    """Add the command."""

    @cli.command()
    def migrate(as_json: bool = typer.Option(False, "--json", help="Answer in JSON.")) -> None:
        """Apply the migrations that the database lacks; safe to repeat and to run twice at once."""
        from responders.migrate import migrate as apply

        settings, _ = read_settings()
        applied = asyncio.run(apply(dsn_of(settings)))
        if as_json:
            print_json({"applied": applied})
        else:
            console().print(f"Applied {', '.join(applied)}." if applied else "The database is up to date.")
