"""The API of figures: how areas respond (三率, times), and what the platform burdens people with. Never of one person."""

from datetime import date, datetime, time, timedelta

from aiohttp import web
from msgspec import Struct

from dashboards.api import SHANGHAI, query_of, reply
from dashboards.keys import DATA, VIEWER, store_of
from responders.burden import exceeded
from responders.views import Role

MAX_DAYS = 400


class Days(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A span of days of Asia/Shanghai, both included."""

    since: date
    until: date

    def __post_init__(self) -> None:
        if not 0 <= (self.until - self.since).days <= MAX_DAYS:
            raise ValueError(f"until must not be before since, nor more than {MAX_DAYS} days after it")


class Day(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A day of Asia/Shanghai; today on the county clock when none is named."""

    day: date | None = None


async def show_response(request: web.Request) -> web.Response:
    """Show how the areas below one's own respond."""
    days = query_of(Days, request.query)
    since = datetime.combine(days.since, time(), SHANGHAI)
    until = datetime.combine(days.until, time(), SHANGHAI) + timedelta(days=1)
    return reply({"areas": await store_of(request).figures.response(request[VIEWER], since, until)})


async def show_burden(request: web.Request) -> web.Response:
    """Show one's own load against its budget, and to officers how the areas below fare."""
    store, viewer = store_of(request), request[VIEWER]
    wanted = query_of(Day, request.query).day
    day = (await store.clock()).now().astimezone(SHANGHAI).date() if wanted is None else wanted
    budgets = request.app[DATA].budgets
    own = await store.figures.own_load(viewer, day)
    budget = budgets[viewer.role.value]
    areas = () if viewer.role is Role.GRID else await store.figures.burden(viewer, day, budgets)
    return reply({"day": day, "own": own, "budget": budget, "over": exceeded(own, budget), "areas": areas})
