"""Cases merged in SQL (并案): alerts, open tasks and parties go along, and both records tell of it."""

from uuid import UUID

from domain.areas import township_of
from domain.errors import Conflict, Fault, InvalidInput, NotFound
from domain.levels import Grade
from responders.cases import Rules
from responders.store.console import read_row
from responders.store.entries import Notes, case_of
from responders.store.further import note_party
from responders.store.held import (
    Held,
    answered,
    entry,
    finish,
    hold,
    require_coordinator,
    require_open,
    stop_paging,
)
from responders.store.pool import Connection
from responders.store.queries import sql
from responders.store.registry import county_now
from responders.store.reopening import raise_to
from responders.views import IncidentRow, Viewer


async def merge(
    connection: Connection,
    viewer: Viewer,
    incident: UUID,
    into: UUID,
    note: str,
    request_id: UUID,
    rules: Rules,
) -> IncidentRow:
    """Merge a case into another; both are held, the one with the smaller id first, so that two officers cannot block."""
    if incident == into:
        raise InvalidInput([Fault("into", "is the incident itself")])
    pair = {one: await hold(connection, viewer, one) for one in sorted((incident, into))}
    held, other = pair[incident], pair[into]
    action = f"merge:{into}"
    if answer := await answered(connection, request_id, held.actor, action, incident, IncidentRow):
        return answer
    _require_mergeable(held, other)
    await require_coordinator(connection, held, "并案")
    await stop_paging(connection, held)
    notes: Notes = [("incident", str(into), other.row["place"])]
    moved = await _hand_over(connection, held, other, notes)
    await connection.execute(sql("mark_merged"), held.id, into)
    told = f"。{note}" if note else ""
    here, there = await read_row(connection, held.id, ""), await read_row(connection, into, "")
    await entry(connection, held, "merged", f"并入“{there.title}”{told}", into=into, note=note, **moved)
    await entry(
        connection, other, "merged", f"并入本事件：“{here.title}”{told}", merged=held.id, note=note, **moved
    )
    row = await connection.fetchrow(sql("lock_incident"), into)
    if row is None:
        raise NotFound
    await raise_to(connection, row, Grade(held.row["grade"]), await county_now(connection), rules, notes)
    await connection.execute(sql("touch_incident"), into)
    return await finish(connection, held, request_id, action, notes)


def _require_mergeable(held: Held, other: Held) -> None:
    for one in (held, other):
        require_open(one)
        if one.row["fault"] is not None:
            raise Conflict("平台自身的故障事件不参与并案。 A fault of the platform itself is not merged.")
    if held.row["drill"] is not other.row["drill"]:
        raise Conflict("演练与真实事件不能并案。 A drill and a real incident cannot be merged.")


async def _hand_over(connection: Connection, held: Held, other: Held, notes: Notes) -> dict[str, object]:
    """Give everything that goes on to the other case; what was ended stays where it was done."""
    alerts = [row["alert"] for row in await connection.fetch(sql("move_alerts"), held.id, other.id)]
    last = int(await connection.fetchval(sql("next_task_number"), other.id)) - 1
    tasks = [row["id"] for row in await connection.fetch(sql("move_tasks"), held.id, other.id, last)]
    await connection.execute(sql("move_task_pages"), other.id, tasks)
    await connection.execute(sql("withdraw_pages"), held.id)
    if alerts:
        await connection.fetchval(sql("alarm_of_alerts"), other.id, alerts[0])
    row = await connection.fetchrow(sql("lock_incident"), other.id)
    if row is None:
        raise NotFound
    parties = [party["area"] for party in await connection.fetch(sql("parties_now"), held.id)]
    for area in (township_of(held.row["place"]), *parties):
        await note_party(connection, case_of(row), area, notes)
    return {"alerts": alerts, "tasks": tasks}
