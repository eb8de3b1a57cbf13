"""Who is paged, when, and why: pure functions of case, roster and present time (DOMAIN.md, 3).

Opening pages the steps from the lowest up to the policy's entry at once. Then each step waits for an acknowledgement,
and the next one follows; the last repeats without end. A step at which nobody is on duty does not wait. A step whose
tower lies below the case's own place (a township for an event of the whole county) does not exist for the case.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from config.data import TOWERS, Policy
from domain.areas import up_to
from domain.incidents import OPEN_STATES, TaskState
from responders.cases import Case, Decision, Desk, Order, Person, Reason, Roster, Work

SHARES = ((50, Reason.HALF_TIME), (100, Reason.OVERDUE), (150, Reason.LONG_OVERDUE))
"""Shares of a task's time, in percent, at which somebody hears of it."""

UNDER_WAY = frozenset({TaskState.DISPATCHED, TaskState.REFUSED, TaskState.ACCEPTED, TaskState.ON_SITE})
"""Whose deadlines go on: a refusal stops no clock."""
LEADER = "leader"
TASK_STEPS = 1000
"""A task's pages count as step number × 1000 + percent, far above the steps of any policy, so that ids never meet."""


def open_case(case: Case, roster: Roster, now: datetime, channels: tuple[str, ...]) -> Decision:
    """Decide whom a new case pages: everybody from the lowest step up to the entry."""
    return _enter(case, 0, case.loop, Reason.OPENED, roster, now, channels)


def raise_grade(case: Case, roster: Roster, now: datetime, channels: tuple[str, ...]) -> Decision:
    """Decide whom a case pages whose grade became graver (`case` carries the new grade): all up to the entry, anew."""
    return _enter(case, 0, case.loop + 1, Reason.GRADE_RAISED, roster, now, channels)


def escalate(case: Case, roster: Roster, now: datetime, channels: tuple[str, ...]) -> Decision:
    """Decide what becomes of a case at its timer: stop, wait, climb, or repeat the top."""
    if case.state not in OPEN_STATES:
        return Decision(Reason.ENDED, case.step, case.loop, None)
    if case.acknowledged:
        return Decision(Reason.ACKNOWLEDGED, case.step, case.loop, None)
    if case.next_at is not None and now < case.next_at:
        return Decision(Reason.WAITING, case.step, case.loop, case.next_at)
    last = len(case.policy.steps) - 1
    if case.step >= last:
        return _climb(case, last, case.loop + 1, Reason.TOP_REPEATS, roster, now, channels, (), ())
    return _climb(case, case.step + 1, case.loop, Reason.NOT_ACKNOWLEDGED, roster, now, channels, (), ())


def _enter(
    case: Case,
    first: int,
    loop: int,
    reason: Reason,
    roster: Roster,
    now: datetime,
    channels: tuple[str, ...],
) -> Decision:
    entry = next(number for number, step in enumerate(case.policy.steps) if step.level == case.policy.entry)
    orders: list[Order] = []
    vacant: list[Desk] = []
    for number in range(first, entry):
        desk = desk_of(case, number)
        people = roster.find(desk) if desk else ()
        if desk and not people:
            vacant.append(desk)
        orders += _orders(case.policy, number, loop, people, reason, channels, orders)
    return _climb(case, entry, loop, reason, roster, now, channels, tuple(orders), tuple(vacant))


def _climb(
    case: Case,
    step: int,
    loop: int,
    reason: Reason,
    roster: Roster,
    now: datetime,
    channels: tuple[str, ...],
    orders: tuple[Order, ...],
    vacant: tuple[Desk, ...],
) -> Decision:
    """Page a step; where nobody is on duty, or the step does not exist for the case, go on to the next at once."""
    while True:
        desk = desk_of(case, step)
        people = roster.find(desk) if desk else ()
        if desk and not people:
            vacant = (*vacant, desk)
        if people or step == len(case.policy.steps) - 1:
            break
        step += 1
    orders = (*orders, *_orders(case.policy, step, loop, people, reason, channels, orders))
    next_at = now + timedelta(minutes=case.policy.steps[step].wait_minutes)
    return Decision(reason, step, loop, next_at, orders, vacant)


def desk_of(case: Case, step: int) -> Desk | None:
    """Name the desk that a step pages, None when its tower lies below the case's place."""
    tower = TOWERS[case.policy.steps[step].level]
    return Desk(up_to(case.place, tower), case.post) if len(case.place) >= tower else None


def _orders(
    policy: Policy,
    step: int,
    loop: int,
    people: tuple[Person, ...],
    reason: Reason,
    channels: tuple[str, ...],
    before: Iterable[Order],
) -> list[Order]:
    """Order the pages of a step, leaving out whoever a lower step pages in the same moment."""
    already = {order.person.user for order in before}
    return [
        order
        for person in people
        if person.user not in already
        for order in page_person(person, step, loop, policy.steps[step].channels, channels, reason)
    ]


def page_person(
    person: Person, step: int, loop: int, wanted: tuple[str, ...], channels: tuple[str, ...], reason: Reason
) -> list[Order]:
    """Order one person's pages: on the console, which reaches whoever looks, and over the first outside channel.

    The other outside channels stand behind it. The person's own order comes first, then the policy's; channels that are
    not set up are passed over. Where no channel would be left the console remains.
    """
    outside = [
        name
        for name in (*person.channels, *wanted)
        if name in wanted and name in channels and name != "console"
    ]
    chain = tuple(dict.fromkeys(outside))
    orders = [Order(step, loop, person, "console", (), reason)] if "console" in wanted or not chain else []
    if chain:
        orders.append(Order(step, loop, person, chain[0], chain[1:], reason))
    return orders


def deadline(work: Work, share: int) -> datetime:
    """Tell when a share, in percent, of the task's time is over."""
    return work.dispatched_at + (work.due_at - work.dispatched_at) * share / 100


def remind(work: Work, case: Case, roster: Roster, now: datetime, channels: tuple[str, ...]) -> Decision:
    """Decide who hears of a task at its deadline; an acknowledged case makes no difference.

    50 % reminds the unit, 100 % tells the next level, 150 % the leader on duty there (the level above it where there is
    none). Of several deadlines missed in an outage only the latest is told. Nobody there: the next level up.
    """
    step = work.number * TASK_STEPS + work.passed
    if case.state not in OPEN_STATES or work.state not in UNDER_WAY:
        return Decision(Reason.ENDED, step, 0, None)
    reached = [
        (share, reason) for share, reason in SHARES if share > work.passed and deadline(work, share) <= now
    ]
    if not reached:
        coming = [deadline(work, share) for share, _ in SHARES if share > work.passed]
        return Decision(Reason.WAITING, step, 0, min(coming, default=None))
    share, reason = reached[-1]
    coming = [deadline(work, later) for later, _ in SHARES if later > share]
    people, vacant = overseers(work, share, roster)
    step = work.number * TASK_STEPS + share
    wanted = case.policy.steps[min(case.step, len(case.policy.steps) - 1)].channels
    orders = [order for person in people for order in page_person(person, step, 0, wanted, channels, reason)]
    return Decision(reason, step, 0, min(coming, default=None), tuple(orders), vacant)


def overseers(work: Work, share: int, roster: Roster) -> tuple[tuple[Person, ...], tuple[Desk, ...]]:
    """Find who hears of a task: the desks in turn until somebody is there."""
    above = _areas_above(work.desk.area)
    desks = [Desk(area, work.desk.post) for area in above]
    if share < 100:
        desks.insert(0, work.desk)
    elif share > 100 and above:
        leader = Desk(above[0], LEADER)
        if people := roster.on_duty.get(leader, ()):
            return people, ()
        desks = desks[1:] or desks
    vacant: list[Desk] = []
    for desk in desks:
        if people := roster.find(desk):
            return people, tuple(vacant)
        vacant.append(desk)
    return (), tuple(vacant)


def _areas_above(area: str) -> list[str]:
    """Name the areas of the towers above an area, nearest first; a province has only itself."""
    lengths = sorted((int(tower) for tower in TOWERS.values() if tower < len(area)), reverse=True)
    return [area[:length] for length in lengths] or [area]
