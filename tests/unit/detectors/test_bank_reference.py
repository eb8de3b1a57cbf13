"""The kernel over arrays says what one series in plain Python says, for random streams."""

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from one_series import OneSeries, Rules

from detectors.series.bank import Bank, specification
from detectors.series.state import Code

START = 1_780_000_020
NAMES = {
    int(Code.RANGE): "range",
    int(Code.RATE): "rate",
    int(Code.UNIT): "unit",
    int(Code.LEARNED): "learned",
    int(Code.STUCK): "stuck",
    **{Code.LIMIT + number: f"limit {number}" for number in range(4)},
}
RULES = (
    Rules(prefixed=True),
    Rules(interval=60.0, low=-5.0, high=5_000.0, max_rate=0.3, prefixed=True),
    Rules(interval=60.0, limits=((12.0, 1, 0.05, 2), (15.0, 1, 0.1, 1), (6.0, -1, 0.05, 3))),
    Rules(interval=3_600.0, low=0.0, max_rate=0.01, limits=((11.0, 1, 0.05, 1),), prefixed=True),
    Rules(interval=1.0, low=0.0, high=100.0),
)
Step = tuple[str, float, int]
steps = st.lists(
    st.tuples(
        st.sampled_from(["noise", "still", "jump", "unit", "small", "count", "reset", "zero", "gap", "odd"]),
        st.floats(0.05, 30.0),
        st.integers(1, 45),
    ),
    min_size=1,
    max_size=9,
)


def stream(script: list[Step], interval: float, seed: int) -> list[tuple[int, float, bool]]:
    """Make readings of a script of stretches: time in seconds, value, whether it is of good quality."""
    generator = np.random.default_rng(seed)
    at, level, value, readings = START, 10.0, 10.0, []
    readings += [(at + n * int(interval), float(generator.normal(10.0, 0.3)), True) for n in range(70)]
    at += 70 * int(interval)
    for kind, size, count in script:
        if kind == "gap":
            at += int(size * 86_400)
            continue
        if kind == "jump":
            level = size
        for _ in range(count):
            match kind:
                case "still":
                    pass
                case "unit":
                    value = float(1_000.0 * generator.normal(level, 0.03 * level))
                case "small":
                    value = float(0.001 * generator.normal(level, 0.03 * level))
                case "count":
                    value = value + abs(size)
                case "reset":
                    value = abs(size) / 100.0
                case "zero":
                    value = 0.0
                case "odd":
                    value = float(generator.choice([np.nan, np.inf, -1e9, 1e9, -3.0]))
                case _:
                    value = float(generator.normal(level, 0.3))
            readings.append((at, value, bool(generator.random() > 0.05)))
            at += max(1, int(interval * generator.choice([1.0, 1.0, 1.0, 0.5, 3.0])))
        if kind == "odd":
            value = level
    return readings


@settings(deadline=None, max_examples=80)
@given(steps, st.sampled_from(RULES), st.integers(0, 10**6), st.integers(1, 40))
def test_the_bank_says_what_one_series_says(script: list[Step], rules: Rules, seed: int, size: int) -> None:
    """After every batch the same findings are open since the same second, whoever else shares the bank."""
    bank = Bank()
    spec = specification(
        interval_seconds=rules.interval,
        low=rules.low if np.isfinite(rules.low) else None,
        high=rules.high if np.isfinite(rules.high) else None,
        max_rate=rules.max_rate if np.isfinite(rules.max_rate) else None,
        limits=[
            (value, "above" if sign > 0 else "below", back, run) for value, sign, back, run in rules.limits
        ],
        prefixed=rules.prefixed,
    )
    others = OneSeries(rules), OneSeries(rules)
    for _ in others:
        bank.add(spec)
    streams = [stream(script, rules.interval, seed), stream(script[::-1], rules.interval, seed + 1)]
    arrivals = sorted((at, slot, value, good) for slot, own in enumerate(streams) for at, value, good in own)
    for begin in range(0, len(arrivals), size):
        batch = arrivals[begin : begin + size]
        for at, slot, value, good in batch:
            others[slot].take(at, value, good=good)
        times, slots, values, goods = (np.array(column) for column in zip(*batch, strict=True))
        bank.update(
            slots.astype(np.int32),
            times.astype(np.int64) * 1_000_000,
            values.astype(np.float64),
            np.where(goods, 0, 5).astype(np.uint8),
            START * 1_000_000,
        )
        told = {(slot, NAMES[code], since // 1_000_000) for slot, code, since in bank.said()}
        assume(not any(one.unsure for one in others))
        assert told == {(slot, name, at) for slot, one in enumerate(others) for name, at in one.open.items()}
