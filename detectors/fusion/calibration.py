"""Whether chances kept their word: what was told of alerts before their verdicts, beside the verdicts (prequential).

Computed from the remembered alerts each time, so a verdict that an officer revises counts once, and as it is now.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import pairwise

from detectors.fusion.memory import OF_TRUTH, Record
from domain.findings import Calibration, CalibrationBin
from domain.incidents import Verdict

EDGES = (0.0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 1.0)
"""Finer where most alerts of a warning system lie, and where they are held back."""


def calibration_of(
    county: str, at: datetime, records: Iterable[Record], alone: Mapping[str, int]
) -> Calibration:
    """Compare chances and verdicts of a county's judged alerts; `alone` counts what detectors on trial said alone.

    Alerts whose chance was not told (before the first verdict, or beside a limit, phrase or bulletin) count for their
    detectors only. Empty bins are left out; without any chance the score and the base rate are 0.
    """
    judged = sorted(
        (record for record in records if record.verdict in OF_TRUTH),
        key=lambda record: (record.opened_at, record.alert),
    )
    kept = [
        (record.promise.chance, record.verdict is Verdict.TRUE)
        for record in judged
        if record.promise is not None and record.promise.told
    ]
    count = max(1, len(kept))
    return Calibration(
        county=county,
        at=at,
        verdicts=len(kept),
        brier=round(sum((chance - true) ** 2 for chance, true in kept) / count, 6),
        base_rate=round(sum(true for _, true in kept) / count, 6),
        bins=tuple(_bins(kept)),
        detectors=_tallies(judged),
        alone=dict(sorted(alone.items())),
    )


def trial_name(detector: str) -> str:
    """Name a detector on trial as it stands among the others."""
    return f"{detector} (shadow)"


def _bins(kept: list[tuple[float, bool]]) -> Iterable[CalibrationBin]:
    for low, high in pairwise(EDGES):
        inside = [(chance, true) for chance, true in kept if low <= chance < high]
        if inside:
            yield CalibrationBin(
                low=low,
                high=high,
                count=len(inside),
                mean_chance=round(sum(chance for chance, _ in inside) / len(inside), 6),
                found_true=sum(true for _, true in inside),
            )


def _tallies(judged: list[Record]) -> dict[str, tuple[int, int]]:
    true: Counter[str] = Counter()
    false: Counter[str] = Counter()
    for record in judged:
        names = {*record.detectors, *map(trial_name, record.trials)}
        (true if record.verdict is Verdict.TRUE else false).update(names)
    return {name: (true[name], false[name]) for name in sorted({*true, *false})}
