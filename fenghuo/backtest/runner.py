"""The desks of the stream without broker or clock: messages in by order of time, findings and alerts out.

The desks are made by the recipes of the stream itself, one for each partition as there, so that what comes out is what the
platform would have said. County time is that of the messages; between them it passes in steps of `TICK`.
"""

from collections import defaultdict, deque
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from config.data import Data
from config.settings import Settings
from detectors.words.text import Classifier
from domain.errors import InvalidInput
from domain.registry import Area, Series
from streams.desk import Desk, Incoming, Outgoing
from streams.desks import Recipe, make_recipes
from streams.messages import partition_of
from streams.packing import micros
from streams.producer import Message
from streams.registry import Registry
from streams.setaside import set_aside

TICK = timedelta(minutes=1)
"""The stream ticks every second; nothing that a desk decides by the clock is finer than minutes."""
COLLECT = timedelta(hours=1)
"""Roll-ups are taken so often, as with a snapshot, and not handed on: alerts do not hang on them."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message and when it came: input when the gateway took it, output when it was said (aware)."""

    at: datetime
    message: Message


class Offline:
    """All desks of all partitions in one process. Arrivals must come in order of time."""

    def __init__(
        self,
        settings: Settings,
        data: Data,
        areas: Iterable[Area],
        series: Iterable[Series],
        classifier: Classifier | None = None,
        *,
        without: Container[str] = (),
    ) -> None:
        """Know a county; a classifier that is given is shared, since the dictionary takes a second to load.

        Desks of a name in `without` are not there: what they would take comes out instead.
        """
        self.registry = Registry(settings.broker, "backtest")
        self.registry.areas.update((area.code, area) for area in areas)
        self.registry.series.update((one.id, one) for one in series)
        self._partitions = settings.broker.partitions
        self._now: datetime | None = None
        self._collected: datetime | None = None
        recipes = [
            recipe
            for recipe in make_recipes(
                settings, data, self.registry, classifier or Classifier(data.terms), self._county_time
            )
            if recipe.name not in without
        ]
        self._recipes = {topic: recipe for recipe in recipes for topic in recipe.topics}
        self._desks: dict[tuple[str, int], Desk] = {}
        self._offsets: dict[tuple[str, int], int] = defaultdict(int)
        for recipe in recipes:
            if recipe.by_clock:  # the stream holds these without a message too
                for number in range(self._partitions):
                    self._desk(recipe, number)

    @property
    def now(self) -> datetime | None:
        """Tell county time; None before the first arrival."""
        return self._now

    def take(self, arrival: Arrival) -> list[Arrival]:
        """Let time pass until an arrival and work it off; answers all that goes to topics which no desk reads, and when."""
        out = self.advance(arrival.at)
        out += self._work_off([arrival.message])
        return out

    def advance(self, at: datetime) -> list[Arrival]:
        """Let time pass; what a desk says of it is worked off too. ValueError when time would go back."""
        if self._now is None:
            self._now = self._collected = at
            return []
        if at < self._now:
            raise ValueError(f"{at} comes after {self._now}: arrivals must be in order of time")
        out: list[Arrival] = []
        while self._now + TICK <= at:
            self._now += TICK
            for desk in list(self._desks.values()):
                out += self._work_off(desk.tick(self._now))
        self._now = at
        if self._collected is not None and at - self._collected >= COLLECT:
            self._collected = at
            for desk in self._desks.values():
                desk.collect()
        return out

    def _work_off(self, messages: Iterable[Message]) -> list[Arrival]:
        """Put messages through their desks, and what comes of them through the next, until nothing is left to do."""
        waiting, out = deque(messages), list[Arrival]()
        while waiting:
            message = waiting.popleft()
            recipe = self._recipes.get(message.topic)
            if recipe is None:
                out.append(Arrival(self._county_time(), message))
                continue
            waiting.extend(self._take(recipe, message))
        return out

    def _take(self, recipe: Recipe, message: Message) -> Outgoing:
        number = message.partition
        if number is None:
            number = partition_of(message.key.decode(), self._partitions)
        place = (message.topic, number)
        now = self._county_time()
        incoming = Incoming(
            message.topic,
            number,
            self._offsets[place],
            message.value,
            dict(message.headers),
            micros(now),
            _acknowledge,
        )
        self._offsets[place] += 1
        try:
            return self._desk(recipe, number).take(incoming)
        except InvalidInput as error:
            return [set_aside(incoming, "undecodable", error.faults, now)]

    def _desk(self, recipe: Recipe, number: int) -> Desk:
        key = (recipe.name, number)
        desk = self._desks.get(key)
        if desk is None:
            desk = self._desks[key] = recipe.make(number)
        return desk

    def _county_time(self) -> datetime:
        if self._now is None:
            raise RuntimeError("a desk asked for the time before the first arrival")
        return self._now


def play(offline: Offline, arrivals: Iterable[Arrival], until: datetime | None = None) -> Iterator[Arrival]:
    """Work off all arrivals, then let time pass `until`, if that is later; yields what comes out as it comes."""
    for arrival in arrivals:
        yield from offline.take(arrival)
    if until is not None:
        yield from offline.advance(until)


def _acknowledge() -> None:
    """Nobody sends it again."""
