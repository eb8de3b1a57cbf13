"""From CAP messages to bulletins: which category, which level, which areas, until when, and what ends."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cap_world import AREAS, COUNTY, EAST, NORTH, NOW, SOUTH, WEST, area, info, message, place, polygon
from msgspec import structs

from config.cap_events import CapEvents
from config.data import load_data
from domain.inputs import BulletinStatus
from domain.levels import Level
from domain.registry import Area
from streams.cap.bulletins import Taken, message_key, to_bulletins
from streams.cap.outlines import Outlines
from streams.cap.reading import read_cap

EVENTS = CapEvents(load_data().cap_events)
KEY = message_key("weather@county.example", "99016641600000_20260701120000")


def take(data: bytes, *, within: str = COUNTY, now: datetime = NOW, areas: dict[str, Area] = AREAS) -> Taken:
    """Read a message and make bulletins of it."""
    return to_bulletins(read_cap(data).alert, areas, EVENTS, within=within, now=now, outlines=Outlines())


def where(*shapes: str, within: str = COUNTY, areas: dict[str, Area] = AREAS) -> tuple[str, ...]:
    """Tell which of our areas a message with these shapes is for."""
    taken = take(
        message(info(f"<area><areaDesc>x</areaDesc>{''.join(shapes)}</area>")), within=within, areas=areas
    )
    return tuple(code for one in taken.bulletins for code in one.areas)


def shape(lon: float, lat: float, width: float = 0.1, height: float = 0.1) -> str:
    """Write a polygon element."""
    return f"<polygon>{polygon(lon, lat, width, height)}</polygon>"


def geocode(value: str, name: str = "GB/T 2260") -> str:
    """Write a geocode element."""
    return f"<geocode><valueName>{name}</valueName><value>{value}</value></geocode>"


def test_a_warning_becomes_a_bulletin() -> None:
    """Event, severity, polygon and times in our terms; the id names the message, its sending and the part."""
    (one,) = take(message()).bulletins
    assert (one.category, one.level, one.areas) == ("flood", Level.ORANGE, (WEST,))
    assert (one.effective_at, one.expires_at) == (NOW, NOW + timedelta(hours=6))
    assert (one.id, one.part_of) == (f"{KEY}.20260701040000.1", KEY)
    assert one.headline == "示范县气象台发布暴雨橙色预警"
    assert (one.status, one.supersedes, one.exercise, one.restricted) == (
        BulletinStatus.IN_FORCE,
        (),
        False,
        False,
    )


@pytest.mark.parametrize(
    ("shapes", "codes"),
    [
        ([shape(120.0, 30.0)], (WEST,)),
        ([shape(120.0, 30.0, 0.105, 0.1)], (WEST,)),
        ([shape(120.0, 30.0, 0.15, 0.1)], (WEST, EAST)),
        ([shape(120.0, 30.0, 0.2, 0.2)], (COUNTY,)),
        ([shape(120.0, 30.0), shape(120.1, 30.1)], (WEST, SOUTH)),
        ([shape(120.02, 30.02, 0.003, 0.003)], (WEST,)),
        ([shape(121.0, 30.0)], ()),
        (["<circle>30.05,120.05 1</circle>"], (WEST,)),
        (["<circle>30.05,120.05 0</circle>"], (WEST,)),
        (["<circle>30.1,120.1 40</circle>"], (COUNTY,)),
        (["<circle>30.05,120.1 3</circle>"], (WEST, EAST)),
        (["<circle>40,110 5</circle>"], ()),
        ([geocode(WEST, "GB/T 10114")], (WEST,)),
        ([geocode("990166102000", "行政区划代码")], (EAST,)),
        ([geocode(COUNTY)], (COUNTY,)),
        ([geocode("990000")], (COUNTY,)),
        ([geocode("990166103005")], (NORTH,)),
        ([geocode(COUNTY, "SAME")], ()),
        ([geocode("980101")], ()),
        ([shape(120.1, 30.0), geocode(WEST)], (WEST, EAST)),
        ([shape(120.1, 30.0), geocode(COUNTY)], (COUNTY,)),
        (["<polygon>30,120 30.1,120.1 30.1,120 30,120.1 30,120</polygon>"], (WEST,)),
    ],
)
def test_places_are_found_by_outline_and_code(shapes: list[str], codes: tuple[str, ...]) -> None:
    """A tenth of a township or half of the warned place; all townships make the county; foreign codes mean nothing."""
    assert where(*shapes) == codes


def test_the_source_bounds_what_is_taken() -> None:
    """A source that speaks for one township reaches no other, and never the county."""
    assert where(shape(120.0, 30.0, 0.2, 0.2), within=WEST) == (WEST,)
    assert where(geocode(COUNTY), within=WEST) == (WEST,)
    assert where(geocode(EAST), within=WEST) == ()


def test_without_an_outline_the_centre_decides() -> None:
    """A township of which only the centre is known is hit when that lies inside; one without any is not."""
    bare = {code: structs.replace(area(code), outline=()) for code in (WEST, EAST)}
    lost = {NORTH: structs.replace(area(NORTH), outline=(), lat=None, lon=None)}
    assert where(shape(120.0, 30.0, 0.2, 0.2), areas={**bare, **lost}) == (WEST, EAST)


def test_a_county_without_townships_is_hit_by_its_outline() -> None:
    """Where the registry knows no townships the county's own outline decides."""
    assert where(shape(120.0, 30.0), areas={COUNTY: AREAS[COUNTY]}) == (COUNTY,)


def test_an_area_that_is_no_more_is_not_warned() -> None:
    """Codes change over the years: what has ended is not there."""
    gone = {**AREAS, WEST: structs.replace(AREAS[WEST], valid_to=NOW - timedelta(days=1))}
    assert where(shape(120.0, 30.0), areas=gone) == ()


def test_names_and_the_issuing_office_stand_in_for_a_place() -> None:
    """A warning that draws nothing is for the areas that it names, else for that of the office in its identifier."""
    named = take(message(info("<area><areaDesc>河西镇、山南镇</areaDesc></area>")))
    assert named.bulletins[0].areas == (WEST, SOUTH)
    silent = "<area><areaDesc>全县大部</areaDesc></area>"
    office = take(message(info(silent)))
    assert office.bulletins[0].areas == (COUNTY,)
    assert "issuing office" in office.notes[0]
    lost = take(message(info(silent), identifier="warning-7"))
    assert (lost.bulletins, lost.reason) == ((), "no-area")


@pytest.mark.parametrize(
    ("severity", "headline", "level"),
    [
        ("Extreme", "", Level.RED),
        ("Severe", "", Level.ORANGE),
        ("Moderate", "", Level.YELLOW),
        ("Minor", "", Level.BLUE),
        ("Unknown", "暴雨红色预警", Level.RED),
        ("Unknown", "暴雨预警", None),
        ("Unknown", "橙色升级为红色", None),
    ],
)
def test_severity_is_the_level(severity: str, headline: str, level: Level | None) -> None:
    """Red Extreme, orange Severe, yellow Moderate, blue Minor; of an unknown one the colour in the headline."""
    taken = take(message(info(severity=severity, headline=headline)))
    assert [one.level for one in taken.bulletins] == ([] if level is None else [level])
    assert taken.reason == ("no-level" if level is None else "")


def test_an_unknown_event_is_named() -> None:
    """What has no category is told by the name of its event, so that somebody can add a row."""
    taken = take(message(info(event="蝗灾")))
    assert (taken.bulletins, taken.reason) == ((), "no-category")
    assert str(taken.faults[0]) == "info[0].event: '蝗灾' has no category in cap_events.toml"


def test_languages_of_one_warning_are_one_bulletin_and_other_warnings_others() -> None:
    """Chinese words are taken; a language whose event we do not know is no fault beside one that we know."""
    zh, en = info(), info(language="en-US", event="Rainstorm", headline="Heavy rain")
    ru = info(language="ru", event="Ливень", headline="Ливень")
    wind = info(place(EAST), event="大风", severity="Minor", headline="大风蓝色预警")
    taken = take(message(en, ru, zh, wind))
    assert [(one.id[-2:], one.category, one.headline) for one in taken.bulletins] == [
        (".1", "flood", "示范县气象台发布暴雨橙色预警"),
        (".4", "severe-weather", "大风蓝色预警"),
    ]
    assert taken.faults == ()


def test_a_part_that_cannot_be_taken_leaves_the_others() -> None:
    """An unknown event beside a known one is told, and the known one taken."""
    taken = take(message(info(), info(place(EAST), event="蝗灾", severity="Minor")))
    assert len(taken.bulletins) == 1
    assert [fault.field for fault in taken.faults] == ["info[1].event"]


def test_a_warning_without_an_end_holds_as_long_as_its_kind() -> None:
    """Hail holds six hours when nobody says, rain a day; that it was assumed is noted."""
    rain = take(message(info(expires=None)))
    hail = take(message(info(event="冰雹", expires=None)))
    assert rain.bulletins[0].expires_at == NOW + timedelta(hours=24)
    assert hail.bulletins[0].expires_at == NOW + timedelta(hours=6)
    assert hail.notes == ("info[0].expires: is missing: 6 h were taken",)


def test_what_is_over_or_ends_before_it_begins_is_not_taken() -> None:
    """Old entries of a feed are no fault; an end before the beginning is one."""
    late = take(message(), now=NOW + timedelta(hours=7))
    assert (late.bulletins, late.faults, late.reason) == ((), (), "expired")
    wrong = take(message(info(expires=NOW)))
    assert (wrong.reason, wrong.faults[0].field) == ("invalid", "info[0].expires")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"status": "Test"}, "test"),
        ({"status": "System"}, "system"),
        ({"status": "Draft"}, "draft"),
        ({"kind": "Ack"}, "ack"),
        ({"kind": "Error"}, "error"),
    ],
)
def test_what_is_not_meant_for_anybody_is_ignored_by_name(changes: dict[str, Any], reason: str) -> None:
    """Tests and answers of machines make nothing, and are no fault."""
    taken = take(message(**changes))
    assert (taken.bulletins, taken.faults, taken.reason) == ((), (), reason)


def test_exercises_and_restricted_messages_are_marked() -> None:
    """A rehearsal is kept as such, and what is not public stays so."""
    assert take(message(status="Exercise")).bulletins[0].exercise
    assert take(message(scope="Restricted")).bulletins[0].restricted


def test_an_update_names_the_messages_that_it_replaces() -> None:
    """References become the keys of messages, each once, whatever zone their time is written in."""
    sent = NOW.astimezone(UTC)
    (one,) = take(message(kind="Update", references=[("A-1", sent), ("A-2", sent), ("A-1", sent)])).bulletins
    assert one.supersedes == tuple(message_key("weather@county.example", name) for name in ("A-1", "A-2"))
    assert "was taken as a new warning" in take(message(kind="Update")).notes[0]


@pytest.mark.parametrize(
    "replacement",
    [
        info("<area><areaDesc>x</areaDesc>" + shape(121, 30) + "</area>"),
        info(event="蝗灾"),
        info(more="<responseType>AllClear</responseType>"),
        info(expires=NOW + timedelta(minutes=1)),
    ],
    ids=["elsewhere", "unknown event", "all clear", "over"],
)
def test_an_update_that_is_nothing_for_us_still_ends_what_it_replaces(replacement: str) -> None:
    """A warning that moved away must not stay in force here."""
    data = message(replacement, kind="Update", references=[("A-1", NOW)])
    (one,) = take(data, now=NOW + timedelta(minutes=2)).bulletins
    assert (one.status, one.supersedes) == (
        BulletinStatus.CANCELLED,
        (message_key("weather@county.example", "A-1"),),
    )


def test_a_cancel_ends_what_it_names_and_needs_nothing_else() -> None:
    """A Cancel without any info is enough; one without references cancels nothing and is refused."""
    (one,) = take(message(kind="Cancel", references=[("A-1", NOW)])).bulletins
    assert (one.status, one.category, one.level, one.areas) == (BulletinStatus.CANCELLED, None, None, ())
    assert list(one.missing()) == []
    wrong = take(message(kind="Cancel"))
    assert (wrong.reason, wrong.faults[0].field) == ("invalid", "references")


def test_keys_are_readable_and_differ_by_sender() -> None:
    """Two offices that count alike do not end each other's warnings; any identifier makes a key that we can store."""
    assert message_key("a", "1") != message_key("b", "1")
    assert message_key("a", "urn:x/7 暴雨" + "9" * 90).startswith("urn-x-7---999")
    assert len(message_key("a", "9" * 200)) <= 53
