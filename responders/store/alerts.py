"""Versions of alerts in SQL: stored, and taken over by the case that they belong to."""

from domain.codec import encode
from domain.errors import Fault, InvalidInput
from domain.findings import Alert, AlertChange
from domain.identity import derived_id
from domain.incidents import IncidentState
from domain.levels import proposed_grade
from responders.cases import Recorded, Rules
from responders.store.drills import is_stopped
from responders.store.entries import Notes, add_entry, case_of, flush
from responders.store.grouping import place_new
from responders.store.pool import Connection, Record
from responders.store.queries import sql
from responders.store.reopening import raise_if_graver


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
    found = await _hold_case_of(connection, alert)
    if found is not None:
        what = await _take_over(connection, *found, alert, rules, notes)
    elif alert.held_back is not None:
        what = Recorded.HELD_BACK
    else:
        what = await place_new(connection, alert, rules, notes, cause=alert.id)
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


async def _hold_case_of(connection: Connection, alert: Alert) -> tuple[Record, int] | None:
    """Take hold of the case of an alert, brought to what its alerts say now; None when it has none.

    While this waited for the case, somebody may have merged or split it: then the alert is in another one.
    """
    while (row := await connection.fetchrow(sql("lock_incident_of_alert"), alert.id)) is not None:
        going_on = await connection.fetchval(sql("alarm_of_alerts"), row["id"], alert.id)
        if going_on is not None:
            return row, going_on
    return None


async def _take_over(
    connection: Connection, row: Record, going_on: int, alert: Alert, rules: Rules, notes: Notes
) -> Recorded:
    """Bring a case to a newer version of one of its alerts; it asks to be closed when none goes on."""
    case = case_of(row)
    notes.append(("incident", str(case.id), case.place))
    detail = {
        "alert": alert.id,
        "version": alert.version,
        "level": alert.level.slug,
        "reason": alert.reason,
        "en": alert.en,
    }
    if alert.change is AlertChange.CLEARED:
        asks = f"尚有 {going_on} 条预警未解除" if going_on else "请核实后结案"
        text = f"预警解除，{asks}：{alert.zh}"
        await add_entry(connection, case.id, "alert_cleared", text, detail={**detail, "going_on": going_on})
        return Recorded.CLEARED
    await add_entry(connection, case.id, "alert_changed", f"预警变化：{alert.zh}", detail=detail)
    if case.state is IncidentState.MERGED and proposed_grade(alert.level) < case.grade:
        return await place_new(
            connection, alert, rules, notes, cause=derived_id("again", alert.id, alert.version)
        )
    raised = await raise_if_graver(connection, row, alert, rules, notes)
    return Recorded.RAISED if raised else Recorded.CHANGED
