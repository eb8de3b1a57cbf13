"""How our score of readings does on the Numenta Anomaly Benchmark (NAB), beside stock River and NAB's own baselines.

Run `python -m benchmarks.nab [--data FOLDER] [--json] [--quick]`. The files are not part of this repository: FOLDER holds
them as NAB does, `data/` and `labels/combined_windows.json`; those that are there are scored. Exit status 2: they are not.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks import nab_peers as peers
from benchmarks.nab_files import File, read_files
from benchmarks.nab_score import Floats, best_threshold, standard, worth
from benchmarks.results import Cell, Table, arguments, publish, results_of
from detectors.series.alone import ALARM, OneSeries
from domain.errors import FenghuoError

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Sheet

DATA = Path(__file__).parents[2] / "shared" / "data" / "nab-dev"
OURS = "Fenghuo"
METHODS: dict[str, Callable[[File], Floats]] = {
    OURS: lambda file: np.nan_to_num(OneSeries().judge(file.observed, file.values)[0]),
    "NAB windowedGaussian": peers.windowed_gaussian,
    "River HalfSpaceTrees": peers.half_space_trees,
    "River GaussianScorer": peers.gaussian_scorer,
    "River ADWIN": peers.adwin,
    "null": peers.null,
}
SLOW = "River HalfSpaceTrees"
NOTES = (
    (
        "Best threshold: the one for all files that scores best, as NAB's own optimiser chooses it, so it has seen the "
        "labels. Others' threshold: each category at the best threshold of all other categories."
    ),
    (
        "Ours by its alarms is the column `alarm` of `fenghuo score --domain environment`, at the stream's own threshold "
        "and defaults."
    ),
    (
        "What the score is made of, and its constants, were chosen on 31 of the 58 files among some 1,500 variants; "
        "docs/benchmarks/nab.md tells how. On files that nobody looked at, expect about 70."
    ),
)


def main() -> None:
    """Measure, print and keep."""
    parser = arguments(
        "Anomalies of the Numenta Anomaly Benchmark found, beside stock River and NAB's baselines."
    )
    parser.add_argument(
        "--data", type=Path, default=DATA, help="folder with NAB's data and labels (default: %(default)s)"
    )
    given = parser.parse_args()
    try:
        files = read_files(given.data)
    except FenghuoError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    scored = {
        name: [method(file) for file in files]
        for name, method in METHODS.items()
        if not (given.quick and name == SLOW)
    }
    summary, parts = _summary(files, scored), _parts(files, scored[OURS])
    setup: dict[str, Cell] = {
        "files": len(files),
        "windows": sum(file.marked.windows for file in files),
        "rows": sum(len(file.values) for file in files),
    }
    publish(
        results_of(
            "nab", "Numenta Anomaly Benchmark", [summary, parts], notes=NOTES, setup=setup, quick=given.quick
        ),
        lambda sheet: _draw(sheet, summary),
        as_json=given.as_json,
    )


def score_at(files: Sequence[File], scores: Sequence[Floats], threshold: float) -> float:
    """Tell NAB's standard score of files together at one threshold."""
    total = sum(worth(file.marked, own >= threshold) for file, own in zip(files, scores, strict=True))
    return standard(total, sum(file.marked.windows for file in files))


def by_others(files: Sequence[File], scores: Sequence[Floats]) -> float:
    """Tell the score when each category is judged at the threshold that is best for all others."""
    pairs = list(zip(files, scores, strict=True))
    total = 0.0
    for category in sorted({file.category for file in files}):
        others = [(file.marked, own) for file, own in pairs if file.category != category]
        threshold = best_threshold(*zip(*others, strict=True)) if others else np.inf
        total += sum(worth(file.marked, own >= threshold) for file, own in pairs if file.category == category)
    return standard(total, sum(file.marked.windows for file in files))


def _found(files: Sequence[File], scores: Sequence[Floats], threshold: float) -> tuple[int, int]:
    """Count the windows with an alarm, and the alarms outside."""
    found = false = 0
    for file, own in zip(files, scores, strict=True):
        alarms = (own >= threshold) & (np.arange(len(own)) >= file.marked.probation)
        found += len(np.unique(file.marked.window[alarms & (file.marked.window >= 0)]))
        false += int((alarms & (file.marked.window < 0)).sum())
    return found, false


def _summary(files: Sequence[File], scored: dict[str, list[Floats]]) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (
            f"{OURS}, by its alarms",
            score_at(files, scored[OURS], ALARM),
            None,
            *_found(files, scored[OURS], ALARM),
        )
    ]
    for name, scores in scored.items():
        threshold = best_threshold([file.marked for file in files], scores)
        rows.append(
            (
                name,
                score_at(files, scores, threshold),
                by_others(files, scores),
                *_found(files, scores, threshold),
            )
        )
    return Table(
        caption="NAB standard score: 0 is no alarm at all, 100 all windows found at once",
        columns=("method", "best threshold", "others' threshold", "windows found", "false alarms"),
        rows=tuple(rows),
    )


def _parts(files: Sequence[File], scores: Sequence[Floats]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for category in sorted({file.category for file in files}):
        pairs = [(file, own) for file, own in zip(files, scores, strict=True) if file.category == category]
        chosen, own = [file for file, _ in pairs], [one for _, one in pairs]
        windows = sum(file.marked.windows for file in chosen)
        rows.append(
            (
                category,
                len(chosen),
                windows,
                score_at(chosen, own, ALARM) if windows else None,
                *_found(chosen, own, ALARM),
            )
        )
    return Table(
        caption=f"{OURS} by its alarms, by category",
        columns=("category", "files", "windows", "standard score", "windows found", "false alarms"),
        rows=tuple(rows),
    )


def _draw(sheet: "Sheet", summary: Table) -> None:
    axes = sheet.add_subplot()
    names = [str(row[0]) for row in summary.rows][::-1]
    axes.barh(names, [float(row[1] or 0.0) for row in summary.rows][::-1], color="#4c72b0")
    axes.set_xlim(0, 100)
    axes.set_xlabel("NAB standard score at the best threshold for all files")


if __name__ == "__main__":
    main()
