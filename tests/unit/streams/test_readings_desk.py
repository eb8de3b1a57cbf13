"""The desk for readings hands out findings, roll-ups, and what a change of the registry clears."""

from datetime import UTC, datetime, timedelta

import numpy as np
from msgspec import structs

from domain import codec
from domain.findings import Finding, FindingState, RollUps
from domain.levels import Level
from domain.registry import Limit, Series
from domain.topics import FINDINGS, READINGS, ROLLUPS
from streams.agents_readings import ReadingsDesk
from streams.desk import Incoming, Outgoing
from streams.packing import ReadingPack, micros, pack

START = datetime(2026, 6, 1, tzinfo=UTC)
RIVER = Series(
    id="river-1",
    name="氨氮",
    quantity="NH3-N",
    unit="mg/L",
    area="990101001002003",
    category="water-pollution",
    source="stations",
    interval_seconds=300,
    limits=(Limit(level=Level.YELLOW, value=2.0, consecutive=2),),
)


def incoming(values: list[float], first: int = 0, name: str = RIVER.id) -> Incoming:
    """Pack values of a series, the river's by default, five minutes apart."""
    times = [micros(START + timedelta(minutes=5 * (first + number))) for number in range(len(values))]
    readings = ReadingPack(
        names=[name],
        index=np.zeros(len(values), np.int32),
        observed=np.array(times, np.int64),
        values=np.array(values),
        quality=np.zeros(len(values), np.uint8),
        received=times[-1],
    )
    value, headers = pack(readings)
    return Incoming(READINGS.name, 0, first, value, dict(headers), times[-1], lambda: None)


def findings(messages: Outgoing) -> list[Finding]:
    """Decode the findings among messages."""
    return [codec.decode(FINDINGS, message.value, message.headers) for message in messages]


def test_a_series_that_leaves_the_registry_has_its_findings_cleared() -> None:
    """Nobody would ever clear the alert of a sensor that is gone."""
    desk = ReadingsDesk({RIVER.id: RIVER}, 600)
    broken = findings(desk.take(incoming([1.0, 3.0, 3.0])))
    assert [finding.state for finding in broken] == [FindingState.CONFIRMED]
    assert desk.tick(START) == []
    desk.know(None, RIVER.id)
    cleared = findings(desk.tick(START))
    assert [(finding.id, finding.state) for finding in cleared] == [(broken[0].id, FindingState.CLEARED)]
    assert desk.tick(START) == []


def test_a_series_that_moves_to_another_partition_is_not_called_silent_here() -> None:
    """Readings of a stranger came to one partition; registered, they go to their township's, and the first lets go."""
    other = structs.replace(RIVER, id="river-2")
    table: dict[str, Series] = {}
    desk = ReadingsDesk(table, 600, lambda series: series.id == other.id)
    desk.take(incoming([1.0, 1.1, 1.2]))
    for series in (RIVER, other):
        table[series.id] = series
        desk.know(series, series.id)
    later = [desk.take(incoming([1.0], first, other.id)) for first in range(1, 200, 10)]
    assert [finding.detector for messages in later for finding in findings(messages)] == []
    table[RIVER.id] = structs.replace(RIVER, area=other.area)
    here = ReadingsDesk(table, 600)
    here.take(incoming([1.0, 1.1, 1.2]))
    later = [here.take(incoming([1.0], first, other.id)) for first in range(1, 200, 10)]
    assert "silent" in {finding.detector for messages in later for finding in findings(messages)}


def test_each_reading_is_in_one_minute_of_the_roll_ups() -> None:
    """Counts of the roll-ups add up to what came, keyed by township."""
    desk = ReadingsDesk({RIVER.id: RIVER}, 600)
    desk.take(incoming([1.0, 2.0, 1.5]))
    (message,) = desk.collect()
    rolled: RollUps = codec.decode(ROLLUPS, message.value, message.headers)
    assert message.key == b"990101001"
    assert sum(rolled.count) == 3
    assert rolled.total == [1.0, 2.0, 1.5]
