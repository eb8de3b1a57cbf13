"""What a feed lists: an Atom or RSS document as entries, each with a link to a CAP message or the message itself."""

import hashlib
from dataclasses import dataclass
from urllib.parse import urljoin

from lxml import etree

from domain.cap import CONTENT_TYPE, NAMESPACE
from domain.errors import InvalidInput
from streams.cap.document import Document, parse

ATOM = "{http://www.w3.org/2005/Atom}"
MAX_FEED_BYTES = 8 * 1024 * 1024
MAX_ENTRIES = 2_000
ALERT = f"{{{NAMESPACE}}}alert"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: `mark` changes when its content does; it has a link, or holds the message."""

    mark: str
    link: str = ""
    message: bytes = b""


def read_entries(data: bytes, address: str) -> list[Entry]:
    """Read a feed, or a single CAP message as a feed of one; InvalidInput for anything else.

    Relative links count from `address`.
    """
    document = parse(data, MAX_FEED_BYTES)
    root = document.root
    match etree.QName(root).localname:
        case "alert":
            return [Entry(mark=hashlib.sha256(data).hexdigest(), message=data)]
        case "feed":
            found = [_atom(entry, address) for entry in root.iter(f"{ATOM}entry")]
        case "rss" | "RDF":
            found = [_rss(item, address) for item in root.iter("{*}item")]
        case other:
            raise _no_feed(document, other)
    entries = [entry for entry in found if entry.link or entry.message]
    return entries[:MAX_ENTRIES]


def _no_feed(document: Document, name: str) -> InvalidInput:
    reason = f"is <{name[:40]}>, expected an Atom feed, an RSS feed or a CAP message"
    return InvalidInput([document.fault(document.root, reason)])


def _atom(entry: etree._Element, address: str) -> Entry:
    updated = entry.findtext(f"{ATOM}updated") or entry.findtext(f"{ATOM}published") or ""
    mark = f"{(entry.findtext(f'{ATOM}id') or '').strip()} {updated.strip()}"
    links = [
        (link.get("type") or "", link.get("rel") or "alternate", link.get("href") or "")
        for link in entry.iter(f"{ATOM}link")
    ]
    return _entry(entry, mark, links, address)


def _rss(item: etree._Element, address: str) -> Entry:
    mark = " ".join((item.findtext(name) or "").strip() for name in ("guid", "pubDate"))
    links = [(one.get("type") or "", "enclosure", one.get("url") or "") for one in item.findall("enclosure")]
    links.append(("", "alternate", (item.findtext("{*}link") or "").strip()))
    return _entry(item, mark, links, address)


def _entry(element: etree._Element, mark: str, links: list[tuple[str, str, str]], address: str) -> Entry:
    """Choose what holds the message: itself inside, a link of CAP's own type, or the main link."""
    inside = element.find(f".//{ALERT}")
    if inside is not None:
        return Entry(mark=mark, message=etree.tostring(inside, with_tail=False, encoding="UTF-8"))
    of_cap = [href for kind, _, href in links if kind.split(";")[0].strip().lower() == CONTENT_TYPE]
    main = [href for _, rel, href in links if rel in ("alternate", "enclosure")]
    href = next(iter([*of_cap, *main]), "").strip()
    link = urljoin(address, href) if href else ""
    return Entry(mark=f"{mark} {link}", link=link)
