"""Who hears of a task at its deadlines, and of one that is far beyond them: pure functions (DOMAIN.md, 3).

Half of a task's time reminds its unit, all of it tells the next level, half as much again the leader there; after that unit
and levels above are reminded again and again (催办). An acknowledgement of the case stops none of it.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from config.policies import TOWERS
from domain.incidents import OPEN_STATES, TaskState
from responders.cases import Case, Decision, Desk, Person, Reason, Roster, Work
from responders.escalation import page_person
from responders.hours import after, between

SHARES = ((50, Reason.HALF_TIME), (100, Reason.OVERDUE), (150, Reason.LONG_OVERDUE))
"""Shares of a task's time, in percent, at which somebody hears of it."""

LAST_SHARE = SHARES[-1][0]
"""After this share of its time a task is brought up again and again."""

UNDER_WAY = frozenset({TaskState.DISPATCHED, TaskState.REFUSED, TaskState.ACCEPTED, TaskState.ON_SITE})
"""Whose deadlines go on: a refusal stops no clock."""
LEADER = "leader"
TASK_LOOPS = 100_000
"""A task's pages count as loop how often its time was set anew × 100,000 + how often it was brought up again since."""
TASK_STEPS = 1000
"""A task's pages count as step number × 1000 + percent, far above the steps of any policy, so that ids never meet."""


def deadline(work: Work, share: int) -> datetime:
    """Tell when a share, in percent, of the task's time is over, by the task's own clock."""
    if share == 100 or not work.hours.stretches:
        return work.dispatched_at + (work.due_at - work.dispatched_at) * share / 100
    given = between(work.hours, work.dispatched_at, work.due_at)
    return after(work.hours, work.dispatched_at, given * share / 100).at


def remind(work: Work, case: Case, roster: Roster, now: datetime, channels: tuple[str, ...]) -> Decision:
    """Decide who hears of a task at its timer, which has run out; an acknowledged case makes no difference.

    50 % reminds the unit, 100 % tells the next level, 150 % the leader on duty there (the level above it where there is
    none). Of several deadlines missed in an outage only the latest is told. After that unit and levels above are reminded
    again and again (催办), as the task's reminder says; the loop counts how often. Nobody there: the next level up.
    """
    share, rounds = min(work.passed, LAST_SHARE), max(work.passed - LAST_SHARE, 0)
    step, loop = work.number * TASK_STEPS + share, work.anew * TASK_LOOPS + rounds
    if case.state not in OPEN_STATES or work.state not in UNDER_WAY:
        return Decision(Reason.ENDED, step, loop, None)
    reached = [
        (share, reason) for share, reason in SHARES if share > work.passed and deadline(work, share) <= now
    ]
    if work.passed >= LAST_SHARE:
        reason, loop = Reason.STILL_OVERDUE, loop + 1
        people, vacant = urged(work, rounds + 1, roster)
    elif reached:
        share, reason = reached[-1]
        step = work.number * TASK_STEPS + share
        people, vacant = overseers(work, share, roster)
    else:
        return Decision(Reason.WAITING, step, loop, next_look(work, now))
    wanted = case.policy.steps[min(case.step, len(case.policy.steps) - 1)].channels
    orders = [
        order for person in people for order in page_person(person, step, loop, wanted, channels, reason)
    ]
    next_at = next_look(replace(work, passed=share), now)
    return Decision(reason, step, loop, next_at, tuple(orders), vacant)


def next_look(work: Work, now: datetime) -> datetime:
    """Tell when a task is looked at next: at its next deadline, one that passed unseen at once, else for a reminder.

    Reminders keep their distance from now: what was just told, decided or taken up again is not brought up at once.
    """
    coming = [deadline(work, share) for share, _ in SHARES if share > work.passed]
    if coming:
        return min(coming)
    return after(work.between_reminders, now, timedelta(minutes=work.reminder.every_minutes)).at


def urged(work: Work, rounds: int, roster: Roster) -> tuple[tuple[Person, ...], tuple[Desk, ...]]:
    """Find who hears of a task at its n-th reminder (催办): the unit, and the level above whose turn it is.

    The first turn is that of the level above the one which was told when the time was over; each has its leader on duty
    asked, else its desk. Nobody there: the next level up, beyond the reminder's highest too, and else the next one down.
    """
    above = _areas_above(work.desk.area)
    lowest = min(1, len(above) - 1)
    within = [number for number, area in enumerate(above) if len(area) >= TOWERS[work.reminder.highest]]
    turn = min(lowest + (rounds - 1) // work.reminder.rounds, max(within, default=0))
    people, vacant = list(roster.find(work.desk)), []
    if not people:
        vacant.append(work.desk)
    for area in (*above[turn:], *reversed(above[:turn])):
        desk = Desk(area, work.desk.post)
        if told := roster.on_duty.get(Desk(area, LEADER)) or roster.find(desk):
            people += [person for person in told if person not in people]
            break
        if desk not in vacant:
            vacant.append(desk)
    return tuple(people), tuple(vacant)


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
