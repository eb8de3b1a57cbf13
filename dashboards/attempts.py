"""Limits attempts to sign in, per login and address and per address; kept in memory, on the monotonic clock."""

from collections import OrderedDict
from collections.abc import Callable
from time import monotonic

PER_LOGIN = 5
"""Wrong passwords for one login from one address within the window; NIST SP 800-63B asks for at most 100 in all."""
PER_ADDRESS = 50
"""A duty room may sit behind one address, so this is wider."""
WINDOW_SECONDS = 300.0
REMEMBERED = 20_000
"""Keys kept at most: older ones go first, so that a flood of names cannot fill the memory."""

Key = tuple[str, str]


class Attempts:
    """Counts failures within a sliding window. Each attempt counts before the password is tried, success forgives."""

    def __init__(
        self,
        clock: Callable[[], float] = monotonic,
        *,
        per_login: int = PER_LOGIN,
        per_address: int = PER_ADDRESS,
    ) -> None:
        """Start with no attempts; `clock` tells seconds."""
        self._clock = clock
        self._per_login = per_login
        self._per_address = per_address
        self._times: OrderedDict[Key, list[float]] = OrderedDict()

    def begin(self, login: str, address: str) -> float:
        """Count an attempt; answer 0, or the seconds to wait when there were too many (which does not count)."""
        now = self._clock()
        limits = {(login, address): self._per_login, ("", address): self._per_address}
        for key, limit in limits.items():
            times = self._recent(key, now)
            if len(times) >= limit:
                return max(times[-limit] + WINDOW_SECONDS - now, 1.0)
        for key in limits:
            self._times.setdefault(key, []).append(now)
            self._times.move_to_end(key)
        while len(self._times) > REMEMBERED:
            self._times.popitem(last=False)
        return 0.0

    def forgive(self, login: str, address: str) -> None:
        """Forget the failures of a login that has signed in."""
        self._times.pop((login, address), None)

    def _recent(self, key: Key, now: float) -> list[float]:
        times = [time for time in self._times.get(key, ()) if time > now - WINDOW_SECONDS]
        if times:
            self._times[key] = times
        else:
            self._times.pop(key, None)
        return times
