"""What the fusion remembers: by category and place the newest word of each finding, and the alert while it is open."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

from config.data import Category
from detectors.fusion.levels import Kind, Reason, is_flat, is_weak, kind_of
from domain.areas import covers
from domain.findings import Finding, FindingState, HeldBack, SubjectKind
from domain.levels import Level

VERSION = 2
"""2: alerts know their chance, and whether officers were told. What 1 wrote is read as told without a chance, as it was."""
READ_VERSIONS = (1, 2)
STATISTICAL_LASTS = timedelta(hours=24)
"""After its period a count that nobody cleared is over."""
MOST_KEPT = 60
"""Findings that are over and kept for an open alert: a flapping device must not fill the memory."""
REMEMBERED = timedelta(days=8)
"""Findings and alerts that are over; longer than the broker keeps findings."""


class Held(Struct):
    """A finding's newest word, and when the fusion first heard of it (county time)."""

    finding: Finding
    seen_at: datetime


class OpenAlert(Struct):
    """An alert that was raised and not cleared; `told` once a version went out that was not held back."""

    id: UUID
    version: int
    level: Level
    reason: Reason
    opened_at: datetime
    kinds: set[str]
    below_since: datetime | None = None
    told: bool = True
    chance: float | None = None
    held_back: HeldBack | None = None
    weighed_at: datetime | None = None


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
    """An alert that was cleared: its last version, where it was, and whether officers were told."""

    version: int
    category: str
    place: str
    at: datetime
    told: bool = True


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

    def find(self, alert: UUID) -> Case | None:
        """Find the case of an alert, open or cleared not long ago; None when it is known no more."""
        for case in self.cases:
            if case.alert is not None and case.alert.id == alert:
                return case
        closed = self.closed.get(alert)
        return None if closed is None else self.case(closed.category, closed.place)

    def wider(self, case: Case, category: Category, now: datetime) -> list[Finding]:
        """List the bulletins for wider areas: they weigh where there is evidence, and raise nothing by themselves."""
        return [
            finding
            for other in self.cases
            if other.category == case.category
            and other.place != case.place
            and covers(other.place, case.place)
            for finding in other.holding(category, now)
            if finding.subject_kind is SubjectKind.BULLETIN
        ]

    def tidy(self, case: Case, category: Category, now: datetime) -> bool:
        """Settle what is over but the newest evidence of an open alert; drop a case that holds nothing. Says if it did."""
        changed = False
        gone_by = sorted(case.over(category, now), key=lambda gone: case.findings[gone].finding.observed_at)
        for gone in gone_by if case.alert is None else gone_by[:-MOST_KEPT]:
            finding = case.findings.pop(gone).finding
            self.settled[gone] = Word(finding.observed_at, finding.received_at, finding.state, now)
            changed = True
        is_deaf = case.held_back_until is not None and case.held_back_until > now
        if not case.findings and case.alert is None and not is_deaf:
            self.cases.remove(case)
            changed = True
        return changed

    def forget(self, now: datetime) -> bool:
        """Forget what was over long ago; says if there was any."""
        changed = False
        for memory in (self.settled, self.closed):
            for old in [key for key, kept in memory.items() if now - kept.at > REMEMBERED]:
                del memory[old]
                changed = True
        return changed


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


def changes_nothing(category: Category, case: Case, finding: Finding, now: datetime) -> bool:
    """Say whether a word can change nothing: one finding more or less where any one of them gives the only level.

    When a network goes dark a thousand devices fall silent at once; judging the case again for each would take a thousand
    times a thousand steps, and stop everything else for as long.
    """
    alert = case.alert
    if alert is None or alert.below_since is not None or case.held_back_until or not is_flat(category):
        return False
    if alert.held_back is not None:
        return False
    if finding.state is FindingState.CLEARED:
        return any(
            is_live(held, category, now) and not is_weak(held.finding) for held in case.findings.values()
        )
    return f"{kind_of(finding)}/{finding.feed}" in alert.kinds


def begins_anew(category: Category, case: Case, finding: Finding, now: datetime) -> bool:
    """Say whether a finding belongs to another happening than the open alert tells of.

    What that told of was over, by event time, for longer than the hold time when this one began: so it is in a backlog or
    a replay, which comes faster than the clock goes.
    """
    if case.alert is None or finding.state is FindingState.CLEARED or not case.findings:
        return False
    newest = max(held.finding.observed_at for held in case.findings.values())
    return finding.period_start - newest > timedelta(minutes=category.hold_minutes) and not case.holding(
        category, now
    )
