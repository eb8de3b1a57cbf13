"""What a drill does next: pure functions of the scenario, the places it is played in, and the present time.

A scenario is frozen into the drill when it begins, as a policy is into a case. Whatever it raises is marked from birth
(【演练】), in the alert's own words too.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import Struct

from config.data import Data
from config.drills import COUNTY, Drill, DrillStep
from domain.areas import AreaLevel, is_area_code
from domain.errors import Fault, InvalidInput
from domain.findings import Alert, AlertChange
from domain.identity import derived_id
from domain.inputs import AwareTime
from domain.levels import Domain
from responders import words

REASON = "drill"
SHANGHAI = ZoneInfo("Asia/Shanghai")
MARK_EN = "[DRILL] "


class Played(Struct, frozen=True, kw_only=True):
    """A drill as it was begun: the scenario, and which area each of its places stands for."""

    id: UUID
    county: str
    places: dict[str, str]
    scenario: Drill
    starts_at: AwareTime


class PlayedStep(Struct, frozen=True, kw_only=True):
    """One step with its time; `version` counts those of its alert."""

    number: int
    due_at: AwareTime
    alert: UUID | None = None
    version: int | None = None
    silent_area: str | None = None
    silent_until: AwareTime | None = None


def choose_places(
    scenario: Drill, county: str, areas: Mapping[str, str], wanted: Mapping[str, str]
) -> dict[str, str]:
    """Say which area each letter stands for: what is wanted, else the county's townships in the order of their codes.

    InvalidInput, with every fault, where an area is not in the registry or not of the county, or townships are too few.
    """
    faults: list[Fault] = []
    if not is_area_code(county) or len(county) != AreaLevel.COUNTY:
        faults.append(Fault("county", f"{county!r} is not the code of a county (6 digits)"))
    elif county not in areas:
        faults.append(Fault("county", f"{county} is not in the registry"))
    for letter, area in wanted.items():
        if letter not in scenario.letters:
            known = ", ".join(scenario.letters) or "none"
            faults.append(Fault(f"place {letter}", f"is no place of the scenario; it has {known}"))
        elif area not in areas or not area.startswith(county):
            faults.append(Fault(f"place {letter}", f"{area} is no area of the county in the registry"))
    if faults:
        raise InvalidInput(faults)
    taken = set(wanted.values())
    townships = [
        code
        for code in sorted(areas)
        if len(code) == AreaLevel.TOWNSHIP and code.startswith(county) and code not in taken
    ]
    free = [letter for letter in scenario.letters if letter not in wanted]
    if len(townships) < len(free):
        missing = free[len(townships) :]
        raise InvalidInput(
            Fault(f"place {letter}", "needs an area: the county has no further township in the registry")
            for letter in missing
        )
    return {**dict(zip(free, townships, strict=False)), **wanted}


def plan(played: Played) -> list[PlayedStep]:
    """Give each step its time, and each alert its id and versions."""
    versions: dict[str, int] = {}
    planned = []
    for number, step in enumerate(played.scenario.step):
        due_at = played.starts_at + timedelta(minutes=step.minute)
        if step.alert is None:
            silent = step.silent is not None
            planned.append(
                PlayedStep(
                    number=number,
                    due_at=due_at,
                    silent_area=area_of(played, step) if silent else None,
                    silent_until=due_at + timedelta(minutes=step.silent) if step.silent is not None else None,
                )
            )
            continue
        versions[step.alert] = versions.get(step.alert, 0) + 1
        planned.append(
            PlayedStep(
                number=number,
                due_at=due_at,
                alert=alert_id_of(played.id, step.alert),
                version=versions[step.alert],
            )
        )
    return planned


def alert_id_of(drill: UUID, alert: str) -> UUID:
    """Name an alert of a drill."""
    return derived_id("drill-alert", drill, alert)


def area_of(played: Played, step: DrillStep) -> str:
    """Tell in which area a step plays."""
    return played.county if step.place == COUNTY else played.places[step.place]


def local(at: datetime) -> str:
    """Write a time as people in the county read it, to the minute."""
    return at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


def say(text: str, played: Played, names: Mapping[str, str]) -> str:
    """Put the names of the areas into a sentence of the scenario; an area without a name is told by its code."""
    for place, area in {COUNTY: played.county, **played.places}.items():
        text = text.replace(f"{{{place}}}", names.get(area, area))
    return text


def alert_of(
    played: Played,
    step: PlayedStep,
    data: Data,
    names: Mapping[str, str],
    began: datetime,
    now: datetime,
) -> Alert:
    """Make the version of an alert that a step stands for; `began` is when the first one of it was raised.

    It stands on no finding: `reason` says that it is a drill. A category that was taken out of the data meanwhile is refused
    by intake, with its reason, as that of any alert; here it must not hold up the timers of others.
    """
    scripted = played.scenario.step[step.number]
    same = [one for one in played.scenario.step[: step.number + 1] if one.alert == scripted.alert]
    first = same[0]
    levels = [one.level for one in same if one.level is not None]
    if step.alert is None or step.version is None or first.category is None or not levels:
        raise ValueError(f"step {step.number} raises no alert")
    change = AlertChange.RAISED if step.version == 1 else AlertChange.CHANGED
    known = data.categories.get(first.category)
    return Alert(
        id=step.alert,
        version=step.version,
        change=AlertChange.CLEARED if scripted.over else change,
        domain=Domain.SAFETY if known is None else known.domain,
        category=first.category,
        county=played.county,
        place=area_of(played, first),
        level=levels[-1],
        reason=REASON,
        opened_at=began,
        changed_at=now,
        received_at=now,
        evidence=(),
        zh=words.mark(say(scripted.zh, played, names)),
        en=MARK_EN + say(scripted.en, played, names),
        drill=True,
    )


class DrillRow(Struct, frozen=True, kw_only=True):
    """A drill as a line of the list: how many of its steps were taken, and how many of its cases are open."""

    id: UUID
    scenario: str
    county: str
    county_name: str
    zh: str
    en: str
    starts_at: AwareTime
    stopped_at: AwareTime | None
    steps: int
    taken: int
    cases: int
    open: int

    @property
    def over(self) -> bool:
        """Say whether nothing more comes of it: stopped, or all steps taken and all cases ended."""
        return self.stopped_at is not None or (self.taken == self.steps and not self.open)


class ShownStep(Struct, frozen=True, kw_only=True):
    """A step as it is shown: what it brings, when it should come and when it came."""

    number: int
    minute: float
    zh: str
    en: str
    place: str
    alert: str | None
    over: bool
    silent: float | None
    due_at: AwareTime
    acted_at: AwareTime | None
