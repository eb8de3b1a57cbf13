"""Who is told of a change, decided without a database."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from msgspec import structs

from domain.incidents import IncidentState
from domain.levels import Domain, Grade, Level
from responders.live import News, Sight, Telling, newest_of, telling_of
from responders.views import Change, IncidentRow

NOW = datetime(2026, 3, 2, tzinfo=UTC)
ROW = IncidentRow(
    id=UUID(int=1),
    version=1,
    alert=None,
    category="flood",
    domain=Domain(next(iter(Domain))),
    place="990101101",
    place_name="青溪镇",
    level=Level.RED,
    grade=Grade(1),
    state=IncidentState.DETECTED,
    title="青溪镇 暴雨洪涝",
    opened_at=NOW,
    changed_at=NOW,
    acknowledged_at=None,
    acknowledged_by=None,
    holder=None,
    next_at=None,
    step=0,
    alert_open=True,
)
TOWN, NEIGHBOUR, COUNTY = "990101101", "990101102", "990101"


def news(kind: str = "incident", place: str = TOWN, parties: tuple[str, ...] = (), number: int = 1) -> News:
    """Make a change noted for the town, of a case that lies in a place now."""
    change = Change(id=number, kind=kind, ref=str(ROW.id), area=TOWN, at=NOW)
    return News(change, parties, structs.replace(ROW, place=place) if kind == "incident" else None)


@pytest.mark.parametrize(
    ("one", "area", "cases", "telling"),
    [
        (news(), TOWN, True, Telling.SHOWN),
        (news(), COUNTY, True, Telling.SHOWN),
        (news(), "", True, Telling.SHOWN),
        (news(), NEIGHBOUR, True, Telling.NOT_MINE),
        (news(), TOWN, False, Telling.NOT_MINE),
        (news(parties=(NEIGHBOUR,)), NEIGHBOUR, True, Telling.SHOWN),
        (news(place=NEIGHBOUR), TOWN, True, Telling.GONE),
        (news(place=NEIGHBOUR), COUNTY, True, Telling.SHOWN),
        (News(news().change), TOWN, True, Telling.GONE),
        (news("page"), TOWN, True, Telling.SHOWN),
        (news("page"), NEIGHBOUR, True, Telling.NOT_MINE),
        (news("page", parties=(NEIGHBOUR,)), NEIGHBOUR, True, Telling.SHOWN),
        (news("heartbeat"), NEIGHBOUR, False, Telling.SHOWN),
        (news("drill"), COUNTY, True, Telling.SHOWN),
    ],
)
def test_who_is_told(one: News, area: str, cases: bool, telling: Telling) -> None:
    """One's own area and cases that one is a party of; whoever has no cases hears of heartbeats only."""
    assert telling_of(one, Sight(area, cases)) is telling


def test_the_last_change_of_each_thing_is_told() -> None:
    """A page shows how things stand."""
    told = newest_of([news(number=1), news("page", number=2), news(number=3)])
    assert [one.change.id for one in told] == [2, 3]
