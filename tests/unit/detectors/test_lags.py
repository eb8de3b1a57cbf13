"""Reporting delays of feeds: learned from settled days, and taken into account where hours are not complete."""

from datetime import datetime, timedelta

import pytest
from calls_world import START, Item, burst, history

from detectors.counts.cells import bucket_of, day_of
from detectors.counts.lags import LEAST, Lags
from detectors.counts.ledger import Heard, Ledger
from detectors.counts.watch import TextsWatch
from domain.errors import InvalidInput
from domain.findings import Finding
from domain.levels import Feed

COUNTY = "990101"
DAY = timedelta(days=1)
EVENING = timedelta(hours=18)


def in_the_evening(at: datetime) -> datetime:
    """Tell when a clinic that reports at six in the evening hands in what it saw."""
    midnight = START + (at - START) // DAY * DAY
    return midnight + EVENING if at - midnight < EVENING else midnight + DAY


def heard(items: list[Item], received: object = None) -> list[Heard]:
    """Make texts of items, received at once or in the evening."""
    return [
        Heard(
            name,
            area,
            category,
            Feed.REPORTS,
            at,
            in_the_evening(at) if received else at + timedelta(seconds=1),
        )
        for at, area, category, name in items
    ]


def send(watch: TextsWatch, texts: list[Heard]) -> list[Finding]:
    """Hand texts over in the order of their receipt."""
    return [
        finding
        for text in sorted(texts, key=lambda text: (text.received_at, text.observed_at))
        for finding in watch.observe(text)
    ]


def test_prompt_texts_are_all_known() -> None:
    """Where everything comes at once, every part is exactly 1, so that nothing changes."""
    watch = TextsWatch()
    send(watch, heard(history(6)))
    now = START + timedelta(days=6, hours=9)
    parts = {
        watch.counts.usual.lags.part(COUNTY, Feed.REPORTS, bucket, now)
        for bucket in range(bucket_of(now) - 24, bucket_of(now) + 12)
    }
    assert parts == {1.0}


def test_what_comes_in_the_evening_is_not_known_at_noon() -> None:
    """After some days the morning's part at noon is small, after the evening it is whole; it never shrinks."""
    watch = TextsWatch()
    send(watch, heard(history(12, per_day=120), "evening"))
    lags, morning = watch.counts.usual.lags, bucket_of(START + timedelta(days=12, hours=8))
    parts = [
        lags.part(COUNTY, Feed.REPORTS, morning, START + timedelta(days=12, hours=hour))
        for hour in range(8, 34)
    ]
    assert parts[0] == LEAST
    assert parts == sorted(parts)
    assert parts[-1] == 1.0
    assert lags.part(COUNTY, Feed.TICKETS, morning, START + timedelta(days=12, hours=9)) == 1.0


def test_calls_at_noon_stand_out_where_nothing_is_reported_before_evening() -> None:
    """The same calls at noon are rarer to a county that knows its clinics to report in the evening."""

    def least_p(received: object) -> float:
        watch = TextsWatch()
        send(watch, heard(history(12, per_day=120), received))
        found = send(watch, heard(burst(timedelta(days=12, hours=10), 12, minutes=5)))
        return min(finding.p_value or 1.0 for finding in found)

    assert least_p("evening") < least_p(None) / 10


def test_a_history_that_is_taken_over_teaches_nothing() -> None:
    """What is received long after it was said is no reporting delay."""
    lags = Lags(Ledger(86_400))
    at = START + timedelta(hours=9)
    for text in heard([(at, f"{COUNTY}101", "noise-complaint", name) for _, _, _, name in burst(DAY, 50)]):
        lags.count(text._replace(received_at=at + timedelta(days=400)))
    lags.learn(COUNTY, day_of(at))
    assert lags.part(COUNTY, Feed.REPORTS, bucket_of(at), at) == 1.0


def test_a_restart_in_the_middle_of_a_day_makes_no_difference() -> None:
    """Dumped and restored, the rest of the days teaches the same."""
    texts = sorted(heard(history(8), "evening"), key=lambda text: text.received_at)
    whole, first, second = TextsWatch(), TextsWatch(), TextsWatch()
    send(whole, texts)
    send(first, texts[:300])
    second.restore(first.dump())
    send(second, texts[300:])
    now = START + timedelta(days=8)
    for bucket in range(bucket_of(now) - 12, bucket_of(now) + 1):
        parts = {watch.counts.usual.lags.part(COUNTY, Feed.REPORTS, bucket, now) for watch in (whole, second)}
        assert len(parts) == 1


def test_a_piece_of_another_version_is_refused() -> None:
    """What this release cannot read is told, not guessed."""
    lags = Lags(Ledger(86_400))
    for text in heard(burst(DAY, 3)):
        lags.count(text)
    name, piece = next(iter(lags.dump().items()))
    with pytest.raises(InvalidInput, match="version"):
        Lags(Ledger(86_400)).restore({name: piece.replace(b"\x93\x01", b"\x93\x63", 1)})
