"""What the store tells of the roster: who is on duty when, exchanges, hand-overs with their notes, the record of changes."""

from typing import Any
from uuid import UUID

from msgspec import Struct

from domain.incidents import IncidentState
from domain.inputs import AwareTime
from domain.levels import Grade


class OnDuty(Struct, frozen=True, kw_only=True):
    """A person's time on duty; one who is `disabled` cannot be paged."""

    user: UUID
    display: str
    starts_at: AwareTime
    ends_at: AwareTime
    disabled: bool = False


class Vacancy(Struct, frozen=True, kw_only=True):
    """A time in which nobody is on duty at a desk, nor at the general desk of its area."""

    starts_at: AwareTime
    ends_at: AwareTime


class DeskView(Struct, frozen=True, kw_only=True):
    """A desk with who is on duty in a stretch of time, everybody who stands in put in, and its vacancies."""

    area: str
    area_name: str
    post: str
    post_name: str
    spans: tuple[OnDuty, ...]
    vacancies: tuple[Vacancy, ...]


class RosterChange(Struct, frozen=True, kw_only=True):
    """One line of the record of the roster: who changed what, before and after, people named by their posts."""

    id: int
    at: AwareTime
    kind: str
    area: str
    post: str
    actor: str
    note: str
    before: Any
    after: Any


class SwapView(Struct, frozen=True, kw_only=True):
    """An exchange of two people's time at a desk; `agreed` is None until the other one answers; `lapsed` is too late."""

    id: UUID
    area: str
    post: str
    asker: UUID
    asker_name: str
    asker_from: AwareTime
    asker_until: AwareTime
    other: UUID
    other_name: str
    other_from: AwareTime
    other_until: AwareTime
    note: str
    asked_at: AwareTime
    agreed: bool | None
    answered_at: AwareTime | None
    lapsed: bool


class NotedCase(Struct, frozen=True, kw_only=True):
    """An open case that is handed over."""

    id: UUID
    title: str
    grade: Grade
    state: IncidentState
    acknowledged: bool


class NotedTask(Struct, frozen=True, kw_only=True):
    """An overdue task that is handed over."""

    id: UUID
    incident: UUID
    title: str
    due_at: AwareTime


class NotedPage(Struct, frozen=True, kw_only=True):
    """A page that has not reached whom it was for: due, held, or on its way."""

    id: UUID
    incident: UUID
    title: str
    channel: str
    state: str


class HandOverNote(Struct, frozen=True, kw_only=True):
    """What a desk hands over; the lists hold the gravest and oldest, the numbers count all."""

    cases: tuple[NotedCase, ...] = ()
    tasks: tuple[NotedTask, ...] = ()
    pages: tuple[NotedPage, ...] = ()
    open_cases: int = 0
    overdue_tasks: int = 0
    held_pages: int = 0
    unsigned_before: int = 0


class HandOverView(Struct, frozen=True, kw_only=True):
    """A hand-over (交接班): who left, who came, what was handed over, and who signed for it."""

    id: UUID
    area: str
    post: str
    at: AwareTime
    outgoing: tuple[str, ...]
    incoming: tuple[str, ...]
    note: HandOverNote
    sign_by: AwareTime
    rounds: int
    climbed: int
    incident: UUID | None
    signed_at: AwareTime | None
    signed_by: str | None
    remark: str
    replaced: bool


class RosterView(Struct, frozen=True, kw_only=True):
    """The roster of an area: desks, newest exchanges, hand-overs and changes; `more` names lists that go on."""

    desks: tuple[DeskView, ...]
    swaps: tuple[SwapView, ...]
    hand_overs: tuple[HandOverView, ...]
    changes: tuple[RosterChange, ...]
    more: tuple[str, ...] = ()
