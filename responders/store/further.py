"""Further tasks of a case in SQL: dispatched, written down, and told to whoever is on duty for them."""

from datetime import datetime, timedelta
from uuid import UUID

from config.data import Duty
from config.policies import TOWERS
from domain.areas import AreaLevel, covers, up_to
from domain.identity import task_id
from domain.incidents import TaskState
from responders import words
from responders.cases import Case, Decision, Desk, Reason, Rules, Work
from responders.casework import coordinator_of
from responders.deadlines import TASK_STEPS, next_look, overseers
from responders.escalation import page_person
from responders.hours import ROUND_THE_CLOCK, after
from responders.store.console import Actor
from responders.store.entries import SYSTEM, Notes, add_entry, name_of
from responders.store.opening import write_decision
from responders.store.pool import Connection
from responders.store.queries import sql
from responders.store.registry import county_now, roster_for

FIRST = 400
"""Step of a task's first pages: beside its deadlines' (at most 150) and those of pleas (200 and 300)."""


def desk_in(area: str, post: str) -> Desk:
    """Name the desk of a post for an area: a township's for what lies below it, since villages have none."""
    return Desk(up_to(area, AreaLevel.TOWNSHIP), post)


def owner_desk(duty: Duty, place: str) -> Desk:
    """Name the desk that answers for a place by the list of duties."""
    return Desk(up_to(place, TOWERS[duty.level]), duty.post)


async def dispatch_task(
    connection: Connection,
    case: Case,
    desk: Desk,
    duty: Duty,
    rules: Rules,
    notes: Notes,
    *,
    reason: Reason = Reason.DISPATCHED,
    note: str = "",
    actor: Actor | None = None,
) -> UUID:
    """Dispatch one more task of a case that is held, due by the duty's clock, and page the unit; its time starts now.

    A unit of another place becomes a party of the case, else it would not see what it is to do.
    """
    now = await county_now(connection)
    number = int(await connection.fetchval(sql("next_task_number"), case.id))
    identity = task_id(case.id, f"{desk.area}/{desk.post}", number)
    hours = rules.hours(desk.area) if duty.clock == "working" else ROUND_THE_CLOCK
    due = after(hours, now, timedelta(minutes=duty.due_minutes))
    work = Work(identity, number, desk, TaskState.DISPATCHED, now, due.at, 0, hours=hours)
    await connection.execute(
        sql("add_task"),
        identity,
        case.id,
        number,
        desk.area,
        desk.post,
        work.state.value,
        now,
        work.due_at,
        next_look(work, now),
    )
    if duty.clock != "natural":
        await connection.execute(sql("set_task_clock"), identity, duty.clock)
    await note_party(connection, case, desk.area, notes)
    unit = f"{await name_of(connection, desk.area)}{words.post_name(desk.post)}"
    await add_entry(
        connection,
        case.id,
        "task_dispatched",
        f"派发任务：{unit}{words.unknown_years(due.unknown)}" + (f"。{note}" if note else ""),
        actor=SYSTEM if actor is None else actor.display,
        user=None if actor is None else actor.id,
        detail={"task": identity, "area": desk.area, "post": desk.post, "due_at": work.due_at, "note": note},
    )
    await _page_unit(connection, case, work, reason, now, rules, notes)
    return identity


async def _page_unit(
    connection: Connection, case: Case, work: Work, reason: Reason, now: datetime, rules: Rules, notes: Notes
) -> None:
    people, vacant = overseers(work, 0, await roster_for(connection, work.desk.area, now))
    step = work.number * TASK_STEPS + FIRST
    wanted = case.policy.steps[min(case.step, len(case.policy.steps) - 1)].channels
    reach = rules.reach(drill=case.drill)
    orders = [order for person in people for order in page_person(person, step, 0, wanted, reach, reason)]
    decision = Decision(reason, step, 0, None, tuple(orders), vacant)
    await write_decision(connection, case, decision, now, rules, notes, task=work.id)


async def note_party(connection: Connection, case: Case, area: str, notes: Notes) -> bool:
    """Let people of another place, or of a part of the case's place, see a case; False when they do already."""
    if covers(area, case.place):
        return False
    joined = await connection.fetchval(sql("add_party"), case.id, area)
    if joined is None:
        return False
    await set_coordinator(connection, case)
    notes.append(("incident", str(case.id), area))
    return True


async def set_coordinator(connection: Connection, case: Case) -> str | None:
    """Name who coordinates a case by its parties as they are now; None when it has none, or nothing holds them all."""
    parties = [row["area"] for row in await connection.fetch(sql("parties_now"), case.id)]
    coordinator = coordinator_of(case.place, parties) if parties else None
    if coordinator is None:
        await connection.execute(sql("end_joint"), case.id)
    else:
        await connection.execute(sql("put_coordinator"), case.id, coordinator)
    return coordinator
