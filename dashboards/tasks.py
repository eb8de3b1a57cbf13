"""Commands about tasks: moving one on, and what its unit asks of the level above (退单, 缓办, 延期)."""

from typing import Annotated

from aiohttp import web
from msgspec import Meta, Struct

from dashboards.api import Note, body_of, reply, request_id_of, uuid_in
from dashboards.keys import RULES, VIEWER, store_of
from domain.incidents import PleaKind, TaskState
from domain.inputs import AwareTime
from responders.cases import Desk
from responders.pleas import Plea


class TaskMove(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a task is to go."""

    state: TaskState
    note: Note = ""


class Asked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a unit asks: a refusal cites an item of the list of duties, the others name a time."""

    reason: Note
    item: Annotated[str, Meta(max_length=200)] = ""
    until: AwareTime | None = None


class PleaAnswer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the level above decides; a granted refusal names the area and the post that get the task."""

    granted: bool
    note: Note = ""
    area: str | None = None
    post: Annotated[str, Meta(max_length=60)] = ""


async def move(request: web.Request) -> web.Response:
    """Move a task to another state."""
    body, key = await body_of(TaskMove, request), request_id_of(request)
    row = await store_of(request).move_task(
        request[VIEWER], uuid_in(request, "task"), body.state, body.note, key
    )
    return reply({"task": row})


async def ask(request: web.Request) -> web.Response:
    """Ask the level above about a task."""
    body, key = await body_of(Asked, request), request_id_of(request)
    plea = Plea(_kind_of(request), body.reason, body.item, body.until)
    row = await store_of(request).pleas.ask(
        request[VIEWER], uuid_in(request, "task"), plea, key, request.app[RULES]
    )
    return reply({"task": row})


async def answer(request: web.Request) -> web.Response:
    """Decide about what a unit below asked."""
    body, key = await body_of(PleaAnswer, request), request_id_of(request)
    row = await store_of(request).pleas.answer(
        request[VIEWER],
        uuid_in(request, "task"),
        _kind_of(request),
        granted=body.granted,
        note=body.note,
        owner=None if body.area is None else Desk(body.area, body.post),
        request_id=key,
        rules=request.app[RULES],
    )
    return reply({"task": row})


def _kind_of(request: web.Request) -> PleaKind:
    try:
        return PleaKind(request.match_info["kind"])
    except ValueError as error:
        raise web.HTTPNotFound from error
