"""What becomes of an answer to a page by its link or by SMS: pure, with a named standing and a sentence for each."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.incidents import OPEN_STATES, IncidentState
from domain.levels import Grade, Level
from responders.contacts import CODE_DIGITS

LINK_LIFE = timedelta(hours=24)
"""County time from the page's order until its link and its code end: a shift, and the one after it."""
MOST_ATTEMPTS, ATTEMPTS_WITHIN = 5, timedelta(minutes=5)
"""So many replies without a right code a number may send within so long, wall time: nobody guesses one of a million so."""
_DIGITS = {ord("０") + digit: ord("0") + digit for digit in range(10)}
_CODE = re.compile(rf"(?<!\d)\d{{{CODE_DIGITS}}}(?!\d)")


class Via(StrEnum):
    """How a page was answered, as it stands on record; what is done on the console stands there without one."""

    LINK = "link"
    SMS = "sms"


class Standing(StrEnum):
    """What may be done with a page's link or code, or what was done."""

    OPEN = "open"
    DONE = "done"
    TO_SEE = "to_see"
    SEEN = "seen"
    USED = "used"
    EXPIRED = "expired"
    ENDED = "ended"
    FIRST = "first"
    NOT_ALLOWED = "not_allowed"
    UNKNOWN = "unknown"
    AMBIGUOUS = "ambiguous"
    LIMITED = "limited"


SENTENCES = {
    Standing.OPEN: "待您确认接收。 It waits for you.",
    Standing.DONE: "已确认接收，请到值班台处置。 It is acknowledged; go on at the console.",
    Standing.TO_SEE: "待贵单位确认收悉，不代替任务签收和牵头单位确认。 It waits for your unit to say that it has seen it.",
    Standing.SEEN: "已记录贵单位收悉，请到值班台签收任务。 It is on record as seen; accept the task at the console.",
    Standing.USED: "此通知已确认过。 This page was answered before.",
    Standing.EXPIRED: "链接或代码已过期，请到值班台处理。 This link or code has expired; use the console.",
    Standing.ENDED: "事件已结束，无需确认。 The incident has ended; nothing is left to do.",
    Standing.FIRST: "{by}已于 {at} 确认接收。 {by} acknowledged it first, at {at} (Asia/Shanghai).",
    Standing.NOT_ALLOWED: "您的账号不能确认此事件，请联系值班室。 Your account may not acknowledge this incident.",
    Standing.UNKNOWN: "本号码没有此代码对应的通知，请核对后重发。 No page of this number has that code; check it and reply.",
    Standing.AMBIGUOUS: "此代码对应多条通知，请到值班台确认。 Several pages have this code; use the console.",
    Standing.LIMITED: "尝试次数过多，请稍后再试或到值班台处理。 Too many attempts; try later or use the console.",
}
"""What is told of each, Chinese and English."""
MAY_ANSWER = frozenset({Standing.OPEN, Standing.TO_SEE})
IS_ANSWERED = frozenset({Standing.DONE, Standing.SEEN})


@dataclass(frozen=True, slots=True)
class Seen:
    """A page as its link shows it: the case, and what speaks against answering.

    Where it `acknowledges` nothing, it gives a unit work, or the case is that of another place in which the recipient's area
    takes part: an answer says that the unit has seen it, and stops nobody's paging but its own.
    """

    page: UUID
    incident: UUID
    title: str
    zh: str
    en: str
    level: Level
    grade: Grade
    drill: bool
    recipient: str
    created_at: datetime
    state: IncidentState
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    answered: bool
    acknowledges: bool = True


def judge(seen: Seen, now: datetime, until: datetime | None = None) -> Standing:
    """Say what may be done with a page: what was done before comes first, since it tells the most.

    `until` is the end that a link names; without one it is that of the page.
    """
    if seen.answered:
        return Standing.USED
    if seen.state not in OPEN_STATES:
        return Standing.ENDED
    if seen.acknowledges and seen.acknowledged_at is not None:
        return Standing.FIRST
    if now >= (until or ends_at(seen.created_at)):
        return Standing.EXPIRED
    return Standing.OPEN if seen.acknowledges else Standing.TO_SEE


def ends_at(created_at: datetime) -> datetime:
    """Tell when link and code of a page end, in whole seconds as links hold it."""
    return (created_at + LINK_LIFE).replace(microsecond=0)


def attempt(times: Iterable[datetime], now: datetime) -> tuple[bool, tuple[datetime, ...]]:
    """Say whether a number may reply once more, and which replies count after that; one that may not does not count."""
    recent = tuple(at for at in times if at > now - ATTEMPTS_WITHIN)
    if len(recent) >= MOST_ATTEMPTS:
        return False, recent
    return True, (*recent, now)


def codes_in(text: str) -> tuple[str, ...]:
    """Find the codes in a reply, in the order in which they stand, each once: people write more than what is asked."""
    return tuple(dict.fromkeys(_CODE.findall(text.translate(_DIGITS))))


def choose(text: str, pages: Iterable[UUID], code_of: Callable[[UUID], str]) -> tuple[UUID, ...]:
    """Find the pages that a reply means, of those that went to its number: each whose code stands in the text."""
    wanted = set(codes_in(text))
    return tuple(page for page in pages if code_of(page) in wanted) if wanted else ()


def outcome(standings: Sequence[Standing]) -> Standing:
    """Tell in one word what became of all that a letter told: something was done, may be done, or why the first may not."""
    return next((one for kind in (IS_ANSWERED, MAY_ANSWER) for one in standings if one in kind), standings[0])


def sentence(standing: Standing, seen: Seen | None = None, local: Callable[[datetime], str] = str) -> str:
    """Tell a standing in words, Chinese then English."""
    told = SENTENCES[standing]
    if standing is not Standing.FIRST or seen is None or seen.acknowledged_at is None:
        return told
    return told.format(by=seen.acknowledged_by or "", at=local(seen.acknowledged_at))
