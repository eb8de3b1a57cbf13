"""Administration in SQL: accounts and what hangs on them, sessions, and the record of who did what.

Only administrators, only within their own area: what lies elsewhere is not found. Each change is a line of the record.
"""

from collections.abc import Collection, Mapping
from uuid import UUID

import msgspec
from msgspec import Struct

from domain.codec import encode
from domain.errors import Fault, InvalidInput, NotFound
from domain.identity import derived_id
from domain.incidents import OPEN_STATES
from domain.inputs import AwareTime
from domain.registry import Area
from responders.accounts import AccountWish, Preview
from responders.admin_record import AdminBreak, AdminKind, AdminLine, check_chain
from responders.store import accounts
from responders.store.accounts import ADMINISTERS, AccountRow, Choices, Ended, answered_before, find_account
from responders.store.admin_entries import add_admin_entry
from responders.store.console import find_actor
from responders.store.pool import Connection, Database
from responders.store.queries import sql
from responders.store.registry import put_areas
from responders.views import Viewer

ROWS = 5_000
MOST_ENTRIES = 500


class SessionRow(Struct, frozen=True, kw_only=True):
    """A live session; times are wall time. `token_sha256` names it to the hub of live events."""

    id: UUID
    login: str
    display: str
    way: str
    client: str
    began_at: AwareTime
    seen_at: AwareTime
    ends_at: AwareTime
    token_sha256: str


class AdminEntry(Struct, frozen=True, kw_only=True):
    """A line of the record of administration."""

    number: int
    at: AwareTime
    kind: str
    actor: str
    area: str
    subject: str
    text: str
    detail: dict[str, object]


class Administration:
    """The store's methods for administrators; each is one transaction and checks area and role itself."""

    def __init__(self, database: Database) -> None:
        """Share the store's pool."""
        self._database = database

    async def accounts(self, viewer: Viewer) -> list[AccountRow]:
        """List the accounts of the viewer's area, those out of use last."""
        return await self._database.read(accounts.list_accounts, viewer)

    async def account(self, viewer: Viewer, login: str) -> AccountRow:
        """Show an account; NotFound outside the viewer's area."""
        return await self._database.read(accounts.show_account, viewer, login)

    async def plan_account(
        self, viewer: Viewer, wish: AccountWish, choices: Choices, *, create: bool
    ) -> Preview:
        """Tell whom a change of an account affects, and what speaks against it; changes nothing."""
        return await self._database.read(accounts.plan_account, viewer, wish, choices, create)

    async def put_account(
        self,
        viewer: Viewer,
        wish: AccountWish,
        choices: Choices,
        request_id: UUID,
        *,
        create: bool,
        password_hash: str = "",
    ) -> Ended:
        """Create or change an account, once for each request id; InvalidInput with all that speaks against it.

        One whose role, area or use changes is signed out everywhere.
        """
        return await self._database.run(
            accounts.put_account, viewer, wish, choices, request_id, create, password_hash
        )

    async def give_password(
        self, viewer: Viewer, login: str, password_hash: str, request_id: UUID
    ) -> tuple[str, ...]:
        """Give a password for one sign-in and end all sessions of the account; answers the digests of their tokens.

        Conflict when the request was answered already: nobody can be told that password again.
        """
        return await self._database.run(accounts.give_password, viewer, login, password_hash, request_id)

    async def reset_factors(self, viewer: Viewer, login: str, request_id: UUID) -> tuple[str, ...]:
        """Forget authenticator, recovery codes and passkeys of an account, for somebody who has lost them; ends sessions."""
        return await self._database.run(accounts.reset_factors, viewer, login, request_id)

    async def sessions(self, viewer: Viewer) -> list[SessionRow]:
        """List live sessions of the viewer's area, those last seen first."""
        return await self._database.read(_sessions, viewer)

    async def end_session(self, viewer: Viewer, session: UUID) -> str:
        """End a session; answers the digest of its token. NotFound outside the area, or when it has ended."""
        return await self._database.run(_end_session, viewer, session)

    async def entries(
        self, viewer: Viewer, kind: str | None = None, before: int | None = None, limit: int = 100
    ) -> list[AdminEntry]:
        """List lines of the record in the viewer's area, newest first; `before` continues a list by number."""
        return await self._database.read(_entries, viewer, kind, before, limit)

    async def verify(self) -> tuple[int, list[AdminBreak]]:
        """Reckon the chain again; answers how many lines there are and every break."""
        return await self._database.read(_verify)

    async def head(self) -> tuple[int, bytes] | None:
        """Read number and digest of the newest line, to be kept elsewhere; None while there is none."""
        return await self._database.read(_head)

    async def put_areas(self, viewer: Viewer, areas: Collection[Area], request_id: UUID) -> None:
        """Add or rename areas within the viewer's own, and publish them."""
        await self._database.run(_put_areas, viewer, tuple(areas), request_id)

    async def note(
        self,
        viewer: Viewer,
        kind: AdminKind,
        login: str,
        text: str,
        detail: Mapping[str, object] | None = None,
    ) -> None:
        """Put a deed that concerns an account on the record; NotFound for an account outside the viewer's area."""
        await self._database.run(_note_account, viewer, kind, login, text, detail or {})

    async def cases_by_policy(self, viewer: Viewer) -> dict[tuple[str, int], int]:
        """Count the open cases of the viewer's area by category and grade."""
        return await self._database.read(_cases_by_policy, viewer)

    async def cases_by_place(self, viewer: Viewer) -> dict[tuple[str, str], int]:
        """Count the open cases of the viewer's area by category and place."""
        return await self._database.read(_cases_by_place, viewer)


async def _sessions(connection: Connection, viewer: Viewer) -> list[SessionRow]:
    actor = await find_actor(connection, viewer, ADMINISTERS)
    rows = await connection.fetch(sql("sessions_within"), actor.area)
    return [msgspec.convert(dict(row), SessionRow) for row in rows]


async def _end_session(connection: Connection, viewer: Viewer, session: UUID) -> str:
    actor = await find_actor(connection, viewer, ADMINISTERS)
    row = await connection.fetchrow(sql("end_session_within"), session, actor.area)
    if row is None:
        raise NotFound("没有这个会话，或已结束。 There is no such session, or it has ended.")
    await add_admin_entry(connection, actor, AdminKind.SESSION_ENDED, row["area"], row["login"])
    token: str = row["token_sha256"]
    return token


async def _entries(
    connection: Connection, viewer: Viewer, kind: str | None, before: int | None, limit: int
) -> list[AdminEntry]:
    actor = await find_actor(connection, viewer, ADMINISTERS)
    rows = await connection.fetch(
        sql("admin_entries"), actor.area, kind, before, max(0, min(limit, MOST_ENTRIES))
    )
    return [
        msgspec.convert({**row, "detail": msgspec.json.decode(row["detail"])}, AdminEntry) for row in rows
    ]


async def _verify(connection: Connection) -> tuple[int, list[AdminBreak]]:
    count, breaks, last = 0, list[AdminBreak](), None
    after = 0
    while rows := await connection.fetch(sql("admin_lines_after"), after, ROWS):
        lines = [AdminLine(**dict(row)) for row in rows]
        breaks += check_chain(lines, last)
        count, last, after = count + len(lines), lines[-1], lines[-1].number
    return count, breaks


async def _head(connection: Connection) -> tuple[int, bytes] | None:
    row = await connection.fetchrow(sql("admin_head"))
    return (row["number"], row["digest"]) if row else None


async def _put_areas(
    connection: Connection, viewer: Viewer, areas: tuple[Area, ...], request_id: UUID
) -> None:
    actor = await find_actor(connection, viewer, ADMINISTERS)
    if faults := [
        Fault(area.code, "不在您的辖区内。 lies outside your own area")
        for area in areas
        if not area.code.startswith(actor.area)
    ]:
        raise InvalidInput(faults)
    subject = derived_id("areas", encode(areas).decode())
    if await answered_before(connection, request_id, actor, "areas", subject, dict) is not None:
        return
    await put_areas(connection, areas)
    for area in areas:
        await add_admin_entry(connection, actor, AdminKind.AREA_PUT, area.code, area.code, area.name)
    await connection.execute(sql("add_request"), request_id, actor.id, "areas", subject, "{}")


async def _note_account(
    connection: Connection,
    viewer: Viewer,
    kind: AdminKind,
    login: str,
    text: str,
    detail: Mapping[str, object],
) -> None:
    actor = await find_actor(connection, viewer, ADMINISTERS)
    row = await find_account(connection, actor, login)
    await add_admin_entry(connection, actor, kind, row.area, login, text, detail)


async def _cases_by_policy(connection: Connection, viewer: Viewer) -> dict[tuple[str, int], int]:
    actor = await find_actor(connection, viewer, ADMINISTERS)
    rows = await connection.fetch(sql("cases_by_policy"), actor.area, [state.value for state in OPEN_STATES])
    return {(row["category"], row["grade"]): row["count"] for row in rows}


async def _cases_by_place(connection: Connection, viewer: Viewer) -> dict[tuple[str, str], int]:
    actor = await find_actor(connection, viewer, ADMINISTERS)
    rows = await connection.fetch(sql("cases_by_desk"), actor.area, [state.value for state in OPEN_STATES])
    return {(row["category"], row["place"]): row["count"] for row in rows}
