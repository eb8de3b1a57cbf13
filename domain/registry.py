"""What responders own and publish for streams and gateways: areas, devices, series, sources."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from domain.inputs import AreaCode, AwareTime, Slug
from domain.levels import Feed, Level


class Limit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A legal or station limit: broken by `consecutive` readings in a row, over when back by a share of it.

    A limit that is stated as an air quality index (`aqi`, by `averaging`) has as `value` what the standard in force says;
    `domain/limits.py` works it out, and responders follow the standard.
    """

    level: Level
    value: float
    direction: str = "above"  # "above" | "below"
    hysteresis: Annotated[float, Meta(ge=0, lt=1)] = 0.05
    consecutive: Annotated[int, Meta(ge=1, le=60)] = 2
    basis: str = ""
    aqi: Annotated[int, Meta(ge=1, le=500)] | None = None
    averaging: Annotated[str, Meta(max_length=10)] = ""

    def __post_init__(self) -> None:
        if self.direction not in ("above", "below"):
            raise ValueError("direction must be above or below")
        if (self.aqi is None) is not (self.averaging == ""):
            raise ValueError("aqi and averaging go together")
        if self.aqi is not None and self.direction != "above":
            raise ValueError("direction must be above for an aqi")


class Series(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One channel of one device; `low` and `high` bound what the device can measure, in `unit`.

    `device` and `channel` say which device delivers it in its own protocol, and what it calls the channel; a series that
    comes over HTTP under its own id has neither. `river` and `river_km` say where on which river it measures: kilometres
    along the water from the river's source, so that greater is further downstream.
    """

    id: Slug
    name: str
    quantity: str
    unit: str
    area: AreaCode
    category: Slug
    source: Slug
    interval_seconds: Annotated[float, Meta(gt=0)]
    low: float | None = None
    high: float | None = None
    max_rate: Annotated[float, Meta(gt=0)] | None = None  # unit per second
    limits: Annotated[tuple[Limit, ...], Meta(max_length=4)] = ()
    device: Slug | None = None
    channel: Annotated[str, Meta(max_length=60, pattern=r"^[\w.:\-]*$")] = ""
    river: Slug | None = None
    river_km: Annotated[float, Meta(ge=0)] | None = None

    def __post_init__(self) -> None:
        if (self.device is None) is not (self.channel == ""):
            raise ValueError("device and channel go together")
        if (self.river is None) is not (self.river_km is None):
            raise ValueError("river and river_km go together")


class Protocol(StrEnum):
    """What devices speak; the value stands in series ids, metrics and files."""

    HJ212 = "hj212"
    SL651 = "sl651"
    MQTT = "mqtt"


class Device(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A data logger of a monitoring station; `address` is what it calls itself in its protocol.

    HJ 212: the MN; SL 651: the ten digits of the station; MQTT: what the topic says. `sealed` holds its password and key,
    sealed under the gateways' key for the record of its id (`Secrets`): neither broker nor database sees them.
    """

    id: Slug
    name: str
    station: str = ""
    area: AreaCode
    source: Slug
    protocol: Protocol
    address: Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[\w.:\-]+$")]
    sealed: str | None = None
    lat: Annotated[float, Meta(ge=-90, le=90)] | None = None
    lon: Annotated[float, Meta(ge=-180, le=180)] | None = None


class Secrets(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a device and its gateway share, in clear only inside the gateway and the command that seals it."""

    password: str | None = None
    sm4_key: Annotated[str, Meta(pattern=r"^[0-9a-fA-F]{32}$")] | None = None

    def __repr__(self) -> str:
        return "Secrets(…)"


def own_series(protocol: Protocol, address: str, channel: str) -> str:
    """Name the series of a channel that nobody has registered: its readings are kept under this id."""
    return f"{protocol}.{address}.{channel}"


class Area(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A node of the area tree with its centre (WGS-84 degrees) and, if known, its outline as lon, lat pairs."""

    code: AreaCode
    name: str
    name_en: str = ""
    lat: float | None = None
    lon: float | None = None
    outline: tuple[tuple[float, float], ...] = ()
    valid_from: AwareTime | None = None
    valid_to: AwareTime | None = None


class Source(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody who may send input: what, for which area, how fast. The token itself is known to the source alone."""

    slug: Slug
    token_sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
    feeds: tuple[Feed, ...]
    area: str
    items_per_second: Annotated[float, Meta(gt=0)] = 20_000.0
    burst: Annotated[float, Meta(gt=0)] = 100_000.0
