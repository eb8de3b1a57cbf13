"""`fenghuo contact set | list | remove`: how the person at a post is reached over a channel; kept sealed, shown masked."""

import asyncio
import sys

import typer
from rich.table import Table

from config.data import Data
from config.services import ContactKind, Service
from config.settings import Settings
from domain.errors import Fault, InvalidInput
from fenghuo.commands.answers import console, dsn_of, print_json
from fenghuo.running import read_settings

GIVE_UP_SECONDS = 10.0
UNREADABLE = "(sealed under another key)"


def create_commands() -> typer.Typer:
    """Make the group of commands."""
    cli = typer.Typer(help="How persons are reached: phone, account, address.", no_args_is_help=True)

    @cli.command("set")
    def set_contact(
        login: str = typer.Argument(help="Account of the post."),
        channel: str = typer.Argument(help="Name of a service in services.toml, such as sms."),
        as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
    ) -> None:
        """Put a contact down, in place of an earlier one; it is read from standard input, where no history keeps it."""
        settings, data = read_settings()
        service = _service(settings, data, channel)
        if service.contact is ContactKind.PUSH:
            raise InvalidInput(
                [Fault("channel", f"browsers subscribe to {channel} themselves, at the console")]
            )
        text = typer.prompt("Contact", err=True) if sys.stdin.isatty() else sys.stdin.readline()
        masked = asyncio.run(_set(settings, service, login, text))
        if as_json:
            print_json({"login": login, "channel": channel, "contact": masked})
        else:
            console().print(f"{login} is reached over {channel} at {masked}.", markup=False)

    @cli.command("list")
    def list_contacts(
        login: str | None = typer.Argument(None, help="One account; all otherwise."),
        as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
    ) -> None:
        """List who is reached over which channels; contacts are masked."""
        settings, data = read_settings()
        rows = asyncio.run(_list(settings, data, login))
        if as_json:
            print_json(rows)
            return
        table = Table("login", "post", "channel", "contact", "since")
        for row in rows:
            table.add_row(row["login"], row["display"], row["channel"], row["contact"], row["set_at"][:16])
        console().print(table)

    @cli.command()
    def remove(
        login: str = typer.Argument(help="Account of the post."),
        channel: str = typer.Argument(help="Name of the channel."),
        as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
    ) -> None:
        """Remove what is known of a person for a channel."""
        settings, _ = read_settings()
        removed = asyncio.run(_remove(dsn_of(settings), login, channel))
        if as_json:
            print_json({"login": login, "channel": channel, "removed": removed})
        else:
            console().print(f"{removed} removed.")

    return cli


def _service(settings: Settings, data: Data, channel: str) -> Service:
    """Find a service that needs contacts; InvalidInput names those that there are."""
    from responders.channels import services_of

    services = {
        name: service for name, service in services_of(settings, data).items() if service.contact is not None
    }
    if channel not in services:
        known = ", ".join(services) or "none; set one up in services.toml"
        raise InvalidInput([Fault("channel", f"{channel!r} is no service with contacts; there are: {known}")])
    return services[channel]


async def _set(settings: Settings, service: Service, login: str, text: str) -> str:
    from responders.contacts import mask_contact, read_contact, read_keyring
    from responders.store import Store

    keys = read_keyring(settings.contact_key)
    kind = service.contact
    if kind is None:
        raise InvalidInput([Fault("channel", f"{service.name} has no contacts")])
    clear = read_contact(kind, text)
    async with Store.open(dsn_of(settings), 1, give_up_seconds=GIVE_UP_SECONDS) as store:
        user = await store.contacts.find(login)
        await store.contacts.put(
            user, service.name, keys.digest(service.name, clear), keys.seal(clear, user, service.name)
        )
    return mask_contact(kind, clear)


async def _list(settings: Settings, data: Data, login: str | None) -> list[dict[str, str]]:
    from responders.channels import services_of
    from responders.contacts import mask_contact, read_keyring
    from responders.store import Store

    keys, services = read_keyring(settings.contact_key), services_of(settings, data)
    async with Store.open(dsn_of(settings), 1, give_up_seconds=GIVE_UP_SECONDS) as store:
        rows = await store.contacts.list(login)
    shown = []
    for row in rows:
        service = services.get(row.channel)
        kind = None if service is None else service.contact
        try:
            clear = keys.open_all(row.sealed, row.channel)
            contact = ", ".join("***" if kind is None else mask_contact(kind, one) for one in clear)
        except InvalidInput:
            contact = UNREADABLE
        shown.append(
            {
                "login": row.login,
                "display": row.display,
                "channel": row.channel,
                "contact": contact,
                "set_at": row.set_at.isoformat(),
            }
        )
    return shown


async def _remove(dsn: str, login: str, channel: str) -> int:
    from responders.store import Store

    async with Store.open(dsn, 1, give_up_seconds=GIVE_UP_SECONDS) as store:
        return await store.contacts.remove(await store.contacts.find(login), channel)
