"""State, output and acknowledgement belong together, whatever fails."""

import asyncio
from collections.abc import Awaitable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.errors import Fault, InvalidInput
from streams.agents import work_off
from streams.desk import Incoming, Outgoing
from streams.partitions import Partitions
from streams.producer import Message

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)


class FakeBroker:
    """Remembers what was sent and appended, in one order; `fails_after` records it is gone."""

    def __init__(self) -> None:
        self.log: list[Message | tuple[bytes, bytes | None]] = []
        self.changelog: dict[bytes, bytes] = {}
        self.fails_after: int | None = None
        self.end: int | None = None

    async def send(self, message: Message) -> Awaitable[Any]:
        """Take a message."""
        return self._done(message)

    async def append(self, partition: int, key: bytes, value: bytes | None) -> None:
        """Take a record of the changelog."""
        self._done((key, value))
        if value is None:
            self.changelog.pop(key, None)
        else:
            self.changelog[key] = value

    def records(self) -> Mapping[bytes, bytes]:
        """Hand out the changelog."""
        return self.changelog

    def generation(self) -> int:
        """Stand at the first generation."""
        return 1

    def end_of(self, topic: str, partition: int) -> int | None:
        """Tell the end that the test set."""
        return self.end

    def committed(self, topic: str, partition: int) -> int:
        """Tell that nothing is acknowledged."""
        return 0

    @property
    def sent(self) -> list[bytes]:
        """The values of all messages sent."""
        return [entry.value for entry in self.log if isinstance(entry, Message)]

    def _done(self, entry: Message | tuple[bytes, bytes | None]) -> Awaitable[Any]:
        if self.fails_after is not None and len(self.log) >= self.fails_after:
            raise ConnectionError
        self.log.append(entry)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        future.set_result(None)
        return future


class Adder:
    """Adds numbers up and says each sum; `?` cannot be decoded, `!` is a fault of ours."""

    def __init__(self) -> None:
        self.total = 0

    def take(self, message: Incoming) -> Outgoing:
        """Add a number."""
        if message.value in (None, b"?"):
            raise InvalidInput([Fault("value", "is no number")])
        self.total += int(message.value or b"")
        return [Message("sums", b"k", str(self.total).encode(), [])]

    def tick(self, now: datetime) -> Outgoing:
        """Do nothing."""
        return []

    def collect(self) -> Outgoing:
        """Say the sum at each snapshot."""
        return [Message("rollups", b"k", str(self.total).encode(), [])]

    def dump(self) -> dict[str, bytes]:
        """Write the sum down."""
        return {"total": str(self.total).encode()}

    def restore(self, pieces: dict[str, bytes]) -> None:
        """Take up the sum."""
        self.total = int(pieces["total"])


class Feed:
    """Messages with offsets, and which of them were acknowledged."""

    def __init__(self, *values: bytes | None) -> None:
        self.values = values
        self.acknowledged: list[int] = []

    def message(self, offset: int) -> Incoming:
        """One message."""
        return Incoming(
            "feed.numbers", 0, offset, self.values[offset], {}, 0, lambda: self.acknowledged.append(offset)
        )

    async def messages(self, start: int = 0, end: int | None = None) -> Any:
        """Messages from one offset up to another."""
        for offset in range(start, len(self.values) if end is None else end):
            yield self.message(offset)


def adders(broker: FakeBroker, *, by_clock: bool = False) -> Partitions:
    """Adders on a broker."""
    return Partitions(
        "adder", ("feed.numbers",), lambda number: Adder(), broker, lambda: NOW, by_clock=by_clock
    )


async def test_acknowledged_only_after_the_snapshot() -> None:
    """Output goes out at once; nothing is acknowledged before the snapshot that covers it is written."""
    broker, feed = FakeBroker(), Feed(b"1", b"2")
    partitions = adders(broker)
    await work_off(feed.messages(), partitions)
    assert (broker.sent, feed.acknowledged) == ([b"1", b"3"], [])
    await partitions.save()
    assert feed.acknowledged == [0, 1]
    assert broker.sent == [b"1", b"3", b"3"]  # with the roll-up, before the snapshot
    assert isinstance(broker.log[-1], tuple)


async def test_restart_goes_on_from_the_snapshot() -> None:
    """After a crash the state is that of the snapshot, and what it covers is skipped."""
    broker, feed = FakeBroker(), Feed(b"1", b"2", b"3")
    partitions = adders(broker)
    await work_off(feed.messages(0, 2), partitions)
    await partitions.save()
    await work_off(feed.messages(2, 3), partitions)
    again = adders(broker)  # the third was worked off but not written down
    feed.acknowledged.clear()
    await work_off(feed.messages(), again)
    assert feed.acknowledged == [0, 1]
    assert broker.sent[-1] == b"6"
    await again.save()
    assert feed.acknowledged == [0, 1, 2]


@pytest.mark.parametrize("fails_after", range(5))
async def test_failing_broker_acknowledges_nothing(fails_after: int) -> None:
    """Wherever the broker fails, nothing is acknowledged that a restart would not find again."""
    broker, feed = FakeBroker(), Feed(b"1", b"2")
    partitions = adders(broker)
    broker.fails_after = fails_after

    async def work() -> None:
        await work_off(feed.messages(), partitions)
        await partitions.save()
        await work_off(Feed(b"1", b"2", b"3").messages(2), partitions)

    with pytest.raises(ConnectionError):
        await work()
    covered = len(feed.acknowledged)
    broker.fails_after = None
    again = adders(broker)
    assert again.of(0).offsets.get("feed.numbers", 0) >= covered
    await work_off(feed.messages(covered), again)
    assert isinstance(again.of(0).desk, Adder)
    assert again.of(0).desk.dump() == {"total": b"3"}


async def test_by_clock_output_waits_for_the_snapshot() -> None:
    """A desk that decides by the clock writes its output down before it is sent."""
    broker, feed = FakeBroker(), Feed(b"1")
    partitions = adders(broker, by_clock=True)
    await work_off(feed.messages(), partitions)
    assert (broker.sent, partitions.urgent.is_set()) == ([], True)
    await partitions.save(3600.0)
    assert isinstance(broker.log[0], tuple)
    assert broker.sent == [b"1", b"1"]


async def test_by_clock_output_is_sent_again_after_a_crash() -> None:
    """What was written down but perhaps not sent before a crash is sent afterwards, unchanged, and then forgotten."""
    broker, feed = FakeBroker(), Feed(b"1")
    partitions = adders(broker, by_clock=True)
    await work_off(feed.messages(), partitions)
    broker.fails_after = 1
    with pytest.raises(ConnectionError):
        await partitions.save()
    broker.fails_after = None
    again = adders(broker, by_clock=True)
    again.hold([0])
    assert again.urgent.is_set()
    await again.save(3600.0)
    assert broker.sent[:2] == [b"1", b"1"]
    assert not again.of(0).is_urgent


@pytest.mark.parametrize("value", [None, b"?", b"!"])
async def test_poison_is_set_aside(value: bytes | None) -> None:
    """What cannot be worked off goes to feed.rejected and is acknowledged like the rest."""
    broker, feed = FakeBroker(), Feed(b"1", value, b"2")
    partitions = adders(broker)
    await work_off(feed.messages(), partitions)
    await partitions.save()
    topics = [entry.topic for entry in broker.log if isinstance(entry, Message)]
    assert topics == ["sums", "feed.rejected", "sums", "rollups"]
    assert feed.acknowledged == [0, 1, 2]


async def test_dropped_partition_acknowledges_nothing() -> None:
    """A partition that went to another worker is neither written nor acknowledged any more."""
    broker, feed = FakeBroker(), Feed(b"1")
    partitions = adders(broker)
    await work_off(feed.messages(), partitions)
    held = partitions.of(0)
    partitions.drop()
    await held.save()
    assert (broker.changelog, feed.acknowledged) == ({}, [])


async def test_repeated_delivery_waits_for_its_snapshot() -> None:
    """A message that comes again before its snapshot is not worked off twice, nor acknowledged before it."""
    broker, feed = FakeBroker(), Feed(b"1")
    partitions = adders(broker)
    await work_off(feed.messages(), partitions)
    await work_off(feed.messages(), partitions)
    assert (broker.sent, feed.acknowledged) == ([b"1"], [])
    await partitions.save()
    assert feed.acknowledged == [0, 0]


async def test_topic_made_anew_is_read() -> None:
    """A topic that was deleted and made again is read from its beginning, though the snapshot knows greater offsets."""
    broker, feed = FakeBroker(), Feed(b"1", b"2", b"3")
    partitions = adders(broker)
    await work_off(feed.messages(), partitions)
    await partitions.save()
    again = adders(broker)
    broker.end = 1
    await work_off(Feed(b"4").messages(), again)
    assert broker.sent[-1] == b"10"


async def test_two_topics_are_worked_off_as_they_were_sent() -> None:
    """What came too early is neither worked off nor acknowledged, and is forgotten when the partition goes."""
    broker = FakeBroker()
    partitions = Partitions(
        "adder", ("feed.numbers", "feed.others"), lambda number: Adder(), broker, lambda: NOW
    )
    acknowledged: list[tuple[str, int]] = []

    def sent(topic: str, offset: int, at: int, value: bytes) -> Incoming:
        return Incoming(topic, 0, offset, value, {}, at, lambda: acknowledged.append((topic, offset)))

    broker.end = 2
    early, late = sent("feed.numbers", 0, 5, b"1"), sent("feed.others", 0, 3, b"10")
    await partitions.take(early)
    await partitions.save()
    assert (broker.sent, acknowledged) == ([], [])
    await partitions.take(late)
    assert broker.sent == [b"10"]  # of `feed.others` one more is on its way, which may be earlier
    partitions.drop()
    await partitions.take(late)
    await partitions.take(early)
    await partitions.take(sent("feed.others", 1, 9, b"100"))
    assert broker.sent == [b"10", b"10", b"11"]
    await partitions.go_on()
    assert broker.sent == [b"10", b"10", b"11"]  # the second number may still come before
    await partitions.take(sent("feed.numbers", 1, 12, b"1000"))
    await partitions.save()
    assert broker.sent[3:5] == [b"111", b"1111"]
    assert acknowledged == [("feed.others", 0), ("feed.numbers", 0), ("feed.others", 1), ("feed.numbers", 1)]
