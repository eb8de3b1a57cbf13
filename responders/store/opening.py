"""Opening cases in SQL, from alerts and faults, and writing down whom a decision pages."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from config.data import Duty
from config.policies import TOWERS
from domain.areas import up_to
from domain.codec import encode
from domain.identity import derived_id, incident_id, page_id, task_id
from domain.incidents import IncidentState, TaskState
from domain.levels import Domain, Level, proposed_grade
from responders import deadlines, escalation, words
from responders.cases import Case, Decision, Desk, Reason, Rules, Work
from responders.hours import ROUND_THE_CLOCK, after
from responders.store.entries import Notes, add_entry, name_of
from responders.store.holding import encoded, hold_now, write_hold
from responders.store.pool import Connection
from responders.store.queries import sql
from responders.store.registry import county_now, roster_for

PLATFORM_FAULT = "platform-fault"
DRILL_FAULT = "drill:"
"""How the name of a fault that a drill found begins."""


@dataclass(frozen=True, slots=True)
class NewCase:
    """What a case is opened with; `fault` is the name of what is wrong with the platform, if that is the cause."""

    id: UUID
    alert: UUID | None
    fault: str | None
    domain: Domain
    category: str
    place: str
    level: Level
    zh: str
    en: str
    received_at: datetime
    alert_open: bool = True
    drill: bool = False


async def open_incident(connection: Connection, new: NewCase, rules: Rules, notes: Notes) -> bool:
    """Open a case with its policy, first task and first pages; False when there is one already."""
    now = await county_now(connection)
    duty = rules.data.owner(new.category, new.place)
    grade = proposed_grade(new.level)
    case = Case(
        id=new.id,
        place=new.place,
        post=duty.post,
        grade=grade,
        state=IncidentState.DETECTED,
        policies={number: rules.data.policy(new.category, number) for number in range(1, 5)},
        step=0,
        loop=0,
        next_at=None,
        acknowledged=False,
        drill=new.drill,
    )
    hold = await hold_now(
        connection, case, new.category, new.level, new.fault, rules, now, opened_by=new.alert, is_new=True
    )
    roster, hours = await roster_for(connection, new.place, now), rules.hours(new.place)
    decision = escalation.open_case(case, roster, now, rules.reach(drill=new.drill), hours=hours, hold=hold)
    title = f"{rules.data.categories[new.category].zh} · {await name_of(connection, new.place)}"
    opened = await connection.fetchval(
        sql("open_incident"),
        new.id,
        new.alert,
        new.fault,
        new.domain.value,
        new.category,
        new.place,
        duty.post,
        words.mark(title) if new.drill else title,
        new.zh,
        new.en,
        new.level.value,
        grade.value,
        case.state.value,
        new.alert_open,
        encode(case.policies).decode(),
        decision.step,
        decision.loop,
        decision.next_at,
        new.received_at,
        now,
        new.drill,
    )
    if opened is None:
        return False
    if new.alert is not None:
        await connection.execute(sql("join_case"), new.alert, new.id)
    if hold is not None:
        await connection.execute(sql("page_anew"), new.id, decision.tries, encoded(hold))
    await add_entry(
        connection,
        new.id,
        "opened",
        f"立案：{new.zh}",
        detail={"grade": grade.value, "level": new.level.slug, "en": new.en},
    )
    desk = Desk(up_to(new.place, TOWERS[duty.level]), duty.post)
    await _dispatch(connection, case, desk, duty, rules, now)
    await write_decision(
        connection, case, decision, new.received_at, rules, notes, vacancies=new.fault is None
    )
    notes.append(("incident", str(new.id), new.place))
    return True


async def _dispatch(
    connection: Connection, case: Case, desk: Desk, duty: Duty, rules: Rules, now: datetime
) -> None:
    """Dispatch a case's first task, due by the duty's clock; what was reckoned without knowing the days off says so."""
    hours = rules.hours(desk.area) if duty.clock == "working" else ROUND_THE_CLOCK
    due = after(hours, now, timedelta(minutes=duty.due_minutes))
    identity = task_id(case.id, f"{desk.area}/{desk.post}", 1)
    work = Work(identity, 1, desk, TaskState.DISPATCHED, now, due.at, 0, hours=hours)
    await connection.execute(
        sql("add_task"),
        identity,
        case.id,
        1,
        desk.area,
        desk.post,
        work.state.value,
        now,
        due.at,
        deadlines.deadline(work, deadlines.SHARES[0][0]),
    )
    if duty.clock != "natural":
        await connection.execute(sql("set_task_clock"), identity, duty.clock)
    unit = f"{await name_of(connection, desk.area)}{words.post_name(desk.post)}"
    await add_entry(
        connection,
        case.id,
        "task_dispatched",
        f"派发任务：{unit}{words.unknown_years(due.unknown)}",
        detail={"area": desk.area, "post": desk.post, "due_at": due.at},
    )


async def write_decision(
    connection: Connection,
    case: Case,
    decision: Decision,
    received_at: datetime,
    rules: Rules,
    notes: Notes,
    *,
    task: UUID | None = None,
    vacancies: bool = True,
) -> None:
    """Write the pages of a decision, a line of the record for each person, and a case for each vacant desk."""
    if decision.hold is not None:
        await write_hold(connection, case, decision)
        return
    await connection.executemany(
        sql("add_page"),
        [
            (
                page_id(case.id, order.step, order.loop, str(order.person.user), order.channel),
                case.id,
                task,
                order.step,
                order.loop,
                order.person.user,
                order.channel,
                list(order.fallbacks),
                order.reason.value,
                received_at,
            )
            for order in decision.orders
        ],
    )
    kind = "paged" if decision.reason in PAGED else "task_escalated" if task else "escalated"
    if decision.reason in REMINDS:
        kind = "task_reminded"
    people = list(dict.fromkeys(order.person.display for order in decision.orders))
    await add_entry(
        connection,
        case.id,
        kind,
        f"{words.REASON[decision.reason]}：{'、'.join(people) or '无人在岗'}{words.unknown_years(decision.unknown)}",
        detail={
            "reason": decision.reason.value,
            "step": decision.step,
            "loop": decision.loop,
            "next_at": decision.next_at,
        },
    )
    for desk in decision.vacant:
        where = f"{await name_of(connection, desk.area)}{words.post_name(desk.post)}"
        await add_entry(
            connection,
            case.id,
            "nobody_on_duty",
            f"{where}无人在岗",
            detail={"area": desk.area, "post": desk.post},
        )
        if vacancies:  # a vacancy found while telling of a vacancy opens no further case
            zh, en = (
                f"{where}无人在岗，通知已越级",
                f"Nobody is on duty for {desk.post or 'the desk'} in {desk.area}",
            )
            fault = f"nobody-on-duty:{desk.area}:{desk.post}"
            await open_fault(connection, fault, desk.area, zh, en, rules, notes, drill=case.drill)


REMINDS = frozenset({Reason.HALF_TIME, Reason.STILL_OVERDUE})
"""What tells nobody anything new: a reminder is no climb."""
PAGED = frozenset(
    {
        Reason.OPENED,
        Reason.GRADE_RAISED,
        Reason.HOLD_OVER,
        Reason.REOPENED,
        Reason.DISPATCHED,
        Reason.COORDINATES,
    }
)


async def open_fault(
    connection: Connection,
    fault: str,
    place: str,
    zh: str,
    en: str,
    rules: Rules,
    notes: Notes,
    *,
    drill: bool = False,
) -> bool:
    """Open a case about the platform itself, one at a time for each fault; an open one is told that it lasts.

    What a drill finds is a drill's, beside the real case of the same fault.
    """
    now = await county_now(connection)
    if drill:
        fault, zh, en = f"{DRILL_FAULT}{fault}", words.mark(zh), f"[DRILL] {en}"
    present = await connection.fetchrow(sql("find_fault"), fault)
    if present is None:
        new = NewCase(
            id=incident_id(derived_id("fault", fault, now.isoformat())),
            alert=None,
            fault=fault,
            domain=rules.data.categories[PLATFORM_FAULT].domain,
            category=PLATFORM_FAULT,
            place=place,
            level=Level.BLUE,
            zh=zh,
            en=en,
            received_at=now,
            drill=drill,
        )
        return await open_incident(connection, new, rules, notes)
    if not present["alert_open"]:
        await connection.execute(sql("set_alarm"), present["id"], True)
        await add_entry(connection, present["id"], "fault_again", zh, detail={"en": en})
        notes.append(("incident", str(present["id"]), present["place"]))
    return False


async def end_fault(connection: Connection, fault: str, zh: str, en: str, notes: Notes) -> bool:
    """Tell the open case of a fault that it is over, which asks somebody to close it; False when there is none."""
    present = await connection.fetchrow(sql("find_fault"), fault)
    if present is None or not present["alert_open"]:
        return False
    await connection.execute(sql("set_alarm"), present["id"], False)
    await add_entry(connection, present["id"], "fault_over", f"{zh}，请核实后结案", detail={"en": en})
    notes.append(("incident", str(present["id"]), present["place"]))
    return True
