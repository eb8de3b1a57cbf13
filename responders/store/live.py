"""What the hub of live pages reads, in SQL: the same few statements for one page and for thousands."""

from collections.abc import Iterable
from uuid import UUID

from responders.live import News, Sight, Watcher
from responders.store.console import SEES_CASES, changes_since, view
from responders.store.pool import Connection, Database
from responders.store.queries import sql
from responders.views import Change, IncidentRow, Role, Viewer

CASE = "incident"


class Live:
    """The store's methods for live pages."""

    def __init__(self, database: Database) -> None:
        """Share the store's pool."""
        self._database = database

    async def news(self, change: int, limit: int) -> list[News]:
        """List what changed anywhere after a change id, oldest first, each with its case as it is now."""
        return await self._database.read(_news, change, limit)

    async def missed(self, viewer: Viewer, change: int, limit: int) -> list[News]:
        """List what concerned a viewer after a change id; NotAllowed when the account was disabled."""
        return await self._database.read(_missed, viewer, change, limit)

    async def watchers(self, users: Iterable[UUID]) -> dict[UUID, Watcher]:
        """Read accounts as they are now; one that was disabled is left out."""
        return await self._database.read(_watchers, list(users))


async def _news(connection: Connection, change: int, limit: int) -> list[News]:
    ids = [row["id"] for row in await connection.fetch(sql("changes_after"), change, limit)]
    return await _read(connection, ids)


async def _missed(connection: Connection, viewer: Viewer, change: int, limit: int) -> list[News]:
    changes = await changes_since(connection, viewer, change, limit)
    return await _read(connection, [one.id for one in changes])


async def _read(connection: Connection, ids: list[int]) -> list[News]:
    rows = [dict(row) for row in await connection.fetch(sql("news"), ids)] if ids else []
    cases = list({UUID(row["ref"]) for row in rows if row["kind"] == CASE})
    found = await connection.fetch(sql("rows_of_news"), cases) if cases else []
    known: dict[str, IncidentRow] = {str(row["id"]): view(IncidentRow, row) for row in found}
    return [
        News(parties=tuple(row.pop("parties")), change=view(Change, row), row=known.get(row["ref"]))
        for row in rows
    ]


async def _watchers(connection: Connection, users: list[UUID]) -> dict[UUID, Watcher]:
    rows = await connection.fetch(sql("watchers"), users)
    return {
        row["id"]: Watcher(row["id"], Sight(row["area"], Role(row["role"]) in SEES_CASES)) for row in rows
    }
