"""`fenghuo channel list | test`: the ways to reach people, and a marked test message over one of them."""

import asyncio
from typing import TYPE_CHECKING

import typer
from rich.table import Table

from config.data import Data
from config.settings import Settings
from fenghuo.commands.answers import console, dsn_of, print_json
from fenghuo.running import read_settings

if TYPE_CHECKING:
    from responders.cases import Outcome

GIVE_UP_SECONDS = 10.0
WORDS = {
    "accepted": "the other side took it",
    "no_contact": "nothing is known of how to reach this account over it: fenghuo contact set",
    "unknown_recipient": "the other side does not know this recipient",
    "not_authorised": "a key, a token or a signature of ours is not accepted",
    "out_of_service": "the account at the provider is closed, or its balance is spent",
    "unreachable": "nobody answers at the address",
    "timeout": "no answer came in time",
    "rate_limited": "too many messages for now",
    "bad_answer": "what answered is not the service, but perhaps a proxy",
    "redirected": "it was sent elsewhere, and that is not followed",
    "server_error": "the other side has a fault of its own",
    "rejected": "the other side does not take this message",
}
"""What causes mean to an operator."""


def create_commands() -> typer.Typer:
    """Make the group of commands."""
    cli = typer.Typer(help="The ways to reach people.", no_args_is_help=True)

    @cli.command("list")
    def list_channels(as_json: bool = typer.Option(False, "--json", help="Answer in JSON.")) -> None:
        """List the channels that settings and data set up, as policies and accounts name them."""
        from responders.channels.trial import rows_of

        settings, data = read_settings()
        rows = rows_of(settings, data)
        if as_json:
            print_json(rows)
            return
        table = Table("channel", "kind", "contact")
        for row in rows:
            table.add_row(row["channel"], row["kind"], row["contact"])
        console().print(table)

    @cli.command()
    def test(
        name: str = typer.Argument(help="Name of the channel."),
        login: str = typer.Argument(help="Account of the post that gets it."),
        as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
    ) -> None:
        """Send one message that is marked as a test, and tell what became of it; exit status 1 unless it was taken."""
        settings, data = read_settings()
        outcome = asyncio.run(_test(settings, data, name, login))
        if as_json:
            print_json(
                {
                    "channel": name,
                    "login": login,
                    "result": outcome.result.value,
                    "cause": outcome.cause.value,
                    "retry_after_seconds": outcome.retry_after_seconds,
                }
            )
        else:
            words = WORDS.get(outcome.cause.value, outcome.cause.value)
            console().print(f"{name}: {outcome.result.value} ({outcome.cause.value}): {words}.", markup=False)
        if outcome.result.value != "delivered":
            raise typer.Exit(1)

    return cli


async def _test(settings: Settings, data: Data, name: str, login: str) -> "Outcome":
    from responders.channels.trial import send_trial
    from responders.store import Store

    async with Store.open(dsn_of(settings), 2, give_up_seconds=GIVE_UP_SECONDS) as store:
        return await send_trial(settings, data, store, name, login)
