"""The registry in memory against a real broker: read, followed, and not to be upset."""

import asyncio
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition  # type: ignore[import-untyped]  # ships no types

from config.settings import BrokerSettings, Settings
from domain.clock import REAL_TIME, Clock
from domain.codec import decode, encode, headers_for
from domain.inputs import Rejected
from domain.levels import Feed
from domain.registry import Area, Series, Source
from domain.topics import REGISTRY_AREAS, REGISTRY_CLOCK, REGISTRY_SERIES, REGISTRY_SOURCES, REJECTED, Topic
from fenghuo.embedded import embedded_broker
from fenghuo.topics import ensure_topics
from streams.registry import Registry

AREA = Area(code="990155001", name="青溪镇")
SERIES = Series(
    id="followed-1",
    name="氨氮",
    quantity="ammonia",
    unit="mg/L",
    area="990155001",
    category="water-pollution",
    source="followed",
    interval_seconds=60,
)
DIGEST = sha256(b"followed").hexdigest()
OTHER_DIGEST = sha256(b"followed later").hexdigest()
SOURCE = Source(slug="followed", token_sha256=DIGEST, feeds=(Feed.READINGS,), area="990155")


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition, at most twenty seconds."""
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.02)


async def publish(producer: AIOKafkaProducer, topic: Topic, key: str, record: object | None) -> None:
    """Publish a record, or its removal."""
    value = None if record is None else encode(record)
    await producer.send_and_wait(topic.name, value, key=key.encode(), headers=headers_for(topic))


async def test_it_reads_what_stands_and_follows(broker: str) -> None:
    """Records from before the start are there when it is ready; later ones, changes and removals arrive."""
    settings = BrokerSettings(bootstrap=broker)
    await ensure_topics(Settings(broker=settings))
    heard: list[tuple[Series | None, str]] = []
    async with AIOKafkaProducer(bootstrap_servers=broker, acks="all") as producer:
        await publish(producer, REGISTRY_AREAS, AREA.code, AREA)
        await publish(producer, REGISTRY_SERIES, SERIES.id, SERIES)
        await publish(producer, REGISTRY_SOURCES, SOURCE.slug, SOURCE)
        async with Registry(settings, "test") as registry:
            registry.on_series.append(lambda series, name: heard.append((series, name)))
            await registry.ready()
            assert registry.areas[AREA.code] == AREA
            assert registry.series[SERIES.id] == SERIES
            assert registry.sources[DIGEST] == SOURCE
            before = registry.revision

            clock = Clock(factor=60.0)
            other = Source(slug="followed", token_sha256=OTHER_DIGEST, feeds=(), area="99")
            await publish(producer, REGISTRY_CLOCK, "clock", clock)
            await publish(producer, REGISTRY_SOURCES, SOURCE.slug, other)
            await publish(producer, REGISTRY_SERIES, SERIES.id, None)
            await until(lambda: registry.clock == clock and SERIES.id not in registry.series)
            await until(lambda: registry.sources.get(OTHER_DIGEST) == other)
            assert DIGEST not in registry.sources
            assert registry.revision > before
            assert [one for one in heard if one[1] == SERIES.id] == [(SERIES, SERIES.id), (None, SERIES.id)]

            await publish(producer, REGISTRY_CLOCK, "clock", None)
            await until(lambda: registry.clock == REAL_TIME)


async def test_poison_is_set_aside(tmp_path: Path) -> None:
    """Messages that cannot be read go to feed.rejected with their place; what follows is read."""
    poison = (b"\xff\x00", b"[]", b"not json", b'{"id": "x"}')
    async with embedded_broker(tmp_path) as broker:
        settings = BrokerSettings(bootstrap=broker, partitions=1)
        await ensure_topics(Settings(broker=settings))
        async with AIOKafkaProducer(bootstrap_servers=broker, acks="all") as producer:
            name = REGISTRY_SERIES.name
            for value in poison:
                await producer.send_and_wait(name, value, key=b"x")
            await producer.send_and_wait(name, encode(SERIES), key=b"x", headers=[("kind", b"ticket")])
            await producer.send_and_wait(name, encode(SERIES))
            await publish(producer, REGISTRY_SERIES, SERIES.id, SERIES)
        async with Registry(settings, "test") as registry:
            await registry.ready()
            assert registry.series == {SERIES.id: SERIES}
        consumer = AIOKafkaConsumer(bootstrap_servers=broker, auto_offset_reset="earliest")
        consumer.assign([TopicPartition(REJECTED.name, 0)])
        found: list[Rejected] = []
        async with asyncio.timeout(20), consumer:
            while len(found) < len(poison) + 2:
                message = await consumer.getone()
                found.append(decode(REJECTED, message.value, message.headers))
    assert {record.reason for record in found} == {"undecodable"}
    assert {record.feed for record in found} == {name}
    assert [record.size for record in found[:4]] == [len(value) for value in poison]
    assert len({record.id for record in found}) == len(found)


async def test_it_waits_for_a_broker_and_its_topics(tmp_path: Path, free_port: int) -> None:
    """Without broker or topics it neither crashes nor is ready; as soon as they are there, it is."""
    settings = BrokerSettings(bootstrap=f"127.0.0.1:{free_port}")
    async with Registry(settings, "test") as registry:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await registry.ready()
        assert not registry.is_ready
        async with embedded_broker(tmp_path, free_port):
            await ensure_topics(Settings(broker=settings))
            async with asyncio.timeout(20):
                await registry.ready()
