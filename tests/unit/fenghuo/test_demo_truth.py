"""The script of the demo county agrees with itself and with what the generator makes of it."""

from datetime import datetime, timedelta

import numpy as np
import pytest

from config.data import load_data
from domain.identity import derived_id
from domain.levels import Level
from fenghuo.demo.county import START, Plan, choose_happenings
from fenghuo.demo.judging import FoundAlert, count_alerts, judge_events, touches
from fenghuo.demo.networks import SCENARIO_DAY, build_channels
from fenghuo.demo.places import build_places
from fenghuo.demo.readings import ReadingGenerator
from fenghuo.demo.truth import Happening, read_truth

STEP = timedelta(minutes=5)
HAPPENINGS = read_truth()


def alert(category: str, place: str, minutes: float, level: Level = Level.YELLOW) -> FoundAlert:
    """Make an alert so many minutes into the scenario."""
    at = START + timedelta(minutes=minutes)
    return FoundAlert(
        id=derived_id("alert", category, place, minutes),
        category=category,
        place=place,
        level=level,
        opened_at=at,
        changed_at=at,
    )


@pytest.mark.parametrize("happening", HAPPENINGS, ids=lambda one: one.slug)
def test_nothing_of_a_happening_comes_before_its_beginning(happening: Happening) -> None:
    """A trace from before the beginning would make a right alert count as false."""
    parts = (*happening.effect, *happening.fault, *happening.call, *happening.repeat, *happening.bulletin)
    assert min(part.after for part in parts) == happening.after_minutes


@pytest.mark.parametrize("happening", HAPPENINGS, ids=lambda one: one.slug)
def test_the_script_names_categories_that_there_are(happening: Happening) -> None:
    """Alerts are compared by category, so a wrong name would never be found."""
    assert set(happening.categories) <= load_data().categories.keys()


def test_the_county_has_the_size_that_is_promised() -> None:
    """Twelve townships, two hundred villages, six hundred cells, two thousand series."""
    places = build_places()
    assert [len(places.at_level(level)) for level in (9, 12, 15)] == [12, 200, 600]  # type: ignore[arg-type]
    assert len(build_channels(places)) == 2_000


def test_stations_of_a_river_know_where_they_are_and_the_script_keeps_to_what_water_does() -> None:
    """Kilometres grow downstream, and what passes takes a time that the shipped range of velocities allows."""
    rivers = {river.slug: river for river in build_places().rivers}
    water = load_data().rivers[""]
    for river in rivers.values():
        assert len(river.km) == len(river.cells)
        assert list(river.km) == sorted(set(river.km))
    for channel in build_channels(build_places(), 0.1):
        expected = None if channel.river is None else rivers[channel.river].km[channel.station]
        assert (channel.series.river, channel.series.river_km) == (channel.river, expected)
    for effect in (effect for happening in HAPPENINGS for effect in happening.effect if effect.river):
        steps = np.diff(rivers[effect.river].km) * 1000 / (effect.delay * 60)
        assert np.all((water.slowest < steps) & (steps < water.fastest))


def test_readings_are_the_same_for_the_same_seed() -> None:
    """Two runs with one seed measure the same, another seed something else."""
    channels = build_channels(build_places(), 0.1)
    first, again, other = (ReadingGenerator(channels, HAPPENINGS, START, seed) for seed in (1, 1, 2))
    at = START + STEP
    assert np.array_equal(first.step(at)[0], again.step(at)[0])
    assert not np.array_equal(first.step(at)[0], other.step(at)[0])


@pytest.mark.parametrize(
    ("slug", "quantity", "limit"), [("chemical-leak", "ammonia", 1.0), ("rainstorm", "stage", 4.5)]
)
def test_the_reference_is_when_the_limit_breaks(slug: str, quantity: str, limit: float) -> None:
    """Lead times are measured against what the generator does, not against a number that was made up."""
    channels = build_channels(build_places())
    rows = [row for row, channel in enumerate(channels) if channel.quantity.slug == quantity]
    generator = ReadingGenerator(channels, HAPPENINGS, START, 1)
    at: datetime = START
    while not (generator.step(at)[0][rows] > limit).any():
        at += STEP
    happening = next(one for one in HAPPENINGS if one.slug == slug)
    assert happening.reference_minutes is not None
    assert abs((at - START).total_seconds() / 60 - happening.reference_minutes) <= 10


@pytest.mark.parametrize(
    ("found", "touched"),
    [
        (alert("flood", "990101104", 600), True),
        (alert("flood", "990101104012003", 600), True),
        (alert("flood", "990101104", 580), False),  # from before the storm
        (alert("flood", "990101103", 600), False),  # elsewhere
        (alert("noise-complaint", "990101104", 600), False),  # something else
        (alert("flood", "990101104", 1600), False),  # long after
    ],
)
def test_an_alert_touches_an_event_by_category_place_and_period(found: FoundAlert, touched: bool) -> None:
    """All three have to meet; an alert from before an event does not find it."""
    storm = next(one for one in HAPPENINGS if one.slug == "rainstorm")
    assert touches(found, storm, START) is touched


def test_false_alerts_are_those_above_blue_that_nothing_explains() -> None:
    """Blue ones are notes, and a distraction that is worth no alert explains none above blue."""
    alerts = [
        alert("water-pollution", "990101101", 200),
        alert("water-pollution", "990101201", 200),
        alert("noise-complaint", "990101001", 800),
        alert("air-pollution", "990101201", 200, Level.BLUE),
    ]
    counted = count_alerts(HAPPENINGS, alerts, START)
    assert (counted.total, counted.false) == (4, 2)


def test_an_event_that_nobody_found_has_no_lead() -> None:
    """What was not found is told as such."""
    told = judge_events(HAPPENINGS, [], START)
    assert len(told) == 4
    assert all(one.found_at is None and one.lead_minutes is None for one in told)


def test_a_short_plan_leaves_out_what_begins_later() -> None:
    """A report on two hours must not expect the storm of the evening."""
    assert {one.slug for one in choose_happenings(Plan(hours=2.0)) if one.kind == "event"} == {"wage-dispute"}


def test_limits_of_the_air_follow_the_standard_of_the_scenarios_day() -> None:
    """They are stated as indices; PM2.5 has the concentrations of AQI 150 and 300."""
    assert START.date() == SCENARIO_DAY
    air = {
        one.quantity.slug: one.series.limits for one in build_channels(build_places()) if one.network == "air"
    }
    assert [(limit.value, limit.basis) for limit in air["pm25"]] == [
        (115, "HJ 633-2026, AQI 150"),
        (250, "HJ 633-2026, AQI 300"),
    ]
    assert {name: limits[0].value for name, limits in air.items()} == {
        "pm25": 115, "pm10": 250, "so2": 500, "no2": 200, "co": 10, "o3": 300,
    }  # fmt: skip
