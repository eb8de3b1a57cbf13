"""The learned score of one series: how far a value lies from what its level and hour of day let expect.

The value less its hour-of-day profile is `d`; its exponentially weighted mean is the level, and the innovation is `d` less
the level. An innovation is scaled by its own spread, and rare is what is rare in the sensor's own record: beyond TAIL
spreads the p-value is the share of innovations that came there times an exponential in how far they went. Besides, a level
that strays from the profile counts: how far and how long, summed, against the strays that the sensor had before. That never
goes beyond STRAY_CAP: a slow drift or a festival is worth a look, not more.
What is learned from is clipped, so that one outlier does not make the next one look usual.
`detectors/series/innovation.py` says the same in plain Python; a test holds both together.
"""

import math

import numpy as np

from detectors.compiled import compiled
from detectors.series.state import KNOTS, Record

DAY = 86_400_000_000
HOUR = 3_600_000_000
WARM = 64
"""Readings before anything is scored."""
WARM_DAYS = 3
"""Days of readings, at the series' interval, before a stray level is scored: the profile needs them."""
TAIL = 2.5
"""Spreads at which the tail begins."""
TAIL_RATE, TAIL_EXCESS = 0.0124, 0.35
"""What a Gaussian has beyond TAIL; a sensor's record is never believed to be lighter than this excess."""
TAIL_GAIN, LEAST_RATE = 0.002, 1e-3
EXCESS_GAIN, MOST_EXCESS = 0.05, 8.0
"""The record of about twenty excursions; one of them teaches no more than MOST_EXCESS spreads."""
CLIP = 4.0
"""Spreads beyond which an innovation is not learned from."""
RARITY_CAP = 12.0
"""No record is long enough to speak of less than 1 in 10^12."""
STRAY_TAIL = 1.5
"""Root mean squares of the level at which a stray begins."""
STRAY_RATE, STRAY_MEAN = 0.005, 4.0
"""What is believed of strays before any was seen: their share, and their size in root mean squares times readings."""
STRAY_CAP = 6.5
LOG10_E = 1.0 / math.log(10.0)


@compiled
def bounded(value: float, low: float, high: float) -> float:
    """Keep a value between two bounds."""
    return min(max(value, low), high)


@compiled
def season_at(profile: Record, time: int) -> float:
    """Read the hour-of-day profile at a time (µs)."""
    position = (time % DAY) / (DAY / KNOTS)
    knot = int(position)
    weight = position - knot
    season: float = profile[knot] * (1.0 - weight) + profile[(knot + 1) % KNOTS] * weight
    return season


@compiled
def score(fold: Record, interval: float, time: int, value: float) -> tuple[float, int, float]:
    """Tell the rarity (−log10 p) of a value, its direction, and the value expected; nothing is learned."""
    if fold.learned == 0:
        return 0.0, 1, value
    season = season_at(fold.profile, time)
    expected = season + fold.level
    if fold.learned < WARM:
        return 0.0, 1, expected
    floor = max(1e-6, 1e-3 * abs(season))  # a constant sensor's first flicker is no event
    innovation = value - expected
    far = abs(innovation) / max(math.sqrt(fold.spread), floor)
    rarity = 0.0
    if far > TAIL:
        rarity = min((far - TAIL) / fold.tail_excess * LOG10_E - math.log10(fold.tail_rate), RARITY_CAP)
    if fold.stray > 0.0:
        slow = min(fold.stray / fold.stray_mean * LOG10_E - math.log10(fold.stray_rate), STRAY_CAP)
        if slow > rarity:
            return slow, (1 if fold.level > 0.0 else -1), season
    return rarity, (1 if innovation > 0.0 else -1), expected


@compiled
def _learn_tail(fold: Record, far: float) -> None:
    """Learn from an excursion when it is over, and once: a long one must not make itself look usual."""
    if far > TAIL:
        fold.excursion = max(fold.excursion, far)
        return
    over = fold.excursion > 0.0
    fold.tail_rate = max(fold.tail_rate + TAIL_GAIN * ((1.0 if over else 0.0) - fold.tail_rate), LEAST_RATE)
    if over:
        excess = min(fold.excursion - TAIL, MOST_EXCESS)
        fold.tail_excess = max(fold.tail_excess + EXCESS_GAIN * (excess - fold.tail_excess), TAIL_EXCESS)
        fold.excursion = 0.0


@compiled
def _learn_stray(fold: Record, far: float) -> None:
    """Learn from a stray of the level when it is over; one of them teaches no more than ten usual ones."""
    if far > STRAY_TAIL:
        fold.stray += far - STRAY_TAIL
        return
    over = fold.stray > 0.0
    fold.stray_rate = max(
        fold.stray_rate + TAIL_GAIN * ((1.0 if over else 0.0) - fold.stray_rate), LEAST_RATE
    )
    if over:
        size = min(fold.stray, 10.0 * fold.stray_mean)
        fold.stray_mean = max(fold.stray_mean + EXCESS_GAIN * (size - fold.stray_mean), STRAY_MEAN)
        fold.stray = 0.0


@compiled
def learn(fold: Record, interval: float, time: int, value: float) -> None:
    """Learn from a value, clipped to what the record makes believable."""
    if fold.learned == 0:
        for knot in range(KNOTS):
            fold.profile[knot] = value
        fold.tail_rate, fold.tail_excess = TAIL_RATE, TAIL_EXCESS
        fold.stray_rate, fold.stray_mean = STRAY_RATE, STRAY_MEAN
        fold.learned = 1
        return
    season = season_at(fold.profile, time)
    innovation = value - season - fold.level
    floor = max(1e-6, 1e-3 * abs(season))
    sigma = max(math.sqrt(fold.spread), floor)
    count = fold.learned
    if count >= WARM:
        _learn_tail(fold, abs(innovation) / sigma)
        innovation = bounded(innovation, -CLIP * sigma, CLIP * sigma)
    spread_gain = max(bounded(interval / (6.0 * HOUR), 0.002, 0.01), 1.0 / (count + 1.0))
    fold.spread += spread_gain * (innovation * innovation - fold.spread)
    fold.level += bounded(interval / 600e6, 0.02, 0.125) * innovation
    fold.wander += max(bounded(interval / (30.0 * DAY), 1e-6, 0.01), 1.0 / (count + 1.0)) * (
        fold.level * fold.level - fold.wander
    )
    if count * interval < WARM_DAYS * DAY:
        fold.wander = max(fold.wander, fold.level * fold.level)
    else:
        _learn_stray(fold, abs(fold.level) / max(math.sqrt(fold.wander), floor))
    gain = max(bounded(interval * KNOTS / (14.0 * DAY), 1e-5, 0.1), 1.0 / (1.0 + count / KNOTS))
    position = (time % DAY) / (DAY / KNOTS)
    knot = int(position)
    weight = position - knot
    rest = gain * bounded(value - season, -CLIP * sigma - abs(fold.level), CLIP * sigma + abs(fold.level))
    fold.profile[knot] += (1.0 - weight) * rest
    fold.profile[(knot + 1) % KNOTS] += weight * rest
    fold.learned = min(count + 1, np.uint32(4_000_000_000))


@compiled
def rebase(fold: Record, time: int, value: float) -> None:
    """Take a value for normal: move the profile there, and forget how it came to it."""
    shift = value - season_at(fold.profile, time)
    for knot in range(KNOTS):
        fold.profile[knot] += shift
    fold.level = 0.0
    fold.stray = 0.0
    fold.excursion = 0.0
