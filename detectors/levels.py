"""The level that evidence gives, by the table of its category, with the reason by name."""

import math
from collections.abc import Iterable
from enum import StrEnum

from config.data import Category, LevelRule
from domain.findings import Finding, SubjectKind
from domain.levels import Level


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


def streams_of(findings: Iterable[Finding]) -> int:
    """Count independent subjects and feeds: a cell counts once per feed, and not besides a part of itself."""
    subjects = {(f.subject_kind, f.feed, f.subject) for f in findings}
    return sum(
        kind is not SubjectKind.CELL  # asked first: hundreds of series would be compared in pairs
        or not any(
            (kind, feed) == (other_kind, other_feed) and other != subject and other.startswith(subject)
            for other_kind, other_feed, other in subjects
        )
        for kind, feed, subject in subjects
    )


def level_of(category: Category, findings: list[Finding]) -> tuple[Level, Reason] | None:
    """Judge the findings that hold; None when no row of the category's table is reached."""
    if not findings:
        return None
    limits = [f.limit.level for f in findings if f.limit is not None and kind_of(f) is Kind.LIMIT]
    bulletins = [f.limit.level for f in findings if f.limit is not None and kind_of(f) is Kind.BULLETIN]
    limit, bulletin = max(limits, default=0), max(bulletins, default=0)
    rarity, streams = rarity_of(findings), streams_of(findings)
    phrase = any(f.phrase is not None for f in findings)
    reached = [
        rule
        for rule in category.levels
        if (rule.rarity is None or rarity >= rule.rarity)
        and (rule.streams is None or streams >= rule.streams)
        and (rule.limit is None or limit >= rule.limit)
        and (rule.bulletin is None or bulletin >= rule.bulletin)
        and (rule.phrase is None or phrase is rule.phrase)
    ]
    if not reached:
        return None
    decides = max(reached, key=lambda rule: rule.level)
    return min(decides.level, category.highest), _reason(decides)


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
