"""What a message says: a number, an object of channels or a list of readings, as its route describes it."""

from codecs import BOM_UTF8
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from config.routes import PayloadKind, Route
from domain.decode import MAX_FAULTS, NOT_JSON
from domain.errors import Fault
from domain.inputs import QUALITY_BY_LETTER, Quality
from streams.mqtt.values import ABSENT, NUMBER, Misfit, as_name, as_number, as_unit, moments

Path = tuple[str, ...]


class Item(NamedTuple):
    """One value as a message tells it; `observed` in microseconds since 1970 UTC, None when it does not say."""

    device: str
    channel: str
    observed: int | None
    value: float
    quality: Quality
    unit: str


class Problem(NamedTuple):
    """A reason slug, and the fault in words."""

    reason: str
    fault: Fault


@dataclass(slots=True)
class Told:
    """What one message told: readings, and what could not be taken."""

    items: list[Item] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


class Reader:
    """Reads the payloads of one route."""

    def __init__(self, route: Route) -> None:
        """Take a checked route."""
        self.route = route
        self._items = _path(route.items)
        self._device = _path(route.device)
        self._channel = _path(route.channel)
        self._value = _path(route.value)
        self._time = _path(route.time)
        self._quality = _path(route.quality)
        self._unit = _path(route.unit)
        self._moment = moments(route)
        self._letters = QUALITY_BY_LETTER | {
            word: QUALITY_BY_LETTER[letter] for word, letter in route.qualities.items()
        }
        self._default = QUALITY_BY_LETTER[route.default_quality]
        envelope = (self._device, self._time, self._quality, self._unit)
        self._skip = {*route.skip, *(path[0] for path in envelope if path)}

    def read(self, device: str, channel: str, payload: bytes) -> Told:
        """Read a payload; what the topic says of device and channel comes along, "" where it says nothing.

        Never raises: what cannot be taken is among the problems, and the rest is taken.
        """
        told = Told()
        try:
            document = _decode(payload)
            for place, item, name in self._parts(document, channel):
                try:
                    told.items.append(self._item(item, document, device, name, place))
                except Misfit as misfit:
                    if len(told.problems) < MAX_FAULTS:
                        told.problems.append(self._problem(misfit))
        except Misfit as misfit:
            told.problems.append(self._problem(misfit))
        return told

    def _parts(self, document: Any, channel: str) -> Iterator[tuple[str, Any, str]]:
        """Give each item with its place and the channel, as far as that is known outside the item."""
        if self.route.payload is PayloadKind.VALUE:
            yield "", document, channel
            return
        found = _find(document, self._items)
        if self.route.payload is PayloadKind.CHANNELS:
            if not isinstance(found, dict):
                raise Misfit("payload", self.route.items, "is not an object of channels")
            for name, item in found.items():
                if name not in self._skip:
                    yield _join(self.route.items, name), item, name
        elif self.route.payload is PayloadKind.READINGS:
            if not isinstance(found, list):
                raise Misfit("payload", self.route.items, "is not a list of readings")
            for number, item in enumerate(found):
                yield f"{self.route.items}[{number}]", item, channel

    def _item(self, item: Any, document: Any, device: str, channel: str, place: str) -> Item:
        """Make a reading of an item; what it does not say itself is looked for in the whole document."""

        def look(path: Path) -> Any:
            if not path:
                return ABSENT
            found = _find(item, path)
            return found if found is not ABSENT or item is document else _find(document, path)

        value = _find(item, self._value) if isinstance(item, dict | list) else item
        try:
            if value is ABSENT:
                raise Misfit("value", "value", "is missing")
            return Item(
                as_name(device or look(self._device), "device"),
                as_name(channel or look(self._channel), "channel"),
                self._moment(look(self._time)),
                as_number(value) * self.route.scale,
                self._quality_of(look(self._quality)),
                as_unit(look(self._unit)),
            )
        except Misfit as misfit:
            path = getattr(self.route, misfit.place)
            bare = misfit.place == "value" and not isinstance(item, dict | list)
            misfit.place = place if bare else _join(place, path)
            raise

    def _quality_of(self, told: Any) -> Quality:
        if told is ABSENT or told is None:
            return self._default
        found = self._letters.get(str(told)) if isinstance(told, str | int) else None
        if found is None:
            raise Misfit("quality", "quality", f"must be one of {' '.join(self._letters)}")
        return found

    def _problem(self, misfit: Misfit) -> Problem:
        place = f"{self.route.topic} {misfit.place}".rstrip()
        return Problem(misfit.reason, Fault(place, misfit.sentence))


def _decode(payload: bytes) -> Any:
    """Read JSON, or a plain number as people write it; a mark at the beginning of UTF-8 is borne."""
    payload = payload.removeprefix(BOM_UTF8)
    try:
        return msgspec.json.decode(payload)
    except NOT_JSON as error:
        text = payload.decode(errors="replace").strip()
        if NUMBER.fullmatch(text):
            return float(text)
        raise Misfit("payload", "", "is neither a number nor JSON") from error


def _path(text: str) -> Path:
    return tuple(text.split(".")) if text else ()


def _find(value: Any, path: Path) -> Any:
    """Follow names into objects and numbers into lists; ABSENT where the way ends."""
    for step in path:
        if isinstance(value, dict):
            value = value.get(step, ABSENT)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return ABSENT
    return value


def _join(place: str, path: str) -> str:
    return f"{place}.{path}" if place and path else place or path
