"""The learned score of one series: how far a value lies from what is expected, and whether it is a record of its kind.

Expected is a profile of the hour of day, a weekend's distance from it, and a level: the exponentially weighted mean of what
is left. Two things are told, as the rarity −log10 p:

* The tail. An innovation (value less expected) is scaled by its own spread; beyond TAIL spreads p falls exponentially, as
  fast as the sensor's own excursions were wont to.
* Records. Of n values that come in any order the newest is the greatest with probability 1/n, whatever their distribution
  (Rényi 1962, "Théorie des éléments saillants d'une suite d'observations"); one that goes far beyond is rarer still.
  Records are kept of three numbers: what the profile leaves of the value, a slow mean of the value, and the level. A record
  is learned at once, so a new level or a drift is told and then known; within a year half of it is forgotten.

What is learned from is clipped, so that one outlier does not make the next one look usual. Which numbers have their records
kept, and the constants, were found on labelled series: `docs/benchmarks/nab.md` says how.
`detectors/series/innovation.py` says the same in plain Python; a test holds both together.
"""

import math

import numpy as np

from detectors.compiled import compiled
from detectors.series.state import KNOTS, Record

HOUR = 3_600_000_000
DAY = 24 * HOUR
LOCAL = 8 * HOUR
"""China's clocks before UTC: its weekends."""
HUGE = 1e15
"""Values beyond are taken for this: four bytes hold no square of more."""
WARM = 64
"""Readings before anything is scored; they set no records either: a sensor's first values are often no measurements."""
RECORD_DAYS = 2
"""Days of readings, at the series' interval, before records are told: the profile needs them."""
TAIL = 2.5
"""Spreads at which the tail begins."""
TAIL_RATE, TAIL_EXCESS = 0.02, 0.35
"""Share of innovations beyond TAIL, more than a Gaussian has; no record is believed to be lighter than this excess."""
EXCESS_GAIN, MOST_EXCESS = 0.05, 8.0
"""The record of about twenty excursions; one of them teaches no more than MOST_EXCESS spreads."""
SPREAD_SHARE = 0.02
"""Share of a record's span that a spread has at least: a series that mostly rests is not surprised by its own ways."""
STEPS = 4_096
"""Steps of a spread in which excesses are kept."""
CLIP = 4.0
"""Spreads beyond which an innovation is not learned from."""
RARITY_CAP = 12.0
"""No record is long enough to speak of less than 1 in 10^12."""
RECORD_CAP = 5.9
"""A record alone is worth a look, not more."""
RECORD_KINDS = 6
"""Records that a reading can break: the least and the greatest of three numbers."""
RECORD_MARGIN, RECORD_POWER = 0.03, 3.0
"""Beyond this share of the span between the least and the greatest, a record's p falls by this power."""
RECORD_MEMORY = 365 * DAY
"""Half of a record's span is forgotten in this time."""
FIRST_VALUES = 4
"""Values each of which begins anew: what a sensor says first is often nothing that it measured."""
WEEKEND_MEMORY = 5 * DAY
"""What the weekend's distance is learned from; of it, every week has two."""
FORGET_EVERY = 64
"""Readings from one forgetting to the next: less at a time would be lost in four bytes."""
LEAST_SPAN = 10.0
"""Floors of a spread that a span has at least: what never moved is allowed to begin."""
WEEKEND_SHARE = 0.4
"""What a working day teaches about weekends, the other way round: there are five of them for two."""


@compiled
def bounded(value: float, low: float, high: float) -> float:
    """Keep a value between two bounds."""
    return min(max(value, low), high)


@compiled
def steps_of(excess: float) -> int:
    """Count the steps of an excess (spreads) that is not negative."""
    return int(excess * STEPS + 0.5)


@compiled
def floor_of(season: float) -> float:
    """Tell the least spread that is believed: a constant sensor's first flicker is no event."""
    return max(1e-6, 1e-3 * abs(season))


@compiled
def is_weekend(time: int) -> bool:
    """Say whether it is Saturday or Sunday in China."""
    return ((time + LOCAL) // DAY + 3) % 7 >= 5


@compiled
def season_at(fold: Record, time: int) -> float:
    """Read the profile at a time (µs)."""
    position = (time % DAY) / (DAY / KNOTS)
    knot = int(position)
    weight = position - knot
    season: float = fold.profile[knot] * (1.0 - weight) + fold.profile[(knot + 1) % KNOTS] * weight
    return season + fold.weekend if is_weekend(time) else season


@compiled
def sigma_of(fold: Record, floor: float) -> float:
    """Tell the spread of innovations, as it is believed."""
    span = np.float64(fold.high) - np.float64(fold.low)
    return max(math.sqrt(np.float64(fold.spread)), floor, SPREAD_SHARE * span)


@compiled
def slow_gain(interval: float, count: int) -> float:
    """Tell the share of a reading in the slow mean."""
    return max(bounded(interval / 6_000e6, 0.01, 0.05), 1.0 / (count + 1.0))


@compiled
def level_gain(interval: float) -> float:
    """Tell the share of an innovation in the level."""
    return bounded(interval / 600e6, 0.02, 0.125)


@compiled
def beyond(low: float, high: float, number: float, least: float) -> float:
    """Tell by how many spans a number lies outside its record; 0 between the least and the greatest."""
    return max(number - high, low - number, 0.0) / max(high - low, least)


@compiled
def record_rarity(excess: float, interval: float, count: int) -> float:
    """Tell −log10 of the p-value of a record after a number of readings; 0 for what is none."""
    if excess == 0.0:
        return 0.0
    known = min(count, RECORD_MEMORY / interval)
    return max(
        math.log10((known + 1.0) / RECORD_KINDS) + RECORD_POWER * math.log10(excess / RECORD_MARGIN), 0.0
    )


@compiled
def are_records_told(interval: float, count: int) -> bool:
    """Say whether a series is known long enough for its records to mean something."""
    return count >= WARM and count * interval >= RECORD_DAYS * DAY


@compiled
def record_after(low: float, high: float, number: float, interval: float, count: int) -> tuple[float, float]:
    """Tell the record, the least and the greatest, after one more number."""
    if count < WARM:
        return number, number
    if count % FORGET_EVERY == 0:
        forgotten = math.log(2.0) * FORGET_EVERY * interval / RECORD_MEMORY
        share = 0.5 * min(forgotten, 0.5) * (high - low)
        low, high = low + share, high - share
    return min(low, number), max(high, number)


@compiled
def score(fold: Record, interval: float, time: int, value: float) -> tuple[float, float, float]:
    """Tell the rarity (−log10 p) of a value by the tail, by records, and the value expected; nothing is learned."""
    if fold.learned == 0:
        return 0.0, 0.0, value
    value = bounded(value, -HUGE, HUGE)
    season = season_at(fold, time)
    expected = season + fold.level
    count = int(np.int64(fold.learned))
    if count < WARM:
        return 0.0, 0.0, expected
    floor = floor_of(season)
    innovation = value - expected
    sigma = sigma_of(fold, floor)
    far = abs(innovation) / sigma
    tail = record = 0.0
    if far > TAIL:
        excess = fold.tail_excess / STEPS
        tail = min((far - TAIL) / excess / math.log(10.0) - math.log10(TAIL_RATE), RARITY_CAP)
    if are_records_told(interval, count):
        innovation = bounded(innovation, -CLIP * sigma, CLIP * sigma)
        most = _record(fold, interval, count, value, value - season, innovation, floor)
        record = min(record_rarity(most, interval, count), RECORD_CAP)
    return tail, record, expected


@compiled
def _record(
    fold: Record, interval: float, count: int, value: float, rest: float, innovation: float, floor: float
) -> float:
    """Tell by how many spans the record is broken that is broken most; 0 when none is."""
    least = LEAST_SPAN * floor
    slow = fold.slow + slow_gain(interval, count) * (value - fold.slow)
    level = fold.level + level_gain(interval) * innovation
    return max(
        beyond(np.float64(fold.low), np.float64(fold.high), rest, least),
        beyond(np.float64(fold.slow_low), np.float64(fold.slow_high), slow, least),
        beyond(np.float64(fold.level_low), np.float64(fold.level_high), level, least),
    )


@compiled
def _learn_tail(fold: Record, far: float) -> None:
    """Learn from an excursion when it is over, and once: a long one must not make itself look usual."""
    if far > TAIL:
        fold.excursion = max(np.int64(fold.excursion), steps_of(min(far - TAIL, MOST_EXCESS)), 1)
    elif fold.excursion > 0:
        usual = fold.tail_excess / STEPS
        usual += EXCESS_GAIN * (fold.excursion / STEPS - usual)
        fold.tail_excess = steps_of(max(usual, TAIL_EXCESS))
        fold.excursion = 0


@compiled
def _learn_records(
    fold: Record, interval: float, count: int, value: float, rest: float, innovation: float
) -> None:
    """Learn the slow mean and the level, and the records."""
    slow = fold.slow + slow_gain(interval, count) * (value - fold.slow)
    level = fold.level + level_gain(interval) * innovation
    fold.slow, fold.level = slow, level
    fold.low, fold.high = record_after(np.float64(fold.low), np.float64(fold.high), rest, interval, count)
    fold.slow_low, fold.slow_high = record_after(
        np.float64(fold.slow_low), np.float64(fold.slow_high), slow, interval, count
    )
    fold.level_low, fold.level_high = record_after(
        np.float64(fold.level_low), np.float64(fold.level_high), level, interval, count
    )


@compiled
def _begin(fold: Record, value: float) -> None:
    """Begin with one of the first values: all that was known before is forgotten."""
    for knot in range(KNOTS):
        fold.profile[knot] = value
    fold.slow = value
    fold.level = fold.spread = fold.weekend = 0.0
    fold.tail_excess, fold.excursion = steps_of(TAIL_EXCESS), 0
    fold.learned += 1


@compiled
def learn(fold: Record, interval: float, time: int, value: float) -> None:
    """Learn from a value, clipped to what the record makes believable."""
    value = bounded(value, -HUGE, HUGE)
    if fold.learned < FIRST_VALUES:
        _begin(fold, value)
        return
    season = season_at(fold, time)
    rest = value - season
    innovation = rest - fold.level
    floor = floor_of(season)
    sigma = sigma_of(fold, floor)
    count = int(np.int64(fold.learned))
    if count >= WARM:
        _learn_tail(fold, abs(innovation) / sigma)
        innovation = bounded(innovation, -CLIP * sigma, CLIP * sigma)
    spread_gain = max(bounded(interval / (6.0 * HOUR), 0.002, 0.01), 1.0 / (count + 1.0))
    fold.spread += spread_gain * (innovation * innovation - fold.spread)
    _learn_records(fold, interval, count, value, rest, innovation)
    reach = CLIP * sigma + abs(np.float64(fold.level)) if count >= WARM else 2.0 * HUGE
    taught = bounded(rest, -reach, reach)
    if count * interval >= 7.0 * DAY:
        share = 1.0 if is_weekend(time) else -WEEKEND_SHARE
        fold.weekend += share * bounded(interval / WEEKEND_MEMORY, 1e-6, 0.02) * taught
    fold.learned = min(count + 1, 4_000_000_000)
    gain = max(bounded(interval * KNOTS / (14.0 * DAY), 1e-5, 0.1), 1.0 / (1.0 + count / KNOTS))
    position = (time % DAY) / (DAY / KNOTS)
    knot = int(position)
    weight = position - knot
    fold.profile[knot] += (1.0 - weight) * gain * taught
    fold.profile[(knot + 1) % KNOTS] += weight * gain * taught


@compiled
def rebase(fold: Record, time: int, value: float) -> None:
    """Take a value for normal: move the profile and the slow mean there, and forget how it came to it."""
    value = bounded(value, -HUGE, HUGE)
    shift = value - season_at(fold, time)
    for knot in range(KNOTS):
        fold.profile[knot] += shift
    fold.level = 0.0
    fold.excursion = 0
    fold.slow = value
    fold.slow_low = min(fold.slow_low, fold.slow)
    fold.slow_high = max(fold.slow_high, fold.slow)
