"""Series by name: findings, late readings, roll-ups, the registry's changes, snapshots."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from msgspec import structs

from detectors.series.watch import Observed, SeriesWatch
from domain.errors import InvalidInput
from domain.findings import Finding, FindingState, LateReading
from domain.identity import finding_id, reading_id
from domain.levels import Feed, Level
from domain.registry import Limit, Series
from domain.rollups import unpack_rollups

START = datetime(2026, 6, 19, 7, tzinfo=UTC)
MINUTE = 60_000_000
AMMONIA = Series(
    id="qs-ammonia",
    name="清水河断面氨氮",
    quantity="ammonia",
    unit="mg/L",
    area="990101100001",
    category="water-pollution",
    source="river",
    interval_seconds=60.0,
    low=0.0,
    high=50.0,
    limits=(
        Limit(level=Level.YELLOW, value=2.0, basis="GB 3838-2002"),
        Limit(level=Level.ORANGE, value=4.0, consecutive=1),
    ),
)


def send(watch: SeriesWatch, values: list[float], *, begin: int = 0, name: str = "qs-ammonia") -> Observed:
    """Send a reading a minute of one series."""
    count = len(values)
    times = (int(START.timestamp()) * 1_000_000) + (begin + np.arange(count, dtype=np.int64)) * MINUTE
    return watch.observe(
        ["other", name],
        np.ones(count, np.int32),
        times,
        np.array(values),
        np.zeros(count, np.uint8),
        int(times[-1]) + 5,
    )


def told(findings: list[Finding]) -> list[tuple[str, FindingState]]:
    """Name what findings say."""
    return [(finding.detector, finding.state) for finding in findings]


def test_a_broken_limit_is_a_finding_with_its_evidence() -> None:
    """A finding states who says what of which series, since when, against which limit, and on which reading."""
    watch = SeriesWatch([AMMONIA])
    (finding,) = send(watch, [0.5, 2.5, 2.6]).findings
    at = START + timedelta(minutes=2)
    assert finding == Finding(
        id=finding_id("limit-1", 1, "qs-ammonia", at),
        detector="limit-1",
        detector_version=1,
        category="water-pollution",
        subject_kind=finding.subject_kind,
        subject="qs-ammonia",
        area="990101100001",
        feed=Feed.READINGS,
        state=FindingState.CONFIRMED,
        observed_at=at,
        received_at=at + timedelta(microseconds=5),
        period_start=at,
        observed=2.6,
        unit="mg/L",
        limit=finding.limit,
        inputs=(reading_id("qs-ammonia", at),),
    )
    assert finding.limit is not None
    assert (finding.limit.level, finding.limit.value, finding.limit.basis) == (
        Level.YELLOW,
        2.0,
        "GB 3838-2002",
    )
    (cleared,) = send(watch, [0.5, 0.5], begin=3).findings
    assert (cleared.id, cleared.state) == (finding.id, FindingState.CLEARED)


def test_guards_speak_of_the_device() -> None:
    """What a guard finds is a fault of equipment, in the category of those."""
    (finding,) = send(SeriesWatch([AMMONIA]), [99.0, 99.0]).findings
    assert (finding.detector, finding.category, finding.p_value) == ("range", "equipment-fault", None)


def test_silence_of_known_series_alone() -> None:
    """A known series that stops is silent since its last reading; an unknown one is nobody's business."""
    watch = SeriesWatch([AMMONIA])
    send(watch, [0.5])
    send(watch, [0.5], name="stranger")
    (finding,) = watch.silent(watch.newest_observed + 60 * MINUTE)
    assert (finding.detector, finding.period_start, finding.inputs) == ("silent", START, ())


def test_late_readings_come_back_whole() -> None:
    """A reading past the bound is returned with name, time and value."""
    watch = SeriesWatch([AMMONIA], lateness_seconds=60)
    send(watch, [0.5], begin=10)
    (late,) = send(watch, [0.7]).late
    assert (late.series, late.observed_at, late.value) == ("qs-ammonia", START, 0.7)
    assert send(watch, [0.5], begin=10).repeated == 1


def test_roll_ups_name_their_series_and_late_readings_go_along() -> None:
    """Roll-ups are columns by name, and are told once."""
    watch = SeriesWatch()
    assert len(watch.take_rollups()) == 0
    send(watch, [1.0, 2.0])
    late = [LateReading(series="x", observed_at=START, value=1.0, quality=0)]
    rows = unpack_rollups(watch.pack(watch.take_rollups(), late))
    assert (rows.series, rows.count, rows.total) == (["qs-ammonia"] * 2, [1, 1], [1.0, 2.0])
    assert rows.late == late
    assert len(watch.take_rollups()) == 0


def test_the_registry_may_change_at_run_time() -> None:
    """A series may become known, change its limits, and leave; what was said of it before is cleared."""
    watch = SeriesWatch()
    assert send(watch, [3.0, 3.0]).findings == []
    assert watch.know(AMMONIA) == []
    assert told(send(watch, [3.0, 3.0], begin=2).findings) == [("limit-1", FindingState.CONFIRMED)]
    assert watch.know(structs.replace(AMMONIA, name="氨氮")) == []
    assert told(watch.know(structs.replace(AMMONIA, limits=()))) == [("limit-1", FindingState.CLEARED)]
    assert send(watch, [9.0, 9.0], begin=4).findings == []
    watch.know(AMMONIA)
    found = send(watch, [9.0, 9.0], begin=6).findings
    assert told(found) == [("limit-2", FindingState.CONFIRMED), ("limit-1", FindingState.CONFIRMED)]
    assert {finding.state for finding in watch.forget("qs-ammonia")} == {FindingState.CLEARED}
    assert send(watch, [9.0, 9.0], begin=8).findings == []


def test_a_watch_goes_on_from_its_blocks() -> None:
    """Blocks restore names, state and the newest time, whatever order the series are then named in."""
    watch, other = SeriesWatch([AMMONIA]), SeriesWatch([AMMONIA])
    send(watch, [0.5, 2.5], name="a")
    send(watch, [0.5, 2.5])
    with pytest.raises(ValueError, match="roll-ups"):
        watch.dump()
    watch.take_rollups()
    blocks = watch.dump()
    assert watch.dump() == {}
    other.restore(blocks)
    assert other.newest_observed == watch.newest_observed
    assert send(other, [2.6], begin=2) == send(watch, [2.6], begin=2)
    assert other.take_rollups().tolist() == watch.take_rollups().tolist()
    with pytest.raises(ValueError, match="fresh"):
        other.restore(blocks)


@pytest.mark.parametrize("blocks", [{0: b"nonsense"}, {1: b""}, {0: b"\x93\x63\x90\xc4\x00"}])
def test_blocks_of_another_form_are_refused(blocks: dict[int, bytes]) -> None:
    """Broken, missing and foreign blocks are invalid input."""
    with pytest.raises(InvalidInput):
        SeriesWatch().restore(blocks)


def test_state_of_an_earlier_version_is_refused_with_a_sentence() -> None:
    """The operator is told both versions and what follows."""
    with pytest.raises(
        InvalidInput, match="in version 1, this release reads version 3: detectors start anew"
    ):
        SeriesWatch().restore({0: b"\x93\x01\x90\xc4\x00"})


def test_another_unit_in_the_registry_is_learned_anew() -> None:
    """A corrected unit clears what was said of the device, and its values are ordinary from then on."""
    watch = SeriesWatch([AMMONIA])
    send(watch, [0.5] * 30)
    assert told(send(watch, [500.0] * 3, begin=30).findings)[-1] == ("unit", FindingState.CONFIRMED)
    corrected = structs.replace(AMMONIA, unit="µg/L", high=None, limits=())
    assert ("unit", FindingState.CLEARED) in told(watch.know(corrected))
    assert send(watch, [500.0] * 30, begin=33).findings == []
    rows = watch.take_rollups()
    assert (int(rows["count"].sum()), float(rows["total"].sum())) == (63, 30 * 0.5 + 33 * 500.0)


def test_one_wrong_clock_makes_nobody_silent() -> None:
    """A time days beyond all that was observed and received is not taken for the partition's."""
    watch = SeriesWatch([AMMONIA])
    send(watch, [0.5] * 5)
    before = watch.newest_observed
    times = np.array([before + 30 * 1_440 * MINUTE], np.int64)
    watch.observe(["other"], np.zeros(1, np.int32), times, np.ones(1), np.zeros(1, np.uint8), before)
    assert watch.newest_observed == before
    assert watch.silent(watch.newest_observed) == []
