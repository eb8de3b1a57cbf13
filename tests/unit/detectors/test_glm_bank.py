"""The compiled bank of counts against the one-series reference."""

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.counts.design import Period, begin_of, index_of
from detectors.counts.glm import CountGLM
from detectors.counts.glm_bank import BLOCK, GLMBank
from domain.errors import InvalidInput

START = datetime(2024, 9, 2, tzinfo=UTC)
COUNT = st.one_of(
    st.integers(0, 40).map(float),
    st.sampled_from([math.nan, math.inf, -3.0, 0.0, 2.5, 5_000.0, 1e300]),
)


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(["hour", "2h", "day", "week"]),
    st.lists(st.tuples(st.integers(-3, 40), COUNT, st.sampled_from([1.0, 0.4])), min_size=1, max_size=60),
)
def test_the_bank_is_the_reference(period: Period, rows: list[tuple[int, float, float]]) -> None:
    """With gaps, repetitions, disorder, partial and bad counts, a slot expects what the plain Python class expects."""
    bank, single = GLMBank(period), CountGLM(period)
    bank.add()
    slot = bank.add()
    index = index_of(START, period)
    for step, count, exposure in rows:
        index += step
        at, x = begin_of(index, period), {"exposure": exposure}
        assert_alike(bank, slot, single, at, exposure)
        single.learn_one({"at": at, **x}, count)
        bank.learn([slot], at, [count], exposure)
    assert_alike(bank, slot, single, begin_of(index + 1, period), 1.0)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 30), COUNT), min_size=1, max_size=40))
def test_a_cell_within_its_zone_is_the_reference(rows: list[tuple[int, int, float]]) -> None:
    """A slot with a parent expects what the plain Python class expects that is told the zone's expectation."""
    bank, zone, cell = GLMBank("day"), CountGLM("day"), CountGLM("day", within_zone=True, share=0.2)
    above = bank.add()
    slot = bank.add(parent=above, share=0.2)
    index = index_of(START, "day")
    for step, other, count in rows:
        index += step
        at = begin_of(index, "day")
        x = {"at": at, "zone": zone.median(at)}
        mean, shape = cell.expect(at, x)
        means, shapes = bank.expect([slot], at)
        assert means[0] == pytest.approx(mean, rel=1e-6)
        assert shapes[0] == pytest.approx(shape, rel=1e-6)
        bank.learn([above, slot], at, [other, count])
        zone.learn_one({"at": at}, other)
        cell.learn_one(x, count)


def assert_alike(bank: GLMBank, slot: int, single: CountGLM, at: datetime, exposure: float) -> None:
    """Both expect the same, and find the same count equally rare."""
    x = {"at": at, "exposure": exposure}
    means, shapes = bank.expect([slot], at, exposure)
    mean, shape = single.expect(at, x)
    assert means[0] == pytest.approx(mean, rel=1e-6)
    assert shapes[0] == pytest.approx(shape, rel=1e-6)
    rarity = bank.rarity([slot], at, [7], exposure)[0]
    assert rarity == pytest.approx(-math.log10(single.p_value(at, 7, x)), rel=1e-6, abs=1e-9)


def learned(count: int = 70, days: int = 40) -> GLMBank:
    """Make a bank of cells in a zone that has seen some weeks."""
    bank, generator = GLMBank("day"), np.random.default_rng(1)
    zone = bank.add()
    slots = [zone, *(bank.add(parent=zone) for _ in range(count - 1))]
    for day in range(days):
        counts = generator.poisson(2.0, count)
        counts[0] = counts[1:].sum()
        bank.learn(slots, START + timedelta(days=day), counts)
    return bank


def test_a_bank_goes_on_where_it_was_dumped() -> None:
    """Restored from its blocks, a bank has the same bits, and learns and expects the same."""
    bank, other = learned(), GLMBank("day")
    blocks = bank.dump()
    assert max(map(len, blocks.values())) < 256 * 1024
    for number, block in blocks.items():
        other.restore(number, block)
    assert other.size == bank.size
    assert list(other.parents()) == list(bank.parents())
    at, slots = START + timedelta(days=41), np.arange(70)
    for each in (bank, other):
        each.learn(slots, at, np.full(70, 3))
    for mine, yours in zip(bank.expect(slots, at), other.expect(slots, at), strict=True):
        assert mine.tobytes() == yours.tobytes()


def test_only_what_changed_is_dumped() -> None:
    """After a dump, learning in one slot dumps one block."""
    bank = learned()
    bank.dump()
    assert bank.dump() == {}
    bank.learn([BLOCK + 1], START + timedelta(days=50), [4])
    assert list(bank.dump()) == [1]


@pytest.mark.parametrize("period", ["hour", "2h", "day", "week"])
def test_a_block_stays_below_the_limit_of_a_message(period: Period) -> None:
    """A full block of any period is below 256 KiB."""
    bank = GLMBank(period)
    for _ in range(BLOCK):
        bank.add()
    assert len(bank.dump()[0]) < 256 * 1024


def test_blocks_of_another_form_are_refused() -> None:
    """Another period, another version, cut-off rows and rubbish are invalid input that says why."""
    block = learned(5, 1).dump()[0]
    with pytest.raises(InvalidInput, match="week"):
        GLMBank("week").restore(0, block)
    with pytest.raises(InvalidInput, match="version 7"):
        GLMBank("day").restore(0, block.replace(b"\x94\x01", b"\x94\x07", 1))
    with pytest.raises(InvalidInput, match="block"):
        GLMBank("day").restore(0, block[:-9])
    with pytest.raises(InvalidInput, match="block"):
        GLMBank("day").restore(0, b"\x00")


def test_what_the_caller_got_wrong_is_told() -> None:
    """Unknown slots, parents, periods, shares, exposures and naive times are errors."""
    bank = GLMBank("day")
    slot = bank.add()
    with pytest.raises(IndexError, match="slot"):
        bank.expect([slot + 1], START)
    with pytest.raises(IndexError, match="parent"):
        bank.add(parent=9)
    with pytest.raises(ValueError, match="share"):
        bank.add(parent=slot, share=0.0)
    with pytest.raises(ValueError, match="exposures"):
        bank.expect([slot], START, 0.0)
    with pytest.raises(ValueError, match="zone"):
        bank.expect([slot], START.replace(tzinfo=None))
    with pytest.raises(ValueError, match="fortnight"):
        GLMBank("fortnight")  # type: ignore[arg-type]  # that is the point


def test_what_taught_nothing_is_counted() -> None:
    """Bad counts and periods that a slot has behind it are told by their number."""
    bank = GLMBank("day")
    slots = [bank.add() for _ in range(4)]
    assert bank.learn(slots, START, [1, math.nan, -1, math.inf]) == 3
    assert bank.learn(slots, START, [1, 1, 1, 1]) == 1
    assert bank.learn(slots, START - timedelta(days=1), [1, 1, 1, 1]) == 4


def test_a_new_cell_knows_its_zone() -> None:
    """A cell that was never counted expects its share of the zone, weekends included, and shrinks to it with few counts."""
    bank = GLMBank("day")
    zone = bank.add()
    generator = np.random.default_rng(3)
    for day in range(200):
        at = START + timedelta(days=day)
        bank.learn([zone], at, [generator.poisson(5 if at.weekday() >= 5 else 40)])
    cell = bank.add(parent=zone, share=0.1)
    saturday = datetime(2025, 3, 22, tzinfo=UTC)
    tuesday = saturday + timedelta(days=3)
    (weekend,), _ = bank.expect([cell], saturday)
    (weekday,), _ = bank.expect([cell], tuesday)
    assert weekend < weekday / 4
    (alone,), _ = bank.expect([zone], tuesday)
    assert 0.05 < weekday / alone < 0.4
