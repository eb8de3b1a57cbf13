"""Counts of tickets and reports against their expectation."""

import random
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

import pytest
from calls_world import NAMES, START, Item, burst, history
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped]  # comes with river

from detectors.counts.cells import Key, bucket_of, seconds_of
from detectors.counts.ledger import Heard
from detectors.counts.rate import rarity_of
from detectors.counts.watch import TextsWatch
from domain.errors import InvalidInput
from domain.findings import Finding, FindingState
from domain.levels import Feed

NEW = "990101103777001"
"""A grid cell that nothing is heard of at first."""


def send(counts: TextsWatch, items: list[Item], feed: Feed = Feed.TICKETS) -> list[Finding]:
    """Count items in the order given."""
    return [
        finding
        for at, area, category, name in items
        for finding in counts.observe(Heard(name, area, category, feed, at, at + timedelta(seconds=1)))
    ]


@pytest.mark.parametrize(
    ("count", "mean", "shape"), [(0, 1, 1), (1, 0.1, 1), (5, 0.3, 2), (30, 10, 20), (3, 10, 5)]
)
def test_the_tail_is_that_of_the_negative_binomial(count: int, mean: float, shape: float) -> None:
    """Rarity is −log10 of the upper tail, the count itself included."""
    expected = stats.nbinom.sf(count - 1, shape, shape / (shape + mean))
    assert 10 ** -rarity_of(count, mean, shape) == pytest.approx(expected, rel=1e-9)


def test_a_flood_of_tickets_has_a_finite_rarity() -> None:
    """Even absurd counts are answered, with the greatest rarity there is."""
    assert rarity_of(10**6, 0.01, 1.0) == 30.0


def test_buckets_begin_at_local_hours() -> None:
    """Midnight in Shanghai begins a bucket and a half-day."""
    assert bucket_of(START) % 12 == 0
    assert seconds_of(bucket_of(START)) == START.timestamp()
    assert bucket_of(START - timedelta(microseconds=1)) == bucket_of(START) - 1


def test_a_cluster_is_found_and_cleared() -> None:
    """Ten tickets in a village that has one in a fortnight are found within the hour, there and in its township."""
    counts = TextsWatch()
    assert send(counts, history(6)) == []
    found = send(counts, burst(timedelta(days=6, hours=10), 10))
    first = found[0]
    assert (first.state, first.category, first.unit) == (FindingState.CONFIRMED, "infectious-disease", "件")
    assert first.observed_at <= START + timedelta(days=6, hours=11)
    assert {finding.subject for finding in found} == {"990101103", "990101103002"}
    assert first.p_value is not None
    assert first.p_value < 1e-4
    assert first.expected is not None
    assert first.expected < 1.0
    assert len(first.inputs) == first.observed
    opened = {finding.id for finding in found}
    cleared = counts.advance(START + timedelta(days=8), START + timedelta(days=8))
    assert {finding.id for finding in cleared} == opened
    assert {finding.state for finding in cleared} == {FindingState.CLEARED}
    assert counts.counts.open_findings() == []


def test_ordinary_weeks_are_quiet() -> None:
    """Twelve weeks of ordinary days raise next to nothing."""
    found = [
        finding.id
        for seed in range(3)
        for finding in send(TextsWatch(), history(28, per_day=80.0, seed=seed))
    ]
    assert len(set(found)) <= 3


def test_a_new_cell_does_not_fire_on_its_second_ticket() -> None:
    """Two or three tickets in a place never heard of before are no event."""
    counts = TextsWatch()
    send(counts, history(6))
    assert send(counts, burst(timedelta(days=6, hours=10), 3, area="990101199001001")) == []


def test_a_county_is_watched_before_it_is_judged() -> None:
    """On the first day nothing is said: there is no past to compare with."""
    assert send(TextsWatch(), burst(timedelta(hours=10), 30)) == []


def test_what_was_never_heard_of_may_be_common() -> None:
    """After two days of learning four calls of a day about something new are no event; after three weeks they are."""
    for days, is_event in ((3, False), (24, True)):
        watch = TextsWatch()
        send(watch, history(days))
        new = [
            (START + timedelta(days=days, hours=7 + 3 * n), f"99010110300{n}001", "flood", UUID(int=n))
            for n in range(4)
        ]
        assert ({finding.subject for finding in send(watch, new)} == {"990101103"}) is is_event


def test_weekends_and_holidays_are_expected_to_be_loud() -> None:
    """Where weekends have twice the calls they are expected to, and so is a holiday in the week."""
    watch, first = TextsWatch(), datetime(2026, 2, 28, 16, tzinfo=UTC)
    key, expected = Key(NEW[:9], "noise-complaint", Feed.TICKETS), {}
    for day in range(62):
        begin = first + timedelta(days=day)
        date = (begin + timedelta(hours=8)).date()
        calls = 20 if date.weekday() >= 5 else 10
        send(
            watch,
            [
                (begin + timedelta(minutes=60 * n), NEW, key.category, uuid5(NAMES, f"{day}/{n}"))
                for n in range(calls)
            ],
        )
        expected[date] = watch.counts.usual.expect_day(key, bucket_of(begin) // 12)
    means = {date.isoformat(): found[0] for date, found in expected.items() if found}
    assert means["2026-04-25"] > 1.5 * means["2026-04-24"]
    assert means["2026-05-01"] > 1.3 * means["2026-04-30"]


def test_the_same_id_counts_once() -> None:
    """A storm of repetitions of one ticket is one ticket."""
    counts = TextsWatch()
    send(counts, history(6))
    (ticket,) = burst(timedelta(days=6, hours=10), 1)
    assert send(counts, [ticket] * 50) == []
    key = Key("990101103002", "infectious-disease", Feed.TICKETS)
    assert counts.counts.cells.counted(key, bucket_of(ticket[0]), 1) == 1


def test_late_tickets_reach_no_detector() -> None:
    """What is older than the bound behind the county's newest is not counted."""
    counts = TextsWatch(lateness_seconds=3_600)
    send(counts, history(6))
    key = Key("990101103", "infectious-disease", Feed.TICKETS)
    old = burst(timedelta(days=4), 10, minutes=1)
    before = counts.counts.cells.counted(key, bucket_of(old[0][0]), 1)
    assert send(counts, old) == []
    assert counts.counts.cells.counted(key, bucket_of(old[0][0]), 1) == before


def test_a_report_that_waited_on_a_phone_is_still_heard() -> None:
    """A cluster that arrives hours late, inside the bound, is said, though its period is over."""
    counts = TextsWatch()
    send(counts, history(6))
    send(counts, [(START + timedelta(days=6, hours=20), "990101100001001", "noise-complaint", UUID(int=7))])
    found = send(counts, burst(timedelta(days=6, hours=8), 8, minutes=1))
    assert {finding.state for finding in found} == {FindingState.CONFIRMED}


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 10**6))
def test_order_and_repetition_make_no_difference(seed: int) -> None:
    """Any order inside the lateness bound, with repetitions, ends with the same open findings and expectations."""
    generator = random.Random(seed)
    items = sorted(history(5, per_day=20, seed=3) + burst(timedelta(days=4, hours=9), 9, minutes=12))
    items += [
        (START + timedelta(days=4, hours=9, minutes=n), NEW, "noise-complaint", UUID(int=n)) for n in range(6)
    ]
    items.sort()
    crooked = sorted(items, key=lambda item: item[0] + timedelta(hours=generator.uniform(0, 23)))
    crooked += generator.sample(crooked[-30:], 10)
    straight_watch, crooked_watch = TextsWatch(), TextsWatch()
    send(straight_watch, items)
    send(crooked_watch, crooked)
    last = (START + timedelta(days=5, hours=1), NEW, "noise-complaint", UUID(int=99))
    for watch in (straight_watch, crooked_watch):
        send(watch, [last])
    assert _open(crooked_watch) == _open(straight_watch)
    assert _open(straight_watch)
    for area in ("990101", "990101103", "990101103002", NEW[:12], "990101777"):
        key, begin = Key(area, "infectious-disease", Feed.TICKETS), bucket_of(last[0]) // 6 * 6
        expected = straight_watch.counts.usual.expect(key, begin, 6, last[0])
        assert expected is not None
        assert crooked_watch.counts.usual.expect(key, begin, 6, last[0]) == expected


@pytest.mark.parametrize("cut", [0, 1, 100, 165])
def test_a_restart_makes_no_difference(cut: int) -> None:
    """Dumped anywhere in pieces, restored and sent the rest, the findings are the same."""
    items = sorted(history(4) + burst(timedelta(days=3, hours=9), 9))
    whole, first, second = TextsWatch(), TextsWatch(), TextsWatch()
    expected = send(whole, items)
    pieces: dict[str, bytes] = {}
    said = send(first, items[: cut // 2])
    pieces |= first.dump()
    said += send(first, items[cut // 2 : cut])
    pieces |= first.dump()
    second.restore(pieces)
    assert said + send(second, items[cut:]) == expected
    assert _open(second) == _open(whole)


def test_a_piece_of_another_version_is_refused() -> None:
    """Cells of a version that is not known are invalid input."""
    counts = TextsWatch()
    send(counts, history(1))
    pieces = {name: piece.replace(b"\x94\x01", b"\x94\x63", 1) for name, piece in counts.dump().items()}
    with pytest.raises(InvalidInput, match="version"):
        TextsWatch().restore(pieces)


def _open(counts: TextsWatch) -> set[tuple[UUID, float | None]]:
    return {(finding.id, finding.p_value) for finding in counts.counts.open_findings()}
