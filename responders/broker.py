"""Connections to the broker for as long as a loop runs; the broker's absence becomes BrokerUnavailable."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types
from aiokafka.errors import KafkaError  # type: ignore[import-untyped]  # ships no types

from config.settings import BrokerSettings
from domain.errors import BrokerUnavailable

REQUEST_MILLISECONDS = 10_000
LONGEST_ROUND_MILLISECONDS = 600_000
"""How long a round may take, waiting for the database, before the broker gives our partitions to another process."""


@asynccontextmanager
async def open_producer(broker: BrokerSettings) -> AsyncIterator[AIOKafkaProducer]:
    """Open a producer whose sends return when every replica has the message.

    Not idempotent at the protocol's level (the embedded broker has no producer ids): a message may stand twice after a
    retry, which the ids inside make harmless.
    """
    producer = AIOKafkaProducer(
        bootstrap_servers=broker.bootstrap,
        acks="all",
        max_request_size=broker.max_message_bytes,
        request_timeout_ms=REQUEST_MILLISECONDS,
    )
    try:
        await producer.start()
        yield producer
    except (KafkaError, OSError) as error:
        raise BrokerUnavailable from error
    finally:
        await producer.stop()


@asynccontextmanager
async def open_consumer(
    broker: BrokerSettings, group: str | None, *topics: str, wait_milliseconds: int = 500
) -> AsyncIterator[AIOKafkaConsumer]:
    """Open a consumer that commits by hand and begins with the oldest message; leaves the group in order.

    `wait_milliseconds` is how long the broker may hold an empty answer back. Kafka answers as soon as a message comes; the
    embedded broker looks for messages only now and then within that time, so it bounds the latency there.
    """
    session = int(broker.session_timeout_seconds * 1000)
    consumer = AIOKafkaConsumer(
        *topics,
        bootstrap_servers=broker.bootstrap,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        session_timeout_ms=session,
        heartbeat_interval_ms=session // 3,
        rebalance_timeout_ms=int(broker.rebalance_timeout_seconds * 1000),
        max_poll_interval_ms=LONGEST_ROUND_MILLISECONDS,
        fetch_max_wait_ms=wait_milliseconds,
        max_partition_fetch_bytes=broker.max_message_bytes * 2,
    )
    try:
        await consumer.start()
        yield consumer
    except (KafkaError, OSError) as error:
        raise BrokerUnavailable from error
    finally:
        await consumer.stop()
