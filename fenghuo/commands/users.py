"""`fenghuo user add | list | quiet`: accounts, which are posts and not persons."""

import asyncio
import secrets
import sys

import typer
from argon2 import PasswordHasher
from rich.table import Table

from domain.areas import is_area_code
from domain.errors import Fault, InvalidInput
from domain.identity import derived_id
from fenghuo.commands.answers import console, dsn_of, print_json
from fenghuo.running import read_settings
from responders.views import Role, User

GIVE_UP_SECONDS = 10.0
LEAST_PASSWORD_LENGTH = 10


def create_commands() -> typer.Typer:
    """Make the group of commands."""
    cli = typer.Typer(help="Accounts of posts (值班室), for the console.", no_args_is_help=True)

    @cli.command()
    def add(
        login: str = typer.Argument(help="What is typed to sign in."),
        display: str = typer.Option(..., help="The post as others see it, such as 青溪镇值班室."),
        area: str = typer.Option(..., help="Area code; the account sees what lies in it. Empty: everywhere."),
        role: str = typer.Option("officer", help="grid, officer, commander, admin or display."),
        post: str = typer.Option("", help="Post in duties.toml; empty: the general duty desk."),
        channels: str = typer.Option("console", help="Channels in order of preference, by commas."),
        password_stdin: bool = typer.Option(False, help="Read the password from standard input."),
        as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
    ) -> None:
        """Add an account, or replace the one of that login; prints a new password unless one is given."""
        password = sys.stdin.readline().rstrip("\n") if password_stdin else secrets.token_urlsafe(12)
        faults = []
        if role not in list(Role):
            faults.append(Fault("role", f"must be one of {', '.join(Role)}"))
        if area and not is_area_code(area):
            faults.append(Fault("area", f"{area!r} is no area code"))
        if len(password) < LEAST_PASSWORD_LENGTH:
            faults.append(Fault("password", f"needs {LEAST_PASSWORD_LENGTH} characters or more"))
        if faults:
            raise InvalidInput(faults)
        user = User(
            id=derived_id("user", login),
            login=login,
            display=display,
            role=Role(role),
            area=area,
            post=post,
            password_hash=PasswordHasher().hash(password),
            channels=tuple(channels.split(",")),
        )
        settings, _ = read_settings()
        asyncio.run(_put(dsn_of(settings), user))
        shown = {} if password_stdin else {"password": password}
        if as_json:
            print_json({"login": login, **shown})
        else:
            console().print(f"{login} may sign in.", *(f"Password: {word}" for word in shown.values()))

    @cli.command()
    def quiet(
        login: str = typer.Argument(help="Whose."),
        hours: str = typer.Argument(help="From and to, such as 22:00-06:30 (Asia/Shanghai), or none."),
    ) -> None:
        """Let outside channels rest for an account in some hours; grades I and II come all the same."""
        settings, _ = read_settings()
        starts, dash, ends = hours.partition("-")
        if hours != "none" and not dash:
            raise InvalidInput([Fault("hours", f"{hours!r} is not like 22:00-06:30, nor none")])
        asyncio.run(_set_quiet(dsn_of(settings), login, None if hours == "none" else (starts, ends)))
        console().print(f"{login}: {hours}", markup=False)

    @cli.command("list")
    def list_users(as_json: bool = typer.Option(False, "--json", help="Answer in JSON.")) -> None:
        """List all accounts."""
        settings, _ = read_settings()
        users = asyncio.run(_all(dsn_of(settings)))
        if as_json:
            print_json(
                [{"login": u.login, "display": u.display, "role": u.role, "area": u.area} for u in users]
            )
            return
        table = Table("login", "display", "role", "area", "post")
        for user in users:
            table.add_row(user.login, user.display, user.role, user.area, user.post)
        console().print(table)

    return cli


async def _put(dsn: str, user: User) -> None:
    from responders.store import Store

    async with Store.open(dsn, 1, give_up_seconds=GIVE_UP_SECONDS) as store:
        await store.put_users([user])


async def _set_quiet(dsn: str, login: str, hours: tuple[str, str] | None) -> None:
    from responders.store import Store

    async with Store.open(dsn, 1, give_up_seconds=GIVE_UP_SECONDS) as store:
        if hours is None:
            await store.pacing.clear_quiet_hours(login)
        else:
            await store.pacing.set_quiet_hours(login, *hours)


async def _all(dsn: str) -> list[User]:
    from responders.store import Store

    async with Store.open(dsn, 1, give_up_seconds=GIVE_UP_SECONDS) as store:
        return await store.users()
