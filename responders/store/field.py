"""What grid workers do from their phones, in SQL: seen by area, taken once for each UUID that a phone made.

A report is stored and put into the outbox in one transaction: from there it goes to `feed.reports` as if a gateway had taken
it, and the responder's own intake, which reads it there again, finds it stored.
"""

from uuid import UUID

import msgspec

from domain.areas import township_of
from domain.codec import encode
from domain.errors import Conflict, Fault, InvalidInput, NotFound
from domain.incidents import TaskState
from domain.topics import REPORTS
from responders import words
from responders.cases import Rules
from responders.field import (
    AskedPlea,
    FieldArea,
    FieldDay,
    FieldReport,
    FieldTask,
    Taken,
    Written,
    report_faults,
    report_id,
    report_of,
)
from responders.store.console import SEES_CASES, find_actor, view
from responders.store.held import answered
from responders.store.intake import record_reports
from responders.store.pool import Connection, Database, Record
from responders.store.queries import sql
from responders.store.registry import county_now, get_clock, publish
from responders.views import Viewer

ACTION = "report:field"
"""How the burden meter knows it: a form."""
MOST_TASKS, MOST_OWN, MOST_OF_CASE = 200, 20, 100


class Field:
    """The store's methods for the field app; each is one transaction.

    Every method raises NotAllowed for administrators, who have no cases, and NotFound for what lies outside the area.
    """

    def __init__(self, database: Database) -> None:
        """Share the store's pool."""
        self._database = database

    async def day(self, viewer: Viewer) -> FieldDay:
        """Show the places, the tasks that are not over, and the viewer's own newest reports."""
        return await self._database.read(_day, viewer)

    async def report(self, viewer: Viewer, written: Written, rules: Rules) -> Taken:
        """Take a report; the same UUID again is the same report and the same answer, whatever else it says.

        InvalidInput with every fault; Conflict when the UUID is another account's.
        """
        return await self._database.run(_report, viewer, written, rules)

    async def add_photo(self, viewer: Viewer, client_id: UUID, jpeg: bytes, width: int, height: int) -> UUID:
        """Keep the photo of one's own report, which has come before; the first one stays. The report's id.

        `jpeg` is at most 1 MiB and holds no metadata; `width` and `height` are in pixels.
        """
        return await self._database.run(_add_photo, viewer, client_id, jpeg, width, height)

    async def photo(self, viewer: Viewer, report: UUID) -> bytes:
        """Show the photo of a report in the viewer's area, or of a joint case that the area has part in."""
        return await self._database.read(_photo, viewer, report)

    async def of_case(self, viewer: Viewer, incident: UUID) -> list[FieldReport]:
        """List the newest reports from the field about a case."""
        return await self._database.read(_of_case, viewer, incident)


async def _day(connection: Connection, viewer: Viewer) -> FieldDay:
    actor = await find_actor(connection, viewer)
    areas = await connection.fetch(sql("field_areas"), actor.area)
    rows = await connection.fetch(sql("field_tasks"), actor.area, MOST_TASKS + 1)
    pleas: dict[UUID, list[AskedPlea]] = {}
    for row in await connection.fetch(sql("field_pleas"), [row["id"] for row in rows]):
        asked = {name: value for name, value in dict(row).items() if name != "task"}
        pleas.setdefault(row["task"], []).append(msgspec.convert(asked, AskedPlea))
    own = await connection.fetch(sql("own_field_reports"), actor.id, MOST_OWN)
    return FieldDay(
        areas=tuple(view(FieldArea, row) for row in areas),
        tasks=tuple(_task(row, actor.area, pleas.get(row["id"], [])) for row in rows[:MOST_TASKS]),
        reports=tuple(view(FieldReport, row) for row in own),
        more_tasks=len(rows) > MOST_TASKS,
    )


def _task(row: Record, area: str, pleas: list[AskedPlea]) -> FieldTask:
    fields = {name: value for name, value in dict(row).items() if name not in ("area", "post", "area_name")}
    return msgspec.convert(
        {
            **fields,
            "state": TaskState(row["state"]),
            "unit": f"{row['area_name']}{words.post_name(row['post'])}",
            "own": row["area"] == area,
            "pleas": pleas,
        },
        FieldTask,
    )


async def _report(connection: Connection, viewer: Viewer, written: Written, rules: Rules) -> Taken:
    actor = await find_actor(connection, viewer, SEES_CASES)
    known = report_id(written.client_id)
    if taken := await _taken(connection, known, actor.id):
        return taken
    await answered(
        connection, written.client_id, actor, ACTION, known, Taken
    )  # refuses an id of another command
    faults = report_faults(written, rules.data, actor.area)
    if not any(fault.field == "area" for fault in faults) and not await connection.fetchval(
        sql("knows_area"), written.area
    ):
        faults.append(Fault("area", "登记表中没有这个区域。 The registry does not know this place."))
    if faults:
        raise InvalidInput(faults)
    report = report_of(written, await county_now(connection), await get_clock(connection))
    new = await connection.fetchval(
        sql("add_field_report"), known, written.client_id, actor.id, written.level.value, written.masked
    )
    if new is None:  # the same one a moment earlier, which was not committed when this one looked
        if taken := await _taken(connection, known, actor.id):
            return taken
        raise NotFound
    await record_reports(connection, [report])
    await publish(connection, REPORTS, f"{township_of(report.area)}/{known}", report)
    answer = Taken(
        id=known,
        client_id=written.client_id,
        observed_at=report.observed_at,
        received_at=report.received_at,
        masked=written.masked,
    )
    await connection.execute(
        sql("add_request"), written.client_id, actor.id, ACTION, known, encode(answer).decode()
    )
    return answer


async def _taken(connection: Connection, report: UUID, user: UUID) -> Taken | None:
    row = await connection.fetchrow(sql("find_field_report"), report)
    if row is None:
        return None
    if row["user_id"] != user:
        raise Conflict("此编号的上报属于其他账号。 Another account has sent a report of this id.")
    return msgspec.convert({name: value for name, value in dict(row).items() if name != "user_id"}, Taken)


async def _add_photo(
    connection: Connection, viewer: Viewer, client_id: UUID, jpeg: bytes, width: int, height: int
) -> UUID:
    actor = await find_actor(connection, viewer)
    report = report_id(client_id)
    if await _taken(connection, report, actor.id) is None:
        raise NotFound("没有这条上报，照片无处可放。 There is no such report to put the photo to.")
    await connection.fetchval(sql("add_photo"), report, jpeg, width, height)
    return report


async def _photo(connection: Connection, viewer: Viewer, report: UUID) -> bytes:
    actor = await find_actor(connection, viewer)
    jpeg: bytes | None = await connection.fetchval(sql("find_photo"), report, actor.area)
    if jpeg is None:
        raise NotFound("没有这张照片，或不在您的辖区。 There is no such photo in your area.")
    return jpeg


async def _of_case(connection: Connection, viewer: Viewer, incident: UUID) -> list[FieldReport]:
    actor = await find_actor(connection, viewer)
    if await connection.fetchrow(sql("incident_row"), incident, actor.area) is None:
        raise NotFound("没有这个事件，或不在您的辖区。 There is no such incident in your area.")
    rows = await connection.fetch(sql("case_field_reports"), incident, actor.area, MOST_OF_CASE)
    return [view(FieldReport, row) for row in rows]
