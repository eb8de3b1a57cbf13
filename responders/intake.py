"""From the topics into the database: offsets are committed after the transaction, so that nothing is lost between them.

Two consumers: alerts and heartbeats never wait behind bulk. A message read twice has no second effect (ids). A message
that cannot be decoded or stored is set aside on `feed.rejected`, and the ones around it go on.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zlib import crc32

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord  # type: ignore[import-untyped]  # ships no types
from aiokafka.errors import CommitFailedError, IllegalStateError  # type: ignore[import-untyped]  # ships no types

from config.metrics import INPUTS, LAG
from config.settings import BrokerSettings
from domain.areas import township_of
from domain.clock import Clock
from domain.codec import decode
from domain.errors import DatabaseUnavailable, InvalidInput
from domain.findings import Alert
from domain.inputs import Bulletin, Rejected, Report, Ticket
from domain.topics import (
    ALERTS,
    BULLETINS,
    CALIBRATIONS,
    HEARTBEATS,
    REJECTED,
    REPORTS,
    ROLLUPS,
    SIGHTINGS,
    TICKETS,
    TOPICS,
)
from responders.backlog import Backlog
from responders.broker import open_consumer, open_producer
from responders.cases import Rules
from responders.loops import Health, wait_for
from responders.metrics import ALERT_LATENCY
from responders.rejected import STAGE, Origin, set_aside, turn_away
from responders.store import Store

log = structlog.get_logger()

GROUP = "fenghuo-responders"
URGENT = (ALERTS.name, HEARTBEATS.name)
BULK = (
    *(ROLLUPS.name, TICKETS.name, REPORTS.name, BULLETINS.name, REJECTED.name, SIGHTINGS.name),
    CALIBRATIONS.name,
)
POLL_MILLISECONDS = 200
MOST_MESSAGES = {URGENT: 128, BULK: 200}
"""Messages per round: of roll-ups, which hold up to some thousand rows each, about two seconds' work; of alerts a third of
a second's, for so long a red one waits."""
MOST_WAITING = {URGENT: 20_000, BULK: 200}
"""Messages that are read ahead, so that the gravest among them come first."""
FETCH_MILLISECONDS = {URGENT: 50, BULK: 500}
LANES = 4
"""Transactions that store alerts at a time; townships are spread over them."""
ALERTS_TOGETHER = 16
"""Alerts in one transaction: the locks that opening a case takes are not held for long."""
PAUSE_SECONDS = 0.5
"""Between tries of a round while the database is away."""


@dataclass(frozen=True, slots=True)
class Item:
    """A decoded message with what is needed to set it aside."""

    origin: Origin
    value: bytes
    record: Any


class Intake:
    """Takes messages of some topics into the store."""

    def __init__(self, store: Store, rules: Rules) -> None:
        """Take where to store and the rules by which alerts become cases."""
        self._store = store
        self._rules = rules
        self._clock = Clock()

    async def take(self, messages: Sequence[ConsumerRecord]) -> list[Rejected]:
        """Store messages and return what was refused; DatabaseUnavailable when it must be tried again as a whole."""
        self._clock = await self._store.clock()
        refused: list[Rejected] = []
        by_topic: dict[str, list[Item]] = {}
        for message in messages:
            origin = Origin(message.topic, message.partition, message.offset)
            try:
                record = decode(TOPICS[message.topic], message.value, message.headers)
            except InvalidInput as error:
                refused.append(turn_away(message.value, origin, error, self._clock))
            else:
                by_topic.setdefault(message.topic, []).append(Item(origin, message.value, record))
        for topic in sorted(by_topic, key=(*URGENT, *BULK).index):
            refused += await self._store_all(topic, by_topic[topic])
        return refused

    async def _store_all(self, topic: str, items: list[Item]) -> list[Rejected]:
        """Store what one topic brought, in one transaction; where it cannot be stored, one by one."""
        write = self._writer(topic)
        try:
            await write([item.record for item in items])
        except InvalidInput as error:
            if len(items) == 1:
                return [
                    turn_away(items[0].value, items[0].origin, error, self._clock, ids_of(items[0].record))
                ]
            return [refused for item in items for refused in await self._store_all(topic, [item])]
        return []

    def _writer(self, topic: str) -> Callable[[list[Any]], Awaitable[object]]:
        writers: dict[str, Callable[[list[Any]], Awaitable[object]]] = {
            ALERTS.name: self._alerts,
            HEARTBEATS.name: self._store.record_heartbeats,
            ROLLUPS.name: self._store.record_rollups,
            TICKETS.name: self._store.record_tickets,
            REPORTS.name: self._store.record_reports,
            BULLETINS.name: self._store.record_bulletins,
            REJECTED.name: self._store.record_rejected,
            SIGHTINGS.name: self._store.record_sightings,
            CALIBRATIONS.name: self._store.detection.record_calibrations,
        }
        return writers[topic]

    async def _alerts(self, alerts: list[Alert]) -> None:
        """Store alerts side by side, some in a transaction; those that may concern one case keep their order."""
        lanes: dict[int, list[Alert]] = {}
        for alert in alerts:
            lanes.setdefault(lane_of(alert), []).append(alert)
        ends = await asyncio.gather(
            *(self._record_lane(lane) for lane in lanes.values()), return_exceptions=True
        )
        for end in ends:
            if isinstance(end, BaseException):
                raise end

    async def _record_lane(self, alerts: list[Alert]) -> None:
        for batch in batched(alerts, ALERTS_TOGETHER):
            recorded = await self._store.record_alerts(batch, self._rules)
            for alert, what in zip(batch, recorded, strict=True):
                log.info(
                    "alert_recorded",
                    alert=str(alert.id),
                    version=alert.version,
                    level=alert.level.slug,
                    what=what.value,
                )
                if self._clock.factor:
                    waited = (self._clock.now() - alert.received_at).total_seconds()
                    ALERT_LATENCY.observe(max(waited, 0.0) / self._clock.factor)


def lane_of(alert: Alert) -> int:
    """Tell which lane an alert takes: the same for all that may become one case, which a place's area above it says."""
    return crc32(township_of(alert.place).encode()) % LANES


def batched(alerts: list[Alert], most: int) -> Iterator[list[Alert]]:
    """Part alerts in their order, no alert twice in a part."""
    batch: dict[UUID, Alert] = {}
    for alert in alerts:
        if len(batch) == most or alert.id in batch:
            yield list(batch.values())
            batch = {}
        batch[alert.id] = alert
    if batch:
        yield list(batch.values())


def ids_of(record: object) -> tuple[UUID, ...]:
    """Name the accepted inputs in a record, for the accounting of what was refused after acceptance."""
    return (record.id,) if isinstance(record, Ticket | Report | Bulletin) else ()


async def run_intake(
    broker: BrokerSettings,
    topics: tuple[str, ...],
    intake: Intake,
    health: Health,
    loop: str,
    stopping: asyncio.Event,
) -> None:
    """Read topics until stopping; one group for the urgent ones, one for bulk."""
    group = GROUP if topics == URGENT else f"{GROUP}-bulk"
    wait = FETCH_MILLISECONDS[topics]
    async with (
        open_producer(broker) as producer,
        open_consumer(broker, group, *topics, wait_milliseconds=wait) as consumer,
    ):
        backlog = Backlog()
        while not stopping.is_set():
            if room := max(MOST_WAITING[topics] - len(backlog), 0):
                wait = 0 if len(backlog) else POLL_MILLISECONDS
                backlog.add(await consumer.getmany(timeout_ms=wait, max_records=room))
            messages = backlog.take(MOST_MESSAGES[topics])
            if messages:
                if not await _take_patiently(intake, messages, producer, health, loop, stopping):
                    return
                backlog.done(messages)
                await _commit(consumer, backlog)
                _measure(consumer, messages, backlog)
            health.beat(loop)


async def _take_patiently(
    intake: Intake,
    messages: list[ConsumerRecord],
    producer: AIOKafkaProducer,
    health: Health,
    loop: str,
    stopping: asyncio.Event,
) -> bool:
    """Store messages, waiting for the database as long as it takes; False when it was time to stop first."""
    while not stopping.is_set():
        try:
            refused = await intake.take(messages)
        except DatabaseUnavailable as error:
            health.lose(loop, type(error).__name__)
            await wait_for(stopping, PAUSE_SECONDS)
        else:
            await set_aside(producer, refused)
            return True
    return False


async def _commit(consumer: AIOKafkaConsumer, backlog: Backlog) -> None:
    if not (offsets := backlog.offsets(consumer.assignment())):
        return
    try:
        await consumer.commit(offsets)
    except (CommitFailedError, IllegalStateError) as error:
        # Another process has the partition by now and reads it again: what we stored has no second effect there.
        log.info("commit_came_too_late", error=type(error).__name__)


def _measure(consumer: AIOKafkaConsumer, messages: list[ConsumerRecord], backlog: Backlog) -> None:
    for message in messages:
        INPUTS.labels(STAGE, message.topic).inc()
    for place in consumer.assignment():
        if (end := consumer.highwater(place)) is not None:
            LAG.labels(place.topic, str(place.partition)).set(backlog.lag(place, end))
