"""Where alerts go and who coordinates, as tables: input, answer, bounds included."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from config.data import load_data
from domain.incidents import IncidentState, Satisfied
from domain.levels import Level
from responders.casework import (
    CallBack,
    Described,
    call_back_faults,
    coordinator_of,
    description_faults,
    party_faults,
)
from responders.grouping import Group, Placement, is_recent, place_alert

NOW = datetime(2026, 5, 1, 8, tzinfo=UTC)
DATA = load_data()
RULE = DATA.grouping("flood")
WINDOW, DAYS = timedelta(minutes=RULE.minutes), timedelta(days=RULE.recurs_days)
TICK = timedelta(microseconds=1)


def group(
    *,
    since: datetime = NOW,
    members: int = 1,
    state: IncidentState = IncidentState.RESPONDING,
    ended_at: datetime | None = None,
) -> Group:
    """Make a group."""
    return Group(uuid4(), since, members, state, ended_at)


@pytest.mark.parametrize(
    ("of", "placement"),
    [
        (None, Placement.FIRST),
        (group(since=NOW - WINDOW), Placement.JOINS),
        (group(since=NOW - WINDOW - TICK), Placement.OVER),
        (group(since=NOW + WINDOW), Placement.JOINS),
        (group(since=NOW + WINDOW + TICK), Placement.OVER),
        (group(members=RULE.members - 1), Placement.JOINS),
        (group(members=RULE.members), Placement.FULL),
        (group(state=IncidentState.CLOSED, ended_at=NOW - DAYS), Placement.RECURS),
        (group(state=IncidentState.REVIEWED, ended_at=NOW - DAYS), Placement.RECURS),
        (group(state=IncidentState.CLOSED, ended_at=NOW - DAYS - TICK), Placement.LONG_CLOSED),
        (group(state=IncidentState.CLOSED, ended_at=NOW, members=RULE.members), Placement.RECURS),
        (group(state=IncidentState.FALSE_ALARM, ended_at=NOW), Placement.NOT_CLOSED),
        (group(state=IncidentState.MERGED), Placement.NOT_CLOSED),
    ],
)
def test_where_a_new_alert_belongs(of: Group | None, placement: Placement) -> None:
    """Each bound belongs to what it bounds."""
    assert place_alert(of, RULE, NOW, NOW, cleared=False) is placement


def test_an_alert_that_is_over_opens_nothing_again() -> None:
    """Heard of only when it was cleared, it joins an open case and leaves a closed one closed."""
    closed = group(state=IncidentState.CLOSED, ended_at=NOW)
    assert place_alert(closed, RULE, NOW, NOW, cleared=True) is Placement.NOTHING_NEW
    assert place_alert(group(), RULE, NOW, NOW, cleared=True) is Placement.JOINS


def test_no_days_is_never() -> None:
    """A county that sets 0 days wants no case reopened by itself."""
    assert not is_recent(NOW, NOW, 0)
    assert is_recent(NOW, NOW, 0.1)


@pytest.mark.parametrize(
    ("place", "parties", "coordinator"),
    [
        ("990101101", ["990101102"], "990101"),
        ("990101101", ["990102101"], "9901"),
        ("990101101", ["990101102", "990201"], "99"),
        ("990101101", ["120101"], None),
        ("990101101001", ["990101101002"], "990101101"),
        ("990101", ["990101101"], "990101"),
        ("99", ["9901"], "99"),
    ],
)
def test_the_nearest_common_area_coordinates(place: str, parties: list[str], coordinator: str | None) -> None:
    """Codes that merely begin alike have their county in common, not a piece of a code."""
    assert coordinator_of(place, parties) == coordinator
    assert coordinator_of(place, list(reversed(parties))) == coordinator


@pytest.mark.parametrize(
    ("area", "sentence"),
    [
        ("990101102", None),
        ("990101101001", None),
        ("990101", "holds the case's own place"),
        ("990101101", "holds the case's own place"),
        ("12010", "must be the code of an area"),
        ("120101", "nobody could coordinate"),
    ],
)
def test_who_can_be_a_party(area: str, sentence: str | None) -> None:
    """Whoever sees the case already is none, and whoever has nobody above in common."""
    faults = party_faults("990101101", [], area)
    assert [sentence in str(fault) for fault in faults] == ([] if sentence is None else [True])


def test_every_fault_of_a_description_is_told() -> None:
    """All at once, each by field."""
    faults = description_faults(Described("platform-fault", "990102", Level.BLUE, " "), DATA, "990101")
    assert [fault.field for fault in faults] == ["category", "place", "text"]
    assert not description_faults(Described("flood", "990101101", Level.RED, "河水漫堤"), DATA, "990101")


@pytest.mark.parametrize(
    ("call", "fields"),
    [
        (CallBack(reached=False), []),
        (CallBack(reached=True, responded=True, resolved=True, satisfied=Satisfied.YES), []),
        (CallBack(reached=True, responded=True, resolved=False, satisfied=Satisfied.NO), []),
        (CallBack(reached=False, responded=True, satisfied=Satisfied.NO), ["responded", "satisfied"]),
        (CallBack(reached=False, resolved=False), ["resolved"]),
        (CallBack(reached=True, responded=False, resolved=True), ["resolved"]),
        (CallBack(reached=True, corrects=True, note=" "), ["note"]),
    ],
)
def test_answers_that_cannot_be(call: CallBack, fields: list[str]) -> None:
    """Nobody who was not reached has answered anything."""
    assert [fault.field for fault in call_back_faults(call)] == fields
