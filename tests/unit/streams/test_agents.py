"""What each desk makes of its messages, and that it forgets nothing between dump and restore."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from stream_world import COUNTY, START, TOWNSHIPS, Sent, pack_of, series_of, ticket_of

from config.data import load_data
from detectors.words.terms import Terms
from detectors.words.text import Classifier
from domain.codec import decode, encode, headers_for
from domain.errors import InvalidInput
from domain.findings import Alert, AlertChange, Finding, FindingState, RollUps, SubjectKind
from domain.identity import derived_id
from domain.incidents import Disposition, Verdict
from domain.inputs import Bulletin
from domain.levels import Feed, Level
from domain.registry import Area, Series
from domain.topics import ALERTS, BULLETINS, CALIBRATIONS, DISPOSITIONS, FINDINGS, READINGS, ROLLUPS
from streams.agents_fusion import FusionDesk
from streams.agents_readings import ReadingsDesk
from streams.agents_texts import BulletinsDesk, TextsDesk
from streams.desk import Desk, Incoming, Outgoing
from streams.messages import partition_of

DATA = load_data()
CLASSIFIER = Classifier(DATA.terms)
SERIES = {one.id: one for one in map(series_of, range(3))}
PARTITIONS = 8
HOME = partition_of(COUNTY, PARTITIONS)
NOW = datetime(2026, 3, 3, tzinfo=UTC)


def incoming(sent: Sent, offset: int = 0, partition: int = HOME) -> Incoming:
    """What was sent, as it arrives."""
    topic, _, value, headers = sent
    return Incoming(topic, partition, offset, value, dict(headers), 0, lambda: None)


def records(outgoing: Outgoing, kind: type) -> list[object]:
    """The records of one type among the messages."""
    topic = next(one for one in (FINDINGS, ROLLUPS, ALERTS, DISPOSITIONS) if one.record is kind)
    return [decode(topic, one.value, one.headers) for one in outgoing if one.topic == topic.name]


def readings_desk() -> ReadingsDesk:
    """A desk that knows three series."""
    return ReadingsDesk(SERIES, 600.0)


def texts_desk() -> TextsDesk:
    """A desk with the shipped dictionary."""
    return TextsDesk(CLASSIFIER, Terms(DATA.stops, DATA.terms), DATA.categories, {}, 86_400.0)


def fusion_desk() -> FusionDesk:
    """A desk with the shipped categories and one named township."""
    areas = {TOWNSHIPS[0]: Area(code=TOWNSHIPS[0], name="青溪镇")}
    return FusionDesk(DATA.categories, areas, SERIES, PARTITIONS, lambda: NOW)


def broken_limit() -> Outgoing:
    """The findings of a series that breaks its limit."""
    return readings_desk().take(incoming(pack_of(0, range(20), high=range(15, 20))))


def test_readings_become_findings_of_their_county() -> None:
    """A broken limit is a finding, keyed by county."""
    outgoing = broken_limit()
    assert {one.key for one in outgoing} == {COUNTY.encode()}
    assert any(one.limit for one in records(outgoing, Finding) if isinstance(one, Finding))


def test_rollups_of_townships_share_messages() -> None:
    """Roll-ups of all townships of a partition go out together with the snapshot, late readings after them."""
    desk = readings_desk()
    for number in range(2):
        desk.take(incoming(pack_of(number, range(40))))
    desk.take(incoming(pack_of(0, [1, 0])))
    collected = desk.collect()
    assert {one.key.decode() for one in collected} == {TOWNSHIPS[0]}
    rows = [one for one in records(collected, RollUps) if isinstance(one, RollUps)]
    assert {name for one in rows for name in one.series} == {"river-0", "river-1"}
    assert sum(sum(one.count) for one in rows) == 80
    assert desk.collect() == []


def test_series_that_falls_silent_is_told_by_event_time() -> None:
    """When the others' time has gone on by more than a quarter of an hour, a series is silent."""
    desk = readings_desk()
    desk.take(incoming(pack_of(0, range(5))))
    outgoing = desk.take(incoming(pack_of(1, range(60))))
    silent = [
        one for one in records(outgoing, Finding) if isinstance(one, Finding) and one.detector == "silent"
    ]
    assert [one.subject for one in silent] == ["river-0"]


def test_changed_series_is_known_at_once() -> None:
    """A limit that the registry takes away is no longer broken."""
    desk = readings_desk()
    desk.know(msgspec.structs.replace(SERIES["river-0"], limits=()), "river-0")
    outgoing = desk.take(incoming(pack_of(0, range(20), high=range(15, 20))))
    assert not [one for one in records(outgoing, Finding) if isinstance(one, Finding) and one.limit]


def test_critical_phrase_is_a_finding() -> None:
    """A ticket with a critical phrase is a finding by itself; the same ticket again says nothing new but its id."""
    desk = texts_desk()
    ticket = ticket_of(1, "工地拖欠工资，工人要讨薪", TOWNSHIPS[0], 0)
    first, again = desk.take(incoming(ticket)), desk.take(incoming(ticket, 1))
    assert [(one.category, one.phrase) for one in records(first, Finding) if isinstance(one, Finding)] == [
        ("wage-dispute", "拖欠工资")
    ]
    assert {one.value for one in again} <= {one.value for one in first}


def test_ticket_past_the_bound_reaches_no_detector() -> None:
    """Later than a day behind the newest of its source is too late."""
    desk = texts_desk()
    desk.take(incoming(ticket_of(1, "路灯不亮", TOWNSHIPS[0], 3 * 1440)))
    assert desk.take(incoming(ticket_of(2, "工人讨薪", TOWNSHIPS[0], 0))) == []


def test_bulletin_for_a_city_reaches_its_counties() -> None:
    """A warning for an area above the county becomes one for each county that the registry knows there."""
    areas = {
        code: Area(code=code, name=code) for code in ("9901", "990101", "990102", "880101", TOWNSHIPS[0])
    }
    bulletin = Bulletin(
        id=derived_id("bulletin"),
        source="weather",
        own_id="B1",
        category="flood",
        level=Level.ORANGE,
        areas=("9901", "880101"),
        effective_at=START,
        expires_at=START + timedelta(days=1),
        received_at=START,
        headline="暴雨橙色预警",
    )
    sent: Sent = (BULLETINS.name, "9901", encode(bulletin), headers_for(BULLETINS))
    outgoing = BulletinsDesk(areas).take(incoming(sent))
    assert [one.key.decode() for one in outgoing] == ["990101", "990102", "880101"]


def bulletin_of(name: str, **changes: Any) -> Sent:
    """A warning of the weather office for one township."""
    bulletin = Bulletin(
        id=derived_id("bulletin", name),
        source="weather",
        own_id=name,
        category="flood",
        level=Level.ORANGE,
        areas=(TOWNSHIPS[0],),
        effective_at=START,
        expires_at=START + timedelta(days=1),
        received_at=START,
        headline="暴雨橙色预警",
    )
    record = msgspec.structs.replace(bulletin, **changes)
    return BULLETINS.name, record.source, encode(record), headers_for(BULLETINS)


def test_warnings_in_force_outlive_the_worker() -> None:
    """A cancellation that comes after a restart finds what it ends in the written boards, and only in its own source's."""
    before = BulletinsDesk({})
    before.take(incoming(bulletin_of("B1")))
    before.take(incoming(bulletin_of("B1", source="other")))
    after = BulletinsDesk({})
    after.restore(before.dump())
    assert before.dump() == {}
    end = bulletin_of("C1", category=None, level=None, areas=(), status="cancelled", supersedes=("B1",))
    cleared = [one for one in records(after.take(incoming(end)), Finding) if isinstance(one, Finding)]
    assert [(one.subject, one.state) for one in cleared] == [("B1", "cleared")]
    assert set(after.dump()) == {"weather"}


@pytest.mark.parametrize("piece", [b"?", msgspec.msgpack.encode({"version": 99})])
def test_boards_of_another_form_are_refused(piece: bytes) -> None:
    """A snapshot of a newer release is not read as something else."""
    with pytest.raises(InvalidInput):
        BulletinsDesk({}).restore({"weather": piece})


def test_findings_become_alerts_with_names() -> None:
    """A broken limit raises an alert whose sentence names the place and the series."""
    desk = fusion_desk()
    outgoing = [
        alert
        for one in broken_limit()
        for alert in desk.take(incoming((one.topic, COUNTY, one.value, one.headers)))
    ]
    alerts = [one for one in records(outgoing, Alert) if isinstance(one, Alert)]
    raised = next(one for one in alerts if one.category == "water-pollution")
    assert (raised.change, raised.place, raised.county) == (AlertChange.RAISED, TOWNSHIPS[0], COUNTY)
    assert "青溪镇" in raised.zh
    assert "0号断面氨氮" in raised.zh


def test_verdict_finds_the_partition_of_its_county() -> None:
    """A verdict that arrives at another partition is sent to that of its county; there it is not sent on."""
    desk = fusion_desk()
    verdict = Disposition(
        id=derived_id("verdict"),
        alert=derived_id("alert"),
        incident=derived_id("incident"),
        category="flood",
        county=COUNTY,
        verdict=Verdict.FALSE,
        decided_at=NOW,
    )
    sent: Sent = (DISPOSITIONS.name, str(verdict.alert), encode(verdict), headers_for(DISPOSITIONS))
    forwarded = desk.take(incoming(sent, partition=(HOME + 1) % PARTITIONS))
    assert [(one.topic, one.partition) for one in forwarded] == [(DISPOSITIONS.name, HOME)]
    assert desk.take(incoming(sent)) == []


def test_verdicts_become_calibrations_of_their_county() -> None:
    """Each verdict on an alert is answered by the county's calibration, under its code; the same again by nothing."""
    desk = fusion_desk()
    outgoing = [
        alert
        for one in broken_limit()
        for alert in desk.take(incoming((one.topic, COUNTY, one.value, one.headers)))
    ]
    raised = next(
        one
        for one in records(outgoing, Alert)
        if isinstance(one, Alert) and one.category == "water-pollution"
    )
    verdict = Disposition(
        id=derived_id("verdict"),
        alert=raised.id,
        incident=derived_id("incident"),
        category=raised.category,
        county=COUNTY,
        verdict=Verdict.TRUE,
        decided_at=NOW,
    )
    sent: Sent = (DISPOSITIONS.name, str(verdict.alert), encode(verdict), headers_for(DISPOSITIONS))
    (message,) = desk.take(incoming(sent))
    assert (message.topic, message.key) == (CALIBRATIONS.name, COUNTY.encode())
    calibration = decode(CALIBRATIONS, message.value, message.headers)
    assert (calibration.county, calibration.at) == (COUNTY, NOW)
    assert all(counted == (1, 0) for counted in calibration.detectors.values())
    assert calibration.detectors
    assert desk.take(incoming(sent, 1)) == []


def of_a_river(number: int) -> Series:
    """A station of one river, 2.7 km below the one before, read each quarter of an hour."""
    return msgspec.structs.replace(
        SERIES["river-0"], id=f"river-{number}", river="qs", river_km=2.7 * number, interval_seconds=900.0
    )


def unusual(number: int, minute: int) -> Sent:
    """A weak finding of such a station."""
    at = NOW + timedelta(minutes=minute)
    finding = Finding(
        id=derived_id("unusual", number),
        detector="innovation",
        detector_version=1,
        category="water-pollution",
        subject_kind=SubjectKind.SERIES,
        subject=f"river-{number}",
        area=SERIES["river-0"].area,
        feed=Feed.READINGS,
        state=FindingState.CONFIRMED,
        observed_at=at,
        received_at=at,
        period_start=at,
        observed=9.0,
        expected=1.0,
        unit="mg/L",
        p_value=1e-5,
        weak=True,
    )
    return FINDINGS.name, COUNTY, encode(finding), headers_for(FINDINGS)


def test_weak_findings_along_a_river_raise_an_alert_that_no_station_raises_alone() -> None:
    """What neighbours conclude is fused with what they concluded it from; a series that comes later is known too."""
    series = {one.id: one for one in map(of_a_river, range(3))}
    desk = FusionDesk(DATA.categories, {}, series, PARTITIONS, lambda: NOW, number=HOME, rivers=DATA.rivers)
    desk.know(of_a_river(3), "river-3")
    said = [one for number in range(4) for one in desk.take(incoming(unusual(number, 45 * number), number))]
    alerts = [one for one in records(said, Alert) if isinstance(one, Alert)]
    assert alerts
    assert {one.detector for one in alerts[-1].evidence} == {"river", "innovation"}
    assert of_a_river(0).name in alerts[-1].zh
    pieces = desk.dump()
    assert {name for name in pieces if "/" in name} == {f"neighbours/{COUNTY}", f"{COUNTY}/learned"}


def test_series_of_other_partitions_are_nobodys_neighbours() -> None:
    """A desk knows the counties of its own partition only."""
    desk = FusionDesk(DATA.categories, {}, SERIES, PARTITIONS, lambda: NOW, number=(HOME + 1) % PARTITIONS)
    desk.know(of_a_river(1), "river-1")
    assert desk._neighbours.facts("river-1", "water-pollution", NOW) == ((), 0)


def test_removed_verdict_is_no_fault() -> None:
    """An empty value on the compacted topic of verdicts is a removal."""
    empty = Incoming(DISPOSITIONS.name, HOME, 0, None, {}, 0, lambda: None)
    assert fusion_desk().take(empty) == []


@pytest.mark.parametrize(
    ("desk", "topic"),
    [
        (readings_desk(), "feed.readings"),
        (texts_desk(), "feed.tickets"),
        (texts_desk(), "feed.reports"),
        (BulletinsDesk({}), "feed.bulletins"),
        (fusion_desk(), "findings"),
        (fusion_desk(), "feed.dispositions"),
    ],
)
@pytest.mark.parametrize("value", [b"", b"?", b"[1]", b"\xff\xfe"])
def test_what_cannot_be_read_is_refused(desk: Desk, topic: str, value: bytes) -> None:
    """Every desk answers what is not of its topic with InvalidInput, and nothing else."""
    with pytest.raises(InvalidInput):
        desk.take(Incoming(topic, HOME, 0, value, {}, 0, lambda: None))


def of_readings() -> list[Sent]:
    """Packs with an excursion."""
    return [
        pack_of(number % 3, range(m, m + 2), high=range(30, 50))
        for m in range(0, 90, 2)
        for number in range(3)
    ]


def of_texts() -> list[Sent]:
    """Tickets over some days."""
    return [ticket_of(n, "工人讨薪" if n % 3 else "河水有异味", TOWNSHIPS[n % 2], n * 60) for n in range(90)]


def of_findings() -> list[Sent]:
    """Findings of a series that breaks its limit and comes back."""
    desk = readings_desk()
    return [
        (one.topic, COUNTY, one.value, one.headers)
        for sent in of_readings()
        for one in desk.take(incoming(sent))
    ]


@pytest.mark.parametrize(
    ("make", "messages"),
    [(readings_desk, of_readings()), (texts_desk, of_texts()), (fusion_desk, of_findings())],
)
def test_restored_desk_goes_on_as_if_nothing_had_been(make: Callable[[], Desk], messages: list[Sent]) -> None:
    """A desk restored from the pieces of all dumps says the same of the rest as the one that went on."""
    desk = make()
    pieces: dict[str, bytes] = {}
    said, again = [], []
    for offset, sent in enumerate(messages[: len(messages) // 2]):
        desk.take(incoming(sent, offset))
        if offset % 7 == 0:
            desk.collect()
            pieces |= desk.dump()
    desk.collect()
    pieces |= desk.dump()
    other = make()
    other.restore(dict(pieces))
    for offset, sent in enumerate(messages[len(messages) // 2 :]):
        said += desk.take(incoming(sent, offset))
        again += other.take(incoming(sent, offset))
    later = NOW + timedelta(days=30)
    said, again = said + desk.tick(later), again + other.tick(later)
    assert said
    assert again == said
    assert other.collect() == desk.collect()


def test_readings_topic_is_read_as_json_too() -> None:
    """Other producers may send plain JSON."""
    value = b'[{"series": "river-0", "observed_at": "2026-03-02T00:00:00+00:00", "value": 3.5}]'
    desk = readings_desk()
    desk.take(Incoming(READINGS.name, HOME, 0, value, {}, 1_780_000_000_000_000, lambda: None))
    assert len(desk.collect()) == 1
