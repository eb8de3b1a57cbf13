"""The record of cases as evidence, in SQL: sealing it and reading it through."""

from collections.abc import AsyncIterator
from uuid import UUID

from responders.audit import NOTHING, Break, Line, Seal, Sealing, check_lines, check_seals
from responders.store.pool import Connection, Database
from responders.store.queries import sql

ROWS = 5_000
FIRST = UUID(int=0)


class Audit:
    """The store's methods for the record as evidence."""

    def __init__(self, database: Database) -> None:
        """Share the store's pool."""
        self._database = database

    async def seal(self) -> Seal | None:
        """Seal the lines written since the last seal; None when there are none."""
        return await self._database.run(_seal)

    async def seals(self) -> list[Seal]:
        """List all seals, oldest first."""
        return await self._database.read(_seals)

    async def verify(self) -> tuple[int, list[Break]]:
        """Reckon all chains and seals again; answers how many lines there are and every break."""
        return await self._database.read(_verify)


async def _seal(connection: Connection) -> Seal | None:
    await connection.execute(sql("lock_record"))
    row = await connection.fetchrow(sql("newest_seal"))
    number, after, before = (row["number"], row["last_entry"], row["digest"]) if row else (0, 0, NOTHING)
    sealing = Sealing(before)
    async for entry, digest in _digests(connection, after):
        sealing.add(entry, digest)
    if not sealing.entries:
        return None
    at = await connection.fetchval(
        sql("add_seal"), number + 1, sealing.last_entry, sealing.entries, sealing.digest
    )
    return Seal(
        number=number + 1,
        at=at,
        last_entry=sealing.last_entry,
        entries=sealing.entries,
        digest=sealing.digest,
    )


async def _seals(connection: Connection) -> list[Seal]:
    return [Seal(**dict(row)) for row in await connection.fetch(sql("seals"))]


async def _verify(connection: Connection) -> tuple[int, list[Break]]:
    lines, breaks = 0, []
    async for found in check_lines(_lines(connection)):
        lines += found is None
        breaks += [] if found is None else [found]
    breaks += await check_seals(await _seals(connection), _digests(connection, 0))
    return lines, breaks


async def _digests(connection: Connection, after: int) -> AsyncIterator[tuple[int, bytes]]:
    while rows := await connection.fetch(sql("digests_after"), after, ROWS):
        for row in rows:
            yield row["id"], row["digest"]
        after = rows[-1]["id"]


async def _lines(connection: Connection) -> AsyncIterator[Line]:
    incident, number = FIRST, 0
    while rows := await connection.fetch(sql("lines_after"), incident, number, ROWS):
        for row in rows:
            yield Line(**dict(row))
        incident, number = rows[-1]["incident"], rows[-1]["number"]
