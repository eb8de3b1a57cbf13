"""What officers keep at their seats, in SQL: saved views, acknowledgements taken back; and the cases beside a case."""

from datetime import timedelta
from uuid import UUID

import msgspec

from domain.areas import AreaLevel, county_of, township_of
from domain.codec import encode
from domain.errors import Conflict, NotFound
from domain.findings import Finding
from domain.registry import Area
from responders.nearness import adjoining, along_rivers
from responders.seats import (
    Colleague,
    LikeCase,
    Likeness,
    NearCase,
    Nearness,
    QueueFilter,
    Related,
    SavedView,
)
from responders.store import undoing
from responders.store.console import find_actor, read_row
from responders.store.held import DECIDES
from responders.store.pool import Connection, Database, Record
from responders.store.queries import sql
from responders.views import IncidentRow, Viewer

MOST_VIEWS = 20
MOST_NEAR = 12
MOST_LIKE = 8
LOOKED_AT = 200
"""So many of the newest ended cases of a category are compared by their words."""
AROUND = timedelta(hours=12)
"""What was opened so much earlier or later counts as the same time: half a day, as a shift is long."""


class Seats:
    """The store's methods for officers' seats; each is one transaction."""

    def __init__(self, database: Database) -> None:
        """Share the store's pool."""
        self._database = database

    async def undo(self, viewer: Viewer, incident: UUID, request_id: UUID) -> IncidentRow:
        """Take back one's own acknowledgement within ten seconds of wall time: paging goes on where it stood.

        Conflict when it is too late, somebody else's, or the case has changed since. It stays on the record.
        """
        return await self._database.run(undoing.undo, viewer, incident, request_id)

    async def views(self, viewer: Viewer) -> tuple[SavedView, ...]:
        """List one's own saved views by name."""
        return await self._database.read(_views, viewer)

    async def save_view(self, viewer: Viewer, name: str, shown: QueueFilter) -> tuple[SavedView, ...]:
        """Keep a view under a name, or write it over; all views of the account. Conflict beyond twenty."""
        return await self._database.run(_save_view, viewer, name, shown)

    async def forget_view(self, viewer: Viewer, name: str) -> tuple[SavedView, ...]:
        """Forget a view; NotFound when there is none of that name."""
        return await self._database.run(_forget_view, viewer, name)

    async def places(self, viewer: Viewer) -> list[tuple[str, str]]:
        """List code and name of the viewer's county (or what lies above, for cities and provinces) down to villages."""
        return await self._database.read(_places, viewer)

    async def colleagues(self, viewer: Viewer) -> list[Colleague]:
        """List id and post of the officers and commanders of the viewer's area; NotAllowed for those who decide nothing."""
        return await self._database.read(_colleagues, viewer)

    async def related(self, viewer: Viewer, incident: UUID) -> Related:
        """Show the cases near a case at the same time, and ended ones like it; NotFound outside the viewer's area."""
        return await self._database.read(_related, viewer, incident)


async def _views(connection: Connection, viewer: Viewer) -> tuple[SavedView, ...]:
    actor = await find_actor(connection, viewer)
    return tuple(
        SavedView(
            name=row["name"],
            filter=msgspec.json.decode(row["filter"], type=QueueFilter),
            saved_at=row["saved_at"],
        )
        for row in await connection.fetch(sql("saved_views"), actor.id)
    )


async def _save_view(
    connection: Connection, viewer: Viewer, name: str, shown: QueueFilter
) -> tuple[SavedView, ...]:
    actor = await find_actor(connection, viewer)
    await connection.execute(sql("lock_account"), actor.id)
    present = {view.name for view in await _views(connection, viewer)}
    if name not in present and len(present) >= MOST_VIEWS:
        raise Conflict(
            f"最多保存 {MOST_VIEWS} 个视图，请先删除一个。 At most {MOST_VIEWS} views: forget one first."
        )
    await connection.execute(sql("put_saved_view"), actor.id, name, encode(shown).decode())
    return await _views(connection, viewer)


async def _forget_view(connection: Connection, viewer: Viewer, name: str) -> tuple[SavedView, ...]:
    actor = await find_actor(connection, viewer)
    if await connection.execute(sql("drop_saved_view"), actor.id, name) == "DELETE 0":
        raise NotFound("没有这个视图。 There is no such view.")
    return await _views(connection, viewer)


async def _places(connection: Connection, viewer: Viewer) -> list[tuple[str, str]]:
    actor = await find_actor(connection, viewer)
    rows = await connection.fetch(sql("places_of"), county_of(actor.area), int(AreaLevel.VILLAGE))
    return [(row["code"], row["name"]) for row in rows]


async def _colleagues(connection: Connection, viewer: Viewer) -> list[Colleague]:
    actor = await find_actor(connection, viewer, DECIDES)
    rows = await connection.fetch(sql("colleagues_of"), actor.area, sorted(role.value for role in DECIDES))
    return [Colleague(id=row["id"], display=row["display"]) for row in rows]


async def _related(connection: Connection, viewer: Viewer, incident: UUID) -> Related:
    actor = await find_actor(connection, viewer)
    row = await read_row(connection, incident, actor.area)
    near = await _near(connection, row, actor.area)
    like = await _like(connection, row, actor.area)
    return Related(
        near=near[:MOST_NEAR],
        more_near=len(near) > MOST_NEAR,
        like=like[:MOST_LIKE],
        more_like=len(like) > MOST_LIKE,
    )


async def _near(connection: Connection, row: IncidentRow, area: str) -> tuple[NearCase, ...]:
    around = await _townships_around(connection, row.place)
    found = await connection.fetch(
        sql("cases_near"),
        row.id,
        area,
        list(around),
        row.opened_at - AROUND,
        row.opened_at + AROUND,
        MOST_NEAR + 1,
    )
    return tuple(
        msgspec.convert({**one, "nearness": around[township_of(one["place"])]}, NearCase) for one in found
    )


async def _townships_around(connection: Connection, place: str) -> dict[str, Nearness]:
    """Name the townships near a place and why; above townships there is none but those within."""
    if len(place) < AreaLevel.TOWNSHIP:
        within = await connection.fetch(sql("outlines_within"), place)
        return {msgspec.json.decode(one["record"], type=Area).code: Nearness.SAME for one in within}
    own, county = township_of(place), county_of(place)
    rows = await connection.fetch(sql("outlines_within"), county)
    rivers: dict[str, set[str]] = {}
    for one in await connection.fetch(sql("rivers_of"), county):
        rivers.setdefault(one["township"], set()).add(one["river"])
    areas = [msgspec.json.decode(one["record"], type=Area) for one in rows]
    around = dict.fromkeys(along_rivers(own, rivers), Nearness.RIVER)
    around |= dict.fromkeys(adjoining(own, areas), Nearness.ADJOINING)
    return around | {own: Nearness.SAME}


async def _like(connection: Connection, row: IncidentRow, area: str) -> tuple[LikeCase, ...]:
    text = await connection.fetchrow(sql("incident_text"), row.id)
    own = _words(text["evidence"] if text else None)
    found = await connection.fetch(
        sql("cases_like"), row.id, area, row.category, county_of(row.place), row.opened_at, LOOKED_AT
    )
    like = [one for each in found if (one := _likeness(each, row.place, own)) is not None]
    like.sort(key=lambda one: one.likeness is not Likeness.PLACE)  # within each the newest stay first
    return tuple(like)


def _likeness(found: Record, place: str, own: frozenset[str]) -> LikeCase | None:
    common = tuple(sorted(own & _words(found["evidence"])))
    same = township_of(found["place"]) == township_of(place)
    if not same and not common:
        return None
    known = {name: value for name, value in dict(found).items() if name != "evidence"}
    likeness = Likeness.PLACE if same else Likeness.WORDS
    return msgspec.convert({**known, "likeness": likeness, "words": common}, LikeCase)


def _words(evidence: str | None) -> frozenset[str]:
    """Collect the words of an alert's evidence: critical phrases, and the terms that rose."""
    findings = msgspec.json.decode(evidence or "[]", type=tuple[Finding, ...])
    phrases = {finding.phrase for finding in findings if finding.phrase}
    return frozenset(phrases | {term for finding in findings for term in finding.terms})
