"""The scan in the stream: clusters over neighbouring cells, told once a day, restored exactly."""

import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

import pytest

from detectors.counts.clusters import PREFIX
from detectors.counts.ledger import Heard
from detectors.counts.watch import TextsWatch
from detectors.counts.zones import Place
from domain.errors import InvalidInput
from domain.findings import Finding, FindingState, SubjectKind
from domain.levels import Feed

START = datetime(2026, 6, 1, 16, tzinfo=UTC)  # midnight in Shanghai
NAMES = UUID(int=3)
TOWNSHIPS = ("990101101", "990101102")
SIDE = 6
"""Cells of a township in a square, three to a village."""


def cells_of(township: str) -> Mapping[str, Place | None]:
    """Lay the cells of a township out in a square of some kilometres."""
    east = TOWNSHIPS.index(township) * SIDE
    return {
        f"{township}{number // 3 + 1:03d}{number % 3 + 1:03d}": (
            30.0 + number // SIDE * 0.01,
            110.0 + (east + number % SIDE) * 0.01,
        )
        for number in range(SIDE * SIDE)
    }


def heard(at: datetime, cell: str, name: str, feed: Feed = Feed.TICKETS) -> Heard:
    """Make a call about fever."""
    return Heard(uuid5(NAMES, name), cell, "infectious-disease", feed, at, at, ("发热",))


def ordinary(days: int, per_day: float = 6.0, seed: int = 1) -> list[Heard]:
    """Make ordinary days: calls from anywhere, at any hour, over two feeds."""
    generator = random.Random(seed)
    cells = [cell for township in TOWNSHIPS for cell in cells_of(township)]
    calls, at, end = [], START, START + timedelta(days=days)
    while (at := at + timedelta(days=generator.expovariate(per_day))) < end:
        feed = generator.choice((Feed.TICKETS, Feed.REPORTS))
        calls.append(heard(at, generator.choice(cells), f"{seed}/{len(calls)}", feed))
    return calls


def block(day: int, each: int = 1) -> list[Heard]:
    """Make calls from a block of nine cells, of four villages, that no village's count would tell of, over two days."""
    cells = [
        f"990101101{number // 3 + 1:03d}{number % 3 + 1:03d}"
        for r in range(3)
        for number in range(6 * r, 6 * r + 3)
    ]
    return [
        heard(
            START + timedelta(days=day + number % 2, hours=9, minutes=17 * number),
            cell,
            f"block/{day}/{number}/{one}",
            Feed.REPORTS if number % 3 == 0 else Feed.TICKETS,
        )
        for one in range(each)
        for number, cell in enumerate(cells)
    ]


def send(watch: TextsWatch, calls: list[Heard]) -> list[Finding]:
    """Let a watch hear calls, and keep what the scan says."""
    found = [finding for call in calls for finding in watch.observe(call)]
    return [finding for finding in found if finding.detector == "scan"]


def watching() -> TextsWatch:
    """Make a watch that scans for fever."""
    return TextsWatch(scanned=["infectious-disease"], cells_of=cells_of)


def in_time(*parts: list[Heard]) -> list[Heard]:
    """Put calls in order of time."""
    return sorted((call for part in parts for call in part), key=lambda call: call.observed_at)


def test_a_cluster_over_cells_is_told_with_its_cells_and_cleared() -> None:
    """One call each from nine cells in two days is a zone of such cells; a day later it is over."""
    watch = watching()
    found = send(watch, in_time(ordinary(32), block(30)))
    assert found
    best = min(found, key=lambda finding: finding.p_value or 1.0)
    assert (best.subject_kind, best.state, best.unit) == (SubjectKind.ZONE, FindingState.CONFIRMED, "件")
    assert best.subject == best.area == "990101101"
    clustered = {call.area for call in block(30)}
    assert len(clustered & set(best.places)) >= 5
    assert best.observed is not None
    assert best.expected is not None
    assert best.observed >= 5 > 3 * best.expected
    assert set(best.inputs) & {call.id for call in block(30)}
    end = START + timedelta(days=34)
    cleared = [finding for finding in watch.advance(end, end) if finding.detector == "scan"]
    assert {finding.id for finding in cleared} == {finding.id for finding in watch_open(found)}


def watch_open(found: list[Finding]) -> list[Finding]:
    """List those of the last day, which are still open."""
    last = max(finding.period_end for finding in found if finding.period_end)
    return [finding for finding in found if finding.period_end == last]


def test_ordinary_weeks_have_no_clusters() -> None:
    """Twelve weeks on three seeds tell of at most one."""
    found = [finding.id for seed in range(3) for finding in send(watching(), ordinary(84, seed=seed))]
    assert len(set(found)) <= 1


def test_what_names_no_cell_is_in_no_zone() -> None:
    """Calls that name only a village, a township or a place that the registry does not know are no cluster."""
    watch = watching()
    send(watch, ordinary(20))
    for area in ("990101101001", "990101101", "990101101777001", "990101"):
        calls = [
            call._replace(area=area, id=uuid5(NAMES, f"{area}/{number}"))
            for number, call in enumerate(block(20))
        ]
        assert send(watch, calls) == []


def test_villages_are_scanned_where_there_are_no_cells() -> None:
    """Where the registry knows villages only, a call from a grid cell counts for its village."""

    def villages_of(township: str) -> Mapping[str, Place | None]:
        return {cell[:12]: None for cell in cells_of(township)}

    watch = TextsWatch(scanned=["infectious-disease"], cells_of=villages_of)
    found = send(watch, in_time(ordinary(32), block(30, each=2)))
    assert found
    assert {len(place) for finding in found for place in finding.places} == {12}


@pytest.mark.parametrize("cut", [0, 1, 60, 186, 191])
def test_a_restart_makes_no_difference(cut: int) -> None:
    """Dumped anywhere in pieces, restored and sent the rest, the findings are the same."""
    calls = in_time(ordinary(32), block(30))
    whole, first, second = watching(), watching(), watching()
    expected = [finding for call in calls for finding in whole.observe(call)]
    pieces: dict[str, bytes] = {}
    said = []
    for begin, end in ((0, cut // 2), (cut // 2, cut)):
        said += [finding for call in calls[begin:end] for finding in first.observe(call)]
        pieces |= first.dump()
    second.restore(pieces)
    assert said + [finding for call in calls[cut:] for finding in second.observe(call)] == expected
    assert all(len(piece) < 256 * 1024 for piece in pieces.values())


def test_order_and_repetition_change_nothing_that_is_learned() -> None:
    """Whatever came late or twice within the bound, the scan's counts, expectations and maxima are the same in the end."""
    generator = random.Random(4)
    calls = in_time(ordinary(20), block(15))
    crooked = sorted(calls, key=lambda call: call.observed_at + timedelta(hours=generator.uniform(0, 23)))
    crooked += generator.sample(crooked[-20:], 10)
    straight_watch, crooked_watch = watching(), watching()
    send(straight_watch, calls)
    send(crooked_watch, crooked)
    later = heard(START + timedelta(days=21), "990101101001001", "later")
    for watch in (straight_watch, crooked_watch):
        send(watch, [later])
    assert _learned(crooked_watch) == _learned(straight_watch)


def test_a_new_township_joins_and_the_others_keep_what_they_know() -> None:
    """A township that is heard of late is scanned from the next day on; a cluster in the old one is found as before."""
    calls = [call for call in ordinary(32) if call.area.startswith(TOWNSHIPS[0])]
    late = [call for call in ordinary(32, seed=2) if call.area.startswith(TOWNSHIPS[1])][-12:]
    watch = watching()
    found = send(watch, in_time(calls, late, block(30)))
    assert {finding.subject for finding in found} == {TOWNSHIPS[0]}
    names = {name for name in watch.dump() if name.startswith(PREFIX)}
    assert names == {f"{PREFIX}infectious-disease/{township}" for township in TOWNSHIPS}


def test_a_piece_of_another_form_is_refused() -> None:
    """A snapshot of a newer release is not read as something else."""
    watch = watching()
    send(watch, ordinary(5))
    (name, piece) = next((name, piece) for name, piece in watch.dump().items() if name.startswith(PREFIX))
    other = watching()
    other.restore(watch.ledger.dump() | {name: piece[:1] + b"\x63" + piece[2:]})
    with pytest.raises(InvalidInput):
        send(other, ordinary(5))


def _learned(watch: TextsWatch) -> dict[str, bytes]:
    pieces = watch.dump()
    return {name: piece for name, piece in pieces.items() if name.startswith(PREFIX)}
