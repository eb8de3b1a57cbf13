"""Reads topics from their beginning to where they end now, for counting and replay; joins no group, commits nothing."""

from collections.abc import AsyncIterator

from aiokafka import (  # type: ignore[import-untyped]  # ships no types
    AIOKafkaConsumer,
    ConsumerRecord,
    TopicPartition,
)

from domain.topics import Topic
from streams.ends import ends_of


async def read_to_end(bootstrap: str, *topics: Topic) -> AsyncIterator[ConsumerRecord]:
    """Yield every message that stands on the topics at the moment of the call; order holds within a partition."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        names = [topic.name for topic in topics]
        places = [
            TopicPartition(name, number)
            for name in names
            for number in sorted(await _partitions(consumer, name))
        ]
        ends = await ends_of(consumer, places)
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
        places = [
            TopicPartition(topic.name, number)
            for topic in topics
            for number in sorted(await _partitions(consumer, topic.name))
        ]
        return await ends_of(consumer, places)
    finally:
        await consumer.stop()


async def _partitions(consumer: AIOKafkaConsumer, name: str) -> set[int]:
    await consumer.topics()  # asks the broker for metadata of all topics
    return consumer.partitions_for_topic(name) or set()
