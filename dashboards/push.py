"""Subscribing a browser to pages (Web Push), over the API: the key it needs, its coming and its going."""

import msgspec
from aiohttp import web
from msgspec import Struct

from config.services import ContactKind, WebPush
from dashboards.api import body_of, query_of, reply
from dashboards.keys import VIEWER, store_of
from dashboards.problems import Problem, Refused
from dashboards.ways import WAYS
from responders.channels.push import public_key
from responders.contacts import Keyring, SubscriptionKeys, endpoint_of, read_contact


class Which(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which service, where there are several; the first one otherwise."""

    channel: str | None = None


class Subscribed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """What a browser gives when it subscribes (PushSubscription.toJSON)."""

    endpoint: str
    keys: SubscriptionKeys
    expiration_time: float | None = None
    channel: str | None = None


class Unsubscribed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which subscription ends."""

    endpoint: str
    channel: str | None = None


async def show_key(request: web.Request) -> web.Response:
    """Give the key by which browsers know us (applicationServerKey), and the channel; 404 where push is not set up."""
    service, _ = _service(request, query_of(Which, request.query).channel)
    return reply({"channel": service.name, "key": public_key(request.app[WAYS].secrets_of(service))})


async def subscribe(request: web.Request) -> web.Response:
    """Have the viewer's pages appear in this browser; the same one again is the same one."""
    body = await body_of(Subscribed, request)
    service, keys = _service(request, body.channel)
    given = msgspec.json.encode({"endpoint": body.endpoint, "keys": body.keys}).decode()
    clear = read_contact(ContactKind.PUSH, given, service.hosts)
    viewer = request[VIEWER]
    await store_of(request).contacts.subscribe(
        viewer,
        service.name,
        keys.digest(service.name, endpoint_of(clear)),
        keys.seal(clear, viewer.user, service.name),
    )
    return reply({"channel": service.name, "subscribed": True}, status=201)


async def unsubscribe(request: web.Request) -> web.Response:
    """Have no more pages appear in a browser of the viewer's; one that was not subscribed is fine."""
    body = await body_of(Unsubscribed, request)
    service, keys = _service(request, body.channel)
    digest = keys.digest(service.name, body.endpoint)
    await store_of(request).contacts.unsubscribe(request[VIEWER], service.name, digest)
    return reply({"channel": service.name, "subscribed": False})


def _service(request: web.Request, channel: str | None) -> tuple[WebPush, Keyring]:
    ways = request.app[WAYS]
    service = ways.push(channel)
    if service is None or ways.keys is None or not ways.secrets_of(service).key:
        raise Refused(Problem(404, "not_found", "本系统未启用网页推送。 Web Push is not set up here."))
    return service, ways.keys
