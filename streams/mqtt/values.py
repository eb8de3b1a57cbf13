"""Numbers, names, units and times as devices write them, each refused with its reason when it is none."""

import math
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from config.routes import Route
from streams.packing import MICROSECOND, micros

NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
NAME = {"device": re.compile(r"[\w.:\-]{1,40}"), "channel": re.compile(r"[\w.:\-]{1,60}")}
"""What the registry can hold; anything else could never be claimed by anybody."""
MILLISECOND = 1_000
FURTHEST_SECONDS = 1e11
"""Beyond, a number is no time at all; what is merely absurd is the intake's business."""
ABSENT: Any = object()


class Misfit(Exception):
    """One part of a message does not fit its route."""

    def __init__(self, reason: str, place: str, sentence: str) -> None:
        """Keep the reason slug, where it is, and what is wrong there."""
        super().__init__(sentence)
        self.reason = reason
        self.place = place
        self.sentence = sentence


def as_name(told: Any, which: str) -> str:
    """Take the name of a device or channel; loggers write numbers, too."""
    if told is ABSENT:
        raise Misfit(which, which, "is missing")
    text = str(told) if isinstance(told, str | int) and not isinstance(told, bool) else ""
    if not NAME[which].fullmatch(text):
        raise Misfit(which, which, "is not a short name of letters, digits and . : - _")
    return text


def as_number(told: Any) -> float:
    """Take a number, or text that is one."""
    if isinstance(told, str) and NUMBER.fullmatch(told.strip()):
        told = float(told)
    if isinstance(told, bool) or not isinstance(told, int | float):
        raise Misfit("value", "value", "is not a number")
    try:
        return float(told)
    except OverflowError as error:
        raise Misfit("value", "value", "is beyond any number that can be kept") from error


def as_unit(told: Any) -> str:
    """Take a unit; "" where none is told."""
    if told is ABSENT or told is None:
        return ""
    if not isinstance(told, str):
        raise Misfit("unit", "unit", "is not text")
    return told


def moments(route: Route) -> Callable[[Any], int | None]:
    """Make what turns a time, as the route's devices write it, into microseconds since 1970 UTC; None where none is told."""
    read = _form(route)

    def as_moment(told: Any) -> int | None:
        if told is ABSENT or told is None:
            return None
        try:
            return read(told)
        except (TypeError, ValueError, OverflowError) as error:
            raise Misfit("time", "time", f"is no time of the form {route.time_format}") from error

    return as_moment


def _form(route: Route) -> Callable[[Any], int]:
    """Choose how times are read."""
    zone = ZoneInfo(route.time_zone)

    def localized(at: datetime) -> int:
        return micros(at if at.tzinfo else at.replace(tzinfo=zone))

    def iso(told: Any) -> int:
        return localized(datetime.fromisoformat(_text(told)))

    def pattern(told: Any) -> int:
        return localized(datetime.strptime(_text(told), route.time_format))  # noqa: DTZ007  # see localized

    match route.time_format:
        case "iso":
            return iso
        case "seconds":
            return lambda told: _since_1970(told, 1)
        case "milliseconds":
            return lambda told: _since_1970(told, MILLISECOND)
        case _:
            return pattern


def _since_1970(told: Any, per_second: int) -> int:
    if isinstance(told, str) and NUMBER.fullmatch(told.strip()):
        told = int(told) if told.strip().isdecimal() else float(told)
    if isinstance(told, bool) or not isinstance(told, int | float):
        raise TypeError("no number")
    if not math.isfinite(told) or abs(told) > FURTHEST_SECONDS * per_second:
        raise ValueError("no time")
    return round(told * (MICROSECOND // per_second))


def _text(told: Any) -> str:
    """Take text; a pattern such as %Y%m%d%H%M%S may be written as a number."""
    if isinstance(told, int) and not isinstance(told, bool):
        return str(told)
    if not isinstance(told, str):
        raise TypeError("no text")
    return told.strip()
