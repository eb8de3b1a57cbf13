"""What a run was worth: which events of the truth were found and when, and which alerts were false. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from statistics import median
from uuid import UUID

from msgspec import Struct

from domain.findings import Alert
from domain.inputs import AwareTime
from domain.levels import Level
from fenghuo.demo.judging import FoundAlert, Injected, judge_events, touches
from fenghuo.demo.truth import Happening

WEEK = timedelta(days=7)


class Shown(Struct, frozen=True, kw_only=True):
    """One alert over its whole life; `true` is None where no truth is known, `event` names what it touches."""

    id: UUID
    category: str
    place: str
    level: str
    opened_at: AwareTime
    changed_at: AwareTime
    reason: str
    zh: str
    true: bool | None
    event: str | None


class Load(Struct, frozen=True, kw_only=True):
    """How many alerts reached an officer, and how many of those above blue were right.

    Rates are per county and week. `held_back` counts alerts that stood in the list and paged nobody. What concerns truth is
    None where none is known.
    """

    alerts: int
    above_blue: int
    held_back: int
    by_level: dict[str, int]
    by_category: dict[str, int]
    alerts_per_county_week: float
    above_blue_per_county_week: float
    false: int | None
    false_per_county_week: float | None
    share_true: float | None


class Verdict(Struct, frozen=True, kw_only=True):
    """The answer of a back-test; lead is in minutes before an event's reference, positive is earlier."""

    judged_from: AwareTime
    until: AwareTime
    counties: int
    weeks: float
    events: list[Injected] | None
    found: int | None
    probability_of_detection: float | None
    median_lead_minutes: float | None
    load: Load
    alerts: list[Shown]


def lives(versions: Iterable[Alert]) -> tuple[list[tuple[FoundAlert, Alert]], list[Alert]]:
    """Put the versions of each alert together, with the gravest; also lists those that were held back to the end.

    An alert that was held back at first counts from the version on that reached people.
    """
    by_alert: dict[UUID, list[Alert]] = defaultdict(list)
    held: dict[UUID, Alert] = {}
    for version in versions:
        held.setdefault(version.id, version)
        if version.held_back is None:
            by_alert[version.id].append(version)
    found = []
    for own in by_alert.values():
        gravest = max(own, key=lambda version: version.level)
        first = min(own, key=lambda version: version.changed_at)
        found.append(
            (
                FoundAlert(
                    id=gravest.id,
                    category=gravest.category,
                    place=gravest.place,
                    level=gravest.level,
                    opened_at=first.changed_at,
                    changed_at=max(version.changed_at for version in own),
                ),
                gravest,
            )
        )
    found.sort(key=lambda pair: (pair[0].opened_at, pair[0].category, pair[0].place))
    return found, [first for name, first in held.items() if name not in by_alert]


def judge(
    versions: Iterable[Alert],
    happenings: Sequence[Happening] | None,
    *,
    start: datetime,
    judged_from: datetime,
    until: datetime,
    counties: int,
) -> Verdict:
    """Judge a run by its truth, None if there is none; `start` is what the truth's minutes count from.

    Alerts that reached people before `judged_from` are not judged: the detectors had not seen the county yet. The same rule
    as the demo's says what touches what, and what is false: above blue, and nothing in the truth explains it.
    """
    lived, held = lives(versions)
    held_back = sum(judged_from <= alert.opened_at <= until for alert in held)
    judged = [pair for pair in lived if judged_from <= pair[0].opened_at <= until]
    weeks = (until - judged_from) / WEEK
    worth = [one for one in happenings or () if one.kind == "event" or one.worth_an_alert]
    shown = []
    for alert, gravest in judged:
        touched = next((one for one in worth if touches(alert, one, start)), None)
        shown.append(
            Shown(
                id=alert.id,
                category=alert.category,
                place=alert.place,
                level=alert.level.slug,
                opened_at=alert.opened_at,
                changed_at=alert.changed_at,
                reason=gravest.reason,
                zh=gravest.zh,
                true=None if happenings is None else touched is not None,
                event=touched.slug if touched else None,
            )
        )
    events = None
    if happenings is not None:
        begun = [
            one for one in happenings if judged_from <= start + timedelta(minutes=one.after_minutes) <= until
        ]
        events = judge_events(begun, [alert for alert, _ in judged], start)
    leads = [event.lead_minutes for event in events or () if event.lead_minutes is not None]
    found = None if events is None else sum(event.found_at is not None for event in events)
    return Verdict(
        judged_from=judged_from,
        until=until,
        counties=counties,
        weeks=round(weeks, 3),
        events=events,
        found=found,
        probability_of_detection=round(found / len(events), 4) if events and found is not None else None,
        median_lead_minutes=median(leads) if leads else None,
        load=_load(shown, held_back, counties * weeks, known=happenings is not None),
        alerts=shown,
    )


def _load(shown: Sequence[Shown], held_back: int, county_weeks: float, *, known: bool) -> Load:
    above = [one for one in shown if one.level != Level.BLUE.slug]
    false = sum(one.true is False for one in above) if known else None
    levels = Counter(one.level for one in shown)
    return Load(
        alerts=len(shown),
        above_blue=len(above),
        held_back=held_back,
        by_level={level.slug: levels[level.slug] for level in Level},
        by_category=dict(sorted(Counter(one.category for one in shown).items())),
        alerts_per_county_week=round(len(shown) / county_weeks, 3),
        above_blue_per_county_week=round(len(above) / county_weeks, 3),
        false=false,
        false_per_county_week=None if false is None else round(false / county_weeks, 3),
        share_true=None if false is None or not above else round(1 - false / len(above), 4),
    )
