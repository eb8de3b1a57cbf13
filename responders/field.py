"""What grid workers see and send: their tasks, and reports from a phone that may be offline for long; pure rules and shapes.

A report from the field app is an input like any other: its id comes from the UUID that the phone made (`report_id`), and
everything that speaks against it is said at once (`report_faults`).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

from config.data import Data
from domain.areas import covers, is_area_code
from domain.clock import Clock
from domain.errors import Fault
from domain.identity import input_id
from domain.incidents import PleaKind, PleaOutcome, TaskState
from domain.inputs import AwareTime, Report
from domain.levels import Feed, Grade, Level

SOURCE = "field-app"
"""The source of every report from a phone: its phones share one name, so that nothing counts by person."""
UNREPORTED = frozenset({"platform-fault", "equipment-fault"})
"""What the platform finds by itself and no grid worker sees."""
MAX_AGE = timedelta(days=30)
"""How long a phone may keep a report before it reaches us."""


@dataclass(frozen=True, slots=True)
class Written:
    """A report as a phone sends it; `age` is how long ago it was written, by the phone's own count.

    Not a time: clocks of phones are wrong, and the county's clock need not be the world's.
    """

    client_id: UUID
    area: str
    category: str
    level: Level
    text: str
    age: timedelta = timedelta(0)
    sealed: str | None = None
    masked: bool = False


class FieldArea(Struct, frozen=True, kw_only=True):
    """A place that a worker may report from."""

    code: str
    name: str
    name_en: str


class AskedPlea(Struct, frozen=True, kw_only=True):
    """What was asked about a task; `outcome` is None while nobody has decided."""

    kind: PleaKind
    until: AwareTime | None
    outcome: PleaOutcome | None
    note: str


class FieldTask(Struct, frozen=True, kw_only=True):
    """A task with what its case is about; `zh` and `en` are the case's sentences."""

    id: UUID
    incident: UUID
    unit: str
    own: bool
    """Whether it is the viewer's own unit's: only that may ask for anything."""
    state: TaskState
    dispatched_at: AwareTime
    due_at: AwareTime
    category: str
    level: Level
    grade: Grade
    title: str
    zh: str
    en: str
    place_name: str
    place_name_en: str
    drill: bool
    pleas: tuple[AskedPlea, ...] = ()


class FieldReport(Struct, frozen=True, kw_only=True):
    """A report from the field as its worker and the officers see it."""

    id: UUID
    area: str
    area_name: str
    area_name_en: str
    category: str
    level: Level
    text: str
    observed_at: AwareTime
    received_at: AwareTime
    photo: bool


class FieldDay(Struct, frozen=True, kw_only=True):
    """All that the field app starts from; `more_tasks` says that there are more than it lists."""

    areas: tuple[FieldArea, ...]
    tasks: tuple[FieldTask, ...]
    reports: tuple[FieldReport, ...]
    more_tasks: bool


class Taken(Struct, frozen=True, kw_only=True):
    """What a phone hears of a report, however often it sends it; `masked` says that numbers in the text were hidden."""

    id: UUID
    client_id: UUID
    observed_at: AwareTime
    received_at: AwareTime
    masked: bool


def report_id(client_id: UUID) -> UUID:
    """Name a report by the UUID that the phone made."""
    return input_id(Feed.REPORTS, SOURCE, str(client_id))


def report_faults(written: Written, data: Data, within: str) -> list[Fault]:
    """Say everything that speaks against a report of somebody of an area, in both languages."""
    faults = []
    if written.category not in data.categories or written.category in UNREPORTED:
        faults.append(Fault("category", "没有这个类别。 There is no such category."))
    if not is_area_code(written.area) or not covers(within, written.area):
        faults.append(Fault("area", "不在您的辖区。 This place is outside your area."))
    if not written.text.strip():
        faults.append(Fault("text", "请写明看到的情况。 Say what you saw."))
    if not timedelta(0) <= written.age <= MAX_AGE:
        faults.append(
            Fault(
                "age_seconds",
                f"手机时间有误，或存放超过 {MAX_AGE.days} 天，请重新上报。 The phone's clock jumped, or this was kept "
                f"for more than {MAX_AGE.days} days: report anew.",
            )
        )
    return faults


def report_of(written: Written, now: datetime, clock: Clock) -> Report:
    """Make the input; `now` is county time, and the age passed on the county's clock, which may run faster or stand."""
    return Report(
        id=report_id(written.client_id),
        source=SOURCE,
        client_id=written.client_id,
        observed_at=now - written.age * clock.factor,
        received_at=now,
        area=written.area,
        text=written.text,
        category=written.category,
        sealed=written.sealed,
    )
