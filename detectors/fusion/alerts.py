"""A version of an alert, written out: evidence in order of weight, and the sentences."""

from datetime import datetime

from config.data import Category
from detectors.fusion.case import Case, OpenAlert
from detectors.fusion.levels import Kind, kind_of, rarity_of
from detectors.fusion.sentences import NameOf, alert_sentences
from domain.findings import Alert, AlertChange, Finding

MOST_EVIDENCE = 30
ORDER = {Kind.LIMIT: 0, Kind.PHRASE: 1, Kind.BULLETIN: 2, Kind.STATISTICAL: 3, Kind.DEVICE: 4}


def build_alert(
    category: Category,
    county: str,
    case: Case,
    alert: OpenAlert,
    change: AlertChange,
    holding: list[Finding],
    *,
    now: datetime,
    received_at: datetime,
    name_of: NameOf,
) -> Alert:
    """Write the alert's present version: what holds first, then what did."""
    held = {finding.id for finding in holding}
    over = [known.finding for known in case.findings.values() if known.finding.id not in held]
    holding, over = sorted(holding, key=weight), sorted(over, key=weight)
    zh, en = alert_sentences(
        category, alert.level, change, holding or over, place=name_of(case.place), name_of=name_of
    )
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
        evidence=tuple([*holding, *over][:MOST_EVIDENCE]),
        zh=zh,
        en=en,
    )


def weight(finding: Finding) -> tuple[int, int, float, float]:
    """Order evidence: limits first and the gravest of them, then phrases, bulletins, the rarest, the newest."""
    gravest = -finding.limit.level if finding.limit is not None else 0
    return ORDER[kind_of(finding)], gravest, -rarity_of([finding]), -finding.observed_at.timestamp()
