"""Messages that were read and not yet stored: the gravest alerts first, versions of one alert in their order.

When alerts come faster than they can be stored, a red one must not wait behind thousands of blue ones. What may be committed
is all before the first message of each partition that is not stored yet, so that a crash loses nothing.
"""

import heapq
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import count
from uuid import UUID

import msgspec
from aiokafka import ConsumerRecord, TopicPartition  # type: ignore[import-untyped]  # ships no types

from domain.topics import ALERTS

FIRST = -1_000
"""The rank of what is no alert, or none that can be read: it costs little, and should be told of soon."""


class Rank(msgspec.Struct):
    """What decides when an alert's turn comes."""

    id: UUID
    level: int


class Backlog:
    """Keeps messages until they are stored; it is for one consumer and one loop."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._turns: list[tuple[int, int, object]] = []
        self._waiting: dict[object, deque[ConsumerRecord]] = {}
        self._pending: dict[TopicPartition, set[int]] = {}
        self._read_to: dict[TopicPartition, int] = {}
        self._committed: dict[TopicPartition, int] = {}
        self._numbers = count()
        self._size = 0

    def __len__(self) -> int:
        """Count the messages that wait for their turn."""
        return self._size

    def add(self, batch: Mapping[TopicPartition, Sequence[ConsumerRecord]]) -> None:
        """Take in what was read."""
        for place, messages in batch.items():
            for message in messages:
                rank, subject = _rank(message)
                number = next(self._numbers)
                subject = number if subject is None else subject
                self._waiting.setdefault(subject, deque()).append(message)
                heapq.heappush(self._turns, (rank, number, subject))
                self._pending.setdefault(place, set()).add(message.offset)
                self._read_to[place] = message.offset + 1
                self._size += 1

    def take(self, most: int) -> list[ConsumerRecord]:
        """Hand out about so many messages, gravest first; with an alert go its versions that wait, oldest first."""
        taken: list[ConsumerRecord] = []
        while self._turns and len(taken) < most:
            _, _, subject = heapq.heappop(self._turns)
            taken += self._waiting.pop(subject, ())  # those whose turn came with a graver version are gone
        self._size -= len(taken)
        return taken

    def done(self, messages: Iterable[ConsumerRecord]) -> None:
        """Note that messages are stored."""
        for message in messages:
            self._pending[TopicPartition(message.topic, message.partition)].discard(message.offset)

    def lag(self, place: TopicPartition, end: int) -> int:
        """Count the messages of a partition that are not stored, read or not; `end` is the offset behind its last."""
        return max(end - self._read_to.get(place, end), 0) + len(self._pending.get(place, ()))

    def offsets(self, assigned: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """Tell what may be committed of the partitions that are still ours, where it is more than the last time."""
        found = {
            place: min(self._pending[place], default=end)
            for place, end in self._read_to.items()
            if place in assigned
        }
        news = {place: offset for place, offset in found.items() if self._committed.get(place) != offset}
        self._committed |= news
        return news


def _rank(message: ConsumerRecord) -> tuple[int, object]:
    """Tell when a message's turn comes, the lowest first, and which alert it is about."""
    if message.topic != ALERTS.name:
        return FIRST, None
    try:
        alert = msgspec.json.decode(message.value or b"", type=Rank)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return FIRST, None
    return -alert.level, alert.id
