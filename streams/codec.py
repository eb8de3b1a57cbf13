"""Between Faust and the rest: raw topics, events as plain messages, sending, and the changelog behind the table.

Beside `streams/app.py` the only file that knows Faust.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping
from typing import Any, cast

import faust
from faust.streams import Stream
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.transports import TransportT
from yarl import URL

from streams.desk import Incoming
from streams.producer import Message

FETCH_WAIT_MILLISECONDS = 20
"""How long the broker may keep an empty fetch. Faust says 1,500 and has no setting for it: Apache Kafka answers as soon
as there is something, but Tansu looks again only when the time is over, which made 750 ms of each hop (measured)."""


class _ConsumerThread(driver.AIOKafkaConsumerThread):
    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MILLISECONDS  # noqa: SLF001  # Faust's is fixed; read once, at start
        return consumer


class _Consumer(driver.Consumer):
    def _new_consumer_thread(self) -> _ConsumerThread:
        return _ConsumerThread(self, loop=self.loop, beacon=self.beacon)


class QuickTransport(driver.Transport):
    """Faust's Kafka transport with a short wait for fetches."""

    Consumer = _Consumer


def use_quick_transport(app: faust.App, servers: list[str]) -> None:
    """Put the transport with the short wait in the place of Faust's own, before the app starts."""
    app.transport = cast(TransportT, QuickTransport([URL(f"kafka://{server}") for server in servers], app))


def raw_topic(app: faust.App, *names: str) -> Any:
    """Name topics whose keys and values are bytes as they came; they are not made here."""
    return app.topic(*names, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")


async def incoming(stream: Stream[bytes]) -> AsyncIterator[Incoming]:
    """Turn a stream's events into messages that are acknowledged by hand."""
    async for event in stream.noack().events():
        message = event.message
        value, message.value, event.value = (
            message.value,
            None,
            None,
        )  # else it would be kept until it is acknowledged
        yield Incoming(
            topic=message.topic,
            partition=message.partition,
            offset=message.offset,
            value=value,
            headers=dict(message.headers or ()),
            sent_at=int((message.timestamp or 0.0) * 1_000_000),
            acknowledge=event.ack,
        )


class FaustBroker:
    """What partitions need, done by Faust's producer, consumer and table."""

    def __init__(self, app: faust.App, table: Any) -> None:
        """Take the app and the table whose changelog holds the snapshots."""
        self._app = app
        self._table = table
        self._appending: dict[int, asyncio.Lock] = {}

    async def send(self, message: Message) -> Awaitable[Any]:
        """Hand a message to the producer."""
        return await self._app.producer.send(
            message.topic, message.key, message.value, message.partition, None, message.headers
        )

    async def append(self, partition: int, key: bytes, value: bytes | None) -> None:
        """Write a record to that very partition of the changelog, and wait until it is on the broker's disk.

        Not by `table[key] = …`: that would take the partition of the event at hand, and cannot be waited for. One by one,
        so that each batch holds one record: where the last batch holds several, recovery on Tansu misses all but the
        first of them (see `streams/ends.py`).
        """
        async with self._appending.setdefault(partition, asyncio.Lock()):
            sent = await self._app.producer.send(
                self._table.changelog_topic_name, key, value, partition, None, None
            )
            await sent

    def records(self) -> Mapping[bytes, bytes]:
        """Read what recovery put into the table."""
        return cast(Mapping[bytes, bytes], self._table.data)

    def generation(self) -> int:
        """Tell the generation of the consumer group."""
        return int(self._app.consumer_generation_id)

    def ends(self) -> Mapping[tuple[str, int], int]:
        """Tell the offset after the newest message of each assigned partition, as of the last fetch."""
        consumer = self._app.consumer
        return {
            (place.topic, place.partition): consumer.highwater(place) or 0 for place in consumer.assignment()
        }

    def committed(self, topic: str, partition: int) -> int:
        """Tell the offset below which everything is acknowledged."""
        consumer = cast(driver.Consumer, self._app.consumer)
        return consumer._committed_offset.get(TP(topic, partition)) or 0  # noqa: SLF001  # told nowhere else

    def end_of(self, topic: str, partition: int) -> int | None:
        """Tell the offset after the newest message, as of the last fetch."""
        return self._app.consumer.highwater(TP(topic, partition))
