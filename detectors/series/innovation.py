"""The learned score of one series as a River detector: what `detectors/series/score.py` compiles, in plain Python.

Numbers are kept in four bytes, as the compiled score keeps them, so that both hold the same state bit by bit.
"""

import math
from collections.abc import Hashable, Mapping
from datetime import datetime
from typing import Any

import numpy as np
from river import base

from detectors.series.score import (
    CLIP,
    DAY,
    EXCESS_GAIN,
    FIRST_VALUES,
    FORGET_EVERY,
    HOUR,
    HUGE,
    LEAST_SPAN,
    LOCAL,
    MOST_EXCESS,
    RARITY_CAP,
    RECORD_CAP,
    RECORD_DAYS,
    RECORD_KINDS,
    RECORD_MARGIN,
    RECORD_MEMORY,
    RECORD_POWER,
    SPREAD_SHARE,
    STEPS,
    TAIL,
    TAIL_EXCESS,
    TAIL_RATE,
    WARM,
    WEEKEND_MEMORY,
    WEEKEND_SHARE,
)
from detectors.series.state import KNOTS
from domain.clock import EPOCH

VERSION = 2
FIELDS = ("time", "learned", "level", "spread", "slow", "weekend", "tail_excess", "excursion")
RECORDS = ("rest", "slow", "level")
"""The numbers whose records are kept."""
Record = tuple[float, float]


class Innovation(base.SupervisedAnomalyDetector):
    """Scores the value `y` of a series; `x["at"]` is its time (aware datetime or Unix seconds), else one interval later.

    High means risk: the score is the rarity −log10 p as a share of RARITY_CAP, so that 0.5 is one in a million. Values that
    are not finite score 0 and teach nothing. It fails where a series has jumps as its ordinary way of life (a switch, a
    counter that overflows): it takes twenty of them to believe in them.
    """

    def __init__(self, interval_seconds: float = 60.0) -> None:
        """Take the usual distance of readings, on which all memories hang."""
        self.interval_seconds = interval_seconds
        self.time = 0
        self.learned = 0
        self.level = self.spread = self.slow = self.weekend = 0.0
        self.tail_excess, self.excursion = _steps(TAIL_EXCESS), 0
        self.profile = [0.0] * KNOTS
        self.records: dict[str, Record] = dict.fromkeys(RECORDS, (0.0, 0.0))

    def score_one(self, x: Mapping[Hashable, Any] | None, y: Any) -> float:
        """Score a value in [0, 1]; changes nothing."""
        return self.rarity(x, y) / RARITY_CAP

    def rarity(self, x: Mapping[Hashable, Any] | None, y: Any) -> float:
        """Tell −log10 of the value's p-value, by the tail or by records."""
        return max(self.rarities(x, y))

    def rarities(self, x: Mapping[Hashable, Any] | None, y: Any) -> tuple[float, float]:
        """Tell the rarity of a value by the tail, and by records."""
        if not _is_value(y) or self.learned < WARM:
            return 0.0, 0.0
        value, interval = _bounded(float(y), -HUGE, HUGE), self.interval_seconds * 1e6
        season = self._season(self._time(x))
        sigma = self._sigma(season)
        innovation = value - (season + self.level)
        tail, record, far = 0.0, 0.0, abs(innovation) / sigma
        if far > TAIL:
            excess = self.tail_excess / STEPS
            tail = min((far - TAIL) / excess / math.log(10.0) - math.log10(TAIL_RATE), RARITY_CAP)
        if self.learned * interval >= RECORD_DAYS * DAY:
            numbers = self._numbers(value, value - season, _bounded(innovation, -CLIP * sigma, CLIP * sigma))
            record = min(self._record_rarity(numbers, LEAST_SPAN * _floor(season)), RECORD_CAP)
        return tail, record

    def learn_one(self, x: Mapping[Hashable, Any] | None, y: Any) -> None:
        """Learn a value; call `score_one` first."""
        if not _is_value(y):
            return
        time, value, interval = self._time(x), _bounded(float(y), -HUGE, HUGE), self.interval_seconds * 1e6
        self.time = time
        if self.learned < FIRST_VALUES:
            self._begin(value)
            return
        season = self._season(time)
        sigma = self._sigma(season)
        rest, reach, count = value - season, 2.0 * HUGE, self.learned
        innovation = rest - self.level
        if count >= WARM:
            self._learn_tail(abs(innovation) / sigma)
            innovation = _bounded(innovation, -CLIP * sigma, CLIP * sigma)
        gain = max(_bounded(interval / (6.0 * HOUR), 0.002, 0.01), 1.0 / (count + 1.0))
        self.spread = _four(self.spread + gain * (innovation * innovation - self.spread))
        numbers = self._numbers(value, rest, innovation)
        self.slow, self.level = _four(numbers["slow"]), _four(numbers["level"])
        for name in RECORDS:
            self.records[name] = self._record_after(self.records[name], numbers[name])
        if count >= WARM:
            reach = CLIP * sigma + abs(self.level)
        taught = _bounded(rest, -reach, reach)
        if count * interval >= 7.0 * DAY:
            share = 1.0 if _is_weekend(time) else -WEEKEND_SHARE
            self.weekend = _four(
                self.weekend + share * _bounded(interval / WEEKEND_MEMORY, 1e-6, 0.02) * taught
            )
        self.learned = count + 1
        gain = max(_bounded(interval * KNOTS / (14.0 * DAY), 1e-5, 0.1), 1.0 / (1.0 + count / KNOTS))
        knot, weight = _knot(time)
        for place, part in ((knot, 1.0 - weight), ((knot + 1) % KNOTS, weight)):
            self.profile[place] = _four(self.profile[place] + part * gain * taught)

    def rebase(self, at: float, value: float) -> None:
        """Take a value at a time (Unix seconds) for normal, as after a new level that stayed."""
        shift = _bounded(value, -HUGE, HUGE) - self._season(round(at * 1e6))
        self.profile = [_four(point + shift) for point in self.profile]
        self.level, self.excursion = 0.0, 0
        self.slow = _four(_bounded(value, -HUGE, HUGE))
        low, high = self.records["slow"]
        self.records["slow"] = min(low, self.slow), max(high, self.slow)

    def dump(self) -> dict[str, Any]:
        """Write the state as plain numbers."""
        return {
            "version": VERSION,
            "profile": list(self.profile),
            "records": [list(self.records[name]) for name in RECORDS],
            **{name: getattr(self, name) for name in FIELDS},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take up a written state; ValueError for another version."""
        if state.get("version") != VERSION:
            raise ValueError(f"state of version {state.get('version')}, this release reads {VERSION}")
        self.profile = list(state["profile"])
        self.records = {
            name: (low, high) for name, (low, high) in zip(RECORDS, state["records"], strict=True)
        }
        for name in FIELDS:
            setattr(self, name, state[name])

    def _begin(self, value: float) -> None:
        self.profile = [_four(value)] * KNOTS
        self.slow = _four(value)
        self.level = self.spread = self.weekend = 0.0
        self.tail_excess, self.excursion = _steps(TAIL_EXCESS), 0
        self.learned += 1

    def _learn_tail(self, far: float) -> None:
        """Learn from an excursion when it is over."""
        if far > TAIL:
            self.excursion = max(self.excursion, _steps(min(far - TAIL, MOST_EXCESS)), 1)
        elif self.excursion > 0:
            usual = self.tail_excess / STEPS
            usual += EXCESS_GAIN * (self.excursion / STEPS - usual)
            self.tail_excess, self.excursion = _steps(max(usual, TAIL_EXCESS)), 0

    def _numbers(self, value: float, rest: float, innovation: float) -> dict[str, float]:
        """Tell what the value makes of the numbers whose records are kept."""
        interval = self.interval_seconds * 1e6
        slow_gain = max(_bounded(interval / 6_000e6, 0.01, 0.05), 1.0 / (self.learned + 1.0))
        return {
            "rest": rest,
            "slow": self.slow + slow_gain * (value - self.slow),
            "level": self.level + _bounded(interval / 600e6, 0.02, 0.125) * innovation,
        }

    def _record_rarity(self, numbers: Mapping[str, float], least: float) -> float:
        """Tell the rarity of the record that is broken most."""
        excess = 0.0
        for name, (low, high) in self.records.items():
            beyond = max(numbers[name] - high, low - numbers[name], 0.0)
            excess = max(excess, beyond / max(high - low, least))
        if excess == 0.0:
            return 0.0
        known = min(self.learned, RECORD_MEMORY / (self.interval_seconds * 1e6))
        return max(
            math.log10((known + 1.0) / RECORD_KINDS) + RECORD_POWER * math.log10(excess / RECORD_MARGIN), 0.0
        )

    def _record_after(self, record: Record, number: float) -> Record:
        """Tell a record after one more number."""
        if self.learned < WARM:
            return _four(number), _four(number)
        low, high = record
        if self.learned % FORGET_EVERY == 0:
            forgotten = math.log(2.0) * FORGET_EVERY * self.interval_seconds * 1e6 / RECORD_MEMORY
            share = 0.5 * min(forgotten, 0.5) * (high - low)
            low, high = low + share, high - share
        return _four(min(low, number)), _four(max(high, number))

    def _sigma(self, season: float) -> float:
        low, high = self.records["rest"]
        return max(math.sqrt(self.spread), _floor(season), SPREAD_SHARE * (high - low))

    def _season(self, time: int) -> float:
        knot, weight = _knot(time)
        season = self.profile[knot] * (1.0 - weight) + self.profile[(knot + 1) % KNOTS] * weight
        return season + self.weekend if _is_weekend(time) else season

    def _time(self, x: Mapping[Hashable, Any] | None) -> int:
        at = (x or {}).get("at")
        if isinstance(at, datetime):
            since = at - EPOCH
            return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
        if isinstance(at, int | float) and math.isfinite(at):
            return round(at * 1e6)
        return self.time + int(self.interval_seconds * 1e6)


def _knot(time: int) -> tuple[int, float]:
    position = (time % DAY) / (DAY / KNOTS)
    return int(position), position - int(position)


def _is_weekend(time: int) -> bool:
    return ((time + LOCAL) // DAY + 3) % 7 >= 5


def _floor(season: float) -> float:
    return max(1e-6, 1e-3 * abs(season))


def _steps(excess: float) -> int:
    return int(excess * STEPS + 0.5)


def _four(value: float) -> float:
    """Round to what four bytes hold."""
    return float(np.float32(value))


def _bounded(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


def _is_value(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
