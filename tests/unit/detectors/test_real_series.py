"""A real sensor series with labelled anomalies, where the data lie beside the repository."""

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from detectors.series.watch import SeriesWatch
from domain.findings import FindingState
from domain.registry import Series

DATA = Path(__file__).parents[4] / "shared" / "data" / "nab-dev"
NAME = "realKnownCause/ambient_temperature_system_failure.csv"


@pytest.mark.skipif(not DATA.exists(), reason="the benchmark's data are not here")
def test_a_labelled_failure_is_found_without_a_flood() -> None:
    """At the defaults a finding falls inside each labelled window, and there are at most 15 in eleven months, all weak."""
    with (DATA / "data" / NAME).open(encoding="utf-8") as lines:
        rows = [
            (datetime.fromisoformat(row["timestamp"]).replace(tzinfo=UTC), float(row["value"]))
            for row in csv.DictReader(lines)
        ]
    windows = [
        [datetime.fromisoformat(edge).replace(tzinfo=UTC) for edge in window]
        for window in json.loads((DATA / "labels" / "combined_windows.json").read_text(encoding="utf-8"))[
            NAME
        ]
    ]
    series = Series(
        id="s",
        name="s",
        quantity="temperature",
        unit="°F",
        area="990101100",
        category="air-pollution",
        source="x",
        interval_seconds=3600.0,
    )
    watch = SeriesWatch([series])
    times = np.array([int(at.timestamp()) * 1_000_000 for at, _ in rows], np.int64)
    values = np.array([value for _, value in rows])
    observed = watch.observe(
        ["s"], np.zeros(len(rows), np.int32), times, values, np.zeros(len(rows), np.uint8), int(times[-1])
    )
    found = [finding.observed_at for finding in observed.findings if finding.state is FindingState.CONFIRMED]
    assert all(any(begin <= at <= end for at in found) for begin, end in windows)
    assert len(found) <= 15
    assert all(finding.weak for finding in observed.findings)
