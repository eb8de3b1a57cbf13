"""Our alerts as CAP: every kind by the schema of OASIS, read back the same, and nothing that must stay in."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from lxml import etree
from msgspec import structs

from config.data import load_data
from domain.cap import CapAlert, MessageType, Scope, Severity, Status
from domain.findings import AlertChange, BrokenLimit, Finding, FindingState, SubjectKind
from domain.levels import Feed, Level
from domain.registry import Area
from responders.cap import identifier_of, message_of, read_identifier
from responders.cap_xml import write_cap
from responders.views import CapVersion
from streams.cap.reading import read_cap
from streams.cap.schema import cap_schema

DATA = load_data()
AT = datetime(2026, 7, 1, 4, 30, 15, 123456, tzinfo=UTC)
ALERT = UUID("5b0f6f5e-0000-5000-8000-00000000000a")
SENDER = "county.example"
COUNTY = Area(code="990101", name="示例县", name_en="Example County")
QINGXI = Area(
    code="990101101",
    name="青溪镇",
    name_en="Qingxi",
    lat=30.05,
    lon=120.05,
    outline=((120.0, 30.0), (120.1, 30.0), (120.1, 30.1), (120.0, 30.1)),
)
FINDING = Finding(
    id=UUID(int=1),
    detector="limit",
    detector_version=1,
    category="flood",
    subject_kind=SubjectKind.SERIES,
    subject="level-1",
    area=QINGXI.code,
    feed=Feed.READINGS,
    state=FindingState.CONFIRMED,
    observed_at=AT,
    received_at=AT,
    period_start=AT,
    limit=BrokenLimit(level=Level.ORANGE, value=12.0),
)
SECRET = structs.replace(
    FINDING,
    id=UUID(int=2),
    subject_kind=SubjectKind.BULLETIN,
    restricted=True,
    limit=BrokenLimit(level=Level.RED, value=4.0, basis="内部通报"),
)


def version(number: int = 1, change: AlertChange = AlertChange.RAISED, **changes: object) -> CapVersion:
    """Make a version of an alert about high water."""
    made = CapVersion(
        alert=ALERT,
        version=number,
        change=change,
        level=Level.ORANGE,
        reason="limit_broken",
        category="flood",
        place=QINGXI.code,
        opened_at=AT,
        changed_at=AT + timedelta(minutes=10 * (number - 1)),
        zh="青溪镇暴雨洪涝橙色预警：水位自12:30起超过限值12 m，实测12.4 m。",
        en="Qingxi: Rainstorm and flood, orange alert: level above the limit of 12 m.",
        evidence=(FINDING,),
        drill=False,
        place_area=QINGXI,
        county_area=COUNTY,
        earlier=tuple((one, AT + timedelta(minutes=10 * (one - 1))) for one in range(1, number)),
    )
    return structs.replace(made, **changes)


def message(one: CapVersion) -> CapAlert:
    """Make its message."""
    return message_of(one, DATA.categories[one.category], SENDER)


KINDS = [
    version(),
    version(2, AlertChange.CHANGED, level=Level.RED),
    version(3, AlertChange.CLEARED),
    version(drill=True),
    version(2, AlertChange.CLEARED, drill=True),
    *(version(category=slug) for slug in DATA.categories),
    *(version(level=level) for level in Level),
    *(version(reason=reason) for reason in ("phrase", "rarity", "bulletin", "evidence", "evidence_gone")),
    version(place_area=None, county_area=None),
    version(place_area=structs.replace(QINGXI, outline=())),
    version(evidence=()),
    version(zh="控制字符\x00\x0b与\ud7ff<&>", en="a\x1f b"),
    version(60, AlertChange.CHANGED),
]


@pytest.mark.parametrize(
    "one", KINDS, ids=lambda one: f"{one.category}-{one.change}-{one.level}-{one.version}"
)
def test_every_kind_fits_the_schema_and_is_read_back_the_same(one: CapVersion) -> None:
    """The schema of OASIS finds nothing, and our own reader finds the very message, without a note."""
    made = message(one)
    written = write_cap(made)
    cap_schema().assertValid(etree.fromstring(written))
    reading = read_cap(written)
    assert reading.alert == made
    assert reading.notes == ()


def test_versions_are_alert_update_and_cancel_that_name_the_ones_before() -> None:
    """Raised, changed, cleared; references lead from each version to all before it."""
    raised, changed, cleared = message(KINDS[0]), message(KINDS[1]), message(KINDS[2])
    assert [one.type for one in (raised, changed, cleared)] == [
        MessageType.ALERT,
        MessageType.UPDATE,
        MessageType.CANCEL,
    ]
    assert raised.references == ()
    assert changed.references == (raised.reference,)
    assert [one.identifier for one in cleared.references] == [raised.identifier, changed.identifier]
    assert str(raised.reference) == f"{SENDER},fenghuo-{ALERT}-1,2026-07-01T12:30:15+08:00"
    assert changed.infos[0].severity is Severity.EXTREME
    assert cleared.infos[0].responses == ("AllClear",)


def test_a_first_known_version_is_an_alert_and_long_histories_are_cut() -> None:
    """An Update must name something; one after two years does not name a thousand."""
    assert message(version(7, AlertChange.CHANGED, earlier=())).type is MessageType.ALERT
    assert len(message(KINDS[-1]).references) == 50


def test_both_languages_say_the_same() -> None:
    """Chinese first, English second: event, place and words in each, codes in both."""
    zh, en = message(version()).infos
    assert (zh.language, zh.event, zh.headline, zh.sender_name) == (
        "zh-CN",
        "暴雨洪涝",
        "青溪镇暴雨洪涝橙色预警",
        "示例县",
    )
    assert (en.language, en.event, en.headline, en.sender_name) == (
        "en-US",
        "Rainstorm and flood",
        "Qingxi: Rainstorm and flood, orange alert",
        "Example County",
    )
    assert zh.description.startswith("青溪镇") and en.description.startswith("Qingxi")
    assert zh.event_codes == en.event_codes == (("fenghuo.category", "flood"),)


def test_the_outline_is_closed_and_in_the_order_of_cap() -> None:
    """Latitude first, the first point again at the end; the code of the place beside it."""
    (area,) = message(version()).infos[0].areas
    assert area.polygons == (((30.0, 120.0), (30.0, 120.1), (30.1, 120.1), (30.1, 120.0), (30.0, 120.0)),)
    assert area.geocodes == (("GB/T 10114", "990101101"),)
    assert b"<polygon>30,120 30,120.1 30.1,120.1 30.1,120 30,120</polygon>" in write_cap(message(version()))
    (point,) = message(version(place_area=structs.replace(QINGXI, outline=()))).infos[0].areas
    assert (point.polygons, point.circles) == ((), (((30.05, 120.05), 0.0),))


@pytest.mark.parametrize("slug", sorted(DATA.categories))
def test_only_public_categories_leave_as_public(slug: str) -> None:
    """What is internal is Restricted, and says so."""
    made = message(version(category=slug))
    public = DATA.categories[slug].public
    assert made.scope is (Scope.PUBLIC if public else Scope.RESTRICTED)
    assert bool(made.restriction) is not public


def test_a_drill_is_an_exercise_in_every_place_where_somebody_looks() -> None:
    """Status, note and headlines say that it is a drill."""
    made = message(version(drill=True))
    assert made.status is Status.EXERCISE
    assert "演练" in made.note
    assert [info.headline[:4] for info in made.infos] == ["【演练】", "[DRI"]
    assert message(version()).status is Status.ACTUAL


def test_words_of_a_restricted_warning_are_not_repeated_in_public() -> None:
    """The alert goes out, what the restricted warning says does not; among officials it does."""
    one = version(evidence=(FINDING, SECRET), zh="青溪镇：外部预警“内部通报”。", en="Qingxi: 内部通报.")
    assert "内部通报".encode() not in write_cap(message(one))
    internal = structs.replace(one, category="petition")
    assert "内部通报".encode() in write_cap(message(internal))


@pytest.mark.parametrize(
    "text",
    ["", "fenghuo-1-1", f"fenghuo-{ALERT}-0", f"fenghuo-{ALERT}", f"fenghuo-{ALERT}-1.xml", f"x{ALERT}-1"],
)
def test_identifiers_lead_back_and_others_nowhere(text: str) -> None:
    """An identifier of ours names one version."""
    assert read_identifier(identifier_of(ALERT, 12)) == (ALERT, 12)
    assert read_identifier(text) is None
