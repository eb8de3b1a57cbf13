"""Guards, limits and roll-ups of single series."""

import math

import numpy as np
import pytest

from detectors.series.bank import BLOCK, Bank, Records, specification
from detectors.series.fold import OPENS_AT
from detectors.series.state import SCORE, SERIES, SPEC, Change, Code
from domain.errors import InvalidInput

START = 1_780_000_020_000_000
MINUTE = 60_000_000
PLAIN = specification(interval_seconds=60.0)


def feed(
    bank: Bank, values: list[float], *, begin: int = 0, step: int = MINUTE, quality: int = 0, slot: int = 0
) -> list[tuple[Code, Change]]:
    """Send values to a slot, a step apart from the number `begin` on; what was said."""
    count = len(values)
    outcome = bank.update(
        np.full(count, slot, np.int32),
        START + (begin + np.arange(count, dtype=np.int64)) * step,
        np.array(values, np.float64),
        np.full(count, quality, np.uint8),
        START,
    )
    return said(outcome.transitions)


def said(transitions: Records) -> list[tuple[Code, Change]]:
    """Name what transitions say, but for weak findings: a record is no event."""
    loud = [row for row in transitions if row["code"] != Code.LEARNED or row["rarity"] >= OPENS_AT]
    return [
        (Code(min(row["code"], 3)) if 3 <= row["code"] < 7 else Code(row["code"]), Change(row["state"]))
        for row in loud
    ]


def bank_of(spec: Records = PLAIN) -> Bank:
    """Make a bank of one series."""
    bank = Bank()
    bank.add(spec)
    return bank


def noise(count: int, seed: int = 1, level: float = 20.0, spread: float = 0.5) -> list[float]:
    """Make an ordinary series."""
    return [float(value) for value in np.random.default_rng(seed).normal(level, spread, count)]


def test_a_series_costs_at_most_five_hundred_bytes() -> None:
    """State is at most 500 bytes per series at 100,000 of them, and a dumped block of them below 256 KiB."""
    bank = Bank()
    for _ in range(100_000):
        bank.add(PLAIN)
    assert bank.nbytes() <= 500 * 100_000
    assert sum(np.dtype([field]).itemsize for field in SCORE) <= 72
    assert BLOCK * (SERIES.itemsize + 245) < 256 * 1024  # a name may have 80 characters of three bytes
    assert SPEC.itemsize < 100


def test_a_value_out_of_range_twice_is_a_fault_until_it_is_back() -> None:
    """One wild value says nothing, two in a row a fault, three good ones clear it."""
    bank = bank_of(specification(interval_seconds=60.0, low=0.0, high=50.0))
    assert feed(bank, [20.0, 999.0, 20.1]) == []
    assert feed(bank, [999.0, 999.0], begin=3) == [(Code.RANGE, Change.CONFIRMED)]
    assert feed(bank, [20.0, 20.2], begin=5) == []
    assert feed(bank, [20.1], begin=7) == [(Code.RANGE, Change.CLEARED)]


def test_two_jumps_are_a_fault_and_one_is_not() -> None:
    """A spike jumps up and down, which is a fault; a step jumps once, which may be true."""
    spec = specification(interval_seconds=60.0, max_rate=0.1)
    assert feed(bank_of(spec), [20.0, 40.0, 40.1, 40.0]) == []
    bank = bank_of(spec)
    assert feed(bank, [20.0, 40.0, 20.0]) == [(Code.RATE, Change.CONFIRMED)]
    assert feed(bank, [20.0 + 0.1 * n for n in range(8)], begin=3) == [(Code.RATE, Change.CLEARED)]


def test_a_moving_series_that_stands_still_is_stuck() -> None:
    """A series that always moved and then stands for half an hour is stuck, until it moves."""
    bank = bank_of()
    feed(bank, noise(100))
    assert feed(bank, [20.5] * 40, begin=100) == [(Code.STUCK, Change.CONFIRMED)]
    assert feed(bank, [20.6], begin=140) == [(Code.STUCK, Change.CLEARED)]


@pytest.mark.parametrize(
    "values",
    [
        [0.0] * 500,
        [7.0] * 500,
        [0.0] * 200 + noise(60, level=3.0) + [0.0] * 500,
        noise(100, level=0.0) + [-5.0] * 200,
        [float(n // 40) for n in range(2_000)],
    ],
    ids=["dry", "constant", "rain", "lower bound", "rarely moving"],
)
def test_what_may_stand_still_is_never_stuck(values: list[float]) -> None:
    """Rain at zero, a constant, the lower bound and a series that seldom moves are no faults."""
    bank = bank_of(specification(interval_seconds=60.0, low=-5.0))
    assert not any(code is Code.STUCK for code, _ in feed(bank, values))


def test_a_limit_holds_with_hysteresis() -> None:
    """A limit is broken by two readings in a row and over only below its hysteresis, twice."""
    bank = bank_of(specification(interval_seconds=60.0, limits=[(10.0, "above", 0.1, 2)]))
    assert feed(bank, [11.0, 9.5, 11.0]) == []
    assert feed(bank, [11.0], begin=3) == [(Code.LIMIT, Change.CONFIRMED)]
    assert feed(bank, [9.5] * 5 + [8.9], begin=4) == []
    assert feed(bank, [8.9], begin=10) == [(Code.LIMIT, Change.CLEARED)]


def test_limits_below_and_in_levels() -> None:
    """Each limit speaks for itself, also those for values that are too low."""
    limits = [(5.0, "below", 0.05, 1), (3.0, "below", 0.05, 1)]
    bank = bank_of(specification(interval_seconds=60.0, limits=limits))
    assert feed(bank, [6.0, 4.0]) == [(Code.LIMIT, Change.CONFIRMED)]
    assert feed(bank, [2.0], begin=2) == [(Code.LIMIT, Change.CONFIRMED)]
    assert feed(bank, [6.0], begin=3) == [(Code.LIMIT, Change.CLEARED)] * 2
    with pytest.raises(ValueError, match="limits at most"):
        specification(interval_seconds=60.0, limits=[(1.0, "above", 0.0, 1)] * 5)


def test_no_learned_model_suppresses_a_limit() -> None:
    """A limit that is broken for weeks is broken, however usual the model finds it."""
    bank = bank_of(specification(interval_seconds=900.0, limits=[(10.0, "above", 0.05, 2)]))
    said_of_it = feed(bank, noise(2_000, level=30.0), step=15 * MINUTE)
    assert said_of_it == [(Code.LIMIT, Change.CONFIRMED)]


@pytest.mark.parametrize("seconds", [1, 60, 900])
def test_a_jump_is_found_at_any_pace(seconds: int) -> None:
    """A lasting jump opens a learned finding and ends by being the new normal, at 1 Hz as at a quarter of an hour."""
    bank = bank_of(specification(interval_seconds=float(seconds)))
    step = seconds * 1_000_000
    assert feed(bank, noise(1_000), step=step) == []
    count = max(60, 4 * 3_600 // seconds)
    found = feed(bank, noise(count, level=30.0), begin=1_000, step=step)
    assert found[0] in {(Code.LEARNED, Change.CONFIRMED), (Code.LEARNED, Change.CHANGED)}  # or weak before
    assert found[-1] == (Code.LEARNED, Change.CLEARED)


def test_what_a_guard_caught_does_not_teach_the_score() -> None:
    """Values out of range leave the learned state as if they had not been."""
    spec = specification(interval_seconds=60.0, high=50.0)
    one, other = bank_of(spec), bank_of(spec)
    values = noise(200)
    feed(one, values)
    feed(other, [value if n % 20 else 1e9 for n, value in enumerate(values)])
    heads = [bank._states["head"][0] for bank in (one, other)]
    assert heads[1]["learned"] == heads[0]["learned"] - 10
    assert heads[1]["spread"] < 2 * heads[0]["spread"]


@pytest.mark.parametrize(("value", "quality"), [(math.nan, 0), (math.inf, 0), (99.0, 5), (99.0, 3)])
def test_unusable_readings_are_counted_and_reach_no_detector(value: float, quality: int) -> None:
    """Values that are not finite or of bad quality are in the roll-up's count and nowhere else."""
    bank = bank_of(specification(interval_seconds=60.0, high=50.0, limits=[(30.0, "above", 0.05, 1)]))
    feed(bank, noise(80))
    bank.take_rollups()
    assert feed(bank, [value] * 10, begin=80, quality=quality) == []
    rows = bank.take_rollups()
    assert (rows["count"].sum(), rows["good"].sum()) == (10, 0)
    assert np.isfinite(bank._states["head"][0]["level"])


def test_silence_is_said_once_and_ends_with_a_reading() -> None:
    """A series is silent five intervals or a quarter of an hour behind the partition, once; a reading ends it."""
    bank = bank_of()
    feed(bank, [20.0])
    assert said(bank.silent(START + 15 * MINUTE)) == []
    assert said(bank.silent(START + 16 * MINUTE)) == [(Code.SILENT, Change.CONFIRMED)]
    assert said(bank.silent(START + 90 * MINUTE)) == []
    assert feed(bank, [20.0], begin=90) == [(Code.SILENT, Change.CLEARED)]


def test_an_unknown_series_has_roll_ups_and_no_findings() -> None:
    """Without a specification nothing is said; with one, what then holds is."""
    bank = Bank()
    bank.add()
    assert feed(bank, [99.0] * 5) == []
    assert len(bank.silent(START + 999 * MINUTE)) == 0
    assert bank.take_rollups()["count"].sum() == 5
    bank.specify(0, specification(interval_seconds=60.0, limits=[(30.0, "above", 0.05, 1)]))
    assert feed(bank, [99.0], begin=5) == [(Code.LIMIT, Change.CONFIRMED)]


def test_retracting_clears_what_was_said() -> None:
    """What was said of a series is cleared once, and said anew if it still holds."""
    bank = bank_of(specification(interval_seconds=60.0, limits=[(30.0, "above", 0.05, 1)]))
    feed(bank, [99.0])
    assert said(bank.retract(0)) == [(Code.LIMIT, Change.CLEARED)]
    assert said(bank.retract(0)) == []
    assert feed(bank, [99.0], begin=1) == [(Code.LIMIT, Change.CONFIRMED)]


def test_late_and_repeated_readings_are_told_apart() -> None:
    """The same time again is repeated; behind the bound or the ring is late; both leave the roll-ups alone."""
    bank = bank_of()
    feed(bank, noise(40), step=30_000_000)
    bank.take_rollups()
    newest = START + 39 * 30_000_000
    times = np.array([newest, newest - 30_000_000, newest - 601_000_000, START], np.int64)
    outcome = bank.update(np.zeros(4, np.int32), times, np.ones(4), np.zeros(4, np.uint8), START)
    assert outcome.repeated == 2
    assert outcome.late.tolist() == [2, 3]
    assert len(bank.take_rollups()) == 0


@pytest.mark.parametrize("wrong", [1, 2, 3])
def test_a_clock_that_jumps_ahead_and_back(wrong: int) -> None:
    """A few readings from days ahead make no later one late; they wait in the ring until time reaches them."""
    bank = bank_of(specification(interval_seconds=60.0, limits=[(30.0, "above", 0.05, 1)]))
    feed(bank, noise(20))
    feed(bank, [20.0] * wrong, begin=5_000)
    assert feed(bank, [20.0, 99.0], begin=20) == [(Code.LIMIT, Change.CONFIRMED)]
    assert bank.newest() == START + 21 * MINUTE
    feed(bank, noise(200), begin=22)
    assert bank.take_rollups()["count"].sum() == 222 + wrong
    feed(bank, noise(20), begin=4_990)
    assert bank.newest() == START + 5_009 * MINUTE


def test_a_clock_that_goes_on_ahead_is_believed() -> None:
    """A series that comes back after days is believed at once, and what then comes from before is late."""
    bank = bank_of(specification(interval_seconds=60.0, limits=[(30.0, "above", 0.05, 1)]))
    feed(bank, noise(20))
    assert feed(bank, [99.0], begin=5_000) == [(Code.LIMIT, Change.CONFIRMED)]
    feed(bank, [20.0] * 4, begin=5_001)
    late = bank.update(
        np.zeros(1, np.int32), np.array([START + 20 * MINUTE]), np.ones(1), np.zeros(1, np.uint8), START
    ).late
    assert late.tolist() == [0]


def test_slots_that_do_not_exist_are_an_error() -> None:
    """A slot out of range is the caller's fault and touches no memory."""
    with pytest.raises(IndexError):
        feed(bank_of(), [1.0], slot=1)


def test_more_words_than_room() -> None:
    """A batch that causes more transitions than fit at once loses none."""
    bank = bank_of(specification(interval_seconds=60.0, limits=[(10.0, "above", 0.0, 1)]))
    assert len(feed(bank, [20.0, 5.0] * 500)) == 1_000


def test_a_dump_wants_the_roll_ups_taken_and_holds_what_changed() -> None:
    """Only blocks with new readings are written, after the roll-ups were taken."""
    bank = Bank()
    for _ in range(2 * BLOCK):
        bank.add(PLAIN)
    feed(bank, [1.0], slot=BLOCK + 3)
    with pytest.raises(ValueError, match="roll-ups"):
        bank.dump()
    bank.take_rollups()
    assert list(bank.dump()) == [1]
    assert bank.dump() == {}
    with pytest.raises(InvalidInput, match="block"):
        bank.restore(0, b"short")
