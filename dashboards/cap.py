"""Our alerts as CAP messages: an Atom feed and each message, for people signed in and for machines with the token."""

import hashlib
import hmac

from aiohttp import hdrs, web
from lxml import etree
from yarl import URL

from dashboards.keys import DATA, SETTINGS, VIEWER, store_of
from dashboards.problems import Problem, Refused
from dashboards.tokens import token_of
from domain.cap import CONTENT_TYPE, CapAlert, write_time
from responders.cap import message_of, read_identifier
from responders.cap_xml import write_cap
from responders.views import CapVersion

ATOM = "http://www.w3.org/2005/Atom"
FEED_TYPE = "application/atom+xml"
MOST_ENTRIES = 200
"""A reader that looks once an hour must miss none: a county changes its alerts some dozens of times a day."""
PATHS = ("/cap/",)
TITLE = "烽火预警 Fenghuo alerts"


def is_machine(request: web.Request) -> bool:
    """Say whether a program asks with the token; Refused when it asks with a wrong one, or none is set."""
    if not request.path.startswith(PATHS) or hdrs.AUTHORIZATION not in request.headers:
        return False
    if token_of(request) is not None:  # one of those that have a name, an area and an end
        return False
    expected = request.app[SETTINGS].cap_token
    scheme, _, token = request.headers[hdrs.AUTHORIZATION].partition(" ")
    same = hmac.compare_digest(token.strip().encode("utf-8", "surrogateescape"), expected.value.encode())
    if not expected or scheme.lower() != "bearer" or not same:
        challenge = {"WWW-Authenticate": 'Bearer realm="fenghuo-cap"'}
        raise Refused(Problem(401, "signed_out", headers=challenge))
    return True


def _public(request: web.Request) -> list[str]:
    return [category.slug for category in request.app[DATA].categories.values() if category.public]


async def show_feed(request: web.Request) -> web.Response:
    """List the newest messages that the reader may see, newest first; 304 when nothing is new."""
    versions = await store_of(request).cap_versions(request.get(VIEWER), _public(request), MOST_ENTRIES)
    known = [version for version in versions if version.category in request.app[DATA].categories]
    public_url = request.app[SETTINGS].public_url
    base = URL(public_url) if public_url else request.url.origin()
    body = write_feed([_message(request, version) for version in known], str(base).rstrip("/"))
    return _answer(request, body, FEED_TYPE)


async def show_message(request: web.Request) -> web.Response:
    """Show one message; one that the reader may not see is not found."""
    named = read_identifier(request.match_info["identifier"])
    if named is None:
        raise web.HTTPNotFound
    version = await store_of(request).cap_version(request.get(VIEWER), _public(request), *named)
    if version.category not in request.app[DATA].categories:
        raise web.HTTPNotFound
    return _answer(request, write_cap(_message(request, version)), CONTENT_TYPE)


def _message(request: web.Request, version: CapVersion) -> CapAlert:
    return message_of(
        version, request.app[DATA].categories[version.category], request.app[SETTINGS].cap_sender
    )


def _answer(request: web.Request, body: bytes, content_type: str) -> web.Response:
    """Answer with an ETag, so that a reader who has it already gets 304; who sees what differs, so no proxy may keep it."""
    etag = hashlib.sha256(body).hexdigest()[:32]
    headers = {
        hdrs.ETAG: f'"{etag}"',
        hdrs.CACHE_CONTROL: "private, no-cache",
        hdrs.VARY: f"{hdrs.AUTHORIZATION}, {hdrs.COOKIE}",
    }
    if any(known.value in (etag, "*") for known in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    return web.Response(body=body, content_type=content_type, charset="utf-8", headers=headers)


def write_feed(messages: list[CapAlert], base: str) -> bytes:
    """Write an Atom feed of messages, newest first, each with a link to itself under `base`."""
    root = etree.Element(f"{{{ATOM}}}feed", nsmap={None: ATOM})
    _put(root, "id", f"{base}/cap/feed.atom")
    _put(root, "title", TITLE)
    _put(root, "updated", write_time(messages[0].sent) if messages else "1970-01-01T08:00:00+08:00")
    _link(root, f"{base}/cap/feed.atom", rel="self", kind=FEED_TYPE)
    _put(etree.SubElement(root, f"{{{ATOM}}}author"), "name", messages[0].sender if messages else "fenghuo")
    for message in messages:
        entry = etree.SubElement(root, f"{{{ATOM}}}entry")
        _put(entry, "id", f"urn:fenghuo:cap:{message.identifier}")
        _put(entry, "title", message.infos[0].headline)
        _put(entry, "updated", write_time(message.sent))
        _link(entry, f"{base}/cap/{message.identifier}.xml", rel="alternate", kind=CONTENT_TYPE)
        _put(entry, "summary", message.infos[0].description)
    etree.indent(root)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8")) + b"\n"


def _put(parent: etree._Element, name: str, text: str) -> None:
    etree.SubElement(parent, f"{{{ATOM}}}{name}").text = text


def _link(parent: etree._Element, href: str, *, rel: str, kind: str) -> None:
    etree.SubElement(parent, f"{{{ATOM}}}link", {"rel": rel, "type": kind, "href": href})
