"""From bytes to a CAP message: bounded XML, signature, schema, then every element as our types; all faults at once."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lxml import etree

from domain.cap import (
    NAMESPACE,
    CapAlert,
    CapArea,
    CapInfo,
    Certainty,
    MessageType,
    Point,
    Reference,
    Scope,
    Severity,
    Status,
    Urgency,
    read_references,
    read_time,
)
from domain.errors import Fault, InvalidInput
from streams.cap.document import Document, parse
from streams.cap.schema import check_root, schema_faults
from streams.cap.signature import Signature, Trust

MAX_POINTS = 10_000
"""Of one polygon; the outline of a province simplified to 100 m has some thousand."""
MAX_RADIUS_KM = 20_038.0
"""Half the way around the Earth."""
MAX_TEXT = 20_000
NS = f"{{{NAMESPACE}}}"
TIMES = ("effective", "onset", "expires")


@dataclass(frozen=True, slots=True)
class CapReading:
    """A message, what was not quite right about it but clear, and what its signature is worth."""

    alert: CapAlert
    notes: tuple[str, ...]
    signature: Signature


def read_cap(data: bytes, trust: Trust | None = None) -> CapReading:
    """Read a CAP 1.2 message; InvalidInput with every fault of the stage that failed, by path, line and column.

    The stages: XML within bounds, CAP 1.2 at all, a signature that fits, the schema together with times, places and
    references. Forms that are wrong but clear (a time with Z, an open polygon) are read, with a note.
    """
    document = parse(data)
    check_root(document)
    signature = (trust or Trust()).check(document)
    work = _Reading(document)
    alert = work.read()
    if signature is Signature.UNKNOWN_SIGNER:
        work.notes.append("is signed by somebody who is not among the trusted certificates")
    return CapReading(alert, tuple(work.notes), signature)


@dataclass
class _Reading:
    """One document on its way; faults and notes gather here."""

    document: Document
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    clear: dict[etree._Element, Any] = field(default_factory=dict)
    """What was read beside the schema, by element."""

    def read(self) -> CapAlert:
        root = self.document.root
        self._drop_empty_times()
        for name in ("sent", *TIMES):
            for element in root.iter(f"{NS}{name}"):
                self._take(element, self._time)
        for element in root.findall(f"{NS}references"):
            self._take(element, self._references)
        for element in root.iter(f"{NS}polygon"):
            self._take(element, self._polygon)
        for element in root.iter(f"{NS}circle"):
            self._take(element, self._circle)
        known = frozenset(element for element in root.iter("*") if self._is_faulty(element))
        faults = [*schema_faults(self.document, known), *self.faults]
        if faults:
            raise InvalidInput(faults)
        return self._alert(root)

    def _is_faulty(self, element: etree._Element) -> bool:
        return element in self.clear and self.clear[element] is None

    def _drop_empty_times(self) -> None:
        """Take an optional time without content for one that is not there."""
        for name in TIMES:
            for element in list(self.document.root.iter(f"{NS}{name}")):
                parent = element.getparent()
                if not _text(element) and parent is not None:
                    self._note(element, "is empty and was left out")
                    parent.remove(element)

    def _take(self, element: etree._Element, read: Callable[[etree._Element], object]) -> None:
        try:
            self.clear[element] = read(element)
        except ValueError as error:
            self.clear[element] = None
            self.faults.append(self.document.fault(element, str(error)))

    def _note(self, element: etree._Element, reason: str) -> None:
        self.notes.append(str(self.document.fault(element, reason)))

    def _time(self, element: etree._Element) -> datetime:
        at, note = read_time(_text(element))
        if note:
            self._note(element, note)
            element.text = at.isoformat()  # so that the schema's pattern finds nothing more to say
        return at

    def _references(self, element: etree._Element) -> tuple[Reference, ...]:
        return read_references(_text(element))

    def _polygon(self, element: etree._Element) -> tuple[Point, ...]:
        words = _text(element).split()
        if len(words) > MAX_POINTS + 1:
            raise ValueError(f"has {len(words)} points, at most {MAX_POINTS} are read")
        points = [_point(word, f"point {number}") for number, word in enumerate(words, 1)]
        if points and points[0] != points[-1]:
            self._note(element, "is not closed: the first point was taken as the last too")
            points.append(points[0])
        if len(set(points)) < 3:
            raise ValueError("needs three different points")
        return tuple(points)

    def _circle(self, element: etree._Element) -> tuple[Point, float]:
        centre, _, radius = _text(element).partition(" ")
        try:
            km = float(radius)
        except ValueError:
            raise ValueError("is not of the form lat,lon radius") from None
        if not 0 <= km <= MAX_RADIUS_KM:
            raise ValueError(f"the radius must be 0 to {MAX_RADIUS_KM:g} km")
        return _point(centre, "the centre"), km

    def _known(self, parent: etree._Element, name: str) -> list[Any]:
        return [self.clear[element] for element in parent.findall(f"{NS}{name}")]

    def _alert(self, root: etree._Element) -> CapAlert:
        sent: list[datetime] = self._known(root, "sent")
        references: list[tuple[Reference, ...]] = self._known(root, "references")
        return CapAlert(
            identifier=_one(root, "identifier"),
            sender=_one(root, "sender"),
            sent=sent[0],
            status=Status(_one(root, "status")),
            type=MessageType(_one(root, "msgType")),
            scope=Scope(_one(root, "scope")),
            source=_one(root, "source"),
            restriction=_one(root, "restriction"),
            addresses=_one(root, "addresses"),
            codes=_all(root, "code"),
            note=_one(root, "note"),
            references=references[0] if references else (),
            incidents=_one(root, "incidents"),
            infos=tuple(self._info(info) for info in root.findall(f"{NS}info")),
        )

    def _info(self, info: etree._Element) -> CapInfo:
        times: dict[str, datetime | None] = {
            name: next(iter(self._known(info, name)), None) for name in TIMES
        }
        return CapInfo(
            language=_one(info, "language") or "en-US",
            categories=_all(info, "category"),
            event=_one(info, "event"),
            responses=_all(info, "responseType"),
            urgency=Urgency(_one(info, "urgency")),
            severity=Severity(_one(info, "severity")),
            certainty=Certainty(_one(info, "certainty")),
            event_codes=_pairs(info, "eventCode"),
            effective=times["effective"],
            onset=times["onset"],
            expires=times["expires"],
            sender_name=_one(info, "senderName"),
            headline=_one(info, "headline"),
            description=_one(info, "description")[:MAX_TEXT],
            instruction=_one(info, "instruction")[:MAX_TEXT],
            areas=tuple(self._area(area) for area in info.findall(f"{NS}area")),
        )

    def _area(self, area: etree._Element) -> CapArea:
        return CapArea(
            description=_one(area, "areaDesc"),
            polygons=tuple(self._known(area, "polygon")),
            circles=tuple(self._known(area, "circle")),
            geocodes=_pairs(area, "geocode"),
        )


def _text(element: etree._Element) -> str:
    """Read an element's own text, without the comments in it."""
    return "".join([element.text or "", *(child.tail or "" for child in element)]).strip()


def _one(parent: etree._Element, name: str) -> str:
    element = parent.find(f"{NS}{name}")
    return "" if element is None else _text(element)


def _all(parent: etree._Element, name: str) -> tuple[str, ...]:
    return tuple(_text(element) for element in parent.findall(f"{NS}{name}"))


def _pairs(parent: etree._Element, name: str) -> tuple[tuple[str, str], ...]:
    return tuple(
        (_one(element, "valueName"), _one(element, "value")) for element in parent.findall(f"{NS}{name}")
    )


def _point(word: str, name: str) -> Point:
    """Read `lat,lon` in degrees; ValueError says which point is wrong and how."""
    lat, comma, lon = word.partition(",")
    try:
        point = float(lat), float(lon)
    except ValueError:
        raise ValueError(f"{name} is {word[:40]!r}, not lat,lon") from None
    if not comma or not (math.isfinite(point[0]) and math.isfinite(point[1])):
        raise ValueError(f"{name} is {word[:40]!r}, not lat,lon")
    if abs(point[0]) > 90 or abs(point[1]) > 180:
        raise ValueError(
            f"{name} is {word[:40]!r}: latitude comes first, up to 90, then longitude, up to 180"
        )
    return point
