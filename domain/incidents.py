"""Cases and what may become of them: states and permitted moves as tables (DOMAIN.md, 3)."""

from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from domain.inputs import AwareTime


class IncidentState(StrEnum):
    """Where a case stands."""

    DETECTED = "detected"
    VERIFYING = "verifying"
    CONFIRMED = "confirmed"
    RESPONDING = "responding"
    CONTROLLED = "controlled"
    RECOVERING = "recovering"
    CLOSED = "closed"
    REVIEWED = "reviewed"
    FALSE_ALARM = "false_alarm"
    MERGED = "merged"


OPEN_STATES = frozenset(IncidentState) - {
    IncidentState.CLOSED,
    IncidentState.REVIEWED,
    IncidentState.FALSE_ALARM,
    IncidentState.MERGED,
}

_S = IncidentState
_ENDS = (_S.CLOSED, _S.FALSE_ALARM)
INCIDENT_MOVES: dict[IncidentState, tuple[IncidentState, ...]] = {
    _S.DETECTED: (_S.VERIFYING, _S.CONFIRMED, *_ENDS),
    _S.VERIFYING: (_S.CONFIRMED, *_ENDS),
    _S.CONFIRMED: (_S.RESPONDING, *_ENDS),
    _S.RESPONDING: (_S.CONTROLLED, *_ENDS),
    _S.CONTROLLED: (_S.RESPONDING, _S.RECOVERING, *_ENDS),
    _S.RECOVERING: (_S.RESPONDING, *_ENDS),
    _S.CLOSED: (_S.REVIEWED, _S.RESPONDING),
    _S.REVIEWED: (),
    _S.FALSE_ALARM: (_S.VERIFYING,),
    _S.MERGED: (),
}
"""Where an officer may move a case by naming the state."""

MERGES: dict[IncidentState, tuple[IncidentState, ...]] = dict.fromkeys(OPEN_STATES, (_S.MERGED,))
"""What merging into another case does, and the verdict that it is a duplicate."""

REOPENED: dict[IncidentState, IncidentState] = {
    _S.CLOSED: _S.RESPONDING,
    _S.REVIEWED: _S.RESPONDING,
    _S.FALSE_ALARM: _S.VERIFYING,
}
"""Where an ended case goes on: it recurs, became graver than ever, somebody was not satisfied, or an officer says so.

A merged one never does: its alerts and tasks are the other case's. What belongs apart is split off that one.
"""


class TaskState(StrEnum):
    """Where a piece of work stands; `refused` until somebody above has decided, `suspended` until a day that was agreed.

    A `rated` one was followed by a call to the people concerned (回访).
    """

    DISPATCHED = "dispatched"
    REFUSED = "refused"
    ACCEPTED = "accepted"
    ON_SITE = "on_site"
    SUSPENDED = "suspended"
    DONE = "done"
    VERIFIED = "verified"
    CLOSED = "closed"
    RATED = "rated"
    CANCELLED = "cancelled"


_T = TaskState
TASK_MOVES: dict[TaskState, tuple[TaskState, ...]] = {
    _T.DISPATCHED: (_T.ACCEPTED, _T.CANCELLED),
    _T.REFUSED: (_T.CANCELLED,),
    _T.ACCEPTED: (_T.ON_SITE, _T.DONE, _T.CANCELLED),
    _T.ON_SITE: (_T.DONE, _T.CANCELLED),
    _T.SUSPENDED: (_T.ACCEPTED, _T.ON_SITE, _T.DONE, _T.CANCELLED),
    _T.DONE: (_T.VERIFIED, _T.ACCEPTED, _T.CANCELLED),
    _T.VERIFIED: (_T.CLOSED,),
    _T.CLOSED: (),
    _T.RATED: (),
    _T.CANCELLED: (),
}
"""Where a task may be moved by naming the state; cancelling (作废) is for the level above its unit."""

TASK_RATED: dict[TaskState, TaskState] = {_T.CLOSED: _T.RATED, _T.RATED: _T.RATED}
"""What a call-back does, and its correction; it needs the answers, so that no move does it."""

TASK_PLEAS: dict[TaskState, tuple[TaskState, ...]] = {
    _T.DISPATCHED: (_T.REFUSED,),
    _T.REFUSED: (_T.DISPATCHED,),
    _T.ACCEPTED: (_T.SUSPENDED,),
    _T.ON_SITE: (_T.SUSPENDED,),
}
"""What asking and answering do: a refusal waits for somebody above, and so does putting off."""

TASK_ENDS: dict[TaskState, TaskState] = {
    state: _T.CLOSED if state in (_T.DONE, _T.VERIFIED) else _T.CANCELLED
    for state in TaskState
    if state not in (_T.CLOSED, _T.RATED, _T.CANCELLED)
}
"""What becomes of a case's tasks when it ends: whoever ends it has seen what was done."""


class PleaKind(StrEnum):
    """What a unit may ask of the level above about its task, each once (退单, 缓办, 延期)."""

    REFUSE = "refuse"
    SUSPEND = "suspend"
    EXTEND = "extend"


class PleaOutcome(StrEnum):
    """What became of it: decided by somebody above, or by time, or of no more use since the task ended."""

    GRANTED = "granted"
    DENIED = "denied"
    LAPSED = "lapsed"
    MOOT = "moot"


class Satisfied(StrEnum):
    """What somebody concerned said when he was asked afterwards."""

    YES = "yes"
    NO = "no"
    NOT_ASKED = "not_asked"


class PageState(StrEnum):
    """Where a message to a person stands."""

    DUE = "due"
    SENDING = "sending"
    DELIVERED = "delivered"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"


class Verdict(StrEnum):
    """What an officer decided about an alert."""

    TRUE = "true"
    FALSE = "false"
    DUPLICATE = "duplicate"
    DRILL = "drill"


class Disposition(Struct, frozen=True, kw_only=True):
    """An officer's verdict on an alert, on its way back to the fusion; names no person."""

    id: UUID
    alert: UUID
    incident: UUID
    category: str
    county: str
    verdict: Verdict
    decided_at: AwareTime
