"""`fenghuo channel list | test`: the ways to reach people, and a marked test message over one of them."""

import asyncio
import uuid
from datetime import datetime
from typing import TYPE_CHECKING

import typer
from rich.table import Table

from config.data import Data
from config.settings import Settings
from domain.errors import Fault, InvalidInput
from domain.levels import Grade, Level
from fenghuo.commands.answers import console, dsn_of, print_json
from fenghuo.running import read_settings

if TYPE_CHECKING:
    from responders.cases import Message, Outcome

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
        settings, data = read_settings()
        rows = _rows(settings, data)
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


def _rows(settings: Settings, data: Data) -> list[dict[str, str]]:
    from responders.channels import services_of

    rows = [{"channel": name, "kind": name, "contact": ""} for name in ("console", "file")]
    rows += [{"channel": chat.name, "kind": chat.kind.value, "contact": ""} for chat in data.chats.values()]
    return rows + [
        {
            "channel": service.name,
            "kind": str(type(service).__struct_config__.tag),
            "contact": "" if service.contact is None else service.contact.value,
        }
        for service in services_of(settings, data).values()
    ]


async def _test(settings: Settings, data: Data, name: str, login: str) -> "Outcome":
    from responders.channels import open_channels
    from responders.store import Store

    known = [row["channel"] for row in _rows(settings, data) if row["channel"] != "console"]
    if name not in known:
        raise InvalidInput(
            [Fault("name", f"{name!r} is no channel to be tested; there are {', '.join(known)}")]
        )
    async with Store.open(dsn_of(settings), 2, give_up_seconds=GIVE_UP_SECONDS) as store:
        user = await store.contacts.find(login)
        contact = await store.contacts.of(user, name)
        display = next(one.display for one in await store.users() if one.id == user)
        clock = await store.clock()
        async with open_channels(settings, data, store) as channels:
            return await channels[name].send(made_up(display, contact, clock.now()))


def made_up(recipient: str, contact: str, now: datetime) -> "Message":
    """Make the message: it says that it is a test, in both languages, and asks for nothing."""
    from responders.cases import Message
    from responders.channels.addressed import TEST

    return Message(
        page=uuid.uuid4(),
        incident=uuid.uuid4(),
        recipient=recipient,
        step=0,
        loop=0,
        reason=TEST,
        title="【测试】渠道测试",
        zh="这是一条测试通知，收到即说明渠道可用，无需处理。",
        en="This is a test message: the channel works, nothing is to be done.",
        level=Level.BLUE,
        grade=Grade.IV,
        place="",
        drill=False,
        created_at=now,
        contact=contact,
    )
