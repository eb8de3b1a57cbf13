"""Topics to routes: which route takes a topic, and what the topic says of device and channel."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from config.routes import PLACEHOLDER, Route, filters_of
from streams.mqtt.payloads import Reader

REMEMBERED = 100_000
"""Topics whose route is remembered; a device publishes to the same few for ever."""


@dataclass(frozen=True, slots=True)
class Match:
    """A topic's route; `device` and `channel` are "" where the topic does not say."""

    reader: Reader
    device: str
    channel: str


class Router:
    """Finds the route of a topic."""

    def __init__(self, routes: Sequence[Route]) -> None:
        """Order checked routes: the more a route says, the earlier it is asked."""
        ordered = sorted(routes, key=_openness)
        self._routes = [(_expression(route.topic), Reader(route)) for route in ordered]
        self._known: dict[str, Match | None] = {}
        self.filters = filters_of(routes)

    def find(self, topic: str) -> Match | None:
        """Find the route of a topic; None when no route takes it."""
        try:
            return self._known[topic]
        except KeyError:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[topic] = found = self._match(topic)
            return found

    def _match(self, topic: str) -> Match | None:
        for expression, reader in self._routes:
            if found := expression.fullmatch(topic):
                said = found.groupdict()
                return Match(reader, said.get("device", ""), said.get("channel", ""))
        return None


def _openness(route: Route) -> tuple[bool, int, int]:
    """Say how much a route leaves open: an end, then levels, then letters."""
    levels = route.topic.split("/")
    written = [level for level in levels if level not in ("+", "#") and not PLACEHOLDER.search(level)]
    letters = sum(len(PLACEHOLDER.sub("", level)) for level in levels)
    return levels[-1] == "#", -len(written), -letters


def _expression(topic: str) -> re.Pattern[str]:
    """Make the expression that fits the topics of a route."""
    levels = topic.split("/")
    rest = levels[-1] == "#"
    text = "/".join(_level(level) for level in (levels[:-1] if rest else levels))
    if rest:
        text = f"{text}(?:/.*)?" if text else ".*"
    return re.compile(text, re.DOTALL)


def _level(level: str) -> str:
    if level == "+":
        return "[^/]*"
    parts = PLACEHOLDER.split(level)  # text, name, text, name, … text
    return "".join(
        f"(?P<{part}>[^/]+)" if number % 2 else re.escape(part) for number, part in enumerate(parts)
    )
