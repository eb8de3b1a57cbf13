"""Cases in SQL: opening them from alerts and faults, taking over newer versions, writing down what was decided."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from config.data import TOWERS, Policy
from domain.areas import up_to
from domain.codec import encode
from domain.errors import Fault, InvalidInput
from domain.findings import Alert, AlertChange
from domain.identity import derived_id, incident_id, page_id, task_id
from domain.incidents import OPEN_STATES, IncidentState, TaskState
from domain.levels import Domain, Grade, Level, proposed_grade
from responders import escalation, words
from responders.cases import Case, Decision, Desk, Reason, Recorded, Rules
from responders.store.pool import Connection, Record
from responders.store.queries import sql
from responders.store.registry import county_now, roster_for

SYSTEM = "system"
PLATFORM_FAULT = "platform-fault"

Notes = list[tuple[str, str, str]]
"""Changes to tell live pages of, (kind, ref, area): written last in the transaction."""

REOPENED = {
    IncidentState.FALSE_ALARM: IncidentState.VERIFYING,
    IncidentState.CLOSED: IncidentState.RESPONDING,
}
"""Where an ended case goes on when its alert becomes graver than ever before."""


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


async def flush(connection: Connection, notes: Notes) -> None:
    """Tell live pages; nothing may follow in the transaction (see note_change)."""
    for note in dict.fromkeys(notes):
        await connection.fetchval(sql("note_change"), *note)


async def add_entry(
    connection: Connection,
    incident: UUID,
    kind: str,
    text: str,
    *,
    actor: str = SYSTEM,
    user: UUID | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Add a line to the record of a case."""
    await connection.execute(
        sql("add_entry"), incident, kind, actor, user, text.replace("\x00", ""), encode(detail or {}).decode()
    )


def case_of(row: Record) -> Case:
    """Read a locked incident as escalation sees it."""
    return Case(
        id=row["id"],
        place=row["place"],
        post=row["post"],
        grade=Grade(row["grade"]),
        state=IncidentState(row["state"]),
        policies=msgspec.json.decode(row["policies"], type=dict[int, Policy]),
        step=row["step"],
        loop=row["loop"],
        next_at=row["next_at"],
        acknowledged=row["acknowledged"],
        version=row["version"],
    )


async def record_alert(connection: Connection, alert: Alert, rules: Rules) -> Recorded:
    """Store a version of an alert and do what follows from it; the same version again changes nothing.

    One that is held back opens no case; where an officer opened one all the same, the case hears of every version.
    """
    if alert.category not in rules.data.categories:
        raise InvalidInput([Fault("category", f"{alert.category!r} is not known here")])
    new = await connection.fetchval(
        sql("put_alert_version"),
        alert.id,
        alert.version,
        alert.change.value,
        alert.level.value,
        alert.reason,
        alert.opened_at,
        alert.changed_at,
        alert.received_at,
        alert.zh,
        alert.en,
        encode(alert.evidence).decode(),
        alert.chance,
        alert.held_back,
        _explained(alert),
    )
    if new is None or not await _put_alert(connection, alert):
        return Recorded.REPEATED
    notes: Notes = []
    row = await connection.fetchrow(sql("lock_incident_of_alert"), alert.id)
    if row is None and alert.held_back is not None:
        what = Recorded.HELD_BACK
    elif row is None:
        what = Recorded.OPENED
        opened = NewCase(
            id=incident_id(alert.id),
            alert=alert.id,
            fault=None,
            domain=alert.domain,
            category=alert.category,
            place=alert.place,
            level=alert.level,
            zh=alert.zh,
            en=alert.en,
            received_at=alert.received_at,
            alert_open=alert.change is not AlertChange.CLEARED,
        )
        await open_incident(connection, opened, rules, notes)
    else:
        what = await _take_over(connection, row, alert, rules, notes)
    await flush(connection, notes)
    return what


def _explained(alert: Alert) -> str | None:
    return None if alert.explanation is None else encode(alert.explanation).decode()


async def _put_alert(connection: Connection, alert: Alert) -> bool:
    version = await connection.fetchval(
        sql("put_alert"),
        alert.id,
        alert.version,
        alert.change.value,
        alert.domain.value,
        alert.category,
        alert.county,
        alert.place,
        alert.level.value,
        alert.reason,
        alert.opened_at,
        alert.changed_at,
        encode(alert.evidence).decode(),
        alert.zh,
        alert.en,
        alert.chance,
        alert.held_back,
        _explained(alert),
    )
    return version is not None


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
    )
    decision = escalation.open_case(case, await roster_for(connection, new.place, now), now, rules.channels)
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
        title,
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
    )
    if opened is None:
        return False
    await add_entry(
        connection,
        new.id,
        "opened",
        f"立案：{new.zh}",
        detail={"grade": grade.value, "level": new.level.slug, "en": new.en},
    )
    desk = Desk(up_to(new.place, TOWERS[duty.level]), duty.post)
    await _dispatch(connection, case, desk, now, now + timedelta(minutes=duty.due_minutes))
    await write_decision(
        connection, case, decision, new.received_at, rules, notes, vacancies=new.fault is None
    )
    notes.append(("incident", str(new.id), new.place))
    return True


async def name_of(connection: Connection, area: str) -> str:
    """Name an area; one that is not in the registry by its code."""
    name: str | None = await connection.fetchval(sql("place_name"), area)
    return name or area


async def _dispatch(connection: Connection, case: Case, desk: Desk, now: datetime, due_at: datetime) -> None:
    await connection.execute(
        sql("add_task"),
        task_id(case.id, f"{desk.area}/{desk.post}", 1),
        case.id,
        1,
        desk.area,
        desk.post,
        TaskState.DISPATCHED.value,
        now,
        due_at,
        now + (due_at - now) * escalation.SHARES[0][0] / 100,
    )
    unit = f"{await name_of(connection, desk.area)}{words.post_name(desk.post)}"
    await add_entry(
        connection,
        case.id,
        "task_dispatched",
        f"派发任务：{unit}",
        detail={"area": desk.area, "post": desk.post, "due_at": due_at},
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
    for order in decision.orders:
        await connection.execute(
            sql("add_page"),
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
    kind = "task_escalated" if task else "paged" if decision.reason in PAGED else "escalated"
    if decision.reason is Reason.HALF_TIME:
        kind = "task_reminded"
    people = list(dict.fromkeys(order.person.display for order in decision.orders))
    await add_entry(
        connection,
        case.id,
        kind,
        f"{words.REASON[decision.reason]}：{'、'.join(people) or '无人在岗'}",
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
            await open_fault(
                connection, f"nobody-on-duty:{desk.area}:{desk.post}", desk.area, zh, en, rules, notes
            )


PAGED = frozenset({Reason.OPENED, Reason.GRADE_RAISED})


async def open_fault(
    connection: Connection, fault: str, place: str, zh: str, en: str, rules: Rules, notes: Notes
) -> bool:
    """Open a case about the platform itself, one at a time for each fault; an open one is told that it lasts."""
    now = await county_now(connection)
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


async def _take_over(
    connection: Connection, row: Record, alert: Alert, rules: Rules, notes: Notes
) -> Recorded:
    """Bring a case to a newer version of its alert."""
    case = case_of(row)
    cleared = alert.change is AlertChange.CLEARED
    await connection.execute(sql("change_alarm"), case.id, alert.level.value, alert.zh, alert.en, not cleared)
    notes.append(("incident", str(case.id), case.place))
    detail = {"version": alert.version, "level": alert.level.slug, "reason": alert.reason, "en": alert.en}
    if cleared:
        await add_entry(
            connection, case.id, "alert_cleared", f"预警解除，请核实后结案：{alert.zh}", detail=detail
        )
        return Recorded.CLEARED
    await add_entry(connection, case.id, "alert_changed", f"预警变化：{alert.zh}", detail=detail)
    grade = proposed_grade(alert.level)
    if grade >= case.grade:  # not graver: the number falls as it gets worse
        return Recorded.CHANGED
    state = case.state if case.state in OPEN_STATES else REOPENED.get(case.state)
    if state is None:
        return Recorded.CHANGED
    if state is not case.state:
        await add_entry(connection, case.id, "reopened", "预警升级，事件重新打开")
    now = await county_now(connection)
    graver = replace(case, grade=grade, state=state, acknowledged=False)
    roster = await roster_for(connection, case.place, now)
    decision = escalation.raise_grade(graver, roster, now, rules.channels)
    await connection.execute(
        sql("raise_grade"), case.id, grade.value, state.value, decision.step, decision.loop, decision.next_at
    )
    await add_entry(
        connection,
        case.id,
        "grade_raised",
        f"事件升为{words.GRADE[grade]}，需重新确认接收",
        detail={"from": case.grade.value, "to": grade.value},
    )
    await write_decision(
        connection, graver, decision, alert.received_at, rules, notes, vacancies=row["fault"] is None
    )
    return Recorded.RAISED
