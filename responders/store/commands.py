"""What officers do to cases and tasks, in SQL: checked against the account as it is now, once for each request id."""

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.areas import county_of, covers, parent_of
from domain.codec import encode
from domain.errors import Conflict, NotAllowed, NotFound
from domain.identity import derived_id
from domain.incidents import (
    INCIDENT_MOVES,
    OPEN_STATES,
    TASK_MOVES,
    Disposition,
    IncidentState,
    TaskState,
    Verdict,
)
from domain.topics import DISPOSITIONS
from responders import words
from responders.store import undoing
from responders.store.acknowledging import take_note
from responders.store.console import Actor, find_actor, task_view
from responders.store.drills import refuse_silent
from responders.store.entries import add_entry, flush
from responders.store.held import Held, answered, entry, finish, hold, require_open, set_state, stop_paging
from responders.store.pool import Connection
from responders.store.queries import sql
from responders.store.registry import county_now, publish
from responders.views import IncidentRow, Role, TaskRow, Viewer

BEIJING = ZoneInfo("Asia/Shanghai")
WORKS = frozenset({Role.GRID, Role.OFFICER, Role.COMMANDER})
GRID_STATES = frozenset({TaskState.ACCEPTED, TaskState.ON_SITE, TaskState.DONE})
"""How far a grid worker may take a task; verifying and closing it is for somebody else."""

CONFIRMABLE = frozenset({IncidentState.DETECTED, IncidentState.VERIFYING})


def _local(at: datetime) -> str:
    return at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M")


async def acknowledge(
    connection: Connection, viewer: Viewer, incident: UUID, request_id: UUID, *, via: str = "console"
) -> IncidentRow:
    """Take note of a case, as one of several where its policy asks for them."""
    held = await hold(connection, viewer, incident)
    if answer := await answered(connection, request_id, held.actor, "acknowledge", incident, IncidentRow):
        return answer
    require_open(held)
    if held.row["acknowledged_at"] is not None:
        who, at = held.row["acknowledger"], held.row["acknowledged_at"]
        raise Conflict(
            f"{who}已于 {_local(at)} 确认接收。 {who} acknowledged it first, at {_local(at)} (Asia/Shanghai)."
        )
    before = await undoing.look(connection, held.id)
    if await take_note(connection, held.id, held.actor, via=via, once=True):
        await connection.execute(sql("set_holder"), held.id, held.actor.id)
    if held.state is IncidentState.DETECTED:
        await connection.execute(sql("set_state"), held.id, IncidentState.VERIFYING.value)
    await undoing.keep(connection, held, before)
    return await finish(connection, held, request_id, "acknowledge")


async def take_over(connection: Connection, viewer: Viewer, incident: UUID, request_id: UUID) -> IncidentRow:
    """Become the holder of a case."""
    held = await hold(connection, viewer, incident)
    if answer := await answered(connection, request_id, held.actor, "take_over", incident, IncidentRow):
        return answer
    require_open(held)
    if held.row["holder"] == held.actor.id:
        raise Conflict("您已是承办人。 You hold it already.")
    await stop_paging(connection, held)
    if held.state is IncidentState.DETECTED:
        await connection.execute(sql("set_state"), held.id, IncidentState.VERIFYING.value)
    await connection.execute(sql("set_holder"), held.id, held.actor.id)
    before = held.row["holder_name"]
    text = f"从{before}接手" if before else "接手"
    await entry(connection, held, "taken_over", text, **{"from": before})
    return await finish(connection, held, request_id, "take_over")


async def decide(
    connection: Connection, viewer: Viewer, incident: UUID, verdict: Verdict, note: str, request_id: UUID
) -> IncidentRow:
    """Say what it was."""
    held = await hold(connection, viewer, incident)
    action = f"decide:{verdict.value}"
    if answer := await answered(connection, request_id, held.actor, action, incident, IncidentRow):
        return answer
    await stop_paging(connection, held)
    await connection.execute(sql("set_verdict"), held.id, verdict.value)
    text = f"研判：{words.VERDICT[verdict]}" + (f"。{note}" if note else "")
    await entry(connection, held, "decided", text, verdict=verdict.value, note=note)
    if not held.row["drill"]:  # an exercise teaches the fusion nothing
        await _teach(connection, held, verdict, request_id)
    target = _decided_state(held.state, verdict)
    if target is not None:
        await set_state(connection, held, target, "", reason=note)
    return await finish(connection, held, request_id, action)


async def _teach(connection: Connection, held: Held, verdict: Verdict, request_id: UUID) -> None:
    """Tell the fusion what was decided about each alert of a case."""
    decided_at = await county_now(connection)
    for alert in await connection.fetch(sql("alerts_of_case"), held.id):
        disposition = Disposition(
            id=derived_id("disposition", alert["id"], request_id),
            alert=alert["id"],
            incident=held.id,
            category=alert["category"],
            county=county_of(alert["place"]),
            verdict=verdict,
            decided_at=decided_at,
        )
        # One key per alert: on the compacted topic an officer's later word on it replaces the earlier one.
        await publish(connection, DISPOSITIONS, str(alert["id"]), disposition)


def _decided_state(state: IncidentState, verdict: Verdict) -> IncidentState | None:
    """Tell where a verdict moves a case; one that has ended, or an exercise, stays where it is."""
    if state not in OPEN_STATES:
        return None
    match verdict:
        case Verdict.FALSE:
            return IncidentState.FALSE_ALARM
        case Verdict.DUPLICATE:
            return IncidentState.MERGED
        case Verdict.TRUE:
            return IncidentState.CONFIRMED if state in CONFIRMABLE else None
        case Verdict.DRILL:
            return None


async def move(
    connection: Connection,
    viewer: Viewer,
    incident: UUID,
    state: IncidentState,
    note: str,
    request_id: UUID,
    expected_version: int | None,
) -> IncidentRow:
    """Move a case along INCIDENT_MOVES."""
    held = await hold(connection, viewer, incident)
    action = f"move:{state.value}"
    if answer := await answered(connection, request_id, held.actor, action, incident, IncidentRow):
        return answer
    if expected_version is not None and expected_version != held.row["version"]:
        raise Conflict(
            "事件已被他人更新，请刷新后重试。 Somebody changed the incident meanwhile; look again."
        )
    if state not in INCIDENT_MOVES[held.state]:
        raise Conflict(
            f"不能从{words.STATE[held.state]}变为{words.STATE[state]}。"
            f" It cannot go from {held.state.value} to {state.value}."
        )
    await stop_paging(connection, held)
    await set_state(connection, held, state, note)
    return await finish(connection, held, request_id, action)


async def move_task(
    connection: Connection, viewer: Viewer, task: UUID, state: TaskState, note: str, request_id: UUID
) -> TaskRow:
    """Move a task along TASK_MOVES."""
    actor = await find_actor(connection, viewer, WORKS)
    row = await connection.fetchrow(sql("lock_task"), task, actor.area)
    if row is None:
        raise NotFound("没有这个任务，或不在您的辖区。 There is no such task in your area.")
    action = f"task:{state.value}"
    if answer := await answered(connection, request_id, actor, action, task, TaskRow):
        return answer
    if row["drill"]:
        await refuse_silent(connection, row["incident"], actor.area)
    if actor.role is Role.GRID and state not in GRID_STATES:
        raise NotAllowed("核查和结案由值班人员完成。 Verifying and closing is for the duty officer.")
    present = TaskState(row["state"])
    if state is TaskState.CANCELLED and not _is_above(actor, row["area"]):
        raise NotAllowed(
            "任务由承办单位的上级作废；承办单位可申请退单。 The level above the unit cancels a task; the unit may refuse it."
        )
    if state not in TASK_MOVES[present]:
        raise Conflict(
            f"任务不能从{words.TASK[present]}变为{words.TASK[state]}。"
            f" The task cannot go from {present.value} to {state.value}."
        )
    under_way = state in (TaskState.ACCEPTED, TaskState.ON_SITE)
    await connection.execute(sql("set_task_state"), task, state.value, actor.id, under_way)
    text = f"任务{words.TASK[state]}" + (f"。{note}" if note else "")
    await add_entry(
        connection,
        row["incident"],
        f"task_{state.value}",
        text,
        actor=actor.display,
        user=actor.id,
        detail={"task": task, "note": note},
    )
    after = await connection.fetchrow(sql("task_row"), task)
    if after is None:
        raise NotFound
    answer = task_view(after)
    await connection.execute(sql("touch_incident"), row["incident"])
    await connection.execute(sql("add_request"), request_id, actor.id, action, task, encode(answer).decode())
    await flush(connection, [("incident", str(row["incident"]), row["place"])])
    return answer


def _is_above(actor: Actor, unit: str) -> bool:
    """Say whether somebody is above a unit; over a province there is nobody, and its commander decides."""
    if covers(actor.area, unit) and len(actor.area) < len(unit):
        return True
    return actor.role is Role.COMMANDER and parent_of(unit) is None and covers(actor.area, unit)
