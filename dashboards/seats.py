"""What officers keep at their seats over the API: saved views, an acknowledgement taken back, the cases beside a case."""

from typing import Annotated

from aiohttp import web
from msgspec import Meta, Struct

from dashboards.api import Nothing, body_of, incident_of, reply, request_id_of
from dashboards.keys import DATA, VIEWER, store_of
from responders.seats import Name, QueueFilter


class Saved(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A view to keep; the same name again writes it over."""

    name: Name
    filter: QueueFilter


class Forgotten(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A view to forget."""

    name: Annotated[str, Meta(max_length=40)]


async def undo(request: web.Request) -> web.Response:
    """Take back one's own acknowledgement within ten seconds."""
    await body_of(Nothing, request)
    row = await store_of(request).seats.undo(request[VIEWER], incident_of(request), request_id_of(request))
    return reply({"incident": row})


async def list_places(request: web.Request) -> web.Response:
    """List the county of the viewer, its townships and villages, by code and name: what forms offer."""
    return reply({"places": await store_of(request).seats.places(request[VIEWER])})


async def list_colleagues(request: web.Request) -> web.Response:
    """List the accounts of the viewer's area that may stand at a desk, by id and post: who can stand in."""
    return reply({"colleagues": await store_of(request).seats.colleagues(request[VIEWER])})


async def list_categories(request: web.Request) -> web.Response:
    """List the categories in which a case can be opened by hand."""
    return reply({"categories": list(request.app[DATA].categories)})


async def show_related(request: web.Request) -> web.Response:
    """Show the cases near a case at the same time, and ended ones like it with what became of them."""
    return reply(await store_of(request).seats.related(request[VIEWER], incident_of(request)))


async def list_views(request: web.Request) -> web.Response:
    """List one's own saved views."""
    return reply({"views": await store_of(request).seats.views(request[VIEWER])})


async def save_view(request: web.Request) -> web.Response:
    """Keep a view."""
    body = await body_of(Saved, request)
    views = await store_of(request).seats.save_view(request[VIEWER], body.name, body.filter)
    return reply({"views": views})


async def forget_view(request: web.Request) -> web.Response:
    """Forget a view."""
    body = await body_of(Forgotten, request)
    return reply({"views": await store_of(request).seats.forget_view(request[VIEWER], body.name)})
