"""A CAP document against the schema of OASIS: every fault at once, each with path, line and column."""

from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from importlib import resources

from lxml import etree

from domain.cap import (
    NAMESPACE,
    OLDER_NAMESPACES,
    Certainty,
    MessageType,
    Scope,
    Severity,
    Status,
    Urgency,
)
from domain.errors import Fault, InvalidInput
from streams.cap.document import ROOT, Document, path_of

MAX_FAULTS = 50
MAX_REASON = 240
NS = f"{{{NAMESPACE}}}"
CLOSED: dict[str, type[StrEnum]] = {
    "status": Status,
    "msgType": MessageType,
    "scope": Scope,
    "urgency": Urgency,
    "severity": Severity,
    "certainty": Certainty,
}
NEEDED = {
    "alert": ("identifier", "sender", "sent", "status", "msgType", "scope"),
    "info": ("category", "event", "urgency", "severity", "certainty"),
    "area": ("areaDesc",),
}


@cache
def cap_schema() -> etree.XMLSchema:
    """Read the shipped schema, once; it imports nothing, so nothing is fetched."""
    text = (resources.files("streams.cap") / "data" / "CAP-v1.2.xsd").read_bytes()
    return etree.XMLSchema(etree.fromstring(text, etree.XMLParser(no_network=True, resolve_entities=False)))


def check_root(document: Document) -> None:
    """See that the document is CAP 1.2 at all; InvalidInput names what it is instead."""
    name = etree.QName(document.root)
    if (name.namespace, name.localname) == (NAMESPACE, "alert"):
        return
    if name.namespace in OLDER_NAMESPACES:
        reason = f"is {OLDER_NAMESPACES[name.namespace]}: ask the sender for CAP 1.2"
    elif name.localname != "alert":
        reason = f"is <{name.localname[:40]}>, expected <alert> of CAP 1.2"
    else:
        reason = f"has the namespace {(name.namespace or '(none)')[:80]!r}, expected {NAMESPACE!r}"
    raise InvalidInput([document.fault(document.root, reason)])


def schema_faults(document: Document, known: frozenset[etree._Element]) -> list[Fault]:
    """List what breaks the schema, but for elements of which something clearer is known already."""
    schema = cap_schema()
    tree = document.root.getroottree()
    if schema.validate(tree):
        return []
    ours = dict(_misfits(document))
    known |= ours.keys()
    faults = dict.fromkeys(ours.values())
    for entry in schema.error_log:
        found = tree.xpath(entry.path) if entry.path else []
        element = found[0] if isinstance(found, list) and found else None
        if element in known:
            continue
        reason = entry.message.replace(f"{{{NAMESPACE}}}", "")[:MAX_REASON]
        if etree.iselement(element):
            faults[Fault(path_of(element), f"{document.where(element)}: {reason}")] = None
        else:
            faults[Fault(ROOT, f"line {entry.line}: {reason}")] = None
        if len(faults) >= MAX_FAULTS:
            break
    return list(faults)


def _misfits(document: Document) -> Iterator[tuple[etree._Element, Fault]]:
    """Find wrong words and missing elements everywhere: the schema's judge stops at the first child out of order."""
    for name, kind in CLOSED.items():
        for element in document.root.iter(f"{NS}{name}"):
            if (element.text or "").strip() not in set(kind):
                words = ", ".join(kind)
                yield (
                    element,
                    document.fault(element, f"is {(element.text or '').strip()[:40]!r}, not one of {words}"),
                )
    for name, needed in NEEDED.items():
        for element in document.root.iter(f"{NS}{name}"):
            missing = [child for child in needed if element.find(f"{NS}{child}") is None]
            if missing:
                yield element, document.fault(element, f"lacks {', '.join(missing)}")
