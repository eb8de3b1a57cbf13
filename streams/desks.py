"""Which desk works on which topics: the one list of what the stream stage does."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import numpy as np

from config.data import Data
from config.settings import Settings
from detectors.counts.ledger import Heard
from detectors.counts.watch import TextsWatch
from detectors.series.watch import SeriesWatch
from detectors.words.terms import Terms
from detectors.words.text import Classifier
from domain.areas import township_of
from domain.clock import EPOCH
from domain.levels import Feed
from domain.registry import Series
from domain.topics import BULLETINS, DISPOSITIONS, FINDINGS, READINGS
from streams.agents_fusion import FusionDesk
from streams.agents_readings import ReadingsDesk
from streams.agents_texts import FEEDS, BulletinsDesk, TextsDesk
from streams.desk import Desk
from streams.messages import partition_of
from streams.partition import Broker
from streams.partitions import Partitions
from streams.registry import Registry

WARM_UP = Series(
    id="warm-up",
    name="",
    quantity="",
    unit="",
    area="99",
    category="warm-up",
    source="warm-up",
    interval_seconds=60.0,
)
WARM_UP_CELL = "990000000000000"
WARM_UP_DAYS = 4
"""Days after which counts are learned and expected."""


def warm_up(data: Data, classifier: Classifier) -> None:
    """Load the dictionary and the compiled kernels, which takes seconds, before the first message waits for them."""
    classifier.classify("".join(word for term in data.terms for word in term.words))
    Terms().of(["预热"])
    texts = TextsWatch(scanned=[WARM_UP.category], cells_of=lambda township: {WARM_UP_CELL: None})
    for number in range(6 * WARM_UP_DAYS):
        at = EPOCH + timedelta(hours=4 * number)
        texts.observe(Heard(UUID(int=number), WARM_UP_CELL, WARM_UP.category, Feed.TICKETS, at, at))
    one = SeriesWatch([WARM_UP])
    columns = np.zeros(1, np.int32), np.array([1], np.int64), np.zeros(1, np.float64), np.zeros(1, np.uint8)
    one.observe([WARM_UP.id], *columns, 1)
    one.silent(1)
    one.pack(one.take_rollups(), [])
    one.dump()


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to make the desks of one kind, and what they work on (see `Partitions`)."""

    name: str
    topics: tuple[str, ...]
    make: Callable[[int], Desk]
    by_clock: bool = False


def make_recipes(
    settings: Settings, data: Data, registry: Registry, classifier: Classifier, now: Callable[[], datetime]
) -> list[Recipe]:
    """Say which desks there are; `now` tells county time. Who works without a broker makes them by these alone."""

    def is_in(number: int, series: Series) -> bool:
        return partition_of(township_of(series.area), settings.broker.partitions) == number

    stream = settings.stream
    terms = Terms(data.stops, data.terms)
    return [
        Recipe(
            "readings",
            (READINGS.name,),
            lambda number: ReadingsDesk(
                registry.series, stream.readings_lateness_seconds, partial(is_in, number)
            ),
        ),
        Recipe(
            "texts",
            tuple(FEEDS),
            lambda number: TextsDesk(
                classifier, terms, data.categories, registry.areas, stream.tickets_lateness_seconds
            ),
        ),
        Recipe("bulletins", (BULLETINS.name,), lambda number: BulletinsDesk(registry.areas)),
        Recipe(
            "fusion",
            (FINDINGS.name, DISPOSITIONS.name),
            lambda number: FusionDesk(
                data.categories,
                registry.areas,
                registry.series,
                settings.broker.partitions,
                now,
                number=number,
                settings=settings.fusion,
                rivers=data.rivers,
            ),
            by_clock=True,
        ),
    ]


def make_work(
    settings: Settings, data: Data, registry: Registry, broker: Broker, classifier: Classifier
) -> list[Partitions]:
    """Make everything that this stage works on; each becomes an agent of its name."""

    def now() -> datetime:
        return registry.clock.now()

    work = [
        Partitions(recipe.name, recipe.topics, recipe.make, broker, now, by_clock=recipe.by_clock)
        for recipe in make_recipes(settings, data, registry, classifier, now)
    ]

    def on_series(series: Series | None, name: str) -> None:
        for partition in (partition for one in work for partition in one.held.values()):
            if isinstance(partition.desk, ReadingsDesk | FusionDesk):
                partition.desk.know(series, name)

    registry.on_series.append(on_series)
    return work
