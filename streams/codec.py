"""Between Faust and the rest: raw topics, events as plain messages, sending, and the changelog behind the table.

Beside `streams/app.py` the only file that knows Faust.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping
from functools import partial
from typing import Any, cast

import faust
from aiokafka import TopicPartition  # type: ignore[import-untyped]  # ships no types
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

    def let_fetch(self, places: list[TP], *, wanted: bool) -> None:
        """Have partitions fetched or not; to be called in this thread."""
        consumer = self._ensure_consumer()
        assigned = consumer.assignment() & {TopicPartition(place.topic, place.partition) for place in places}
        if assigned:
            (consumer.resume if wanted else consumer.pause)(*assigned)


class _Consumer(driver.Consumer):
    """Commits what was acknowledged and nothing else, and does not fetch the changelog but for recovery."""

    def _new_consumer_thread(self) -> _ConsumerThread:
        return _ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def _new_offset(self, tp: TP) -> int | None:
        """Tell up to where a partition may be committed: here an acknowledgement speaks for all messages before it.

        Faust takes offsets that it did not see for compacted ones, and commits them. It sees such gaps also where it
        seeks while messages are on their way, as it does when it starts; then they are in its list twice and it commits
        one message a second (seen on Apache Kafka), or what nobody has worked off.
        """
        acknowledged = self._acked[tp]
        if not acknowledged:
            return None
        newest = max(acknowledged)
        acknowledged.clear()
        self._acked_index[tp].clear()
        self._gap.pop(tp, None)
        return newest + 1

    async def perform_seek(self) -> None:
        """Go to what was committed, and let no message through until the streams are resumed.

        After recovery Faust lets partitions be fetched, seeks, and then empties the streams' buffers. What was fetched after
        the seek and before that was thrown away and never read again: on a busy machine 256 messages at a time (seen).
        With the flow stopped Faust discards such a fetch and seeks back by itself.
        """
        if self.flow_active:
            self.stop_flow()
        await super().perform_seek()

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Go to what was committed, and to the beginning where nothing ever was.

        aiokafka leaves a partition that nothing was committed for where it stands, which is behind what was fetched and
        discarded: a worker that was killed before its first commit cost the next one the topic's first messages (seen).
        """
        committed: Mapping[TP, int] = await super().seek_to_committed()
        unread = [
            place for place, offset in committed.items() if not offset and not self._is_changelog_tp(place)
        ]
        if unread:
            await self._thread.seek_to_beginning(*unread)
        return committed

    def pause_partitions(self, tps: Iterable[TP]) -> None:
        """Let the streams have nothing more of these."""
        tps = set(tps)
        super().pause_partitions(tps)
        self._let_fetch(tps, wanted=False)

    def resume_partitions(self, tps: Iterable[TP]) -> None:
        """Let the streams have these again."""
        tps = set(tps)
        super().resume_partitions(tps)
        self._let_fetch(tps, wanted=True)

    def _let_fetch(self, tps: Iterable[TP], *, wanted: bool) -> None:
        """Have changelogs fetched or not.

        Otherwise what this worker writes there would be sent back to it, lie in a buffer that nobody empties, and keep
        aiokafka from fetching anything else for a tenth of a second each time.
        """
        changelogs = [place for place in tps if self._is_changelog_tp(place)]
        if changelogs:
            thread = cast(_ConsumerThread, self._thread)
            thread.thread_loop.call_soon_threadsafe(partial(thread.let_fetch, changelogs, wanted=wanted))


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
