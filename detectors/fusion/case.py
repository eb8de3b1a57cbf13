"""What the fusion remembers: by category and place the newest word of each finding, and the alert while it is open."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

from config.data import Category
from detectors.fusion.levels import Kind, Reason, kind_of
from domain.findings import Finding, FindingState
from domain.levels import Level

VERSION = 1
STATISTICAL_LASTS = timedelta(hours=24)
"""After its period a count that nobody cleared is over."""


class Held(Struct):
    """A finding's newest word, and when the fusion first heard of it (county time)."""

    finding: Finding
    seen_at: datetime


class OpenAlert(Struct):
    """An alert that was raised and not cleared."""

    id: UUID
    version: int
    level: Level
    reason: Reason
    opened_at: datetime
    kinds: set[str]
    below_since: datetime | None = None


class Case(Struct):
    """Everything about one category at one place. `held_back_until`: an officer said that it was nothing."""

    category: str
    place: str
    findings: dict[UUID, Held] = {}
    alert: OpenAlert | None = None
    held_back_until: datetime | None = None

    def holding(self, category: Category, now: datetime) -> list[Finding]:
        """List the findings that hold now and may decide."""
        held_back = self.held_back_until is not None and now < self.held_back_until
        return [
            held.finding
            for held in self.findings.values()
            if is_live(held, category, now) and not (held_back and kind_of(held.finding) is Kind.STATISTICAL)
        ]

    def over(self, category: Category, now: datetime) -> Iterator[UUID]:
        """Name the findings that hold no more and will not hold later."""
        for name, held in self.findings.items():
            if not is_live(held, category, max(now, held.finding.period_start)):
                yield name


class Word(Struct, array_like=True):
    """The newest word of a finding that is over."""

    observed_at: datetime
    received_at: datetime
    state: FindingState
    at: datetime


class Closed(Struct, array_like=True):
    """An alert that was cleared: its last version and where it was."""

    version: int
    category: str
    place: str
    at: datetime


class County(Struct):
    """The state of one county: a piece of what is dumped."""

    version: int = VERSION
    cases: list[Case] = []
    settled: dict[UUID, Word] = {}
    closed: dict[UUID, Closed] = {}

    def case(self, category: str, place: str) -> Case:
        """Find or make the case of a category at a place."""
        for case in self.cases:
            if case.category == category and case.place == place:
                return case
        self.cases.append(Case(category, place))
        return self.cases[-1]


def is_live(held: Held, category: Category, now: datetime) -> bool:
    """Say whether a finding still holds.

    Limits and devices hold until they are cleared. A phrase holds for its day, and for the hold time after it came: one
    that comes at midnight must not be over before it is read. A bulletin holds exactly as long as it says.
    """
    finding = held.finding
    if finding.state is FindingState.CLEARED:
        return False
    if finding.period_end is None:
        return True
    match kind_of(finding):
        case Kind.BULLETIN:
            return finding.period_start <= now < finding.period_end
        case Kind.PHRASE:
            return now < max(finding.period_end, held.seen_at + timedelta(minutes=category.hold_minutes))
        case Kind.STATISTICAL:
            return now < max(finding.period_end, held.seen_at) + STATISTICAL_LASTS
        case _:
            return True


def is_news(finding: Finding, known: Finding | Word | None) -> bool:
    """Say whether a finding's word is newer than the one that is known; of equal times another state is newer."""
    if known is None:
        return True
    ours, theirs = (finding.observed_at, finding.received_at), (known.observed_at, known.received_at)
    return ours > theirs or (ours == theirs and finding.state is not known.state)
