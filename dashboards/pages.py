"""The pages: the queue and an incident. The script in a page takes over from what stands in `data-start`."""

from datetime import UTC, datetime

import msgspec
from aiohttp import web
from msgspec import structs
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from dashboards.api import MOST_ROWS, QueueQuery, incident_of, query_of, read_incident, read_queue
from dashboards.hub import clock_now
from dashboards.keys import DATA, VIEWER, store_of
from dashboards.render import page
from dashboards.texts import browser_texts, language_named
from responders.views import Role


async def start_of(request: web.Request, content: dict[str, object]) -> str:
    """Encode what a page's script starts from; the template escapes it."""
    clock = await store_of(request).clock()
    internal = [slug for slug, category in request.app[DATA].categories.items() if not category.public]
    now = clock_now(clock.at(datetime.now(UTC)), clock.factor)
    return msgspec.json.encode(
        {**content, "clock": now, "internal": internal, "viewer": request[VIEWER]}
    ).decode()


async def show_queue(request: web.Request) -> web.Response:
    """Show the queue; `?state=all` shows ended cases too. Administrators have no cases: they are led to the stations.

    Grid workers are led to the field app, unless they ask for a part of the queue.
    """
    if request[VIEWER].role is Role.GRID and not request.query_string:
        raise web.HTTPSeeOther("/field")
    if request[VIEWER].role is Role.ADMIN:
        raise web.HTTPSeeOther("/registry")
    names = {name: value for name, value in request.query.items() if name in QueueQuery.__struct_fields__}
    query = query_of(QueueQuery, {"limit": str(MOST_ROWS)} | names)
    content = await read_queue(request, query) | {"state": query.state, "limit": query.limit}
    start = await start_of(request, content)
    return page(request, "queue.html", script="queue.js", start=start, viewer=request[VIEWER])


async def show_incident_page(request: web.Request) -> web.Response:
    """Show one incident."""
    content = await read_incident(request, incident_of(request))
    start = await start_of(request, structs.asdict(content))
    row = content.incident.row
    return page(
        request,
        "incident.html",
        script="incident.js",
        start=start,
        viewer=request[VIEWER],
        title=row.title,
        incident=row.id,
    )


async def show_texts(request: web.Request) -> web.Response:
    """Give the catalogue of a language to the pages' scripts."""
    language = language_named(request.match_info["language"])
    if language is None:
        raise web.HTTPNotFound
    return web.Response(body=browser_texts(request.app[DATA], language), content_type="application/json")


async def show_health(request: web.Request) -> web.Response:
    """Say whether the console can do its work; DatabaseUnavailable becomes 503."""
    await store_of(request).ping()
    return web.json_response({"status": "ok"})


async def show_metrics(request: web.Request) -> web.Response:
    """Give the metrics in Prometheus' text form."""
    return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})
