"""The level that evidence gives, by the table of its category, with the reason by name."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from config.data import Category, LevelRule
from domain.findings import Finding, SubjectKind
from domain.levels import Feed, Level


class Reason(StrEnum):
    """Why an alert stands where it stands; the gravest condition of the deciding row names it."""

    LIMIT_BROKEN = "limit_broken"
    BULLETIN = "bulletin"
    PHRASE = "phrase"
    RARITY = "rarity"
    EVIDENCE = "evidence"  # a row that asks for nothing but a finding
    EVIDENCE_WEAKER = "evidence_weaker"
    EVIDENCE_GONE = "evidence_gone"


class Kind(StrEnum):
    """What kind of evidence a finding is."""

    LIMIT = "limit"
    BULLETIN = "bulletin"
    PHRASE = "phrase"
    STATISTICAL = "statistical"
    DEVICE = "device"


def kind_of(finding: Finding) -> Kind:
    """Tell what kind of evidence a finding is; only statistical ones may ever be held back."""
    if finding.subject_kind is SubjectKind.BULLETIN:
        return Kind.BULLETIN
    if finding.limit is not None:
        return Kind.LIMIT
    if finding.phrase is not None:
        return Kind.PHRASE
    return Kind.DEVICE if finding.p_value is None else Kind.STATISTICAL


def rarity_of(findings: Iterable[Finding]) -> float:
    """Tell −log10 of the smallest p-value, 0 without any."""
    smallest = min((f.p_value for f in findings if f.p_value is not None), default=1.0)
    return -math.log10(max(smallest, 1e-300))


def is_weak(finding: Finding) -> bool:
    """Say whether a finding raises nothing by itself; a limit, a phrase or a bulletin is never weak, however marked."""
    return finding.weak and kind_of(finding) in (Kind.STATISTICAL, Kind.DEVICE)


def streams_of(findings: Iterable[Finding]) -> int:
    """Count independent subjects and feeds.

    A cell counts once per feed, and not besides a part of itself; a zone, and whatever else names cells or series that it
    was pooled from, not besides one of them: it says again what they say. A passage along a river counts once besides its
    stations at this place when it names a series that is not among them: another station, at another place, confirms them.
    """
    findings = list(findings)
    single = {(f.subject_kind, f.feed, f.subject) for f in findings if not _is_pooled(f)}
    pooled = {
        (f.subject_kind, f.feed, f.subject) for f in findings if _is_pooled(f) and _says_more(f, single)
    }
    return len(pooled - single) + sum(
        kind is not SubjectKind.CELL  # asked first: hundreds of series would be compared in pairs
        or not any(
            (kind, feed) == (other_kind, other_feed) and other != subject and other.startswith(subject)
            for other_kind, other_feed, other in single
        )
        for kind, feed, subject in single
    )


def _is_pooled(finding: Finding) -> bool:
    return finding.subject_kind is SubjectKind.ZONE or bool(finding.places)


def _says_more(pooled: Finding, single: Iterable[tuple[SubjectKind, Feed, str]]) -> bool:
    """Say whether what was pooled says anything that the single findings beside it do not."""
    own = [(kind, subject) for kind, feed, subject in single if feed is pooled.feed]
    if pooled.feed is Feed.READINGS:
        return not ({*pooled.terms} and {*pooled.terms} <= {subject for _, subject in own})
    parts = (*pooled.places, *pooled.terms)
    return not any(
        subject == part or _is_within(kind, subject, part) for kind, subject in own for part in parts
    )


def _is_within(kind: SubjectKind, cell: str, part: str) -> bool:
    """Say whether a cell is a part of another place, or holds it: either way both count some of the same."""
    return kind is SubjectKind.CELL and (cell.startswith(part) or part.startswith(cell))


def level_of(
    category: Category, findings: list[Finding], wider: Sequence[Finding] = ()
) -> tuple[Level, Reason] | None:
    """Judge the findings that hold; None when no row of the category's table is reached.

    `wider` are bulletins for areas around: they weigh beside the findings and raise nothing by themselves. So where the
    findings reach no row alone, only rows that ask for more than a bulletin are open to both. Weak findings add to the
    streams where a finding holds that is not weak, and to nothing else.
    """
    if all(map(is_weak, findings)):
        return None
    alone = _weigh(findings)
    reached = [rule for rule in category.levels if alone.reach(rule)]
    if wider:
        together = _weigh([*findings, *wider])
        open_rules = category.levels if reached else [rule for rule in category.levels if _asks_more(rule)]
        reached = [rule for rule in open_rules if together.reach(rule)]
    if not reached:
        return None
    decides = max(reached, key=lambda rule: rule.level)
    return min(decides.level, category.highest), _reason(decides)


@dataclass(frozen=True, slots=True)
class _Weight:
    """What findings weigh together, in the terms of the rows."""

    limit: int
    bulletin: int
    rarity: float
    streams: int
    phrase: bool

    def reach(self, rule: LevelRule) -> bool:
        """Say whether everything that a row names is there."""
        return (
            (rule.rarity is None or self.rarity >= rule.rarity)
            and (rule.streams is None or self.streams >= rule.streams)
            and (rule.limit is None or self.limit >= rule.limit)
            and (rule.bulletin is None or self.bulletin >= rule.bulletin)
            and (rule.phrase is None or self.phrase is rule.phrase)
        )


def _weigh(findings: list[Finding]) -> _Weight:
    strong = [finding for finding in findings if not is_weak(finding)]
    levels = {
        kind: [f.limit.level for f in strong if f.limit is not None and kind_of(f) is kind]
        for kind in (Kind.LIMIT, Kind.BULLETIN)
    }
    return _Weight(
        limit=max(levels[Kind.LIMIT], default=0),
        bulletin=max(levels[Kind.BULLETIN], default=0),
        rarity=rarity_of(strong),
        streams=streams_of(findings),
        phrase=any(f.phrase is not None for f in strong),
    )


def _asks_more(rule: LevelRule) -> bool:
    """Say whether a row asks for evidence beside a bulletin."""
    return any(asked is not None for asked in (rule.rarity, rule.limit, rule.phrase))


def is_flat(category: Category) -> bool:
    """Say whether any evidence at all gives the category's only level: no row asks for anything."""
    return all(rule == LevelRule(level=rule.level) for rule in category.levels)


def _reason(rule: LevelRule) -> Reason:
    for asked, reason in (
        (rule.limit, Reason.LIMIT_BROKEN),
        (rule.bulletin, Reason.BULLETIN),
        (rule.phrase, Reason.PHRASE),
        (rule.rarity, Reason.RARITY),
    ):
        if asked is not None:
            return reason
    return Reason.EVIDENCE
