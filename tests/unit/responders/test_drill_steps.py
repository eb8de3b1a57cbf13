"""Drills by themselves: places, times, and the alerts that steps stand for."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from drill_world import LEAK
from msgspec import structs
from responder_world import DATA

from domain.errors import InvalidInput
from domain.findings import Alert, AlertChange
from domain.levels import Domain, Level
from domain.topics import ALERTS, DISPOSITIONS
from responders.cases import INSIDE, Rules
from responders.drills import Played, PlayedStep, alert_id_of, alert_of, choose_places, plan
from responders.outbox import key_of
from responders.store.workers import Pending

START = datetime(2026, 5, 8, 1, tzinfo=UTC)
AREAS = {"990101": "示例县", "990101102": "河湾镇", "990101101": "青溪镇", "990102101": "邻县镇"}
ID = UUID(int=7)
PLAYED = Played(id=ID, county="990101", places={"A": "990101101"}, scenario=LEAK, starts_at=START)
LEAK_ID = alert_id_of(ID, "leak")


def test_places_are_the_townships_in_the_order_of_their_codes() -> None:
    """What is wished goes first, and takes nothing away from the others but itself."""
    assert choose_places(LEAK, "990101", AREAS, {}) == {"A": "990101101"}
    assert choose_places(LEAK, "990101", AREAS, {"A": "990101102"}) == {"A": "990101102"}


@pytest.mark.parametrize(
    ("county", "wanted", "fields"),
    [
        ("9901", {}, ["county"]),
        ("990199", {}, ["county"]),
        ("990101", {"A": "990102101", "Z": "990101101"}, ["place A", "place Z"]),
        ("nowhere", {"Z": ""}, ["county", "place Z"]),
    ],
)
def test_each_place_that_cannot_be_is_told(county: str, wanted: dict[str, str], fields: list[str]) -> None:
    """All at once, by place."""
    with pytest.raises(InvalidInput) as caught:
        choose_places(LEAK, county, AREAS, wanted)
    assert [fault.field for fault in caught.value.faults] == fields


def test_a_county_with_too_few_townships_is_told() -> None:
    """A letter without a township is named."""
    with pytest.raises(InvalidInput) as caught:
        choose_places(LEAK, "990101", {"990101": "示例县"}, {})
    assert [fault.field for fault in caught.value.faults] == ["place A"]


def test_steps_get_their_times_and_alerts_their_versions() -> None:
    """Minutes count from the start; the silent desk is the one of the step's place."""
    assert plan(PLAYED) == [
        PlayedStep(number=0, due_at=START, alert=LEAK_ID, version=1),
        PlayedStep(
            number=1,
            due_at=START + timedelta(minutes=1),
            silent_area="990101101",
            silent_until=START + timedelta(minutes=11),
        ),
        PlayedStep(number=2, due_at=START + timedelta(minutes=20), alert=LEAK_ID, version=2),
        PlayedStep(number=3, due_at=START + timedelta(minutes=60), alert=LEAK_ID, version=3),
    ]


def test_an_alert_is_marked_from_birth() -> None:
    """As data and in both languages; a later version keeps what it does not name."""
    now = START + timedelta(minutes=61)
    assert alert_of(PLAYED, plan(PLAYED)[3], DATA, AREAS, START, now) == Alert(
        id=LEAK_ID,
        version=3,
        change=AlertChange.CLEARED,
        domain=Domain.ENVIRONMENT,
        category="water-pollution",
        county="990101",
        place="990101101",
        level=Level.ORANGE,
        reason="drill",
        opened_at=START,
        changed_at=now,
        received_at=now,
        evidence=(),
        zh="【演练】青溪镇达标",
        en="[DRILL] Over in 青溪镇",
        drill=True,
    )


def test_a_category_that_is_gone_meanwhile_holds_nothing_up() -> None:
    """The alert is made all the same, and intake refuses it with its reason."""
    less = {slug: one for slug, one in DATA.categories.items() if slug != "water-pollution"}
    made = alert_of(PLAYED, plan(PLAYED)[0], structs.replace(DATA, categories=less), AREAS, START, START)
    assert (made.category, made.drill) == ("water-pollution", True)


def test_a_drill_knows_no_channel_that_leaves_the_house() -> None:
    """Whatever is set up: only what is named as inside, so a channel that is new is outside until somebody decides."""
    rules = Rules(DATA, ("console", "file", "webhook", "sms", "county-duty"))
    assert rules.reach(drill=True) == INSIDE == ("console", "file")
    assert rules.reach(drill=False) == rules.channels


def test_versions_of_an_alert_share_their_county_as_key() -> None:
    """In the outbox they are told apart; on the topic the county keeps them in order, and compacted keys stay whole."""
    assert key_of(Pending(ALERTS.name, "990101/a/1", b"{}", 1)) == b"990101"
    assert key_of(Pending(DISPOSITIONS.name, "a/b", b"{}", 1)) == b"a/b"
