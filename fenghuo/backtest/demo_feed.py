"""The demo county as a feed for the offline run: as many days of it as are wanted, made as they are needed."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from config.data import Data
from config.settings import Settings
from detectors.words.text import Classifier
from domain.codec import decode
from domain.findings import Alert
from domain.inputs import BulletinIn, ReportIn, TicketIn
from domain.topics import ALERTS, FINDINGS
from fenghuo.backtest.intake import Columns, TextIntake, merged, pack_of, townships_of
from fenghuo.backtest.judged import Verdict, judge
from fenghuo.backtest.officers import Officers, play_with
from fenghuo.backtest.runner import Arrival, Offline, play
from fenghuo.demo.calls import Call, build_calls
from fenghuo.demo.county import START
from fenghuo.demo.networks import Channel, build_channels
from fenghuo.demo.places import build_places
from fenghuo.demo.readings import ReadingGenerator
from fenghuo.demo.truth import Happening
from streams.packing import micros

SOURCES = {TicketIn: "hotline-12345", ReportIn: "grid-app", BulletinIn: "weather-office"}
STEP = timedelta(minutes=15)
"""Stations of the demo promise a reading so often."""


@dataclass(frozen=True, slots=True)
class DemoWeeks:
    """How much of the demo county is played and judged: days before its start, in which detectors learn, and days after.

    A smaller `share` leaves out stations; `step` is how often each measures.
    """

    seed: int = 1
    history_days: float = 7.0
    days: float = 14.0
    share: float = 1.0
    step: timedelta = STEP

    @property
    def first(self) -> datetime:
        """Tell when the history begins."""
        return START - timedelta(days=self.history_days)

    @property
    def until(self) -> datetime:
        """Tell when it ends."""
        return START + timedelta(days=self.days)


def run_demo(
    settings: Settings,
    data: Data,
    plan: DemoWeeks,
    happenings: Sequence[Happening] = (),
    classifier: Classifier | None = None,
) -> Verdict:
    """Run weeks of the demo county offline and judge them; without happenings every alert above blue is false."""
    return fuse(
        settings, data, plan, happenings, detect(settings, data, plan, happenings, classifier), classifier
    )


def detect(
    settings: Settings,
    data: Data,
    plan: DemoWeeks,
    happenings: Sequence[Happening],
    classifier: Classifier | None = None,
    measured_by: type[ReadingGenerator] = ReadingGenerator,
) -> list[Arrival]:
    """Run the detectors over weeks of the demo county; answers their findings. `measured_by` makes the readings."""
    places = build_places()
    channels = build_channels(places, plan.share)
    offline = Offline(
        settings,
        data,
        places.areas,
        [channel.series for channel in channels],
        classifier,
        without=("fusion",),
    )
    generator = measured_by(channels, happenings, START, plan.seed)
    calls = build_calls(
        places, happenings, history_from=plan.first, start=START, until=plan.until, seed=plan.seed
    )
    arrivals = merged(
        reading_arrivals(channels, generator, plan.first, plan.until, plan.step),
        call_arrivals(calls, TextIntake(settings, data, offline.registry)),
    )
    return [said for said in play(offline, arrivals, plan.until) if said.message.topic == FINDINGS.name]


def fuse(
    settings: Settings,
    data: Data,
    plan: DemoWeeks,
    happenings: Sequence[Happening],
    findings: Sequence[Arrival],
    classifier: Classifier | None = None,
    *,
    with_officers: bool = False,
) -> Verdict:
    """Fuse findings to alerts and judge them; with officers, verdicts come back as from people who find the truth.

    Detectors hear nothing of alerts, so that the same findings may be fused in several ways.
    """
    places = build_places()
    series = [channel.series for channel in build_channels(places, plan.share)]
    offline = Offline(
        settings, data, places.areas, series, classifier, without=("readings", "texts", "bulletins")
    )
    said = (
        play_with(Officers(happenings, START), offline, findings, plan.until)
        if with_officers
        else play(offline, findings, plan.until)
    )
    return judge(alerts_in(said), happenings, start=START, judged_from=START, until=plan.until, counties=1)


def alerts_in(said: Iterable[Arrival]) -> Iterator[Alert]:
    """Pick each version of each alert out of what a run says."""
    for one in said:
        if one.message.topic == ALERTS.name:
            yield decode(ALERTS, one.message.value, one.message.headers)


def reading_arrivals(
    channels: Sequence[Channel],
    generator: ReadingGenerator,
    first: datetime,
    until: datetime,
    step: timedelta,
) -> Iterator[Arrival]:
    """Let every station of the demo measure once a step, from `first` until before `until`."""
    names = [channel.series.id for channel in channels]
    townships = np.array(townships_of(channel.series.area for channel in channels))
    rows_of = {str(name): np.flatnonzero(townships == name) for name in np.unique(townships)}
    index, good = np.arange(len(names), dtype=np.int32), np.zeros(len(names), np.uint8)
    at = first
    while at < until:
        values, present = generator.step(at)
        observed = micros(at)
        columns = Columns(names, index, np.full(len(names), observed, np.int64), values, good)
        for township, rows in rows_of.items():
            speaking = rows[present[rows]]
            if len(speaking):
                yield pack_of(columns, speaking, township, observed)
        at += step


def call_arrivals(calls: Sequence[Call], intake: TextIntake) -> Iterator[Arrival]:
    """Take calls, reports and bulletins when they are made."""
    for call in calls:
        yield intake.take(SOURCES[type(call.item)], call.item, call.at)
