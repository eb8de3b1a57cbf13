"""How long water takes from one station of a river to the next: a range of velocities, narrowed by what was seen to pass."""

import math

from msgspec import Struct

from config.rivers import River

WORTH = 4.0
"""The configured range counts as much as so many floods or spills that were seen to pass."""
SPREADS = 2.0
"""So many standard deviations to each side; the configured range is taken for as many."""


class Travel(Struct, array_like=True):
    """What was learned of a river's velocity: count, mean and sum of squares (Welford) of its natural logarithm, m/s."""

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0

    def learn(self, metres: float, seconds: float, river: River) -> None:
        """Take in one passage; a velocity outside the river's range counts as its end, detection is that blurred."""
        if metres <= 0 or not math.isfinite(metres) or not math.isfinite(seconds):
            return
        velocity = metres / max(seconds, metres / river.fastest)
        value = math.log(max(velocity, river.slowest))
        self.count += 1
        step = value - self.mean
        self.mean += step / self.count
        self.squares += step * (value - self.mean)

    def range(self, river: River) -> tuple[float, float]:
        """Tell the slowest and the fastest velocity to expect (m/s), always within the river's range.

        The predictive distribution of a normal with unknown mean and variance under its conjugate prior (Gelman et al.,
        Bayesian Data Analysis, 3rd ed., 3.3), taken as normal: with nothing seen it is the configured range.
        """
        low, high = math.log(river.slowest), math.log(river.fastest)
        middle, spread = (low + high) / 2, (high - low) / (2 * SPREADS)
        weight = WORTH + self.count
        mean = (WORTH * middle + self.count * self.mean) / weight
        apart = WORTH * self.count / weight * (self.mean - middle) ** 2
        variance = (WORTH * spread**2 + self.squares + apart) / weight
        reach = SPREADS * math.sqrt(variance * (1 + 1 / weight))
        return math.exp(max(low, min(mean, high) - reach)), math.exp(min(high, max(mean, low) + reach))
