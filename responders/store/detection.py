"""Held-back alerts and calibrations in SQL: what officers see of detection, and opening a case all the same."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from domain.codec import encode
from domain.errors import Conflict, NotAllowed, NotFound
from domain.findings import AlertChange, Calibration, HeldBack
from domain.identity import incident_id
from domain.levels import Domain, Level
from responders.cases import Rules
from responders.detection import DetectionView, HeldBackRow
from responders.store.console import find_actor, read_row, view
from responders.store.entries import Notes, add_entry, flush
from responders.store.held import DECIDES, answered
from responders.store.opening import NewCase, open_incident
from responders.store.pool import Connection, Database
from responders.store.queries import sql
from responders.views import IncidentRow, Viewer

MOST_ROWS = 500
MOST_COUNTIES = 50
HELD_BACK_ZH = {HeldBack.BUDGET: "本周预警名额已满", HeldBack.CHANCE: "同类预警多为误报"}
ACTION = "open"


class Detection:
    """The store's methods for what officers see of detection."""

    def __init__(self, database: Database) -> None:
        """Share the store's pool."""
        self._database = database

    async def record_calibrations(self, calibrations: Sequence[Calibration]) -> None:
        """Keep the newest calibration of each county."""
        await self._database.run(_record, calibrations)

    async def show(self, viewer: Viewer, limit: int = MOST_ROWS) -> DetectionView:
        """Show held-back alerts of the viewer's area and the calibrations of its counties; NotAllowed for administrators."""
        return await self._database.read(_show, viewer, limit)

    async def open(self, viewer: Viewer, alert: UUID, request_id: UUID, rules: Rules) -> IncidentRow:
        """Open a case from an alert that was held back, as if it never had been: the desk on duty is paged.

        NotFound outside the area, NotAllowed for a role that decides nothing, Conflict when there is a case already; the
        same `request_id` again changes nothing and gives the same answer. Who opened it stands on the record.
        """
        return await self._database.run(_open, viewer, alert, request_id, rules)


async def _record(connection: Connection, calibrations: Sequence[Calibration]) -> None:
    for one in calibrations:
        await connection.execute(sql("put_calibration"), one.county, one.at, encode(one).decode())


async def _show(connection: Connection, viewer: Viewer, limit: int) -> DetectionView:
    actor = await find_actor(connection, viewer)
    most = max(0, min(limit, MOST_ROWS))
    rows = await connection.fetch(sql("held_back"), actor.area, most + 1)
    known = await connection.fetch(sql("calibrations"), actor.area, MOST_COUNTIES)
    return DetectionView(
        held_back=tuple(view(HeldBackRow, row) for row in rows[:most]),
        more=len(rows) > most,
        calibrations=tuple(msgspec.json.decode(row["record"], type=Calibration) for row in known),
    )


async def _open(
    connection: Connection, viewer: Viewer, alert: UUID, request_id: UUID, rules: Rules
) -> IncidentRow:
    actor = await find_actor(connection, viewer)
    row = await connection.fetchrow(sql("lock_alert"), alert, actor.area)
    if row is None:
        raise NotFound("没有这个预警，或不在您的辖区。 There is no such alert in your area.")
    if actor.role not in DECIDES:
        raise NotAllowed("您的角色不能执行此操作。 Your role may not do this.")
    if answer := await answered(connection, request_id, actor, ACTION, alert, IncidentRow):
        return answer
    if row["incident"] is not None or row["held_back"] is None:
        raise Conflict("该预警已立案。 There is a case for this alert already.")
    new = NewCase(
        id=incident_id(alert),
        alert=alert,
        fault=None,
        domain=Domain(row["domain"]),
        category=row["category"],
        place=row["place"],
        level=Level(row["level"]),
        zh=row["zh"],
        en=row["en"],
        received_at=row["received_at"],
        alert_open=row["change"] != AlertChange.CLEARED.value,
        drill=row["drill"],
    )
    notes: Notes = []
    await open_incident(connection, new, rules, notes)
    reason = HeldBack(row["held_back"])
    await add_entry(
        connection,
        new.id,
        "opened_by_hand",
        f"由未发预警立案（未发原因：{HELD_BACK_ZH[reason]}）",
        actor=actor.display,
        user=actor.id,
        detail={"held_back": reason.value, "chance": row["chance"]},
    )
    opened = await read_row(connection, new.id, actor.area)
    await connection.execute(sql("add_request"), request_id, actor.id, ACTION, alert, encode(opened).decode())
    await flush(connection, notes)
    return opened
