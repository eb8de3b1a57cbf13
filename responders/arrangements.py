"""What speaks against a change of the roster that somebody asks for, and who may ask for it; pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from domain.areas import covers
from domain.errors import Fault
from responders.cases import Desk
from responders.roster import Span, StandIn, effective, is_there_throughout, put_in, times_of
from responders.views import Role

LONGEST = timedelta(days=366)
"""Nobody stands in for longer at once: that is another rotation."""
WORKS_AT_DESKS = frozenset({Role.OFFICER, Role.COMMANDER})


@dataclass(frozen=True, slots=True)
class Account:
    """An account in use that is asked to be on duty."""

    user: UUID
    display: str
    role: Role
    area: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time from `starts_at` up to `ends_at`."""

    starts_at: datetime
    ends_at: datetime


def may_arrange(role: Role, area: str, user: UUID, desk: Desk, instead: UUID) -> bool:
    """Say whether somebody may put another one in: the commander, the level above, and whoever takes it upon himself.

    Nobody is given a duty by his equal: two equals exchange, and both agree.
    """
    return role is Role.COMMANDER or len(area) < len(desk.area) or user == instead


def account_fault(account: Account | None, desk: Desk, field: str) -> Fault | None:
    """Say why an account cannot be on duty at a desk: it must be in use, may decide, and see the desk's area."""
    if account is None:
        return Fault(field, "没有这个账号，或已停用。 is no account in use")
    if account.role not in WORKS_AT_DESKS:
        return Fault(
            field, f"{account.display}的角色不能值班。 {account.display} has a role that is on no duty"
        )
    if not covers(account.area, desk.area):
        return Fault(
            field, f"{account.display}看不到该区域。 {account.display} does not see the area {desk.area}"
        )
    return None


def stretch_faults(stretch: Stretch, now: datetime, field: str) -> Iterator[Fault]:
    """Find what is wrong with a time to be arranged: it must lie ahead, at least its end, and not be endless."""
    if stretch.ends_at <= stretch.starts_at:
        yield Fault(f"{field}ends_at", "须晚于开始时间。 must be after starts_at")
    elif stretch.ends_at <= now:
        yield Fault(f"{field}ends_at", "已经过去。 is over")
    elif stretch.ends_at - stretch.starts_at > LONGEST:
        yield Fault(f"{field}ends_at", "最长一年。 is more than a year after starts_at")


def substitution_faults(
    spans: Sequence[Span],
    desk: Desk,
    away: UUID,
    instead: Account | None,
    stretch: Stretch,
    now: datetime,
) -> Iterator[Fault]:
    """Find what speaks against a substitution; `spans` say who is on duty when at the desk."""
    bad_time = list(stretch_faults(stretch, now, ""))
    yield from bad_time
    if fault := account_fault(instead, desk, "instead"):
        yield fault
    if instead is not None and instead.user == away:
        yield Fault("instead", "不能替自己。 is the one who is away")
    if bad_time:
        return
    first = max(stretch.starts_at, now)
    own = times_of(spans, away, first, stretch.ends_at)
    if not own:
        yield Fault("away", "此时段并不当班。 is not on duty at the desk in this time")
    if instead is not None and any(times_of(spans, instead.user, gap.starts_at, gap.ends_at) for gap in own):
        yield Fault("instead", "此时段已在同一岗位当班。 is on duty there in this time already")


def swap_faults(
    spans: Sequence[Span],
    desk: Desk,
    asker: UUID,
    mine: Stretch,
    other: Account | None,
    theirs: Stretch,
    now: datetime,
) -> Iterator[Fault]:
    """Find what speaks against an exchange: each must be on duty in the whole of what he gives, all of it ahead."""
    bad_time = [*stretch_faults(mine, now, "mine."), *stretch_faults(theirs, now, "theirs.")]
    yield from bad_time
    if fault := account_fault(other, desk, "other"):
        yield fault
    if other is not None and other.user == asker:
        yield Fault("other", "不能与自己换班。 is you")
    if bad_time or other is None:
        return
    for name, user, stretch in (("mine", asker, mine), ("theirs", other.user, theirs)):
        if stretch.starts_at <= now:
            yield Fault(f"{name}.starts_at", "已经开始。 has begun")
        if not is_there_throughout(spans, user, stretch.starts_at, stretch.ends_at):
            yield Fault(name, "此时段并非全程当班。 is not a time in which he is on duty throughout")
    if mine.starts_at < theirs.ends_at and theirs.starts_at < mine.ends_at:
        yield Fault("theirs", "与自己的时段重叠。 overlaps with yours")
    for name, user, stretch in (("mine", other.user, mine), ("theirs", asker, theirs)):
        if times_of(spans, user, stretch.starts_at, stretch.ends_at):
            yield Fault(
                name, "对方此时段已在同一岗位当班。 is a time in which the other one is on duty there already"
            )


def exchanged(
    stand_ins: Sequence[StandIn], asker: UUID, mine: Stretch, other: UUID, theirs: Stretch
) -> list[StandIn]:
    """Let two people stand in for each other."""
    once = put_in(stand_ins, asker, other, mine.starts_at, mine.ends_at)
    return put_in(once, other, asker, theirs.starts_at, theirs.ends_at)


def within(shifts: Sequence[Span], stand_ins: Sequence[StandIn], stretch: Stretch) -> list[Span]:
    """Say who is on duty when, cut to a stretch of time: what a change is told by."""
    return [
        Span(span.user, max(span.starts_at, stretch.starts_at), min(span.ends_at, stretch.ends_at))
        for span in effective(shifts, stand_ins)
        if span.starts_at < stretch.ends_at and stretch.starts_at < span.ends_at
    ]
