"""Findings and officers' verdicts of the counties of one partition: to alerts, and to what was learned from verdicts."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from config.data import Category
from config.metrics import INPUTS
from config.rivers import River
from config.settings import FusionSettings
from detectors.fusion.fusion import Fusion
from detectors.fusion.neighbours import PREFIX, Neighbours
from domain.areas import county_of
from domain.codec import decode
from domain.findings import Alert, AlertChange, Finding
from domain.incidents import Disposition
from domain.registry import Area, Series
from domain.topics import CALIBRATIONS, DISPOSITIONS, FINDINGS
from streams.desk import Incoming, Outgoing
from streams.messages import alert_message, message_of, partition_of
from streams.metrics import ALERTS_HELD_BACK, RANKING_BRIER


class FusionDesk:
    """Fuses what is found in whole counties; decides by the clock, so its output is written down before it is sent."""

    def __init__(
        self,
        categories: Mapping[str, Category],
        areas: Mapping[str, Area],
        series: Mapping[str, Series],
        partitions: int,
        now: Callable[[], datetime],
        *,
        number: int | None = None,
        settings: FusionSettings | None = None,
        rivers: Mapping[str, River] | None = None,
    ) -> None:
        """Take the categories, the registry's names, how many partitions there are, and county time.

        Neighbours are known among the series whose county belongs to partition `number`, all of them without one.
        """
        self._areas = areas
        self._series = series
        self._partitions = partitions
        self._number = number
        self._now = now
        self._latest: datetime | None = None
        own = {name: one for name, one in series.items() if self._is_own(one)}
        self._neighbours = Neighbours(own, rivers or {})
        self._fusion = Fusion(categories, self._name_of, settings, self._neighbours.facts)
        self._waiting: list[Finding] = []

    def know(self, series: Series | None, name: str) -> None:
        """Take a series of the registry into account, or None for one that left; what follows is told at the next tick."""
        if series is None or not self._is_own(series):
            self._waiting += self._neighbours.forget(name)
        else:
            self._waiting += self._neighbours.know(series)

    def take(self, message: Incoming) -> Outgoing:
        """Take in a finding or a verdict."""
        if message.topic == FINDINGS.name:
            finding: Finding = decode(FINDINGS, message.value, message.headers)
            INPUTS.labels("stream", FINDINGS.name).inc()
            followed = self._neighbours.take(self._fusion.mark(finding))
            return self._apply([finding, *followed], self._time())
        if message.value is None:
            return []  # a verdict that was removed: what it taught stays
        disposition: Disposition = decode(DISPOSITIONS, message.value, message.headers)
        INPUTS.labels("stream", "dispositions").inc()
        home = partition_of(disposition.county, self._partitions)
        if home != message.partition:
            # The topic's key is the alert, so that a later verdict replaces the earlier: it may arrive anywhere.
            return [message_of(DISPOSITIONS, str(disposition.alert), disposition, partition=home)]
        now = self._time()
        return self._messages(self._fusion.dispose(disposition, now), now)

    def tick(self, now: datetime) -> Outgoing:
        """Lower, clear, tell and forget what time makes due."""
        now = self._time(now)
        waiting, self._waiting = self._waiting, []
        return self._apply(waiting, now) + self._messages(self._fusion.tick(now), now)

    def collect(self) -> Outgoing:
        """Hand out nothing."""
        return []

    def dump(self) -> dict[str, bytes]:
        """Write down the counties that changed."""
        return self._fusion.dump() | self._neighbours.dump()

    def restore(self, pieces: dict[str, bytes]) -> None:
        """Take up all counties."""
        of_neighbours = {name: piece for name, piece in pieces.items() if name.startswith(PREFIX)}
        self._neighbours.restore(of_neighbours)
        self._fusion.restore({name: piece for name, piece in pieces.items() if name not in of_neighbours})

    def _apply(self, findings: Iterable[Finding], now: datetime) -> Outgoing:
        return self._messages([alert for one in findings for alert in self._fusion.apply(one, now)], now)

    def _is_own(self, series: Series) -> bool:
        home = partition_of(county_of(series.area), self._partitions)
        return self._number is None or home == self._number

    def _time(self, now: datetime | None = None) -> datetime:
        """Tell county time, which for the fusion never goes back."""
        now = now or self._now()
        self._latest = now if self._latest is None else max(self._latest, now)
        return self._latest

    def _name_of(self, subject: str) -> str:
        named = self._areas.get(subject) or self._series.get(subject)
        return named.name if named else subject

    def _messages(self, alerts: Iterable[Alert], now: datetime) -> Outgoing:
        """Address alerts, and the calibrations that changed meanwhile, each replacing its county's last one."""
        out = []
        for alert in alerts:
            out.append(alert_message(alert))
            if alert.held_back is not None and alert.change is AlertChange.RAISED:
                ALERTS_HELD_BACK.labels(alert.held_back).inc()
        for calibration in self._fusion.calibrations(now):
            out.append(message_of(CALIBRATIONS, calibration.county, calibration))
            RANKING_BRIER.labels(calibration.county).set(calibration.brier)
        return out
