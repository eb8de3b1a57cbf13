"""Findings and officers' verdicts of the counties of one partition: to alerts."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from config.data import Category
from config.metrics import INPUTS
from detectors.fusion.fusion import Fusion
from domain.codec import decode
from domain.findings import Alert, Finding
from domain.incidents import Disposition
from domain.registry import Area, Series
from domain.topics import DISPOSITIONS, FINDINGS
from streams.desk import Incoming, Outgoing
from streams.messages import alert_message, message_of, partition_of


class FusionDesk:
    """Fuses what is found in whole counties; decides by the clock, so its output is written down before it is sent."""

    def __init__(
        self,
        categories: Mapping[str, Category],
        areas: Mapping[str, Area],
        series: Mapping[str, Series],
        partitions: int,
        now: Callable[[], datetime],
    ) -> None:
        """Take the categories, the registry's names, how many partitions there are, and county time."""
        self._areas = areas
        self._series = series
        self._partitions = partitions
        self._now = now
        self._latest: datetime | None = None
        self._fusion = Fusion(categories, self._name_of)

    def take(self, message: Incoming) -> Outgoing:
        """Take in a finding or a verdict."""
        if message.topic == FINDINGS.name:
            finding: Finding = decode(FINDINGS, message.value, message.headers)
            INPUTS.labels("stream", FINDINGS.name).inc()
            return _messages(self._fusion.apply(finding, self._time()))
        if message.value is None:
            return []  # a verdict that was removed: what it taught stays
        disposition: Disposition = decode(DISPOSITIONS, message.value, message.headers)
        INPUTS.labels("stream", "dispositions").inc()
        home = partition_of(disposition.county, self._partitions)
        if home != message.partition:
            # The topic's key is the alert, so that a later verdict replaces the earlier: it may arrive anywhere.
            return [message_of(DISPOSITIONS, str(disposition.alert), disposition, partition=home)]
        return _messages(self._fusion.dispose(disposition, self._time()))

    def tick(self, now: datetime) -> Outgoing:
        """Lower, clear and forget what time makes due."""
        return _messages(self._fusion.tick(self._time(now)))

    def collect(self) -> Outgoing:
        """Hand out nothing."""
        return []

    def dump(self) -> dict[str, bytes]:
        """Write down the counties that changed."""
        return self._fusion.dump()

    def restore(self, pieces: dict[str, bytes]) -> None:
        """Take up all counties."""
        self._fusion.restore(pieces)

    def _time(self, now: datetime | None = None) -> datetime:
        """Tell county time, which for the fusion never goes back."""
        now = now or self._now()
        self._latest = now if self._latest is None else max(self._latest, now)
        return self._latest

    def _name_of(self, subject: str) -> str:
        named = self._areas.get(subject) or self._series.get(subject)
        return named.name if named else subject


def _messages(alerts: Iterable[Alert]) -> Outgoing:
    return [alert_message(alert) for alert in alerts]
