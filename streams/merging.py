"""Messages of several topics of one partition in the order in which they were sent, also while a backlog is worked off.

Tickets and reports of a township stand on two topics. A worker that comes back after half an hour would get hundreds of the
one before the first of the other, and judge hours that never were: a cluster is rated by all that is known, so that what was
said on the way would depend on which topic was fetched first. The merge (of sorted streams, Knuth, TAOCP 3, 5.4) holds a
message back while another topic of its partition has messages that have not come yet; in quiet times nothing waits.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Protocol

from streams.desk import Incoming

PATIENCE_SECONDS = 15.0
"""How long a message waits for those of another topic that the broker is known to hold. Longer than a fetch takes on a busy
machine; then it goes ahead: an order that is nearly right beats none."""


class Ends(Protocol):
    """What the broker's client knows of a partition without asking."""

    def end_of(self, topic: str, partition: int) -> int | None:
        """Offset after the newest message, as of the last fetch; None before the first one."""
        ...

    def committed(self, topic: str, partition: int) -> int:
        """Offset below which everything is acknowledged."""
        ...


class Merge:
    """Holds what came too early; forgets all of it when partitions may belong to another worker, which reads it again."""

    def __init__(
        self, topics: Iterable[str], ends: Ends, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Take the topics, of which the earlier goes first at equal times, and how far each of them goes."""
        self._topics = tuple(topics)
        self._ends = ends
        self._monotonic = monotonic
        self._held: dict[int, dict[str, deque[tuple[Incoming, float]]]] = {}
        self._next: dict[tuple[str, int], int] = {}
        self._given_up: dict[tuple[str, int], int | None] = {}

    def put(self, message: Incoming) -> None:
        """Take a message in; `pop` hands it out again."""
        held = self._held.setdefault(message.partition, {topic: deque() for topic in self._topics})
        held[message.topic].append((message, self._monotonic()))
        self._next[message.topic, message.partition] = message.offset + 1

    def pop(self, partition: int) -> Incoming | None:
        """Hand out the partition's earliest message, unless there may be an earlier one that has not come."""
        held = self._held.get(partition, {})
        heads = [(queue[0][0].sent_at, number) for number, queue in enumerate(held.values()) if queue]
        if not heads:
            return None
        queue = held[self._topics[min(heads)[1]]]
        behind = [topic for topic in self._topics if not held[topic] and self._is_behind(topic, partition)]
        if behind and self._monotonic() - queue[0][1] < PATIENCE_SECONDS:
            return None
        for topic in behind:  # nobody waits for the same end twice
            self._given_up[topic, partition] = self._ends.end_of(topic, partition)
        return queue.popleft()[0]

    def waiting(self) -> list[int]:
        """Name the partitions of which something is held back."""
        return [partition for partition, held in self._held.items() if any(held.values())]

    def clear(self) -> None:
        """Forget everything."""
        self._held.clear()
        self._next.clear()
        self._given_up.clear()

    def _is_behind(self, topic: str, partition: int) -> bool:
        """Say whether a topic has messages that did not come yet, or may have."""
        place = topic, partition
        end = self._ends.end_of(topic, partition)
        if place in self._given_up and self._given_up[place] == end:
            return False
        if end is None:
            return True
        come = self._next.get(place)
        return end > (self._ends.committed(topic, partition) if come is None else come)
