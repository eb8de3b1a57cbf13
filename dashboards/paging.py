"""Commands that decide who is paged about a case: its grade, shelving it, and maintenance; and what is held at present."""

from typing import Annotated

from aiohttp import web
from msgspec import Meta, Struct

from dashboards.api import Note, Nothing, body_of, incident_of, reply, request_id_of, uuid_in
from dashboards.keys import RULES, VIEWER, store_of
from domain.levels import Grade
from responders.views import MaintenancePlan


class Graded(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The grade that an officer decides (定级), 1 the gravest; a less grave one needs a reason."""

    grade: Annotated[int, Meta(ge=1, le=4)]
    reason: Note = ""


class Shelved(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For how long a case is put aside (搁置), and why."""

    minutes: Annotated[int, Meta(ge=1)]
    reason: Note


async def grade(request: web.Request) -> web.Response:
    """Decide a case's grade."""
    body, key = await body_of(Graded, request), request_id_of(request)
    row = await store_of(request).grades.set(
        request[VIEWER], incident_of(request), Grade(body.grade), body.reason, key, request.app[RULES]
    )
    return reply({"incident": row})


async def shelve(request: web.Request) -> web.Response:
    """Put a case aside for some minutes."""
    body, key = await body_of(Shelved, request), request_id_of(request)
    row = await store_of(request).holds.shelve(
        request[VIEWER], incident_of(request), body.minutes, body.reason, key, request.app[RULES]
    )
    return reply({"incident": row})


async def consent(request: web.Request) -> web.Response:
    """Stand behind a shelf as the second person."""
    await body_of(Nothing, request)
    row = await store_of(request).holds.consent(
        request[VIEWER], incident_of(request), request_id_of(request), request.app[RULES]
    )
    return reply({"incident": row})


async def unshelve(request: web.Request) -> web.Response:
    """End a shelf now."""
    await body_of(Nothing, request)
    row = await store_of(request).holds.unshelve(
        request[VIEWER], incident_of(request), request_id_of(request)
    )
    return reply({"incident": row})


async def list_held(request: web.Request) -> web.Response:
    """List cases that page nobody, with what holds them, and shelves that wait for a second person."""
    cases, waiting = await store_of(request).holds.held(request[VIEWER])
    return reply({"held": cases, "waiting": waiting})


async def list_maintenance(request: web.Request) -> web.Response:
    """List the present and the coming maintenance."""
    return reply({"maintenance": await store_of(request).holds.maintenance(request[VIEWER])})


async def plan_maintenance(request: web.Request) -> web.Response:
    """Plan maintenance."""
    body, key = await body_of(MaintenancePlan, request), request_id_of(request)
    row = await store_of(request).holds.plan(request[VIEWER], body, key, request.app[RULES])
    return reply({"maintenance": row}, 201)


async def consent_to_maintenance(request: web.Request) -> web.Response:
    """Stand behind maintenance as the second person."""
    await body_of(Nothing, request)
    row = await store_of(request).holds.consent_to(request[VIEWER], uuid_in(request, "maintenance"))
    return reply({"maintenance": row})


async def end_maintenance(request: web.Request) -> web.Response:
    """End maintenance now, or take it back."""
    await body_of(Nothing, request)
    row = await store_of(request).holds.end(request[VIEWER], uuid_in(request, "maintenance"))
    return reply({"maintenance": row})
