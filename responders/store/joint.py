"""Joint cases in SQL (联合处置): areas that join and leave, each with a task, and the area above them that coordinates."""

from uuid import UUID

from domain.areas import is_area_code
from domain.errors import Conflict, Fault, InvalidInput, NotFound
from responders.cases import Desk, Reason, Rules
from responders.casework import party_faults
from responders.store.console import Actor
from responders.store.entries import SYSTEM, Notes, add_entry, case_of, name_of
from responders.store.further import desk_in, dispatch_task, note_party, set_coordinator
from responders.store.held import answered, entry, finish, hold, require_coordinator, require_open
from responders.store.pool import Connection, Record
from responders.store.queries import sql
from responders.views import IncidentRow, Viewer


async def join_area(
    connection: Connection,
    row: Record,
    area: str,
    rules: Rules,
    notes: Notes,
    *,
    note: str = "",
    actor: Actor | None = None,
) -> bool:
    """Make an area a party of a case that is held: it gets its task, and who coordinates is told; False when it is one."""
    case = case_of(row)
    if not await note_party(connection, case, area, notes):
        return False
    coordinator = await connection.fetchval(sql("coordinator"), case.id)
    where = await name_of(connection, area)
    lead = "无共同上级" if coordinator is None else f"由{await name_of(connection, coordinator)}牵头"
    await add_entry(
        connection,
        case.id,
        "party_joined",
        f"{where}参加联合处置，{lead}" + (f"。{note}" if note else ""),
        actor=SYSTEM if actor is None else actor.display,
        user=None if actor is None else actor.id,
        detail={"area": area, "coordinator": coordinator, "note": note},
    )
    duty = rules.data.owner(row["category"], area)
    if coordinator is not None:
        desk = Desk(coordinator, duty.post)
        if not await connection.fetchval(sql("has_open_task"), case.id, desk.area, desk.post):
            await dispatch_task(
                connection,
                case,
                desk,
                duty,
                rules,
                notes,
                reason=Reason.COORDINATES,
                note="牵头联合处置",
                actor=actor,
            )
    await dispatch_task(
        connection, case, desk_in(area, duty.post), duty, rules, notes, note=note, actor=actor
    )
    return True


async def join_party(
    connection: Connection,
    viewer: Viewer,
    incident: UUID,
    area: str,
    note: str,
    request_id: UUID,
    rules: Rules,
) -> IncidentRow:
    """Bring another area into a case."""
    held = await hold(connection, viewer, incident)
    action = f"join:{area}"
    if answer := await answered(connection, request_id, held.actor, action, incident, IncidentRow):
        return answer
    require_open(held)
    row = await connection.fetchrow(sql("lock_incident"), incident)
    if row is None:
        raise NotFound
    parties = [party["area"] for party in await connection.fetch(sql("parties_now"), incident)]
    faults = party_faults(row["place"], parties, area)
    if not faults and not await connection.fetchval(sql("knows_area"), area):
        faults.append(Fault("area", "is not in the registry"))
    if faults:
        raise InvalidInput(faults)
    if area in parties:
        raise Conflict("该区域已参加联合处置。 This area is a party already.")
    notes: Notes = []
    await join_area(connection, row, area, rules, notes, note=note, actor=held.actor)
    return await finish(connection, held, request_id, action, notes)


async def leave_party(
    connection: Connection, viewer: Viewer, incident: UUID, area: str, note: str, request_id: UUID
) -> IncidentRow:
    """Let an area leave a joint case; what it has not done is cancelled, and it sees the case no more."""
    held = await hold(connection, viewer, incident)
    action = f"leave:{area}"
    if answer := await answered(connection, request_id, held.actor, action, incident, IncidentRow):
        return answer
    require_open(held)
    await require_coordinator(connection, held, "决定参加单位")
    if not is_area_code(area) or await connection.fetchval(sql("end_party"), incident, area) is None:
        raise NotFound("该区域未参加联合处置。 This area is no party of the incident.")
    ended = [row["id"] for row in await connection.fetch(sql("cancel_tasks_in"), incident, area)]
    await connection.execute(sql("withdraw_task_pages"), ended)
    row = await connection.fetchrow(sql("lock_incident"), incident)
    if row is None:
        raise NotFound
    coordinator = await set_coordinator(connection, case_of(row))
    text = f"{await name_of(connection, area)}退出联合处置" + (f"。{note}" if note else "")
    await entry(
        connection, held, "party_left", text, area=area, tasks=ended, coordinator=coordinator, note=note
    )
    return await finish(connection, held, request_id, action, [("incident", str(incident), area)])
