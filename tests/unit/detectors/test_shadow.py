"""Findings on trial: recorded beside alerts, weighing nothing, counted by what became of those alerts."""

import random

import pytest
from alert_world import (
    CATEGORIES,
    bulletin,
    cleared,
    days,
    fuse,
    limit,
    phrase,
    statistical,
    verdict,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from config.settings import FusionSettings
from detectors.fusion.fusion import Fusion
from detectors.fusion.shadow import MOST_TRIALS, on_trial, read_rules
from domain.findings import Finding
from domain.incidents import Verdict

ON_TRIAL = FusionSettings(shadow=("scan", "innovation<7"))
RULES = read_rules(ON_TRIAL.shadow)


@pytest.mark.parametrize(
    ("finding", "rule"),
    [
        (statistical(1, detector="scan", rarity=12), "scan"),
        (statistical(1, rarity=6.5), "innovation<7"),
        (statistical(1, rarity=7.5), None),
        (statistical(1, detector="counts", rarity=5), None),
        (structs.replace(statistical(1, detector="new"), shadow=True), "new"),
        (structs.replace(limit(1), detector="scan"), None),
        (structs.replace(limit(1), shadow=True), None),
        (structs.replace(phrase(1), detector="scan", shadow=True), None),
        (structs.replace(bulletin(1), detector="scan", shadow=True), None),
        (structs.replace(statistical(1, detector="scan"), p_value=None), "scan"),
        (structs.replace(statistical(1), p_value=None), None),
    ],
)
def test_who_is_on_trial(finding: Finding, rule: str | None) -> None:
    """Detectors by name, findings below a rarity, and what marks itself; limits, phrases and bulletins never."""
    assert on_trial(finding, RULES) == rule


def some(generator: random.Random) -> list[Finding]:
    """Make findings of all kinds, most of them statistical."""
    return [
        generator.choice([statistical, statistical, statistical, limit])(
            generator.randrange(6), generator.random() / 24, place=generator.randrange(1, 3)
        )
        for _ in range(12)
    ]


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10**6))
def test_what_is_on_trial_changes_nothing_but_the_record(seed: int) -> None:
    """With findings on trial strewn in, every version is the same but for what stands last among the evidence."""
    generator = random.Random(seed)
    real = some(generator)
    trials = [
        structs.replace(
            finding, id=statistical(100 + number, detector="scan").id, detector="scan", limit=None
        )
        for number, finding in enumerate(some(generator))
    ]
    trials = [structs.replace(finding, p_value=1e-12) for finding in trials]
    mixed = [*real]
    for finding in trials:
        mixed.insert(generator.randrange(len(mixed) + 1), finding)
    settings_ = FusionSettings(shadow=("scan",))
    ends = []
    for findings in (real, mixed):
        fusion = Fusion(CATEGORIES, settings=settings_)
        said = fuse(fusion, findings, 0.1) + fusion.tick(days(0.2)) + fusion.tick(days(40))
        ends.append(
            [
                structs.replace(alert, evidence=tuple(one for one in alert.evidence if not one.shadow))
                for alert in said
            ]
        )
    assert ends[0] == ends[1]


def test_it_stands_beside_an_alert_and_is_judged_with_it() -> None:
    """Recorded as evidence that is marked, in its own words nothing; the verdict on the alert counts for it too."""
    fusion = Fusion(CATEGORIES, settings=ON_TRIAL)
    assert fusion.apply(statistical(1, detector="scan", rarity=12), days(0)) == []
    (alert,) = fusion.apply(limit(2, 0.01), days(0.01))
    assert [(one.detector, one.shadow) for one in alert.evidence] == [("limit-1", False), ("scan", True)]
    assert "series-1" not in alert.zh
    fusion.apply(statistical(3, 0.02, rarity=6.5), days(0.02))
    fusion.dispose(verdict(alert, Verdict.TRUE, 0.5), days(0.5))
    (calibration,) = fusion.calibrations(days(0.5))
    assert calibration.detectors == {
        "limit-1": (1, 0),
        "scan (shadow)": (1, 0),
        "innovation<7 (shadow)": (1, 0),
    }
    assert fusion.calibrations(days(0.5)) == []
    fusion.tick(days(3))
    assert fusion.calibrations(days(3)) != []
    (calibration,) = [fusion._counties.learn("990101").calibration("990101", days(3))]
    assert calibration.alone == {}


def test_what_it_says_alone_is_counted_a_day_later_and_once() -> None:
    """Elsewhere, or at another time, it spoke alone; its repetition and its end are not counted again."""
    fusion = Fusion(CATEGORIES, settings=ON_TRIAL)
    alone = statistical(1, detector="scan", place=2)
    fusion.apply(limit(2), days(0))
    fusion.apply(alone, days(0))
    fusion.apply(alone, days(0.1))
    fusion.apply(cleared(alone, 0.2), days(0.2))
    assert fusion.tick(days(0.9)) == []
    assert fusion.calibrations(days(0.9)) == []
    fusion.tick(days(1.1))
    (calibration,) = fusion.calibrations(days(1.1))
    assert calibration.alone == {"scan": 1}
    fusion.apply(alone, days(2))
    fusion.tick(days(4))
    assert fusion.calibrations(days(4)) == []
    fusion.tick(days(30))
    assert fusion._counties.learn("990101").trials.open == {}


def test_evidence_that_falls_below_a_threshold_on_trial_is_still_evidence() -> None:
    """A finding that once counted goes on counting, and its end ends the alert."""
    fusion = Fusion(CATEGORIES, settings=ON_TRIAL)
    (alert,) = fusion.apply(statistical(1, rarity=8), days(0))
    assert fusion.mark(statistical(1, 0.01, rarity=6.5)).shadow is False
    fusion.apply(cleared(statistical(1, 0.01, rarity=6.5), 0.02), days(0.02))
    (over,) = fusion.tick(days(0.5)) or fusion.tick(days(1))
    assert (over.id, over.change.value) == (alert.id, "cleared")


def test_findings_on_trial_do_not_fill_the_memory() -> None:
    """Thousands are counted as alone and forgotten, the oldest first."""
    fusion = Fusion(CATEGORIES, settings=ON_TRIAL)
    for number in range(MOST_TRIALS + 200):
        fusion.apply(statistical(number, number / 10_000, detector="scan"), days(number / 10_000))
    trials = fusion._counties.learn("990101").trials
    assert len(trials.open) == MOST_TRIALS
    assert trials.alone == {"scan": 200}


def test_weak_findings_raise_nothing_and_count_beside_others() -> None:
    """Any number of weak ones is no alert; one strong one and a weak one of another station are two streams."""
    fusion = Fusion(CATEGORIES)
    weak = [structs.replace(statistical(number, rarity=9), weak=True) for number in (5, 6)]
    assert fuse(fusion, weak, 0) == []
    assert fusion.tick(days(0.01)) == []
    (alert,) = fusion.apply(statistical(1, rarity=8.5), days(0.02))
    assert (alert.level.slug, alert.reason) == ("yellow", "rarity")
    assert [one.weak for one in alert.evidence] == [False, True, True]
    assert fusion.apply(structs.replace(limit(9), weak=True), days(0.03))[0].reason == "limit_broken"


def test_weak_findings_do_not_keep_an_alert() -> None:
    """When the strong one is over the alert ends after its hold time, although weak ones hold."""
    fusion = Fusion(CATEGORIES)
    fusion.apply(structs.replace(statistical(2), weak=True), days(0))
    fusion.apply(statistical(1), days(0))
    fusion.apply(cleared(statistical(1), 0.1), days(0.1))
    assert fusion.tick(days(0.11)) == []
    (over,) = fusion.tick(days(0.2))
    assert over.change.value == "cleared"
