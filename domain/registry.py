"""What responders own and publish for streams and gateways: areas, series, sources."""

from typing import Annotated

from msgspec import Meta, Struct

from domain.inputs import AreaCode, AwareTime, Slug
from domain.levels import Feed, Level


class Limit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A legal or station limit: broken by `consecutive` readings in a row, over when back by a share of it."""

    level: Level
    value: float
    direction: str = "above"  # "above" | "below"
    hysteresis: Annotated[float, Meta(ge=0, lt=1)] = 0.05
    consecutive: Annotated[int, Meta(ge=1, le=60)] = 2
    basis: str = ""

    def __post_init__(self) -> None:
        if self.direction not in ("above", "below"):
            raise ValueError("direction must be above or below")


class Series(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One channel of one device; `low` and `high` bound what the device can measure, in `unit`."""

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
