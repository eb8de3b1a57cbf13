"""Reads topics from their beginning to where they end now, for counting and replay; joins no group, commits nothing."""

from collections.abc import AsyncIterator, Iterable

from aiokafka import (  # type: ignore[import-untyped]  # ships no types
    AIOKafkaConsumer,
    ConsumerRecord,
    TopicPartition,
)
from aiokafka.admin import AIOKafkaAdminClient  # type: ignore[import-untyped]  # ships no types

from domain.topics import Topic
from streams.ends import ends_of


async def read_to_end(bootstrap: str, *topics: Topic) -> AsyncIterator[ConsumerRecord]:
    """Yield every message that stands on the topics at the moment of the call; order holds within a partition."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        places = await _places(bootstrap, topics)
        ends = await ends_of(consumer, places)
        if not ends:
            return  # no such topic
        await consumer.seek_to_beginning(*places)
        waiting = set(places)
        while True:
            waiting = {place for place in waiting if await consumer.position(place) < ends[place]}
            if not waiting:
                return
            for place, messages in (await consumer.getmany(*waiting, timeout_ms=500)).items():
                for message in messages:
                    if message.offset < ends[place]:
                        yield message
    finally:
        await consumer.stop()


async def end_of(bootstrap: str, *topics: Topic) -> dict[TopicPartition, int]:
    """Tell where topics end now."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        places = await _places(bootstrap, topics)
        return await ends_of(consumer, places)
    finally:
        await consumer.stop()


async def _places(bootstrap: str, topics: Iterable[Topic]) -> list[TopicPartition]:
    """Name all partitions of those topics that there are.

    Asked of an admin client: a consumer knows only the topics that it is assigned to, at least on Apache Kafka.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        found = await admin.describe_topics([topic.name for topic in topics])
    finally:
        await admin.close()
    return [
        TopicPartition(topic["topic"], number)
        for topic in found
        if not topic["error_code"]
        for number in sorted(part["partition"] for part in topic["partitions"])
    ]
