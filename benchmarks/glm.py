"""Speed and size of the dynamic model of counts: a bank of cells × syndromes, one core.

Run `python -m benchmarks.glm [--json] [--quick]`. Each period all cells are forecast and learned; the plain reference is
measured beside it.
"""

import time
from datetime import UTC, datetime, timedelta

import numpy as np

from benchmarks.results import Cell, Table, arguments, publish, results_of
from detectors.counts.design import Period
from detectors.counts.glm import CountGLM
from detectors.counts.glm_bank import BLOCK, GLMBank

CELLS, SYNDROMES, SHARE = 500, 20, 1 / 10
START = datetime(2024, 1, 1, 4, tzinfo=UTC)
PERIODS: dict[Period, timedelta] = {
    "week": timedelta(weeks=1),
    "day": timedelta(days=1),
    "2h": timedelta(hours=2),
    "hour": timedelta(hours=1),
}
UPDATE = (
    "An update takes up the forecast of the series and of the zone above it, and learns the count; time is that of the "
    "process. The goal is 200,000 a second."
)
ROUNDS, QUICK_ROUNDS, SINGLE = 40, 5, 300


def main() -> None:
    """Measure each period's model after a warm round."""
    given = arguments("Speed of the dynamic model of counts.").parse_args()
    rounds = QUICK_ROUNDS if given.quick else ROUNDS
    rows = tuple(_row(period, step, rounds) for period, step in PERIODS.items())
    columns = ("period", "updates/s", "expectations/s", "bytes per series", "updates/s, plain Python")
    results = results_of(
        "glm",
        "Speed of the dynamic model of counts",
        [Table(caption="One core", columns=columns, rows=rows)],
        notes=(UPDATE,),
        setup={"series": CELLS * SYNDROMES, "rounds": rounds},
        quick=given.quick,
    )
    publish(results, as_json=given.as_json)


def _row(period: Period, step: timedelta, rounds: int) -> tuple[Cell, ...]:
    bank, generator = GLMBank(period), np.random.default_rng(1)
    slots = []
    for _ in range(SYNDROMES):
        zone = bank.add()
        slots += [zone, *(bank.add(parent=zone, share=SHARE) for _ in range(CELLS - 1))]
    given = np.array(slots)
    learned = expected = 0.0
    for number in range(rounds + 1):
        counts = generator.poisson(2.0, len(given)).astype(np.float64)
        at = START + number * step
        begun = time.process_time()
        bank.expect(given, at)
        half = time.process_time()
        bank.learn(given, at, counts)
        if number:
            expected += half - begun
            learned += time.process_time() - half
    size = len(next(iter(bank.dump().values()))) / BLOCK
    model = CountGLM(period)
    begun = time.process_time()
    for number in range(SINGLE):
        model.learn_one({"at": START + number * step}, 2)
    plain = SINGLE / (time.process_time() - begun)
    done = rounds * len(given)
    return period, round(done / learned), round(done / expected), round(size), round(plain)


if __name__ == "__main__":
    main()
