"""The space-time scan: its likelihood ratios, what it finds, and what it keeps."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.counts.scan import Found, Scan
from detectors.counts.scan_kernel import EDGE, weights
from detectors.counts.scan_maxima import Maxima
from detectors.counts.scan_score import ClusterScore
from detectors.counts.zones import Zones, zones_of
from domain.errors import InvalidInput

SIDE = 6
TOWNSHIP = "330106001"
CELLS = [f"{TOWNSHIP}{row + 1:03d}{column + 1:03d}" for row in range(SIDE) for column in range(SIDE)]
PLACES = {
    code: (30.0 + 0.01 * (number // SIDE), 120.0 + 0.0115 * (number % SIDE))
    for number, code in enumerate(CELLS)
}
ZONES = zones_of(CELLS, PLACES)
FEW = zones_of(CELLS[:5])
EVENTS = st.lists(
    st.tuples(st.integers(0, 4), st.integers(5, 11), st.integers(0, 4), st.integers(0, 1)), max_size=40
)


def brute(
    scan: Scan, events: list[tuple[int, int, int, int]], means: np.ndarray, shapes: np.ndarray
) -> float:
    """Work out a scan's score from the definition, by negative binomial probabilities."""
    from scipy.stats import nbinom

    ratios = []
    for zone in range(scan.zones.size):
        cells = [scan.zones.cells.index(code) for code in scan.zones.cells_of(zone)]
        for length in scan.windows:
            product, total = 1.0, 0
            for stream in range(scan.streams):
                seen = sum(
                    n for cell, day, n, by in events if by == stream and cell in cells and day > 11 - length
                )
                mean = means[stream, cells].sum() * length
                excess = sum((length * means[stream, c] / math.sqrt(shapes[stream, c])) ** 2 for c in cells)
                shape = mean * mean / excess
                raised = mean + EDGE * math.sqrt(mean + excess) + EDGE * EDGE / 4.0
                usual, more = (nbinom.logpmf(seen, shape, shape / (shape + m)) for m in (mean, raised))
                product *= 1.0 + math.exp(more - usual)
                total += seen
            ratio = (product - 1.0) / (2.0**scan.streams - 1.0)
            ratios.append(min(ratio, 1.0) if total < scan.least else ratio)
    return math.log(sum(ratios) / len(ratios))


def ready(zones: Zones, mean: float = 0.2, now: int = 20) -> Scan:
    """Make a scan of which every kept period has an expectation."""
    scan = Scan(zones)
    for day in range(now - 7, now + 1):
        scan.advance(day)
        scan.expect(day, mean, 20.0)
    return scan


@settings(max_examples=40, deadline=None)
@given(EVENTS, st.integers(0, 1_000))
def test_the_score_is_that_of_the_definition(events: list[tuple[int, int, int, int]], seed: int) -> None:
    """Counting event by event comes to the mean ratio of negative binomial likelihoods over zones, windows, streams."""
    chance = np.random.default_rng(seed)
    means, shapes = chance.uniform(0.05, 2.0, (2, 5)), chance.uniform(1.0, 30.0, (2, 5))
    scan = Scan(FEW, (1, 3, 7), streams=2)
    for day in range(5, 12):
        scan.advance(day)
        for stream in range(2):
            scan.expect(day, means[stream], shapes[stream], stream=stream)
    scan.score(TOWNSHIP)  # from here on events are added, not worked out anew
    for cell, day, n, stream in events:
        assert scan.count(FEW.cells[cell], day, n, stream=stream)
    assert scan.score(TOWNSHIP) == pytest.approx(brute(scan, events, means, shapes), abs=1e-8)


@settings(max_examples=25, deadline=None)
@given(EVENTS, st.randoms(use_true_random=False), st.integers(0, 40))
def test_order_and_restarts_make_no_difference(
    events: list[tuple[int, int, int, int]], chance: object, cut: int
) -> None:
    """Events in another order, asked for in between and restored half way, end in the same bits."""
    shuffled = list(events)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis's own Random
    one, other = ready(FEW, now=11), ready(FEW, now=11)
    for cell, day, n, _ in events:
        one.count(FEW.cells[cell], day, n)
    for number, (cell, day, n, _) in enumerate(shuffled):
        if number == cut:
            pieces = other.dump()
            other = Scan(FEW)
            other.restore(pieces)
            other.best()
        other.count(FEW.cells[cell], day, n)
    assert one.best() == other.best()
    for scan in (one, other):
        scan.advance(13)
    assert one.dump() == other.dump()


def test_a_cluster_is_found_where_it_is() -> None:
    """Three more a day in four neighbouring cells stand out, and the cells named are mostly those."""
    scan = ready(ZONES)
    struck = [CELLS[number] for number in (14, 15, 20, 21)]
    for day in range(17, 21):
        for cell in struck:
            scan.count(cell, day, 3)
    best = scan.best()[0]
    assert best.p < 1e-4
    assert set(struck) <= set(best.cells)
    assert len(best.cells) <= 6
    assert (best.first, best.last) == (17, 20)
    assert best.observed == 48
    assert best.expected == pytest.approx(0.2 * len(best.cells) * 4)


def test_two_clusters_are_told_apart() -> None:
    """Of two clusters in one township both are named, and no cell is named twice."""
    scan = ready(ZONES)
    for corner in (0, 35):
        scan.count(CELLS[corner], 20, 8)
    found = scan.best()
    named = [cell for one in found for cell in one.cells]
    assert [one.cells[0] for one in found[:2]] == [CELLS[0], CELLS[35]]
    assert len(named) == len(set(named))


def test_late_cases_count_in_the_windows_that_hold_them() -> None:
    """What arrives days late raises the score; what is older than the columns is refused and said so."""
    scan = ready(ZONES)
    quiet = scan.score(TOWNSHIP)
    assert scan.count(CELLS[0], 15, 6)
    assert scan.score(TOWNSHIP) > quiet
    assert not scan.count(CELLS[0], 12)


def test_the_period_that_settles_teaches_with_its_late_cases() -> None:
    """A day's maximum is learned after the lag, late cases included: they may come before or after midnight."""
    early, late = ready(ZONES), ready(ZONES)
    early.count(CELLS[3], 20, 4)
    for scan in (early, late):
        scan.advance(21)
        scan.expect(21, 0.2, 20.0)
    late.count(CELLS[3], 20, 4)
    for scan in (early, late):
        scan.advance(22)
    assert early.dump() == late.dump()


def test_nothing_is_said_before_anything_is_expected() -> None:
    """Without expectations there is no score; a window counts as soon as all its periods have one."""
    scan = Scan(FEW)
    scan.advance(3)
    scan.count(FEW.cells[0], 3, 50)
    assert (scan.score(TOWNSHIP), scan.p_value(TOWNSHIP), scan.best()) == (-math.inf, 1.0, [])
    scan.expect(3, 0.2)
    assert scan.score(TOWNSHIP) > 10.0


def test_two_cases_are_no_cluster() -> None:
    """However rare cases are in a place, fewer than the least make no cluster."""
    scan = ready(FEW, mean=1e-6)
    scan.count(FEW.cells[0], 20, 2)
    assert scan.score(TOWNSHIP) <= 0.0
    scan.count(FEW.cells[0], 20)
    assert scan.score(TOWNSHIP) > 5.0


def test_absurd_counts_stay_numbers() -> None:
    """A million cases a day in every cell, over three streams, are a finite score."""
    scan = Scan(FEW, streams=3)
    scan.advance(1)
    for stream in range(3):
        scan.expect(1, 1e-3, stream=stream)
        for cell in FEW.cells:
            scan.count(cell, 1, 1_000_000, stream=stream)
    found = scan.best()[0]
    assert math.isfinite(found.score) and 0.0 <= found.p < 1e-100


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda scan: scan.count(CELLS[0], 20, float("nan")), "n: nan is not a whole number"),
        (lambda scan: scan.count(CELLS[0], 20, -1), "n: -1 is not a whole number"),
        (lambda scan: scan.count(CELLS[0], 21), "period: 21 lies ahead of 20"),
        (lambda scan: scan.count(CELLS[0], 20, stream=1), "stream: 1 is none of 1"),
        (lambda scan: scan.expect(20, float("nan")), f"nan and inf of {CELLS[0]} are not above 0"),
        (lambda scan: scan.expect(20, 0.0), "are not above 0 and finite"),
        (lambda scan: scan.expect(2, 0.2), "period: 2 is not kept"),
        (lambda scan: scan.advance(19), "time does not go back"),
        (lambda scan: scan.score("110101001"), "none of the scan's townships"),
        (lambda scan: Scan(ZONES, (3, 2)), "windows"),
        (lambda scan: Scan(ZONES, streams=9), "streams: 9"),
        (lambda scan: zones_of([]), "cells: none is given"),
        (lambda scan: zones_of(["33010600x"]), "is no code of a township"),
        (lambda scan: zones_of(CELLS, {CELLS[0]: (95.0, 120.0)}), "is no latitude and longitude"),
    ],
)
def test_bad_input_is_refused_with_a_sentence(call: object, message: str) -> None:
    """What cannot be counted or expected is refused, names itself, and changes nothing."""
    scan = ready(ZONES)
    before = scan.score(TOWNSHIP)
    with pytest.raises(ValueError, match=message):
        call(scan)  # type: ignore[operator]
    assert scan.score(TOWNSHIP) == before


def test_a_piece_of_another_form_is_refused_whole() -> None:
    """A piece that is cut or of other streams puts nothing back, not even the good one beside it."""
    scan = ready(FEW)
    good = scan.dump()[TOWNSHIP]
    for other in (Scan(FEW, streams=2), Scan(FEW)):
        with pytest.raises(InvalidInput):
            other.restore({TOWNSHIP: good, "330106002": good[:-9]})
        assert other.now is None


def test_new_zones_keep_what_cells_they_share() -> None:
    """After the registry changed, known cells have their past and new ones none."""
    scan = ready(FEW)
    scan.count(FEW.cells[4], 18, 5)
    wider = Scan(zones_of(CELLS[2:7]))
    wider.restore(scan.dump())
    assert wider.now == 20
    found = wider.best()[0]
    assert found.cells[0] == FEW.cells[4] and found.observed == 5


def test_dump_writes_what_changed_alone() -> None:
    """A case changes its own township's piece."""
    zones = zones_of([*CELLS[:4], "330106002001001"])
    scan = ready(zones)
    assert set(scan.dump()) == {TOWNSHIP, "330106002"}
    scan.count("330106002001001", 20)
    assert set(scan.dump()) == {"330106002"}
    assert scan.dump() == {}


@given(st.floats(1e-6, 1e6), st.floats(0.0, 1e6))
def test_an_event_always_adds_evidence(mean: float, excess: float) -> None:
    """The gain of an event and the cost of none are positive and finite for whatever may be expected."""
    gain, cost = weights(mean, excess)
    assert 0.0 < gain < math.inf and 0.0 < cost < math.inf


def test_maxima_give_honest_p_values() -> None:
    """Of Gumbel distributed maxima a share p has a p-value below p, and an outbreak does not spoil that."""
    chance = np.random.default_rng(3)
    maxima = Maxima(1)
    scores = chance.gumbel(0.5, 1.2, 2_000)
    p_values = []
    for number, score in enumerate(scores):
        if number >= 1_000:
            p_values.append(maxima.p_value(0, score))
        maxima.learn(0, 400.0 if number in {900, 901, 902} else score)
    assert np.mean(np.array(p_values) < 0.05) == pytest.approx(0.05, abs=0.02)


def test_zones_by_place_are_circles_and_by_code_are_runs() -> None:
    """A zone of five around an inner cell is a cross where places are known; without them near codes are near."""
    assert {CELLS[14], CELLS[8], CELLS[13], CELLS[15], CELLS[20]} in [
        set(ZONES.cells_of(zone)) for zone in range(ZONES.size)
    ]
    line = zones_of([f"{TOWNSHIP}001{number:03d}" for number in range(1, 9)], circles=(3,))
    for zone in range(line.size):
        numbers = [int(code[-3:]) for code in line.cells_of(zone)]
        assert all(after - before == 1 for before, after in pairwise(numbers))


@pytest.mark.parametrize("places", [PLACES, {}])
def test_irregular_zones_are_connected_and_the_same_every_time(
    places: dict[str, tuple[float, float]],
) -> None:
    """Grown zones hold cells that touch one another, and are drawn alike again."""
    zones = zones_of(CELLS, places, circles=(), irregular=(5, 8))
    again = zones_of(reversed(CELLS), places, circles=(), irregular=(5, 8))
    assert (zones.members == again.members).all()
    for zone in range(zones.size):
        cells = {CELLS.index(code) for code in zones.cells_of(zone)}
        reached = {min(cells)}
        for _ in cells:
            reached |= {
                one
                for one in cells
                if any(abs(one // SIDE - r // SIDE) <= 1 and abs(one % SIDE - r % SIDE) <= 1 for r in reached)
            }
        assert reached == cells or not places


def test_zones_reach_across_borders_and_cells_know_their_zones() -> None:
    """Cells of two townships near each other share zones; the index from cells to zones is that from zones to cells."""
    other = [code.replace(TOWNSHIP, "330106002") for code in CELLS[:6]]
    places = PLACES | {code: (29.99, PLACES[CELLS[number]][1]) for number, code in enumerate(other)}
    zones = zones_of([*CELLS, *other], places)
    sets = [set(zones.cells_of(zone)) for zone in range(zones.size)]
    assert any({CELLS[2], other[2]} <= zone for zone in sets)
    for cell, code in enumerate(zones.cells):
        held = zones.holders[zones.holder_starts[cell] : zones.holder_starts[cell + 1]].tolist()
        assert held == [number for number, zone in enumerate(sets) if code in zone]


def test_the_river_form_finds_a_cluster_over_cells() -> None:
    """Cases that are one too many in each of three cells are rarer together than in one of them."""
    cells = tuple(CELLS[:6])
    chance = np.random.default_rng(5)
    detector = ClusterScore(cells)
    for period in range(120):
        for cell in cells:
            detector.learn_one({"cell": cell, "period": period}, int(chance.poisson(0.3)))
    alone = detector.score_one({"cell": cells[0], "period": 120}, 3)
    for cell in cells[1:3]:
        detector.learn_one({"cell": cell, "period": 120}, 3)
    assert detector.score_one({"cell": cells[0], "period": 120}, 3) > alone


def test_found_names_its_fields() -> None:
    """What is found is a plain record."""
    scan = ready(FEW)
    scan.count(FEW.cells[0], 20, 9)
    assert isinstance(scan.best()[0], Found)
    assert scan.best([TOWNSHIP]) == scan.best()
