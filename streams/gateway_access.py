"""Who may send what, where and how fast: tokens, feeds, areas and token buckets."""

import hashlib
import time
from collections.abc import Callable

from aiohttp import hdrs, web

from domain.levels import Feed
from domain.registry import Source
from streams.gateway_problems import Reason, Refused, retry_after
from streams.registry import Registry

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="fenghuo"'}


def authenticate(request: web.Request, registry: Registry) -> Source:
    """Find the source by its token; Refused without saying what was wrong with it.

    The table is keyed by digest: a lookup tells a guesser nothing about the token, so no constant time is
    needed.
    """
    scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    digest = hashlib.sha256(token.strip().encode("utf-8", "surrogateescape")).hexdigest()
    source = registry.sources.get(digest)
    if scheme.lower() != "bearer" or source is None:
        raise Refused(Reason.UNAUTHENTICATED, "send Authorization: Bearer TOKEN", headers=CHALLENGE)
    return source


def permit(source: Source, feed: Feed) -> None:
    """Refuse a feed that the source may not send."""
    if feed not in source.feeds:
        raise Refused(Reason.FEED_FORBIDDEN, f"this source may not send {feed}")


class Bucket:
    """The items that a source may send now: refills at its rate up to its burst.

    A request larger than what is left passes if the bucket holds as much as it can ever ask for, and leaves
    a debt: so a body of any permitted size gets through in time.
    """

    def __init__(self, rate: float, burst: float, now: float) -> None:
        """Start full."""
        self.rate = rate
        self.burst = burst
        self.level = burst
        self._at = now

    def wait_seconds(self, items: int, now: float) -> float:
        """Tell how long to wait until so many items may pass; 0 when they may at once."""
        self.level = min(self.burst, self.level + (now - self._at) * self.rate)
        self._at = now
        return max(0.0, (min(items, self.burst) - self.level) / self.rate)


class Buckets:
    """One bucket per source; on the monotonic wall clock, since it protects this machine, not the county."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Take the clock, in seconds."""
        self._clock = clock
        self._buckets: dict[str, Bucket] = {}

    def take(self, source: Source, items: int) -> None:
        """Take items out; Refused with the time to wait when there are not enough."""
        bucket = self._bucket(source)
        if wait := bucket.wait_seconds(items, self._clock()):
            detail = f"this source may send {source.items_per_second:g} items per second"
            raise Refused(Reason.TOO_FAST, detail, headers=retry_after(wait), count=items)
        bucket.level -= items

    def charge(self, source: Source) -> None:
        """Take one item for a refused request, without asking: nonsense is not free."""
        bucket = self._bucket(source)
        bucket.wait_seconds(1, self._clock())
        bucket.level -= 1

    def check(self, source: Source) -> None:
        """Refuse a source that has nothing left, before its body is read."""
        self.take(source, 1)
        self._bucket(source).level += 1

    def _bucket(self, source: Source) -> Bucket:
        bucket = self._buckets.get(source.slug)
        if bucket is None or (bucket.rate, bucket.burst) != (source.items_per_second, source.burst):
            bucket = Bucket(source.items_per_second, source.burst, self._clock())
            self._buckets[source.slug] = bucket
        return bucket
