"""What is no event of the world: another unit, a counter's reset, a return after days, a new sensor, odd input."""

import resource
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.series.bank import BATCH, Bank, Outcome, Records, specification
from detectors.series.state import Change, Code
from detectors.series.units import has_sister

START = 1_780_000_020_000_000
MINUTE = 60_000_000
DAY = 1_440
Values = Sequence[float] | NDArray[np.float64]
UNIT_ON, UNIT_OFF = (Code.UNIT, Change.CONFIRMED), (Code.UNIT, Change.CLEARED)
AMMONIA = specification(interval_seconds=60.0, limits=[(2.0, "above", 0.05, 2)], prefixed=True)


class One:
    """A bank of one series that is sent values a minute apart."""

    def __init__(self, spec: Records = AMMONIA) -> None:
        self.bank = Bank()
        self.bank.add(spec)
        self.minute = 0

    def wait(self, minutes: int) -> None:
        """Let time pass without readings."""
        self.minute += minutes

    def send(self, values: Values) -> list[tuple[Code, Change]]:
        """Send values; what was said."""
        return said(self.outcome(values))

    def outcome(self, values: Values) -> Outcome:
        """Send values; what became of them."""
        count = len(values)
        times = START + (self.minute + np.arange(count, dtype=np.int64)) * MINUTE
        self.minute += count
        columns = np.zeros(count, np.int32), times, np.array(values, np.float64), np.zeros(count, np.uint8)
        return self.bank.update(*columns, START)


def said(outcome: Outcome) -> list[tuple[Code, Change]]:
    """Name what transitions say."""
    return [(Code(row["code"]), Change(row["state"])) for row in outcome.transitions]


def noise(count: int, level: float, seed: int = 1) -> NDArray[np.float64]:
    """Make an ordinary series: a fifth of its level as spread."""
    return np.abs(np.random.default_rng(seed).normal(level, 0.2 * level, count))


@pytest.mark.parametrize("factor", [1_000.0, 0.001])
def test_another_unit_is_told_of_the_device_and_teaches_nothing(factor: float) -> None:
    """A level a thousand times off that stays is a device's finding, no learned one, and the old level stays usual."""
    one = One(specification(interval_seconds=60.0, prefixed=True))
    one.send(noise(500, 0.5))
    learned = int(one.bank._states["head"]["learned"][0])
    assert one.send(noise(3, 0.5 * factor)) == [UNIT_ON]
    assert one.send(noise(2_000, 0.5 * factor)) == []
    assert int(one.bank._states["head"]["learned"][0]) == learned
    assert one.send(noise(200, 0.5)) == [UNIT_OFF]


def test_a_limit_speaks_whatever_the_unit_may_be() -> None:
    """A suspected unit does not hold a legal limit back: it is broken at the second reading, as always."""
    one = One()
    one.send(noise(500, 0.5))
    assert one.send(noise(2, 500.0)) == [(Code.LIMIT, Change.CONFIRMED)]
    assert one.send(noise(1, 500.0)) == [UNIT_ON]


def test_a_single_wild_value_and_a_leak_are_no_other_unit() -> None:
    """One reading a thousand times off says nothing; forty times the usual is for the learned score."""
    one = One(specification(interval_seconds=60.0, prefixed=True))
    one.send(noise(500, 0.5))
    assert one.send([500.0, *noise(20, 0.5)]) == []
    assert one.send(noise(5, 20.0)) == [(Code.LEARNED, Change.CONFIRMED)]


def test_another_unit_that_stays_a_week_is_the_new_one() -> None:
    """No guard keeps the learned score mute for ever: after seven days the level is learned, and a jump is found."""
    one = One(specification(interval_seconds=60.0, prefixed=True))
    one.send(noise(500, 0.5))
    assert one.send(noise(8 * DAY, 500.0)) == [UNIT_ON, UNIT_OFF]
    assert one.send(noise(5, 9_000.0))[0] == (Code.LEARNED, Change.CONFIRMED)


def test_values_out_of_range_may_be_in_another_unit() -> None:
    """Where the other unit is beyond what the device can measure both are told."""
    one = One(specification(interval_seconds=60.0, high=50.0, prefixed=True))
    one.send(noise(500, 0.5))
    assert set(one.send(noise(5, 500.0))) == {(Code.RANGE, Change.CONFIRMED), UNIT_ON}


@pytest.mark.parametrize(
    ("unit", "has"),
    [
        ("mg/m³", True),
        ("µg/m³", True),
        ("ug/m3", True),
        ("mg/L", True),
        ("μg/L", True),
        ("ppb", True),
        ("mS/cm", True),
        ("nSv/h", True),
        ("kPa", True),
        ("mm", False),
        ("m³/s", False),
        ("m", False),
        ("°C", False),
        ("%", False),
        ("", False),
    ],
)
def test_units_with_sisters(unit: str, has: bool) -> None:
    """Concentrations, radiation, conductivity and pressure are taken for one another; rain and rivers are not."""
    assert has_sister(unit) is has


def test_a_counter_that_begins_anew_is_no_jump() -> None:
    """A total of rain that only rises and falls to nothing at midnight is no fault and no event, but limits hold."""
    limits = [(100.0, "above", 0.05, 1)]
    one = One(specification(interval_seconds=60.0, max_rate=0.1, low=0.0, limits=limits))
    generator = np.random.default_rng(2)
    for day in range(5):
        rain = np.where(generator.random(DAY) < 0.1, generator.exponential(1.0, DAY).round(1), 0.0)
        total = np.cumsum(rain)
        assert total[-1] > 100.0
        words = one.send(total)
        if day:
            assert words == [(Code.LIMIT, Change.CLEARED), (Code.LIMIT, Change.CONFIRMED)]


def test_a_level_that_falls_is_no_counter() -> None:
    """What moves both ways and falls to nothing is judged as ever."""
    one = One(specification(interval_seconds=60.0, max_rate=0.2))
    one.send(noise(300, 20.0))
    assert (Code.RATE, Change.CONFIRMED) in one.send([0.1, 20.0, 0.1, 20.0])


def test_a_new_sensor_is_told_once() -> None:
    """A level that has moved for good is one finding, and then usual: a later jump is found from there."""
    one = One(specification(interval_seconds=60.0))
    generator = np.random.default_rng(3)
    one.send(generator.normal(20.0, 0.5, 3 * DAY))
    words = one.send(generator.normal(26.0, 0.5, 3 * DAY))
    assert [word for word in words if word[1] is Change.CONFIRMED] == [(Code.LEARNED, Change.CONFIRMED)]
    assert words[-1] == (Code.LEARNED, Change.CLEARED)
    assert one.send(generator.normal(34.0, 0.5, 5))[0] == (Code.LEARNED, Change.CONFIRMED)


@pytest.mark.parametrize("level", [20.0, 24.0])
def test_missing_for_days_is_no_event_on_return(level: float) -> None:
    """What was learned is kept, and nothing is said when readings come again, whatever their level is by now."""
    one = One(specification(interval_seconds=60.0))
    generator = np.random.default_rng(4)
    one.send(generator.normal(20.0, 0.5, 5 * DAY))
    before = one.bank._states["head"]["profile"][0].copy()
    one.wait(6 * DAY)
    assert one.send(generator.normal(level, 0.5, 170)) == []
    assert np.allclose(before, one.bank._states["head"]["profile"][0], atol=2.0)


def test_a_jump_is_found_some_hours_after_a_return() -> None:
    """The learned score is mute after a return for hours, not for days."""
    one = One(specification(interval_seconds=60.0))
    generator = np.random.default_rng(4)
    one.send(generator.normal(20.0, 0.5, 5 * DAY))
    one.wait(6 * DAY)
    assert one.send(generator.normal(20.0, 0.5, 200)) == []
    told = one.send(generator.normal(32.0, 0.5, 5))
    assert told == [
        (Code.LEARNED, Change.CONFIRMED),
        (Code.LEARNED, Change.CHANGED),
    ]  # a record, then more than that


def test_a_value_before_and_after_a_gap_did_not_stand_still() -> None:
    """The same value before and after days without readings is no stuck sensor."""
    one = One(specification(interval_seconds=60.0))
    one.send(noise(200, 20.0))
    one.send([20.5] * 19)
    one.wait(3 * DAY)
    assert one.send([20.5] * 5) == []


def test_one_row_and_none() -> None:
    """A single reading, and no reading at all, are nothing special."""
    one = One()
    assert one.send([]) == []
    assert one.send([0.5]) == []
    rows = one.bank.take_rollups()
    assert (rows["count"].tolist(), rows["total"].tolist()) == ([1], [0.5])


def test_the_same_readings_again_and_again_change_nothing() -> None:
    """A storm of duplicates is counted and leaves state and roll-ups as they were."""
    one = One()
    one.send(noise(20, 0.5))
    one.bank.take_rollups()
    before = one.bank._states.tobytes()
    for _ in range(50):
        one.minute -= 8
        outcome = one.outcome(noise(8, 900.0))
        assert (outcome.repeated, len(outcome.late), said(outcome)) == (8, 0, [])
    assert one.bank._states.tobytes() == before


def test_a_million_rows_at_once_need_little_memory() -> None:
    """A batch of a million readings goes through in parts, and costs no more than its own roll-ups."""
    bank = Bank()
    for _ in range(10):
        bank.add(AMMONIA)
    count = 1_000_000
    slots = np.arange(count, dtype=np.int32) % 10
    times = START + np.arange(count, dtype=np.int64) // 10 * 100_000
    values, good = np.full(count, 0.5), np.zeros(count, np.uint8)
    bank.update(slots[:BATCH], times[:BATCH], values[:BATCH], good[:BATCH], START)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    bank.update(slots[BATCH:], times[BATCH:], values[BATCH:], good[BATCH:], START)
    rows = bank.take_rollups()
    assert (int(rows["count"].sum()), int(rows["count"].max())) == (count, 600)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # kilobytes
