"""What officers do with cases beyond moving them, as the store's methods; each is one transaction."""

from collections.abc import Sequence
from uuid import UUID

from domain.areas import covers, is_area_code
from domain.errors import Fault, InvalidInput, NotFound
from responders.cases import Desk, Rules
from responders.casework import CallBack, Described
from responders.store.entries import Notes, case_of
from responders.store.further import desk_in, dispatch_task
from responders.store.held import answered, finish, hold, require_open, stop_paging
from responders.store.joint import join_party, leave_party
from responders.store.merging import merge
from responders.store.pool import Connection, Database
from responders.store.queries import sql
from responders.store.ratings import rate_case, rate_task
from responders.store.registry import county_now
from responders.store.reopening import reopen
from responders.store.splitting import open_by_hand, split
from responders.views import IncidentRow, Viewer


class Casework:
    """Merging, splitting, joint cases, further tasks, reopening and call-backs.

    Every method: NotFound outside the viewer's area, NotAllowed for a role that may not, Conflict when the state does not
    permit it, InvalidInput with every fault; the same `request_id` again changes nothing and gives the same answer.
    """

    def __init__(self, database: Database) -> None:
        """Share the store's pool."""
        self._database = database

    async def open(self, viewer: Viewer, described: Described, request_id: UUID, rules: Rules) -> IncidentRow:
        """Open a case by hand (人工立案); the desk on duty is paged as for any other."""
        return await self._database.run(open_by_hand, viewer, described, request_id, rules)

    async def merge(
        self, viewer: Viewer, incident: UUID, into: UUID, note: str, request_id: UUID, rules: Rules
    ) -> IncidentRow:
        """Merge an open case into another open one (并案); the case that ended.

        Its alerts with all later versions, its open tasks and its parties are the other's, its pages not yet sent are
        withdrawn, and the other becomes as grave as the graver of both. The viewer must hold the places of both.
        """
        return await self._database.run(merge, viewer, incident, into, note, request_id, rules)

    async def split(
        self,
        viewer: Viewer,
        incident: UUID,
        *,
        alerts: Sequence[UUID] = (),
        described: Described | None = None,
        note: str,
        request_id: UUID,
        rules: Rules,
    ) -> IncidentRow:
        """Split alerts of a case, or a part described by hand, off it (拆分); the new case, paged as any other."""
        return await self._database.run(
            split, viewer, incident, tuple(alerts), described, note, request_id, rules
        )

    async def join(
        self, viewer: Viewer, incident: UUID, area: str, note: str, request_id: UUID, rules: Rules
    ) -> IncidentRow:
        """Bring another area into a case (联合处置): it sees the case and gets its task, and who coordinates is paged.

        The nearest area above the place and all parties coordinates; nobody below it may end the case.
        """
        return await self._database.run(join_party, viewer, incident, area, note, request_id, rules)

    async def leave(
        self, viewer: Viewer, incident: UUID, area: str, note: str, request_id: UUID
    ) -> IncidentRow:
        """Let an area leave a joint case; its open tasks are cancelled. For who coordinates."""
        return await self._database.run(leave_party, viewer, incident, area, note, request_id)

    async def dispatch(
        self,
        viewer: Viewer,
        incident: UUID,
        area: str,
        post: str | None,
        note: str,
        request_id: UUID,
        rules: Rules,
    ) -> IncidentRow:
        """Give one more task of a case to a unit of the viewer's area (再派任务), due as the list of duties says.

        Without a post it is the one that answers for the category there, or the grid workers of a village or cell that has
        some. The unit is paged; its clock starts now.
        """
        return await self._database.run(_dispatch, viewer, incident, area, post, note, request_id, rules)

    async def reopen(
        self, viewer: Viewer, incident: UUID, note: str, request_id: UUID, rules: Rules
    ) -> IncidentRow:
        """Open an ended case again (重开): paged anew, with a new task for its owner; not one that was merged."""
        return await self._database.run(_reopen, viewer, incident, note, request_id, rules)

    async def rate(
        self, viewer: Viewer, incident: UUID, call: CallBack, request_id: UUID, rules: Rules
    ) -> IncidentRow:
        """Keep what somebody concerned said after a case was closed (回访); who was not satisfied opens it again in time."""
        return await self._database.run(rate_case, viewer, incident, call, request_id, rules)

    async def rate_task(
        self, viewer: Viewer, task: UUID, call: CallBack, request_id: UUID, rules: Rules
    ) -> IncidentRow:
        """Keep what somebody concerned said after a task was closed; the task is `rated`, its case as it is then."""
        return await self._database.run(rate_task, viewer, task, call, request_id, rules)


async def _dispatch(
    connection: Connection,
    viewer: Viewer,
    incident: UUID,
    area: str,
    post: str | None,
    note: str,
    request_id: UUID,
    rules: Rules,
) -> IncidentRow:
    held = await hold(connection, viewer, incident)
    action = f"dispatch:{area}/{'' if post is None else post}"
    if answer := await answered(connection, request_id, held.actor, action, incident, IncidentRow):
        return answer
    require_open(held)
    if not is_area_code(area) or not covers(held.actor.area, area):
        raise InvalidInput([Fault("area", "must be an area of yours; bring others in as parties")])
    if not await connection.fetchval(sql("knows_area"), area):
        raise InvalidInput([Fault("area", "is not in the registry")])
    await stop_paging(connection, held)
    row = await connection.fetchrow(sql("lock_incident"), incident)
    if row is None:
        raise NotFound
    duty = rules.data.owner(row["category"], area)
    desk = desk_in(area, duty.post if post is None else post)
    if not post and await connection.fetchval(sql("has_terminal"), area):
        desk = Desk(area, "")
    notes: Notes = []
    await dispatch_task(
        connection,
        case_of(row),
        desk,
        duty,
        rules,
        notes,
        note=note,
        actor=held.actor,
    )
    return await finish(connection, held, request_id, action, notes)


async def _reopen(
    connection: Connection, viewer: Viewer, incident: UUID, note: str, request_id: UUID, rules: Rules
) -> IncidentRow:
    held = await hold(connection, viewer, incident)
    if answer := await answered(connection, request_id, held.actor, "reopen", incident, IncidentRow):
        return answer
    if not note.strip():
        raise InvalidInput([Fault("note", "must say why the incident is opened again")])
    row = await connection.fetchrow(sql("lock_incident"), incident)
    if row is None:
        raise NotFound
    notes: Notes = []
    now = await county_now(connection)
    await reopen(connection, row, f"重新打开：{note}", now, rules, notes, actor=held.actor)
    return await finish(connection, held, request_id, "reopen", notes)
