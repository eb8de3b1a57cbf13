"""The outbreak benchmark: its series, its peers and its measures."""

import numpy as np
import pytest

from benchmarks import outbreak_peers as peers
from benchmarks.outbreak_farrington import baseline, fit
from benchmarks.outbreak_measures import Figure, measure, ratio, threshold_at
from benchmarks.outbreak_series import BENDS, JUDGED, PER_ROUND, SCENARIOS, WEEKS, Batch, make


@pytest.fixture(scope="module")
def batch() -> Batch:
    """One round of plain series."""
    return make(1, seed=5)


def test_series_are_those_of_the_paper(batch: Batch) -> None:
    """42 scenarios of 624 weeks; one outbreak each, in the judged weeks; the same seed makes the same, another does not."""
    assert len(batch) == len(SCENARIOS) * PER_ROUND == 42 * 50
    assert batch.counts.shape == (len(batch), WEEKS)
    assert not batch.outbreak[:, :JUDGED].any()
    assert (batch.outbreak.sum(axis=1) >= 1).all()
    assert make(1, seed=5).counts.tobytes() == batch.counts.tobytes()
    assert make(1, seed=6).counts.tobytes() != batch.counts.tobytes()


def test_counts_have_the_mean_and_dispersion_they_claim(batch: Batch) -> None:
    """Before any outbreak, standardised counts have mean 0 and variance 1 in every scenario."""
    for number in range(len(SCENARIOS)):
        rows = batch.scenario == number
        means = batch.means[rows, :312]
        phi = batch.dispersions[rows][:, None]
        far = (batch.counts[rows, :312] - means) / np.sqrt(phi * means)
        assert abs(far.mean()) < 0.05
        assert far.var() == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize("bend", BENDS)
def test_bent_series_are_bent(bend: str, batch: Batch) -> None:
    """Each kind differs from the plain series in its means or in what is missing, and never loses the outbreak."""
    bent = make(1, 5, bend)
    assert (bend == "weeks missing") == bool(np.isnan(bent.counts).any())
    assert np.isfinite(bent.counts[bent.outbreak]).all()
    if bend != "weeks missing":
        assert not np.allclose(bent.means, batch.means, rtol=0.05)


def test_the_baseline_is_five_years_in_ten_levels() -> None:
    """Level 0 is seven weeks of each of five years, the nine others share the rest, the last half year is left out."""
    weeks, levels = np.empty(WEEKS, np.int64), np.empty(WEEKS, np.int64)
    number = baseline(600, weeks, levels)
    used = dict(zip(weeks[:number].tolist(), levels[:number].tolist(), strict=True))
    assert min(used) == 600 - 5 * 52 - 3
    assert max(used) == 600 - 26 - 1
    assert sorted(week for week in used if used[week] == 0) == [
        600 - 52 * year + n for year in (5, 4, 3, 2, 1) for n in range(-3, 4)
    ]
    assert set(used.values()) == set(range(10))


def test_the_fit_is_that_of_dense_least_squares() -> None:
    """Levels, slope, dispersion and leverages are those of an ordinary iteratively reweighted fit."""
    generator = np.random.default_rng(1)
    levels, times = np.arange(230) % 10, np.linspace(-5.0, -0.5, 230)
    counts = generator.poisson(np.exp(1.0 + 0.1 * levels + 0.2 * times)).astype(float)
    weights = generator.uniform(0.5, 1.5, 230)
    means, hats = np.empty(230), np.empty(230)
    level, slope, dispersion = fit(counts, times, levels, weights, True, means, hats)
    design = np.column_stack([np.eye(10)[levels], times])
    beta = np.zeros(11)
    for _ in range(50):
        mu = np.exp(design @ beta)
        w = weights * mu
        beta = np.linalg.solve(
            design.T @ (w[:, None] * design), design.T @ (w * (design @ beta + counts / mu - 1))
        )
    mu = np.exp(design @ beta)
    w = weights * mu
    inverse = np.linalg.inv(design.T @ (w[:, None] * design))
    assert [*level, slope] == pytest.approx(beta.tolist(), rel=1e-4)
    assert dispersion == pytest.approx(max((weights * (counts - mu) ** 2 / mu).sum() / 219, 1.0), rel=1e-4)
    assert hats == pytest.approx(w * np.einsum("ij,jk,ik->i", design, inverse, design), rel=1e-3)


def test_measures_count_what_they_say() -> None:
    """On two series made by hand every figure can be counted."""
    outbreak = np.zeros((42 * 2, WEEKS), np.bool_)
    outbreak[:, JUDGED + 10 : JUDGED + 13] = True
    batch = Batch(
        np.ones((84, WEEKS)), np.ones((84, WEEKS)), np.ones(84), outbreak, np.repeat(np.arange(42), 2)
    )
    scores = np.zeros((84, WEEKS - JUDGED))
    scores[::2, 11] = 5.0  # every second outbreak is found, a week late
    scores[0, :4] = 5.0
    found = measure(batch, scores, 2.0)
    assert (found.pod.value, found.pod_first.value, found.delay.value) == (0.5, 0.0, 1.0)
    assert found.fpr.value == pytest.approx(4 / (84 * 46))
    assert found.ppv.value == pytest.approx(42 / 46)
    assert found.worst == pytest.approx(4 / 92)
    assert found.pod.error == pytest.approx(0.5 / np.sqrt(84))
    assert np.isnan(ratio(np.zeros(3), np.zeros(3)).value)


def test_a_threshold_keeps_its_rate(batch: Batch) -> None:
    """At most the asked share of quiet weeks lies above a threshold, and not much less."""
    scores = peers.oracle(batch)
    for rate in (0.01, 0.05):
        fpr: Figure = measure(batch, scores, threshold_at(batch, scores, rate)).fpr
        assert 0.9 * rate < fpr.value <= rate


def test_the_model_is_near_the_oracle_and_above_ears(batch: Batch) -> None:
    """At equal false alarms the model finds nearly what the true mean finds, and far more than EARS."""
    found = {
        name: measure(batch, scores, threshold_at(batch, scores, 0.05)).pod.value
        for name, scores in {
            "model": peers.glm(batch),
            "oracle": peers.oracle(batch),
            "ears": peers.ears(batch, 2),
        }.items()
    }
    assert found["model"] > found["oracle"] - 0.025
    assert found["model"] > found["ears"] + 0.1
