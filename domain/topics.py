"""Every topic with its record, version, key and lifetime: the contract between the stages."""

from dataclasses import dataclass
from typing import Any

from domain.clock import Clock
from domain.devices import DeviceAnswer, DeviceCommand, Sighting
from domain.findings import Alert, Calibration, Finding, Heartbeat, RollUps
from domain.incidents import Disposition
from domain.inputs import Bulletin, Reading, Rejected, Report, Ticket
from domain.registry import Area, Device, Series, Source

PACKED = "application/vnd.apache.arrow.stream"
"""Value of the header `encoding` for readings packed as columns; JSON has no such header."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic holds one record type; `version` counts incompatible changes of its form.

    `partitioned` topics get the number of partitions of the settings and are keyed by area; the others have one
    partition. A `compacted` topic keeps the newest record per key, an empty value removes the key.
    """

    name: str
    record: type[Any]
    version: int = 1
    partitioned: bool = True
    compacted: bool = False
    retention_hours: int = 24 * 7

    @property
    def kind(self) -> str:
        """Name the record type on the wire."""
        return self.record.__name__.lower()


READINGS = Topic("feed.readings", Reading)
TICKETS = Topic("feed.tickets", Ticket)
REPORTS = Topic("feed.reports", Report)
BULLETINS = Topic("feed.bulletins", Bulletin)
REJECTED = Topic("feed.rejected", Rejected, retention_hours=24 * 90)
FINDINGS = Topic("findings", Finding)
ALERTS = Topic("alerts", Alert, retention_hours=24 * 30)
ROLLUPS = Topic("rollups", RollUps)
HEARTBEATS = Topic("heartbeats", Heartbeat, partitioned=False, retention_hours=1)
DISPOSITIONS = Topic("feed.dispositions", Disposition, compacted=True)
CALIBRATIONS = Topic("calibrations", Calibration, compacted=True)
REGISTRY_AREAS = Topic("registry.areas", Area, partitioned=False, compacted=True)
SIGHTINGS = Topic("sightings", Sighting, partitioned=False, retention_hours=24)
DEVICE_COMMANDS = Topic("device.commands", DeviceCommand, partitioned=False, retention_hours=24)
DEVICE_ANSWERS = Topic("device.answers", DeviceAnswer, partitioned=False, retention_hours=24)
REGISTRY_DEVICES = Topic("registry.devices", Device, partitioned=False, compacted=True)
REGISTRY_SERIES = Topic("registry.series", Series, partitioned=False, compacted=True)
REGISTRY_SOURCES = Topic("registry.sources", Source, partitioned=False, compacted=True)
REGISTRY_CLOCK = Topic("registry.clock", Clock, partitioned=False, compacted=True)

TOPICS = {
    topic.name: topic
    for topic in (
        READINGS,
        TICKETS,
        REPORTS,
        BULLETINS,
        REJECTED,
        FINDINGS,
        ALERTS,
        ROLLUPS,
        HEARTBEATS,
        DISPOSITIONS,
        CALIBRATIONS,
        SIGHTINGS,
        DEVICE_COMMANDS,
        DEVICE_ANSWERS,
        REGISTRY_AREAS,
        REGISTRY_DEVICES,
        REGISTRY_SERIES,
        REGISTRY_SOURCES,
        REGISTRY_CLOCK,
    )
}
