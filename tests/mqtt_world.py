"""A gateway between a real MQTT broker and a real Kafka protocol broker, for the tests that need all three."""

import asyncio
import base64
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import aiomqtt
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition  # type: ignore[import-untyped]  # ships no types
from structlog.testing import capture_logs

from config.data import load_data
from config.settings import BrokerSettings, GatewaySettings, MqttSettings, Secret, Settings
from domain.codec import decode, encode, headers_for
from domain.inputs import Rejected
from domain.registry import Device, Protocol, Series
from domain.topics import READINGS, REGISTRY_DEVICES, REGISTRY_SERIES, REJECTED
from fenghuo import embedded_mqtt
from fenghuo.topics import ensure_topics
from streams.gateway import Gateway
from streams.packing import unpack

KEY = Secret(base64.b64encode(bytes(32)).decode())
TOWNSHIP = "990166001"
V5 = aiomqtt.ProtocolVersion.V5

needs_mosquitto = pytest.mark.skipif(
    embedded_mqtt.find_mosquitto() is None, reason="the package mosquitto is not installed"
)
needs_mosquitto_pub = pytest.mark.skipif(
    shutil.which("mosquitto_pub") is None, reason="the package mosquitto-clients is not installed"
)
BROKERS = [
    pytest.param(embedded_mqtt.embedded_mosquitto, id="mosquitto", marks=needs_mosquitto),
    pytest.param(embedded_mqtt.embedded_rumqttd, id="rumqttd"),
]


def settings_for(kafka: str, url: str, **mqtt: Any) -> Settings:
    """Make settings with a short patience; nothing is shared, so that both brokers can do it."""
    return Settings(
        broker=BrokerSettings(bootstrap=kafka),
        gateway=GatewaySettings(port=0, send_timeout_seconds=2.0),
        mqtt=MqttSettings(
            url=url, **{"share_group": "", "client_id_prefix": f"test-{uuid4().hex[:8]}", **mqtt}
        ),
        personal_key=KEY,
    )


def new_name() -> str:
    """Name a device that no other test has."""
    return f"logger-{uuid4().hex[:10]}"


async def publish_registry(settings: Settings, *entries: Device | Series) -> None:
    """Publish devices and series as responders do."""
    await ensure_topics(settings)
    async with AIOKafkaProducer(bootstrap_servers=settings.broker.bootstrap, acks="all") as producer:
        for entry in entries:
            topic = REGISTRY_DEVICES if isinstance(entry, Device) else REGISTRY_SERIES
            await producer.send_and_wait(
                topic.name, encode(entry), key=entry.id.encode(), headers=headers_for(topic)
            )


def station(name: str, channel: str, unit: str = "mg/L") -> tuple[Device, Series]:
    """Make a device that calls itself by a name, and the series of one of its channels."""
    return (
        Device(
            id=f"station.{name}",
            name="青溪水质站",
            area=TOWNSHIP,
            source="stations",
            protocol=Protocol.MQTT,
            address=name,
        ),
        Series(
            id=f"river.{name}",
            name="氨氮",
            quantity="ammonia",
            unit=unit,
            area=TOWNSHIP,
            category="water-pollution",
            source="stations",
            interval_seconds=60,
            device=f"station.{name}",
            channel=channel,
        ),
    )


async def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


def is_subscribed(gateway: Gateway) -> bool:
    """Say whether a gateway is connected to its MQTT broker."""
    assert gateway._mqtt is not None
    return gateway._mqtt.is_connected


@asynccontextmanager
async def subscribed(settings: Settings) -> AsyncIterator[Gateway]:
    """Run a gateway, and wait until it is subscribed."""
    async with Gateway(settings, load_data(settings.data_dir)) as gateway:
        await until(lambda: is_subscribed(gateway))
        yield gateway


async def told(settings: Settings, event: str) -> dict[str, Any]:
    """Run a gateway until it logs an event, and give that."""
    with capture_logs() as lines:
        async with Gateway(settings, load_data()) as gateway:
            await until(lambda: any(line["event"] == event for line in lines))
            assert not is_subscribed(gateway)
    return next(line for line in lines if line["event"] == event)


@asynccontextmanager
async def device(url: str, **options: Any) -> AsyncIterator[aiomqtt.Client]:
    """Connect as a device does."""
    place = urlsplit(url)
    client = aiomqtt.Client(
        place.hostname or "", place.port or 1883, **{"protocol": V5, "timeout": 20, **options}
    )
    client.pending_calls_threshold = 100_000
    async with client:
        yield client


async def publish(url: str, *messages: tuple[str, bytes | str], retain: bool = False, qos: int = 1) -> None:
    """Publish messages, and wait for every PUBACK."""
    async with device(url) as client:
        await asyncio.gather(
            *(client.publish(topic, payload, qos=qos, retain=retain) for topic, payload in messages)
        )


async def _messages(kafka: str, topic: str) -> AsyncIterator[ConsumerRecord]:
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, auto_offset_reset="earliest")
    async with consumer:
        consumer.assign([TopicPartition(topic, place) for place in range(BrokerSettings().partitions)])
        while True:
            yield await consumer.getone()


async def readings(
    kafka: str, name: str, enough: Callable[[list[dict[str, Any]]], bool], seconds: float = 30
) -> list[dict[str, Any]]:
    """Read `feed.readings` until the readings whose series has a name in it are enough."""
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(seconds):
        async for message in _messages(kafka, READINGS.name):
            pack = unpack(message.value, message.headers)
            found.extend(
                {
                    "series": pack.names[place],
                    "observed": observed,
                    "value": value,
                    "quality": quality,
                    "key": message.key.decode(),
                }
                for place, observed, value, quality in zip(
                    pack.index.tolist(),
                    pack.observed.tolist(),
                    pack.values.tolist(),
                    pack.quality.tolist(),
                    strict=True,
                )
                if name in pack.names[place]
            )
            if enough(found):
                return found
    raise AssertionError("unreachable")


async def refusals(kafka: str, count: int) -> list[Rejected]:
    """Read `feed.rejected` until so many refusals of MQTT are there."""
    found: list[Rejected] = []
    async with asyncio.timeout(20):
        async for message in _messages(kafka, REJECTED.name):
            record = decode(REJECTED, message.value, message.headers)
            if record.feed == Protocol.MQTT:
                found.append(record)
            if len(found) >= count:
                return found
    raise AssertionError("unreachable")


def own_data(folder: Path, routes: str) -> Path:
    """Make a data folder with routes of its own."""
    folder.mkdir(exist_ok=True)
    (folder / "mqtt.toml").write_text(routes, encoding="utf-8")
    return folder
