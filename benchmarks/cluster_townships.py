"""Made-up townships in which a cluster breaks out, or none: counts per cell and day, and what was learned to expect.

A township is a square of 8 × 8 cells, as a county of 1,000 cells and 16 townships has them. Counts are Poisson. A cluster
is nine connected cells with 0.3 more cases per cell and day, over seven days.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
SIDE = 8
CELLS = SIDE * SIDE
SIZE, MORE, DAYS = 9, 0.3, 7
"""Cells of a cluster, what each has more per day, and the days in which it is to be found."""
HISTORY = 180
"""Days before, from which the usual is learned."""
GUARD = 7
"""Days before today that teach nothing yet, so that an outbreak does not teach itself to be usual."""
KEPT = 1.0 - 1.0 / 180.0
"""What a day's weight keeps per day."""
WEEK = np.array([1.1, 1.1, 1.1, 1.1, 1.1, 0.75, 0.75])
"""What weekdays and weekends have of an ordinary day in an uneven township."""
UNEVEN = 4.0
"""Shape of the gamma distribution of cells' rates in an uneven township: they vary by a half."""


@dataclass(frozen=True)
class World:
    """How townships are made: cases per cell and day, and whether cells and days of the week differ."""

    rate: float
    uneven: bool = False

    def rates(self, townships: int, days: int, chance: np.random.Generator) -> Floats:
        """Draw the true rates by township, day and cell."""
        cells = np.full((townships, 1, CELLS), self.rate)
        week = np.ones(days)
        if self.uneven:
            cells = cells * chance.gamma(UNEVEN, 1.0 / UNEVEN, cells.shape)
            week = WEEK[np.arange(days) % 7]
        return cells * week[:, None]


@dataclass(frozen=True)
class Runs:
    """Days to be judged, by township and day and cell: counts, and the mean and shape learned for them beforehand.

    `clusters` marks each township's nine cells; the cluster's first day is `first`. Without one all is False.
    """

    counts: Ints
    means: Floats
    shapes: Floats
    clusters: NDArray[np.bool_]
    first: int = DAYS


def quiet(world: World, townships: int, days: int, chance: np.random.Generator) -> Runs:
    """Make townships without a cluster: `days` to be judged behind the history and the days that fill the windows."""
    total = HISTORY + DAYS + days
    counts = chance.poisson(world.rates(townships, total, chance))
    return _learned(counts, np.zeros((townships, CELLS), bool))


def struck(world: World, family: str, townships: int, chance: np.random.Generator) -> Runs:
    """Make townships in each of which one cluster of a family breaks out after the days that fill the windows."""
    counts = chance.poisson(world.rates(townships, HISTORY + 2 * DAYS, chance))
    clusters = np.zeros((townships, CELLS), bool)
    for marks in clusters:
        marks[FAMILIES[family](chance)] = True
    counts[:, -DAYS:] += chance.poisson(MORE, (townships, DAYS, CELLS)) * clusters[:, None]
    return _learned(counts, clusters)


def _learned(counts: Ints, clusters: NDArray[np.bool_]) -> Runs:
    """Learn rates day by day from what lies before the guard: gamma beliefs of cells around the township's, by weekday."""
    townships, days, cells = counts.shape
    means, shapes = np.zeros((2, townships, days, cells))
    seen, weight = np.zeros((townships, cells)), 0.0
    by_day, days_of = np.full((townships, 7), 20.0), np.full((townships, 7), 20.0)
    for day in range(GUARD, days):
        past = counts[:, day - GUARD]
        usual = np.maximum(seen.mean(axis=1) / max(weight, 1.0), 1e-3)
        if day > 2 * GUARD:
            by_day[:, (day - GUARD) % 7] += past.sum(axis=1) / (usual * cells)
            days_of[:, (day - GUARD) % 7] += 1.0
        seen, weight = KEPT * seen + past, KEPT * weight + 1.0
        level = np.maximum(seen.mean(axis=1, keepdims=True), 0.1) / weight
        variance = np.maximum(seen.var(axis=1, keepdims=True) / weight**2 - level / weight, 1e-3 * level**2)
        prior = np.minimum(level**2 / variance, 100.0)  # how alike cells are, by their spread beyond chance
        shapes[:, day] = prior + seen
        means[:, day] = shapes[:, day] / (prior / level + weight) * (by_day / days_of)[:, [day % 7]]
    judged = slice(HISTORY, None)
    return Runs(counts[:, judged], means[:, judged], shapes[:, judged], clusters)


def grown(chance: np.random.Generator) -> list[int]:
    """Grow nine cells by a random neighbour at a time."""
    cells = [int(chance.integers(CELLS))]
    while len(cells) < SIZE:
        rim = sorted({near for cell in cells for near in sides(cell)} - set(cells))
        cells.append(int(chance.choice(rim)))
    return cells


def snake(chance: np.random.Generator) -> list[int]:
    """Walk nine cells, none twice: along a road or a brook."""
    while True:
        cells = [int(chance.integers(CELLS))]
        while len(cells) < SIZE:
            ways = [near for near in sides(cells[-1]) if near not in cells]
            if not ways:
                break
            cells.append(int(chance.choice(ways)))
        else:
            return cells


def block(chance: np.random.Generator) -> list[int]:
    """Take a square of three by three."""
    row, column = chance.integers(0, SIDE - 2, 2).tolist()
    return [(row + down) * SIDE + column + right for down in range(3) for right in range(3)]


def sides(cell: int) -> list[int]:
    """List the cells that share a side with one."""
    row, column = divmod(cell, SIDE)
    around = [(row, column + 1), (row + 1, column), (row, column - 1), (row - 1, column)]
    return [y * SIDE + x for y, x in around if 0 <= y < SIDE and 0 <= x < SIDE]


FAMILIES = {"random growth": grown, "snake": snake, "block": block}
