"""The page of detection and its API: alerts that are held back, and how well the model that ranks them keeps its word."""

from aiohttp import web

from dashboards.api import Nothing, body_of, reply, request_id_of, uuid_in
from dashboards.keys import RULES, VIEWER, store_of
from dashboards.names import NAMES
from dashboards.pages import start_of
from dashboards.render import page


async def show_detection_page(request: web.Request) -> web.Response:
    """Show the page; NotAllowed for administrators, who have no cases."""
    start = await start_of(request, await _read(request))
    return page(request, "detection.html", script="detection.js", start=start, viewer=request[VIEWER])


async def show_detection(request: web.Request) -> web.Response:
    """Show held-back alerts and calibrations of the viewer's area."""
    return reply(await _read(request))


async def open_alert(request: web.Request) -> web.Response:
    """Open a case from an alert that was held back (立案); those on duty are paged."""
    await body_of(Nothing, request)
    row = await store_of(request).detection.open(
        request[VIEWER], uuid_in(request, "alert"), request_id_of(request), request.app[RULES]
    )
    return reply({"incident": row})


async def _read(request: web.Request) -> dict[str, object]:
    store = store_of(request)
    newest = (
        await store.newest_change()
    )  # before the rest: a change between the two is told twice, never missed
    shown = await store.detection.show(request[VIEWER])
    return {
        "held_back": shown.held_back,
        "more": shown.more,
        "calibrations": shown.calibrations,
        "names": await request.app[NAMES].of(store, {one.county for one in shown.calibrations}),
        "change": newest,
    }
