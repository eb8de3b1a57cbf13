"""A version of an alert, written out: evidence in order of weight, why it stands, and the sentences."""

from collections.abc import Sequence
from datetime import datetime

from config.data import Category
from detectors.fusion.case import Case, OpenAlert
from detectors.fusion.clauses import NameOf
from detectors.fusion.levels import Kind, is_weak, kind_of, rarity_of
from detectors.fusion.sentences import alert_sentences
from domain.findings import Alert, AlertChange, Explanation, Finding

MOST_EVIDENCE = 30
MOST_ON_TRIAL = 5
ORDER = {Kind.LIMIT: 0, Kind.PHRASE: 1, Kind.BULLETIN: 2, Kind.STATISTICAL: 3, Kind.DEVICE: 4}


def build_alert(
    category: Category,
    county: str,
    case: Case,
    alert: OpenAlert,
    change: AlertChange,
    holding: Sequence[Finding],
    on_trial: Sequence[Finding],
    explanation: Explanation | None,
    *,
    now: datetime,
    received_at: datetime,
    name_of: NameOf,
) -> Alert:
    """Write the alert's present version: what holds first, then what did, then what is on trial and weighed nothing."""
    over = past(case, holding)
    zh, en = alert_sentences(
        category,
        alert.level,
        change,
        sorted(holding, key=weight) or over,
        place=name_of(case.place),
        name_of=name_of,
        explanation=explanation,
    )
    weighed = [*sorted(holding, key=weight), *over][:MOST_EVIDENCE]
    return Alert(
        id=alert.id,
        version=alert.version,
        change=change,
        domain=category.domain,
        category=category.slug,
        county=county,
        place=case.place,
        level=alert.level,
        reason=alert.reason,
        opened_at=alert.opened_at,
        changed_at=now,
        received_at=received_at,
        evidence=(*weighed, *on_trial[:MOST_ON_TRIAL]),
        zh=zh,
        en=en,
        chance=alert.chance,
        held_back=alert.held_back,
        explanation=explanation,
    )


def past(case: Case, holding: Sequence[Finding]) -> list[Finding]:
    """List a case's findings that hold no more, heaviest first."""
    held = {finding.id for finding in holding}
    return sorted(
        (known.finding for known in case.findings.values() if known.finding.id not in held), key=weight
    )


def weight(finding: Finding) -> tuple[bool, int, int, float, float]:
    """Order evidence: weak last; limits first and the gravest of them, phrases, bulletins, the rarest, the newest."""
    gravest = -finding.limit.level if finding.limit is not None else 0
    return (
        is_weak(finding),
        ORDER[kind_of(finding)],
        gravest,
        -rarity_of([finding]),
        -finding.observed_at.timestamp(),
    )
