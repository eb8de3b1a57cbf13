"""Taking back an acknowledgement in SQL: a slip of the hand, within seconds, on record (docs/decisions/0012)."""

from dataclasses import dataclass
from uuid import UUID

from domain.errors import Conflict
from responders.store.held import Held, answered, entry, finish, hold
from responders.store.pool import Connection, Record
from responders.store.queries import sql
from responders.views import IncidentRow, Viewer

UNDO_SECONDS = 10
"""How long pages offer it."""
TRAVEL_SECONDS = 5
"""How much later the command may arrive: what was pressed in time counts."""
ACTION = "undo_acknowledge"


@dataclass(frozen=True, slots=True)
class Before:
    """How a case stood before it was acknowledged."""

    timer: Record | None
    due: tuple[UUID, ...]


async def look(connection: Connection, incident: UUID) -> Before:
    """See how a case that is held stands."""
    timer = await connection.fetchrow(sql("timer_of"), incident)
    pages = await connection.fetch(sql("due_pages"), incident)
    return Before(timer, tuple(page["id"] for page in pages))


async def keep(connection: Connection, held: Held, before: Before) -> None:
    """Keep how the case stood; its version must not change any more in this transaction but by `finish`."""
    timer = before.timer
    if timer is None:  # nothing that is held can be gone
        return
    await connection.execute(
        sql("keep_before"),
        held.id,
        held.actor.id,
        timer["version"] + 1,
        timer["state"],
        timer["next_at"],
        timer["hold"],
        timer["holder"],
        list(before.due),
    )


async def undo(connection: Connection, viewer: Viewer, incident: UUID, request_id: UUID) -> IncidentRow:
    """Take back one's own acknowledgement: the case stands as before it, its timer and its pages too."""
    held = await hold(connection, viewer, incident)
    if answer := await answered(connection, request_id, held.actor, ACTION, incident, IncidentRow):
        return answer
    before = await connection.fetchrow(sql("before_of"), held.id, held.actor.id)
    if before is None:
        raise Conflict("您没有可撤回的确认。 There is no acknowledgement of yours to take back.")
    if before["age_seconds"] > UNDO_SECONDS + TRAVEL_SECONDS:
        raise Conflict(
            f"确认已超过 {UNDO_SECONDS} 秒，不能撤回。 It was acknowledged more than {UNDO_SECONDS} s ago: it stands."
        )
    if before["version"] != held.row["version"]:
        raise Conflict(
            "事件此后已有变化，不能撤回确认。 The case has changed since: the acknowledgement stands."
        )
    await connection.execute(sql("undo_ack"), held.id, held.actor.id)
    await connection.execute(
        sql("undo_acknowledgement"),
        held.id,
        before["state"],
        before["next_at"],
        before["hold"],
        before["holder"],
    )
    await connection.execute(sql("undo_withdrawal"), before["pages"])
    await connection.execute(sql("drop_before"), held.id, held.actor.id)
    await entry(connection, held, "acknowledgement_undone", "撤回确认接收，恢复通知")
    return await finish(connection, held, request_id, ACTION)
