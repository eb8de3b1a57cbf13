"""What officers do to cases and tasks, in SQL: checked against the account as it is now, once for each request id."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from domain.areas import county_of
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
from responders.store.console import Actor, find_actor, read_row, task_view
from responders.store.opening import add_entry, flush
from responders.store.pool import Connection, Record
from responders.store.queries import sql
from responders.store.registry import county_now, publish
from responders.views import IncidentRow, Role, TaskRow, Viewer

BEIJING = ZoneInfo("Asia/Shanghai")
DECIDES = frozenset({Role.OFFICER, Role.COMMANDER})
WORKS = frozenset({Role.GRID, Role.OFFICER, Role.COMMANDER})
GRID_STATES = frozenset({TaskState.ACCEPTED, TaskState.ON_SITE, TaskState.DONE})
"""How far a grid worker may take a task; verifying and closing it is for somebody else."""

STATE_ZH = {
    IncidentState.DETECTED: "待核实",
    IncidentState.VERIFYING: "核实中",
    IncidentState.CONFIRMED: "已立案",
    IncidentState.RESPONDING: "处置中",
    IncidentState.CONTROLLED: "已控制",
    IncidentState.RECOVERING: "恢复中",
    IncidentState.CLOSED: "已结案",
    IncidentState.REVIEWED: "已复盘",
    IncidentState.FALSE_ALARM: "误报",
    IncidentState.MERGED: "已合并",
}
TASK_ZH = {
    TaskState.DISPATCHED: "已派发",
    TaskState.REFUSED: "退单待裁定",
    TaskState.SUSPENDED: "缓办",
    TaskState.ACCEPTED: "已签收",
    TaskState.ON_SITE: "已到场",
    TaskState.DONE: "已办结",
    TaskState.VERIFIED: "已核查",
    TaskState.CLOSED: "已结案",
    TaskState.CANCELLED: "已取消",
}
VERDICT_ZH = {Verdict.TRUE: "属实", Verdict.FALSE: "误报", Verdict.DUPLICATE: "重复", Verdict.DRILL: "演练"}
CONFIRMABLE = frozenset({IncidentState.DETECTED, IncidentState.VERIFYING})


@dataclass(frozen=True, slots=True)
class Held:
    """A case that the transaction holds, and who acts on it."""

    row: Record
    actor: Actor

    @property
    def id(self) -> UUID:
        """The case."""
        incident: UUID = self.row["id"]
        return incident

    @property
    def state(self) -> IncidentState:
        """Its state when it was taken hold of."""
        return IncidentState(self.row["state"])


async def _hold(connection: Connection, viewer: Viewer, incident: UUID) -> Held:
    """Take hold of a case: NotFound outside the area before NotAllowed, so that nobody learns what lies elsewhere."""
    actor = await find_actor(connection, viewer)
    row = await connection.fetchrow(sql("lock_case"), incident, actor.area)
    if row is None:
        raise NotFound("没有这个事件，或不在您的辖区。 There is no such incident in your area.")
    if actor.role not in DECIDES:
        raise NotAllowed("您的角色不能执行此操作。 Your role may not do this.")
    return Held(row, actor)


async def answered(
    connection: Connection, request_id: UUID, actor: Actor, action: str, subject: UUID, kind: type[Any]
) -> Any:
    """Find what this request was answered before; Conflict when the id was used for something else."""
    row = await connection.fetchrow(sql("find_request"), request_id)
    if row is None:
        return None
    if (row["user_id"], row["action"], row["subject"]) != (actor.id, action, subject):
        raise Conflict("请求编号已用于其他操作。 This request id was used for something else.")
    return msgspec.json.decode(row["answer"], type=kind)


async def _finish(connection: Connection, held: Held, request_id: UUID, action: str) -> IncidentRow:
    """Count the change, keep the answer, tell live pages."""
    await connection.execute(sql("touch_incident"), held.id)
    answer = await read_row(connection, held.id, held.actor.area)
    await connection.execute(
        sql("add_request"), request_id, held.actor.id, action, held.id, encode(answer).decode()
    )
    await flush(connection, [("incident", str(held.id), held.row["place"])])
    return answer


async def _entry(connection: Connection, held: Held, kind: str, text: str, **detail: object) -> None:
    await add_entry(
        connection, held.id, kind, text, actor=held.actor.display, user=held.actor.id, detail=detail
    )


async def _stop_paging(connection: Connection, held: Held) -> None:
    """Acknowledge a case as part of acting on it; whoever was first stays the one who acknowledged."""
    if held.row["acknowledged_at"] is None:
        await _entry(connection, held, "acknowledged", "确认接收")
        if held.row["holder"] is None:
            await connection.execute(sql("set_holder"), held.id, held.actor.id)
    await connection.execute(sql("acknowledge"), held.id, held.actor.id)
    await connection.execute(sql("withdraw_alarms"), held.id)


def _local(at: datetime) -> str:
    return at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M")


def _require_open(held: Held) -> None:
    if held.state not in OPEN_STATES:
        raise Conflict(f"事件{STATE_ZH[held.state]}。 The incident has ended ({held.state.value}).")


async def acknowledge(
    connection: Connection, viewer: Viewer, incident: UUID, request_id: UUID
) -> IncidentRow:
    """Take note of a case."""
    held = await _hold(connection, viewer, incident)
    if answer := await answered(connection, request_id, held.actor, "acknowledge", incident, IncidentRow):
        return answer  # type: ignore[no-any-return]  # decoded as IncidentRow
    _require_open(held)
    if held.row["acknowledged_at"] is not None:
        who, at = held.row["acknowledger"], held.row["acknowledged_at"]
        raise Conflict(
            f"{who}已于 {_local(at)} 确认接收。 {who} acknowledged it first, at {_local(at)} (Asia/Shanghai)."
        )
    await _stop_paging(connection, held)
    await connection.execute(sql("set_holder"), held.id, held.actor.id)
    if held.state is IncidentState.DETECTED:
        await connection.execute(sql("set_state"), held.id, IncidentState.VERIFYING.value)
    return await _finish(connection, held, request_id, "acknowledge")


async def take_over(connection: Connection, viewer: Viewer, incident: UUID, request_id: UUID) -> IncidentRow:
    """Become the holder of a case."""
    held = await _hold(connection, viewer, incident)
    if answer := await answered(connection, request_id, held.actor, "take_over", incident, IncidentRow):
        return answer  # type: ignore[no-any-return]  # decoded as IncidentRow
    _require_open(held)
    if held.row["holder"] == held.actor.id:
        raise Conflict("您已是承办人。 You hold it already.")
    await _stop_paging(connection, held)
    if held.state is IncidentState.DETECTED:
        await connection.execute(sql("set_state"), held.id, IncidentState.VERIFYING.value)
    await connection.execute(sql("set_holder"), held.id, held.actor.id)
    before = held.row["holder_name"]
    text = f"从{before}接手" if before else "接手"
    await _entry(connection, held, "taken_over", text, **{"from": before})
    return await _finish(connection, held, request_id, "take_over")


async def decide(
    connection: Connection, viewer: Viewer, incident: UUID, verdict: Verdict, note: str, request_id: UUID
) -> IncidentRow:
    """Say what it was."""
    held = await _hold(connection, viewer, incident)
    action = f"decide:{verdict.value}"
    if answer := await answered(connection, request_id, held.actor, action, incident, IncidentRow):
        return answer  # type: ignore[no-any-return]  # decoded as IncidentRow
    await _stop_paging(connection, held)
    await connection.execute(sql("set_verdict"), held.id, verdict.value)
    text = f"研判：{VERDICT_ZH[verdict]}" + (f"。{note}" if note else "")
    await _entry(connection, held, "decided", text, verdict=verdict.value, note=note)
    if held.row["alert"] is not None:
        disposition = Disposition(
            id=derived_id("disposition", held.row["alert"], request_id),
            alert=held.row["alert"],
            incident=held.id,
            category=held.row["category"],
            county=county_of(held.row["place"]),
            verdict=verdict,
            decided_at=await county_now(connection),
        )
        # One key per alert: on the compacted topic an officer's later word on it replaces the earlier one.
        await publish(connection, DISPOSITIONS, str(held.row["alert"]), disposition)
    target = _decided_state(held.state, verdict)
    if target is not None:
        await _set_state(connection, held, target, "")
    return await _finish(connection, held, request_id, action)


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


async def _set_state(connection: Connection, held: Held, state: IncidentState, note: str) -> None:
    await connection.execute(sql("set_state"), held.id, state.value)
    text = f"{STATE_ZH[held.state]} → {STATE_ZH[state]}" + (f"。{note}" if note else "")
    await _entry(connection, held, "moved", text, note=note, **{"from": held.state.value, "to": state.value})
    if state not in OPEN_STATES:
        await connection.execute(sql("withdraw_pages"), held.id)
        await connection.execute(sql("end_tasks"), held.id)


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
    held = await _hold(connection, viewer, incident)
    action = f"move:{state.value}"
    if answer := await answered(connection, request_id, held.actor, action, incident, IncidentRow):
        return answer  # type: ignore[no-any-return]  # decoded as IncidentRow
    if expected_version is not None and expected_version != held.row["version"]:
        raise Conflict(
            "事件已被他人更新，请刷新后重试。 Somebody changed the incident meanwhile; look again."
        )
    if state not in INCIDENT_MOVES[held.state]:
        raise Conflict(
            f"不能从{STATE_ZH[held.state]}变为{STATE_ZH[state]}。 It cannot go from {held.state.value} to {state.value}."
        )
    await _stop_paging(connection, held)
    await _set_state(connection, held, state, note)
    return await _finish(connection, held, request_id, action)


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
        return answer  # type: ignore[no-any-return]  # decoded as TaskRow
    if actor.role is Role.GRID and state not in GRID_STATES:
        raise NotAllowed("核查和结案由值班人员完成。 Verifying and closing is for the duty officer.")
    present = TaskState(row["state"])
    if state not in TASK_MOVES[present]:
        raise Conflict(
            f"任务不能从{TASK_ZH[present]}变为{TASK_ZH[state]}。"
            f" The task cannot go from {present.value} to {state.value}."
        )
    under_way = state in (TaskState.ACCEPTED, TaskState.ON_SITE)
    await connection.execute(sql("set_task_state"), task, state.value, actor.id, under_way)
    text = f"任务{TASK_ZH[state]}" + (f"。{note}" if note else "")
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
