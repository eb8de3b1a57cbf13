"""The situation of an area as a command centre sees it, and the alarm load against EEMUA 191 and ISA-18.2. Pure."""

from collections.abc import Sequence
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from domain.incidents import IncidentState
from domain.inputs import AwareTime
from domain.levels import Grade, Level
from responders.drills import DrillRow
from responders.views import ClockRow

BIN_MINUTES = 10
BINS = 144
"""A day in spans of ten minutes."""
STEADY = 1.0
"""Alarms an operator can deal with in ten minutes in the long run: EEMUA 191 and ISA-18.2 (IEC 62682)."""
MANAGEABLE = 2.0
"""More than that in the long run is more than can be managed, by the same."""
FLOOD = 10
"""More than that in ten minutes is a flood, by the same."""
FLOOD_SHARE = 0.01
"""A system in good order is in flood for less than one hundredth of the time, by ISA-18.2."""


class Below(Struct, frozen=True, kw_only=True):
    """How an area right below stands; cases of drills are in `drills` alone.

    `levels` counts open cases from blue to red. `climbed` cases went to a higher level unacknowledged. Of `tasks`
    that are not done, `late` ones passed their time.
    """

    area: str
    name: str
    name_en: str = ""
    levels: tuple[int, int, int, int] = (0, 0, 0, 0)
    drills: int = 0
    unacknowledged: int = 0
    climbed: int = 0
    waiting_since: AwareTime | None = None
    tasks: int = 0
    late: int = 0


class OwedReport(Struct, frozen=True, kw_only=True):
    """A report that the law asks for and that was not made: of which case, and its clock."""

    incident: UUID
    title: str
    place_name: str
    level: Level
    drill: bool
    clock: ClockRow


class JointCase(Struct, frozen=True, kw_only=True):
    """A case that several areas deal with, by their names."""

    id: UUID
    title: str
    level: Level
    grade: Grade
    state: IncidentState
    drill: bool
    opened_at: AwareTime
    place_name: str
    coordinator: str
    parties: tuple[str, ...]


class StormNow(Struct, frozen=True, kw_only=True):
    """A storm that lasts."""

    county: str
    name: str
    began_at: AwareTime


class LoadVerdict(StrEnum):
    """What the figures of the alarm load say, by the worst of them."""

    CALM = "calm"  # nobody was told anything
    STEADY = "steady"  # within one alarm in ten minutes, and no flood
    BUSY = "busy"  # more than one on the average, or floods in less than a hundredth of the time
    OVERLOADED = "overloaded"  # more than two on the average, or floods for longer
    FLOOD = "flood"  # somebody is in a flood now


class AlarmBin(Struct, frozen=True, kw_only=True):
    """Ten minutes: alarms that reached people, the most for one of them, how many had a flood, how many were there."""

    at: AwareTime
    alarms: int
    most: int
    flooded: int
    operators: int


class AlarmLoad(Struct, frozen=True, kw_only=True):
    """The alarm load of an area's people over a day; never of one person.

    `mean` is alarms per operator and ten minutes over the day, `now` the most that one of them had in the last ten minutes,
    `peak` the most in any; `flood_share` is the share of operators' time in flood.
    """

    verdict: LoadVerdict
    mean: float
    now: int
    peak: int
    flood_share: float
    bins: tuple[AlarmBin, ...]


def judge_load(bins: Sequence[AlarmBin]) -> AlarmLoad:
    """Judge a day in spans of ten minutes, oldest first, by EEMUA 191 and ISA-18.2."""
    spans = sum(one.operators for one in bins)
    mean = sum(one.alarms for one in bins) / spans if spans else 0.0
    share = sum(one.flooded for one in bins) / spans if spans else 0.0
    now = bins[-1].most if bins else 0
    peak = max((one.most for one in bins), default=0)
    if now > FLOOD:
        verdict = LoadVerdict.FLOOD
    elif mean > MANAGEABLE or share > FLOOD_SHARE:
        verdict = LoadVerdict.OVERLOADED
    elif mean > STEADY or share:
        verdict = LoadVerdict.BUSY
    else:
        verdict = LoadVerdict.STEADY if peak else LoadVerdict.CALM
    return AlarmLoad(verdict=verdict, mean=mean, now=now, peak=peak, flood_share=share, bins=tuple(bins))


class Situation(Struct, frozen=True, kw_only=True):
    """Everything that `/command` and `/wall` show beside the cases themselves, at one moment.

    `lately` counts cases opened within the minutes by which storms are told. Of `owed` and `joint` there are
    `owed_total` and `joint_total`.
    """

    at: AwareTime
    area: str
    area_name: str
    below: tuple[Below, ...]
    owed: tuple[OwedReport, ...]
    owed_total: int
    joint: tuple[JointCase, ...]
    joint_total: int
    storms: tuple[StormNow, ...]
    lately: int
    drills: tuple[DrillRow, ...]
    load: AlarmLoad
