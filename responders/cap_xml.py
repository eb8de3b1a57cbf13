"""A CAP message as XML, in the order of the schema of OASIS."""

from collections.abc import Iterable
from datetime import datetime

from lxml import etree

from domain.cap import NAMESPACE, CapAlert, CapArea, CapInfo, Point, write_time


def write_cap(alert: CapAlert) -> bytes:
    """Write a message; elements without content are left out."""
    root = etree.Element(f"{{{NAMESPACE}}}alert", nsmap={None: NAMESPACE})
    _put(root, "identifier", alert.identifier)
    _put(root, "sender", alert.sender)
    _put(root, "sent", write_time(alert.sent))
    _put(root, "status", alert.status)
    _put(root, "msgType", alert.type)
    _put(root, "source", alert.source)
    _put(root, "scope", alert.scope)
    _put(root, "restriction", alert.restriction)
    _put(root, "addresses", alert.addresses)
    for code in alert.codes:
        _put(root, "code", code)
    _put(root, "note", alert.note)
    _put(root, "references", " ".join(map(str, alert.references)))
    _put(root, "incidents", alert.incidents)
    for info in alert.infos:
        _put_info(root, info)
    etree.indent(root)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8")) + b"\n"


def _put_info(root: etree._Element, info: CapInfo) -> None:
    element = etree.SubElement(root, f"{{{NAMESPACE}}}info")
    _put(element, "language", info.language)
    for category in info.categories:
        _put(element, "category", category)
    _put(element, "event", info.event)
    for response in info.responses:
        _put(element, "responseType", response)
    _put(element, "urgency", info.urgency)
    _put(element, "severity", info.severity)
    _put(element, "certainty", info.certainty)
    _put_pairs(element, "eventCode", info.event_codes)
    _put(element, "effective", _time(info.effective))
    _put(element, "onset", _time(info.onset))
    _put(element, "expires", _time(info.expires))
    _put(element, "senderName", info.sender_name)
    _put(element, "headline", info.headline)
    _put(element, "description", info.description)
    _put(element, "instruction", info.instruction)
    for area in info.areas:
        _put_area(element, area)


def _put_area(info: etree._Element, area: CapArea) -> None:
    element = etree.SubElement(info, f"{{{NAMESPACE}}}area")
    _put(element, "areaDesc", area.description)
    for ring in area.polygons:
        _put(element, "polygon", " ".join(map(_point, ring)))
    for centre, radius in area.circles:
        _put(element, "circle", f"{_point(centre)} {radius:g}")
    _put_pairs(element, "geocode", area.geocodes)


def _put(parent: etree._Element, name: str, text: str) -> None:
    if text:
        etree.SubElement(parent, f"{{{NAMESPACE}}}{name}").text = text


def _put_pairs(parent: etree._Element, name: str, pairs: Iterable[tuple[str, str]]) -> None:
    for label, value in pairs:
        pair = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")
        _put(pair, "valueName", label)
        _put(pair, "value", value)


def _time(at: datetime | None) -> str:
    return "" if at is None else write_time(at)


def _point(point: Point) -> str:
    """Write latitude and longitude, never as 1e-05."""
    return ",".join(f"{degrees:.6f}".rstrip("0").rstrip(".") for degrees in point)
