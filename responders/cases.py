"""What dispatch decides about: the case, the people on duty, the orders that follow, and the outcome of sending."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from config.data import Data
from config.policies import Policy
from config.reminders import Reminder
from domain.incidents import IncidentState, TaskState
from domain.levels import Grade, Level
from responders.holds import Hold
from responders.hours import ROUND_THE_CLOCK, Hours, hours_of


class Recorded(StrEnum):
    """What an alert's message came to."""

    OPENED = "opened"
    JOINED = "joined"  # an open case that it has something in common with
    REOPENED = "reopened"  # a case that it recurs as
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
    STILL_OVERDUE = "task_still_overdue"
    PLEA = "plea"
    PLEA_ANSWERED = "plea_answered"
    PLEA_LAPSED = "plea_lapsed"
    REDISPATCHED = "redispatched"
    RESUMED = "resumed"
    HAND_OVER = "hand_over"
    REOPENED = "reopened"
    DISPATCHED = "dispatched"
    COORDINATES = "coordinates"
    STEP_REPEATS = "step_repeats"
    AWAITED = "acknowledgement_awaited"
    WAIVED = "acknowledgement_waived"
    HELD = "held"
    HOLD_OVER = "hold_over"
    LEGAL_SOON = "legal_soon"
    LEGAL_MISSED = "legal_missed"
    WAITING = "waiting"
    ACKNOWLEDGED = "acknowledged"
    ENDED = "ended"


EACH_HOUR = Reminder(grades=(1, 2, 3, 4), every_minutes=60)
"""How a task is brought up again where nothing else is known of it: often, since nobody is left alone."""
GIVES_WORK = frozenset({Reason.DISPATCHED, Reason.REDISPATCHED, Reason.COORDINATES})
"""Pages by which a unit gets a task: it answers that it has seen them, which acknowledges no case and accepts no task."""
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

    def hours(self, area: str) -> Hours:
        """Find the working hours of an area."""
        return hours_of(self.data.hours, self.data.notices, area)


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
class Ack:
    """An acknowledgement that counts: who gave it, from which desk, at which level of the towers."""

    user: UUID
    desk: Desk
    level: str


@dataclass(frozen=True, slots=True)
class Case:
    """An incident as escalation sees it; `policies` are those in force when it opened, by grade.

    `tries` counts how often the present step was paged. `acks` are those given so far, where the policy asks for several;
    `hold` is what held its pages when it was last looked at.
    """

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
    tries: int = 1
    acks: tuple[Ack, ...] = ()
    hold: Hold | None = None

    @property
    def policy(self) -> Policy:
        """The policy of the present grade."""
        return self.policies[self.grade]


@dataclass(frozen=True, slots=True)
class Work:
    """A task as its deadlines see it; `passed` is the last share of the time, in percent, that was acted on.

    Its time is measured by `hours`: around the clock, or the working hours of its unit. After the last share each reminder
    (催办) adds one to `passed`; they come as `reminder` says, by the clock `between_reminders`. `anew` counts how often what
    the unit asked was answered, which may have set its time anew: what is told again then is no repetition.
    """

    id: UUID
    number: int
    desk: Desk
    state: TaskState
    dispatched_at: datetime
    due_at: datetime
    passed: int
    anew: int = 0
    hours: Hours = ROUND_THE_CLOCK
    reminder: Reminder = EACH_HOUR
    between_reminders: Hours = ROUND_THE_CLOCK


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
    """What escalation wants done, and why; `vacant` desks had nobody on duty.

    `tries` counts how often the step was paged with this, `hold` is what holds its pages, `unknown` names years whose days
    off `next_at` was reckoned without.
    """

    reason: Reason
    step: int
    loop: int
    next_at: datetime | None
    orders: tuple[Order, ...] = ()
    vacant: tuple[Desk, ...] = ()
    tries: int = 1
    hold: Hold | None = None
    unknown: tuple[int, ...] = ()


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
    """A page as a channel gets it; names no person. `key` is the idempotency key: the page, or the letter with `also`.

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
    letter: UUID | None = None

    @property
    def key(self) -> UUID:
        """What a receiver knows a repetition by; the same however many of a letter's pages are still needed."""
        return self.letter or self.page


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that a worker holds a lease on, with what is needed to record what became of it."""

    message: Message
    attempts: int
    received_at: datetime
    lapsed: bool
    """An earlier worker's lease ran out: it is unknown whether the message was sent."""
    others: tuple[tuple[UUID, int], ...] = ()
    """The other pages of a letter, each with its attempts."""

    @property
    def pages(self) -> tuple[tuple[UUID, int], ...]:
        """All pages that the message carries, each with its attempts."""
        return ((self.message.page, self.attempts), *self.others)
