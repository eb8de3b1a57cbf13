"""Which desk works on which topics: the one list of what the stream stage does."""

from datetime import datetime

from config.data import Data
from config.settings import Settings
from domain.registry import Series
from domain.topics import READINGS
from streams.agents_readings import ReadingsDesk
from streams.partitions import Broker, Partitions
from streams.registry import Registry


def make_work(settings: Settings, data: Data, registry: Registry, broker: Broker) -> list[Partitions]:
    """Make everything that this stage works on; each becomes an agent of its name."""

    def now() -> datetime:
        return registry.clock.now()

    stream = settings.stream
    readings = Partitions(
        "readings",
        (READINGS.name,),
        lambda number: ReadingsDesk(registry.series, stream.readings_lateness_seconds),
        broker,
        now,
    )

    def on_series(series: Series | None, name: str) -> None:
        for held in readings.held.values():
            if isinstance(held.desk, ReadingsDesk):
                held.desk.know(series, name)

    registry.on_series.append(on_series)
    return [readings]
