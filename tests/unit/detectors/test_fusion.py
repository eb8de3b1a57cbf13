"""Findings into alerts: levels, versions, holding, clearing, order."""

import random
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from config.data import Category, LevelRule, load_data
from detectors.fusion.bulletins import bulletin_findings
from detectors.fusion.fusion import Fusion
from domain.errors import InvalidInput
from domain.findings import Alert, AlertChange, BrokenLimit, Finding, FindingState, SubjectKind
from domain.identity import alert_id
from domain.incidents import Disposition, Verdict
from domain.inputs import Bulletin
from domain.levels import Domain, EventClass, Feed, Level

CATEGORIES = load_data().categories
NOW = datetime(2026, 6, 19, 1, tzinfo=UTC)
NAMES = UUID(int=2)


def minutes(number: float) -> datetime:
    """Tell a time after the beginning."""
    return NOW + timedelta(minutes=number)


def limit_at(
    level: Level,
    minute: float = 0,
    *,
    series: str = "ammonia-1",
    state: FindingState = FindingState.CONFIRMED,
) -> Finding:
    """Make a finding about a broken limit; the same level and series have the same id."""
    return Finding(
        id=uuid5(NAMES, f"{series}/{level}"),
        detector="limit-1",
        detector_version=1,
        category="water-pollution",
        subject_kind=SubjectKind.SERIES,
        subject=series,
        area="990101104002003",
        feed=Feed.READINGS,
        state=state,
        observed_at=minutes(minute),
        received_at=minutes(minute),
        period_start=NOW,
        observed=2.6,
        unit="mg/L",
        limit=BrokenLimit(level=level, value=2.0, basis="GB 3838-2002"),
    )


def rare(
    p_value: float, minute: float = 0, *, subject: str = "990101104", feed: Feed = Feed.TICKETS
) -> Finding:
    """Make a finding about a count of fever tickets."""
    return Finding(
        id=uuid5(NAMES, f"{subject}/{feed}"),
        detector="counts-2h",
        detector_version=1,
        category="infectious-disease",
        subject_kind=SubjectKind.CELL,
        subject=subject,
        area=subject,
        feed=feed,
        state=FindingState.CONFIRMED,
        observed_at=minutes(minute),
        received_at=minutes(minute),
        period_start=NOW,
        period_end=minutes(120),
        observed=8.0,
        expected=0.4,
        unit="件",
        p_value=p_value,
    )


def phrase(minute: float = 0, category: str = "wage-dispute") -> Finding:
    """Make a finding about a critical phrase."""
    return structs.replace(
        rare(1.0, minute, subject="990101104002"),
        id=uuid5(NAMES, f"phrase/{category}"),
        category=category,
        phrase="讨薪",
        p_value=None,
        observed=None,
        expected=None,
    )


def cleared(finding: Finding, minute: float) -> Finding:
    """Clear a finding."""
    return structs.replace(
        finding, state=FindingState.CLEARED, observed_at=minutes(minute), received_at=minutes(minute)
    )


def told(alerts: list[Alert]) -> list[tuple[int, AlertChange, Level, str]]:
    """Name what versions tell."""
    return [(alert.version, alert.change, alert.level, alert.reason) for alert in alerts]


def test_a_broken_limit_raises_an_alert_at_once() -> None:
    """The first finding that reaches a level raises the alert, with id, evidence, reason and sentences."""
    finding = limit_at(Level.BLUE)
    (alert,) = Fusion(CATEGORIES, {"990101104": "青溪镇", "ammonia-1": "氨氮"}.__getitem__).apply(
        finding, minutes(1)
    )
    assert told([alert]) == [(1, AlertChange.RAISED, Level.YELLOW, "limit_broken")]
    assert alert.id == alert_id(finding.id)
    assert (alert.domain, alert.county, alert.place) == (Domain.ENVIRONMENT, "990101", "990101104")
    assert (alert.opened_at, alert.changed_at, alert.received_at) == (minutes(1), minutes(1), NOW)
    assert alert.evidence == (finding,)
    assert alert.zh.startswith("青溪镇水环境污染黄色预警：")


@pytest.mark.parametrize(
    ("findings", "level"),
    [
        ([limit_at(Level.BLUE)], Level.YELLOW),
        ([limit_at(Level.ORANGE)], Level.ORANGE),
        ([limit_at(Level.BLUE), limit_at(Level.BLUE, series="ammonia-2")], Level.ORANGE),
        ([limit_at(Level.ORANGE, series=name) for name in "abc"], Level.RED),
        ([rare(1e-3)], None),
        ([rare(1e-4)], Level.BLUE),
        ([rare(1e-4), rare(1e-4, subject="990101104002")], Level.BLUE),
        ([rare(1e-4, subject="990101104001"), rare(1e-4, subject="990101104002")], Level.YELLOW),
        ([rare(1e-4), rare(1e-4, feed=Feed.REPORTS)], Level.YELLOW),
        ([rare(1e-7, subject=f"99010110400{n}") for n in range(3)], Level.ORANGE),
        ([phrase()], Level.BLUE),
        ([phrase(category="no-such-category")], None),
    ],
)
def test_the_gravest_row_that_is_reached_decides(findings: list[Finding], level: Level | None) -> None:
    """Limits, rarity, phrases and independent streams together; a part of a place is no further stream."""
    fusion = Fusion(CATEGORIES)
    for finding in findings:
        fusion.apply(finding, NOW)
    assert [each for *_, each in fusion.open_alerts()] == ([] if level is None else [level])


def test_up_at_once_and_down_after_the_hold() -> None:
    """A graver limit lifts the level at once; when it is over the level stays for the hold time, then sinks, then clears."""
    fusion = Fusion(CATEGORIES)
    low, high = limit_at(Level.BLUE), limit_at(Level.RED, 5)
    assert told(fusion.apply(low, NOW)) == [(1, AlertChange.RAISED, Level.YELLOW, "limit_broken")]
    assert told(fusion.apply(high, minutes(5))) == [(2, AlertChange.CHANGED, Level.RED, "limit_broken")]
    assert fusion.apply(cleared(high, 10), minutes(10)) == []
    assert fusion.tick(minutes(69)) == []
    assert told(fusion.tick(minutes(70))) == [(3, AlertChange.CHANGED, Level.YELLOW, "evidence_weaker")]
    assert fusion.apply(cleared(low, 80), minutes(80)) == []
    assert told(fusion.tick(minutes(140))) == [(4, AlertChange.CLEARED, Level.YELLOW, "evidence_gone")]
    assert fusion.open_alerts() == []
    assert fusion.tick(minutes(999)) == []


def test_coming_back_within_the_hold_says_nothing() -> None:
    """Evidence that goes and returns within the hold time makes no version."""
    fusion = Fusion(CATEGORIES)
    finding = limit_at(Level.BLUE)
    fusion.apply(finding, NOW)
    for number in range(1, 6):
        assert fusion.apply(cleared(finding, 20 * number), minutes(20 * number)) == []
        again = structs.replace(limit_at(Level.BLUE, 20 * number + 10), id=uuid5(NAMES, str(number)))
        assert fusion.apply(again, minutes(20 * number + 10)) == []
        finding = again


def test_a_new_kind_of_evidence_makes_a_version_and_more_of_the_same_does_not() -> None:
    """A second feed at the same level is news; an update of the same finding, or its like, is not."""
    fusion = Fusion(CATEGORIES)
    assert len(fusion.apply(rare(1e-7), NOW)) == 1
    assert fusion.apply(rare(1e-8, 1), minutes(1)) == []
    assert fusion.apply(rare(1e-7, 1, subject="990101104001"), minutes(1)) == []
    assert [alert.version for alert in fusion.apply(rare(1e-7, 2, feed=Feed.REPORTS), minutes(2))] == [2]


def test_a_replay_makes_nothing() -> None:
    """Findings that come again, open or long cleared, change nothing."""
    fusion = Fusion(CATEGORIES)
    said = [
        limit_at(Level.BLUE),
        limit_at(Level.RED, 5),
        cleared(limit_at(Level.RED), 9),
        cleared(limit_at(Level.BLUE), 9),
    ]
    for finding in said:
        fusion.apply(finding, minutes(10))
    assert [fusion.apply(finding, minutes(11)) for finding in said] == [[]] * 4
    assert told(fusion.tick(minutes(90)))[0][1] is AlertChange.CLEARED
    assert [fusion.apply(finding, minutes(91)) for finding in said] == [[]] * 4
    assert fusion.open_alerts() == []


def test_an_alert_that_rises_again_goes_on_counting() -> None:
    """The same finding, confirmed anew after its alert was cleared, raises the next version of the same alert."""
    fusion = Fusion(CATEGORIES)
    (first,) = fusion.apply(limit_at(Level.BLUE), NOW)
    fusion.apply(cleared(limit_at(Level.BLUE), 5), minutes(5))
    fusion.tick(minutes(70))
    (again,) = fusion.apply(limit_at(Level.BLUE, 75), minutes(75))
    assert (again.id, again.version, again.change) == (first.id, 3, AlertChange.RAISED)


def test_a_false_disposition_holds_statistics_back_and_nothing_else() -> None:
    """After "false" the place's statistics are not listened to for a day; phrases are, as always."""
    fusion = Fusion(CATEGORIES)
    (alert,) = fusion.apply(rare(1e-7), NOW)
    verdict = Disposition(
        id=UUID(int=1),
        alert=alert.id,
        incident=UUID(int=2),
        category=alert.category,
        county=alert.county,
        verdict=Verdict.FALSE,
        decided_at=minutes(5),
    )
    assert fusion.dispose(structs.replace(verdict, verdict=Verdict.TRUE), minutes(5)) == []
    assert fusion.dispose(verdict, minutes(5)) == []
    assert told(fusion.tick(minutes(5 + 720)))[0][1] is AlertChange.CLEARED
    assert fusion.apply(rare(1e-9, 800, feed=Feed.REPORTS), minutes(800)) == []
    assert len(fusion.apply(phrase(801, "infectious-disease"), minutes(801))) == 1
    assert fusion.dispose(structs.replace(verdict, alert=UUID(int=9)), minutes(802)) == []


def test_a_bulletin_raises_where_it_holds_and_weighs_below() -> None:
    """A county's bulletin is an alert of the county, evidence in its townships, and over when it says."""
    fusion = Fusion(CATEGORIES)
    bulletin = Bulletin(
        id=UUID(int=3),
        source="weather",
        own_id="x-1",
        category="flood",
        level=Level.YELLOW,
        areas=("990101",),
        effective_at=NOW,
        expires_at=minutes(60),
        received_at=NOW,
        headline="暴雨黄色预警",
    )
    water = structs.replace(limit_at(Level.BLUE), category="flood")
    assert told(fusion.apply(water, NOW)) == [(1, AlertChange.RAISED, Level.YELLOW, "limit_broken")]
    (finding,) = bulletin_findings(bulletin)
    alerts = fusion.apply(finding, NOW)
    assert [(alert.place, alert.level) for alert in alerts] == [
        ("990101", Level.BLUE),
        ("990101104", Level.ORANGE),
    ]
    assert fusion.tick(minutes(61)) == []
    lowered = sorted(fusion.tick(minutes(61 + 120)), key=lambda alert: alert.place)
    assert [(alert.place, alert.change, alert.level) for alert in lowered] == [
        ("990101", AlertChange.CLEARED, Level.BLUE),
        ("990101104", AlertChange.CHANGED, Level.YELLOW),
    ]
    late = structs.replace(bulletin, id=UUID(int=4))
    assert fusion.apply(bulletin_findings(late)[0], minutes(300)) == []


def test_a_phrase_that_comes_at_midnight_is_heard() -> None:
    """A phrase whose day is over when it arrives still raises its alert, for the hold time."""
    fusion = Fusion(CATEGORIES)
    assert len(fusion.apply(phrase(), minutes(121))) == 1
    assert fusion.tick(minutes(121 + 720)) == []
    assert told(fusion.tick(minutes(121 + 1440)))[0][1] is AlertChange.CLEARED


def test_levels_stop_at_the_categorys_highest_and_neighbours_may_raise() -> None:
    """No evidence lifts a category over its cap; a category may take another's findings as evidence."""
    flood = structs.replace(CATEGORIES["flood"], highest=Level.YELLOW, raised_by=("water-pollution",))
    fusion = Fusion({"flood": flood})
    assert told(fusion.apply(limit_at(Level.RED), NOW)) == [
        (1, AlertChange.RAISED, Level.YELLOW, "limit_broken")
    ]


def test_a_row_without_conditions_is_reached_by_any_finding() -> None:
    """A device fault has no number: that it was found is enough."""
    category = Category(
        slug="water-pollution",
        domain=Domain.SAFETY,
        event_class=EventClass.ACCIDENT,
        zh="设备",
        en="Device",
        public=True,
        levels=(LevelRule(level=Level.BLUE),),
    )
    (alert,) = Fusion({"water-pollution": category}).apply(
        structs.replace(limit_at(Level.BLUE), limit=None), NOW
    )
    assert alert.reason == "evidence"


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6))
def test_order_makes_no_difference_to_what_is_open(seed: int) -> None:
    """Any order of the same words about the same findings, with repetitions, ends with the same levels."""
    generator = random.Random(seed)
    words = [
        limit_at(generator.choice([Level.BLUE, Level.RED]), minute, series=generator.choice("abc"))
        for minute in range(12)
    ]
    words = [cleared(word, minute) if generator.random() < 0.4 else word for minute, word in enumerate(words)]
    ends = []
    for _ in range(2):
        fusion = Fusion(CATEGORIES)
        for word in words:
            fusion.apply(word, minutes(20))
        fusion.tick(minutes(500))
        ends.append([level for *_, level in fusion.open_alerts()])
        generator.shuffle(words)
        words.extend(generator.sample(words, 4))
    assert ends[0] == ends[1]


@pytest.mark.parametrize("cut", range(6))
def test_a_restart_makes_no_difference(cut: int) -> None:
    """Dumped anywhere, restored and given the rest, a fusion says the same versions."""
    steps = [
        limit_at(Level.BLUE),
        rare(1e-7, 1),
        limit_at(Level.RED, 2),
        phrase(3),
        cleared(limit_at(Level.RED), 4),
        cleared(limit_at(Level.BLUE), 5),
    ]
    whole, first, second = Fusion(CATEGORIES), Fusion(CATEGORIES), Fusion(CATEGORIES)
    expected = [alert for number, step in enumerate(steps) for alert in whole.apply(step, minutes(number))]
    expected += whole.tick(minutes(70)) + whole.tick(minutes(3_000))
    said = [alert for number, step in enumerate(steps[:cut]) for alert in first.apply(step, minutes(number))]
    second.restore(first.dump())
    assert first.dump() == {}
    said += [
        alert for number, step in enumerate(steps[cut:], cut) for alert in second.apply(step, minutes(number))
    ]
    said += second.tick(minutes(70)) + second.tick(minutes(3_000))
    assert said == expected


def test_a_state_of_another_form_is_refused() -> None:
    """Nonsense and unknown versions are invalid input."""
    for piece in (b"nonsense", b"\x81\xa7version\x63"):
        with pytest.raises(InvalidInput):
            Fusion(CATEGORIES).restore({"990101": piece})


def test_what_is_over_is_forgotten() -> None:
    """Nothing is kept of a county once findings can no longer come again."""
    fusion = Fusion(CATEGORIES)
    fusion.apply(limit_at(Level.BLUE), NOW)
    fusion.apply(cleared(limit_at(Level.BLUE), 1), minutes(1))
    for day in range(20):
        fusion.tick(NOW + timedelta(days=day))
    assert len(fusion.dump()["990101"]) < 60


def test_a_flapping_device_does_not_fill_the_memory() -> None:
    """Of an open alert's findings that are over only the newest are kept."""
    fusion = Fusion(CATEGORIES)
    fusion.apply(limit_at(Level.BLUE), NOW)
    for number in range(500):
        finding = structs.replace(limit_at(Level.BLUE, number), id=uuid5(NAMES, f"flap/{number}"))
        fusion.apply(finding, minutes(number))
        fusion.apply(cleared(finding, number + 0.5), minutes(number))
    (alert,) = fusion.apply(limit_at(Level.RED, 501), minutes(501))
    assert alert.version == 2
    assert len(fusion._counties.known["990101"].cases[0].findings) < 70


def test_a_network_that_goes_dark_is_one_alert_until_the_last_device_is_back() -> None:
    """Two thousand devices fall silent and come back: raised once, cleared once, after the last one and the hold."""
    fusion = Fusion(CATEGORIES)
    silent = [
        structs.replace(
            limit_at(Level.BLUE),
            id=uuid5(NAMES, f"dark/{number}"),
            detector="silent",
            category="equipment-fault",
            subject=f"device-{number}",
            limit=None,
        )
        for number in range(2_000)
    ]
    said = [alert for finding in silent for alert in fusion.apply(finding, NOW)]
    assert [alert.change for alert in said] == [AlertChange.RAISED]
    back = [cleared(finding, 30) for finding in silent]
    said = [alert for finding in back[:-1] for alert in fusion.apply(finding, minutes(30))]
    assert said == []
    assert fusion.tick(minutes(31)) == []
    assert len(fusion.open_alerts()) == 1
    hold = CATEGORIES["equipment-fault"].hold_minutes
    assert fusion.apply(back[-1], minutes(32)) == []
    (over,) = fusion.tick(minutes(32 + hold + 1))
    assert over.change is AlertChange.CLEARED


def test_two_happenings_in_a_backlog_are_two_alerts() -> None:
    """A year of readings that comes in a minute has an alert for each happening, although the clock hardly moves."""
    fusion = Fusion(CATEGORIES)
    first, second = (
        structs.replace(
            limit_at(Level.BLUE, at), id=uuid5(NAMES, f"happening/{at}"), period_start=minutes(at)
        )
        for at in (0, 600)
    )
    (raised,) = fusion.apply(first, NOW)
    assert fusion.apply(cleared(first, 30), NOW) == []
    over, again = fusion.apply(second, NOW)
    assert (over.id, over.change) == (raised.id, AlertChange.CLEARED)
    assert (again.change, again.version) == (AlertChange.RAISED, 1)
    assert again.id != raised.id
    assert again.evidence[0].period_start == second.period_start
