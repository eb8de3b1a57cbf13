"""The registry in memory: areas, devices, series, sources and the clock, read from compacted topics and followed."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self

import structlog
from aiokafka import (  # type: ignore[import-untyped]  # ships no types
    AIOKafkaConsumer,
    ConsumerRecord,
    TopicPartition,
)
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError  # type: ignore[import-untyped]  # ships no types

from config.metrics import REJECTED
from config.settings import BrokerSettings
from domain.clock import REAL_TIME, Clock
from domain.codec import decode
from domain.errors import Fault, InvalidInput
from domain.registry import Area, Device, Series, Source
from domain.topics import (
    REGISTRY_AREAS,
    REGISTRY_CLOCK,
    REGISTRY_DEVICES,
    REGISTRY_SERIES,
    REGISTRY_SOURCES,
    Topic,
)
from streams.ending import end
from streams.ends import ends_of
from streams.rejected import send_rejected, turn_away

log = structlog.get_logger(__name__)

FOLLOWED: dict[str, Topic] = {
    topic.name: topic
    for topic in (REGISTRY_AREAS, REGISTRY_DEVICES, REGISTRY_SERIES, REGISTRY_SOURCES, REGISTRY_CLOCK)
}
PAUSES_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Waits between tries while the broker is away; the last one repeats."""

SeriesListener = Callable[[Series | None, str], None]
DeviceListener = Callable[[Device | None, str], None]
Entry = Area | Device | Series | Source | Clock


class Registry:
    """What is known of the county, kept up to date while the context is open.

    Read the tables directly, never write them. `sources` is by token digest. `revision` grows with each
    change. Each of `on_series` is called with the series, or None when it is gone, and its id; so is each of `on_device`
    with devices. While the broker is away the last known state stands.
    """

    def __init__(self, broker: BrokerSettings, stage: str) -> None:
        """Take where the broker is, and the stage under which refused messages are counted."""
        self._broker = broker
        self._stage = stage
        self.areas: dict[str, Area] = {}
        self.devices: dict[str, Device] = {}
        self.series: dict[str, Series] = {}
        self.sources: dict[str, Source] = {}
        self.clock: Clock = REAL_TIME
        self.revision = 0
        self.on_series: list[SeriesListener] = []
        self.on_device: list[DeviceListener] = []
        self._records: dict[tuple[str, bytes], Entry] = {}
        self._stale: set[tuple[str, bytes]] = set()
        self._begun = asyncio.Event()
        self._ready = asyncio.Event()
        self._follower: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Start to follow; returns at once, `ready` tells when the beginning is read."""
        self._follower = asyncio.create_task(self._follow(), name="registry")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._follower:
            await end(self._follower)

    async def begun(self) -> None:
        """Wait until the broker answers and has all topics of the registry."""
        await self._begun.wait()

    @property
    def is_ready(self) -> bool:
        """Say whether everything that stood on the topics at the start has been read."""
        return self._ready.is_set()

    async def ready(self) -> None:
        """Wait until everything that stood on the topics at the start has been read."""
        await self._ready.wait()

    async def _follow(self) -> None:
        """Read for ever; after a failure read again from the beginning."""
        failures = 0
        while True:
            try:
                async with AsyncExitStack() as stack:
                    consumer = AIOKafkaConsumer(
                        bootstrap_servers=self._broker.bootstrap,
                        enable_auto_commit=False,
                        auto_offset_reset="earliest",
                    )
                    stack.push_async_callback(consumer.stop)
                    await consumer.start()
                    ends = await self._begin(consumer)
                    self._begun.set()
                    if failures:
                        log.info("registry_is_back")
                    failures = 0
                    await self._read(consumer, ends)
            except Exception as error:  # noqa: BLE001  # the outermost loop: the registry must go on
                if failures == 0:
                    log.warning("registry_is_away", error=type(error).__name__, detail=str(error)[:200])
                await asyncio.sleep(PAUSES_SECONDS[min(failures, len(PAUSES_SECONDS) - 1)])
                failures += 1

    async def _begin(self, consumer: AIOKafkaConsumer) -> dict[TopicPartition, int]:
        """Go to the beginning of all topics; returns where they end now."""
        if missing := FOLLOWED.keys() - await consumer.topics():
            raise UnknownTopicOrPartitionError(", ".join(sorted(missing)))
        places = [TopicPartition(name, 0) for name in FOLLOWED]
        ends = await ends_of(consumer, places)
        await consumer.seek_to_beginning(*places)
        # A topic that is empty now but was not before was made anew, and its records will be published
        # again: keep them.
        refilled = {place.topic for place, end in ends.items() if end}
        self._stale = {key for key in self._records if key[0] in refilled}
        return ends

    async def _read(self, consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int]) -> None:
        waiting = {place for place, end in ends.items() if end > 0}
        caught_up = False
        while True:
            if not caught_up:
                waiting = {place for place in waiting if await consumer.position(place) < ends[place]}
                if not waiting:
                    caught_up = True
                    self._forget_stale()
                    self._ready.set()
                    log.info(
                        "registry_read",
                        areas=len(self.areas),
                        devices=len(self.devices),
                        series=len(self.series),
                        sources=len(self.sources),
                    )
            for messages in (await consumer.getmany(timeout_ms=500)).values():
                for message in messages:
                    await self._take(message)

    def _forget_stale(self) -> None:
        """Drop what a second reading from the beginning did not meet: removed while nobody listened."""
        for topic, key in self._stale:
            self._apply(topic, key, None)
        self._stale = set()

    async def _take(self, message: ConsumerRecord) -> None:
        try:
            if message.key is None:
                raise InvalidInput([Fault("key", "is missing")])
            record = (
                decode(FOLLOWED[message.topic], message.value, message.headers) if message.value else None
            )
        except InvalidInput as error:
            await self._turn_away(message, error)
        else:
            self._apply(message.topic, message.key, record)

    def _apply(self, topic: str, key: bytes, record: Entry | None) -> None:
        """Put a record in the place of the one that had its key."""
        self._stale.discard((topic, key))
        before = self._records.pop((topic, key), None)
        if record is not None:
            self._records[topic, key] = record
        if before == record:
            return
        self.revision += 1
        match record or before:
            case Area():
                _swap(self.areas, "code", before, record)
            case Device():
                _swap(self.devices, "id", before, record)
                _tell(self.on_device, self.devices, {d.id for d in (before, record) if isinstance(d, Device)})
            case Source():
                _swap(self.sources, "token_sha256", before, record)
            case Clock():
                self.clock = record if isinstance(record, Clock) else REAL_TIME
            case Series():
                _swap(self.series, "id", before, record)
                _tell(self.on_series, self.series, {s.id for s in (before, record) if isinstance(s, Series)})

    async def _turn_away(self, message: ConsumerRecord, error: InvalidInput) -> None:
        """Set a message aside that cannot be read; the place on the topic makes its id, so twice is once."""
        where = (message.topic, message.partition, message.offset)
        REJECTED.labels(self._stage, message.topic, "undecodable").inc()
        log.warning("registry_message_refused", topic=where[0], partition=where[1], offset=where[2])
        record = turn_away(
            message.value or b"",
            stage=self._stage,
            feed=message.topic,
            source=None,
            at=self.clock.now(),
            reason="undecodable",
            faults=error.faults,
            cause=where,
        )
        try:
            await send_rejected(self._broker, [record])
        except KafkaError as failure:
            log.warning("rejected_not_written", id=str(record.id), error=type(failure).__name__)


def _tell(listeners: list[Callable[[Any, str], None]], table: dict[str, Any], names: set[str]) -> None:
    """Tell everybody who listens what now stands under each name."""
    for name in sorted(names):
        for listener in listeners:
            listener(table.get(name), name)


def _swap(table: dict[str, Any], name: str, before: object, record: object) -> None:
    """Put the new record in; the old one goes, unless another key has put a newer one under its name."""
    if before is not None and table.get(getattr(before, name)) is before:
        del table[getattr(before, name)]
    if record is not None:
        table[getattr(record, name)] = record
