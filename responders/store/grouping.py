"""Where a new alert goes in SQL: a case of its own, an open case of its key, or a closed one that it recurs as."""

from uuid import UUID

from config.grouping import Grouping
from domain.areas import covers, township_of
from domain.findings import Alert, AlertChange
from domain.identity import incident_id
from domain.incidents import OPEN_STATES, IncidentState
from domain.levels import Grade, proposed_grade
from responders.cases import Recorded, Rules
from responders.grouping import Group, Placement, place_alert
from responders.store.drills import drill_of_alert
from responders.store.entries import Notes, add_entry, case_of
from responders.store.joint import join_area
from responders.store.opening import NewCase, open_incident
from responders.store.pool import Connection, Record
from responders.store.queries import sql
from responders.store.registry import county_now
from responders.store.reopening import raise_if_graver, reopen


async def place_new(
    connection: Connection, alert: Alert, rules: Rules, notes: Notes, *, cause: UUID
) -> Recorded:
    """Put an alert that belongs to no case where it belongs; `cause` names the case that it opens, should it open one.

    Of several alerts of one key at the same time each waits for the one before: the key's row is held until commit. The
    first of a key costs one statement.
    """
    rule = rules.data.grouping(alert.category)
    own, key = incident_id(cause), rule.key(alert)
    if alert.drill:  # one drill is never another one that recurs
        key = f"{key}|{await drill_of_alert(connection, alert.id)}"
    claimed = await connection.fetchrow(sql("claim_group"), key, own, alert.changed_at)
    if claimed is None or claimed["incident"] == own:
        await open_incident(connection, _case_for(alert, own), rules, notes)
        return Recorded.OPENED
    row = await _hold_last(connection, claimed["incident"])
    placement = await _decide(connection, alert, rule, claimed, row)
    if row is None or placement not in (Placement.JOINS, Placement.RECURS):
        await connection.execute(sql("put_group"), key, own, alert.changed_at, 1)
        await open_incident(connection, _case_for(alert, own), rules, notes)
        return Recorded.OPENED
    await _join(connection, row, alert, key, placement, rules, notes)
    if placement is Placement.RECURS:
        await connection.execute(sql("put_group"), key, row["id"], alert.changed_at, 1)
        grade = Grade(min(row["grade"], proposed_grade(alert.level)))
        text = f"同类预警再次出现，事件重新打开：{alert.zh}"
        await reopen(connection, row, text, alert.received_at, rules, notes, grade=grade)
        return Recorded.REOPENED
    await connection.execute(sql("put_group"), key, row["id"], claimed["since"], claimed["members"] + 1)
    is_over = alert.change is AlertChange.CLEARED
    if not is_over and await raise_if_graver(connection, row, alert, rules, notes):
        return Recorded.RAISED
    return Recorded.JOINED


async def lead_group(connection: Connection, opened: NewCase, rules: Rules) -> None:
    """Let the next alerts of a key join a case that an officer opened, unless they join another open one."""
    rule = rules.data.grouping(opened.category)
    key = rule.key_of(opened.category, opened.domain.value, opened.place, drill=opened.drill)
    claimed = await connection.fetchrow(sql("claim_group"), key, opened.id, opened.received_at)
    if claimed is None or claimed["incident"] == opened.id:
        return
    present = await connection.fetchrow(sql("get_incident"), claimed["incident"])
    if present is None or IncidentState(present["state"]) not in OPEN_STATES:
        await connection.execute(sql("put_group"), key, opened.id, opened.received_at, 1)


async def _decide(
    connection: Connection, alert: Alert, rule: Grouping, claimed: Record, row: Record | None
) -> Placement:
    """Say where an alert belongs by the case of its key, which is held."""
    if row is None:
        return Placement.FIRST
    state, ended_at = IncidentState(row["state"]), None
    if state not in OPEN_STATES:
        ended_at = await connection.fetchval(sql("ended_at"), row["id"])
    group = Group(row["id"], claimed["since"], claimed["members"], state, ended_at)
    cleared = alert.change is AlertChange.CLEARED
    return place_alert(group, rule, alert.changed_at, await county_now(connection), cleared=cleared)


async def _hold_last(connection: Connection, incident: UUID) -> Record | None:
    """Take hold of a case, or of the one that it was merged into, however often."""
    row = await connection.fetchrow(sql("lock_incident"), incident)
    while row is not None and row["merged_into"] is not None:
        row = await connection.fetchrow(sql("lock_incident"), row["merged_into"])
    return row


async def _join(
    connection: Connection,
    row: Record,
    alert: Alert,
    key: str,
    placement: Placement,
    rules: Rules,
    notes: Notes,
) -> None:
    """Make an alert one of a case's, on its record; one of another township brings that township in."""
    case = case_of(row)
    await connection.execute(sql("join_case"), alert.id, case.id)
    await connection.fetchval(sql("alarm_of_alerts"), case.id, alert.id)
    await add_entry(
        connection,
        case.id,
        "alert_joined",
        f"同类预警并入：{alert.zh}",
        detail={
            "alert": alert.id,
            "place": alert.place,
            "level": alert.level.slug,
            "reason": placement.value,
            "key": key,
            "en": alert.en,
        },
    )
    notes.append(("incident", str(case.id), case.place))
    area = township_of(alert.place)
    if not covers(area, case.place):
        await join_area(connection, row, area, rules, notes)


def _case_for(alert: Alert, identity: UUID) -> NewCase:
    return NewCase(
        id=identity,
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
