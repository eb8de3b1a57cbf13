"""NAB's score and files, against figures worked out by hand."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks.nab_files import read_files
from benchmarks.nab_score import best_threshold, mark, scaled_sigmoid, standard, worth
from domain.errors import FenghuoError

ROWS = 100
FILE = mark(ROWS, [(40, 49), (80, 89)])
"""Fifteen rows of probation, two windows of ten rows."""


def alarms(*rows: int) -> np.ndarray:
    """Say at which rows there are alarms."""
    found = np.zeros(ROWS, np.bool_)
    found[list(rows)] = True
    return found


def test_the_sigmoid_is_as_published() -> None:
    """One window width before the end it is 0.9866, at the end 0, and −1 far behind."""
    assert scaled_sigmoid(-1.0) == pytest.approx(0.98661, abs=1e-5)
    assert scaled_sigmoid(0.0) == 0.0
    assert scaled_sigmoid(3.1) == -1.0


@pytest.mark.parametrize(
    ("rows", "total"),
    [
        ((), -2.0),
        ((40, 80), 2.0),
        ((40, 45, 49, 80), 2.0),
        ((45, 80), 1.0 + math.tanh(1.25) / math.tanh(2.5)),
        ((20,), -2.0 - 0.11),
        ((58,), -2.0 - 0.11 * math.tanh(2.5)),
        ((3, 14), -2.0),
        ((15,), -2.0 - 0.11),
    ],
    ids=[
        "none",
        "first rows",
        "only the earliest",
        "in the middle",
        "before all",
        "behind",
        "probation",
        "after it",
    ],
)
def test_alarms_are_worth_what_they_are_worth(rows: tuple[int, ...], total: float) -> None:
    """The earliest alarm of a window counts, those outside cost, those of the probation are nothing."""
    assert worth(FILE, alarms(*rows)) == pytest.approx(total, abs=1e-9)


def test_no_alarm_is_zero_and_perfect_is_a_hundred() -> None:
    """The scale is NAB's."""
    assert standard(worth(FILE, alarms()), 2) == 0.0
    assert standard(worth(FILE, alarms(40, 80)), 2) == pytest.approx(100.0)


def test_the_probation_is_at_most_750_rows() -> None:
    """It is 15 % of a short file."""
    assert mark(1_000, []).probation == 150
    assert mark(20_000, []).probation == 750


def test_one_threshold_is_best_for_all_files() -> None:
    """The best of all thresholds scores what alarms at it are worth, and no other does better."""
    generator = np.random.default_rng(1)
    files = [mark(400, [(200, 239)]), mark(300, [(100, 129), (250, 279)])]
    scores = [generator.integers(0, 30, 400).astype(float), generator.integers(0, 30, 300).astype(float)]
    scores[0][205], scores[1][100], scores[1][260] = 31.0, 30.0, 32.0
    best = best_threshold(files, scores)

    def total(threshold: float) -> float:
        return sum(worth(file, own >= threshold) for file, own in zip(files, scores, strict=True))

    assert total(best) == max(total(threshold) for threshold in range(34))
    assert best == 30.0


def test_alarms_that_do_no_good_are_better_left() -> None:
    """When every alarm is false the best threshold is one that nothing reaches."""
    assert best_threshold([mark(100, [])], [np.arange(100.0)]) == math.inf


def test_windows_must_be_in_order() -> None:
    """Windows that overlap or end behind the file are refused."""
    with pytest.raises(ValueError, match="window 1"):
        mark(100, [(10, 20), (15, 30)])
    with pytest.raises(ValueError, match="of 100"):
        mark(100, [(90, 100)])


def test_files_are_read_with_their_windows(tmp_path: Path) -> None:
    """Windows are found by their times, and what is not there is told."""
    with pytest.raises(FenghuoError, match="--data"):
        read_files(tmp_path)
    (tmp_path / "labels").mkdir()
    labels = {"a/b.csv": [["2014-04-01 00:10:00.000000", "2014-04-01 00:20:00.000000"]], "a/gone.csv": []}
    (tmp_path / "labels" / "combined_windows.json").write_text(json.dumps(labels))
    with pytest.raises(FenghuoError, match="none of the 2"):
        read_files(tmp_path)
    (tmp_path / "data" / "a").mkdir(parents=True)
    rows = "".join(f"2014-04-01 00:{minute:02d}:00,{minute}\n" for minute in range(0, 60, 5))
    (tmp_path / "data" / "a" / "b.csv").write_text("timestamp,value\n" + rows)
    (file,) = read_files(tmp_path)
    assert (file.category, len(file.values), file.marked.window.tolist()[1:6]) == ("a", 12, [-1, 0, 0, 0, -1])
    (tmp_path / "data" / "a" / "b.csv").write_text("timestamp,value\n2014-04-01 00:10:00,x\n")
    with pytest.raises(FenghuoError, match="no file of the benchmark"):
        read_files(tmp_path)
