"""What the benches put on the broker: a registry of many series, and readings of them, packed or as JSON."""

import asyncio
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import msgspec
import numpy as np
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types

from config.settings import Settings
from domain.areas import township_of
from domain.codec import Headers, encode, headers_for
from domain.inputs import Reading
from domain.levels import Level
from domain.registry import Limit, Series
from domain.topics import READINGS, REGISTRY_SERIES, Topic
from streams.messages import partition_of
from streams.packing import ReadingPack, micros, pack

TOWNSHIPS = 40
INTERVAL_SECONDS = 60
START = micros(datetime(2026, 6, 1, tzinfo=UTC))
IN_FLIGHT = 64

Wire = tuple[bytes, bytes, Headers]
"""Key, value and headers of a message."""


def make_series(count: int) -> list[Series]:
    """Describe series that lie evenly in the townships, each with two limits, as real ones have."""
    limits = (Limit(level=Level.BLUE, value=9.0), Limit(level=Level.ORANGE, value=12.0))
    return [
        Series(
            id=f"bench.{number:05d}",
            name=f"bench {number}",
            quantity="value",
            unit="mg/L",
            area=f"990101{number % TOWNSHIPS + 100:03d}001001",
            category="water-pollution",
            source="bench",
            interval_seconds=INTERVAL_SECONDS,
            low=-50,
            high=50,
            max_rate=5,
            limits=limits,
        )
        for number in range(count)
    ]


def messages(
    series: list[Series], readings: int, packing: int, partitions: int, *, as_json: bool
) -> Iterator[Wire]:
    """Make messages of `packing` readings as the gateway does, each of one partition, minute by minute.

    Seeded, so always the same; the last message of a minute holds what is left.
    """
    random = np.random.default_rng(1)
    places = _by_partition(series, partitions)
    made = minute = 0
    while made < readings:
        at = START + minute * INTERVAL_SECONDS * 1_000_000
        for key, own in places:
            values = np.round(random.normal(7.0, 0.2, len(own)), 4)
            for first in range(0, len(own), packing):
                if made >= readings:
                    return
                part = slice(first, min(first + packing, first + readings - made))
                yield key, *_encode(own[part], at, values[part], as_json=as_json)
                made += len(own[part])
        minute += 1


def _by_partition(series: list[Series], partitions: int) -> list[tuple[bytes, list[str]]]:
    """Name the series of each partition, with the township of the first of them."""
    found: dict[int, tuple[bytes, list[str]]] = {}
    for one in series:
        township = township_of(one.area)
        key = township.encode()
        found.setdefault(partition_of(township, partitions), (key, []))[1].append(one.id)
    return list(found.values())


def _encode(names: list[str], at: int, values: "np.ndarray", *, as_json: bool) -> tuple[bytes, Headers]:
    if as_json:
        observed = datetime.fromtimestamp(at / 1_000_000, UTC)
        records = [
            Reading(series=name, observed_at=observed, value=value)
            for name, value in zip(names, values.tolist(), strict=True)
        ]
        return msgspec.json.encode(records), headers_for(READINGS)
    return pack(
        ReadingPack(
            names=names,
            index=np.arange(len(names), dtype=np.int32),
            observed=np.full(len(names), at, np.int64),
            values=values,
            quality=np.zeros(len(names), np.uint8),
            received=at,
        )
    )


async def publish_series(settings: Settings, series: list[Series]) -> None:
    """Put the registry where a responder would publish it."""
    await publish_records(settings, REGISTRY_SERIES, {one.id: one for one in series})


async def publish_records(settings: Settings, topic: Topic, records: Mapping[str, object]) -> None:
    """Put records on a topic, each under its key."""
    async with _producer(settings) as producer:
        await asyncio.gather(
            *[
                await producer.send(topic.name, encode(record), key=key.encode(), headers=headers_for(topic))
                for key, record in records.items()
            ]
        )


async def publish_readings(settings: Settings, wires: Iterator[Wire], topic: str = READINGS.name) -> int:
    """Put readings on their topic; answers the bytes."""
    size = 0
    async with _producer(settings) as producer:
        waiting: list[asyncio.Future[object]] = []
        for key, value, headers in wires:
            waiting.append(await producer.send(topic, value, key=key, headers=headers))
            size += len(value)
            if len(waiting) >= IN_FLIGHT * 64:
                await asyncio.gather(*waiting)
                waiting.clear()
        await asyncio.gather(*waiting)
    return size


def _producer(settings: Settings) -> AIOKafkaProducer:
    return AIOKafkaProducer(
        bootstrap_servers=settings.broker.bootstrap, acks="all", linger_ms=5, max_batch_size=512 * 1024
    )
