"""The roster over the API: who is on duty when, people who stand in, exchanges, hand-overs (值班表, 替班, 换班, 交接班)."""

from datetime import datetime, time, timedelta
from typing import Annotated
from uuid import UUID

from aiohttp import web
from msgspec import Meta, Struct

from dashboards.api import SHANGHAI, Note, body_of, query_of, reply, request_id_of, uuid_in
from dashboards.keys import VIEWER, store_of
from dashboards.pages import start_of
from dashboards.render import page
from domain.inputs import AwareTime
from responders.arrangements import Stretch
from responders.cases import Desk
from responders.views import Role

MAX_DAYS = 62
SHOWN = timedelta(days=7)
Area = Annotated[str, Meta(pattern=r"^\d{0,15}$")]
Post = Annotated[str, Meta(max_length=60)]


class RosterQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which part of the roster: an area within the viewer's, and a time; the coming week where none is named."""

    area: Area = ""
    since: AwareTime | None = None
    until: AwareTime | None = None

    def __post_init__(self) -> None:
        if (self.since is None) is not (self.until is None):
            raise ValueError("since and until go together")
        if self.since is None or self.until is None:
            return
        if not timedelta(0) < self.until - self.since <= timedelta(days=MAX_DAYS):
            raise ValueError(f"until must follow since by at most {MAX_DAYS} days")


class Time(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A stretch of time."""

    starts_at: AwareTime
    ends_at: AwareTime


class Substitution(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who stands in for whom at a desk and when (替班)."""

    area: Area
    post: Post = ""
    away: UUID
    instead: UUID
    starts_at: AwareTime
    ends_at: AwareTime
    note: Note = ""


class Swap(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The sender's time at a desk for another one's (换班)."""

    area: Area
    post: Post = ""
    mine: Time
    other: UUID
    theirs: Time
    note: Note = ""


class SwapAnswer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the one who was asked says."""

    agreed: bool


class Signature(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the one who signs for a hand-over remarks."""

    remark: Note = ""


async def show_roster_page(request: web.Request) -> web.Response:
    """Show the page of this week; administrators, who have no desks, are led to administration."""
    if request[VIEWER].role is Role.ADMIN:
        raise web.HTTPSeeOther("/admin")
    store = store_of(request)
    newest = (
        await store.newest_change()
    )  # before the rest: a change between the two is told twice, never missed
    now = (await store.clock()).now().astimezone(SHANGHAI)
    monday = datetime.combine(now.date() - timedelta(days=now.weekday()), time(), SHANGHAI)
    view = await store.roster.show(request[VIEWER], monday, monday + SHOWN, "")
    start = await start_of(request, {"roster": view, "since": monday, "change": newest})
    return page(request, "roster.html", script="roster.js", start=start, viewer=request[VIEWER])


async def show(request: web.Request) -> web.Response:
    """Show the roster of the viewer's area."""
    query, store = query_of(RosterQuery, request.query), store_of(request)
    since = query.since or (await store.clock()).now()
    until = query.until or since + SHOWN
    view = await store.roster.show(request[VIEWER], since, until, query.area)
    return reply({"since": since, "until": until, "roster": view})


async def substitute(request: web.Request) -> web.Response:
    """Let somebody stand in."""
    body, key = await body_of(Substitution, request), request_id_of(request)
    change = await store_of(request).roster.substitute(
        request[VIEWER],
        Desk(body.area, body.post),
        body.away,
        body.instead,
        Stretch(body.starts_at, body.ends_at),
        body.note,
        key,
    )
    return reply({"change": change})


async def ask_swap(request: web.Request) -> web.Response:
    """Offer an exchange."""
    body, key = await body_of(Swap, request), request_id_of(request)
    swap = await store_of(request).roster.ask_swap(
        request[VIEWER],
        Desk(body.area, body.post),
        Stretch(body.mine.starts_at, body.mine.ends_at),
        body.other,
        Stretch(body.theirs.starts_at, body.theirs.ends_at),
        body.note,
        key,
    )
    return reply({"swap": swap})


async def answer_swap(request: web.Request) -> web.Response:
    """Agree to an exchange or decline it."""
    body, key = await body_of(SwapAnswer, request), request_id_of(request)
    swap = await store_of(request).roster.answer_swap(
        request[VIEWER], uuid_in(request, "swap"), agreed=body.agreed, request_id=key
    )
    return reply({"swap": swap})


async def sign(request: web.Request) -> web.Response:
    """Sign for a hand-over."""
    body, key = await body_of(Signature, request), request_id_of(request)
    signed = await store_of(request).roster.sign(
        request[VIEWER], uuid_in(request, "hand_over"), body.remark, key
    )
    return reply({"hand_over": signed})
