"""What command centres see, in SQL: the situation of an area, and the shapes that its map draws."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from domain.codec import encode
from domain.levels import Level
from domain.shapes import AreaShape
from responders.drills import DrillRow
from responders.mapping import Levels, choose_levels
from responders.situation import (
    BINS,
    AlarmBin,
    Below,
    JointCase,
    OwedReport,
    Situation,
    StormNow,
    judge_load,
)
from responders.store.console import find_actor, view
from responders.store.dues import due_of, names_for, show_clock
from responders.store.entries import name_of
from responders.store.figures import digits_below
from responders.store.pool import Connection, Database, Record
from responders.store.queries import sql
from responders.store.registry import county_now
from responders.store.reviews import MOST_DRILLS
from responders.views import Role, Viewer

COMMANDS = frozenset({Role.OFFICER, Role.COMMANDER, Role.DISPLAY})
"""Who sees the situation of an area at once."""
SEES_MAP = COMMANDS | {Role.GRID, Role.ADMIN}
OPERATORS = (Role.OFFICER.value, Role.COMMANDER.value)
"""Whose load is measured: those who answer alarms."""
MOST_OWED, MOST_JOINT = 60, 40


@dataclass(frozen=True, slots=True)
class MapShape:
    """One area as the map draws it; `polygons` is GeoJSON text, None where nobody gave a shape."""

    code: str
    name: str
    name_en: str
    lon: float | None
    lat: float | None
    polygons: str | None


@dataclass(frozen=True, slots=True)
class MapShapes:
    """The shapes of an area, the coarse ones first, and which levels they are of."""

    area: str
    levels: Levels
    shapes: tuple[MapShape, ...]


class Command:
    """The store's methods for command centres."""

    def __init__(self, database: Database) -> None:
        """Share the store's pool."""
        self._database = database

    async def put_shapes(self, shapes: Iterable[AreaShape]) -> None:
        """Keep shapes of areas, in place of earlier ones."""
        await self._database.run(_put_shapes, tuple(shapes))

    async def shapes_version(self, viewer: Viewer) -> tuple[str, str]:
        """Name the viewer's area, and the state of the shapes within it: another name, other shapes."""
        return await self._database.read(_shapes_version, viewer)

    async def shapes(self, viewer: Viewer) -> MapShapes:
        """Read the shapes of the viewer's area, as fine as a browser holds."""
        return await self._database.read(_shapes, viewer)

    async def situation(self, viewer: Viewer, storm_minutes: float) -> Situation:
        """Tell how the viewer's area stands; NotAllowed for grid workers and administrators.

        `storm_minutes` is over how long new cases are counted, as the pacing in force has it.
        """
        return await self._database.read(_situation, viewer, storm_minutes)


async def _put_shapes(connection: Connection, shapes: Sequence[AreaShape]) -> None:
    await connection.executemany(
        sql("put_shape"), [(shape.code, encode(shape.polygons).decode()) for shape in shapes]
    )


async def _shapes_version(connection: Connection, viewer: Viewer) -> tuple[str, str]:
    actor = await find_actor(connection, viewer, SEES_MAP)
    version: str = await connection.fetchval(sql("shapes_version"), actor.area)
    return actor.area, version


async def _shapes(connection: Connection, viewer: Viewer) -> MapShapes:
    actor = await find_actor(connection, viewer, SEES_MAP)
    counts = {row["level"]: row["count"] for row in await connection.fetch(sql("shape_counts"), actor.area)}
    levels = choose_levels(actor.area, counts)
    rows = await connection.fetch(sql("shapes"), actor.area, list(levels.drawn), digits_below(actor.area))
    return MapShapes(actor.area, levels, tuple(MapShape(**dict(row)) for row in rows))


async def _situation(connection: Connection, viewer: Viewer, storm_minutes: float) -> Situation:
    actor = await find_actor(connection, viewer, COMMANDS)
    area = actor.area
    owed = await connection.fetch(sql("owed_reports"), area, MOST_OWED)
    joint = await connection.fetch(sql("joint_cases"), area, MOST_JOINT)
    bins = await connection.fetch(sql("alarm_bins"), area, BINS, OPERATORS)
    return Situation(
        at=await county_now(connection),
        area=area,
        area_name=await name_of(connection, area) if area else "",
        below=await _below(connection, area),
        owed=await _owed(connection, owed),
        owed_total=owed[0]["total"] if owed else 0,
        joint=tuple(view(JointCase, _without(row, "total")) for row in joint),
        joint_total=joint[0]["total"] if joint else 0,
        storms=tuple(view(StormNow, row) for row in await connection.fetch(sql("storms_around"), area)),
        lately=await connection.fetchval(sql("cases_lately"), area, storm_minutes),
        drills=await _running(connection, area),
        load=judge_load([view(AlarmBin, _without(row, "number")) for row in bins]),
    )


async def _running(connection: Connection, area: str) -> tuple[DrillRow, ...]:
    rows = [view(DrillRow, row) for row in await connection.fetch(sql("drill_rows"), area, MOST_DRILLS, None)]
    return tuple(row for row in rows if not row.over)


def _without(row: Record, name: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != name}


async def _below(connection: Connection, area: str) -> tuple[Below, ...]:
    """Tell of each area right below, and of the area itself where something lies on it as a whole."""
    digits = digits_below(area)
    names = {row["code"]: row for row in await connection.fetch(sql("areas_below"), area, digits)}
    cases, tasks = [
        {row["below"]: row for row in await connection.fetch(sql(name), area, digits)}
        for name in ("cases_below", "tasks_below")
    ]
    told = []
    for code in sorted({*names, *cases, *tasks}):
        known = names.get(code)
        told.append(
            Below(
                area=code,
                name=known["name"] if known else await name_of(connection, code),
                name_en=known["name_en"] if known else "",
                **_counted(cases.get(code)),
                tasks=tasks[code]["tasks"] if code in tasks else 0,
                late=tasks[code]["late"] if code in tasks else 0,
            )
        )
    return tuple(told)


def _counted(row: Record | None) -> dict[str, Any]:
    if row is None:
        return {}
    levels = row["levels"] or ()
    return {
        "levels": tuple(sum(level == one.value for level in levels) for one in sorted(Level)),
        **{name: row[name] for name in ("drills", "unacknowledged", "climbed", "waiting_since")},
    }


async def _owed(connection: Connection, rows: Sequence[Record]) -> tuple[OwedReport, ...]:
    names = await names_for(connection, {row["of_place"] for row in rows})
    return tuple(
        msgspec.convert(
            {
                **{name: row[name] for name in ("incident", "title", "place_name", "level", "drill")},
                "clock": show_clock(due_of(row), names, row["of_place"]),
            },
            OwedReport,
        )
        for row in rows
    )
