"""A case that somebody acts on: taken hold of, checked, written down, once for each request id."""

from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

import msgspec
from msgspec import Struct

from domain.areas import covers
from domain.codec import encode
from domain.errors import Conflict, NotAllowed, NotFound
from domain.incidents import OPEN_STATES, IncidentState
from responders import words
from responders.store.acknowledging import take_note
from responders.store.clocks import settle_reports
from responders.store.console import Actor, find_actor, read_row
from responders.store.drills import refuse_silent
from responders.store.entries import Notes, add_entry, flush, name_of
from responders.store.pool import Connection, Record
from responders.store.queries import sql
from responders.views import IncidentRow, Role, Viewer

Answer = TypeVar("Answer", bound=Struct)

DECIDES = frozenset({Role.OFFICER, Role.COMMANDER})


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


async def hold(connection: Connection, viewer: Viewer, incident: UUID) -> Held:
    """Take hold of a case: NotFound outside the area before NotAllowed, so that nobody learns what lies elsewhere."""
    actor = await find_actor(connection, viewer)
    row = await connection.fetchrow(sql("lock_case"), incident, actor.area)
    if row is None:
        raise NotFound("没有这个事件，或不在您的辖区。 There is no such incident in your area.")
    if actor.role not in DECIDES:
        raise NotAllowed("您的角色不能执行此操作。 Your role may not do this.")
    if not row["within"]:
        raise NotAllowed(
            "联合处置事件由牵头单位决定，贵单位办理本单位的任务。 Who coordinates decides; yours are your own tasks."
        )
    if row["drill"]:
        await refuse_silent(connection, row["id"], actor.area)
    return Held(row, actor)


async def answered(
    connection: Connection, request_id: UUID, actor: Actor, action: str, subject: UUID, kind: type[Answer]
) -> Answer | None:
    """Find what this request was answered before; Conflict when the id was used for something else."""
    row = await connection.fetchrow(sql("find_request"), request_id)
    if row is None:
        return None
    if (row["user_id"], row["action"], row["subject"]) != (actor.id, action, subject):
        raise Conflict("请求编号已用于其他操作。 This request id was used for something else.")
    answer: Answer = msgspec.json.decode(row["answer"], type=kind)
    return answer


async def finish(
    connection: Connection, held: Held, request_id: UUID, action: str, notes: Notes | None = None
) -> IncidentRow:
    """Count the change, keep the answer, tell live pages (of what else changed too)."""
    await connection.execute(sql("touch_incident"), held.id)
    answer = await read_row(connection, held.id, held.actor.area)
    await connection.execute(
        sql("add_request"), request_id, held.actor.id, action, held.id, encode(answer).decode()
    )
    await flush(connection, [("incident", str(held.id), held.row["place"]), *(notes or [])])
    return answer


async def entry(connection: Connection, held: Held, kind: str, text: str, **detail: object) -> None:
    """Add a line to the case's record in the name of who acts."""
    await add_entry(
        connection, held.id, kind, text, actor=held.actor.display, user=held.actor.id, detail=detail
    )


async def stop_paging(connection: Connection, held: Held) -> None:
    """Acknowledge a case as part of acting on it; whoever was first stays the one who acknowledged.

    Where the policy asks for several acknowledgements, it is one of them.
    """
    if held.row["acknowledged_at"] is None:
        await take_note(connection, held.id, held.actor)
        if held.row["holder"] is None:
            await connection.execute(sql("set_holder"), held.id, held.actor.id)


def require_open(held: Held) -> None:
    """Raise Conflict when the case has ended."""
    if held.state not in OPEN_STATES:
        raise Conflict(f"事件{words.STATE[held.state]}。 The incident has ended ({held.state.value}).")


async def require_coordinator(connection: Connection, held: Held, what: str) -> None:
    """Raise NotAllowed when a case is a joint one, and who acts is below the area that coordinates it.

    Asked of the case that is held: nobody can join or leave it meanwhile.
    """
    coordinator = await connection.fetchval(sql("coordinator"), held.id)
    if coordinator is not None and not covers(held.actor.area, coordinator):
        name = await name_of(connection, coordinator)
        raise NotAllowed(f"联合处置事件由{name}{what}。 {name} coordinates this incident and decides.")


async def require_no_other(connection: Connection, fault: str | None) -> None:
    """Raise Conflict when an ended case of a platform's fault is to go on while the fault has a newer case that is open."""
    if fault is not None and await connection.fetchrow(sql("find_fault"), fault) is not None:
        raise Conflict(
            "同一故障另有未结案事件，请在该事件中处置。 This fault has a newer case that is open: act on that one."
        )


async def set_state(
    connection: Connection, held: Held, state: IncidentState, note: str, *, reason: str = ""
) -> None:
    """Move a case; one that ends has its timer stopped, its pages withdrawn and its tasks ended.

    Conflict where it would end without a report that the law asks for, and neither note nor `reason` says why.
    """
    if state not in OPEN_STATES:
        await require_coordinator(connection, held, "结案")
        actor = held.actor
        await settle_reports(
            connection, held.id, state, note or reason, area=actor.area, by=actor.display, user=actor.id
        )
    elif held.state not in OPEN_STATES:
        await require_no_other(connection, held.row["fault"])
    await connection.execute(sql("set_state"), held.id, state.value)
    text = f"{words.STATE[held.state]} → {words.STATE[state]}" + (f"。{note}" if note else "")
    await entry(connection, held, "moved", text, note=note, **{"from": held.state.value, "to": state.value})
    if state not in OPEN_STATES:
        # Who ends a case takes it off everybody's hands: acknowledgements that are still missing are not waited for.
        await connection.execute(sql("acknowledge"), held.id, held.actor.id)
        await connection.execute(sql("withdraw_pages"), held.id)
        await connection.execute(sql("end_tasks"), held.id)
