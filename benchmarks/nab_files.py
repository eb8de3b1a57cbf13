"""The files of the Numenta Anomaly Benchmark, as `benchmarks/nab.py` finds them in a folder: `data/` and `labels/`."""

import csv
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.nab_score import Floats, Marked, mark
from domain.errors import FenghuoError
from fenghuo.scoring import SHANGHAI
from streams.packing import micros

LABELS = Path("labels") / "combined_windows.json"


@dataclass(frozen=True)
class File:
    """One series (times in µs since 1970 UTC, taken for China's as `fenghuo score` does) with its marked rows."""

    name: str
    observed: NDArray[np.int64]
    values: Floats
    marked: Marked

    @property
    def category(self) -> str:
        """Name the folder that the benchmark keeps the file in."""
        return self.name.partition("/")[0]


def read_files(folder: Path) -> list[File]:
    """Read the labelled files that are there; FenghuoError when the labels or all files are missing, or one is broken."""
    path = folder / LABELS
    try:
        labels: dict[str, list[list[str]]] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FenghuoError(
            f"{folder} holds no labelled files of the Numenta Anomaly Benchmark ({LABELS} cannot be read: {error});"
            " name a folder that does with --data"
        ) from error
    present = [name for name in sorted(labels) if (folder / "data" / name).is_file()]
    if not present:
        raise FenghuoError(f"{folder / 'data'} holds none of the {len(labels)} files that {LABELS} names")
    return [_read(folder / "data" / name, name, labels[name]) for name in present]


def _read(path: Path, name: str, windows: list[list[str]]) -> File:
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            rows = [
                (datetime.fromisoformat(row["timestamp"]), float(row["value"]))
                for row in csv.DictReader(lines)
            ]
        first = {at: number for number, (at, _) in reversed(list(enumerate(rows)))}
        edges = [
            (first[datetime.fromisoformat(begin)], first[datetime.fromisoformat(end)])
            for begin, end in windows
        ]
        return File(
            name,
            np.array([micros(at.replace(tzinfo=SHANGHAI)) for at, _ in rows], np.int64),
            np.array([value for _, value in rows], np.float64),
            mark(len(rows), edges),
        )
    except (KeyError, ValueError) as error:
        raise FenghuoError(
            f"{path} is no file of the benchmark, or its windows are not its own: {error!r}"
        ) from error
