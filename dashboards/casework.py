"""Commands about cases beyond moving them: opened by hand, merged, split, joint, reopened, called back about."""

from typing import Annotated
from uuid import UUID

from aiohttp import web
from msgspec import Meta, Struct

from dashboards.api import Note, body_of, incident_of, reply, request_id_of
from dashboards.keys import RULES, VIEWER, store_of
from domain.incidents import Satisfied
from domain.inputs import Slug
from domain.levels import Level
from responders.casework import CallBack, Described

Area = Annotated[str, Meta(pattern=r"^\d{2,15}$")]
Text = Annotated[str, Meta(min_length=1, max_length=2000)]
LEVELS = {level.slug: level for level in Level}
LevelSlug = Annotated[str, Meta(pattern=f"^({'|'.join(LEVELS)})$")]


class New(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A case in an officer's words; `level` is blue, yellow, orange or red."""

    category: Slug
    place: Area
    level: LevelSlug
    text: Text


class Merge(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The case that goes on."""

    into: UUID
    note: Note = ""


class Split(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What becomes a case of its own: alerts of the case, or a part in the officer's words."""

    alerts: Annotated[tuple[UUID, ...], Meta(max_length=1000)] = ()
    part: New | None = None
    note: Note = ""


class Join(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The area that comes in."""

    area: Area
    note: Note = ""


class Leave(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why an area leaves."""

    note: Note = ""


class Further(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who gets one more task; without a post, whoever answers for the category there."""

    area: Area
    post: Annotated[str, Meta(max_length=60)] | None = None
    note: Note = ""


class Reopen(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a case is opened again."""

    note: Note


class Rating(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody concerned said; null is not asked."""

    reached: bool
    responded: bool | None = None
    resolved: bool | None = None
    satisfied: Satisfied = Satisfied.NOT_ASKED
    note: Note = ""
    corrects: bool = False

    def call(self) -> CallBack:
        """Say it as the rules know it."""
        return CallBack(self.reached, self.responded, self.resolved, self.satisfied, self.note, self.corrects)


async def open_case(request: web.Request) -> web.Response:
    """Open a case by hand (人工立案)."""
    body, key = await body_of(New, request), request_id_of(request)
    row = await store_of(request).casework.open(request[VIEWER], _described(body), key, request.app[RULES])
    return reply({"incident": row}, 201)


async def merge(request: web.Request) -> web.Response:
    """Merge a case into another (并案)."""
    body, key, case = await body_of(Merge, request), request_id_of(request), incident_of(request)
    row = await store_of(request).casework.merge(
        request[VIEWER], case, body.into, body.note, key, request.app[RULES]
    )
    return reply({"incident": row})


async def split(request: web.Request) -> web.Response:
    """Split a part of a case off (拆分)."""
    body, key, case = await body_of(Split, request), request_id_of(request), incident_of(request)
    row = await store_of(request).casework.split(
        request[VIEWER],
        case,
        alerts=body.alerts,
        described=None if body.part is None else _described(body.part),
        note=body.note,
        request_id=key,
        rules=request.app[RULES],
    )
    return reply({"incident": row}, 201)


async def join(request: web.Request) -> web.Response:
    """Bring another area in (联合处置)."""
    body, key, case = await body_of(Join, request), request_id_of(request), incident_of(request)
    row = await store_of(request).casework.join(
        request[VIEWER], case, body.area, body.note, key, request.app[RULES]
    )
    return reply({"incident": row})


async def leave(request: web.Request) -> web.Response:
    """Let an area leave."""
    body, key, case = await body_of(Leave, request), request_id_of(request), incident_of(request)
    area = request.match_info["area"]
    row = await store_of(request).casework.leave(request[VIEWER], case, area, body.note, key)
    return reply({"incident": row})


async def dispatch(request: web.Request) -> web.Response:
    """Give one more task to a unit (再派任务)."""
    body, key, case = await body_of(Further, request), request_id_of(request), incident_of(request)
    row = await store_of(request).casework.dispatch(
        request[VIEWER], case, body.area, body.post, body.note, key, request.app[RULES]
    )
    return reply({"incident": row})


async def reopen(request: web.Request) -> web.Response:
    """Open a case again (重开)."""
    body, key, case = await body_of(Reopen, request), request_id_of(request), incident_of(request)
    row = await store_of(request).casework.reopen(request[VIEWER], case, body.note, key, request.app[RULES])
    return reply({"incident": row})


async def rate(request: web.Request) -> web.Response:
    """Keep a call-back about a case (回访)."""
    body, key, case = await body_of(Rating, request), request_id_of(request), incident_of(request)
    row = await store_of(request).casework.rate(request[VIEWER], case, body.call(), key, request.app[RULES])
    return reply({"incident": row})


async def rate_task(request: web.Request) -> web.Response:
    """Keep a call-back about a task."""
    body, key = await body_of(Rating, request), request_id_of(request)
    try:
        task = UUID(request.match_info["task"])
    except ValueError as error:
        raise web.HTTPNotFound from error
    row = await store_of(request).casework.rate_task(
        request[VIEWER], task, body.call(), key, request.app[RULES]
    )
    return reply({"incident": row})


def _described(new: New) -> Described:
    return Described(new.category, new.place, LEVELS[new.level], new.text)
