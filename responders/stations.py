"""What the store hands out of stations: devices as gateways see them, series with their newest value, changes on record."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from domain.inputs import AwareTime
from domain.registry import Protocol, Series
from responders.registration import Action, Kind


class Seen(Struct, frozen=True, kw_only=True):
    """What all gateways together have seen of a device since they started; `seen_at` is None when they never did.

    `problem` is the newest one, "" for none; `channels` are those that no series claims.
    """

    protocol: Protocol
    address: str
    seen_at: AwareTime | None
    connected: bool
    packets: int
    readings: int
    refused: int
    problem: str
    clock_offset_seconds: float | None
    peer: str
    channels: tuple[str, ...]


class DeviceRow(Seen, frozen=True, kw_only=True):
    """A registered device; `secrets` says whether it has sealed ones, `series` counts what it delivers."""

    id: str
    name: str
    station: str
    area: str
    area_name: str
    source: str
    secrets: bool
    series: int
    lat: float | None
    lon: float | None


class Stranger(Seen, frozen=True, kw_only=True):
    """A device that speaks to a gateway and that nobody has registered."""

    gateway: str


class SeriesRow(Struct, frozen=True, kw_only=True):
    """A series with the end of its newest minute in county time, its last value there, and whether it has fallen silent.

    `good` says whether that minute holds a reading that detectors take.
    """

    series: Series
    area_name: str
    last_at: AwareTime | None
    last: float | None
    good: bool
    silent: bool


class RegistryChange(Struct, frozen=True, kw_only=True):
    """One change of the registry: who made it, when (county time), and (before, after) of each field."""

    id: int
    at: AwareTime
    actor: str
    kind: Kind
    ref: str
    area: str
    action: Action
    fields: dict[str, tuple[Any, Any]]


class Sifting(Struct, frozen=True, kw_only=True):
    """Which rows somebody wants: those that hold all words of `text`, lie in `area`, are of `source`."""

    text: str = ""
    area: str = ""
    source: str = ""
    problems: bool = False
    limit: int = 200

    def words(self) -> list[str]:
        """Give the words as patterns for LIKE, in lower case."""
        escaped = (
            word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") for word in self.text.split()
        )
        return [f"%{word.lower()}%" for word in escaped]


class DeviceList(Struct, frozen=True, kw_only=True):
    """Devices of a list, how many there are in all, and the strangers if the viewer may see them."""

    devices: tuple[DeviceRow, ...]
    total: int
    strangers: tuple[Stranger, ...] | None
    strangers_total: int


class SeriesList(Struct, frozen=True, kw_only=True):
    """Series of a list, and how many there are in all."""

    series: tuple[SeriesRow, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Followed:
    """What came of following a standard: the series changed, and those with a limit that it does not know, with why."""

    changed: tuple[str, ...]
    stuck: Mapping[str, str]


def end_of(minute: int | None) -> datetime | None:
    """Tell when a roll-up's Unix minute ends."""
    return None if minute is None else datetime.fromtimestamp((minute + 1) * 60, UTC)
