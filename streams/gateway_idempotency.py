"""Answers remembered by Idempotency-Key, so that a repeated request gets the same one."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from domain.errors import Fault
from streams.gateway_problems import Reason, Refused

MAX_KEY_CHARACTERS = 200
KEEP_SECONDS = 24 * 3_600.0
CAPACITY = 10_000

Name = tuple[str, str, str]
"""Source, feed and key."""


@dataclass(slots=True)
class Remembered:
    """What was asked under a key, and the answer once there is one."""

    digest: bytes
    expires_at: float
    answer: bytes | None = None


class Answers:
    """The newest answers, in memory: after a restart the natural ids alone make repeating harmless."""

    def __init__(self, capacity: int = CAPACITY, clock: Callable[[], float] = time.monotonic) -> None:
        """Take how many to remember and the clock, in seconds."""
        self._capacity = capacity
        self._clock = clock
        self._known: OrderedDict[Name, Remembered] = OrderedDict()

    def recall(self, name: Name, body: bytes | bytearray) -> bytes | None:
        """Find the answer to the same request, or note its beginning; Refused for another body under the key."""
        if not 0 < len(name[2]) <= MAX_KEY_CHARACTERS:
            fault = Fault("Idempotency-Key", f"must have 1 to {MAX_KEY_CHARACTERS} characters")
            raise Refused(Reason.INVALID, str(fault), (fault,))
        digest = hashlib.sha256(body).digest()
        known = self._known.get(name)
        if known is None or known.expires_at <= self._clock():
            self._known[name] = Remembered(digest, self._clock() + KEEP_SECONDS)
            self._known.move_to_end(name)
            while len(self._known) > self._capacity:
                self._known.popitem(last=False)
            return None
        if known.digest != digest:
            raise Refused(Reason.KEY_REUSED, "send another body under another key")
        self._known.move_to_end(name)
        return known.answer

    def remember(self, name: Name, answer: bytes) -> None:
        """Keep the answer of an accepted request."""
        if known := self._known.get(name):
            known.answer = answer

    def forget(self, name: Name) -> None:
        """Free the key of a request that was not accepted: it may be corrected and sent again."""
        known = self._known.get(name)
        if known and known.answer is None:
            del self._known[name]
