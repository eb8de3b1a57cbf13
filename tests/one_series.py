"""One series in plain Python: what the compiled guards, limits and the learned score are to say, reading by reading.

Written from the rules, not from the kernel: no marks, no bits, no ring. It takes readings in the order of their time, at
most one a second, and tells which findings are open.
"""

import math
from collections.abc import Hashable
from dataclasses import dataclass, field

from detectors.series.innovation import Innovation

DAY = 86_400.0


@dataclass(frozen=True)
class Rules:
    """What is known of a series; times in seconds, limits as (value, sign, hysteresis, consecutive)."""

    interval: float = 60.0
    low: float = -math.inf
    high: float = math.inf
    max_rate: float = math.inf
    limits: tuple[tuple[float, int, float, int], ...] = ()
    prefixed: bool = False


@dataclass
class OneSeries:
    """The open findings of one series: since when (Unix seconds) by name."""

    rules: Rules
    open: dict[str, int] = field(default_factory=dict)
    unsure: bool = False
    """Whether a rarity came so near a threshold that four bytes and eight may decide otherwise."""

    def __post_init__(self) -> None:
        """Begin without any reading."""
        self.score = Innovation(self.rules.interval)
        self.value: float | None = None
        self.at = 0
        self.runs: dict[str, int] = {}
        self.usual = 0.0
        self.rises = 0
        self.is_counter = False
        self.same, self.same_since, self.longest, self.variety = 0, 0, 0, 0.0
        self.mute_until, self.seen_since_open = 0.0, 0
        self.is_strong = self.was_rare = False
        """Whether the open or the last learned finding was strong; whether its newest reading was very rare."""

    def take(self, at: int, value: float, *, good: bool = True) -> None:
        """Take in a reading that is newer than all before."""
        if not good or not math.isfinite(value):
            return
        inside = self._range(at, value)
        reset = inside and self._is_reset(value)
        same_unit = reset or self._unit(at, value)
        in_other = not same_unit and self.runs["unit"] == 0 and "unit" in self.open
        if not inside:
            return
        if self.value is not None and at - self.at > max(24 * self.rules.interval, DAY):
            self.runs["learned"] = 0
            if "learned" not in self.open:
                self.mute_until, self.is_strong = at + self._longest(), True
        smooth = reset or self._rate(at, value)
        moving = self._stuck(at, value)
        self.value, self.at = value, at
        self._limits(at, value)
        if reset:
            self.is_counter, self.usual = True, max(value, 0.0)
            self.score.learned = 0
            self.runs["learned"] = 0
            if self.open.pop("learned", None) is not None:
                self.mute_until = 0.0
        elif self.is_counter:
            return
        elif in_other and at - self.open["unit"] >= 7 * DAY:
            del self.open["unit"]
            self.usual = value
            self.rebase(at, value)
            self.score.learned = 0
        elif same_unit and smooth and moving:
            self._learned(at, value)

    def _count(self, name: str, speaks: bool, needed: int) -> bool:
        """Count readings in a row that speak; says whether they are enough, and then begins anew."""
        self.runs[name] = self.runs.get(name, 0) + 1 if speaks else 0
        if self.runs[name] < needed:
            return False
        self.runs[name] = 0
        return True

    def _turn(self, name: str, at: int) -> None:
        """Open what is closed, close what is open."""
        if self.open.pop(name, None) is None:
            self.open[name] = at

    def _range(self, at: int, value: float) -> bool:
        inside = self.rules.low <= value <= self.rules.high
        opened = "range" in self.open
        if self._count("range", inside == opened, 3 if opened else 2):
            self._turn("range", at)
        return inside

    def _is_reset(self, value: float) -> bool:
        if self.value is None or value == self.value:
            return False
        if value > self.value:
            self.rises += 1
            return False
        if (self.is_counter or self.rises >= 20) and 0 <= value <= 0.1 * self.value:
            return True
        self.rises, self.is_counter = 0, False
        return False

    def _unit(self, at: int, value: float) -> bool:
        if not self.rules.prefixed:
            return True
        factor = 1.0
        if self.usual > 0 and value > 0:
            factor = next(
                (f for f in (1_000.0, 0.001) if f / 3 * self.usual <= value <= f * 3 * self.usual), 1.0
            )
        opened = "unit" in self.open
        if not opened and factor == 1.0:
            self.runs["unit"] = 0
            if value > 0:
                self.usual += (0.1 if self.usual > 0 else 1.0) * (value - self.usual)
            return True
        if factor != 1.0:
            self.usual += 0.1 * (value / factor - self.usual)
        if self._count("unit", opened == (factor == 1.0), 3):
            self._turn("unit", at)
        return False

    def _rate(self, at: int, value: float) -> bool:
        if self.value is None:
            return True
        seconds = max(at - self.at, self.rules.interval / 2)
        jumped = abs(value - self.value) > self.rules.max_rate * seconds
        run = self.runs["rate"] = (
            min(self.runs.get("rate", 0) + 3, 9) if jumped else max(self.runs.get("rate", 0) - 1, 0)
        )
        if run >= 5:
            self.open.setdefault("rate", at)
        elif run == 0:
            self.open.pop("rate", None)
        return not jumped

    def _stuck(self, at: int, value: float) -> bool:
        if self.value is None:
            self.same, self.same_since = 1, at
        elif value != self.value:
            if self.open.pop("stuck", None) is None:
                self.longest = max(self.longest, self.same)
                self.variety += (1 - 0.98**self.same) * (1 / self.same - self.variety)
            self.same, self.same_since = 1, at
        elif "stuck" not in self.open and at - self.at > max(24 * self.rules.interval, DAY):
            self.same, self.same_since = 1, at
        else:
            self.same += 1
        if (
            self.same >= max(20, 4 * self.longest)
            and at - self.same_since >= max(1_800, 20 * self.rules.interval)
            and self.variety >= 0.3
            and value not in (0.0, self.rules.low)
        ):
            self.open.setdefault("stuck", at)
        return "stuck" not in self.open

    def _limits(self, at: int, value: float) -> None:
        for number, (limit, sign, hysteresis, consecutive) in enumerate(self.rules.limits):
            name = f"limit {number}"
            beyond = sign * (value - limit)
            speaks = beyond < -hysteresis * abs(limit) if name in self.open else beyond > 0
            if self._count(name, speaks, consecutive):
                self._turn(name, at)

    def _longest(self) -> int:
        return int(max(24 * self.rules.interval, 3 * 3_600))

    def _learned(self, at: int, value: float) -> None:
        x: dict[Hashable, float] = {"at": at}
        tail, record = self.score.rarities(x, value)
        rarity = max(tail, record)
        self.unsure = self.unsure or any(
            abs(one - edge) < 1e-6 for one, edge in ((rarity, 3.0), (record, 3.2), (rarity, 6.0))
        )
        self.score.learn_one(x, value)
        mute = at < self.mute_until
        if "learned" not in self.open:
            strong = self._count("learned", rarity >= 6.0 and not (mute and self.is_strong), 2)
            if strong or (record >= 3.2 and not mute):
                self.open["learned"] = at
                self.seen_since_open, self.is_strong = 0, strong
                self.was_rare = rarity >= 6.0
                self.runs["learned"] = 0
            return
        self.seen_since_open += 1
        self.is_strong = self.is_strong or (self.was_rare and rarity >= 6.0)
        self.was_rare = rarity >= 6.0
        over = self._count("learned", rarity < 3.0, 3)
        lasted = at - self.open["learned"] >= self._longest() and self.seen_since_open >= 24
        if lasted and self.is_strong:
            self.rebase(at, value)
        if over or lasted:
            self.runs["learned"] = 0
            del self.open["learned"]
            self.mute_until = at + self._longest()

    def rebase(self, at: int, value: float) -> None:
        """Take a value for normal."""
        self.score.rebase(at, value)
