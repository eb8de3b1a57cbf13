"""What comes in: readings, tickets, reports, bulletins, and what had to be turned away."""

from collections.abc import Iterator
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from domain.hotline import Handling, Short
from domain.levels import Level

AwareTime = Annotated[datetime, Meta(tz=True)]
Slug = Annotated[str, Meta(min_length=1, max_length=80, pattern=r"^[\w.:\-]+$")]
AreaCode = Annotated[str, Meta(pattern=r"^(\d{2}|\d{4}|\d{6}|\d{9}|\d{12}|\d{15})$")]
Address = Annotated[str, Meta(min_length=1, max_length=500)]


class Quality(IntEnum):
    """Quality of a reading; the letters are those of HJ 212. Only GOOD and NOTED reach detectors."""

    GOOD = 0  # N
    NOTED = 1  # usable with a note, such as a clock that runs ahead
    STOPPED = 2  # F
    MAINTENANCE = 3  # M
    SET = 4  # S
    FAULT = 5  # D
    CALIBRATION = 6  # C
    OVER_RANGE = 7  # T
    COMMUNICATION = 8  # B


QUALITY_BY_LETTER = {
    "N": Quality.GOOD,
    "F": Quality.STOPPED,
    "M": Quality.MAINTENANCE,
    "S": Quality.SET,
    "D": Quality.FAULT,
    "C": Quality.CALIBRATION,
    "T": Quality.OVER_RANGE,
    "B": Quality.COMMUNICATION,
}


class Reading(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The value of a series at a time, as a source states it. The unit is that of the series."""

    series: Slug
    observed_at: AwareTime
    value: float
    quality: str = "N"


class Person(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who called or reported, in clear: exists only between the socket and the gateway's encryption."""

    name: Annotated[str, Meta(max_length=100)] | None = None
    phone: Annotated[str, Meta(max_length=40)] | None = None
    id_number: Annotated[str, Meta(max_length=40)] | None = None

    def __repr__(self) -> str:
        return "Person(…)"


class TicketIn(Handling, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A 12345 hotline call as the hotline platform pushes it; pushed again, it brings the order's new state.

    `observed_at` is the time of the call and stays the same from push to push. Without an `area` the `address` must name
    one that the registry knows.
    """

    order_number: Slug
    observed_at: AwareTime
    area: AreaCode | None = None
    text: Annotated[str, Meta(min_length=1, max_length=20_000)]
    title: Short | None = None
    address: Address | None = None
    category: Slug | None = None
    caller: Person | None = None


class ReportIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a grid worker saw; `id` is made on the phone, so that sending it again changes nothing."""

    id: UUID
    observed_at: AwareTime
    area: AreaCode
    text: Annotated[str, Meta(max_length=20_000)] = ""
    category: Slug | None = None
    reporter: Person | None = None


class BulletinStatus(StrEnum):
    """Whether a warning holds from `effective_at` on, or is only there to end others."""

    IN_FORCE = "in_force"
    CANCELLED = "cancelled"


class BulletinIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An official warning from outside, in our own plain form.

    `supersedes` names earlier warnings of the same source that end with this one: their ids, or what they are `part_of`, the
    message that held several warnings. One that is in force takes their place; one that is cancelled only ends them, and
    may leave out `category`, `level` and `areas`. The same id again is the same warning; ids of parts of one message differ
    after their last dot only. An `exercise` is kept and makes nobody act; a `restricted` one is not for the public.
    """

    id: Slug
    category: Slug | None = None
    level: Level | None = None
    areas: Annotated[tuple[AreaCode, ...], Meta(min_length=1)] = ()
    effective_at: AwareTime
    expires_at: AwareTime
    headline: Annotated[str, Meta(min_length=1, max_length=500)]
    text: Annotated[str, Meta(max_length=20_000)] = ""
    status: BulletinStatus = BulletinStatus.IN_FORCE
    supersedes: Annotated[tuple[Slug, ...], Meta(max_length=200)] = ()
    part_of: Slug | None = None
    exercise: bool = False
    restricted: bool = False

    def __post_init__(self) -> None:
        if self.status is BulletinStatus.IN_FORCE and self.expires_at <= self.effective_at:
            raise ValueError("expires_at must be later than effective_at")

    def missing(self) -> Iterator[str]:
        """Name the fields that this warning needs and lacks."""
        if self.status is BulletinStatus.CANCELLED:
            needed: dict[str, object] = {"supersedes": self.supersedes}
        else:
            needed = {"category": self.category, "level": self.level, "areas": self.areas}
        yield from (name for name, value in needed.items() if value in (None, ()))


class Ticket(Handling, frozen=True, kw_only=True):
    """A hotline call inside the platform: personal fields are sealed; text, title and address are masked."""

    id: UUID
    source: str
    order_number: str
    observed_at: AwareTime
    received_at: AwareTime
    area: str
    text: str
    title: str | None = None
    address: str | None = None
    category: str | None = None
    sealed: str | None = None


class Report(Struct, frozen=True, kw_only=True):
    """A grid worker's report inside the platform: personal fields are sealed, the text is masked."""

    id: UUID
    source: str
    client_id: UUID
    observed_at: AwareTime
    received_at: AwareTime
    area: str
    text: str
    category: str | None = None
    sealed: str | None = None


class Bulletin(Struct, frozen=True, kw_only=True):
    """An official warning inside the platform; fields as in `BulletinIn`."""

    id: UUID
    source: str
    own_id: str
    category: str | None
    level: Level | None
    areas: tuple[str, ...]
    effective_at: AwareTime
    expires_at: AwareTime
    received_at: AwareTime
    headline: str
    text: str = ""
    status: BulletinStatus = BulletinStatus.IN_FORCE
    supersedes: tuple[str, ...] = ()
    part_of: str | None = None
    exercise: bool = False
    restricted: bool = False


class Rejected(Struct, frozen=True, kw_only=True):
    """What was turned away and why; nothing that arrives vanishes.

    `item` holds the bytes as they came, sealed when they came from outside (they may hold personal data), cut at
    `MAX_REJECTED_BYTES`: `size` and `sha256` tell of the whole. `ids` lists inputs that had been accepted (202) before.
    """

    id: UUID
    stage: str
    feed: str
    source: str | None
    rejected_at: AwareTime
    reason: str
    faults: tuple[str, ...]
    item: str
    encoding: str  # "sealed" | "base64"
    size: int
    sha256: str
    ids: tuple[UUID, ...] = ()


MAX_REJECTED_BYTES = 64 * 1024
"""Fits a broker message beside its headers; a longer item is named by size and digest."""
