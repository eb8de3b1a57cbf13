"""Simulated officers for an offline run: some time after an alert has reached people they decide what it was."""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from domain.codec import decode
from domain.findings import Alert
from domain.identity import derived_id, incident_id
from domain.incidents import Disposition, Verdict
from domain.topics import ALERTS, DISPOSITIONS
from fenghuo.backtest.runner import Arrival, Offline
from fenghuo.demo.judging import FoundAlert, touches
from fenghuo.demo.truth import Happening
from streams.messages import message_of

DECIDE = timedelta(minutes=45)
"""From the alert to the verdict; officers of the demo take as long."""


class Officers:
    """Decide by what really happened: true when an alert touches an event, or a distraction worth an alert.

    Of an alert that was held back they hear nothing, and decide nothing.
    """

    def __init__(self, happenings: Sequence[Happening], start: datetime) -> None:
        """Take the truth; its minutes count from `start`."""
        self._worth = [one for one in happenings if one.kind == "event" or one.worth_an_alert]
        self._start = start
        self._heard: set[UUID] = set()
        self._due: list[tuple[datetime, UUID, Disposition]] = []

    def hear(self, alert: Alert) -> None:
        """Take notice of a version of an alert; the first that reaches people decides when the verdict is made."""
        if alert.held_back is not None or alert.id in self._heard:
            return
        self._heard.add(alert.id)
        found = FoundAlert(
            id=alert.id,
            category=alert.category,
            place=alert.place,
            level=alert.level,
            opened_at=alert.changed_at,
            changed_at=alert.changed_at,
        )
        is_true = any(touches(found, one, self._start) for one in self._worth)
        at = alert.changed_at + DECIDE
        verdict = Disposition(
            id=derived_id("disposition", alert.id),
            alert=alert.id,
            incident=incident_id(alert.id),
            category=alert.category,
            county=alert.county,
            verdict=Verdict.TRUE if is_true else Verdict.FALSE,
            decided_at=at,
        )
        heapq.heappush(self._due, (at, alert.id, verdict))

    def due(self, at: datetime) -> Iterator[Arrival]:
        """Hand in the verdicts that are made by a time, in their order."""
        while self._due and self._due[0][0] <= at:
            when, alert, verdict = heapq.heappop(self._due)
            yield Arrival(when, message_of(DISPOSITIONS, str(alert), verdict))


def play_with(
    officers: Officers, offline: Offline, arrivals: Iterable[Arrival], until: datetime
) -> Iterator[Arrival]:
    """Work off all arrivals with officers deciding in between; yields what comes out as it comes."""
    for arrival in arrivals:
        yield from _until(officers, offline, arrival.at)
        yield from _heard(officers, offline.take(arrival))
    yield from _until(officers, offline, until)
    yield from _heard(officers, offline.advance(until))


def _until(officers: Officers, offline: Offline, at: datetime) -> Iterator[Arrival]:
    """Let officers decide until a time, in steps so short that no verdict is due before its alert was heard of."""
    while True:
        now = offline.now
        step = at if now is None else min(at, now + DECIDE)
        for verdict in officers.due(step):
            yield from _heard(officers, offline.take(verdict))
        if now is None or step == at:
            return
        yield from _heard(officers, offline.advance(step))


def _heard(officers: Officers, said: Iterable[Arrival]) -> Iterator[Arrival]:
    for one in said:
        if one.message.topic == ALERTS.name:
            officers.hear(decode(ALERTS, one.message.value, one.message.headers))
        yield one
