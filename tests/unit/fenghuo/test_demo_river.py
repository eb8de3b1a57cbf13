"""The demo county's leak as its river sees it: that it passes is told before the second station breaks its limit."""

from datetime import datetime, timedelta

import numpy as np
import pytest

from config.data import load_data
from detectors.fusion.neighbours import Neighbours
from detectors.series.watch import SeriesWatch
from domain.findings import Finding, FindingState
from fenghuo.demo.county import START
from fenghuo.demo.networks import build_channels
from fenghuo.demo.places import build_places
from fenghuo.demo.readings import ReadingGenerator
from fenghuo.demo.truth import read_truth

WARM_UP = timedelta(days=5)
LEAK = [happening for happening in read_truth() if happening.slug == "chemical-leak"]


@pytest.mark.parametrize("seed", [21, 22])
def test_a_leak_is_said_to_pass_before_the_second_station_breaks_its_limit(seed: int) -> None:
    """Once it has come to a second station the passage is told, with the next one's time, and the limit breaks later."""
    channels = [
        channel
        for channel in build_channels(build_places(), 0.1)
        if channel.network == "river" and channel.quantity.slug == "ammonia"
    ]
    series = [channel.series for channel in channels]
    generator = ReadingGenerator(channels, LEAK, START, seed)
    watch = SeriesWatch(series)
    neighbours = Neighbours({one.id: one for one in series}, load_data().rivers)
    names, index = [one.id for one in series], np.arange(len(series), dtype=np.int32)
    at, told = START - WARM_UP, list[Finding]()
    broken: dict[str, datetime] = {}
    while at < START + timedelta(hours=6):
        values, _ = generator.step(at)
        time = int(at.timestamp() * 1e6)
        observed = watch.observe(
            names,
            index,
            np.full(len(index), time, np.int64),
            values,
            np.zeros(len(index), np.uint8),
            time,
        )
        watch.take_rollups()
        for finding in observed.findings:
            if finding.limit is not None:
                broken.setdefault(finding.subject, finding.observed_at)
            told += [passage for passage in neighbours.take(finding) if at >= START]
        at += timedelta(minutes=15 if at < START else 5)
    first = next(passage for passage in told if passage.state is FindingState.CONFIRMED)
    assert first.terms[:2] == ("river.qs03.ammonia", "river.qs04.ammonia")
    assert first.observed_at < broken["river.qs04.ammonia"]
    arrival = first.arrivals[0]
    assert arrival.series == "river.qs05.ammonia"
    assert arrival.earliest <= broken["river.qs05.ammonia"] <= arrival.latest
