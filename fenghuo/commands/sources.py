"""`fenghuo source add | list`: who may send input, what, and for which area."""

import asyncio
import hashlib
import secrets

import typer
from rich.table import Table

from domain.areas import is_area_code
from domain.decode import convert
from domain.errors import Fault, InvalidInput
from domain.levels import Feed
from domain.registry import Source
from fenghuo.commands.answers import console, dsn_of, print_json
from fenghuo.running import read_settings

GIVE_UP_SECONDS = 10.0
TOKEN_BYTES = 24


def create_commands() -> typer.Typer:
    """Make the group of commands."""
    cli = typer.Typer(
        help="Sources (数据来源): who may send input, and for which area.", no_args_is_help=True
    )

    @cli.command()
    def add(
        slug: str = typer.Argument(help="Short name, such as weather-office."),
        feeds: str = typer.Option(
            ..., help="What it may send, by commas: readings, tickets, reports, bulletins."
        ),
        area: str = typer.Option(..., help="Area code; it may speak of what lies in it."),
        as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
    ) -> None:
        """Add a source, or give it a new token and new rights; the token is shown once and stored nowhere."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        source = _source(slug, feeds, area, token)
        asyncio.run(_put(source))
        if as_json:
            print_json({"source": slug, "feeds": source.feeds, "area": area, "token": token})
        else:
            words = f"{slug} may send {', '.join(source.feeds)} for area {area}. Token: {token}"
            console().print(words, markup=False)

    @cli.command(name="list")
    def list_sources(as_json: bool = typer.Option(False, "--json", help="Answer in JSON.")) -> None:
        """List the sources, without their tokens, which nobody has."""
        found = asyncio.run(_all())
        if as_json:
            print_json([{"source": one.slug, "feeds": one.feeds, "area": one.area} for one in found])
            return
        table = Table("source", "feeds", "area")
        for one in found:
            table.add_row(one.slug, ", ".join(one.feeds), one.area)
        console().print(table)

    return cli


def _source(slug: str, feeds: str, area: str, token: str) -> Source:
    """Make a source of what was typed; InvalidInput with every fault."""
    named = [name.strip() for name in feeds.split(",") if name.strip()]
    unknown = [name for name in named if name not in list(Feed)]
    faults = [Fault("feeds", f"{name!r} is none of {', '.join(Feed)}") for name in unknown]
    if not named:
        faults.append(Fault("feeds", "names nothing"))
    if not is_area_code(area):
        faults.append(Fault("area", f"{area!r} is no area code"))
    if faults:
        raise InvalidInput(faults)
    digest = hashlib.sha256(token.encode()).hexdigest()
    return convert(Source, {"slug": slug, "token_sha256": digest, "feeds": named, "area": area})


async def _put(source: Source) -> None:
    from responders.store import Store

    settings, _ = read_settings()
    async with Store.open(dsn_of(settings), 1, give_up_seconds=GIVE_UP_SECONDS) as store:
        await store.put_sources([source])


async def _all() -> list[Source]:
    from responders.store import Store

    settings, _ = read_settings()
    async with Store.open(dsn_of(settings), 1, give_up_seconds=GIVE_UP_SECONDS) as store:
        return await store.sources()
