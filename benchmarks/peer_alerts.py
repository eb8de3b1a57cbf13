"""What plain thresholds make of the same weeks: three standard deviations for each series, EARS C2 for each cell of calls.

Both are grouped as kindly as our own alerts: what speaks of one category in one township within a day of the last is one
alert. Neither knows legal limits or phrases.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import numpy as np

from domain.areas import township_of
from domain.identity import derived_id
from domain.inputs import ReportIn, TicketIn
from domain.levels import Level
from fenghuo.backtest.demo_feed import DemoWeeks
from fenghuo.demo.calls import Call
from fenghuo.demo.county import START
from fenghuo.demo.judging import FoundAlert
from fenghuo.demo.networks import Channel
from fenghuo.demo.readings import SHANGHAI, ReadingGenerator

SIGMAS = 3.0
WARM = 96
"""Readings of a series before it is judged: a day."""
QUIET = timedelta(hours=24)
C2_DAYS, C2_LAG, C2_SIGMAS = 7, 2, 3.0
"""EARS C2 (Hutwagner et al. 2003): mean and deviation of seven days that end two days before."""
DAY = timedelta(days=1)

Signal = tuple[datetime, str, str]
"""Time, category, township."""


def three_sigma(
    channels: Sequence[Channel], generator: ReadingGenerator, plan: DemoWeeks
) -> list[FoundAlert]:
    """Alert when a reading lies more than SIGMAS deviations from the mean of all readings of its series before it."""
    count = np.zeros(len(channels))
    mean, square = np.zeros(len(channels)), np.zeros(len(channels))
    subjects = [(one.series.category, township_of(one.series.area)) for one in channels]
    signals: list[Signal] = []
    at = plan.first
    while at < plan.until:
        values, present = generator.step(at)
        sigma = np.sqrt(square / np.maximum(count - 1, 1))
        far = present & (count >= WARM) & (np.abs(values - mean) > SIGMAS * np.maximum(sigma, 1e-9))
        signals += [(at, *subjects[row]) for row in np.flatnonzero(far)]
        count += present
        delta = np.where(present, values - mean, 0.0)
        mean += delta / np.maximum(count, 1)
        square += delta * np.where(present, values - mean, 0.0)
        at += plan.step
    return grouped(signals)


def ears_c2(calls: Iterable[Call], categories: dict[str, str], plan: DemoWeeks) -> list[FoundAlert]:
    """Alert at the end of a day whose count in a township and category exceeds EARS C2's threshold.

    `categories` gives a text's category as the platform's dictionary does: the peer gets the same classification.
    """
    days = (plan.until - plan.first) // DAY
    counts: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * days)
    begin = plan.first.astimezone(SHANGHAI)
    for call in calls:
        if isinstance(call.item, TicketIn | ReportIn) and call.item.area:
            day = (call.at - begin) // DAY
            if 0 <= day < days:
                counts[categories[call.item.text], township_of(call.item.area)][day] += 1
    signals: list[Signal] = []
    for (category, township), daily in counts.items():
        series = np.array(daily, np.float64)
        for day in range(C2_DAYS + C2_LAG, days):
            past = series[day - C2_LAG - C2_DAYS : day - C2_LAG]
            if series[day] > past.mean() + C2_SIGMAS * max(past.std(ddof=1), 1e-9) and series[day] > 1:
                signals.append((begin + (day + 1) * DAY, category, township))
    return grouped(sorted(signals))


def grouped(signals: Iterable[Signal]) -> list[FoundAlert]:
    """Make alerts of signals in order of time: one goes on while less than QUIET has passed since its last signal."""
    newest: dict[tuple[str, str], datetime] = {}
    alerts = []
    for at, category, township in signals:
        before = newest.get((category, township))
        newest[category, township] = at
        if before is not None and at - before < QUIET:
            continue
        if at >= START:
            alerts.append(
                FoundAlert(
                    id=derived_id("peer", category, township, at),
                    category=category,
                    place=township,
                    level=Level.YELLOW,
                    opened_at=at,
                    changed_at=at,
                )
            )
    return alerts
