"""A transaction over several alerts with fewer round trips: writes wait for one another, and what was read is remembered.

On the way from an alert to a case most statements only wait for their answers. A `Batch` stands in for the connection: it
puts off writes whose answers nobody needs, sends each kind of them at once, and asks what cannot change within a transaction
(the clock, names of areas, who is on duty) once. Every statement that it does not know goes behind what was put off.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from responders.store.pool import Connection, Record
from responders.store.queries import sql
from responders.store.registry import desks_areas

PUT_OFF = ("join_case", "add_task", "add_page", "add_entry")
"""Writes, in an order that their references allow: tasks before pages about them."""
REMEMBERED = ("county_now", "place_name", "on_duty", "windows_around")
"""What is asked for once: the answers of a transaction of some milliseconds."""
UNTOUCHED = (*REMEMBERED, "claim_group", "open_incident", "sources_around")
"""What has nothing to do with what was put off: cases themselves are written at once."""


class Batch:
    """A connection for one transaction; `flush` must be awaited before it ends."""

    def __init__(self, connection: Connection) -> None:
        """Stand in for an open connection."""
        self._connection = connection
        self._put_off: dict[str, list[Sequence[Any]]] = {}
        self._known: dict[tuple[str, str], list[Record]] = {}
        self._off, self._remembered, self._untouched = (
            frozenset(map(sql, names)) for names in (PUT_OFF, REMEMBERED, UNTOUCHED)
        )

    async def flush(self) -> None:
        """Write what was put off."""
        put_off, self._put_off = self._put_off, {}
        for query in map(sql, PUT_OFF):
            if rows := put_off.get(query):
                await self._connection.executemany(query, rows)

    async def look_ahead(self, places: Iterable[str]) -> None:
        """Ask at once what will be asked of each place: who is on duty there, and whether there is maintenance at all."""
        areas = {place: desks_areas(place) for place in places}
        if not areas:
            return
        now = await self.fetchval(sql("county_now"))
        together = sorted({area for above in areas.values() for area in above})
        shifts: dict[str, list[Record]] = {}
        for row in await self._connection.fetch(sql("on_duty"), together, now):
            shifts.setdefault(row["area"], []).append(row)
        names = {row["code"]: row for row in await self._connection.fetch(sql("place_names"), together)}
        for area in together:
            self._known[sql("place_name"), repr((area,))] = [names[area]] if area in names else []
        calm = not await self._connection.fetchval(sql("is_maintained"), now)
        for place, above in areas.items():
            rows = [row for area in above for row in shifts.get(area, [])]
            self._known[sql("on_duty"), repr((above, now))] = rows
            if calm:
                self._known[sql("windows_around"), repr((place, now))] = []

    async def execute(self, query: str, *args: Any) -> str:
        """Put a statement off, or run it behind what was put off; one that was put off answers nothing."""
        if query in self._off:
            self._put_off.setdefault(query, []).append(args)
            return ""
        await self.flush()
        return await self._connection.execute(query, *args)

    async def executemany(self, query: str, args: Iterable[Sequence[Any]]) -> None:
        """As `execute`, for each list of arguments."""
        if query in self._off:
            self._put_off.setdefault(query, []).extend(args)
            return
        await self.flush()
        await self._connection.executemany(query, args)

    async def fetch(self, query: str, *args: Any) -> list[Record]:
        """Read all rows."""
        if query in self._remembered:
            if (key := (query, repr(args))) not in self._known:
                self._known[key] = await self._connection.fetch(query, *args)
            return self._known[key]
        if query not in self._untouched:
            await self.flush()
        return await self._connection.fetch(query, *args)

    async def fetchrow(self, query: str, *args: Any) -> Record | None:
        """Read the first row."""
        rows = await self.fetch(query, *args)
        return rows[0] if rows else None

    async def fetchval(self, query: str, *args: Any) -> Any:
        """Read the first column of the first row."""
        row = await self.fetchrow(query, *args)
        return None if row is None else next(iter(row.values()))
