"""What the console reads, in SQL: only what lies in the area of the viewer's account as it is now."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from domain.areas import covers
from domain.errors import NotAllowed, NotFound
from domain.findings import Explanation, Finding
from domain.incidents import INCIDENT_MOVES, OPEN_STATES, IncidentState, TaskState
from domain.registry import Series
from responders import words
from responders.store.dues import show_clocks
from responders.store.pool import Connection, Record
from responders.store.queries import sql
from responders.store.standing import show_acks, show_hold
from responders.views import (
    Change,
    Curve,
    HeartbeatAge,
    IncidentRow,
    IncidentView,
    Role,
    TaskRow,
    Viewer,
)

MAX_POINTS = 20_000
MAX_ROWS = 1_000
SEES_CASES = frozenset({Role.GRID, Role.OFFICER, Role.COMMANDER, Role.DISPLAY})


@dataclass(frozen=True, slots=True)
class Actor:
    """The account behind a viewer as it is now, whatever the session once said."""

    id: UUID
    display: str
    role: Role
    area: str


async def find_actor(connection: Connection, viewer: Viewer, roles: Iterable[Role] = SEES_CASES) -> Actor:
    """Read the viewer's account; NotAllowed when it is disabled or its role is none of those.

    Where a session says less than the account (a narrower area), the session's word holds too. A program that acts for the
    account is named beside it, in the record as well: that is the token by which it came in.
    """
    row = await connection.fetchrow(sql("actor"), viewer.user)
    if row is None:
        raise NotAllowed("此账号已停用。 This account is disabled.")
    display = f"{row['display']}（机器：{viewer.machine}）" if viewer.machine else row["display"]
    actor = Actor(row["id"], display, Role(row["role"]), row["area"])
    if actor.role not in roles:
        raise NotAllowed("您的角色不能执行此操作。 Your role may not do this.")
    if covers(actor.area, viewer.area):
        return Actor(actor.id, actor.display, actor.role, viewer.area)
    return actor


def view(kind: type[Any], row: Record) -> Any:
    """Turn a row into a view of the same fields."""
    return msgspec.convert(dict(row), kind)


async def queue(
    connection: Connection,
    viewer: Viewer,
    states: Iterable[IncidentState] | None,
    limit: int,
    before: datetime | None,
) -> list[IncidentRow]:
    """List cases of the viewer's area."""
    actor = await find_actor(connection, viewer)
    wanted = [state.value for state in (OPEN_STATES if states is None else states)]
    rows = await connection.fetch(sql("queue"), actor.area, wanted, max(0, min(limit, MAX_ROWS)), before)
    return [view(IncidentRow, row) for row in rows]


async def read_row(connection: Connection, incident: UUID, area: str) -> IncidentRow:
    """Read one case of an area; NotFound outside it."""
    row = await connection.fetchrow(sql("incident_row"), incident, area)
    if row is None:
        raise NotFound("没有这个事件，或不在您的辖区。 There is no such incident in your area.")
    found: IncidentRow = view(IncidentRow, row)
    return found


async def incident(connection: Connection, viewer: Viewer, wanted: UUID) -> IncidentView:
    """Show a case with everything about it."""
    actor = await find_actor(connection, viewer)
    row = await read_row(connection, wanted, actor.area)
    text = await connection.fetchrow(sql("incident_text"), wanted) or {}
    explanation = msgspec.json.decode(text["explanation"] or "null", type=Explanation | None)
    acknowledgements, awaited = await show_acks(connection, wanted)
    return msgspec.convert(
        {
            "row": row,
            "zh": text["zh"],
            "en": text["en"],
            "evidence": msgspec.json.decode(text["evidence"] or "[]", type=tuple[Finding, ...]),
            "timeline": [
                {**entry, "detail": msgspec.json.decode(entry["detail"])}
                for entry in await connection.fetch(sql("timeline"), wanted)
            ],
            "tasks": [task_view(task) for task in await connection.fetch(sql("tasks"), wanted)],
            "pleas": [dict(plea) for plea in await connection.fetch(sql("pleas"), wanted)],
            "pages": [dict(page) for page in await connection.fetch(sql("pages"), wanted)],
            "verdict": text["verdict"],
            "moves": INCIDENT_MOVES[row.state],
            "chance": text["chance"],
            "held_back": text["held_back"],
            "held": await show_hold(connection, wanted),
            "acknowledgements": acknowledgements,
            "awaited": awaited,
            "explanation": explanation,
            "precedent": await _case_of(connection, explanation, actor.area),
            "alerts": [dict(alert) for alert in await connection.fetch(sql("case_alerts"), wanted)],
            "parties": [dict(party) for party in await connection.fetch(sql("parties_now"), wanted)],
            "clocks": await show_clocks(connection, wanted, row.place),
            "ratings": [dict(rating) for rating in await connection.fetch(sql("ratings"), wanted)],
            **dict(await connection.fetchrow(sql("case_links"), wanted) or {}),
        },
        IncidentView,
    )


async def _case_of(connection: Connection, explanation: Explanation | None, area: str) -> UUID | None:
    """Find the case of the earlier alert that an explanation names, where the viewer may see it."""
    if explanation is None or explanation.precedent is None:
        return None
    found: UUID | None = await connection.fetchval(sql("case_of_alert"), explanation.precedent.alert, area)
    return found


def task_view(row: Record) -> TaskRow:
    """Show a task, its unit by name."""
    return TaskRow(
        id=row["id"],
        unit=f"{row['area_name']}{words.post_name(row['post'])}",
        state=TaskState(row["state"]),
        dispatched_at=row["dispatched_at"],
        due_at=row["due_at"],
    )


async def curve(
    connection: Connection, viewer: Viewer, series: str, since: datetime, until: datetime
) -> Curve:
    """Show the newest roll-ups of a series."""
    actor = await find_actor(connection, viewer)
    record = await connection.fetchval(sql("series_of"), series, actor.area)
    if record is None:
        raise NotFound("没有这个监测项，或不在您的辖区。 There is no such series in your area.")
    known = msgspec.json.decode(record, type=Series)
    first, last = (_minute(at) for at in (since, until))
    rows = (await connection.fetch(sql("curve"), series, first, last, MAX_POINTS))[::-1]
    return Curve(
        series=known.id,
        name=known.name,
        unit=known.unit,
        at=tuple(row["minute"] * 60 for row in rows),
        mean=tuple(row["total"] / row["good"] if row["good"] else None for row in rows),
        low=tuple(row["low"] if row["good"] else None for row in rows),
        high=tuple(row["high"] if row["good"] else None for row in rows),
        limits=known.limits,
    )


def _minute(at: datetime) -> int:
    return max(-(2**31), min(2**31 - 1, int(at.astimezone(UTC).timestamp() // 60)))


async def changes_since(connection: Connection, viewer: Viewer, change: int, limit: int) -> list[Change]:
    """List changes after an id."""
    actor = await find_actor(connection, viewer, Role)
    rows = await connection.fetch(
        sql("changes_since"), change, actor.area, max(0, min(limit, MAX_ROWS)), actor.role in SEES_CASES
    )
    return [view(Change, row) for row in rows]


async def heartbeats(connection: Connection) -> list[HeartbeatAge]:
    """Tell how long ago each component was heard of."""
    return [view(HeartbeatAge, row) for row in await connection.fetch(sql("heartbeat_ages"))]


async def newest_change(connection: Connection) -> int:
    """Tell the newest id."""
    return int(await connection.fetchval(sql("newest_change")))


async def oldest_change(connection: Connection) -> int:
    """Tell the oldest id kept."""
    return int(await connection.fetchval(sql("oldest_change")))
