"""Figures of response and burden in SQL: of areas, never of persons but oneself."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from config.burden import Budget
from domain.areas import AreaLevel
from responders.burden import FORMS, AreaBurden, Borne, Load, burden_by_area
from responders.response import AreaResponse, Rate, Time
from responders.store.console import find_actor
from responders.store.pool import Connection, Database, Record
from responders.store.queries import sql
from responders.views import Role, Viewer

BEIJING = ZoneInfo("Asia/Shanghai")
SEES_OTHERS = frozenset({Role.OFFICER, Role.COMMANDER})


class Figures:
    """The store's methods for figures."""

    def __init__(self, database: Database) -> None:
        """Share the store's pool."""
        self._database = database

    async def response(self, viewer: Viewer, since: datetime, until: datetime) -> tuple[AreaResponse, ...]:
        """Tell how the areas below the viewer's responded to what came in with since <= time < until.

        NotAllowed for grid workers and administrators.
        """
        return await self._database.read(_response, viewer, since, until)

    async def burden(
        self, viewer: Viewer, day: date, budgets: Mapping[str, Budget]
    ) -> tuple[AreaBurden, ...]:
        """Tell how the accounts of the areas below the viewer's fared on a day of Asia/Shanghai.

        NotAllowed for grid workers and administrators.
        """
        return await self._database.read(_burden, viewer, day, budgets)

    async def everybody(
        self, since: datetime, until: datetime, budgets: Mapping[str, Budget]
    ) -> AreaBurden | None:
        """Tell how all accounts together fared in a span; None where they are too few to be told of."""
        return await self._database.read(_everybody, since, until, budgets)

    async def townships(self, since: datetime, until: datetime) -> tuple[AreaResponse, ...]:
        """Tell how all townships responded, for the metrics."""
        return await self._database.read(_figures, "", since, until, int(AreaLevel.TOWNSHIP))

    async def own_load(self, viewer: Viewer, day: date) -> Load:
        """Tell what the viewer had on a day of Asia/Shanghai."""
        return await self._database.read(_own_load, viewer, day)


async def _response(
    connection: Connection, viewer: Viewer, since: datetime, until: datetime
) -> tuple[AreaResponse, ...]:
    actor = await find_actor(connection, viewer, SEES_OTHERS)
    return await _figures(connection, actor.area, since, until, digits_below(actor.area))


async def _figures(
    connection: Connection, area: str, since: datetime, until: datetime, digits: int
) -> tuple[AreaResponse, ...]:
    arguments = (area, since, until, digits)
    orders, cases, tasks = [
        {row["below"]: row for row in await connection.fetch(sql(name), *arguments)}
        for name in ("order_figures", "case_figures", "task_figures")
    ]
    codes = sorted({*orders, *cases, *tasks})
    names = {row["code"]: row["name"] for row in await connection.fetch(sql("names_of_areas"), codes)}
    return tuple(
        _area(code, names.get(code, code), orders.get(code), cases.get(code), tasks.get(code))
        for code in codes
    )


def _area(
    code: str, name: str, orders: Record | None, cases: Record | None, tasks: Record | None
) -> AreaResponse:
    def rate(which: str) -> Rate:
        return (
            Rate.of(orders[which], orders[f"{which}_known"], orders["asked"]) if orders else Rate.of(0, 0, 0)
        )

    return AreaResponse(
        area=code,
        name=name,
        orders=orders["orders"] if orders else 0,
        responded=rate("responded"),
        resolved=rate("resolved"),
        satisfied=rate("satisfied"),
        cases=cases["cases"] if cases else 0,
        unacknowledged=cases["unacknowledged"] if cases else 0,
        tasks=tasks["tasks"] if tasks else 0,
        late_tasks=tasks["late_tasks"] if tasks else 0,
        acknowledge=_time(cases, "acknowledge"),
        arrive=_time(tasks, "arrive"),
        close=_time(cases, "close"),
    )


def _time(row: Record | None, which: str) -> Time:
    middle, slow = (row[which] if row else None) or (None, None)
    return Time(count=row[f"{which}_count"] if row else 0, middle=middle, slow=slow)


async def _burden(
    connection: Connection, viewer: Viewer, day: date, budgets: Mapping[str, Budget]
) -> tuple[AreaBurden, ...]:
    actor = await find_actor(connection, viewer, SEES_OTHERS)
    since, until = span_of(day)
    below = digits_below(actor.area)
    rows = await connection.fetch(sql("loads"), actor.area, since, until, below, None, FORMS)
    return burden_by_area([Borne(row["below"], row["role"], _load(row)) for row in rows], budgets)


async def _everybody(
    connection: Connection, since: datetime, until: datetime, budgets: Mapping[str, Budget]
) -> AreaBurden | None:
    rows = await connection.fetch(sql("loads"), "", since, until, 0, None, FORMS)
    return next(iter(burden_by_area([Borne("", row["role"], _load(row)) for row in rows], budgets)), None)


async def _own_load(connection: Connection, viewer: Viewer, day: date) -> Load:
    actor = await find_actor(connection, viewer)
    since, until = span_of(day)
    row = await connection.fetchrow(sql("loads"), actor.area, since, until, len(actor.area), actor.id, FORMS)
    return _load(row) if row else Load()


def _load(row: Record) -> Load:
    return Load(messages=row["messages"], taps=row["taps"], forms=row["forms"], peak=row["peak"])


def span_of(day: date) -> tuple[datetime, datetime]:
    """Tell when a day of Asia/Shanghai begins and ends."""
    begin = datetime.combine(day, time(), BEIJING)
    return begin, begin + timedelta(days=1)


def digits_below(area: str) -> int:
    """Tell how many digits the areas right below an area have; of a grid cell, its own."""
    return min((int(level) for level in AreaLevel if level > len(area)), default=len(area))
