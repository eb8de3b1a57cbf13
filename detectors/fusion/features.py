"""What the ranking knows of an alert when it speaks: its evidence in numbers about as large as 1."""

import math
from collections.abc import Iterable, Sequence
from datetime import datetime

from detectors.fusion.clauses import SHANGHAI
from detectors.fusion.levels import rarity_of, streams_of
from detectors.fusion.memory import Record
from domain.areas import township_of
from domain.findings import Finding
from domain.incidents import Verdict
from domain.levels import Level

MOST_DETECTORS = 12
"""Of one alert; there are fewer, but names come from a topic."""
BIAS = 1.5
"""A constant as large as this lets a county's share of true alerts be found twice as fast as what one feature tells."""
SPOKEN_RARITY = 4.0
"""From here on detectors of counts speak; those of readings from 6."""


def features_of(
    category: str,
    place: str,
    level: Level,
    holding: Sequence[Finding],
    records: Iterable[Record],
    *,
    nearby: int,
    quiet: int,
    now: datetime,
) -> dict[str, float]:
    """Write an alert's features: never of persons, only of place, time, theme and evidence.

    `holding` are the findings that hold, `records` the county's earlier alerts, `nearby` and `quiet` the neighbours that
    move along and that see nothing. Places count by their earlier verdicts, not by name: a county has too many.
    """
    hour = now.astimezone(SHANGHAI)
    angle = 2.0 * math.pi * (hour.hour + hour.minute / 60.0) / 24.0
    judged = [record for record in records if record.category == category]
    features = {
        "bias": BIAS,
        f"category:{category}": 1.0,
        "rarity": min(max((rarity_of(holding) - SPOKEN_RARITY) / 6.0, -0.5), 1.5),
        "streams": min(streams_of(holding) - 1, 3) / 3.0,
        "subjects": min(len({finding.subject for finding in holding}) - 1, 6) / 6.0,
        "townships": min(_townships(holding) - 1, 4) / 4.0,
        "level": (level - Level.BLUE) / 3.0,
        "weak": float(any(finding.weak for finding in holding)),
        "below": float(any(finding.direction != "above" for finding in holding)),
        "nearby": min(nearby, 5) / 5.0,
        "quiet": min(quiet, 5) / 5.0,
        "night": 0.5 * math.cos(angle),
        "morning": 0.5 * math.sin(angle),
        "weekend": float(hour.weekday() >= 5),
        "verdicts:category": _leaning(judged),
        "verdicts:place": _leaning(record for record in judged if record.place == place),
    }
    for name in sorted({finding.detector for finding in holding})[:MOST_DETECTORS]:
        features[f"detector:{name}"] = 1.0
    for feed in sorted({finding.feed for finding in holding}):
        features[f"feed:{feed}"] = 1.0
    return {name: round(value, 4) for name, value in features.items() if value}


def _townships(holding: Iterable[Finding]) -> int:
    """Count the townships that evidence comes from; a zone comes from those of all its cells."""
    return len({township_of(place) for finding in holding for place in (finding.places or (finding.area,))})


def _leaning(records: Iterable[Record]) -> float:
    """Tell how earlier verdicts lean, from −1 (all false) to 1 (all true), near 0 while there are few."""
    verdicts = [record.verdict for record in records if record.verdict in (Verdict.TRUE, Verdict.FALSE)]
    true = sum(verdict is Verdict.TRUE for verdict in verdicts)
    return (2 * true - len(verdicts)) / (len(verdicts) + 2)
