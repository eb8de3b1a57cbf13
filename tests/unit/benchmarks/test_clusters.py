"""The benchmark of clusters: fair townships, honest thresholds."""

import numpy as np
import pytest

from benchmarks.cluster_peers import Judged, OurScan, cell_by_cell, circles
from benchmarks.cluster_townships import CELLS, DAYS, FAMILIES, GUARD, SIZE, World, _learned, sides, struck
from benchmarks.clusters import measure, raised, thresholds


@pytest.mark.parametrize("family", FAMILIES)
def test_clusters_are_nine_connected_cells(family: str) -> None:
    """Every family draws nine different cells that hang together by their sides."""
    chance = np.random.default_rng(1)
    for _ in range(50):
        cells = set(FAMILIES[family](chance))
        reached = {min(cells)}
        for _ in cells:
            reached |= {near for cell in reached for near in sides(cell) if near in cells}
        assert len(cells) == SIZE and reached == cells


def test_what_is_expected_knows_nothing_of_the_last_days() -> None:
    """Counts of a day and of the guard before it change nothing of what is expected of the day."""
    counts = np.random.default_rng(2).poisson(0.2, (2, 200, CELLS))
    other = counts.copy()
    other[:, -GUARD:] += 50
    none = np.zeros((2, CELLS), bool)
    assert (_learned(counts, none).means == _learned(other, none).means).all()


def test_learned_rates_come_near_the_true_ones() -> None:
    """After half a year the mean expected is the mean of the counts, within a tenth."""
    runs = struck(World(0.2), "block", 20, np.random.default_rng(3))
    assert runs.means[:, :DAYS].mean() == pytest.approx(0.2, rel=0.1)


def test_thresholds_bear_one_false_alarm_in_thirty_days() -> None:
    """At the thresholds raised alarms, and days in alarm, are one in thirty of the quiet days."""
    scores = np.random.default_rng(4).normal(size=(30, 100))
    scores[:, 1:] += scores[:, :-1]
    alarm, by_days = thresholds(scores)
    assert 95 <= raised(scores, alarm).sum() <= 100
    assert (scores > by_days).sum() == 100


def test_an_alarm_that_stood_before_finds_nothing() -> None:
    """Only alarms raised in the cluster's days count, and only those that name its cells are there."""
    scores = np.zeros((3, 2 * DAYS))
    scores[0, DAYS - 2 :] = 2.0  # stood before
    scores[1:, -3:] = 2.0  # raised on the fifth day
    cells = np.zeros((3, 2 * DAYS, CELLS), bool)
    cells[1, :, 0] = cells[2, :, 9] = True
    clusters = np.zeros((3, CELLS), bool)
    clusters[:, :SIZE] = True
    figures = measure(Judged(scores, cells), clusters, 1.0, 1.0)
    assert figures.found == pytest.approx(2 / 3) and figures.found_there == pytest.approx(1 / 3)
    assert figures.found_by_days == 1.0
    assert figures.delay == 5.0


@pytest.mark.parametrize("method", [cell_by_cell, circles, OurScan()], ids=["cells", "circles", "scan"])
def test_every_method_finds_what_nobody_could_miss(method: object) -> None:
    """Ten cases more a day in a block are scored higher than before, and named, by each method."""
    runs = struck(World(0.2), "block", 2, np.random.default_rng(5))
    runs.counts[:, -1] += 10 * runs.clusters
    judged = method(runs)  # type: ignore[operator]
    assert (judged.scores[:, -1] > judged.scores[:, :DAYS].max(axis=1) + 3.0).all()
    assert ((judged.cells[:, -1] & runs.clusters).sum(axis=1) >= 1).all()
