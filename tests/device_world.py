"""What tests of stations on a real gateway share: a registry, and what came of the packets."""

import asyncio
import base64
from collections.abc import Callable, Iterable
from typing import Any

from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types

from config.settings import BrokerSettings, DeviceSettings, GatewaySettings, Secret, Settings
from domain.codec import decode, encode, headers_for
from domain.devices import Sighting
from domain.inputs import Rejected
from domain.registry import Protocol
from domain.topics import READINGS, REJECTED, SIGHTINGS, Topic
from fenghuo.topic_reading import read_to_end
from fenghuo.topics import ensure_topics
from streams.packing import unpack

KEY = Secret(base64.b64encode(bytes(range(32))).decode())
Records = Iterable[tuple[Topic, str, Any]]


def device_settings(broker: str, devices: DeviceSettings, **gateway: Any) -> Settings:
    """Make settings of a gateway with a short patience."""
    return Settings(
        broker=BrokerSettings(bootstrap=broker),
        gateway=GatewaySettings(port=0, **{"send_timeout_seconds": 5.0, **gateway}),
        devices=devices,
        personal_key=KEY,
    )


async def publish(settings: Settings, records: Records) -> None:
    """Publish a registry as responders do."""
    await ensure_topics(settings)
    async with AIOKafkaProducer(bootstrap_servers=settings.broker.bootstrap, acks="all") as producer:
        for topic, key, record in records:
            await producer.send_and_wait(
                topic.name, encode(record), key=key.encode(), headers=headers_for(topic)
            )


async def readings_of(broker: str, name: str) -> list[tuple[str, int, float, int]]:
    """Read what stands on the broker for series whose id holds a name: series, time, value, quality."""
    found: list[tuple[str, int, float, int]] = []
    async for message in read_to_end(broker, READINGS):
        pack = unpack(message.value, message.headers)
        columns = (pack.index, pack.observed, pack.values, pack.quality)
        found += [
            (pack.names[index], observed, value, quality)
            for index, observed, value, quality in zip(*(one.tolist() for one in columns), strict=True)
            if name in pack.names[index]
        ]
    return sorted(found)


async def refused_of(broker: str, protocol: Protocol) -> list[Rejected]:
    """Read what was turned away from devices of a protocol."""
    records: list[Rejected] = [
        decode(REJECTED, message.value, message.headers) async for message in read_to_end(broker, REJECTED)
    ]
    return [record for record in records if record.feed == protocol]


async def sighting_of(broker: str, address: str, wanted: Callable[[Sighting], bool]) -> Sighting:
    """Wait for what a gateway tells of a device."""
    async with asyncio.timeout(20):
        while True:
            async for message in read_to_end(broker, SIGHTINGS):
                seen: Sighting = decode(SIGHTINGS, message.value, message.headers)
                if seen.address == address and wanted(seen):
                    return seen
            await asyncio.sleep(0.05)
