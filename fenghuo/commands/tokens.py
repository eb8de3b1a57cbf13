"""`fenghuo token add | list | end`: tokens by which programs use the API."""

import asyncio
from uuid import UUID, uuid4

import typer
from rich.table import Table

from domain.decode import convert
from domain.errors import Fault, InvalidInput
from fenghuo.commands.answers import console, dsn_of, print_json
from fenghuo.running import read_settings
from responders.tokens import NewToken, Scope, TokenRow, make_token

GIVE_UP_SECONDS = 10.0


def create_commands() -> typer.Typer:
    """Make the group of commands."""
    cli = typer.Typer(help="Tokens for machines (机器令牌), for the API.", no_args_is_help=True)

    @cli.command()
    def add(
        name: str = typer.Argument(help="What it is for, such as 市平台; the record of a case shows it."),
        login: str = typer.Option(..., help="The account that it acts for; it may never do more."),
        scopes: str = typer.Option("read", help=f"What it may do, by commas: {', '.join(Scope)}."),
        area: str = typer.Option("", help="Area code within the account's. Empty: the account's."),
        days: int = typer.Option(365, help="For how long, 400 days at most."),
        as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
    ) -> None:
        """Make a token; it is shown once and stored nowhere."""
        wish = {"name": name, "login": login, "area": area, "days": days}
        wanted = convert(NewToken, {**wish, "scopes": [one for one in scopes.split(",") if one]})
        token, digest = make_token()
        row = asyncio.run(_add(wanted, digest))
        if as_json:
            print_json({"token": row, "secret": token})
        else:
            words = f"{name} may {', '.join(row.scopes)} for {row.display} in {row.area or 'all areas'}"
            console().print(f"{words} until {row.expires_at:%Y-%m-%d}. Token: {token}", markup=False)

    @cli.command(name="list")
    def list_tokens(as_json: bool = typer.Option(False, "--json", help="Answer in JSON.")) -> None:
        """List all tokens, ended ones too, with their last use."""
        found = asyncio.run(_all())
        if as_json:
            print_json(found)
            return
        table = Table("id", "name", "account", "area", "scopes", "until", "last use", "ended by")
        for row in found:
            used = "–" if row.used_at is None else f"{row.used_at:%Y-%m-%d %H:%M}"
            until = f"{row.expires_at:%Y-%m-%d}"
            scopes = ", ".join(row.scopes)
            table.add_row(str(row.id), row.name, row.login, row.area, scopes, until, used, row.ended_by or "")
        console().print(table)

    @cli.command()
    def end(token: str = typer.Argument(help="Its id, from `fenghuo token list`.")) -> None:
        """End a token for good, from its next request on."""
        try:
            named = UUID(token)
        except ValueError as error:
            raise InvalidInput([Fault("token", "must be an id from `fenghuo token list`")]) from error
        row = asyncio.run(_end(named))
        console().print(f"{row.name} is ended.", markup=False)

    return cli


async def _add(wanted: NewToken, digest: str) -> TokenRow:
    from responders.store import Store

    settings, _ = read_settings()
    async with Store.open(dsn_of(settings), 1, give_up_seconds=GIVE_UP_SECONDS) as store:
        row, _ = await store.tokens.add(None, wanted, digest, uuid4())
        return row


async def _all() -> list[TokenRow]:
    from responders.store import Store

    settings, _ = read_settings()
    async with Store.open(dsn_of(settings), 1, give_up_seconds=GIVE_UP_SECONDS) as store:
        return await store.tokens.tokens()


async def _end(token: UUID) -> TokenRow:
    from responders.store import Store

    settings, _ = read_settings()
    async with Store.open(dsn_of(settings), 1, give_up_seconds=GIVE_UP_SECONDS) as store:
        return await store.tokens.end(None, token)
