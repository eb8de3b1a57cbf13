"""The gateway on Apache Kafka itself, whose producers are idempotent: killed in the middle and started again."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from aiohttp import ClientSession
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types

from config.data import load_data
from config.settings import BrokerSettings, GatewaySettings, Secret, Settings
from domain.codec import decode, encode
from domain.levels import Feed
from domain.registry import Area, Source
from domain.topics import REGISTRY_AREAS, REGISTRY_SOURCES, TICKETS
from fenghuo.embedded import apache_kafka
from fenghuo.topics import ensure_topics
from streams.gateway import Gateway

pytestmark = pytest.mark.kafka

JARS = Path(__file__).parents[2] / ".kafka" / "jars"
AREA = Area(code="990199001", name="示例")
SOURCE = Source(
    slug="hotline", token_sha256=sha256(b"token").hexdigest(), feeds=(Feed.TICKETS,), area="990199"
)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait for a condition, at most a minute."""
    async with asyncio.timeout(60):
        while not await condition():
            await asyncio.sleep(0.05)


async def test_kafka_restarts_under_load_and_nothing_accepted_is_lost(tmp_path: Path, free_port: int) -> None:
    """Tickets are sent throughout a restart of the broker: each that got 202 is there afterwards."""
    settings = Settings(
        broker=BrokerSettings(bootstrap=f"127.0.0.1:{free_port}"),
        gateway=GatewaySettings(port=0, send_timeout_seconds=2.0),
        personal_key=Secret(base64.b64encode(bytes(32)).decode()),
    )
    accepted: set[str] = set()
    refused: set[int] = set()
    number = 0

    async def send() -> bool:
        nonlocal number
        number += 1
        body = {
            "order_number": str(number),
            "observed_at": datetime.now(UTC).isoformat(),
            "area": AREA.code,
            "text": "x",
        }
        headers = {"Authorization": "Bearer token", "Content-Type": "application/json"}
        async with session.post("/v1/tickets", data=json.dumps(body), headers=headers) as response:
            if response.status != 202:
                refused.add(response.status)
                return False
            accepted.add((await response.json())["ids"][0])
            return True

    async with (
        Gateway(settings, load_data()) as gateway,
        ClientSession(f"http://127.0.0.1:{gateway.port}") as session,
    ):
        async with apache_kafka(tmp_path, JARS, free_port):
            await ensure_topics(settings)
            async with AIOKafkaProducer(bootstrap_servers=settings.broker.bootstrap) as producer:
                await producer.send_and_wait(REGISTRY_AREAS.name, encode(AREA), key=b"a")
                await producer.send_and_wait(REGISTRY_SOURCES.name, encode(SOURCE), key=b"s")
            await until(send)
            before = [send() for _ in range(200)]
            await asyncio.gather(*before)
            cut = asyncio.gather(*(send() for _ in range(200)))
        await cut
        assert not await send()
        async with apache_kafka(tmp_path, JARS, free_port):
            await until(send)
            await asyncio.gather(*(send() for _ in range(200)))
            consumer = AIOKafkaConsumer(
                TICKETS.name, bootstrap_servers=settings.broker.bootstrap, auto_offset_reset="earliest"
            )
            found: set[str] = set()
            async with asyncio.timeout(60), consumer:
                while not accepted <= found:
                    message = await consumer.getone()
                    found.add(str(decode(TICKETS, message.value, message.headers).id))
    assert refused == {503}
    assert len(accepted) > 400
