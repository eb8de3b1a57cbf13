"""What passes along a river: marks of one quantity, upstream first and downstream after a plausible time, as one chain."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from detectors.fusion.marks import Mark
from detectors.fusion.pooling import at_least_once, pooled
from domain.registry import Series

EARLY_READINGS, LATE_READINGS = 1.0, 2.0
"""A begin is known to so many readings of the slower station: a detector wants some in a row, and further down what comes is
diluted and seen later on its way up."""
MOST_SKIPPED = 1
"""Stations in a row that may have seen nothing between two that did: one may be broken, two speak against it."""
LINK_AT = 0.05
"""A station joins only when its mark in that window is rarer than this by itself; everything longer than a chain of two
must be worth something."""


@dataclass(frozen=True, slots=True)
class Station:
    """A series of a river as a chain needs it; `number` counts the river's places downstream, from 0."""

    series: Series
    number: int
    metres: float


@dataclass(frozen=True, slots=True)
class Seen:
    """A mark of a station."""

    station: Station
    mark: Mark


@dataclass(frozen=True, slots=True)
class Chain:
    """Marks downstream in order, and the chance that they came so by accident (per reading of the first station)."""

    seen: tuple[Seen, ...]
    p_value: float

    @property
    def begin(self) -> datetime:
        """Tell when it was first seen."""
        return self.seen[0].mark.begin

    @property
    def end(self) -> datetime:
        """Tell when it came to the station furthest downstream."""
        return self.seen[-1].mark.begin

    @property
    def rarity(self) -> float:
        """Tell −log10 of the chance."""
        return -math.log10(self.p_value)


def stations_of(series: Iterable[Series]) -> list[Station]:
    """Put the series of one river and quantity in downstream order; two at one place have one number."""
    placed = [(one.river_km, one) for one in series if one.river_km is not None]
    places = {km: number for number, km in enumerate(sorted({km for km, _ in placed}))}
    return sorted(
        (Station(one, places[km], km * 1000.0) for km, one in placed),
        key=lambda station: (station.number, station.series.id),
    )


def window(
    upper: Station, lower: Station, begin: datetime, velocities: tuple[float, float]
) -> tuple[datetime, datetime]:
    """Tell between when what an upper station saw at `begin` comes to a lower one; velocities in m/s, slowest first."""
    slowest, fastest = velocities
    metres = lower.metres - upper.metres
    return begin + timedelta(seconds=metres / fastest), begin + timedelta(seconds=metres / slowest)


def find_chains(
    seen: Sequence[Seen], velocities: tuple[float, float], places: int, least_rarity: float
) -> list[Chain]:
    """Find the chains among marks of one river, quantity and direction, the best first; no mark is in two.

    A path of greatest evidence by dynamic programming over the places downstream; its p-value is then pooled as dependent
    (`pooling.py`). The mark of each later station counts by the chance of at least one such reading anywhere in its
    window, times the stations that might have been the next one: a wide window makes a weak link. A path that is faster
    than water as a whole is none, though the blur may hide it from link to link: it is weather. Time is quadratic in the
    marks; `places` is the number of places on the river.
    """
    left = sorted(seen, key=lambda one: (one.station.number, one.mark.begin, one.mark.id))
    chains = []
    while (path := _best_path(left, velocities, places)) is not None:
        chain = Chain(tuple(one for one, _ in path), pooled([p for _, p in path]))
        if chain.rarity < least_rarity:
            break
        if _travels(chain, velocities[1]):
            chains.append(chain)
        used = {id(one) for one, _ in path}
        left = [one for one in left if id(one) not in used]
    return chains


def _travels(chain: Chain, fastest: float) -> bool:
    first, last = chain.seen[0], chain.seen[-1]
    took = last.mark.begin - first.mark.begin
    return took + EARLY_READINGS * _slower(first.station, last.station) >= timedelta(
        seconds=(last.station.metres - first.station.metres) / fastest
    )


def _slower(upper: Station, lower: Station) -> timedelta:
    return timedelta(seconds=max(upper.series.interval_seconds, lower.series.interval_seconds))


def _best_path(
    seen: Sequence[Seen], velocities: tuple[float, float], places: int
) -> list[tuple[Seen, float]] | None:
    """Find the path of at least two places with the greatest sum of −ln p; None when there is none."""
    best: list[tuple[float, int, float]] = []  # evidence, where it came from (−1: begins here), own p
    for at, one in enumerate(seen):
        own = 10.0**-one.mark.rarity
        here = (-math.log(own), -1, own)
        for before in range(at):
            p_value = _link(seen[before], one, velocities, places)
            if p_value is not None:
                here = max(
                    here, (best[before][0] - math.log(p_value), before, p_value), key=lambda way: way[0]
                )
        best.append(here)
    ends = [at for at, (_, before, _) in enumerate(best) if before >= 0]
    if not ends:
        return None
    at, path = max(ends, key=lambda end: best[end][0]), []
    while at >= 0:
        _, before, p_value = best[at]
        path.append((seen[at], p_value))
        at = before
    return path[::-1]


def _link(upper: Seen, lower: Seen, velocities: tuple[float, float], places: int) -> float | None:
    """Tell the chance that the lower station spoke by accident as the water of the upper one came; None: it did not."""
    steps = lower.station.number - upper.station.number
    if not 1 <= steps <= 1 + MOST_SKIPPED or lower.mark.begin < upper.mark.begin:
        return None
    interval = lower.station.series.interval_seconds
    reading = _slower(upper.station, lower.station)
    earliest, latest = window(upper.station, lower.station, upper.mark.begin, velocities)
    earliest = max(earliest - EARLY_READINGS * reading, upper.mark.begin)
    latest += LATE_READINGS * reading
    if not earliest <= lower.mark.begin <= latest:
        return None
    candidates = min(1 + MOST_SKIPPED, places - 1 - upper.station.number)
    looks = (latest - earliest).total_seconds() / interval * candidates
    p_value = at_least_once(10.0**-lower.mark.rarity, looks)
    return p_value if p_value <= LINK_AT else None
