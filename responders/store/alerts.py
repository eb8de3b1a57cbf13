"""Versions of alerts in SQL: stored, and taken over by the case that they belong to."""

from collections.abc import Sequence
from typing import cast
from uuid import UUID

from domain.codec import encode
from domain.errors import Fault, InvalidInput
from domain.findings import Alert, AlertChange
from domain.identity import derived_id
from domain.incidents import IncidentState
from domain.levels import proposed_grade
from responders.cases import Recorded, Rules
from responders.store.batching import Batch
from responders.store.drills import is_stopped
from responders.store.entries import Notes, add_entry, case_of, flush
from responders.store.grouping import place_new
from responders.store.pool import Connection, Record
from responders.store.queries import sql
from responders.store.reopening import raise_if_graver


async def record_alerts(connection: Connection, alerts: Sequence[Alert], rules: Rules) -> list[Recorded]:
    """Store versions of alerts, no alert twice, and do what follows from them; the same version again changes nothing.

    One that is held back opens no case; where an officer opened one all the same, the case hears of every version. All are
    stored before anything follows from them: three statements, however many there are.
    """
    unknown = sorted({alert.category for alert in alerts} - rules.data.categories.keys())
    if unknown:
        raise InvalidInput([Fault("category", f"{slug!r} is not known here") for slug in unknown])
    new = await _put_versions(connection, alerts)
    newer = await _put_alerts(connection, [alert for alert in alerts if alert.id in new])
    rows = await connection.fetch(sql("alerts_with_cases"), list(newer))
    has_case = {row["alert"] for row in rows}
    notes: Notes = []
    batch = Batch(connection)
    if len(alerts) > 1:
        await batch.look_ahead(dict.fromkeys(alert.place for alert in alerts if alert.id in newer))
    recorded: list[Recorded] = []
    for alert in alerts:
        if alert.id not in newer:
            if alert.id in new:
                await _check_drill(connection, alert)
            recorded.append(Recorded.REPEATED)
        else:
            recorded.append(
                await _follow(cast(Connection, batch), alert, rules, notes, has_case=alert.id in has_case)
            )
    await batch.flush()
    await flush(connection, notes)
    return recorded


async def _follow(
    connection: Connection, alert: Alert, rules: Rules, notes: Notes, *, has_case: bool
) -> Recorded:
    """Do what follows from a version that is stored."""
    if alert.drill and await is_stopped(connection, alert.id):
        return Recorded.STOPPED
    found = await _hold_case_of(connection, alert) if has_case else None
    if found is not None:
        return await _take_over(connection, *found, alert, rules, notes)
    if alert.held_back is not None:
        return Recorded.HELD_BACK
    return await place_new(connection, alert, rules, notes, cause=alert.id)


async def _check_drill(connection: Connection, alert: Alert) -> None:
    """Raise InvalidInput where a version says other than the alert did whether it is a drill."""
    if await connection.fetchval(sql("alert_is_drill"), alert.id) is not alert.drill:
        raise InvalidInput([Fault("drill", "was set when the alert began and never changes")])


def _explained(alert: Alert) -> str | None:
    return None if alert.explanation is None else encode(alert.explanation).decode()


async def _put_versions(connection: Connection, alerts: Sequence[Alert]) -> set[UUID]:
    """Store versions; which are new."""
    rows = [
        (
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
        for alert in alerts
    ]
    stored = await connection.fetch(sql("put_alert_versions"), *map(list, zip(*rows, strict=True)))
    return {row["alert"] for row in stored}


async def _put_alerts(connection: Connection, alerts: Sequence[Alert]) -> set[UUID]:
    """Bring alerts to versions; which had an older one, or none."""
    rows = [
        (
            alert.id,
            alert.version,
            alert.change.value,
            alert.level.value,
            alert.reason,
            alert.opened_at,
            alert.changed_at,
            alert.zh,
            alert.en,
            encode(alert.evidence).decode(),
            alert.chance,
            alert.held_back,
            _explained(alert),
            alert.domain.value,
            alert.category,
            alert.county,
            alert.place,
            alert.drill,
        )
        for alert in alerts
    ]
    if not rows:
        return set()
    stored = await connection.fetch(sql("put_alerts"), *map(list, zip(*rows, strict=True)))
    return {row["id"] for row in stored}


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
