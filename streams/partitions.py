"""All partitions that a worker holds for one kind of desk."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime

import msgspec
import structlog

from domain.errors import InvalidInput
from streams.checkpoint import Writer, find
from streams.desk import Desk, Incoming
from streams.merging import Merge
from streams.partition import Broker, Partition

log = structlog.get_logger(__name__)


class Partitions:
    """All partitions that this worker holds for one kind of desk, loaded when they are first needed."""

    def __init__(
        self,
        name: str,
        topics: tuple[str, ...],
        make: Callable[[int], Desk],
        broker: Broker,
        now: Callable[[], datetime],
        *,
        by_clock: bool = False,
    ) -> None:
        """Take the desk's name (part of its keys in the changelog: never change it), its topics, and how to make one.

        `now` tells county time. Desks that decide by the clock are also to be held without a message, and ticked.
        """
        self.name = name
        self.topics = topics
        self.by_clock = by_clock
        self.held: dict[int, Partition] = {}
        self.urgent = asyncio.Event()
        self._make = make
        self._broker = broker
        self._now = now
        self._merge = Merge(topics, broker)

    def of(self, number: int) -> Partition:
        """Find a partition, loading it if it is not held yet; only while this worker owns it."""
        partition = self.held.get(number)
        if partition is None:
            partition = self.held[number] = self._load(number)
            if partition.is_urgent:
                self.urgent.set()
        return partition

    def hold(self, numbers: Iterable[int]) -> None:
        """Load partitions before a message reaches them."""
        for number in numbers:
            self.of(number)

    async def take(self, message: Incoming) -> None:
        """Work off one message and send what it gives; of several topics the one that was sent first."""
        if len(self.topics) == 1:
            await self._work_off(message)
            return
        self._merge.put(message)
        while (earliest := self._merge.pop(message.partition)) is not None:
            await self._work_off(earliest)

    async def go_on(self) -> None:
        """Work off what has waited long enough for messages of another topic."""
        for number in self._merge.waiting():
            while (earliest := self._merge.pop(number)) is not None:
                await self._work_off(earliest)

    def tick(self, now: datetime) -> None:
        """Let time pass at all desks."""
        for partition in self.held.values():
            partition.tick(now)
            if partition.is_urgent:
                self.urgent.set()

    async def save(self, seconds: float = 0.0) -> None:
        """Write down every partition whose oldest unwritten work is at least so old."""
        self.urgent.clear()
        for partition in list(self.held.values()):
            if partition.is_due(seconds):
                await partition.save()

    def drop(self) -> None:
        """Forget all partitions: they may belong to another worker now."""
        for partition in self.held.values():
            partition.close()
        self.held.clear()
        self._merge.clear()

    async def _work_off(self, message: Incoming) -> None:
        partition = self.of(message.partition)
        partition.take(message)
        if partition.is_urgent:
            self.urgent.set()
        else:
            await partition.flush()

    def _load(self, number: int) -> Partition:
        snapshot, writer = find(f"{self.name}/{number}", self._broker.records(), self._broker.generation())
        partition = self._new(number, writer)
        if snapshot is not None:
            try:
                partition.resume(snapshot)
            except (ValueError, InvalidInput, msgspec.DecodeError) as error:
                log.error("state_of_another_form", desk=self.name, partition=number, error=str(error)[:200])
                partition = self._new(number, writer)
                partition.skip_to(snapshot.offsets)
        tell = log.debug if snapshot is None else log.info
        tell("partition_loaded", desk=self.name, partition=number, epoch=writer.epoch)
        return partition

    def _new(self, number: int, writer: Writer) -> Partition:
        return Partition(
            number,
            self._make(number),
            writer,
            self._broker,
            self._now,
            name=self.name,
            by_clock=self.by_clock,
        )
