"""Findings of every kind about one county, and officers' verdicts, for the fusion's tests."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

from msgspec import structs

from config.data import load_data
from config.settings import FusionSettings
from detectors.fusion.fusion import Fusion
from domain.findings import Alert, BrokenLimit, Finding, FindingState, SubjectKind
from domain.incidents import Disposition, Verdict
from domain.levels import Feed, Level

CATEGORIES = load_data().categories
START = datetime(2026, 6, 1, 1, tzinfo=UTC)
COUNTY = "990101"
NAMES = UUID(int=7)


def days(number: float) -> datetime:
    """Tell a time after the beginning."""
    return START + timedelta(days=number)


def statistical(
    number: int,
    at: float = 0.0,
    *,
    category: str = "water-pollution",
    rarity: float = 6.5,
    place: int = 1,
    detector: str = "innovation",
) -> Finding:
    """Make a finding of a series that is unusual, `at` days after the beginning; `number` names it. Blue by itself."""
    return Finding(
        id=uuid5(NAMES, f"{detector}/{number}"),
        detector=detector,
        detector_version=1,
        category=category,
        subject_kind=SubjectKind.SERIES,
        subject=f"series-{number}",
        area=f"{COUNTY}{place:03d}002003",
        feed=Feed.READINGS,
        state=FindingState.CONFIRMED,
        observed_at=days(at),
        received_at=days(at),
        period_start=days(at),
        observed=2.6,
        expected=0.6,
        unit="mg/L",
        p_value=10.0**-rarity,
    )


def yellow(number: int, at: float = 0.0, place: int = 1) -> Finding:
    """Make a count of fever tickets that is yellow by itself, by statistics alone."""
    return structs.replace(
        statistical(number, at, category="infectious-disease", rarity=6.5, place=place, detector="counts"),
        subject_kind=SubjectKind.CELL,
        subject=f"{COUNTY}{place:03d}",
        area=f"{COUNTY}{place:03d}",
        feed=Feed.TICKETS,
        unit="件",
    )


def limit(number: int, at: float = 0.0, place: int = 1, level: Level = Level.BLUE) -> Finding:
    """Make a finding of a broken limit."""
    return structs.replace(
        statistical(number, at, place=place, detector="limit-1"),
        p_value=None,
        limit=BrokenLimit(level=level, value=2.0, basis="GB 3838-2002"),
    )


def phrase(number: int, at: float = 0.0, place: int = 1) -> Finding:
    """Make a finding of a critical phrase."""
    return structs.replace(
        statistical(number, at, place=place, category="wage-dispute", detector="phrase"),
        subject_kind=SubjectKind.CELL,
        subject=f"{COUNTY}{place:03d}",
        feed=Feed.TICKETS,
        p_value=None,
        phrase="讨薪",
    )


def bulletin(number: int, at: float = 0.0, place: int = 1) -> Finding:
    """Make a finding of an official warning that is in force for a day."""
    return structs.replace(
        limit(number, at, place=place),
        detector="bulletin",
        category="flood",
        subject_kind=SubjectKind.BULLETIN,
        feed=Feed.BULLETINS,
        period_end=days(at + 1),
        limit=BrokenLimit(level=Level.YELLOW, value=2.0, basis="暴雨黄色预警"),
    )


def cleared(finding: Finding, at: float) -> Finding:
    """Clear a finding."""
    return structs.replace(finding, state=FindingState.CLEARED, observed_at=days(at), received_at=days(at))


def verdict(alert: Alert, found: Verdict, at: float) -> Disposition:
    """Make an officer's verdict on an alert."""
    return Disposition(
        id=uuid5(NAMES, f"{alert.id}/{found}"),
        alert=alert.id,
        incident=uuid5(NAMES, str(alert.id)),
        category=alert.category,
        county=alert.county,
        verdict=found,
        decided_at=days(at),
    )


def fuse(fusion: Fusion, findings: Iterable[Finding], at: float) -> list[Alert]:
    """Apply findings at one time."""
    return [alert for finding in findings for alert in fusion.apply(finding, days(at))]


def taught(settings: FusionSettings, verdicts: Iterable[Verdict]) -> tuple[Fusion, float]:
    """Make a fusion that learned verdicts on blue alerts, one a day at other places; tells it and the day after."""
    fusion, day = Fusion(CATEGORIES, settings=settings), 0
    for day, found in enumerate(verdicts):
        finding = statistical(10_000 + day, day, place=100 + day)
        (alert,) = fusion.apply(finding, days(day))
        fusion.dispose(verdict(alert, found, day), days(day))
        fusion.apply(cleared(finding, day + 0.1), days(day + 0.1))
        fusion.tick(days(day + 0.5))
    return fusion, day + 1.0
