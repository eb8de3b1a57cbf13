"""Whether the worker gets on with its work, and how far behind it is: for /healthz, heartbeats and metrics."""

import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Protocol

from config.metrics import LAG
from domain.findings import Heartbeat
from domain.topics import HEARTBEATS
from streams.messages import message_of
from streams.metrics import CHECKPOINT_AGE_SECONDS
from streams.partition import Partition
from streams.partitions import Partitions
from streams.producer import Message

STUCK_SECONDS = 30.0
"""Work that waits longer than this while nothing is done is no progress."""


class Position(Protocol):
    """What a broker's client knows without asking."""

    def ends(self) -> Mapping[tuple[str, int], int]:
        """Offset after the newest message of each assigned partition, as of the last fetch."""
        ...

    def committed(self, topic: str, partition: int) -> int:
        """Offset below which everything is acknowledged."""
        ...


class Vitals:
    """Looks at the partitions that are held."""

    def __init__(self, instance: str, work: Iterable[Partitions], checkpoint_seconds: float) -> None:
        """Take the instance's name and what it works on."""
        self.instance = instance
        self._by_topic = {topic: partitions for partitions in work for topic in partitions.topics}
        self._patience = STUCK_SECONDS + 5 * checkpoint_seconds
        self._worked: int = -1
        self._worked_at = time.monotonic()

    def complaint(self, position: Position) -> str | None:
        """Say what does not get on; None when all does or there is nothing to do."""
        now = time.monotonic()
        begun = [
            since
            for held in self._held()
            for since in (held.changed_at, held.saving_since)
            if since is not None
        ]
        if begun and now - min(begun) > self._patience:
            return "cannot write its state down"
        worked = sum(held.worked for held in self._held())
        if worked != self._worked or not any(self.lags(position).values()):
            self._worked, self._worked_at = worked, now
        if now - self._worked_at > STUCK_SECONDS:
            return "does not get on with what waits"
        return None

    def lags(self, position: Position) -> dict[tuple[str, int], int]:
        """Count what waits by topic and partition."""
        lags = {}
        for (topic, number), end in position.ends().items():
            if topic in self._by_topic:
                held = self._by_topic[topic].held.get(number)
                done = held.offsets.get(topic) if held else None
                lags[topic, number] = max(
                    0, end - (position.committed(topic, number) if done is None else done)
                )
        return lags

    def measure(self, position: Position) -> None:
        """Set the gauges."""
        for (topic, number), lag in self.lags(position).items():
            LAG.labels(topic, number).set(lag)
        now = time.monotonic()
        ages: dict[int, float] = {}
        for held in self._held():
            age = 0.0 if held.changed_at is None else now - held.saved_at
            ages[held.number] = max(age, ages.get(held.number, 0.0))
        for number, age in ages.items():
            CHECKPOINT_AGE_SECONDS.labels(number).set(age)

    def heartbeat(self, position: Position) -> Message:
        """Make a sign of life."""
        numbers = sorted({number for topic, number in position.ends() if topic in self._by_topic})
        beat = Heartbeat(
            component="stream",
            instance=self.instance,
            at=datetime.now(UTC),  # heartbeats go by the wall
            detail="partitions " + (" ".join(map(str, numbers)) or "none"),
        )
        return message_of(HEARTBEATS, self.instance, beat)

    def _held(self) -> list[Partition]:
        return [held for partitions in set(self._by_topic.values()) for held in partitions.held.values()]
