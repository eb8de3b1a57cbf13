"""Versions of alerts in SQL: stored, and taken over by the case that they belong to."""

from dataclasses import replace

from domain.codec import encode
from domain.errors import Fault, InvalidInput
from domain.findings import Alert, AlertChange
from domain.identity import incident_id
from domain.incidents import OPEN_STATES, IncidentState
from domain.levels import proposed_grade
from responders import escalation, words
from responders.cases import Recorded, Rules
from responders.store.drills import is_stopped
from responders.store.entries import Notes, add_entry, case_of, flush
from responders.store.opening import NewCase, open_incident, write_decision
from responders.store.pool import Connection, Record
from responders.store.queries import sql
from responders.store.registry import county_now, roster_for

REOPENED = {
    IncidentState.FALSE_ALARM: IncidentState.VERIFYING,
    IncidentState.CLOSED: IncidentState.RESPONDING,
}
"""Where an ended case goes on when its alert becomes graver than ever before."""


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
    if new is None:
        return Recorded.REPEATED
    if not await _put_alert(connection, alert):
        if await connection.fetchval(sql("alert_is_drill"), alert.id) is not alert.drill:
            raise InvalidInput([Fault("drill", "was set when the alert began and never changes")])
        return Recorded.REPEATED
    if alert.drill and await is_stopped(connection, alert.id):
        return Recorded.STOPPED
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
            drill=alert.drill,
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
        alert.drill,
    )
    return version is not None


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
    decision = escalation.raise_grade(graver, roster, now, rules.reach(drill=case.drill))
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
