"""The command centre: `/command`, the display `/wall`, and `/api/v1/command`, from which both live."""

from functools import cache
from typing import Any

from aiohttp import web
from msgspec import Struct

from config.pacing import Pacing, pacing_of
from dashboards.api import MOST_ROWS, QueueQuery, read_queue, reply
from dashboards.keys import DATA, LANGUAGE, STATIC, VIEWER, store_of
from dashboards.pages import start_of
from dashboards.render import page
from dashboards.texts import say, texts_version
from responders.views import Role, Viewer


class StormRule(Struct, frozen=True, kw_only=True):
    """More new cases than `cases` within `minutes` make a storm, as the pacing in force has it."""

    cases: int
    minutes: float


@cache
def release_of(static: str, texts: str) -> str:
    """Name this release's pages: what a display compares itself with."""
    return f"{static.rpartition('/')[2]}-{texts}"


async def read_command(request: web.Request) -> dict[str, Any]:
    """Read the situation with what storms are told by, and the release that a page should be of."""
    viewer: Viewer = request[VIEWER]
    data = request.app[DATA]
    pacing: Pacing = pacing_of(data.pacing, viewer.area)
    situation = await store_of(request).command.situation(viewer, pacing.storm_minutes)
    return {
        "situation": situation,
        "storm": StormRule(cases=pacing.storm_cases, minutes=pacing.storm_minutes),
        "release": release_of(request.app[STATIC], texts_version(data)),
    }


async def show_command(request: web.Request) -> web.Response:
    """Tell the situation of the viewer's area."""
    return reply(await read_command(request))


async def show_command_page(request: web.Request) -> web.Response:
    """Show the command centre."""
    if request[VIEWER].role is Role.ADMIN:
        raise web.HTTPSeeOther("/registry")
    scenarios = [{"slug": one.slug, "zh": one.zh, "en": one.en} for one in request.app[DATA].drills.values()]
    start = await start_of(request, {**await _content(request), "scenarios": scenarios})
    return page(request, "command.html", script="command.js", start=start, viewer=request[VIEWER])


async def show_wall_page(request: web.Request) -> web.Response:
    """Show the display: the same, large, without controls."""
    found = await _content(request)
    area = found["situation"].area_name or say(request[LANGUAGE])("command.everywhere")
    start = await start_of(request, found)
    return page(request, "wall.html", script="wall.js", start=start, area_name=area, viewer=request[VIEWER])


async def _content(request: web.Request) -> dict[str, Any]:
    """Read what both pages start from: the change from which live events go on is older than all the rest."""
    queue = await read_queue(request, QueueQuery(limit=MOST_ROWS))
    return {**queue, **await read_command(request)}
