"""The JSON API under /api/v1: what the pages read and the commands they send."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from aiohttp import web
from msgspec import Meta, Struct

from dashboards.keys import LANGUAGE, VIEWER, store_of
from dashboards.names import NAMES
from dashboards.problems import Problem, Refused, problem_of
from dashboards.texts import say
from domain.decode import convert, decode_json
from domain.errors import Conflict, Fault, InvalidInput
from domain.incidents import OPEN_STATES, IncidentState, Verdict
from domain.inputs import AwareTime
from responders.views import IncidentRow, IncidentView

T = TypeVar("T", bound=Struct)
Note = Annotated[str, Meta(max_length=2000)]
MAX_CURVE_DAYS = 14
MOST_ROWS = 1000
"""The store gives no more at once; a page asks for all of them, since a case that is not listed is not answered."""
SHANGHAI = ZoneInfo("Asia/Shanghai")


class Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    """A command that says everything by its address."""


class Disposition(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an officer decided (研判)."""

    verdict: Verdict
    note: Note = ""


class Move(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a case is to go; `version` is the one that the officer saw."""

    state: IncidentState
    note: Note = ""
    version: int | None = None


class Close(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Closing a case (办结)."""

    note: Note = ""
    version: int | None = None


class QueueQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which part of the queue; `before` continues a list by `opened_at`."""

    state: Annotated[str, Meta(pattern="^(open|all)$")] = "open"
    limit: Annotated[int, Meta(ge=1, le=MOST_ROWS)] = 200
    before: AwareTime | None = None


class CurveQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which stretch of a curve."""

    since: AwareTime
    until: AwareTime

    def __post_init__(self) -> None:
        if not timedelta(0) < self.until - self.since <= timedelta(days=MAX_CURVE_DAYS):
            raise ValueError(f"until must follow since by at most {MAX_CURVE_DAYS} days")


def reply(value: Any, status: int = 200) -> web.Response:
    """Answer with JSON."""
    return web.Response(body=msgspec.json.encode(value), content_type="application/json", status=status)


def query_of(kind: type[T], query: Mapping[str, str]) -> T:
    """Decode a query strictly: what is named has a value, and `null` is none."""
    found = convert(kind, dict(query), lenient=True)
    if empty := [name for name in query if getattr(found, name, ...) is None]:
        raise InvalidInput([Fault(name, "has no value: leave it out") for name in empty])
    return found


async def body_of(kind: type[T], request: web.Request) -> T:
    """Decode the body strictly; no body at all is an empty object."""
    data = await request.read()
    if data and request.content_type != "application/json":
        raise Refused(Problem(415, "wrong_type"))
    return decode_json(kind, data or b"{}")


async def form_of(request: web.Request) -> dict[str, str]:
    """Read a form as texts; InvalidInput without the key that the page gave it."""
    form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    try:
        UUID(form.get("key", ""))
    except ValueError as error:
        raise InvalidInput([Fault("key", "must be the one that the page gave")]) from error
    return form


def request_id_of(request: web.Request) -> UUID:
    """Read the Idempotency-Key: made by the sender, so that sending a command twice does it once."""
    try:
        return UUID(request.headers.get("Idempotency-Key", ""))
    except ValueError as error:
        raise InvalidInput([Fault("Idempotency-Key", "must be a UUID made for this command")]) from error


def uuid_in(request: web.Request, name: str) -> UUID:
    """Read an id from a place in the address; what is no id is not found."""
    try:
        return UUID(request.match_info[name])
    except ValueError as error:
        raise web.HTTPNotFound from error


def incident_of(request: web.Request) -> UUID:
    """Read the incident's id from the address; what is no id is not found."""
    return uuid_in(request, "incident")


async def show_session(request: web.Request) -> web.Response:
    """Tell who is signed in."""
    return reply({"viewer": request[VIEWER], "language": request[LANGUAGE].value})


async def read_queue(request: web.Request, query: QueueQuery) -> dict[str, object]:
    """Read rows together with the change id from which live events go on without a gap."""
    store, viewer = store_of(request), request[VIEWER]
    newest = (
        await store.newest_change()
    )  # before the rows: a change between the two is told twice, never missed
    states = tuple(OPEN_STATES) if query.state == "open" else tuple(IncidentState)
    rows = await store.queue(viewer, states=states, limit=query.limit, before=query.before)
    return {"incidents": rows, "change": newest, "more": len(rows) == query.limit}


async def list_incidents(request: web.Request) -> web.Response:
    """List incidents, newest first."""
    return reply(await read_queue(request, query_of(QueueQuery, request.query)))


class IncidentPage(Struct, frozen=True, kw_only=True):
    """An incident, the names of what its evidence mentions, and the change from which live events go on."""

    incident: IncidentView
    names: dict[str, str]
    change: int


async def read_incident(request: web.Request, incident: UUID) -> IncidentPage:
    """Read an incident for its page."""
    store = store_of(request)
    newest = await store.newest_change()
    view = await store.incident(request[VIEWER], incident)
    return IncidentPage(incident=view, names=await names_in(request, view), change=newest)


async def names_in(request: web.Request, view: IncidentView) -> dict[str, str]:
    """Name the series and areas that the evidence and the explanation mention."""
    wanted = {view.row.place, *(f.subject for f in view.evidence), *(f.area for f in view.evidence)}
    for finding in view.evidence:
        wanted |= {*finding.places, *finding.terms, *(arrival.series for arrival in finding.arrivals)}
    wanted |= {view.coordinator} if view.coordinator is not None else set()
    if view.explanation is not None:
        wanted |= {*view.explanation.nearby}
        wanted |= {view.explanation.precedent.place} if view.explanation.precedent else set()
    return await request.app[NAMES].of(store_of(request), wanted)


async def show_incident(request: web.Request) -> web.Response:
    """Show an incident."""
    return reply(await read_incident(request, incident_of(request)))


async def acknowledge(request: web.Request) -> web.Response:
    """Take note of an incident (确认接收)."""
    await body_of(Nothing, request)
    return await _command(request, store_of(request).acknowledge)


async def take_over(request: web.Request) -> web.Response:
    """Become the holder of an incident (接手)."""
    await body_of(Nothing, request)
    return await _command(request, store_of(request).take_over)


async def decide(request: web.Request) -> web.Response:
    """Say what it was (研判)."""
    body = await body_of(Disposition, request)
    return await _command(request, store_of(request).decide, verdict=body.verdict, note=body.note)


async def move(request: web.Request) -> web.Response:
    """Move a case to another state."""
    body = await body_of(Move, request)
    return await _command(
        request, store_of(request).move, state=body.state, note=body.note, expected_version=body.version
    )


async def close(request: web.Request) -> web.Response:
    """Close a case (办结)."""
    body = await body_of(Close, request)
    return await _command(request, store_of(request).close, note=body.note, expected_version=body.version)


async def _command(request: web.Request, call: Any, **arguments: Any) -> web.Response:
    """Carry out a command; on a conflict tell who was first and when."""
    incident, request_id = incident_of(request), request_id_of(request)
    try:
        row: IncidentRow = await call(request[VIEWER], incident, request_id=request_id, **arguments)
    except Conflict as error:
        raise Refused(await _conflict(request, incident, error)) from error
    return reply({"incident": row})


async def _conflict(request: web.Request, incident: UUID, error: Conflict) -> Problem:
    row = (await store_of(request).incident(request[VIEWER], incident)).row
    told = problem_of(error)
    extra = {"state": row.state, "version": row.version, "holder": row.holder}
    if row.acknowledged_at is None:
        return replace(told, extra=extra)
    extra |= {"acknowledged_by": row.acknowledged_by, "acknowledged_at": row.acknowledged_at}
    if not request.path.endswith("/acknowledge"):
        return replace(told, extra=extra)
    tell = say(request[LANGUAGE])
    detail = tell(
        "problem.conflict_first",
        by=row.acknowledged_by or "",
        at=shanghai(row.acknowledged_at),
        state=tell(f"state.{row.state}"),
    )
    return replace(told, detail=detail, extra=extra)


async def show_curve(request: web.Request) -> web.Response:
    """Show a series' one-minute roll-ups."""
    query = query_of(CurveQuery, request.query)
    series = request.match_info["series"]
    return reply(await store_of(request).curve(request[VIEWER], series, query.since, query.until))


def shanghai(at: datetime) -> str:
    """Write a time as people in the county read it."""
    return at.astimezone(SHANGHAI).strftime("%m-%d %H:%M:%S")
