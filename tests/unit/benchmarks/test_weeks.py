"""Weeks of a county: what is drawn hangs on the seed, lies in the county and in its time, and is what readings then show."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from msgspec import structs

from benchmarks.alert_tally import Tally
from benchmarks.peer_alerts import grouped
from benchmarks.weeks import (
    FOUR_WEEKS,
    LEAK_LIMIT,
    STAGE_LIMIT,
    WeeklyReadings,
    draw_script,
    moved,
    weekend_share,
)
from fenghuo.demo.calls import build_calls
from fenghuo.demo.county import START
from fenghuo.demo.networks import build_channels
from fenghuo.demo.places import build_places
from fenghuo.demo.truth import read_truth

PLACES = build_places()
CHANNELS = build_channels(PLACES, 0.3)
WEEKS = 12.0


@pytest.mark.parametrize("seed", [1, 2])
def test_a_script_is_drawn_by_seed_and_lies_in_its_weeks(seed: int) -> None:
    """The same seed is the same script; every part of a happening lies between its beginning and the end."""
    script = draw_script(PLACES, WEEKS, seed)
    assert script == draw_script(PLACES, WEEKS, seed)
    assert script != draw_script(PLACES, WEEKS, seed + 1)
    codes = {area.code for area in PLACES.areas}
    assert len({one.slug for one in script}) == len(script)
    for one in script:
        parts = (*one.effect, *one.fault, *one.call, *one.repeat, *one.bulletin)
        assert min(part.after for part in parts) >= one.after_minutes >= 0
        assert one.after_minutes < WEEKS * 7 * 1440
        areas = {*one.areas, *(code for part in (*one.effect, *one.call, *one.repeat) for code in part.areas)}
        assert areas <= codes, one.slug


def test_happenings_come_as_often_as_is_said() -> None:
    """Over two hundred weeks the count of each is near its rate."""
    script = draw_script(PLACES, 200.0, 3)
    for slug, rate in FOUR_WEEKS.items():
        count = sum(one.slug.rpartition("-")[0] == slug for one in script)
        assert abs(count - 50 * rate) < 4 * np.sqrt(50 * rate), slug


def test_moving_moves_everything() -> None:
    """A happening keeps its shape."""
    leak = next(one for one in read_truth() if one.slug == "chemical-leak")
    later = moved(leak, 60.0)
    assert later.reference_minutes == (leak.reference_minutes or 0) + 60
    assert [one.after for one in later.effect] == [one.after + 60 for one in leak.effect]
    assert [one.until - one.after for one in later.call] == [one.until - one.after for one in leak.call]


@pytest.mark.parametrize(
    ("slug", "quantity", "limit"),
    [("chemical-leak", "ammonia", LEAK_LIMIT), ("rainstorm", "stage", STAGE_LIMIT)],
)
def test_the_reference_is_when_a_limit_breaks(slug: str, quantity: str, limit: float) -> None:
    """Leads are measured against what readings do, whatever the size of an event; stations differ a little."""
    happening = next(
        one for one in draw_script(PLACES, 100.0, 5, [slug]) if one.reference_minutes is not None
    )
    happening = moved(happening, -happening.after_minutes)
    rows = [row for row, one in enumerate(CHANNELS) if one.quantity.slug == quantity]
    readings = WeeklyReadings(CHANNELS, [happening], START, 1)
    at = START
    while not (readings.step(at)[0][rows] > limit).any():
        at += timedelta(minutes=5)
    assert abs((at - START) / timedelta(minutes=1) - (happening.reference_minutes or 0)) <= 35


def test_calls_of_a_script_can_be_made() -> None:
    """Every phrase and place of it is known."""
    script = draw_script(PLACES, 4.0, 7)
    calls = build_calls(
        PLACES, script, history_from=START, start=START, until=START + timedelta(days=28), seed=7
    )
    ordinary = build_calls(
        PLACES, (), history_from=START, start=START, until=START + timedelta(days=28), seed=7
    )
    assert len(calls) > len(ordinary)


@pytest.mark.parametrize(
    ("at", "share"),
    [("2026-06-19T23:00", 0.0), ("2026-06-20T08:00", 0.5), ("2026-06-20T12:00", 1.0), ("2026-06-21T03:00", 1.0),
     ("2026-06-22T07:00", 0.75), ("2026-06-22T11:00", 0.0)],
)  # fmt: skip
def test_weekends_come_and_go_in_the_morning(at: str, share: float) -> None:
    """Times of Shanghai; the weekend turns between six and ten."""
    local = datetime.fromisoformat(f"{at}:00+08:00")
    assert weekend_share(local.astimezone(UTC)) == share


def test_signals_of_a_day_are_one_alert() -> None:
    """A peer is grouped as kindly as our own alerts; what begins before the judged time is not counted."""
    times = [START - timedelta(hours=50), *(START + timedelta(hours=hours) for hours in (1, 20, 40, 90))]
    found = grouped((at, "flood", "990101101") for at in times)
    assert [alert.opened_at for alert in found] == [times[1], times[4]]


def test_the_rate_has_exact_bounds() -> None:
    """No false alert in ten weeks still allows 0.37 a week (Poisson, 97.5 %)."""
    tally = Tally(weeks=10.0)
    assert tally.bounds == (0.0, pytest.approx(0.3689, abs=1e-4))
    tally.add(Tally(weeks=10.0, false=2, above_blue=4))
    assert (tally.false_per_week, tally.share_true) == (0.1, 0.5)


def test_a_peer_finds_what_its_alerts_touch() -> None:
    """An alert in the place and time of an event, of its category, has found it."""
    leak = structs.replace(
        next(one for one in read_truth() if one.slug == "chemical-leak"), slug="chemical-leak-1"
    )
    tally = Tally()
    at = START + timedelta(minutes=200)
    tally.add_alerts(grouped([(at, "water-pollution", "990101101"), (at, "flood", "990101101")]), [leak], 1.0)
    assert (tally.found, tally.false, tally.leads) == (1, 1, [10.0])
