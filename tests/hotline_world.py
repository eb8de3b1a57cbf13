"""A county with a hotline: a real gateway on a real broker, and taps on what it writes."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from aiohttp import ClientSession
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition  # type: ignore[import-untyped]  # ships no types

from config.data import load_data
from config.settings import BrokerSettings, GatewaySettings, Secret, Settings
from domain.codec import decode, encode, headers_for
from domain.inputs import Ticket
from domain.levels import Feed
from domain.registry import Area, Source
from domain.topics import REGISTRY_AREAS, REGISTRY_SOURCES, TICKETS, Topic
from fenghuo.topics import ensure_topics
from streams.gateway import Gateway

KEY = Secret(base64.b64encode(bytes(range(32))).decode())
COUNTY = "990166"
TOKEN = "hotline-token"
AREAS = {
    COUNTY: "云岭县",
    f"{COUNTY}101": "青石镇",
    f"{COUNTY}102": "东风乡",
    f"{COUNTY}101001": "河口村",
    f"{COUNTY}101002": "河口新村",
    f"{COUNTY}102001": "河口村",
    f"{COUNTY}102002": "新村",
}


def settings_for(broker: str) -> Settings:
    """Make settings of a gateway on any free port."""
    return Settings(
        broker=BrokerSettings(bootstrap=broker),
        gateway=GatewaySettings(port=0, send_timeout_seconds=5.0),
        personal_key=KEY,
    )


def hotline() -> Source:
    """The hotline of the county."""
    digest = sha256(TOKEN.encode()).hexdigest()
    return Source(slug="hotline-12345", token_sha256=digest, feeds=(Feed.TICKETS,), area=COUNTY)


@dataclass
class Hotline:
    """A gateway that takes the county's tickets, and what it has written since the world began."""

    url: str
    session: ClientSession
    consumer: AIOKafkaConsumer
    since: datetime = field(default_factory=lambda: datetime.now(UTC))

    async def push(self, body: Any) -> tuple[int, dict[str, Any]]:
        """Push orders as a platform does."""
        async with self.session.post(
            f"{self.url}/v1/tickets", json=body, headers={"Authorization": f"Bearer {TOKEN}"}
        ) as answer:
            return answer.status, await answer.json(content_type=None)

    async def written(self) -> list[Ticket]:
        """Read all tickets that have been written since the last time."""
        ends = await self.consumer.end_offsets(self.consumer.assignment())
        found: list[Ticket] = []
        async with asyncio.timeout(20):
            while any([await self.consumer.position(place) < end for place, end in ends.items()]):
                for messages in (await self.consumer.getmany(timeout_ms=100)).values():
                    found += [decode(TICKETS, one.value, one.headers) for one in messages]
        # Tansu names an end within its last batch: what earlier tests wrote may come once more
        return [ticket for ticket in found if ticket.received_at >= self.since]


@asynccontextmanager
async def open_hotline(broker: str) -> AsyncIterator[Hotline]:
    """Publish the county and run its gateway."""
    settings = settings_for(broker)
    await ensure_topics(settings)
    records: list[tuple[Topic, str, Any]] = [
        *((REGISTRY_AREAS, code, Area(code=code, name=name)) for code, name in AREAS.items()),
        (REGISTRY_SOURCES, hotline().slug, hotline()),
    ]
    async with AIOKafkaProducer(bootstrap_servers=broker, acks="all") as producer:
        for topic, key, record in records:
            await producer.send_and_wait(
                topic.name, encode(record), key=key.encode(), headers=headers_for(topic)
            )
    places = [TopicPartition(TICKETS.name, number) for number in range(settings.broker.partitions)]
    async with (
        Gateway(settings, load_data()) as gateway,
        ClientSession() as session,
        AIOKafkaConsumer(bootstrap_servers=broker, fetch_max_wait_ms=50) as consumer,
    ):
        consumer.assign(places)
        for place, end in (await consumer.end_offsets(places)).items():
            consumer.seek(place, end)
        url = f"http://127.0.0.1:{gateway.port}"
        async with asyncio.timeout(30):
            while not await _is_ready(session, url):
                await asyncio.sleep(0.02)
        yield Hotline(url, session, consumer)


async def _is_ready(session: ClientSession, url: str) -> bool:
    async with session.get(f"{url}/healthz") as answer:
        return answer.status == 200
