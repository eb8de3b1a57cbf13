"""Who is paged, when, and why: pure functions of case, roster and present time (DOMAIN.md, 3).

Opening pages the steps from the lowest up to the policy's entry at once. Then each step waits for an acknowledgement, as
often as its policy says, and the next one follows; after the last it goes on from where the policy says, without end. Where
several must acknowledge, those who have not are paged again. A step at which nobody is on duty does not wait. A step whose
tower lies below the case's own place (a township for an event of the whole county) does not exist for the case. What holds a
case's pages back is decided in `holds.py` and handed in; the case is looked at again, and paged when nothing does any more.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from config.policies import Policy, Step
from domain.incidents import OPEN_STATES
from responders.acknowledging import desk_at, has_answered, wanting
from responders.cases import Case, Decision, Desk, Order, Person, Reason, Roster
from responders.holds import Hold, look_at
from responders.hours import ROUND_THE_CLOCK, Hours, Reckoned, after


def open_case(
    case: Case,
    roster: Roster,
    now: datetime,
    channels: tuple[str, ...],
    *,
    hours: Hours = ROUND_THE_CLOCK,
    hold: Hold | None = None,
) -> Decision:
    """Decide whom a new case pages: everybody from the lowest step up to the entry, nobody while something holds it."""
    if hold is not None:
        return _hold_back(case, hold, now)
    return _enter(case, case.loop, Reason.OPENED, roster, now, channels, hours)


def raise_grade(
    case: Case,
    roster: Roster,
    now: datetime,
    channels: tuple[str, ...],
    *,
    hours: Hours = ROUND_THE_CLOCK,
    hold: Hold | None = None,
) -> Decision:
    """Decide whom a case pages whose grade became graver (`case` carries the new grade): all up to the entry, anew."""
    if hold is not None:
        return _hold_back(case, hold, now)
    return _enter(replace(case, acks=()), case.loop + 1, Reason.GRADE_RAISED, roster, now, channels, hours)


def escalate(
    case: Case,
    roster: Roster,
    now: datetime,
    channels: tuple[str, ...],
    *,
    hours: Hours = ROUND_THE_CLOCK,
    hold: Hold | None = None,
) -> Decision:
    """Decide what becomes of a case at its timer: stop, hold back, wait, repeat, or climb one step.

    One step whatever the time that passed: after an outage, or when the clock leapt, the present step is paged, not each
    one that was missed, and its whole wait counts from now.
    """
    if case.state not in OPEN_STATES:
        return Decision(Reason.ENDED, case.step, case.loop, None, tries=case.tries)
    if case.acknowledged:
        return Decision(Reason.ACKNOWLEDGED, case.step, case.loop, None, tries=case.tries)
    if hold is not None:
        return _hold_back(case, hold, now)
    if case.hold is not None:
        return _enter(case, case.loop + 1, Reason.HOLD_OVER, roster, now, channels, hours)
    if case.next_at is not None and now < case.next_at:
        return Decision(Reason.WAITING, case.step, case.loop, case.next_at, tries=case.tries)
    if case.acks:
        return _call_missing(case, roster, now, channels, hours)
    last = len(case.policy.steps) - 1
    if case.step > last or case.tries < case.policy.steps[case.step].times:
        step, tries = min(case.step, last), case.tries + 1
        return _climb(
            case, step, case.loop + 1, Reason.STEP_REPEATS, roster, now, channels, hours, tries=tries
        )
    if case.step < last:
        return _climb(case, case.step + 1, case.loop, Reason.NOT_ACKNOWLEDGED, roster, now, channels, hours)
    again = case.policy.levels.index(case.policy.again_from) if case.policy.again_from else last
    there = [number for number in range(last + 1) if _present(case, number, roster)]
    if there and there[-1] < again:  # everybody on duty sits below: better asked again than nobody
        again = there[0]
    return _climb(case, again, case.loop + 1, Reason.TOP_REPEATS, roster, now, channels, hours)


def _hold_back(case: Case, hold: Hold, now: datetime) -> Decision:
    return Decision(Reason.HELD, case.step, case.loop, look_at(hold, now), tries=case.tries, hold=hold)


def _call_missing(
    case: Case, roster: Roster, now: datetime, channels: tuple[str, ...], hours: Hours
) -> Decision:
    """Page those again whose acknowledgement is still missing, and for a number of desks the next step, too.

    None is missing when those that were have nobody on duty any more: the case is acknowledged.
    """
    missing = wanting(case.policy, case.place, case.post, case.acks, roster)
    if missing.nothing:
        return Decision(Reason.WAIVED, case.step, case.loop, None, tries=case.tries)
    last = len(case.policy.steps) - 1
    step = case.step if missing.levels else min(case.step + 1, last)
    open_steps = [
        number
        for number, one in enumerate(case.policy.steps)
        if _present(case, number, roster) and (one.level in missing.levels or not missing.levels)
    ]
    called = open_steps if missing.levels else [one for one in open_steps if one <= step] or open_steps
    orders: list[Order] = []
    for number in called:
        people = _present(case, number, roster)
        orders += _orders(case.policy, number, case.loop + 1, people, Reason.AWAITED, channels, orders)
    waits = [_wait(case.policy.steps[number], now, hours) for number in called or [step]]
    first = min(waits, key=lambda wait: wait.at)
    return Decision(Reason.AWAITED, step, case.loop + 1, first.at, tuple(orders), unknown=first.unknown)


def _present(case: Case, step: int, roster: Roster) -> tuple[Person, ...]:
    """Find who is on duty for a step and has not acknowledged, nor has a colleague of the same level."""
    desk = desk_of(case, step)
    level = case.policy.steps[step].level
    people = roster.find(desk) if desk else ()
    return tuple(person for person in people if not has_answered(case.acks, level, person.user))


def _enter(
    case: Case,
    loop: int,
    reason: Reason,
    roster: Roster,
    now: datetime,
    channels: tuple[str, ...],
    hours: Hours,
) -> Decision:
    entry = case.policy.levels.index(case.policy.entry)
    orders: list[Order] = []
    vacant: list[Desk] = []
    for number in range(entry):
        desk = desk_of(case, number)
        if desk and not roster.find(desk):
            vacant.append(desk)
        people = _present(case, number, roster)
        orders += _orders(case.policy, number, loop, people, reason, channels, orders)
    return _climb(case, entry, loop, reason, roster, now, channels, hours, tuple(orders), tuple(vacant))


def _climb(
    case: Case,
    step: int,
    loop: int,
    reason: Reason,
    roster: Roster,
    now: datetime,
    channels: tuple[str, ...],
    hours: Hours,
    orders: tuple[Order, ...] = (),
    vacant: tuple[Desk, ...] = (),
    tries: int = 1,
) -> Decision:
    """Page a step; where nobody is on duty, or the step does not exist for the case, go on to the next at once."""
    while True:
        desk = desk_of(case, step)
        people = _present(case, step, roster)
        if desk and not roster.find(desk):
            vacant = (*vacant, desk)
        if people or step == len(case.policy.steps) - 1:
            break
        step, tries = step + 1, 1
    orders = (*orders, *_orders(case.policy, step, loop, people, reason, channels, orders))
    wait = _wait(case.policy.steps[step], now, hours)
    return Decision(reason, step, loop, wait.at, orders, vacant, tries, unknown=wait.unknown)


def _wait(step: Step, now: datetime, hours: Hours) -> Reckoned:
    """Tell when the wait of a step is over, by the step's own clock."""
    clock = hours if step.clock == "working" else ROUND_THE_CLOCK
    return after(clock, now, timedelta(minutes=step.wait_minutes))


def desk_of(case: Case, step: int) -> Desk | None:
    """Name the desk that a step pages, None when its tower lies below the case's place."""
    return desk_at(case.policy, step, case.place, case.post)


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
