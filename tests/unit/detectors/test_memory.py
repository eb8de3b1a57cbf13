"""What a county remembers of its alerts: precedents, verdicts, bounds; and the calibration that is made of it."""

import random
from datetime import timedelta
from itertools import pairwise
from uuid import UUID

from alert_world import COUNTY, START, days
from hypothesis import given
from hypothesis import strategies as st

from detectors.fusion.calibration import EDGES, calibration_of, trial_name
from detectors.fusion.memory import LONGEST, MOST_JUDGED, MOST_WAITING, Record, Records
from detectors.fusion.ranking import Promise
from domain.incidents import Verdict
from domain.levels import Level

PLACE, OTHER = f"{COUNTY}001", f"{COUNTY}002"


def open_at(
    records: Records,
    number: int,
    at: float,
    *,
    category: str = "flood",
    place: str = PLACE,
    level: Level = Level.BLUE,
    detectors: tuple[str, ...] = ("innovation",),
) -> Record:
    """Open a record of an alert."""
    record = records.open(UUID(int=number), category, place, level, days(at))
    record.detectors = list(detectors)
    return record


def test_the_precedent_is_the_earlier_alert_that_is_most_like_it() -> None:
    """Same category always; then place, evidence, level and a verdict weigh; what came later is no precedent."""
    records = Records()
    open_at(records, 1, 0, category="petition")
    far = open_at(records, 2, 1, place=OTHER)
    own = open_at(records, 9, 10)
    assert records.precedent(own) is far
    near = open_at(records, 3, 2, detectors=("scan",))
    assert records.precedent(own) is near
    alike = open_at(records, 4, 3)
    assert records.precedent(own) is alike
    judged = open_at(records, 5, 2.5)
    records.judge(judged.alert, Verdict.FALSE)
    assert records.precedent(own) is judged
    open_at(records, 6, 11)
    assert records.precedent(own) is judged
    assert records.precedent(records.known[UUID(int=1)]) is None


def test_of_equals_the_newest_is_the_precedent() -> None:
    """People remember the last time."""
    records = Records()
    open_at(records, 1, 0)
    newer = open_at(records, 2, 5)
    assert records.precedent(open_at(records, 3, 6)) is newer


def test_a_verdict_counts_once_and_may_be_revised() -> None:
    """The same again is no news, another one is, and an unknown alert is none."""
    records = Records()
    record = open_at(records, 1, 0)
    assert records.judge(record.alert, Verdict.TRUE) is record
    assert records.judge(record.alert, Verdict.TRUE) is None
    assert records.judge(record.alert, Verdict.FALSE) is record
    assert record.verdict is Verdict.FALSE
    assert records.judge(UUID(int=99), Verdict.TRUE) is None


def test_an_alert_that_rises_again_keeps_its_record() -> None:
    """One alert is one record, whatever happens in between."""
    records = Records()
    first = open_at(records, 1, 0)
    first.is_over = True
    assert open_at(records, 1, 3) is first
    assert not first.is_over
    assert first.opened_at == START


def test_the_memory_is_bounded() -> None:
    """So many with a verdict and so many without; the oldest go, those that are over first; after 400 days all."""
    records = Records()
    for number in range(MOST_WAITING + 150):
        record = open_at(records, number, number)
        record.is_over = number % 2 == 0
    assert len(records.known) == MOST_WAITING
    assert UUID(int=1) in records.known  # open still, however old
    for number in range(1000, 1000 + MOST_JUDGED + 50):
        record = open_at(records, number, number)
        record.is_over = True
        records.judge(record.alert, Verdict.TRUE)
    assert sum(record.verdict is not None for record in records.known.values()) == MOST_JUDGED
    assert len(records.known) <= MOST_WAITING + MOST_JUDGED
    assert UUID(int=1000) not in records.known
    for record in records.known.values():
        record.is_over = True
    last = open_at(records, 5000, 5000)
    assert list(records.known.values()) == [last]
    assert timedelta(days=5000 - 1250) > LONGEST


PROMISES = st.lists(
    st.tuples(st.floats(0.001, 0.999), st.sampled_from([None, *Verdict]), st.booleans()), max_size=60
)


def judged(kept: list[tuple[float, Verdict | None, bool]]) -> list[Record]:
    """Make records with chances and verdicts."""
    return [
        Record(
            UUID(int=number),
            "flood",
            PLACE,
            Level.BLUE,
            START + timedelta(hours=number),
            START,
            detectors=["innovation", *(["scan"] if number % 2 else [])],
            trials=["drift<7"] if number % 3 == 0 else [],
            promise=Promise({}, chance, chance, chance, told),
            verdict=verdict,
        )
        for number, (chance, verdict, told) in enumerate(kept)
    ]


@given(PROMISES, st.randoms())
def test_the_calibration_is_what_was_promised_beside_what_was_found(
    kept: list[tuple[float, Verdict | None, bool]], generator: random.Random
) -> None:
    """Bins hold every told chance with a verdict of truth once, score and base rate are theirs, and order is nothing."""
    records = judged(kept)
    calibration = calibration_of(COUNTY, START, records, {})
    told = [
        (chance, verdict is Verdict.TRUE)
        for chance, verdict, was_told in kept
        if was_told and verdict in (Verdict.TRUE, Verdict.FALSE)
    ]
    assert calibration.verdicts == sum(one.count for one in calibration.bins) == len(told)
    assert sum(one.found_true for one in calibration.bins) == sum(true for _, true in told)
    for one in calibration.bins:
        assert one.low <= one.mean_chance + 1e-6
        assert one.mean_chance <= one.high
        assert (one.low, one.high) in pairwise(EDGES)
    if told:
        brier = sum((chance - true) ** 2 for chance, true in told) / len(told)
        assert abs(calibration.brier - brier) < 1e-5
    generator.shuffle(records)
    assert calibration_of(COUNTY, START, records, {}) == calibration


def test_detectors_and_those_on_trial_are_counted_by_the_verdicts_of_their_alerts() -> None:
    """An alert counts for each of its detectors; what is on trial is marked; drills and duplicates count for nobody."""
    records = judged(
        [
            (0.2, Verdict.TRUE, True),
            (0.2, Verdict.FALSE, True),
            (0.2, Verdict.DRILL, True),
            (0.2, Verdict.FALSE, False),
            (0.2, None, True),
        ]
    )
    calibration = calibration_of(COUNTY, START, records, {"drift<7": 4})
    assert calibration.detectors == {
        "innovation": (1, 2),
        "scan": (0, 2),
        trial_name("drift<7"): (1, 1),
    }
    assert calibration.alone == {"drift<7": 4}
    assert (calibration.verdicts, calibration.base_rate) == (2, 0.5)
