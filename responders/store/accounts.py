"""Accounts in SQL: what hangs on them, their changes with preview and refusal, passwords and second factors given anew."""

from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

import msgspec
from msgspec import Struct

from domain.codec import encode
from domain.errors import Conflict, Fault, InvalidInput, NotFound
from domain.identity import derived_id
from domain.incidents import OPEN_STATES
from responders.accounts import AccountWish, DeskAhead, Preview, Standing, leaves_desk, preview
from responders.admin_record import AdminKind
from responders.cases import Desk
from responders.roster import Gap, gaps
from responders.store.admin_entries import add_admin_entry
from responders.store.console import Actor, find_actor
from responders.store.desks import Sheets, read_sheets
from responders.store.entries import name_of
from responders.store.pool import Connection
from responders.store.queries import sql
from responders.store.registry import county_now, list_areas
from responders.views import Role, Viewer
from responders.words import post_name

ADMINISTERS = frozenset({Role.ADMIN})
AHEAD = timedelta(days=30)
"""How far the roster is looked ahead for desks that an account would leave."""
OPEN_TASKS = ("accepted", "on_site", "suspended", "arbitration")

Answer = TypeVar("Answer")


class AccountRow(Struct, frozen=True, kw_only=True):
    """An account as administrators see it; `contacts` names channels, never how somebody is reached over them."""

    id: UUID
    login: str
    display: str
    role: Role
    area: str
    area_name: str
    post: str
    channels: tuple[str, ...]
    disabled: bool
    password_given: bool
    sessions: int
    has_code: bool
    passkeys: int
    contacts: tuple[str, ...]

    def wish(self) -> AccountWish:
        """Give what can be changed of it."""
        return AccountWish(
            login=self.login,
            display=self.display,
            role=self.role,
            area=self.area,
            post=self.post,
            channels=self.channels,
            disabled=self.disabled,
        )


class Choices(Struct, frozen=True, kw_only=True):
    """What an account may name: posts of the duties, channels of settings and data."""

    posts: frozenset[str]
    channels: frozenset[str]


class Ended(Struct, frozen=True, kw_only=True):
    """What a change of an account was, and the digests of the sessions' tokens that it ended."""

    preview: Preview
    sessions: tuple[str, ...] = ()


async def list_accounts(connection: Connection, viewer: Viewer) -> list[AccountRow]:
    """List the accounts of an area."""
    actor = await find_actor(connection, viewer, ADMINISTERS)
    rows = await connection.fetch(sql("accounts_of"), actor.area, None)
    return [msgspec.convert(dict(row), AccountRow) for row in rows]


async def show_account(connection: Connection, viewer: Viewer, login: str) -> AccountRow:
    """Show an account."""
    actor = await find_actor(connection, viewer, ADMINISTERS)
    return await find_account(connection, actor, login)


async def find_account(connection: Connection, actor: Actor, login: str) -> AccountRow:
    """Find an account of the actor's area; NotFound outside it."""
    row = await connection.fetchrow(sql("accounts_of"), actor.area, login)
    if row is None:
        raise NotFound("没有这个账号，或不在您的辖区。 There is no such account in your area.")
    found: AccountRow = msgspec.convert(dict(row), AccountRow)
    return found


async def plan_account(
    connection: Connection, viewer: Viewer, wish: AccountWish, choices: Choices, create: bool
) -> Preview:
    """Tell what a change would do."""
    actor = await find_actor(connection, viewer, ADMINISTERS)
    return (await _planned(connection, actor, viewer.login, wish, choices, create=create))[1]


async def _planned(
    connection: Connection, actor: Actor, login: str, wish: AccountWish, choices: Choices, *, create: bool
) -> tuple[AccountRow | None, Preview]:
    row = None if create else await find_account(connection, actor, wish.login)
    if create and await connection.fetchval(sql("login_taken"), wish.login):
        raise InvalidInput([Fault("login", "已有这个账号。 there is an account of this login already")])
    before = row.wish() if row else None
    standing = await _standing(connection, row, wish, choices)
    return row, preview(before, wish, standing, login, actor.area)


async def _standing(
    connection: Connection, row: AccountRow | None, wish: AccountWish, choices: Choices
) -> Standing:
    states = [state.value for state in OPEN_STATES]
    areas = {area.code: area.name for area in await list_areas(connection)}
    after = await connection.fetchval(sql("open_cases_within"), wish.area, states)
    if row is None:
        return Standing(areas=areas, posts=choices.posts, channels=choices.channels, cases_after=after)
    held = await connection.fetchrow(sql("hangs_on"), row.id, states, list(OPEN_TASKS)) or {}
    others = await connection.fetchrow(sql("others_at"), row.id, row.area, row.post) or {}
    leaves = leaves_desk(row.wish(), wish)
    return Standing(
        areas=areas,
        posts=choices.posts,
        channels=choices.channels,
        held=held["held"],
        tasks=held["tasks"],
        sessions=row.sessions,
        cases_before=await connection.fetchval(sql("open_cases_within"), row.area, states),
        cases_after=after,
        desks=await _desks_ahead(connection, row.id) if leaves else (),
        peers=others["peers"],
        administrators=others["administrators"],
    )


async def _desks_ahead(connection: Connection, user: UUID) -> tuple[DeskAhead, ...]:
    """Find the desks at which an account is on the roster, and when nobody would be there without it."""
    since = await county_now(connection)
    until = since + AHEAD
    rows = await connection.fetch(sql("desks_within"), "")
    planned = {Desk(row["area"], row["post"]): row["planned_until"] for row in rows}
    areas = dict.fromkeys(desk.area for desk in planned)
    sheets = await read_sheets(connection, tuple(areas), since, until, planned)
    found = []
    for desk in sorted(sheets, key=lambda one: (one.area, one.post)):
        shifts = sum(span.user == user for span in sheets[desk].reachable())
        if shifts:
            name = f"{await name_of(connection, desk.area)}{post_name(desk.post)}"
            new = _gaps_without(sheets, desk, user, since, until)
            found.append(DeskAhead(name=name, shifts=shifts, gaps=new))
    return tuple(found)


def _gaps_without(
    sheets: Sheets, desk: Desk, user: UUID, since: datetime, until: datetime
) -> tuple[Gap, ...]:
    spans = [
        span
        for one in dict.fromkeys((desk, Desk(desk.area, "")))
        for span in (sheets[one].reachable() if one in sheets else [])
    ]
    present = set(gaps(spans, since, until))
    return tuple(
        gap for gap in gaps([span for span in spans if span.user != user], since, until) if gap not in present
    )


async def answered_before(
    connection: Connection, request_id: UUID, actor: Actor, action: str, subject: UUID, kind: type[Answer]
) -> Answer | None:
    """Find what a request was answered before; Conflict when its id was used for something else."""
    row = await connection.fetchrow(sql("find_request"), request_id)
    if row is None:
        return None
    if (row["user_id"], row["action"], row["subject"]) != (actor.id, action, subject):
        raise Conflict("请求编号已用于其他操作。 This request id was used for something else.")
    return msgspec.json.decode(row["answer"], type=kind)


async def put_account(
    connection: Connection,
    viewer: Viewer,
    wish: AccountWish,
    choices: Choices,
    request_id: UUID,
    create: bool,
    password_hash: str,
) -> Ended:
    """Create or change an account, once for each request id."""
    actor = await find_actor(connection, viewer, ADMINISTERS)
    await connection.execute(sql("lock_accounts"))
    subject = derived_id("account-wish", encode(wish).decode(), create)
    earlier = await answered_before(connection, request_id, actor, "account", subject, Ended)
    if earlier is not None:
        return earlier
    row, planned = await _planned(connection, actor, viewer.login, wish, choices, create=create)
    if planned.faults:
        raise InvalidInput(planned.faults)
    answer = Ended(preview=planned)
    if not planned.same:
        user = row.id if row else derived_id("user", wish.login)
        await connection.execute(
            sql("set_account"),
            user,
            wish.login,
            wish.display,
            wish.role.value,
            wish.area,
            wish.post,
            list(wish.channels),
            wish.disabled,
            password_hash if create else "",
        )
        ended: list[str] = []
        if row and {"role", "area", "disabled"} & planned.changes.keys():
            ended = [one["token_sha256"] for one in await connection.fetch(sql("end_sessions_of"), user)]
        kind = _kind_of(row, wish)
        effects = {effect.code: effect.count for effect in planned.effects}
        detail = {"changes": planned.changes, "effects": effects}
        await add_admin_entry(connection, actor, kind, wish.area, wish.login, wish.display, detail)
        if row and row.area != wish.area:  # who administers the area that loses it reads of it too
            await add_admin_entry(connection, actor, kind, row.area, wish.login, wish.display, detail)
        answer = Ended(preview=planned, sessions=tuple(ended))
    await connection.execute(
        sql("add_request"), request_id, actor.id, "account", subject, encode(answer).decode()
    )
    return answer


def _kind_of(row: AccountRow | None, wish: AccountWish) -> AdminKind:
    if row is None:
        return AdminKind.CREATED
    if row.disabled is not wish.disabled:
        return AdminKind.DISABLED if wish.disabled else AdminKind.ENABLED
    return AdminKind.CHANGED


async def _once(
    connection: Connection, viewer: Viewer, login: str, action: str, request_id: UUID
) -> tuple[Actor, AccountRow]:
    """Take hold of an account for a deed that can be answered only once."""
    actor = await find_actor(connection, viewer, ADMINISTERS)
    await connection.execute(sql("lock_accounts"))
    row = await find_account(connection, actor, login)
    if await connection.fetchrow(sql("find_request"), request_id) is not None:
        raise Conflict("此操作已经执行。 This was done already.")
    subject = derived_id(action, login)
    await connection.execute(sql("add_request"), request_id, actor.id, action, subject, "{}")
    return actor, row


async def give_password(
    connection: Connection, viewer: Viewer, login: str, password_hash: str, request_id: UUID
) -> tuple[str, ...]:
    """Give a password and end all sessions."""
    actor, row = await _once(connection, viewer, login, "give-password", request_id)
    await connection.execute(sql("give_password"), row.id, password_hash)
    ended = await connection.fetch(sql("end_sessions_of"), row.id)
    await add_admin_entry(connection, actor, AdminKind.PASSWORD_RESET, row.area, login, row.display)
    return tuple(one["token_sha256"] for one in ended)


async def reset_factors(
    connection: Connection, viewer: Viewer, login: str, request_id: UUID
) -> tuple[str, ...]:
    """Forget all second factors and end all sessions."""
    actor, row = await _once(connection, viewer, login, "reset-factors", request_id)
    for query in ("forget_factors", "forget_recovery", "forget_passkeys"):
        await connection.execute(sql(query), row.id)
    ended = await connection.fetch(sql("end_sessions_of"), row.id)
    await add_admin_entry(connection, actor, AdminKind.FACTOR_RESET, row.area, login, row.display)
    return tuple(one["token_sha256"] for one in ended)
