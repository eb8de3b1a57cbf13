"""Terms that rise, and what stood behind a count."""

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID, uuid5

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.counts.ledger import Heard
from detectors.counts.watch import TextsWatch
from detectors.words.recent import MOST_TEXTS, Spoken
from detectors.words.rising import MOST_TERMS, Past
from domain.errors import InvalidInput
from domain.findings import Finding, FindingState
from domain.levels import Feed

START = datetime(2026, 6, 1, 16, tzinfo=UTC)  # midnight in Shanghai
NAMES = UUID(int=2)
WORDS = ("路灯", "井盖", "停水", "垃圾", "噪音", "音响", "咳嗽", "树枝", "停车", "社保")


def heard(
    at: datetime, name: str, *terms: str, area: str = "990101101001001", category: str = "general-appeal"
) -> Heard:
    """Make a text as detectors see it."""
    return Heard(uuid5(NAMES, name), area, category, Feed.TICKETS, at, at + timedelta(seconds=1), terms)


def ordinary(days: int, per_day: int = 60, seed: int = 1) -> list[Heard]:
    """Make ordinary days of three townships: common words, and now and then one that is rare."""
    generator = random.Random(seed)
    texts = []
    for number in range(days * per_day):
        at = START + timedelta(days=generator.uniform(0, days))
        area = f"99010110{generator.randrange(3)}00{generator.randrange(5)}001"
        words = generator.sample(WORDS, 3)
        if generator.random() < 0.3:
            words.append(f"罕见{generator.randrange(400)}")
        texts.append(heard(at, f"{seed}/{number}", *words, area=area))
    return sorted(texts, key=lambda one: one.observed_at)


def stench(day: int, count: int = 8) -> list[Heard]:
    """Make texts of one village that all speak of the same, under two headings."""
    begin = START + timedelta(days=day, hours=9)
    return [
        heard(
            begin + timedelta(minutes=20 * number),
            f"stench/{day}/{number}",
            "异味",
            "呛人",
            *(("路灯",) if number % 2 else ()),
            area="990101101003002",
            category="air-pollution",
        )
        for number in range(count)
    ]


def send(watch: TextsWatch, texts: list[Heard]) -> list[Finding]:
    """Let a watch hear texts in the order given, and keep what it says of terms."""
    found = [finding for text in texts for finding in watch.observe(text)]
    return [finding for finding in found if finding.detector == "rising-terms"]


def test_new_words_rise_and_sink() -> None:
    """Words that nobody used before are told with their category, weak at first; later it is cleared."""
    watch = TextsWatch()
    assert send(watch, ordinary(10)) == []
    found = send(watch, stench(10, 14))
    first, last = found[0], found[-1]
    assert first.weak
    assert not last.weak
    assert (first.subject, first.category, first.state) == (
        "990101101",
        "air-pollution",
        FindingState.CONFIRMED,
    )
    assert {one.id for one in found} == {first.id}
    assert set(last.terms) == {"异味", "呛人"}
    assert first.observed is not None
    assert first.observed < 9
    assert all((before.p_value or 0) > (after.p_value or 0) for before, after in pairwise(found))
    end = START + timedelta(days=13)
    cleared = [one for one in watch.advance(end, end) if one.detector == "rising-terms"]
    assert [(one.id, one.state) for one in cleared] == [(first.id, FindingState.CLEARED)]


def test_words_as_common_as_ever_do_not_rise() -> None:
    """Eight weeks of ordinary words, on three seeds, raise nothing."""
    assert [send(TextsWatch(), ordinary(56, seed=seed)) for seed in range(3)] == [[], [], []]


def test_what_is_said_every_day_is_no_longer_news() -> None:
    """A theme that stays is told on its first days and not after two weeks."""
    watch = TextsWatch()
    texts = sorted(
        ordinary(24) + [text for day in range(6, 24) for text in stench(day)], key=lambda one: one.observed_at
    )
    days = {(finding.period_start - START).days for finding in send(watch, texts)}
    assert 6 in days
    assert not days & set(range(16, 24))


def test_a_count_is_told_with_the_terms_behind_it() -> None:
    """A finding of a count names the words that rose in its texts, not those that are always there."""
    watch = TextsWatch()
    send(watch, ordinary(10))
    found = [
        finding
        for text in stench(10)
        for finding in watch.observe(text)
        if finding.detector.startswith("counts-")
    ]
    assert found
    assert all({"异味", "呛人"} == set(finding.terms) for finding in found)


def test_one_persons_words_stay_his_own() -> None:
    """Before two texts hold a word nobody is told it."""
    watch = TextsWatch()
    send(watch, ordinary(10))
    texts = [text._replace(terms=(f"私事{number}",)) for number, text in enumerate(stench(10))]
    assert all(finding.terms == () for text in texts for finding in watch.observe(text))


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10**6))
def test_order_and_repetition_make_no_difference(seed: int) -> None:
    """Any order inside the lateness bound, with repetitions, ends with the same findings open, and learns the same."""
    generator = random.Random(seed)
    texts = sorted(ordinary(7) + stench(6, 12), key=lambda one: one.observed_at)
    crooked = sorted(texts, key=lambda one: one.observed_at + timedelta(hours=generator.uniform(0, 23)))
    crooked += generator.sample(crooked[-60:], 20)
    straight_watch, crooked_watch = TextsWatch(), TextsWatch()
    send(straight_watch, texts)
    send(crooked_watch, crooked)
    end = texts[-1].observed_at + timedelta(hours=1)
    for watch in (straight_watch, crooked_watch):
        watch.advance(end, end)
        watch.observe(heard(end, "last", "异味"))
    assert _open(straight_watch)
    assert _open(crooked_watch) == _open(straight_watch)
    assert _learned(crooked_watch) == _learned(straight_watch)


@pytest.mark.parametrize("cut", [0, 1, 200, 399, 425])
def test_a_restart_makes_no_difference(cut: int) -> None:
    """Dumped anywhere in pieces, restored and sent the rest, the findings and what is learned are the same."""
    texts = sorted(ordinary(7) + stench(6, 12), key=lambda one: one.observed_at)
    whole, first, second = TextsWatch(), TextsWatch(), TextsWatch()
    expected = [finding for text in texts for finding in whole.observe(text)]
    pieces: dict[str, bytes] = {}
    said = []
    for begin, end in ((0, cut // 2), (cut // 2, cut)):
        said += [finding for text in texts[begin:end] for finding in first.observe(text)]
        pieces |= first.dump()
    second.restore(pieces)
    assert said + [finding for text in texts[cut:] for finding in second.observe(text)] == expected
    assert _learned(second) == _learned(whole)


def test_memory_does_not_grow_with_words() -> None:
    """Of ten thousand words a day only the heaviest are remembered, and of a flood of texts the first."""
    past = Past(0, 0)
    for day in range(3):
        spoken = Spoken()
        spoken.terms.update({f"词{day}{number}": 1 for number in range(10_000)})
        spoken.terms["常见"] = 9
        past.fold(spoken)
    assert len(past.counts) == MOST_TERMS
    assert past.counts["常见"] > 20
    watch = TextsWatch()
    send(
        watch,
        [
            heard(START + timedelta(seconds=number), f"flood/{number}", "异味")
            for number in range(MOST_TEXTS + 50)
        ],
    )
    spoken_of = watch.rising.recent.of(
        "990101101", Feed.TICKETS, (START + timedelta(hours=8)).toordinal() - 719_163
    )
    assert spoken_of is not None
    assert len(spoken_of.texts) == MOST_TEXTS


def test_forgotten_days_leave_nothing_behind() -> None:
    """After a year the pieces are as many as after three months, so that snapshots do not grow."""
    sizes = []
    pieces: dict[str, bytes] = {}
    watch = TextsWatch()
    for day in range(365):
        watch.observe(heard(START + timedelta(days=day), f"year/{day}", "异味"))
        pieces |= watch.dump()
        sizes.append((len(pieces), sum(map(len, pieces.values()))))
    assert sizes[-1][0] == sizes[90][0]
    assert sizes[-1][1] < 1.2 * sizes[90][1]


def test_a_piece_of_another_version_is_refused() -> None:
    """A snapshot of a newer release is not read as something else."""
    watch = TextsWatch()
    send(watch, ordinary(1))
    for name, piece in watch.dump().items():
        if name.startswith(("said/", "words/", "rising")):
            with pytest.raises(InvalidInput, match="version"):
                TextsWatch().restore({name: piece[:1] + b"\x63" + piece[2:]})


def _open(watch: TextsWatch) -> set[tuple[UUID, float | None]]:
    return {(finding.id, finding.p_value) for finding in watch.rising.open_findings()}


def _learned(watch: TextsWatch) -> dict[str, bytes]:
    return {name: piece for name, piece in _everything(watch).items() if name.startswith("words/")}


def _everything(watch: TextsWatch) -> dict[str, bytes]:
    watch.rising._changed.update(watch.rising._past)
    return watch.dump()
