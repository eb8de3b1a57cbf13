"""The learned score of one series as a River detector: what `detectors/series/score.py` compiles, in plain Python."""

import math
from collections.abc import Hashable, Mapping
from datetime import datetime
from typing import Any

from river import base

from detectors.series.score import (
    CLIP,
    DAY,
    EXCESS_GAIN,
    HOUR,
    LEAST_RATE,
    LOG10_E,
    MOST_EXCESS,
    RARITY_CAP,
    STRAY_CAP,
    STRAY_MEAN,
    STRAY_RATE,
    STRAY_TAIL,
    TAIL,
    TAIL_EXCESS,
    TAIL_GAIN,
    TAIL_RATE,
    WARM,
    WARM_DAYS,
)
from detectors.series.state import KNOTS
from domain.clock import EPOCH

VERSION = 1
FIELDS = (
    "time",
    "learned",
    "level",
    "spread",
    "wander",
    "stray",
    "stray_rate",
    "stray_mean",
    "tail_rate",
    "tail_excess",
    "excursion",
)


class Innovation(base.SupervisedAnomalyDetector):
    """Scores the value `y` of a series; `x["at"]` is its time (aware datetime or Unix seconds), else one interval later.

    High means risk: the score is the rarity −log10 p as a share of RARITY_CAP, so that 0.5 is one in a million. Values that
    are not finite score 0 and teach nothing. It fails where a series has jumps as its ordinary way of life (a switch, a
    counter that overflows): it takes fifty of them to believe in them.
    """

    def __init__(self, interval_seconds: float = 60.0) -> None:
        """Take the usual distance of readings, on which all memories hang."""
        self.interval_seconds = interval_seconds
        self.time = 0
        self.learned = 0
        self.level = self.spread = self.wander = 0.0
        self.stray, self.stray_rate, self.stray_mean = 0.0, STRAY_RATE, STRAY_MEAN
        self.tail_rate, self.tail_excess, self.excursion = TAIL_RATE, TAIL_EXCESS, 0.0
        self.profile = [0.0] * KNOTS

    def score_one(self, x: Mapping[Hashable, Any] | None, y: Any) -> float:
        """Score a value in [0, 1]; changes nothing."""
        return self.rarity(x, y) / RARITY_CAP

    def rarity(self, x: Mapping[Hashable, Any] | None, y: Any) -> float:
        """Tell −log10 of the value's p-value."""
        if not _is_value(y) or self.learned < WARM:
            return 0.0
        season = self._season(self._time(x))
        far = abs(y - (season + self.level)) / max(math.sqrt(self.spread), _floor(season))
        rarity = 0.0
        if far > TAIL:
            rarity = min((far - TAIL) / self.tail_excess * LOG10_E - math.log10(self.tail_rate), RARITY_CAP)
        if self.stray > 0.0:
            rarity = max(
                rarity, min(self.stray / self.stray_mean * LOG10_E - math.log10(self.stray_rate), STRAY_CAP)
            )
        return rarity

    def learn_one(self, x: Mapping[Hashable, Any] | None, y: Any) -> None:
        """Learn a value; call `score_one` first."""
        if not _is_value(y):
            return
        time, value, interval = self._time(x), float(y), self.interval_seconds * 1e6
        self.time = time
        if self.learned == 0:
            self.profile = [value] * KNOTS
            self.learned = 1
            return
        season = self._season(time)
        innovation = value - season - self.level
        sigma = max(math.sqrt(self.spread), _floor(season))
        count = self.learned
        if count >= WARM:
            self._learn_tail(abs(innovation) / sigma)
            innovation = _bounded(innovation, -CLIP * sigma, CLIP * sigma)
        first = 1.0 / (count + 1.0)
        self.spread += max(_bounded(interval / (6.0 * HOUR), 0.002, 0.01), first) * (
            innovation * innovation - self.spread
        )
        self.level += _bounded(interval / 600e6, 0.02, 0.125) * innovation
        gain = max(_bounded(interval / (30.0 * DAY), 1e-6, 0.01), first)
        self.wander += gain * (self.level * self.level - self.wander)
        if count * interval < WARM_DAYS * DAY:
            self.wander = max(self.wander, self.level * self.level)
        else:
            self._learn_stray(abs(self.level) / max(math.sqrt(self.wander), _floor(season)))
        reach = CLIP * sigma + abs(self.level)
        gain = max(_bounded(interval * KNOTS / (14.0 * DAY), 1e-5, 0.1), 1.0 / (1.0 + count / KNOTS))
        rest = gain * _bounded(value - season, -reach, reach)
        knot, weight = _knot(time)
        self.profile[knot] += (1.0 - weight) * rest
        self.profile[(knot + 1) % KNOTS] += weight * rest
        self.learned = count + 1

    def dump(self) -> dict[str, Any]:
        """Write the state as plain numbers."""
        return {
            "version": VERSION,
            "profile": list(self.profile),
            **{name: getattr(self, name) for name in FIELDS},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take up a written state; ValueError for another version."""
        if state.get("version") != VERSION:
            raise ValueError(f"state of version {state.get('version')}, this release reads {VERSION}")
        self.profile = list(state["profile"])
        for name in FIELDS:
            setattr(self, name, state[name])

    def _learn_tail(self, far: float) -> None:
        if far > TAIL:
            self.excursion = max(self.excursion, far)
            return
        over = self.excursion > 0.0
        self.tail_rate = max(self.tail_rate + TAIL_GAIN * (float(over) - self.tail_rate), LEAST_RATE)
        if over:
            excess = min(self.excursion - TAIL, MOST_EXCESS)
            self.tail_excess = max(self.tail_excess + EXCESS_GAIN * (excess - self.tail_excess), TAIL_EXCESS)
            self.excursion = 0.0

    def _learn_stray(self, far: float) -> None:
        if far > STRAY_TAIL:
            self.stray += far - STRAY_TAIL
            return
        over = self.stray > 0.0
        self.stray_rate = max(self.stray_rate + TAIL_GAIN * (float(over) - self.stray_rate), LEAST_RATE)
        if over:
            size = min(self.stray, 10.0 * self.stray_mean)
            self.stray_mean = max(self.stray_mean + EXCESS_GAIN * (size - self.stray_mean), STRAY_MEAN)
            self.stray = 0.0

    def _season(self, time: int) -> float:
        knot, weight = _knot(time)
        return self.profile[knot] * (1.0 - weight) + self.profile[(knot + 1) % KNOTS] * weight

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


def _floor(season: float) -> float:
    return max(1e-6, 1e-3 * abs(season))


def _bounded(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


def _is_value(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
