"""Speed of the detectors' bank alone: batches of 500 readings over 20,000 series, one core, in the order of time.

Run `python -m benchmarks.bank`; prints one JSON object.
"""

import json
import time

import numpy as np

from detectors.series.bank import Bank, specification
from detectors.series.state import SERIES, SPEC

SERIES_COUNT, BATCH, ROUNDS = 20_000, 500, 100


def main() -> None:
    """Measure after a first warm round, roll-ups taken every 10 rounds as at a checkpoint."""
    bank = Bank()
    limits = [(9.0, "above", 0.05, 2), (12.0, "above", 0.05, 2)]
    spec = specification(interval_seconds=60, low=-50, high=50, max_rate=5, limits=limits)
    for _ in range(SERIES_COUNT):
        bank.add(spec)
    values = np.random.default_rng(1).normal(7.0, 0.2, (7, SERIES_COUNT))
    slots = np.arange(SERIES_COUNT, dtype=np.int32)
    good = np.zeros(BATCH, np.uint8)
    spent = found = 0.0
    for number in range(ROUNDS):
        at = 1_700_000_000_000_000 + number * 60_000_000
        observed = np.full(BATCH, at, np.int64)
        begun = time.process_time()
        for first in range(0, SERIES_COUNT, BATCH):
            part = slice(first, first + BATCH)
            outcome = bank.update(slots[part], observed, values[number % 7, part], good, at)
            found += len(outcome.transitions)
        spent += time.process_time() - begun if number else 0.0
        if number % 10 == 9:
            bank.take_rollups()
    readings = (ROUNDS - 1) * SERIES_COUNT
    print(
        json.dumps(
            {
                "readings_per_second": round(readings / spent),
                "series": SERIES_COUNT,
                "batch": BATCH,
                "findings": int(found),
                "state_bytes_per_series": SERIES.itemsize,
                "specification_bytes_per_series": SPEC.itemsize,
            }
        )
    )


if __name__ == "__main__":
    main()
