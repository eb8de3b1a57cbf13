"""One series by itself is judged as the stream judges it."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from msgspec import structs

from detectors.counts.alone import OneCount
from detectors.counts.design import Period, design_of
from detectors.counts.glm import CountGLM
from detectors.series.alone import OneSeries
from detectors.series.watch import SeriesWatch
from domain.clock import EPOCH
from domain.findings import FindingState
from domain.registry import Series

START = 1_780_000_000_000_000
MINUTES_5 = 300_000_000
SERIES = Series(
    id="s", name="", quantity="", unit="", area="990101101", category="water-pollution", source="s", interval_seconds=300
)  # fmt: skip


def at_of(micros: int) -> datetime:
    """Make a time."""
    return EPOCH + timedelta(microseconds=micros)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_alarms_are_where_the_stream_opens_findings(seed: int) -> None:
    """Excursions, standstills and a new level: the same readings decide, for the learned score and the guards."""
    random = np.random.default_rng(seed)
    count = 6_000
    observed = START + np.arange(count, dtype=np.int64) * MINUTES_5
    values = np.round(10 + np.sin(np.arange(count) * 2 * np.pi / 288) + random.normal(0, 0.1, count), 3)
    for begin in random.integers(1_000, 5_500, 6).tolist():
        values[begin : begin + 5] += random.uniform(2, 6)
    values[4_000:4_100] = values[4_000]
    values[5_000:] += 3.0
    _, alarms = OneSeries().judge(observed, values)
    watch = SeriesWatch([structs.replace(SERIES)])
    found = watch.observe(
        ["s"], np.zeros(count, np.int32), observed, values, np.zeros(count, np.uint8), int(observed[-1])
    ).findings
    opened = sorted(
        (finding.observed_at - EPOCH) // timedelta(microseconds=1)
        for finding in {
            (one.id, one.period_start): one for one in reversed(found) if one.state is FindingState.CONFIRMED
        }.values()
    )
    assert observed[alarms].tolist() == opened
    assert len(opened) >= 3


@pytest.mark.parametrize("period", ["week", "day", "hour"])
def test_counts_are_scored_by_the_reference(period: Period) -> None:
    """The compiled rows say what the model in plain Python says, with gaps, repetitions and no counts."""
    step = design_of(period).seconds * 1_000_000
    counts = np.random.default_rng(5).negative_binomial(3, 0.4, 250).astype(np.float64)
    counts[[40, 90]] = np.nan, -1.0
    counts[200:203] = 40.0
    observed = START + np.arange(250, dtype=np.int64) * step
    observed[150:] += 20 * step
    observed[220] = observed[219]
    scores, alarms = OneCount(period).judge(observed, counts)
    reference = CountGLM(period)
    for number, (time, count) in enumerate(zip(observed.tolist(), counts.tolist(), strict=True)):
        x = {"at": at_of(time).astimezone(UTC)}
        if number in (40, 90, 220):
            assert np.isnan(scores[number])
            assert not alarms[number]
        else:
            assert scores[number] == pytest.approx(reference.score_one(x, count), abs=1e-9)
            assert alarms[number] == reference.is_alarm(x["at"], count)
        reference.learn_one(x, count)
    assert alarms[200]


def test_pieces_are_judged_as_one() -> None:
    """How many readings come at once makes no difference."""
    random = np.random.default_rng(3)
    observed = START + np.cumsum(random.integers(1, 3, 900)) * MINUTES_5
    values = random.normal(5, 1, 900)
    whole = OneSeries().judge(observed, values)
    one = OneSeries()
    parts = [one.judge(observed[begin : begin + 7], values[begin : begin + 7]) for begin in range(0, 900, 7)]
    for number in (0, 1):
        assert np.array_equal(np.concatenate([part[number] for part in parts]), whole[number], equal_nan=True)


def test_a_clock_that_stays_wrong_begins_anew() -> None:
    """Ten readings from far ahead are believed; when the rest stays behind them, it is they that were wrong."""
    observed = START + np.arange(2_000, dtype=np.int64) * MINUTES_5
    observed[500:510] += 10**15
    values = np.random.default_rng(4).normal(5, 0.1, 2_000)
    scores, _ = OneSeries().judge(observed, values)
    assert np.isnan(scores).sum() < 60
    assert np.isfinite(scores[600:]).all()
