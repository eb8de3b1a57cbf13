"""Writing to the broker so that an answer means it is on disk, and surviving the broker's absence."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Protocol, Self

import structlog
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types
from aiokafka.errors import (  # type: ignore[import-untyped]  # ships no types
    KafkaError,
    MessageSizeTooLargeError,
    UnknownError,
    UnknownTopicOrPartitionError,
    UnsupportedVersionError,
)
from msgspec import Struct

from config.settings import BrokerSettings
from domain.codec import Headers
from domain.errors import BrokerUnavailable
from streams.ending import end

log = structlog.get_logger(__name__)

OVERHEAD_BYTES = 1_000
"""What a batch needs beside its values: its own head, keys, headers, lengths."""
MAX_BATCH_BYTES = 256 * 1024
PAUSES_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0)
"""Waits between tries while the broker is away; the last one repeats."""


class Message(Struct, frozen=True):
    """One message on its way; `partition` only where the key must not decide it."""

    topic: str
    key: bytes
    value: bytes
    headers: Headers
    partition: int | None = None


class Writes(Protocol):
    """Somebody who takes messages and returns when they are on disk."""

    async def write(self, messages: Sequence[Message]) -> None:
        """Write messages; BrokerUnavailable when that cannot be said of all of them."""


async def open_producer(broker: BrokerSettings, timeout_seconds: float = 10.0) -> AIOKafkaProducer:
    """Start a producer with acks=all, idempotent where the broker can.

    The embedded broker refuses producer ids; there a repeated try may write a message twice, which every
    reader bears because ids come from causes. KafkaError when the broker is away.
    """
    for idempotent in (True, False):
        producer = AIOKafkaProducer(
            bootstrap_servers=broker.bootstrap,
            acks="all",
            enable_idempotence=idempotent,
            linger_ms=0,
            max_batch_size=min(MAX_BATCH_BYTES, broker.max_message_bytes),
            max_request_size=broker.max_message_bytes,
            request_timeout_ms=max(500, int(timeout_seconds * 900)),  # its reason comes before our timeout
            retry_backoff_ms=50,
        )
        try:
            with _not_told_twice():
                await producer.start()
        except (UnknownError, UnsupportedVersionError):
            await producer.stop()
            if not idempotent:
                raise
        except BaseException:
            await producer.stop()
            raise
        else:
            return producer
    raise AssertionError("unreachable")


@contextmanager
def _not_told_twice() -> Iterator[None]:
    """Keep aiokafka from logging as an error that the broker gives no producer ids: we go on without."""

    def is_news(record: logging.LogRecord) -> bool:
        return "InitProducerId" not in str(record.msg)

    sender = logging.getLogger("aiokafka.producer.sender")
    sender.addFilter(is_news)
    try:
        yield
    finally:
        sender.removeFilter(is_news)


class Writer:
    """A producer that opens itself when the broker is there, and again after it was lost."""

    def __init__(self, broker: BrokerSettings, timeout_seconds: float) -> None:
        """Take where the broker is, and how long a message may take before it counts as not delivered."""
        self._broker = broker
        self._timeout_seconds = timeout_seconds
        self._producer: AIOKafkaProducer | None = None
        self._lost = asyncio.Event()
        self._ready = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        """Start to look for the broker; returns at once."""
        self._keeper = asyncio.create_task(self._keep(), name="writer")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._keeper:
            await end(self._keeper)
        self._ready.clear()
        if self._producer:
            self._close(self._producer)
        if self._closing:
            _, unfinished = await asyncio.wait(self._closing, timeout=self._timeout_seconds)
            for task in unfinished:
                log.warning("producer_not_stopped")
                task.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)

    @property
    def is_ready(self) -> bool:
        """Say whether the broker answered last time."""
        return self._ready.is_set()

    async def ready(self) -> None:
        """Wait until the broker answers."""
        await self._ready.wait()

    async def write(self, messages: Sequence[Message]) -> None:
        """Write messages and wait until the broker has them all on disk.

        BrokerUnavailable when it does not say so in time: some may have been written even then.
        """
        producer = self._producer
        if producer is None or not self._ready.is_set():
            raise BrokerUnavailable
        pending: list[asyncio.Future[Any]] = []
        try:
            async with asyncio.timeout(self._timeout_seconds):
                for message in messages:
                    sent = await producer.send(
                        message.topic,
                        message.value,
                        key=message.key,
                        headers=message.headers,
                        partition=message.partition,
                    )
                    pending.append(sent)  # a failure in the middle must still find the ones before
                await asyncio.gather(*pending)
        except (UnknownTopicOrPartitionError, MessageSizeTooLargeError) as error:
            # The broker is there and does not suit the settings: another producer would not help.
            topics = sorted({message.topic for message in messages})
            log.warning("topic_does_not_take_it", topics=topics, error=type(error).__name__)
            raise BrokerUnavailable from error
        except (KafkaError, TimeoutError) as error:
            for future in pending:
                if not future.cancel() and not future.cancelled():
                    future.exception()
            self._lose(producer, error)
            raise BrokerUnavailable from error

    def _lose(self, producer: AIOKafkaProducer, error: Exception) -> None:
        """Note that the broker did not answer; until it does again nothing is tried."""
        if producer is self._producer and self._ready.is_set():  # not when a new one is open already
            self._ready.clear()
            log.warning("broker_is_away", error=type(error).__name__)
            self._lost.set()

    async def _keep(self) -> None:
        """Open the producer, and open a new one after each loss.

        A new one rather than the old one, since an idempotent producer that gave a message up cannot go on.
        """
        told = False
        while True:
            tries = 0
            while True:
                try:
                    self._producer = await open_producer(self._broker, self._timeout_seconds)
                    break
                except (KafkaError, OSError, TimeoutError) as error:
                    if not told:
                        log.warning("broker_is_away", error=type(error).__name__)
                        told = True
                    await asyncio.sleep(PAUSES_SECONDS[min(tries, len(PAUSES_SECONDS) - 1)])
                    tries += 1
            self._lost.clear()
            self._ready.set()
            log.info("broker_is_there", bootstrap=self._broker.bootstrap)
            await self._lost.wait()
            told = True
            lost, self._producer = self._producer, None
            self._close(lost)

    def _close(self, producer: AIOKafkaProducer) -> None:
        """Stop a producer aside: while the broker is away it holds on to what it was given."""
        task = asyncio.create_task(_stop(producer), name="writer_closing")
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


async def _stop(producer: AIOKafkaProducer) -> None:
    try:
        await producer.stop()
    except KafkaError as error:
        log.warning("producer_not_stopped", error=type(error).__name__)


async def repeat(seconds: float, action: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Do something every so many seconds for ever; the broker's absence is borne."""
    while True:
        with suppress(BrokerUnavailable):  # told by the writer already
            await action()
        await asyncio.sleep(seconds)
