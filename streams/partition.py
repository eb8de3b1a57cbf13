"""One partition at one desk: worked on in memory, written down every few seconds, and only then acknowledged.

For each desk and partition: load the newest snapshot, skip what it covers, work, write the next snapshot, wait until it
is on the broker's disk, acknowledge. Output goes out before the snapshot that covers its cause, so a crash sends it
again, with the same ids. A desk that decides by the clock cannot promise the same decision again; `by_clock` puts its
output into the snapshot and sends it afterwards, and what a crash left unsent is sent after loading.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol

import msgspec
import structlog

from config.metrics import OUTPUTS, REJECTED
from domain.errors import Fault, InvalidInput
from streams.checkpoint import Records, Snapshot, Writer
from streams.desk import Desk, Incoming, Outgoing
from streams.merging import Ends
from streams.metrics import DETECTION_SECONDS
from streams.producer import Message
from streams.setaside import set_aside

log = structlog.get_logger(__name__)

SAVED_BYTES_PER_SECOND = 4 * 1024 * 1024
"""A large state is written less often, so that its snapshots do not crowd out the readings."""


class Broker(Ends, Protocol):
    """What partitions need of Faust: sending, how far topics go, and the changelog behind the table."""

    async def send(self, message: Message) -> Awaitable[Any]:
        """Hand a message over; the answer is done when it is on the broker's disk."""
        ...

    async def append(self, partition: int, key: bytes, value: bytes | None) -> None:
        """Write a record of a partition's changelog; returns when it is on the broker's disk."""
        ...

    def records(self) -> Mapping[bytes, bytes]:
        """All records that were read back from the changelogs of this worker's partitions."""
        ...

    def generation(self) -> int:
        """Count the group's rebalances, as the broker does."""
        ...


OUTGOING = "outgoing"
"""The piece that holds output still to be sent; desks must not use the name."""


class Partition:
    """One desk at one partition, with the offsets it has worked off and what is not yet written down."""

    def __init__(
        self,
        number: int,
        desk: Desk,
        writer: Writer,
        broker: Broker,
        now: Callable[[], datetime],
        *,
        name: str,
        by_clock: bool,
    ) -> None:
        """Take the parts; `Partitions` puts them together."""
        self.number = number
        self.desk = desk
        self.name = name
        self.saved_at = time.monotonic()
        self.changed_at: float | None = None
        """When the oldest work was done that no snapshot was begun for; None when there is none."""
        self.saving_since: float | None = None
        self._is_closed = False
        self.worked = 0
        """Messages worked off since it was loaded."""
        self.offsets: dict[str, int] = {}
        self._saved_offsets: dict[str, int] = {}
        self._now = now
        self._writer = writer
        self._broker = broker
        self._by_clock = by_clock
        self._outgoing: Outgoing = []
        self._sent: list[Awaitable[Any]] = []
        self._unacknowledged: list[Callable[[], object]] = []
        self._sending = asyncio.Lock()
        self._saving = asyncio.Lock()
        self._saved_bytes = 0
        self._waited = False
        self._seconds = DETECTION_SECONDS.labels(name)

    def resume(self, snapshot: Snapshot) -> None:
        """Go on from a snapshot; ValueError when its state is of another form."""
        outgoing = snapshot.pieces.pop(OUTGOING, None)
        self.desk.restore(snapshot.pieces)
        self.skip_to(snapshot.offsets)
        if outgoing is not None:
            self._waited = True
            self._put_out(msgspec.msgpack.decode(outgoing, type=list[Message]))
        if self._outgoing:
            self.touch()

    def skip_to(self, offsets: Mapping[str, int]) -> None:
        """Take it that everything below these offsets has been worked off and written down."""
        self.offsets = dict(offsets)
        self._saved_offsets = dict(offsets)

    def take(self, message: Incoming) -> None:
        """Work off one message, or skip it if the state covers it already; never waits, never fails."""
        if message.offset < self.offsets.get(message.topic, 0) and not self._is_made_anew(message):
            self._skip(message)
            return
        expected = self.offsets.get(message.topic, message.offset)
        if message.offset > expected:  # normal on compacted topics and after retention, else not
            log.info(
                "offsets_skipped", topic=message.topic, partition=self.number, at=expected, to=message.offset
            )
        started = time.perf_counter()
        try:
            outgoing = self.desk.take(message)
        except InvalidInput as error:
            outgoing = self._refuse(message, "undecodable", error.faults)
        except Exception as error:  # the outermost loop: one message must not stop the others
            log.exception(
                "message_failed", topic=message.topic, partition=message.partition, offset=message.offset
            )
            outgoing = self._refuse(
                message, "failed", [Fault("value", f"could not be worked off: {type(error).__name__}")]
            )
        self._put_out(outgoing)
        self.offsets[message.topic] = message.offset + 1
        self.worked += 1
        self._unacknowledged.append(message.acknowledge)
        self.touch()
        self._seconds.observe(time.perf_counter() - started)

    def tick(self, now: datetime) -> None:
        """Let time pass at the desk."""
        self._put_out(self.desk.tick(now))
        self.touch()

    def close(self) -> None:
        """Write and acknowledge nothing any more: the partition may belong to another worker."""
        self._is_closed = True

    def is_closed(self) -> bool:
        """Say whether it may belong to another worker."""
        return self._is_closed

    def touch(self) -> None:
        """Note that there is something to write down."""
        if self.changed_at is None:
            self.changed_at = time.monotonic()

    @property
    def is_urgent(self) -> bool:
        """Say whether output waits for a snapshot."""
        return self._by_clock and bool(self._outgoing)

    def is_due(self, seconds: float) -> bool:
        """Say whether it is time for a snapshot."""
        if self.changed_at is None:
            return False
        pause = max(seconds, self._saved_bytes / SAVED_BYTES_PER_SECOND)
        return self.is_urgent or time.monotonic() - self.changed_at >= pause

    async def flush(self) -> None:
        """Send what has been put out, unless it has to wait for a snapshot."""
        if self._outgoing and not self._by_clock:
            async with self._sending:
                await self._send()

    async def save(self) -> None:
        """Write the state down and acknowledge what it covers; nothing to do when nothing changed.

        Errors of the broker pass through, and this partition must not be used after one: what is on the broker is then
        unknown, and a new start from there is the way.
        """
        async with self._saving:
            if self.changed_at is None or self.is_closed():
                return
            async with self._sending:
                # From here to the end of this block nothing may wait between the parts, so that state, offsets and
                # output are of one moment.
                self._put_out(self.desk.collect())
                waiting = list(self._outgoing) if self._by_clock else []
                pieces = self.desk.dump()
                if waiting or self._waited:
                    pieces[OUTGOING] = msgspec.msgpack.encode(waiting)
                self._waited = bool(waiting)
                changed = bool(pieces or self._unacknowledged) or self.offsets != self._saved_offsets
                snapshot = Snapshot(dict(self.offsets), pieces)
                covered, self._unacknowledged = self._unacknowledged, []
                self.changed_at, self.saving_since = None, self.changed_at
                if self._by_clock:
                    self._outgoing = []
                else:
                    await self._send()
                sent, self._sent = self._sent, []
            for future in sent:
                await future
            if not changed:
                self.saving_since = None
                return
            blocks, head, stale = await asyncio.to_thread(self._writer.cut, snapshot)
            self._saved_bytes = sum(len(value or b"") for _, value in blocks + head)
            await self._append(blocks)
            await self._append(head)
            for message in waiting:
                self._sent.append(await self._hand_over(message))
            sent, self._sent = self._sent, []
            for future in sent:
                await future
            if waiting:
                self.touch()  # so that the next snapshot holds them no longer
            await self._append(stale)
            if self.is_closed():
                return  # another worker may own it by now, and acknowledging would be in its name
            self._saved_offsets = snapshot.offsets
            for acknowledge in covered:
                acknowledge()
            self.saved_at = time.monotonic()
            self.saving_since = None

    def _skip(self, message: Incoming) -> None:
        """Acknowledge what came again, but not before it is written down."""
        if message.offset < self._saved_offsets.get(message.topic, 0):
            message.acknowledge()
        else:
            self._unacknowledged.append(message.acknowledge)
            self.touch()

    def _is_made_anew(self, message: Incoming) -> bool:
        """Find out that a topic was deleted and made again: its messages are new, whatever their offsets say."""
        end = self._broker.end_of(message.topic, message.partition)
        if end is None or end >= self.offsets[message.topic]:
            return False
        log.warning("topic_made_anew", topic=message.topic, partition=message.partition, end=end)
        del self.offsets[message.topic]
        self._saved_offsets.pop(message.topic, None)
        return True

    def _refuse(self, message: Incoming, reason: str, faults: Iterable[Fault]) -> Outgoing:
        REJECTED.labels("stream", message.topic.removeprefix("feed."), reason).inc()
        log.warning(
            "message_refused",
            reason=reason,
            topic=message.topic,
            partition=message.partition,
            offset=message.offset,
        )
        return [set_aside(message, reason, faults, self._now())]

    def _put_out(self, outgoing: Outgoing) -> None:
        self._outgoing.extend(outgoing)
        for message in outgoing:
            OUTPUTS.labels("stream", message.topic).inc()

    async def _send(self) -> None:
        outgoing, self._outgoing = self._outgoing, []
        for message in outgoing:
            self._sent.append(await self._hand_over(message))

    async def _hand_over(self, message: Message) -> Awaitable[Any]:
        return await self._broker.send(message)

    async def _append(self, records: Records) -> None:
        for key, value in records:
            await self._broker.append(self.number, key, value)
