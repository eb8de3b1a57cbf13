"""Acknowledging by the link in a message: a page with the case's title and one button, without script or session.

Looking changes nothing, since programs that preview messages open links; only the button does.
"""

from datetime import datetime
from uuid import UUID

from aiohttp import web

from dashboards.keys import LANGUAGE, store_of
from dashboards.metrics import REPLIES
from dashboards.problems import in_language
from dashboards.render import page
from dashboards.texts import say
from dashboards.ways import LINKS, WAYS
from domain.errors import NotFound
from responders.replies import IS_ANSWERED, MAY_ANSWER, SENTENCES, Seen, Standing, Via, sentence
from responders.store.replies import local_time

STATUS = {
    Standing.OPEN: 200,
    Standing.DONE: 200,
    Standing.TO_SEE: 200,
    Standing.SEEN: 200,
    Standing.USED: 409,
    Standing.FIRST: 409,
    Standing.ENDED: 409,
    Standing.EXPIRED: 410,
    Standing.NOT_ALLOWED: 403,
    Standing.UNKNOWN: 404,
    Standing.LIMITED: 429,
}


async def show_link(request: web.Request) -> web.Response:
    """Show what the link is about, and the button where it may still be pressed."""
    return await _link(request, acknowledge=False)


async def press_link(request: web.Request) -> web.Response:
    """Acknowledge as the recipient of the message."""
    return await _link(request, acknowledge=True)


async def _link(request: web.Request, *, acknowledge: bool) -> web.Response:
    found = _read(request)
    if found is None:
        return _forged(request)
    named, until = found
    replies = store_of(request).replies
    try:
        if acknowledge:
            seen, standing = await replies.answer(named, Via.LINK, until)
            REPLIES.labels(Via.LINK.value, standing.value).inc()
        else:
            seen, standing = await replies.see(named, until)
    except NotFound:
        return _forged(request)
    return _show(request, standing, sentence(standing, seen, local_time), seen)


def _read(request: web.Request) -> tuple[UUID, datetime] | None:
    keys = request.app[WAYS].keys
    return None if keys is None else keys.read_token(request.match_info["token"])


def _forged(request: web.Request) -> web.Response:
    """Tell of a link that is none; who tries many hears that it is enough."""
    wait = request.app[LINKS].begin("", request.remote or "")
    standing = Standing.LIMITED if wait else Standing.UNKNOWN
    REPLIES.labels(Via.LINK.value, standing.value).inc()
    told = SENTENCES[standing] if wait else say(request[LANGUAGE])("answer.forged")
    response = _show(request, standing, told, None)
    if wait:
        response.headers["Retry-After"] = str(round(wait))
    return response


def _show(request: web.Request, standing: Standing, told: str, seen: Seen | None) -> web.Response:
    return page(
        request,
        "answer.html",
        status=STATUS[standing],
        seen=seen,
        told=in_language(told, request[LANGUAGE]),
        may_press=standing in MAY_ANSWER,
        is_done=standing in IS_ANSWERED,
    )
