"""Routes: which MQTT topics carry readings, of which device and channel, and how their payloads are written.

A route's topic is a filter whose levels may hold `{device}` and `{channel}`; the gateway subscribes with `+` in their
place. Of several that fit a topic, the one that writes out most of it takes its messages.
"""

import math
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from domain.errors import Fault
from domain.inputs import QUALITY_BY_LETTER

PLACEHOLDER = re.compile(r"\{(\w*)\}")
NAMES = ("device", "channel")


class PayloadKind(StrEnum):
    """What a message holds: one value, an object of channels, a list of readings, or nothing of ours."""

    VALUE = "value"
    CHANNELS = "channels"
    READINGS = "readings"
    IGNORED = "ignored"


TIME_FORMATS = ("iso", "seconds", "milliseconds")
"""ISO 8601, and seconds or milliseconds since 1970 UTC; anything else is a pattern of strptime."""


class Route(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How messages of some topics become readings.

    `items` leads to the object of channels or the list of readings, empty when it is the payload itself. `device`,
    `channel`, `value`, `time`, `quality` and `unit` are dotted paths; each is looked for in the item, then in the payload,
    and only the value must be there. `scale` turns a value into the series' unit; a unit that is told must be that of the
    series. `qualities` says which letter a device's own word means. `skip` names keys of `channels` that are no readings.
    """

    topic: str
    payload: PayloadKind = PayloadKind.VALUE
    items: str = ""
    device: str = ""
    channel: str = ""
    value: str = "value"
    time: str = "observed_at"
    time_format: str = "iso"
    time_zone: str = "Asia/Shanghai"
    quality: str = "quality"
    qualities: dict[str, str] = {}
    default_quality: str = "N"
    unit: str = "unit"
    scale: float = 1.0
    skip: tuple[str, ...] = ()

    @property
    def filter(self) -> str:
        """Give the filter to subscribe to."""
        return "/".join("+" if PLACEHOLDER.search(level) else level for level in self.topic.split("/"))

    @property
    def names(self) -> list[str]:
        """Name the placeholders of the topic."""
        return PLACEHOLDER.findall(self.topic)


def covers(one: str, other: str) -> bool:
    """Say whether a filter takes every topic that another takes."""
    first, second = one.split("/"), other.split("/")
    for place, level in enumerate(first):
        if level == "#":
            return True
        if place >= len(second) or second[place] == "#":
            return False
        if level not in ("+", second[place]):
            return False
    return len(first) == len(second)


def meets(one: str, other: str) -> bool:
    """Say whether there is a topic that both filters take."""
    first, second = one.split("/"), other.split("/")
    for a, b in zip(first, second, strict=False):
        if "#" in (a, b):
            return True
        if "+" not in (a, b) and a != b:
            return False
    # `a/#` takes `a` too
    longer = max(first, second, key=len)
    return len(first) == len(second) or longer[min(len(first), len(second)) :] == ["#"]


def filters_of(routes: Sequence[Route]) -> list[str]:
    """List what to subscribe to: no filter that another one covers, or its messages would come twice."""
    every = list(dict.fromkeys(route.filter for route in routes))
    return [one for one in every if not any(other != one and covers(other, one) for other in every)]


def check_routes(routes: Sequence[Route]) -> Iterator[Fault]:
    """Find everything that is wrong with routes."""
    topics = [route.topic for route in routes]
    for number, route in enumerate(routes):
        if route.topic in topics[:number]:
            yield Fault(f"route[{number}].topic", f"{route.topic} is there twice")
        for field, reason in _faults_of(route):
            yield Fault(f"route[{number}].{field}", reason)
    filters = filters_of(routes)
    for place, one in enumerate(filters):
        for other in filters[:place]:
            if meets(one, other):
                yield Fault(
                    "route",
                    f"{other} and {one} overlap and neither covers the other: messages would come twice",
                )


def _faults_of(route: Route) -> Iterator[tuple[str, str]]:
    yield from (("topic", reason) for reason in _faults_of_topic(route))
    if route.payload is PayloadKind.IGNORED:
        return
    if ("device" in route.names) is bool(route.device):
        yield "device", "must be told once: as {device} in the topic, or as a path in the payload"
    if route.payload is PayloadKind.CHANNELS:
        if "channel" in route.names or route.channel:
            yield "channel", "is told by the keys of the payload, and by nothing else"
    elif ("channel" in route.names) is bool(route.channel):
        yield "channel", "must be told once: as {channel} in the topic, or as a path in the payload"
    for field in ("items", "device", "channel", "time", "quality", "unit"):
        path: str = getattr(route, field)
        if path and not all(path.split(".")):
            yield field, f"{path!r} is no path: write names with dots between"
    if not all(route.value.split(".")):
        yield "value", f"{route.value!r} is no path: write names with dots between"
    if route.payload is PayloadKind.VALUE and route.items:
        yield "items", "is for several readings in a message; name the value's path"
    if route.skip and route.payload is not PayloadKind.CHANNELS:
        yield "skip", "is for payloads that are objects of channels"
    if not _is_time_format(route.time_format):
        yield "time_format", f"must be one of {', '.join(TIME_FORMATS)}, or a pattern such as %Y%m%d%H%M%S"
    if not _is_time_zone(route.time_zone):
        yield "time_zone", f"{route.time_zone!r} is not a known time zone"
    for field, letter in (
        ("default_quality", route.default_quality),
        *((f"qualities.{word}", letter) for word, letter in route.qualities.items()),
    ):
        if letter not in QUALITY_BY_LETTER:
            yield field, f"must be one of {' '.join(QUALITY_BY_LETTER)}"
    if not math.isfinite(route.scale) or route.scale == 0:
        yield "scale", "must be a number other than 0"


def _faults_of_topic(route: Route) -> Iterator[str]:
    if not route.topic or route.topic.startswith("$"):
        yield "must be a topic that does not begin with $"
    for place, level in enumerate(levels := route.topic.split("/")):
        if level == "#" and place < len(levels) - 1:
            yield "may have # only at its end"
        elif level not in ("+", "#") and ("+" in level or "#" in level):
            yield f"has {level!r}: + and # stand alone between slashes"
        elif "}{" in level:
            yield f"has {level!r}: nobody could tell where one name ends"
        elif "{" in PLACEHOLDER.sub("", level) or "}" in PLACEHOLDER.sub("", level):
            yield f"has {level!r}: a brace is not closed"
    for name in dict.fromkeys(route.names):
        if name not in NAMES:
            yield f"has {{{name}}}; only {{device}} and {{channel}} are known, write + for any other level"
        elif route.names.count(name) > 1:
            yield f"has {{{name}}} twice"


def _is_time_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _is_time_format(text: str) -> bool:
    if text in TIME_FORMATS:
        return True
    now = datetime.now(UTC)
    try:
        return "%" in text and datetime.strptime(now.strftime(text), text).year == now.year  # noqa: DTZ007  # the day counts
    except ValueError:
        return False
