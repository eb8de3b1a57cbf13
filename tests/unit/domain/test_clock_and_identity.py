"""The clock is a straight line, and ids follow from causes."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from domain.clock import EPOCH, REAL_TIME, Clock
from domain.identity import finding_id, page_id, reading_id
from domain.incidents import INCIDENT_MOVES, OPEN_STATES, TASK_MOVES, IncidentState, TaskState
from domain.levels import Grade, Level, proposed_grade

WALL = datetime(2026, 11, 24, 1, tzinfo=UTC)
COUNTY = datetime(2026, 7, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("factor", "elapsed", "expected"),
    [
        (1.0, timedelta(minutes=3), COUNTY + timedelta(minutes=3)),
        (60.0, timedelta(seconds=10), COUNTY + timedelta(minutes=10)),
        (0.0, timedelta(hours=5), COUNTY),
        (60.0, timedelta(seconds=-10), COUNTY),
    ],
)
def test_county_time_runs_by_its_factor(factor: float, elapsed: timedelta, expected: datetime) -> None:
    """Faster, standing, and waiting for its start."""
    assert Clock(wall_anchor=WALL, county_anchor=COUNTY, factor=factor).at(WALL + elapsed) == expected


def test_real_time_is_identity() -> None:
    """In production county time is wall time."""
    assert REAL_TIME.at(WALL) == WALL
    assert REAL_TIME.county_anchor == EPOCH


def test_a_reading_is_named_by_its_instant_and_not_by_its_spelling() -> None:
    """The same moment in Shanghai and in UTC is one reading."""
    shanghai = WALL.astimezone(timezone(timedelta(hours=8)))
    assert reading_id("s", WALL) == reading_id("s", shanghai)
    assert reading_id("s", WALL) != reading_id("t", WALL)


def test_naive_times_have_no_id() -> None:
    """An id from a naive time would change with the host's zone."""
    with pytest.raises(ValueError, match="aware"):
        finding_id("d", 1, "s", datetime(2026, 1, 1))  # noqa: DTZ001  the point of the test


def test_ids_never_change_between_releases() -> None:
    """Stored ids hang on this value."""
    assert str(reading_id("river-1", EPOCH)) == "f1c784d7-7e13-53fc-a3e1-9e6c1481726f"
    incident = reading_id("river-1", EPOCH)
    assert page_id(incident, 1, 0, "a", "file") != page_id(incident, 1, 1, "a", "file")


def test_the_graver_the_level_the_graver_the_grade() -> None:
    """蓝→Ⅳ 黄→Ⅲ 橙→Ⅱ 红→Ⅰ."""
    assert [proposed_grade(level) for level in Level] == [Grade.IV, Grade.III, Grade.II, Grade.I]


def test_every_state_has_a_row_and_ends_are_reachable() -> None:
    """Each open incident can be closed in one move, and each table names all states."""
    assert set(INCIDENT_MOVES) == set(IncidentState)
    assert set(TASK_MOVES) == set(TaskState)
    assert all(IncidentState.CLOSED in INCIDENT_MOVES[state] for state in OPEN_STATES)
