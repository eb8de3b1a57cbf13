"""The scripted truth of the demo county: what happens where and when. The detectors never see it."""

from typing import Literal

from msgspec import Struct, convert

from domain.levels import Domain, Level
from fenghuo.demo.places import read_data


class Effect(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A push on readings: a ramp up, a plateau, a ramp down; on a river, later and weaker from station to station."""

    network: str
    quantity: str
    size: float
    after: float
    rise: float
    hold: float
    fall: float
    areas: tuple[str, ...] = ()
    river: str = ""
    from_station: int = 1
    delay: float = 0.0
    decay: float = 1.0


class Breakdown(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A device that fails: it sticks, drifts away or goes silent."""

    network: str
    quantity: str
    station: int
    kind: Literal["stuck", "drift", "silent"]
    after: float
    per_hour: float = 0.0


class Calls(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Calls or reports that grow or fade evenly between two rates per hour."""

    feed: Literal["tickets", "reports"]
    phrases: str
    areas: tuple[str, ...]
    after: float
    until: float
    per_hour: tuple[float, float]


class Repeated(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A few tickets that a confused sender pushes again and again."""

    phrases: str
    areas: tuple[str, ...]
    after: float
    until: float
    tickets: int
    times: int


class Notice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A bulletin of the demo's weather office."""

    id: str
    category: str
    level: Level
    areas: tuple[str, ...]
    after: float
    hours: float
    headline: str


class Happening(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that happens; minutes count from the start of the scenario."""

    slug: str
    kind: Literal["event", "distraction"]
    name: str
    domain: Domain
    categories: tuple[str, ...]
    areas: tuple[str, ...]
    after_minutes: float
    until_minutes: float
    expected: Level = Level.BLUE
    worth_an_alert: bool = False
    reference_minutes: float | None = None
    reference: str = ""
    effect: tuple[Effect, ...] = ()
    fault: tuple[Breakdown, ...] = ()
    call: tuple[Calls, ...] = ()
    repeat: tuple[Repeated, ...] = ()
    bulletin: tuple[Notice, ...] = ()


class _TruthFile(Struct, frozen=True, forbid_unknown_fields=True):
    happening: tuple[Happening, ...]


def read_truth() -> tuple[Happening, ...]:
    """Read the script."""
    return convert(read_data("truth.toml"), _TruthFile).happening
