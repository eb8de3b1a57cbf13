"""Order, repetition and restarts: what is open and what is rolled up must not depend on them."""

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.series.bank import Bank, Records, specification
from detectors.series.state import RING

START = 1_780_000_020_000_000
SPEC = specification(
    interval_seconds=20.0,
    low=-50.0,
    high=50.0,
    max_rate=0.5,
    limits=[(8.0, "above", 0.05, 2), (12.0, "above", 0.05, 1)],
)
Row = tuple[int, int, float, int]


def rows_of(seed: int, count: int) -> list[Row]:
    """Make readings of two series, 20 s apart, that stumble over every detector now and then."""
    generator = random.Random(seed)
    level, rows = [0.0, 0.0], []
    for number in range(count):
        slot = generator.randrange(2)
        if generator.random() < 0.04:
            level[slot] = generator.choice([0.0, 9.0, 14.0, 80.0])
        value = level[slot] + (0.0 if generator.random() < 0.1 else generator.gauss(0.0, 0.3))
        rows.append((slot, START + number * 20_000_000, value, generator.choice([0, 0, 0, 0, 0, 0, 1, 5])))
    return rows


def shuffled(rows: list[Row], reach: int, generator: random.Random) -> list[Row]:
    """Let each reading be overtaken by fewer than `reach` later ones, and send some again."""
    keyed = sorted(enumerate(rows), key=lambda pair: pair[0] + generator.uniform(0, reach))
    arrived: list[Row] = []
    for _, row in keyed:
        arrived.append(row)
        if generator.random() < 0.1:
            arrived.append(generator.choice(arrived[-4:]))
    return arrived


class World:
    """A bank, what it holds open by its own words, and the newest roll-up of each minute."""

    def __init__(self) -> None:
        self.bank = self.fresh()
        self.open: set[tuple[int, int, int]] = set()
        self.minutes: dict[tuple[int, int], tuple[Any, ...]] = {}

    @staticmethod
    def fresh() -> Bank:
        """Make an empty bank of two series."""
        bank = Bank()
        for _ in range(2):
            bank.add(SPEC)
        return bank

    def send(self, rows: list[Row], size: int = 7) -> None:
        """Send readings in batches and keep what comes of them."""
        for begin in range(0, len(rows), size):
            columns = list(zip(*rows[begin : begin + size], strict=True))
            outcome = self.bank.update(
                np.array(columns[0], np.int32),
                np.array(columns[1], np.int64),
                np.array(columns[2], np.float64),
                np.array(columns[3], np.uint8),
                START,
            )
            assert not len(outcome.late)
            self.hear(outcome.transitions)

    def hear(self, transitions: Records) -> None:
        """Keep the set of open findings; nothing is cleared that was not open."""
        for row in transitions:
            name = (int(row["slot"]), int(row["code"]), int(row["period_start"]))
            if row["state"] == 2:
                self.open.remove(name)
            else:
                self.open.add(name)

    def take(self) -> None:
        """Take roll-ups; counts only grow."""
        for row in self.bank.take_rollups().tolist():
            before = self.minutes.get(row[:2])
            assert before is None or row[2] >= before[2]
            self.minutes[row[:2]] = row

    def restart(self, blocks: dict[int, bytes]) -> dict[int, bytes]:
        """Dump, and go on with a fresh bank that was restored; `blocks` are those of earlier dumps."""
        self.take()
        blocks = {**blocks, **self.bank.dump()}
        self.bank = self.fresh()
        for number, block in blocks.items():
            self.bank.restore(number, block)
        return blocks


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**6), st.integers(2, 250), st.integers(0, RING - 2))
def test_order_and_repetition_make_no_difference(seed: int, count: int, reach: int) -> None:
    """Inside the bound every order with repetitions ends with the same open findings and bit-equal roll-ups."""
    rows = rows_of(seed, count)
    straight, crooked = World(), World()
    straight.send(rows)
    crooked.send(shuffled(rows, reach, random.Random(seed)), size=5)
    straight.take()
    crooked.take()
    assert crooked.open == straight.open
    assert set(crooked.bank.said()) == straight.open
    assert crooked.minutes == straight.minutes


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.integers(20, 120), st.integers(1, 3), st.integers(2, 4))
def test_a_wrong_clock_makes_no_difference_after_all(seed: int, count: int, wrong: int, reach: int) -> None:
    """Readings from days ahead leave what the others say as if they had never come, but are in their minutes."""
    rows = rows_of(seed, count)
    ahead = [(0, START + (n + 20_000) * 60_000_000, 99.0, 0) for n in range(wrong)]
    plain, strange = World(), World()
    plain.send(rows)
    middle = count // 2
    strange.send([*shuffled(rows[:middle], reach, random.Random(seed)), *ahead], size=5)
    strange.send([*shuffled(rows[middle:], reach, random.Random(seed)), *(row for row in rows[-4:])], size=5)
    plain.take()
    strange.take()
    if any(row[0] == 0 for row in rows[middle:]):
        assert strange.open == plain.open
    kept = {name: row for name, row in strange.minutes.items() if name[1] < (START // 60_000_000) + 10_000}
    assert kept == plain.minutes
    assert sum(row[2] for row in strange.minutes.values()) == count + wrong


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.lists(st.integers(0, 200), max_size=4))
def test_a_restart_makes_no_difference(seed: int, cuts: list[int]) -> None:
    """Dumped at any points, restored and fed the rest, a bank says what the undisturbed one says, bit by bit."""
    rows = shuffled(rows_of(seed, 200), 6, random.Random(seed))
    whole, broken = World(), World()
    whole.send(rows)
    blocks: dict[int, bytes] = {}
    begin = 0
    for cut in [*sorted(cuts), len(rows)]:
        broken.send(rows[begin:cut])
        blocks = broken.restart(blocks)
        begin = max(begin, cut)
    broken.send(rows[begin:])
    whole.take()
    broken.take()
    assert broken.open == whole.open
    assert broken.minutes == whole.minutes
    assert whole.bank.dump() == {**blocks, **broken.bank.dump()}


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10**6), st.integers(1, 150))
def test_words_are_causal(seed: int, cut: int) -> None:
    """What is said of the first readings does not depend on those after."""
    rows = rows_of(seed, 150)
    part, whole = World(), World()
    part.send(rows[:cut], size=1)
    whole.send(rows[:cut], size=1)
    before = set(whole.open)
    whole.send(rows[cut:], size=1)
    assert part.open == before


def test_every_minute_is_the_sum_of_its_readings() -> None:
    """Roll-ups count, add and bound exactly the readings of their minute, `last` being the newest."""
    rows = rows_of(3, 240)
    world = World()
    for begin in range(0, 240, 30):
        world.send(shuffled(rows[begin : begin + 30], 5, random.Random(begin)))
        world.take()
    for (slot, minute), row in world.minutes.items():
        own = [r for r in rows if (r[0], r[1] // 60_000_000) == (slot, minute)]
        good = [value for _, _, value, quality in own if quality <= 1]
        assert row[2:4] == (len(own), len(good))
        if good:
            assert row[4:] == (pytest.approx(sum(good)), min(good), max(good), good[-1])
    assert sum(row[2] for row in world.minutes.values()) == len(rows)
