"""The registry in memory against a real broker: read, followed, and not to be upset."""

import asyncio
from collections.abc import AsyncIterator, Callable
from hashlib import sha256

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from config.settings import BrokerSettings
from domain.clock import REAL_TIME, Clock
from domain.codec import decode, encode, headers_for
from domain.inputs import Rejected
from domain.levels import Feed
from domain.registry import Area, Series, Source
from domain.topics import REGISTRY_AREAS, REGISTRY_CLOCK, REGISTRY_SERIES, REGISTRY_SOURCES, REJECTED, Topic
from streams.registry import FOLLOWED, Registry

AREA = Area(code="990101001", name="青溪镇")
SERIES = Series(
    id="s1",
    name="氨氮",
    quantity="ammonia",
    unit="mg/L",
    area="990101001",
    category="water-pollution",
    source="station",
    interval_seconds=60,
)
SOURCE = Source(
    slug="station", token_sha256=sha256(b"secret").hexdigest(), feeds=(Feed.READINGS,), area="990101"
)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition, at most twenty seconds."""
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.02)


@pytest.fixture
async def settings(broker: str) -> BrokerSettings:
    """Make the topics of the registry anew."""
    admin = AIOKafkaAdminClient(bootstrap_servers=broker)
    await admin.start()
    try:
        names = [*FOLLOWED, REJECTED.name]
        there = set(await admin.list_topics())
        await admin.delete_topics([name for name in names if name in there])
        await admin.create_topics([NewTopic(name, num_partitions=1, replication_factor=1) for name in names])
    finally:
        await admin.close()
    return BrokerSettings(bootstrap=broker)


@pytest.fixture
async def producer(settings: BrokerSettings) -> AsyncIterator[AIOKafkaProducer]:
    """Write to the registry as responders do."""
    async with AIOKafkaProducer(bootstrap_servers=settings.bootstrap, acks="all") as producer:
        yield producer


async def publish(producer: AIOKafkaProducer, topic: Topic, key: str, record: object | None) -> None:
    """Publish a record, or its removal."""
    value = None if record is None else encode(record)
    await producer.send_and_wait(topic.name, value, key=key.encode(), headers=headers_for(topic))


async def test_it_reads_what_stands_and_follows(settings: BrokerSettings, producer: AIOKafkaProducer) -> None:
    """Records from before the start are there when it is ready; later ones, changes and removals arrive."""
    await publish(producer, REGISTRY_AREAS, AREA.code, AREA)
    await publish(producer, REGISTRY_SERIES, SERIES.id, SERIES)
    await publish(producer, REGISTRY_SOURCES, SOURCE.slug, SOURCE)
    heard: list[tuple[Series | None, str]] = []
    async with Registry(settings, "test") as registry:
        registry.on_series.append(lambda series, name: heard.append((series, name)))
        await registry.ready()
        assert registry.areas == {AREA.code: AREA}
        assert registry.series == {"s1": SERIES}
        assert registry.sources == {SOURCE.token_sha256: SOURCE}
        assert registry.clock is REAL_TIME
        before = registry.revision

        clock = Clock(factor=60.0)
        other = Source(slug="station", token_sha256="0" * 64, feeds=(), area="99")
        await publish(producer, REGISTRY_CLOCK, "clock", clock)
        await publish(producer, REGISTRY_SOURCES, SOURCE.slug, other)
        await publish(producer, REGISTRY_SERIES, SERIES.id, None)
        await until(lambda: registry.clock == clock and not registry.series and len(heard) == 2)
        await until(lambda: registry.sources == {"0" * 64: other})
        assert registry.revision > before
        assert heard == [(SERIES, "s1"), (None, "s1")]


async def test_poison_is_set_aside(settings: BrokerSettings, producer: AIOKafkaProducer) -> None:
    """Messages that cannot be read go to feed.rejected with their place; what follows is read."""
    poison = (b"\xff\x00", b"[]", b"not json", b'{"id": "x"}')
    for value in poison:
        await producer.send_and_wait(REGISTRY_SERIES.name, value, key=b"x")
    await producer.send_and_wait(
        REGISTRY_SERIES.name, encode(SERIES), key=b"x", headers=[("kind", b"ticket")]
    )
    await producer.send_and_wait(REGISTRY_SERIES.name, encode(SERIES))
    await publish(producer, REGISTRY_SERIES, SERIES.id, SERIES)
    async with Registry(settings, "test") as registry:
        await registry.ready()
        assert registry.series == {"s1": SERIES}
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.bootstrap, auto_offset_reset="earliest")
    consumer.assign([TopicPartition(REJECTED.name, 0)])
    async with asyncio.timeout(20), consumer:
        found: list[Rejected] = []
        while len(found) < len(poison) + 2:
            message = await consumer.getone()
            found.append(decode(REJECTED, message.value, message.headers))
    assert {record.reason for record in found} == {"undecodable"}
    assert {record.feed for record in found} == {REGISTRY_SERIES.name}
    assert [record.size for record in found[:4]] == [len(value) for value in poison]
    assert len({record.id for record in found}) == len(found)


async def test_it_waits_for_a_broker(free_port: int) -> None:
    """Without a broker it neither crashes nor is ready."""
    async with Registry(BrokerSettings(bootstrap=f"127.0.0.1:{free_port}"), "test") as registry:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await registry.ready()
        assert not registry.is_ready
