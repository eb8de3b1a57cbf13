"""What the store hands out to the console and takes from it: frozen, already restricted to the viewer's area."""

from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from domain.findings import AlertChange, Explanation, Finding, HeldBack
from domain.incidents import IncidentState, PageState, PleaKind, PleaOutcome, Satisfied, TaskState, Verdict
from domain.inputs import AwareTime
from domain.levels import Domain, Grade, Level
from domain.registry import Area, Limit


class Role(StrEnum):
    """What a person may do; where is decided by the area prefix."""

    GRID = "grid"  # sees and reports
    OFFICER = "officer"  # acknowledges, decides, takes over, closes
    COMMANDER = "commander"  # as an officer, and grades
    ADMIN = "admin"  # accounts and registry, no cases
    DISPLAY = "display"  # a screen on a wall: sees the situation, and nothing else


class Viewer(Struct, frozen=True, kw_only=True):
    """Somebody signed in: every call of the console names one, and the store checks it."""

    user: UUID
    login: str
    display: str
    role: Role
    area: str
    machine: str = ""
    """The name of the token by which a program acts for the account; empty for people."""


class User(Struct, frozen=True, kw_only=True):
    """An account; `display` names a post (青溪镇值班室), so that no page needs a person's name."""

    id: UUID
    login: str
    display: str
    role: Role
    area: str
    password_hash: str = ""
    post: str = ""
    channels: tuple[str, ...] = ("console",)

    def __repr__(self) -> str:
        return f"User({self.login!r})"


class ContactRow(Struct, frozen=True, kw_only=True):
    """How a person is reached over a channel; `sealed` as a claimed page carries it."""

    login: str
    display: str
    channel: str
    sealed: str
    set_at: AwareTime


class Shift(Struct, frozen=True, kw_only=True):
    """Who is on duty for a post in an area and when; `post` "" stands for the general duty desk of the area."""

    area: str
    post: str
    user: UUID
    starts_at: AwareTime
    ends_at: AwareTime


class IncidentRow(Struct, frozen=True, kw_only=True):
    """A case as a line of the queue. `version` changes with every change, for optimistic commands.

    `title` names category and place; `zh` and `en` are the alert's sentences, as in its newest version.
    """

    id: UUID
    version: int
    alert: UUID | None
    category: str
    domain: Domain
    place: str
    place_name: str
    level: Level
    grade: Grade
    state: IncidentState
    title: str
    opened_at: AwareTime
    changed_at: AwareTime
    acknowledged_at: AwareTime | None
    acknowledged_by: str | None
    holder: str | None
    next_at: AwareTime | None
    step: int
    alert_open: bool
    drill: bool = False
    zh: str = ""
    en: str = ""


class Entry(Struct, frozen=True, kw_only=True):
    """One line of an incident's append-only timeline; `actor` is a post's display name or "system"."""

    id: int
    at: AwareTime
    kind: str
    actor: str
    text: str
    detail: dict[str, object] = {}


class TaskRow(Struct, frozen=True, kw_only=True):
    """A piece of work of an incident."""

    id: UUID
    unit: str
    state: TaskState
    dispatched_at: AwareTime
    due_at: AwareTime


class PleaRow(Struct, frozen=True, kw_only=True):
    """What a unit asked about a task, and what became of it; `outcome` is None while nobody has decided."""

    task: UUID
    kind: PleaKind
    item: str
    reason: str
    until: AwareTime | None
    asked_at: AwareTime
    answer_by: AwareTime
    outcome: PleaOutcome | None
    note: str
    answered_at: AwareTime | None


class PageRow(Struct, frozen=True, kw_only=True):
    """A message to a person about an incident."""

    id: UUID
    step: int
    recipient: str
    channel: str
    state: PageState
    attempts: int
    reason: str
    created_at: AwareTime
    delivered_at: AwareTime | None


class CaseAlert(Struct, frozen=True, kw_only=True):
    """One alert of a case in its newest version."""

    id: UUID
    version: int
    change: AlertChange
    category: str
    place: str
    place_name: str
    level: Level
    zh: str
    en: str
    opened_at: AwareTime
    changed_at: AwareTime


class Party(Struct, frozen=True, kw_only=True):
    """An area that deals with a case beside the one of its place; `seen_at` is None while nobody there answered or acted."""

    area: str
    area_name: str
    joined_at: AwareTime
    seen_at: AwareTime | None = None
    seen_by: str | None = None


class RatingRow(Struct, frozen=True, kw_only=True):
    """One call-back about a task, or about the whole case (`task` is None); of several the highest number counts."""

    task: UUID | None
    number: int
    reached: bool
    responded: bool | None
    resolved: bool | None
    satisfied: Satisfied
    note: str
    rated_by: str
    rated_at: AwareTime


class AckRow(Struct, frozen=True, kw_only=True):
    """An acknowledgement that counts: of which level, by which post, when, over what (`console`, `link`, `sms`)."""

    level: str
    by: str
    at: AwareTime
    via: str


class HeldView(Struct, frozen=True, kw_only=True):
    """Why a case pages nobody: `maintenance`, `shelved` or `inhibited`, `until` is None while nobody knows."""

    kind: str
    ref: UUID
    reason: str
    by: str
    until: AwareTime | None


class HeldCase(Struct, frozen=True, kw_only=True):
    """A case in the list of what is held."""

    incident: UUID
    title: str
    category: str
    place: str
    grade: Grade
    level: Level
    held: HeldView


class WaitingShelf(Struct, frozen=True, kw_only=True):
    """A wish to shelve a case that a second person must share before it counts."""

    incident: UUID
    title: str
    reason: str
    by: str
    until: AwareTime
    asked_at: AwareTime


class MaintenancePlan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Maintenance as it is planned: of a category in an area, of a series, of a device, or of what is named together."""

    area: str
    category: str = ""
    series: str = ""
    device: str = ""
    reason: str
    starts_at: AwareTime
    ends_at: AwareTime


class MaintenanceRow(Struct, frozen=True, kw_only=True):
    """Maintenance that was planned; what is empty is not named. Red cases are held only with `consented_by`."""

    id: UUID
    area: str
    area_name: str
    category: str
    series: str
    device: str
    reason: str
    starts_at: AwareTime
    ends_at: AwareTime
    ended_at: AwareTime | None
    planned_by: str
    consented_by: str | None


class Kept(StrEnum):
    """How it stands with a report that the law asks for."""

    RUNNING = "running"
    WAITING = "waiting"  # a final report, while its case is open
    MET = "met"
    LATE = "late"  # made after its limit
    MISSED = "missed"  # not made, and its limit is over
    ENDED = "ended"  # owed no more; `end_reason` says why


class ClockRow(Struct, frozen=True, kw_only=True):
    """One report that a case owes or owed: by which desk to whom, until when, and what came of it.

    `by` and `to` are levels (unit, township, county, city, province, nation), `kind` is first, follow_up or final.
    """

    clock: str
    zh: str
    en: str
    source: str
    kind: str
    number: int
    form: str
    by: str
    to: str
    desk: str
    addressee: str
    since: AwareTime
    due_at: AwareTime | None
    at: AwareTime | None
    kept: Kept
    end_reason: str | None = None


class ReportRow(Struct, frozen=True, kw_only=True):
    """A report as it was made: one version, for good; `digest` is SHA-256 of its text in hexadecimal."""

    id: UUID
    kind: str
    number: int
    by: str
    area: str
    area_name: str
    to: str
    form: str
    text: str
    digest: str
    post: str
    at: AwareTime


class IncidentView(Struct, frozen=True, kw_only=True):
    """Everything that an incident's page shows; `precedent` is the case of the earlier alert that the explanation names.

    `alerts` are those that it answers, the one that leads first; `evidence` and the sentences are the leading one's.
    `coordinator` is the area that leads a joint case, `merged_into` the case that this one became part of. `clocks` are the
    reports that the law asks for.
    """

    row: IncidentRow
    zh: str
    en: str
    evidence: tuple[Finding, ...]
    timeline: tuple[Entry, ...]
    tasks: tuple[TaskRow, ...]
    pleas: tuple[PleaRow, ...]
    pages: tuple[PageRow, ...]
    verdict: Verdict | None
    moves: tuple[IncidentState, ...]
    chance: float | None = None
    held_back: HeldBack | None = None
    held: HeldView | None = None
    acknowledgements: tuple[AckRow, ...] = ()
    awaited: tuple[str, ...] = ()
    """Levels whose acknowledgement is still missing, where the policy asks for several."""
    explanation: Explanation | None = None
    precedent: UUID | None = None
    alerts: tuple[CaseAlert, ...] = ()
    parties: tuple[Party, ...] = ()
    coordinator: str | None = None
    merged_into: UUID | None = None
    ratings: tuple[RatingRow, ...] = ()
    clocks: tuple[ClockRow, ...] = ()


class Curve(Struct, frozen=True, kw_only=True):
    """One-minute roll-ups of a series, oldest first; `at` in Unix seconds, values in `unit`."""

    series: str
    name: str
    unit: str
    at: tuple[int, ...]
    mean: tuple[float | None, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]
    limits: tuple[Limit, ...]


class Change(Struct, frozen=True, kw_only=True):
    """One event for live pages; `id` grows and serves as Last-Event-ID."""

    id: int
    kind: str  # "incident" | "page" | "heartbeat" | "drill"
    ref: str
    area: str
    at: AwareTime


class HeartbeatAge(Struct, frozen=True, kw_only=True):
    """When a component was last heard of, by wall time."""

    component: str
    instance: str
    at: AwareTime
    age_seconds: float
    detail: str


class Latency(Struct, frozen=True, kw_only=True):
    """Wall milliseconds from the gateway's receipt, None where nothing was measured or the clock stood still."""

    p50: float | None
    p99: float | None


class AlertVersion(Struct, frozen=True, kw_only=True):
    """One version of an alert that was not held back as it was stored, for counting and for lead times."""

    alert: UUID
    version: int
    change: str
    domain: Domain
    category: str
    place: str
    level: Level
    opened_at: AwareTime
    changed_at: AwareTime
    received_at: AwareTime
    recorded_at: AwareTime


class CapVersion(Struct, frozen=True, kw_only=True):
    """One version of an alert with all that its CAP message says; `earlier` are the versions before it with their times."""

    alert: UUID
    version: int
    change: AlertChange
    level: Level
    reason: str
    category: str
    place: str
    opened_at: AwareTime
    changed_at: AwareTime
    zh: str
    en: str
    evidence: tuple[Finding, ...]
    drill: bool
    place_area: Area | None
    county_area: Area | None
    earlier: tuple[tuple[int, AwareTime], ...] = ()


class Account(Struct, frozen=True, kw_only=True):
    """What the database holds, counted: the demo's report and the tests of "nothing is lost" read it.

    `readings` sums the counts of all roll-ups, without late readings. `repeated_pages` counts (incident, step, loop,
    recipient, channel) that were delivered more than once. `escalations` counts climbs beyond the entry of a policy.
    """

    rows: dict[str, int]
    readings: int
    alerts: tuple[AlertVersion, ...]
    incidents_by_state: dict[str, int]
    tasks_by_state: dict[str, int]
    pages_by_state: dict[str, int]
    pages_by_channel: dict[str, int]
    repeated_pages: int
    escalations: int
    alert_latency_ms: Latency
    page_latency_ms: Latency
