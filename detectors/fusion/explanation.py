"""Why an alert: the finding that decided, what lies around it, and the earlier alert that was most like it."""

from collections.abc import Callable, Sequence
from datetime import datetime

from detectors.fusion.alerts import weight
from detectors.fusion.memory import Record
from domain.findings import Explanation, Finding, Precedent, SubjectKind

MOST_NEARBY = 20
Facts = Callable[[str, str, datetime], tuple[Sequence[str], int]]
"""Given a series or an area, a category and the time: the neighbours that move along, and how many see nothing."""


def knows_nobody(subject: str, category: str, now: datetime) -> tuple[Sequence[str], int]:
    """Know no neighbours."""
    return (), 0


def decisive_of(findings: Sequence[Finding]) -> Finding:
    """Find the heaviest of the findings; ValueError without any."""
    return min(findings, key=weight)


def around_of(
    facts: Facts, place: str, category: str, holding: Sequence[Finding], now: datetime
) -> tuple[tuple[str, ...], int]:
    """Tell what lies around an alert: subjects that move along and are no evidence themselves, and how many are quiet.

    Asked is about the series that decides, else about the place: neighbours of a count are counted by the scan already.
    """
    if not holding:
        return (), 0
    decisive = decisive_of(holding)
    subject = decisive.subject if decisive.subject_kind is SubjectKind.SERIES else place
    nearby, quiet = facts(subject, category, now)
    own = {name for finding in holding for name in (finding.subject, *finding.terms)}
    return tuple(name for name in nearby if name not in own)[:MOST_NEARBY], quiet


def explain(
    findings: Sequence[Finding], around: tuple[tuple[str, ...], int], like: Record | None
) -> Explanation | None:
    """Put together why an alert stands; None without any finding."""
    if not findings:
        return None
    return Explanation(
        decisive=decisive_of(findings).id,
        nearby=around[0],
        quiet=around[1],
        precedent=None
        if like is None
        else Precedent(
            alert=like.alert,
            opened_at=like.opened_at,
            place=like.place,
            level=like.level,
            verdict=like.verdict,
        ),
    )
