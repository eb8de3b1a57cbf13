"""What is held back, what never is, what is told later, and what a restart makes of it."""

import random
from datetime import timedelta

import msgspec
import pytest
from alert_world import (
    CATEGORIES,
    COUNTY,
    START,
    bulletin,
    cleared,
    days,
    fuse,
    limit,
    phrase,
    statistical,
    taught,
    verdict,
    yellow,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from config.settings import FusionSettings
from detectors.fusion.fusion import Fusion
from domain.errors import InvalidInput
from domain.findings import Alert, AlertChange, Finding, HeldBack, SubjectKind
from domain.identity import alert_id
from domain.incidents import Verdict
from domain.levels import Level

STRICT = FusionSettings(budget_per_week=1, blue_per_week=1, chance_floor=1.0, least_verdicts=1)
"""Nothing that may be held back is told, once anything is learned."""
ROOMY = FusionSettings(blue_per_week=1_000, budget_per_week=1_000)


def newest(alerts: list[Alert]) -> Alert:
    """The last thing said."""
    return alerts[-1]


def test_before_verdicts_nothing_has_a_chance_and_all_that_fits_is_told() -> None:
    """The model has nothing to say yet; the budget alone bounds the load."""
    fusion = Fusion(CATEGORIES)
    (alert,) = fusion.apply(statistical(1), START)
    assert (alert.chance, alert.held_back) == (None, None)


def test_after_false_verdicts_the_chance_is_low_and_the_alert_is_held_back() -> None:
    """It is said all the same, with reason and chance, and is open like any other."""
    fusion, day = taught(ROOMY, [Verdict.FALSE] * 25)
    (alert,) = fusion.apply(statistical(1, day), days(day))
    assert alert.held_back is HeldBack.CHANCE
    assert alert.chance is not None
    assert alert.chance < 0.1
    assert (alert.version, alert.change) == (1, AlertChange.RAISED)
    assert alert.id in [name for name, *_ in fusion.open_alerts()]


def test_too_few_verdicts_hold_nothing_back() -> None:
    """Below the least number the chance is told and nothing follows from it."""
    fusion, day = taught(ROOMY, [Verdict.FALSE] * 19)
    (alert,) = fusion.apply(statistical(1, day), days(day))
    assert alert.chance is not None
    assert alert.chance < 0.1
    assert alert.held_back is None


def test_duplicates_and_drills_are_no_labels() -> None:
    """They teach nothing: there is still no chance to tell."""
    fusion, day = taught(ROOMY, [Verdict.DUPLICATE, Verdict.DRILL] * 20)
    (alert,) = fusion.apply(statistical(1, day), days(day))
    assert (alert.chance, alert.held_back) == (None, None)


@pytest.mark.parametrize(
    "grows",
    [
        [limit(50, 26)],
        [structs.replace(bulletin(50, 26), category="water-pollution")],
        [statistical(51, 26, rarity=9), statistical(52, 26, rarity=9), limit(53, 26, level=Level.ORANGE)],
    ],
)
def test_what_is_held_back_is_told_when_a_limit_or_a_warning_joins(grows: list[Finding]) -> None:
    """The next version is not held back and has no chance: it rests on more than statistics."""
    fusion, day = taught(ROOMY, [Verdict.FALSE] * 25)
    (held,) = fusion.apply(statistical(1, day), days(day))
    assert held.held_back is HeldBack.CHANCE
    said = newest(fuse(fusion, grows, 26))
    assert (said.id, said.change) == (held.id, AlertChange.CHANGED)
    assert said.version > held.version
    assert (said.held_back, said.chance) == (None, None)


def test_what_is_held_back_for_its_chance_is_told_when_verdicts_raise_it() -> None:
    """Officers find its like true: within a quarter of an hour it is told, as a version of its own."""
    fusion, day = taught(ROOMY, [Verdict.FALSE] * 22)
    (held,) = fusion.apply(statistical(1, day), days(day))
    assert held.held_back is HeldBack.CHANCE
    others = [
        alert for n in range(12) for alert in fusion.apply(statistical(60 + n, day, place=60 + n), days(day))
    ]
    for alert in others:
        fusion.dispose(verdict(alert, Verdict.TRUE, day), days(day))
    assert [alert for alert in fusion.tick(days(day + 0.005)) if alert.id == held.id] == []
    (told,) = [alert for alert in fusion.tick(days(day + 0.011)) if alert.id == held.id]
    assert (told.held_back, told.version, told.level) == (None, 2, held.level)
    assert told.chance is not None
    assert told.chance >= 0.1


def test_orange_is_never_held_back_for_its_chance() -> None:
    """Three rare streams together are told, whatever the model thinks of them."""
    fusion, day = taught(ROOMY, [Verdict.FALSE] * 25)
    cases = [
        structs.replace(
            statistical(n, day, category="infectious-disease"),
            subject_kind=SubjectKind.CELL,
            subject=f"99010100100{n}",
            p_value=1e-7,
        )
        for n in range(3)
    ]
    said = fuse(fusion, cases, day)
    assert [alert.level for alert in said if alert.held_back is None] == [Level.ORANGE]


def test_each_tenth_that_its_chance_would_hold_back_is_told() -> None:
    """Else nobody would find out that the model is wrong."""
    fusion, day = taught(ROOMY, [Verdict.FALSE] * 25)
    said = [alert for n in range(40) for alert in fusion.apply(statistical(n, day, place=n + 1), days(day))]
    already = fusion._counties.learn(COUNTY)._below_floor - 40
    told = [number for number, alert in enumerate(said) if alert.held_back is None]
    assert len(told) == 4
    assert {(number + 1 + already) % 10 for number in told} == {0}


def test_the_budget_bounds_what_is_told_above_blue_and_a_limit_does_not_ask() -> None:
    """The sixth yellow alert of a week is listed; a broken limit, a phrase and a warning are told all the same."""
    fusion = Fusion(CATEGORIES)
    said = fuse(fusion, [yellow(n, 0, place=n + 1) for n in range(8)], 0)
    assert [alert.level for alert in said] == [Level.YELLOW] * 8
    assert [alert.held_back for alert in said] == [None] * 5 + [HeldBack.BUDGET] * 3
    for finding in (limit(1, place=50), phrase(1, place=51), bulletin(1, place=52)):
        assert [alert.held_back for alert in fusion.apply(finding, days(0.01))] == [None]


def test_what_the_budget_held_back_is_told_when_the_week_has_room_again() -> None:
    """It still holds a week later: then there is room, and officers hear of it."""
    fusion = Fusion(CATEGORIES, settings=FusionSettings(budget_per_week=1))
    fusion.apply(yellow(1, place=1), days(0))
    (held,) = fusion.apply(yellow(2, 1, place=2), days(1))
    assert held.held_back is HeldBack.BUDGET
    for hour in range(25, 160):
        assert [alert for alert in fusion.tick(days(hour / 24)) if alert.id == held.id] == []
        assert fusion.apply(yellow(2, hour / 24, place=2), days(hour / 24)) == []
    (told,) = [alert for alert in fusion.tick(days(7.1)) if alert.id == held.id]
    assert (told.held_back, told.change) == (None, AlertChange.CHANGED)


def test_an_alert_that_is_over_while_held_back_says_so() -> None:
    """Its end is a version that is held back too: nobody was told, so nobody is told that it is over."""
    fusion = Fusion(CATEGORIES, settings=FusionSettings(blue_per_week=1))
    fusion.apply(statistical(1, place=1), days(0))
    (held,) = fusion.apply(statistical(2, place=2), days(0))
    fusion.apply(cleared(statistical(2, place=2), 0.1), days(0.1))
    assert fusion.tick(days(0.11)) == []
    (over,) = fusion.tick(days(0.2))
    assert (over.id, over.change, over.held_back) == (held.id, AlertChange.CLEARED, HeldBack.BUDGET)


def test_a_blue_alert_that_was_told_and_rises_takes_room_of_both_budgets() -> None:
    """Officers hear that theirs got worse; another yellow one then waits, and so does another blue one."""
    fusion = Fusion(CATEGORIES, settings=FusionSettings(budget_per_week=1, blue_per_week=1))
    fusion.apply(statistical(1, rarity=9), days(0))
    (grown,) = fusion.apply(statistical(2, rarity=9), days(0))
    assert (grown.level, grown.held_back) == (Level.YELLOW, None)
    waiting = fuse(fusion, [yellow(3, place=3), statistical(4, place=4)], 0.1)
    assert [alert.held_back for alert in waiting] == [HeldBack.BUDGET] * 2


def test_an_alert_that_was_told_stays_told() -> None:
    """It rises, falls and rises again: officers know of it, so no version is held back."""
    fusion = Fusion(CATEGORIES, settings=FusionSettings(budget_per_week=1, blue_per_week=1))
    (first,) = fusion.apply(statistical(1), days(0))
    fusion.apply(yellow(20, 0.01, place=9), days(0.01))
    grown = fuse(fusion, [statistical(2, 0.02, rarity=9), statistical(3, 0.02, rarity=9)], 0.02)
    assert [(alert.id, alert.held_back) for alert in grown] == [(first.id, None)]
    for number in (1, 2, 3):
        fusion.apply(cleared(statistical(number), 0.1), days(0.1))
    fusion.tick(days(0.11))
    fusion.tick(days(0.5))
    (again,) = fusion.apply(statistical(1, 0.6), days(0.6))
    assert (again.id, again.held_back) == (first.id, None)


MAKERS = {
    "limit": limit,
    "phrase": phrase,
    "bulletin": bulletin,
    "statistical": statistical,
    "yellow": yellow,
}
STEPS = st.lists(
    st.tuples(
        st.sampled_from(sorted(MAKERS)),
        st.integers(1, 4),
        st.floats(0, 3),
        st.sampled_from([None, Verdict.TRUE, Verdict.FALSE]),
    ),
    min_size=1,
    max_size=30,
)


@settings(deadline=None, max_examples=80)
@given(STEPS, st.sampled_from([STRICT, FusionSettings(), FusionSettings(budget_per_week=1)]))
def test_limits_phrases_and_warnings_are_never_held_back(
    steps: list[tuple[str, int, float, Verdict | None]], strict: FusionSettings
) -> None:
    """Whatever was learned, spent or put on trial: a version that rests on one of them is told and has no chance."""
    everything = ("limit-1", "phrase", "bulletin", "innovation")
    fusion = Fusion(CATEGORIES, settings=structs.replace(strict, shadow=everything[:3]))
    at = 0.0
    for number, (kind, place, pause, found) in enumerate(steps):
        at += pause
        finding = MAKERS[kind](number, at, place=place)
        said = fusion.apply(finding, days(at))
        for alert in said:
            statistics_alone = all(
                one.p_value is not None and one.limit is None and one.phrase is None for one in alert.evidence
            )
            if not statistics_alone:
                assert (alert.held_back, alert.chance) == (None, None)
        if kind in ("limit", "phrase", "bulletin"):
            assert any(one.id == finding.id for alert in said for one in alert.evidence) or any(
                finding.id in case.findings and case.alert is not None and case.alert.held_back is None
                for case in fusion._counties.known[COUNTY].cases
            )
        if found is not None and said:
            fusion.dispose(verdict(said[-1], found, at), days(at))
        fusion.tick(days(at))


def story(generator: random.Random) -> list[tuple[float, Finding | Verdict]]:
    """Make findings and verdicts (on the newest alert) in the order in which they come."""
    steps: list[tuple[float, Finding | Verdict]] = []
    at = 0.0
    for number in range(60):
        at += generator.random() / 2
        place = generator.randrange(1, 8)
        if generator.random() < 0.4:
            steps.append((at, generator.choice(list(Verdict))))
        elif generator.random() < 0.2:
            steps.append((at, limit(number, at, place)))
        elif generator.random() < 0.2:
            steps.append((at, statistical(number, at, place=place, detector="scan")))
        else:
            rarity = generator.choice([6.5, 9.0])
            steps.append((at, statistical(number, at, place=place, rarity=rarity)))
            if generator.random() < 0.5:
                steps.append((at + 0.01, cleared(statistical(number, at, place=place), at + 0.01)))
    return steps


def play(
    fusion: Fusion, steps: list[tuple[float, Finding | Verdict]], said: list[Alert], told: list[object]
) -> None:
    """Do the steps, and take down what is said and the calibrations."""
    for at, step in steps:
        if isinstance(step, Finding):
            said += fusion.apply(step, days(at))
        elif said:
            said += fusion.dispose(verdict(said[-1], step, at), days(at))
        said += fusion.tick(days(at + 0.001))
        told += fusion.calibrations(days(at + 0.001))


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6), st.integers(0, 60))
def test_a_restart_makes_no_difference_to_what_was_learned(seed: int, cut: int) -> None:
    """Dumped anywhere and restored, versions, chances, reasons, explanations and calibrations are the same."""
    generator = random.Random(seed)
    steps = story(generator)
    config = FusionSettings(
        budget_per_week=2, blue_per_week=3, chance_floor=0.2, least_verdicts=3, shadow=("scan",)
    )
    whole, going = (Fusion(CATEGORIES, settings=config) for _ in range(2))
    expected: tuple[list[Alert], list[object]] = ([], [])
    said: tuple[list[Alert], list[object]] = ([], [])
    play(whole, steps, *expected)
    pieces: dict[str, bytes] = {}
    play(going, steps[: cut // 2], *said)
    pieces |= going.dump()
    play(going, steps[cut // 2 : cut], *said)
    pieces |= going.dump()
    restored = Fusion(CATEGORIES, settings=config)
    restored.restore(pieces)
    play(restored, steps[cut:], *said)
    assert said == expected


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6))
def test_a_replay_makes_no_difference_to_what_was_learned(seed: int) -> None:
    """Everything that came comes again: nothing is said, no weight moves, no verdict counts twice."""
    generator = random.Random(seed)
    steps = [(at, step) for at, step in story(generator) if at < 7]
    fusion = Fusion(CATEGORIES)
    said: list[Alert] = []
    dispositions = []
    for at, step in steps:
        if isinstance(step, Finding):
            said += fusion.apply(step, days(at))
        elif said:
            dispositions.append(verdict(said[-1], step, at))
            said += fusion.dispose(dispositions[-1], days(at))
    last = {one.alert: one for one in dispositions}
    fusion.tick(days(7))
    before = {alert for alert, *_ in fusion.open_alerts()}
    fusion.dump()
    fusion.calibrations(days(7))
    for _, step in steps:
        if isinstance(step, Finding):
            assert fusion.apply(step, days(7)) == []
    for one in last.values():
        fusion.dispose(one, days(7))
    assert fusion.calibrations(days(7)) == []
    assert [name for name in fusion.dump() if name.endswith("/learned")] == []
    assert before == {alert for alert, *_ in fusion.open_alerts()}


def test_a_revised_verdict_is_counted_as_it_is_now() -> None:
    """An officer who finds out better changes one count, and the model learns that too."""
    fusion, day = taught(ROOMY, [Verdict.TRUE] * 3)
    (alert,) = fusion.apply(statistical(1, day), days(day))
    fusion.dispose(verdict(alert, Verdict.FALSE, day), days(day))
    (wrong,) = fusion.calibrations(days(day))
    fusion.dispose(verdict(alert, Verdict.TRUE, day + 0.1), days(day + 0.1))
    (right,) = fusion.calibrations(days(day + 0.1))
    assert (wrong.detectors, right.detectors) == ({"innovation": (3, 1)}, {"innovation": (4, 0)})
    assert wrong.verdicts == right.verdicts == 3  # the first of four had no chance to tell
    assert right.base_rate == 1.0


def test_an_officer_who_finds_it_true_after_all_is_heard_at_once() -> None:
    """A mistaken "false" makes the place deaf for statistics; taking it back ends that."""
    fusion = Fusion(CATEGORIES)
    (alert,) = fusion.apply(statistical(1), days(0))
    fusion.dispose(verdict(alert, Verdict.FALSE, 0.01), days(0.01))
    assert fusion.apply(statistical(2, 0.02, rarity=9), days(0.02)) == []
    (grown,) = fusion.dispose(verdict(alert, Verdict.TRUE, 0.03), days(0.03))
    assert (grown.id, grown.level) == (alert.id, Level.YELLOW)


def test_the_features_that_teach_are_those_of_when_statistics_spoke_alone() -> None:
    """A limit that joins afterwards does not hide that the statistics were right."""
    fusion, day = taught(ROOMY, [Verdict.FALSE] * 5)
    (alert,) = fusion.apply(statistical(1, day), days(day))
    (joined,) = fusion.apply(limit(2, day), days(day))
    assert joined.id == alert.id
    assert joined.chance is None
    record = fusion._counties.learn(COUNTY).records.known[alert.id]
    assert record.promise is not None
    assert record.promise.chance == alert.chance
    fusion.dispose(verdict(alert, Verdict.TRUE, day), days(day))
    assert fusion._counties.learn(COUNTY).ranking.verdicts == 6
    (calibration,) = fusion.calibrations(days(day))
    assert sum(one.found_true for one in calibration.bins) == 1


class OldAlert(msgspec.Struct):
    """An open alert as version 1 of the state wrote it."""

    id: str
    version: int
    level: Level
    reason: str
    opened_at: object
    kinds: list[str]
    below_since: object = None


def test_what_the_release_before_wrote_is_read_as_told() -> None:
    """An alert of version 1 goes on as one that officers know, whatever the budget says now."""
    finding = statistical(1)
    old = {
        "version": 1,
        "cases": [
            {
                "category": "water-pollution",
                "place": f"{COUNTY}001",
                "findings": {str(finding.id): {"finding": finding, "seen_at": START}},
                "alert": OldAlert(
                    str(alert_id(finding.id)), 1, Level.BLUE, "rarity", START, ["statistical/readings"]
                ),
            }
        ],
        "closed": {str(alert_id(limit(9).id)): [4, "water-pollution", f"{COUNTY}002", START]},
    }
    fusion = Fusion(CATEGORIES, settings=STRICT)
    fusion.restore({COUNTY: msgspec.msgpack.encode(old)})
    fusion.apply(yellow(20, place=9), days(0))
    said = fuse(fusion, [statistical(2, rarity=9)], 0.01)
    assert [(alert.version, alert.level, alert.held_back) for alert in said] == [(2, Level.YELLOW, None)]
    (again,) = fusion.apply(limit(9, 0.1, place=2), days(0.1))
    assert again.version == 5


@pytest.mark.parametrize("piece", [b"?", msgspec.msgpack.encode({"version": 9})])
def test_what_was_learned_in_another_form_is_refused(piece: bytes) -> None:
    """Nonsense and unknown versions are invalid input, by the name of the piece."""
    with pytest.raises(InvalidInput, match=f"{COUNTY}/learned"):
        Fusion(CATEGORIES).restore({f"{COUNTY}/learned": piece})


def test_the_memory_of_a_county_is_bounded() -> None:
    """A year of alerts with verdicts stays below a quarter of a megabyte."""
    fusion = Fusion(CATEGORIES, settings=ROOMY)
    size = 0
    for number in range(900):
        at = number * 0.4
        (alert,) = fusion.apply(statistical(number, at, place=number % 40 + 1), days(at))
        if number % 3:
            fusion.dispose(verdict(alert, Verdict.TRUE if number % 2 else Verdict.FALSE, at), days(at))
        fusion.apply(
            cleared(statistical(number, at, place=number % 40 + 1), at + 0.01),
            days(at) + timedelta(minutes=15),
        )
        fusion.tick(days(at + 0.1))
        size = max([size, *map(len, fusion.dump().values())])
    assert 10_000 < size < 250_000
