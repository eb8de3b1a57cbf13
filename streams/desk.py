"""What an agent works with: messages in, messages out, and a desk per partition that keeps the state between them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from streams.producer import Message

Outgoing = list[Message]


@dataclass(slots=True, eq=False)
class Incoming:
    """One message of a topic; `acknowledge` tells the broker that it need not be sent again, ever.

    `sent_at` is the broker's or producer's own time in microseconds since 1970 UTC.
    """

    topic: str
    partition: int
    offset: int
    value: bytes | None
    headers: dict[str, bytes]
    sent_at: int
    acknowledge: Callable[[], object]


class Desk(Protocol):
    """Works off one kind of input for one partition; everything it knows is in what it dumps.

    No method waits or sends: what goes out is returned, so that state and output belong together.
    """

    def take(self, message: Incoming) -> Outgoing:
        """Work off one message; InvalidInput when it is not what its topic promises."""
        ...

    def tick(self, now: datetime) -> Outgoing:
        """Do what time alone makes due; `now` is county time."""
        ...

    def collect(self) -> Outgoing:
        """Hand out what goes along with a snapshot, such as roll-ups, and forget it."""
        ...

    def dump(self) -> dict[str, bytes]:
        """Write down the named pieces of the state that changed since the last time, or all of them."""
        ...

    def restore(self, pieces: dict[str, bytes]) -> None:
        """Take up all pieces that were written; ValueError or InvalidInput when they are of an unknown form."""
        ...
