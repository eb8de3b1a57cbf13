"""The texts of the last days by township: which words stood in them, where and under which category.

A township that is heard more than MOST_TEXTS times in a day over one feed tells its words by the first so many: tickets are
counted on, terms are not.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from sys import intern

import msgspec

from detectors.counts.cells import BUCKETS_PER_DAY, bucket_of
from detectors.counts.ledger import Heard
from domain.areas import covers, township_of
from domain.errors import Fault, InvalidInput
from domain.levels import Feed

VERSION = 1
MOST_TEXTS = 1_500
"""About 150 kB of a snapshot."""
PREFIX = "said/"
ALL = ""
"""A term that every text holds."""
SLOTS = 64
"""Days after which the name of a day's piece is taken again; more than are ever kept."""


class Said(msgspec.Struct, frozen=True, array_like=True):
    """What is kept of a text."""

    bucket: int
    area: str
    category: str
    terms: tuple[str, ...]


class Spoken(msgspec.Struct, array_like=True):
    """The texts of a township, day and feed, with how many of them held each term, in all (ALL too) and by category."""

    texts: list[Said] = []
    terms: Counter[str] = msgspec.field(default_factory=Counter)
    by_category: dict[str, Counter[str]] = {}

    def add(self, said: Said) -> None:
        """Take one in."""
        self.texts.append(said)
        self.terms.update((ALL, *said.terms))
        self.by_category.setdefault(said.category, Counter()).update(said.terms)


Place = tuple[str, Feed, int]
"""A township, a feed, a local day."""


class Recent:
    """Keeps what was said until it is forgotten by day."""

    def __init__(self) -> None:
        """Start empty."""
        self._spoken: dict[Place, Spoken] = {}
        self._changed: set[Place] = set()

    def add(self, heard: Heard) -> Spoken:
        """Take a text in; answers everything of its township, feed and day."""
        bucket = bucket_of(heard.observed_at)
        place = township_of(heard.area), heard.feed, bucket // BUCKETS_PER_DAY
        spoken = self._spoken.get(place)
        if spoken is None:
            spoken = self._spoken[place] = Spoken()
        if len(spoken.texts) < MOST_TEXTS:
            spoken.add(Said(bucket, heard.area, heard.category, tuple(map(intern, heard.terms))))
            self._changed.add(place)
        return spoken

    def of(self, township: str, feed: Feed, day: int) -> Spoken | None:
        """Tell what was said at a place on a day, None for nothing."""
        return self._spoken.get((township, feed, day))

    def within(self, area: str, category: str, feed: Feed, begin: int, end: int) -> Iterator[Said]:
        """List the texts of an area about a category in the buckets from `begin` up to `end`, itself not counted."""
        township = township_of(area)
        for day in range(begin // BUCKETS_PER_DAY, -(-end // BUCKETS_PER_DAY)):
            spoken = self.of(township, feed, day)
            for said in spoken.texts if spoken else ():
                if said.category == category and begin <= said.bucket < end and covers(area, said.area):
                    yield said

    def forget(self, township: str, feed: Feed, day: int) -> None:
        """Forget what was said at a place on a day."""
        if self._spoken.pop((township, feed, day), None) is not None:
            self._changed.add((township, feed, day))

    def dump(self) -> dict[str, bytes]:
        """Write what changed since the last dump, a piece for each township, feed and day; nothing for a forgotten one."""
        changed, self._changed = self._changed, set()
        pieces = {_piece(place): b"" for place in changed}
        for place in self._spoken if pieces else ():
            if _piece(place) in pieces:
                pieces[_piece(place)] = msgspec.msgpack.encode((VERSION, place[2], self._spoken[place].texts))
        return pieces

    def restore(self, pieces: Mapping[str, bytes]) -> None:
        """Take up its own among written pieces; ValueError or InvalidInput when they are of another form."""
        for name, piece in pieces.items():
            if not name.startswith(PREFIX) or not piece:
                continue
            _, township, feed, _ = name.split("/")
            version, day, texts = msgspec.msgpack.decode(piece, type=tuple[int, int, list[Said]])
            if version != VERSION:
                raise InvalidInput([Fault("version", f"{version} is not {VERSION}")])
            spoken = self._spoken[township, Feed(feed), day] = Spoken()
            for said in texts:
                spoken.add(said)


def _piece(place: Place) -> str:
    """Name a piece; the name is taken again long after, since pieces can be emptied and not removed."""
    township, feed, day = place
    return f"{PREFIX}{township}/{feed}/{day % SLOTS}"
