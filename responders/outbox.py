"""The outbox: what responders decide, published to compacted topics in the order of writing.

A value is marked only after every replica has it; a crash in between publishes it again, which a compacted topic bears.
When a topic turns out to be emptier than before (the embedded broker keeps nothing over a restart), everything of it is
published again.
"""

import asyncio

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition  # type: ignore[import-untyped]  # ships no types
from aiokafka.errors import KafkaError  # type: ignore[import-untyped]  # ships no types

from config.metrics import OUTPUTS
from config.settings import BrokerSettings
from domain.codec import headers_for
from domain.errors import BrokerUnavailable
from domain.topics import TOPICS
from responders.broker import open_consumer, open_producer
from responders.loops import Bell, Health
from responders.rejected import STAGE
from responders.store import Store
from responders.store.workers import Pending

log = structlog.get_logger()

AT_ONCE = 500
IDLE_SECONDS = 0.5
CHECK_SECONDS = 5.0
"""How often the ends of the topics are looked at; a broker that came back empty is refilled within this time."""
SEND_SECONDS = 30.0


class Publisher:
    """Publishes the outbox over one producer."""

    def __init__(self, store: Store, producer: AIOKafkaProducer, consumer: AIOKafkaConsumer) -> None:
        """Take the store, a producer, and a consumer that is asked for the ends of topics only."""
        self._store = store
        self._producer = producer
        self._consumer = consumer
        self._ends: dict[str, int] = {}

    async def publish(self) -> int:
        """Publish all that waits; answers how many values."""
        published = 0
        while count := await self._store.workers.publish_pending(AT_ONCE, self._send):
            published += count
        return published

    async def _send(self, pending: list[Pending]) -> None:
        try:
            async with asyncio.timeout(SEND_SECONDS):
                sent = [
                    await self._producer.send(
                        one.topic, one.value, key=key_of(one), headers=headers_for(TOPICS[one.topic])
                    )
                    for one in pending
                ]
                await asyncio.gather(*sent)
        except (KafkaError, OSError, TimeoutError) as error:
            raise BrokerUnavailable from error
        for one in pending:
            OUTPUTS.labels(STAGE, one.topic).inc()

    async def refill(self) -> list[str]:
        """Have topics published again that hold less than they did, or nothing though something was published."""
        refilled = []
        for topic in sorted(await self._store.workers.published_topics()):
            end = await self._end(topic)
            if end is None:
                continue
            if end == 0 or end < self._ends.get(topic, 0):
                await self._store.workers.publish_again(topic)
                log.warning("topic_refilled", topic=topic)
                refilled.append(topic)
            self._ends[topic] = end
        return refilled

    async def _end(self, topic: str) -> int | None:
        """Sum the end offsets of a topic; None while the broker does not know it."""
        try:
            async with asyncio.timeout(SEND_SECONDS):
                partitions = await self._producer.partitions_for(topic)
                places = [TopicPartition(topic, number) for number in sorted(partitions or ())]
                ends = await self._consumer.end_offsets(places) if places else None
        except (KafkaError, OSError, TimeoutError) as error:
            raise BrokerUnavailable from error
        return sum(ends.values()) if ends is not None else None


def key_of(pending: Pending) -> bytes:
    """Name the key on the topic: where every value is kept, a row of the outbox is told apart by what follows the /."""
    key = pending.key if TOPICS[pending.topic].compacted else pending.key.partition("/")[0]
    return key.encode()


async def run_outbox(
    store: Store, broker: BrokerSettings, bell: Bell, health: Health, stopping: asyncio.Event
) -> None:
    """Publish until stopping."""
    clock = asyncio.get_running_loop()
    async with open_producer(broker) as producer, open_consumer(broker, None) as consumer:
        publisher = Publisher(store, producer, consumer)
        checked_at = -CHECK_SECONDS
        while not stopping.is_set():
            if clock.time() - checked_at >= CHECK_SECONDS:
                await publisher.refill()
                checked_at = clock.time()
            await publisher.publish()
            health.beat("outbox")
            await bell.wait("outbox", IDLE_SECONDS)
