"""Tickets, reports and bulletins of one partition: to categories, counts, critical phrases and warnings."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import msgspec
from msgspec import structs

from config.data import Category
from config.metrics import INPUTS
from detectors.counts.clusters import OPENS_AT
from detectors.counts.ledger import Heard
from detectors.counts.watch import TextsWatch
from detectors.counts.zones import Place
from detectors.fusion.bulletins import VERSION as BOARD_VERSION
from detectors.fusion.bulletins import Board
from detectors.words.terms import Terms
from detectors.words.text import Classifier, phrase_findings
from domain.areas import AreaLevel, covers, township_of
from domain.codec import decode
from domain.errors import Fault, InvalidInput
from domain.inputs import Bulletin, Report, Ticket
from domain.levels import Feed
from domain.registry import Area
from domain.topics import BULLETINS, REPORTS, TICKETS
from streams.desk import Incoming, Outgoing
from streams.messages import finding_message
from streams.metrics import LATENESS_SECONDS

FEEDS = {TICKETS.name: (TICKETS, Feed.TICKETS), REPORTS.name: (REPORTS, Feed.REPORTS)}
SOURCES = "sources"
"""The piece beside those of the watch."""


class TextsDesk:
    """Judges what people say, tickets and reports side by side, since both tell how far time has come."""

    def __init__(
        self,
        classifier: Classifier,
        terms: Terms,
        categories: Mapping[str, Category],
        areas: Mapping[str, Area],
        lateness_seconds: float,
    ) -> None:
        """Take what all partitions share: classifier and terms, the categories that there are, the registry's areas."""
        self._classifier = classifier
        self._terms = terms
        self._categories = categories
        self._areas = areas
        scanned = [slug for slug, category in categories.items() if is_scanned(category)]
        self._watch = TextsWatch(lateness_seconds, scanned, self._cells_of)
        self._cells: dict[str, dict[str, Place | None]] = {}
        self._cells_from = 0
        self._lateness = timedelta(seconds=lateness_seconds)
        self._newest: dict[str, datetime] = {}

    def take(self, message: Incoming) -> Outgoing:
        """Classify and count; later than the bound behind the newest of its source reaches no detector."""
        topic, feed = FEEDS[message.topic]
        item: Ticket | Report = decode(topic, message.value, message.headers)
        INPUTS.labels("stream", feed).inc()
        newest = self._newest.setdefault(item.source, item.observed_at)
        LATENESS_SECONDS.labels(feed).observe(max(0.0, (newest - item.observed_at).total_seconds()))
        if newest - item.observed_at > self._lateness:
            return []
        self._newest[item.source] = max(newest, item.observed_at)
        given = item.category if item.category in self._categories else None
        title = item.title if isinstance(item, Ticket) else None
        classified = self._classifier.classify(f"{title}。{item.text}" if title else item.text, given)
        findings = phrase_findings(
            classified,
            input_id=item.id,
            area=item.area,
            feed=feed,
            observed_at=item.observed_at,
            received_at=item.received_at,
        )
        heard = Heard(
            item.id,
            item.area,
            classified.category,
            feed,
            item.observed_at,
            item.received_at,
            self._terms.of(classified.cut, self._names(item.area)),
        )
        return [finding_message(finding) for finding in (*findings, *self._watch.observe(heard))]

    def tick(self, now: datetime) -> Outgoing:
        """Do nothing: only event time passes here."""
        return []

    def collect(self) -> Outgoing:
        """Hand out nothing: responders take tickets and reports from their topics."""
        return []

    def dump(self) -> dict[str, bytes]:
        """Write down what the watch knows and how far each source has come."""
        return {**self._watch.dump(), SOURCES: msgspec.msgpack.encode(self._newest)}

    def restore(self, pieces: dict[str, bytes]) -> None:
        """Take both up."""
        self._newest = msgspec.msgpack.decode(pieces.pop(SOURCES), type=dict[str, datetime])
        self._watch.restore(pieces)

    def _cells_of(self, township: str) -> Mapping[str, Place | None]:
        """Tell the grid cells that the registry knows in a township, or its villages where it knows no cells."""
        if (
            len(self._areas) != self._cells_from
        ):  # looking through all areas for each township would take too long
            self._cells, self._cells_from = cells_by_township(self._areas.values()), len(self._areas)
        return self._cells.get(township, {})

    def _names(self, area: str) -> list[str]:
        """Name the places that a text is about: what they are called after is no term."""
        codes = (area[:level] for level in AreaLevel if AreaLevel.COUNTY <= level <= len(area))
        return [self._areas[code].name for code in codes if code in self._areas]


def is_scanned(category: Category) -> bool:
    """Say whether clusters of a category are looked for: where a count as rare as a scan tells is an alert."""
    return any(rule.rarity is not None and rule.rarity <= OPENS_AT for rule in category.levels)


def cells_by_township(areas: Iterable[Area]) -> dict[str, dict[str, Place | None]]:
    """Sort the registry's grid cells, or where it has none its villages, by township, with the places that are known."""
    found: dict[AreaLevel, dict[str, dict[str, Place | None]]] = {AreaLevel.VILLAGE: {}, AreaLevel.GRID: {}}
    for area in areas:
        level = AreaLevel(len(area.code))
        if level in found:
            place = (area.lat, area.lon) if area.lat is not None and area.lon is not None else None
            found[level].setdefault(township_of(area.code), {})[area.code] = place
    return {**found[AreaLevel.VILLAGE], **found[AreaLevel.GRID]}


class BulletinsDesk:
    """Turns official warnings into findings, and knows which of them are in force: later ones may end them.

    All that a source says comes to one partition, in its order: the topic's key is the source.
    """

    def __init__(self, areas: Mapping[str, Area]) -> None:
        """Take the registry's areas: a warning for a city is one for each of its counties."""
        self._areas = areas
        self._boards: dict[str, Board] = {}
        self._changed: set[str] = set()

    def take(self, message: Incoming) -> Outgoing:
        """Make a finding for each area, and for each county of an area above; clear those that the warning ends."""
        bulletin: Bulletin = decode(BULLETINS, message.value, message.headers)
        INPUTS.labels("stream", Feed.BULLETINS).inc()
        areas = dict.fromkeys(place for area in bulletin.areas for place in self._places(area))
        board = self._boards.setdefault(bulletin.source, Board())
        self._changed.add(bulletin.source)
        return [
            finding_message(finding) for finding in board.take(structs.replace(bulletin, areas=tuple(areas)))
        ]

    def tick(self, now: datetime) -> Outgoing:
        """Do nothing: the fusion knows when a warning expires."""
        return []

    def collect(self) -> Outgoing:
        """Hand out nothing."""
        return []

    def dump(self) -> dict[str, bytes]:
        """Write down the boards that changed, a piece for each source."""
        changed, self._changed = self._changed, set()
        return {source: msgspec.msgpack.encode(self._boards[source]) for source in sorted(changed)}

    def restore(self, pieces: dict[str, bytes]) -> None:
        """Take up written boards; InvalidInput when one is of another form."""
        for source, piece in pieces.items():
            try:
                board = msgspec.msgpack.decode(piece, type=Board)
            except msgspec.DecodeError as error:
                raise InvalidInput([Fault(source, f"is no board of warnings: {error}")]) from error
            if board.version != BOARD_VERSION:
                raise InvalidInput([Fault(source, f"version {board.version} is not {BOARD_VERSION}")])
            self._boards[source] = board

    def _places(self, area: str) -> list[str]:
        if len(area) >= AreaLevel.COUNTY:
            return [area]
        return sorted(code for code in self._areas if len(code) == AreaLevel.COUNTY and covers(area, code))
