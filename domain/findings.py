"""What detectors say and what fusion makes of it: findings, alerts, roll-ups, heartbeats."""

from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from domain.incidents import Verdict
from domain.inputs import AwareTime
from domain.levels import Domain, Feed, Level


class FindingState(StrEnum):
    """A cleared finding is a finding: what was said before no longer holds."""

    CONFIRMED = "confirmed"
    CLEARED = "cleared"


class SubjectKind(StrEnum):
    """What a finding is about."""

    SERIES = "series"
    CELL = "cell"
    ZONE = "zone"
    BULLETIN = "bulletin"


class BrokenLimit(Struct, frozen=True, kw_only=True):
    """The limit that a series broke, in the unit of the series."""

    level: Level
    value: float
    basis: str = ""


class Arrival(Struct, frozen=True, kw_only=True):
    """When what passes along a river is expected at a series further downstream: between two times, if at all."""

    series: str
    earliest: AwareTime
    latest: AwareTime


class Finding(Struct, frozen=True, kw_only=True):
    """What one detector says about one place and time: nothing but evidence.

    `observed_at` is the event time of the input that decided, `received_at` that input's arrival at the gateway;
    `observed` and `expected` are in `unit`; `inputs` names up to 20 of the inputs behind it, newest first.
    The id stays the same from confirmation through every update to clearing. What rests on a `restricted` one is not told to
    the public. A `weak` one raises nothing by itself, it counts beside others; one in `shadow` comes from a detector or
    threshold on trial: it is recorded, and weighs nothing. `places` are the cells of a zone, most telling first; `terms` the
    words that rose, or the series that moved along; `arrivals` the series that it will come to next.
    """

    id: UUID
    detector: str
    detector_version: int
    category: str
    subject_kind: SubjectKind
    subject: str
    area: str
    feed: Feed
    state: FindingState
    observed_at: AwareTime
    received_at: AwareTime
    period_start: AwareTime
    period_end: AwareTime | None = None
    direction: str = "above"
    observed: float | None = None
    expected: float | None = None
    unit: str = ""
    p_value: float | None = None
    limit: BrokenLimit | None = None
    phrase: str | None = None
    inputs: tuple[UUID, ...] = ()
    restricted: bool = False
    weak: bool = False
    shadow: bool = False
    places: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    arrivals: tuple[Arrival, ...] = ()


class AlertChange(StrEnum):
    """What a version of an alert tells."""

    RAISED = "raised"
    CHANGED = "changed"
    CLEARED = "cleared"


class HeldBack(StrEnum):
    """Why an alert is listed, and nobody is paged."""

    BUDGET = "budget"  # the county's alerts of this week that were expected to be worth more came first
    CHANCE = "chance"  # officers found most alerts like it to be nothing


class Precedent(Struct, frozen=True, kw_only=True):
    """An earlier alert that was like this one, and what officers decided about it, if they did."""

    alert: UUID
    opened_at: AwareTime
    place: str
    level: Level
    verdict: Verdict | None = None


class Explanation(Struct, frozen=True, kw_only=True):
    """Why an alert: what decided (the id of that finding), and what lies around it.

    Expected, seen, rarity and begin are those of the deciding finding among the evidence. `nearby` are subjects of the same
    county that move along and are no evidence of their own; `quiet` counts neighbours that see nothing.
    """

    decisive: UUID
    nearby: tuple[str, ...] = ()
    quiet: int = 0
    precedent: Precedent | None = None


class Alert(Struct, frozen=True, kw_only=True):
    """Fused findings about one (county, category, place); one is open at a time, each change is a version.

    `reason` is the named reason for the level; `zh` and `en` are sentences an officer can read out.
    `received_at` is the gateway's receipt of the input that caused this version. `chance` is what the learned model expects:
    the probability that an officer will find it true; None before it has learned anything, and for what is never held back.
    A `drill` is one from its first version on, and for ever.
    """

    id: UUID
    version: int
    change: AlertChange
    domain: Domain
    category: str
    county: str
    place: str
    level: Level
    reason: str
    opened_at: AwareTime
    changed_at: AwareTime
    received_at: AwareTime
    evidence: tuple[Finding, ...]
    zh: str
    en: str
    chance: float | None = None
    held_back: HeldBack | None = None
    explanation: Explanation | None = None
    drill: bool = False


class CalibrationBin(Struct, frozen=True, kw_only=True):
    """Alerts whose chance lay in [low, high): how many, the mean chance, and how many of them officers found true."""

    low: float
    high: float
    count: int
    mean_chance: float
    found_true: int


class Calibration(Struct, frozen=True, kw_only=True):
    """What the learned model promised of alerts before their verdicts were known (prequential), and what became of them.

    `brier` is the mean squared error of the chance, `base_rate` the share found true, `detectors` counts verdicts by
    detector as (true, false); shadow detectors stand there as `NAME (shadow)`, with the verdicts on alerts that they fell
    together with. `alone` counts what a detector or threshold on trial found where there was no alert.
    """

    county: str
    at: AwareTime
    verdicts: int
    brier: float
    base_rate: float
    bins: tuple[CalibrationBin, ...]
    detectors: dict[str, tuple[int, int]] = {}
    alone: dict[str, int] = {}


class LateReading(Struct, frozen=True, kw_only=True):
    """A reading past the lateness bound: stored and counted, unseen by detectors."""

    series: str
    observed_at: AwareTime
    value: float
    quality: int


class RollUps(Struct, frozen=True, kw_only=True):
    """One-minute roll-ups as columns of one length, and late readings.

    A row is cumulative for its (series, minute): the row with the greater `count` replaces the other, so that writing it
    again changes nothing. `minute` is Unix time in minutes; `count` counts all readings, `good` those that carry
    `total`, `low`, `high` and `last` (unit of the series; meaningless where `good` is 0).
    """

    series: list[str]
    minute: list[int]
    count: list[int]
    good: list[int]
    total: list[float]
    low: list[float]
    high: list[float]
    last: list[float]
    late: list[LateReading] = []


class Heartbeat(Struct, frozen=True, kw_only=True):
    """A sign of life, sent by wall time; `detail` names what the instance works on."""

    component: str
    instance: str
    at: AwareTime
    detail: str = ""
