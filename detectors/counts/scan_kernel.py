"""The scan's likelihood ratios, compiled: what `detectors/counts/scan.py` keeps for each stream, zone and window.

For a zone and window the counts of which are expected to be negative binomial with mean B and shape k (Poisson for a
large k), the alternative is the mean B + m with m = s √(B + B²/k) + s²/4: the increase that lies at the edge of what can
be told from chance, s standard deviations on the square root scale. An alternative at the edge makes the ratio the most
powerful near the threshold, whatever the rate (Johnson, Uniformly most powerful Bayesian tests, Ann. Statist. 41, 2013).
The logarithm of the ratio is then linear in the count, and an event costs a multiplication and an exponential.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.compiled import compiled

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
EDGE = 3.0
"""The increase that is looked for, in standard deviations on the square root scale."""
LARGEST_SHAPE = 1e7
MOST_LOG = 600.0
"""Of evidence, over all streams: what a double's exponential still holds."""


class Ratios(NamedTuple):
    """What is known of each zone and window: by stream the count, an event's gain and the cost; and the averaged ratio."""

    observed: Ints
    gains: Floats
    costs: Floats
    terms: Floats

    @classmethod
    def of(cls, zones: int, windows: int, streams: int) -> "Ratios":
        """Make room for so many, of which nothing is known yet."""
        by_stream = (zones, windows, streams)
        return cls(
            np.zeros(by_stream, np.int64),
            np.zeros(by_stream),
            np.full(by_stream, np.inf),
            np.zeros((zones, windows)),
        )


@compiled
def term_of(zone: int, window: int, observed: Ints, gains: Floats, costs: Floats, least: int) -> float:
    """Average a zone's and window's ratio over all sets of streams that may be raised.

    So do Neill and Cooper (A multivariate Bayesian scan statistic, Machine Learning 79, 2010). A cost that is infinite
    marks a stream of which too little is known. Fewer than `least` events over the streams are no cluster, and never more
    than chance.
    """
    streams = observed.shape[2]
    product, total, sets, limit = 1.0, 0, 1.0, MOST_LOG / streams
    for stream in range(streams):
        seen, cost = observed[zone, window, stream], costs[zone, window, stream]
        if cost < math.inf:
            total += seen
            product *= 1.0 + math.exp(min(seen * gains[zone, window, stream] - cost, limit))
            sets *= 2.0
    if sets == 1.0:
        return 0.0
    term = (product - 1.0) / (sets - 1.0)
    return min(term, 1.0) if total < least else term


@compiled
def count_event(
    cell: int,
    stream: int,
    age: int,
    number: int,
    least: int,
    windows: Ints,
    holder_starts: Ints,
    holders: Ints,
    observed: Ints,
    gains: Floats,
    costs: Floats,
    terms: Floats,
) -> None:
    """Count events of a cell that are `age` periods old in all zones and windows that hold them.

    `observed`, `gains` and `costs` are by zone, window and stream, `terms` by zone and window.
    """
    for place in range(holder_starts[cell], holder_starts[cell + 1]):
        zone = holders[place]
        for window in range(len(windows)):
            if windows[window] > age:
                observed[zone, window, stream] += number
                terms[zone, window] = term_of(zone, window, observed, gains, costs, least)


@compiled
def weigh(
    end: int,
    least: int,
    windows: Ints,
    starts: Ints,
    members: Ints,
    counts: Ints,
    means: Floats,
    spreads: Floats,
    observed: Ints,
    gains: Floats,
    costs: Floats,
    terms: Floats,
) -> None:
    """Work out all zones and windows that end with column `end` of the cells' arrays (stream, cell, period).

    `means` are NaN where nothing is expected yet. `spreads` are mean / √shape: within a cell the periods' rates are taken
    to err together, as they do where the level is what is not known, and between cells apart.
    """
    streams, cells = counts.shape[0], counts.shape[1]
    sums = np.zeros((cells, 3))
    for stream in range(streams):
        for window in range(len(windows)):
            for cell in range(cells):
                seen, mean, spread = 0, 0.0, 0.0
                for column in range(end - windows[window] + 1, end + 1):
                    seen += counts[stream, cell, column]
                    mean += means[stream, cell, column]
                    spread += spreads[stream, cell, column]
                sums[cell, 0], sums[cell, 1], sums[cell, 2] = seen, mean, spread * spread
            for zone in range(len(starts) - 1):
                seen, mean, excess = 0, 0.0, 0.0
                for place in range(starts[zone], starts[zone + 1]):
                    seen += int(sums[members[place], 0])
                    mean += sums[members[place], 1]
                    excess += sums[members[place], 2]
                observed[zone, window, stream] = seen
                gains[zone, window, stream], costs[zone, window, stream] = weights(mean, excess)
    for zone in range(len(starts) - 1):
        for window in range(len(windows)):
            terms[zone, window] = term_of(zone, window, observed, gains, costs, least)


@compiled
def weights(mean: float, excess: float) -> tuple[float, float]:
    """Tell what an event adds to the log-likelihood ratio, and what no event would leave: its gain and its cost.

    `excess` is the variance beyond the Poisson's, mean² / shape. A mean that is NaN has an infinite cost.
    """
    if not mean > 0.0:
        return 0.0, math.inf
    shape = min(mean * mean / excess, LARGEST_SHAPE) if excess > 0.0 else LARGEST_SHAPE
    more = EDGE * math.sqrt(mean + excess) + 0.25 * EDGE * EDGE
    dispersed = math.log1p(more / (mean + shape))
    return math.log1p(more / mean) - dispersed, shape * dispersed


@compiled
def total_of(first: int, last: int, terms: Floats) -> float:
    """Add up the ratios of zones `first` to `last` − 1 in their order, so that the same ratios have the same sum."""
    total = 0.0
    for zone in range(first, last):
        for window in range(terms.shape[1]):
            total += terms[zone, window]
    return total
