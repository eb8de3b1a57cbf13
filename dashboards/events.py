"""The live stream /api/v1/events: server-sent events, resumed by Last-Event-ID."""

import asyncio
from contextlib import suppress

from aiohttp import web
from msgspec import Struct

from dashboards.hub import Client, Hub
from dashboards.keys import SESSION, VIEWER, store_of
from domain.errors import Fault, InvalidInput, NotAllowed, Unavailable

HUB = web.AppKey("hub", Hub)
RECONNECT_MILLISECONDS = 1500
LARGEST = 2**63 - 1
LAST_EVENT = {"Last-Event-ID": "The number of the last event that arrived: what came after it is sent."}


class EventsQuery(Struct, frozen=True, kw_only=True):
    """Where a page begins: the change that it read its rows with; without one the stream begins now."""

    after: int | None = None


def last_event_of(request: web.Request) -> int | None:
    """Read where a browser stopped: the header after a lost connection, `after` when a page begins; None for neither."""
    text = request.headers.get("Last-Event-ID") or request.query.get("after")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and int(text[:20]) <= LARGEST):
        raise InvalidInput([Fault("Last-Event-ID", "must be the number of an event")])
    return int(text[:20])


async def follow_events(request: web.Request) -> web.StreamResponse:
    """Stream changes until the browser leaves."""
    last = last_event_of(request)
    await store_of(request).ping()  # a 503 must be told before the stream begins
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
    await response.prepare(request)
    await response.write(f"retry: {RECONNECT_MILLISECONDS}\n\n".encode())
    transport = request.transport
    if not isinstance(transport, asyncio.Transport):
        return response  # gone already
    client = Client(response, transport, request[VIEWER], request[SESSION], last or 0)
    with suppress(Unavailable, NotAllowed):  # too late for a status: the stream ends, the browser asks again
        await request.app[HUB].follow(client, fresh=last is None)
    return response
