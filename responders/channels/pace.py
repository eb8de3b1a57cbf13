"""How many messages a service takes in a minute, altogether or for each recipient."""

from collections import OrderedDict, deque
from collections.abc import Callable

MINUTE = 60.0
REMEMBERED = 10_000
"""Recipients kept at most; whoever got nothing for longest is forgotten first, which is longer than a minute ago."""


class Pace:
    """Counts what went out in the last minute, by key; kept in memory, each process for itself."""

    def __init__(self, per_minute: int, steady: Callable[[], float]) -> None:
        """Take the bound and a steady clock in seconds."""
        self._per_minute = per_minute
        self._steady = steady
        self._sent: OrderedDict[str, deque[float]] = OrderedDict()

    def take(self, key: str = "") -> float:
        """Count a message and answer 0, or the seconds until there is room, and count nothing."""
        now = self._steady()
        sent = self._sent.setdefault(key, deque(maxlen=self._per_minute))
        self._sent.move_to_end(key)
        if len(sent) == self._per_minute and now - sent[0] < MINUTE:
            return MINUTE - (now - sent[0])
        sent.append(now)
        while len(self._sent) > REMEMBERED:
            self._sent.popitem(last=False)
        return 0.0
