"""Where partitions end, also on the embedded broker."""

from collections.abc import Iterable

from aiokafka import AIOKafkaConsumer, TopicPartition  # type: ignore[import-untyped]  # ships no types


async def ends_of(consumer: AIOKafkaConsumer, places: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
    """Tell the offset after the newest message of each partition; the consumer is assigned to them and moved.

    Asked for the latest offset, Tansu 0.6 names the one after the *first* message of the last batch (measured), so that the
    rest of the batch would be missed. What comes with fetched messages is right, on every broker: each partition is
    read from there once.
    """
    places = list(places)
    if not places:
        return {}
    consumer.assign(places)
    said: dict[TopicPartition, int] = await consumer.end_offsets(places)
    filled = [place for place in places if said[place] > 0]
    for place in filled:
        consumer.seek(place, said[place] - 1)
    waiting = filled
    while waiting:
        await consumer.getmany(*waiting, timeout_ms=100)
        waiting = [place for place in waiting if consumer.highwater(place) is None]
    return {place: max(said[place], consumer.highwater(place) or 0) for place in places}
