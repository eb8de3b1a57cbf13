"""What dispatch decides about: the case, the people on duty, the orders that follow, and the outcome of sending."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from config.data import Data, Policy
from domain.incidents import IncidentState, TaskState
from domain.levels import Grade, Level


class Recorded(StrEnum):
    """What an alert's message came to."""

    OPENED = "opened"
    CHANGED = "changed"
    RAISED = "raised"
    CLEARED = "cleared"
    REPEATED = "repeated"
    STOPPED = "stopped"  # of a drill that was stopped: on record
    HELD_BACK = "held_back"  # on record and in the list; no case, nobody is paged


class Reason(StrEnum):
    """Why dispatch does something, or does nothing."""

    OPENED = "opened"
    NOT_ACKNOWLEDGED = "not_acknowledged"
    TOP_REPEATS = "top_repeats"
    GRADE_RAISED = "grade_raised"
    HALF_TIME = "task_half_time"
    OVERDUE = "task_overdue"
    LONG_OVERDUE = "task_long_overdue"
    PLEA = "plea"
    PLEA_ANSWERED = "plea_answered"
    PLEA_LAPSED = "plea_lapsed"
    REDISPATCHED = "redispatched"
    RESUMED = "resumed"
    HAND_OVER = "hand_over"
    WAITING = "waiting"
    ACKNOWLEDGED = "acknowledged"
    ENDED = "ended"


INSIDE = ("console", "file")
"""Channels that do not leave the house: a drill's pages are ordered over no other."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the operator decided: the data files, and the channels that are set up, console first."""

    data: Data
    channels: tuple[str, ...] = ("console",)

    def reach(self, *, drill: bool) -> tuple[str, ...]:
        """Name the channels that a case's pages may be ordered over: a drill knows none that leaves the house."""
        return tuple(name for name in self.channels if name in INSIDE) if drill else self.channels


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody on duty, with the channels to reach them by, in their order of preference."""

    user: UUID
    display: str
    channels: tuple[str, ...] = ("console",)


@dataclass(frozen=True, slots=True)
class Desk:
    """A post in an area: who is asked first. Post "" is the general duty desk of the area."""

    area: str
    post: str


@dataclass(frozen=True, slots=True)
class Roster:
    """Who is on duty at one moment."""

    on_duty: dict[Desk, tuple[Person, ...]]

    def find(self, desk: Desk) -> tuple[Person, ...]:
        """Find who is on duty for a post in an area, else who sits at the area's general desk, else nobody."""
        return self.on_duty.get(desk) or self.on_duty.get(Desk(desk.area, "")) or ()


@dataclass(frozen=True, slots=True)
class Case:
    """An incident as escalation sees it; `policies` are those in force when it opened, by grade."""

    id: UUID
    place: str
    post: str
    grade: Grade
    state: IncidentState
    policies: dict[int, Policy]
    step: int
    loop: int
    next_at: datetime | None
    acknowledged: bool
    version: int = 1
    drill: bool = False

    @property
    def policy(self) -> Policy:
        """The policy of the present grade."""
        return self.policies[self.grade]


@dataclass(frozen=True, slots=True)
class Work:
    """A task as its deadlines see it; `passed` is the last share of the time, in percent, that was acted on."""

    id: UUID
    number: int
    desk: Desk
    state: TaskState
    dispatched_at: datetime
    due_at: datetime
    passed: int


@dataclass(frozen=True, slots=True)
class Order:
    """One page to be sent: to whom, over which channel, and which channels stand behind it."""

    step: int
    loop: int
    person: Person
    channel: str
    fallbacks: tuple[str, ...]
    reason: Reason


@dataclass(frozen=True, slots=True)
class Decision:
    """What escalation wants done, and why; `vacant` desks had nobody on duty."""

    reason: Reason
    step: int
    loop: int
    next_at: datetime | None
    orders: tuple[Order, ...] = ()
    vacant: tuple[Desk, ...] = ()


class Result(StrEnum):
    """What became of a message."""

    DELIVERED = "delivered"
    RETRY = "retry"
    REFUSED = "refused"


class Cause(StrEnum):
    """Why a message was delivered, must be tried again, or never will be: the closed set of reasons."""

    ACCEPTED = "accepted"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    BAD_ANSWER = "bad_answer"
    REJECTED = "rejected"
    REDIRECTED = "redirected"
    STORAGE = "storage"
    NOT_SET_UP = "not_set_up"
    NO_CONTACT = "no_contact"
    UNKNOWN_RECIPIENT = "unknown_recipient"
    NOT_AUTHORISED = "not_authorised"  # a key, a token or a signature of ours is not accepted
    OUT_OF_SERVICE = "out_of_service"  # the account is closed or its balance spent
    CIRCUIT_OPEN = "circuit_open"
    NOT_RECEIVED = "not_received"  # taken by the other side, which says later that it reached nobody
    DRILL = "drill"
    OUTCOME_UNKNOWN = "outcome_unknown"
    ATTEMPTS_SPENT = "attempts_spent"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a channel says; `retry_after_seconds` (wall) is what the other side asked for."""

    result: Result
    cause: Cause
    retry_after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Also:
    """Another page that a digest tells of."""

    page: UUID
    incident: UUID
    title: str
    level: Level
    grade: Grade


@dataclass(frozen=True, slots=True)
class Message:
    """A page as a channel gets it; names no person. `page` is the idempotency key.

    `contact` is how the channel reaches the recipient (a phone number, an account, an address): it is neither logged nor
    kept, and sealed until the channel's own door (`channels/addressed.py`). At `link` the recipient acknowledges once, or by
    replying `code`. `also` makes it a digest.
    """

    page: UUID
    incident: UUID
    recipient: str
    step: int
    loop: int
    reason: str
    title: str
    zh: str
    en: str
    level: Level
    grade: Grade
    place: str
    drill: bool
    created_at: datetime
    contact: str = field(default="", repr=False)
    link: str = field(default="", repr=False)
    code: str = field(default="", repr=False)
    also: tuple[Also, ...] = ()


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that a worker holds a lease on, with what is needed to record what became of it."""

    message: Message
    attempts: int
    received_at: datetime
    lapsed: bool
    """An earlier worker's lease ran out: it is unknown whether the message was sent."""
