"""When pages go out, and how many of them in one letter: pure decisions about one person and one channel.

Grades I and II are never held back. Of the others nothing is dropped: what may not go now is held until a time that is
known, and goes with whatever else waits then in one letter (a digest). Why pages should be grouped and limited: EEMUA 191
and ISA-18.2 on alarm floods; Alertmanager's group_wait and group_interval.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from config.pacing import Pacing, Quiet
from domain.areas import county_of
from domain.identity import derived_id
from domain.levels import Grade
from responders.cases import Reason

SHANGHAI = ZoneInfo("Asia/Shanghai")
LONGEST_QUIET = timedelta(hours=16)
"""However quiet hours follow one another, a page waits no longer for them."""
DAY = timedelta(days=1)
NEVER_HELD = frozenset({Grade.I, Grade.II})
ALARMS = frozenset(
    {
        Reason.OPENED,
        Reason.NOT_ACKNOWLEDGED,
        Reason.STEP_REPEATS,
        Reason.TOP_REPEATS,
        Reason.GRADE_RAISED,
        Reason.REOPENED,
        Reason.AWAITED,
        Reason.HOLD_OVER,
    }
)
"""Why somebody is paged until somebody acknowledges; other pages are of work or law, which no acknowledgement ends."""

OUTLIVE = frozenset({Reason.LEGAL_SOON, Reason.LEGAL_MISSED})
"""Pages about reports that are owed when their case has ended, too."""


class Hold(StrEnum):
    """Why a page waits."""

    THROTTLED = "throttled"  # the person got as many letters as may be
    STORM = "storm"  # the county is in a storm: letters are gathered
    QUIET = "quiet"  # quiet hours of the policy or the account


class Withdrawal(StrEnum):
    """Why a page is not sent any more."""

    ENDED = "ended"
    ACKNOWLEDGED = "acknowledged"
    SUPERSEDED = (
        "superseded"  # a newer page about the same case goes to the same person over the same channel
    )
    CLIMBED_PAST = "climbed_past"  # it could not go out, and the case went on to a later step long ago


@dataclass(frozen=True, slots=True)
class Waiting:
    """A page that could go out now; `held` when it waited before, `quiet` are all spans that concern it."""

    page: UUID
    grade: Grade
    place: str
    ordered_at: datetime
    held: Hold | None = None
    held_until: datetime | None = None
    quiet: tuple[Quiet, ...] = ()


@dataclass(frozen=True, slots=True)
class Letter:
    """What goes out now as one message, gravest page first."""

    pages: tuple[UUID, ...]

    @property
    def key(self) -> UUID:
        """The idempotency key: the page, or a name derived from all of them."""
        return self.pages[0] if len(self.pages) == 1 else derived_id("letter", *sorted(map(str, self.pages)))


@dataclass(frozen=True, slots=True)
class Held:
    """A page that waits, until when, and why; `new` when it did not wait for that before."""

    page: UUID
    until: datetime
    why: Hold
    new: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of a person's pages on one channel."""

    letters: tuple[Letter, ...]
    held: tuple[Held, ...]


def plan(
    pages: Sequence[Waiting],
    recent: Iterable[datetime],
    storms: Collection[str],
    rules: Pacing,
    channel: str,
    now: datetime,
) -> Plan:
    """Decide about one person's pages on one channel.

    `recent` are the times of the letters with pages of grades III and IV that the person got over the channel, `storms` the
    counties in a storm. Each letter of grade I or II goes at once and counts for nothing. In a storm its own interval
    bounds the letters: who got many before it began does not wait for that.
    """
    ranked = sorted(pages, key=lambda page: (page.grade, page.ordered_at, page.page))
    letters = [Letter((page.page,)) for page in ranked if page.grade in NEVER_HELD]
    held: list[Held] = []
    going: list[Waiting] = []
    rate = rules.rate(channel)
    sent = sorted(recent)
    within = [at for at in sent if at > now - timedelta(minutes=rate.minutes)]
    room = rate.letters - len(within)
    gathered = _gather_until(ranked, sent, storms, rules, now)
    gathers = False
    for page in ranked:
        if page.grade in NEVER_HELD:
            continue
        stormy = county_of(page.place) in storms
        if (until := quiet_until(page, now)) > now:
            held.append(_hold(page, until, Hold.QUIET))
        elif stormy and gathered > now:
            held.append(_hold(page, gathered, Hold.STORM))
        elif not stormy and room <= 0:
            until = within[-rate.letters] + timedelta(minutes=rate.minutes)
            held.append(_hold(page, until, Hold.THROTTLED))
        else:
            going.append(page)
            gathers = gathers or stormy or page.held is not None
    if going and (gathers or len(going) > room):
        letters.append(Letter(tuple(page.page for page in going)))
    else:
        letters += [Letter((page.page,)) for page in going]
    return Plan(tuple(letters), tuple(held))


def _hold(page: Waiting, until: datetime, why: Hold) -> Held:
    return Held(page.page, until, why, page.held is not why)


def _gather_until(
    pages: Sequence[Waiting], sent: Sequence[datetime], storms: Collection[str], rules: Pacing, now: datetime
) -> datetime:
    """Tell when the next letter of a storm goes: some seconds after its first page, or an interval after the last letter."""
    ordered = [
        page.ordered_at
        for page in pages
        if page.grade not in NEVER_HELD and county_of(page.place) in storms and quiet_until(page, now) <= now
    ]
    first = min(ordered, default=now) + timedelta(seconds=rules.gather_seconds)
    return max([first, *(at + timedelta(minutes=rules.digest_minutes) for at in sent[-1:])])


def quiet_until(page: Waiting, now: datetime) -> datetime:
    """Tell when the quiet hours that hold now are over, with those that begin before; `now` when none holds."""
    latest = page.ordered_at + LONGEST_QUIET
    until = now
    while until < latest:
        ends = [end for span in page.quiet if (end := _end_of(span, until)) is not None]
        if not ends:
            break
        until = max(ends)
    return max(min(until, latest), now)


def _end_of(span: Quiet, at: datetime) -> datetime | None:
    """Tell when a span ends that holds at a time; None when it does not hold."""
    local = at.astimezone(SHANGHAI)
    for day in (local.date() - DAY, local.date()):
        begins = datetime.combine(day, span.begins_at, SHANGHAI)
        ends = begins + timedelta(minutes=span.minutes)
        if begins <= local < ends:
            return ends.astimezone(at.tzinfo)
    return None


def is_storm(before: bool, opened: int, rules: Pacing) -> bool:
    """Say whether a county is in a storm, given whether it was, and the cases opened within `storm_minutes`."""
    return opened >= rules.calm_cases if before else opened > rules.storm_cases


def withdraw(
    reason: str, grade: Grade, *, ended: bool, acknowledged: bool, superseded: bool, climbed: bool
) -> Withdrawal | None:
    """Say why a page should not go out any more, None when it should.

    `superseded`: a newer alarm about the same case waits for the same person on the same channel. `climbed`: the case went
    on to a later step long ago; pages of grades I and II go out all the same.
    """
    if ended and reason not in OUTLIVE:
        return Withdrawal.ENDED
    if reason not in ALARMS:
        return None
    if acknowledged:
        return Withdrawal.ACKNOWLEDGED
    if superseded:
        return Withdrawal.SUPERSEDED
    return Withdrawal.CLIMBED_PAST if climbed and grade not in NEVER_HELD else None
