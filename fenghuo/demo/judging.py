"""Compares what was found with the script: which events were found and when, which alerts were false. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

from domain.areas import covers
from domain.inputs import AwareTime
from domain.levels import Domain, Level
from fenghuo.demo.truth import Happening
from responders.views import AlertVersion

AFTERMATH = timedelta(hours=2)
"""An alert that comes so soon after an event's end still is about it."""
EARLY = timedelta(minutes=1)


class Injected(Struct, frozen=True, kw_only=True):
    """An event of the script and how it was found; times are the county's."""

    name: str
    domain: Domain
    area: str
    started_at: AwareTime
    found_at: AwareTime | None
    level: str | None
    lead_minutes: float | None
    slug: str
    category: str | None
    measured_against: str


class AlertCount(Struct, frozen=True, kw_only=True):
    """All alerts by the gravest level that they reached; `false` are those above blue that touch nothing."""

    total: int
    false: int
    by_level: dict[str, int]
    by_category: dict[str, int]
    false_alerts: tuple[str, ...]


class FoundAlert(Struct, frozen=True, kw_only=True):
    """An alert over its whole life."""

    id: UUID
    category: str
    place: str
    level: Level
    opened_at: AwareTime
    changed_at: AwareTime


def gather(versions: Iterable[AlertVersion]) -> list[FoundAlert]:
    """Put the versions of each alert together."""
    by_alert: dict[UUID, list[AlertVersion]] = defaultdict(list)
    for version in versions:
        by_alert[version.alert].append(version)
    alerts = [
        FoundAlert(
            id=own[0].alert,
            category=own[0].category,
            place=own[0].place,
            level=max(version.level for version in own),
            opened_at=min(version.opened_at for version in own),
            changed_at=max(version.changed_at for version in own),
        )
        for own in by_alert.values()
    ]
    return sorted(alerts, key=lambda alert: (alert.opened_at, alert.category, alert.place))


def touches(alert: FoundAlert, happening: Happening, start: datetime) -> bool:
    """Say whether category, place and period of an alert meet a happening; an alert from before it does not."""
    begins = start + timedelta(minutes=happening.after_minutes)
    ends = start + timedelta(minutes=happening.until_minutes)
    return (
        alert.category in happening.categories
        and any(covers(area, alert.place) or covers(alert.place, area) for area in happening.areas)
        and begins - EARLY <= alert.opened_at <= ends + AFTERMATH
    )


def judge_events(
    happenings: Sequence[Happening], alerts: Sequence[FoundAlert], start: datetime
) -> list[Injected]:
    """Tell for each event whether, when and how high it was found."""
    return [
        _judge(happening, [alert for alert in alerts if touches(alert, happening, start)], start)
        for happening in happenings
        if happening.kind == "event"
    ]


def _judge(happening: Happening, alerts: Sequence[FoundAlert], start: datetime) -> Injected:
    first = min(alerts, key=lambda alert: alert.opened_at, default=None)
    lead = None
    if first and happening.reference_minutes is not None:
        reference = start + timedelta(minutes=happening.reference_minutes)
        lead = round((reference - first.opened_at).total_seconds() / 60, 1)
    return Injected(
        name=happening.name,
        domain=happening.domain,
        area=happening.areas[0],
        started_at=start + timedelta(minutes=happening.after_minutes),
        found_at=first.opened_at if first else None,
        level=max(alert.level for alert in alerts).slug if alerts else None,
        lead_minutes=lead,
        slug=happening.slug,
        category=first.category if first else None,
        measured_against=happening.reference,
    )


def count_alerts(
    happenings: Sequence[Happening], alerts: Sequence[FoundAlert], start: datetime
) -> AlertCount:
    """Count alerts, and those that nothing in the script explains."""
    worth = [one for one in happenings if one.kind == "event" or one.worth_an_alert]
    false = [
        alert
        for alert in alerts
        if alert.level > Level.BLUE and not any(touches(alert, one, start) for one in worth)
    ]
    levels = Counter(alert.level for alert in alerts)
    return AlertCount(
        total=len(alerts),
        false=len(false),
        by_level={level.slug: levels[level] for level in Level},
        by_category=dict(sorted(Counter(alert.category for alert in alerts).items())),
        false_alerts=tuple(
            f"{alert.category} {alert.place} {alert.level.slug} {alert.opened_at.isoformat()}"
            for alert in false
        ),
    )
