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
from responders.replies import IS_ANSWERED, MAY_ANSWER, SENTENCES, Seen, Standing, Via, outcome, sentence
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
            told = await replies.answer_letter(named, Via.LINK, until)
            for _, standing in told:
                REPLIES.labels(Via.LINK.value, standing.value).inc()
        else:
            told = await replies.see_letter(named, until)
    except NotFound:
        return _forged(request)
    return _show(request, told)


def _read(request: web.Request) -> tuple[UUID, datetime] | None:
    keys = request.app[WAYS].keys
    return None if keys is None else keys.read_token(request.match_info["token"])


def _forged(request: web.Request) -> web.Response:
    """Tell of a link that is none; who tries many hears that it is enough."""
    wait = request.app[LINKS].begin("", request.remote or "")
    standing = Standing.LIMITED if wait else Standing.UNKNOWN
    REPLIES.labels(Via.LINK.value, standing.value).inc()
    told = SENTENCES[standing] if wait else say(request[LANGUAGE])("answer.forged")
    response = page(
        request,
        "answer.html",
        status=STATUS[standing],
        told=in_language(told, request[LANGUAGE]),
        cases=[],
        open=[],
    )
    if wait:
        response.headers["Retry-After"] = str(round(wait))
    return response


def _show(request: web.Request, told: list[tuple[Seen, Standing]]) -> web.Response:
    """Show a page, or all that a letter told of, each with its own sentence; the button is for what is still open."""
    return page(
        request,
        "answer.html",
        status=STATUS[outcome([standing for _, standing in told])],
        cases=[
            {
                "seen": seen,
                "told": in_language(sentence(standing, seen, local_time), request[LANGUAGE]),
                "is_well": standing in MAY_ANSWER | IS_ANSWERED,
            }
            for seen, standing in told
        ],
        open=[seen for seen, standing in told if standing in MAY_ANSWER],
    )
