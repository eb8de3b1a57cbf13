"""Shelving cases and planning maintenance in SQL: by officers, on record, bounded, and by two where needed."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from domain.areas import covers, is_area_code
from domain.codec import encode
from domain.errors import Conflict, Fault, InvalidInput, NotAllowed, NotFound
from domain.identity import derived_id
from domain.levels import Grade, Level
from responders.cases import Rules
from responders.holds import LONGEST_WINDOW, persons_needed
from responders.store.console import find_actor, view
from responders.store.held import DECIDES, Held, answered, entry, finish, hold, require_open
from responders.store.pool import Connection, Database, Record
from responders.store.queries import sql
from responders.store.registry import county_now
from responders.views import (
    HeldCase,
    HeldView,
    IncidentRow,
    MaintenancePlan,
    MaintenanceRow,
    Viewer,
    WaitingShelf,
)


class Holds:
    """The store's methods for what holds pages back; each is one transaction."""

    def __init__(self, database: Database) -> None:
        """Share the store's pool."""
        self._database = database

    async def shelve(
        self, viewer: Viewer, incident: UUID, minutes: int, reason: str, request_id: UUID, rules: Rules
    ) -> IncidentRow:
        """Put a case aside for some minutes: nobody is paged, everything else goes on; it ends by itself.

        Where the grade needs two persons (a red case always) it counts when a second one consents. InvalidInput beyond the
        grade's bound; Conflict when it is put aside already, or somebody has acknowledged it.
        """
        return await self._database.run(_shelve, viewer, incident, minutes, reason, request_id, rules)

    async def consent(self, viewer: Viewer, incident: UUID, request_id: UUID, rules: Rules) -> IncidentRow:
        """Stand behind a shelf as the second person; NotAllowed for the one who asked, NotFound where nobody did."""
        return await self._database.run(_consent, viewer, incident, request_id, rules)

    async def unshelve(self, viewer: Viewer, incident: UUID, request_id: UUID) -> IncidentRow:
        """End a shelf now: a case that is still unacknowledged is paged at once."""
        return await self._database.run(_unshelve, viewer, incident, request_id)

    async def plan(
        self, viewer: Viewer, plan: MaintenancePlan, request_id: UUID, rules: Rules
    ) -> MaintenanceRow:
        """Plan maintenance in one's own area, ahead or from now on; InvalidInput with every fault."""
        return await self._database.run(_plan, viewer, plan, request_id, rules)

    async def consent_to(self, viewer: Viewer, maintenance: UUID) -> MaintenanceRow:
        """Stand behind maintenance as the second person: then it holds back red cases, too."""
        return await self._database.run(_consent_to, viewer, maintenance)

    async def end(self, viewer: Viewer, maintenance: UUID) -> MaintenanceRow:
        """End maintenance now, or take it back; ending it twice is fine. Cases that it held are looked at again."""
        return await self._database.run(_end, viewer, maintenance)

    async def maintenance(self, viewer: Viewer) -> list[MaintenanceRow]:
        """List the present and the coming maintenance that concerns the viewer's area."""
        return await self._database.read(_list_maintenance, viewer)

    async def held(self, viewer: Viewer) -> tuple[list[HeldCase], list[WaitingShelf]]:
        """List the cases of the viewer's area that are held, and shelves that wait for a second person."""
        return await self._database.read(_held, viewer)


def _needed(held: Held, level: Level, rules: Rules) -> int:
    return persons_needed(Grade(held.row["grade"]), level, rules.data.shelvings)


async def _level(connection: Connection, incident: UUID) -> Level:
    row = await connection.fetchrow(sql("subject_of"), incident)
    return Level(row["level"]) if row else Level.RED


async def _shelve(
    connection: Connection,
    viewer: Viewer,
    incident: UUID,
    minutes: int,
    reason: str,
    request_id: UUID,
    rules: Rules,
) -> IncidentRow:
    held = await hold(connection, viewer, incident)
    if answer := await answered(connection, request_id, held.actor, "shelve", incident, IncidentRow):
        return answer
    require_open(held)
    grade = Grade(held.row["grade"])
    if faults := list(_shelf_faults(minutes, reason, rules.data.shelvings[grade].most_minutes, grade)):
        raise InvalidInput(faults)
    if held.row["acknowledged_at"] is not None:
        raise Conflict("已确认接收，不再通知，无需搁置。 It is acknowledged: nobody is paged any more.")
    until = await county_now(connection) + timedelta(minutes=minutes)
    await _end_if_over(connection, held)
    shelf = await connection.fetchval(
        sql("add_shelf"),
        derived_id("shelf", request_id),
        incident,
        grade.value,
        reason,
        until,
        held.actor.id,
    )
    if shelf is None:
        raise Conflict("已有搁置申请。 It is shelved already, or somebody has asked for it.")
    alone = _needed(held, await _level(connection, incident), rules) == 1
    text = f"搁置 {minutes} 分钟：{reason}" if alone else f"申请搁置 {minutes} 分钟，须另一人同意：{reason}"
    await entry(connection, held, "shelved" if alone else "shelf_asked", text, until=until, reason=reason)
    if alone:
        await connection.execute(sql("wake_case"), incident)
    return await finish(connection, held, request_id, "shelve")


def _shelf_faults(minutes: int, reason: str, most: int, grade: Grade) -> Iterator[Fault]:
    if not 1 <= minutes <= most:
        yield Fault("minutes", f"must be 1 to {most} for a case of grade {grade.name}")
    if not reason.strip():
        yield Fault("reason", "is missing")


async def _end_if_over(connection: Connection, held: Held) -> None:
    """Put away a shelf whose time is over, so that there is room for another."""
    present = await connection.fetchrow(sql("present_shelf"), held.id)
    if present is not None and present["until"] <= await county_now(connection):
        await connection.execute(sql("end_shelf"), present["id"])


async def _present(connection: Connection, held: Held) -> Record:
    present = await connection.fetchrow(sql("present_shelf"), held.id)
    if present is None or present["until"] <= await county_now(connection):
        raise NotFound("此事件未被搁置。 It is not shelved.")
    return present


async def _consent(
    connection: Connection, viewer: Viewer, incident: UUID, request_id: UUID, rules: Rules
) -> IncidentRow:
    held = await hold(connection, viewer, incident)
    if answer := await answered(connection, request_id, held.actor, "shelf_consent", incident, IncidentRow):
        return answer
    require_open(held)
    present = await _present(connection, held)
    _require_second(held.actor.id, present["asked_by"], present["consented_by"])
    await connection.execute(sql("consent_to_shelf"), present["id"], held.actor.id)
    await entry(
        connection,
        held,
        "shelved",
        f"同意搁置：{present['reason']}",
        until=present["until"],
        reason=present["reason"],
    )
    await connection.execute(sql("wake_case"), incident)
    return await finish(connection, held, request_id, "shelf_consent")


def _require_second(user: UUID, first: UUID, second: UUID | None) -> None:
    if user == first:
        raise NotAllowed("须由另一人同意。 Another person must consent.")
    if second is not None:
        raise Conflict("已有另一人同意。 A second person has consented already.")


async def _unshelve(connection: Connection, viewer: Viewer, incident: UUID, request_id: UUID) -> IncidentRow:
    held = await hold(connection, viewer, incident)
    if answer := await answered(connection, request_id, held.actor, "unshelve", incident, IncidentRow):
        return answer
    present = await _present(connection, held)
    await connection.execute(sql("end_shelf"), present["id"])
    await entry(connection, held, "unshelved", "取消搁置")
    return await finish(connection, held, request_id, "unshelve")


async def _plan(
    connection: Connection, viewer: Viewer, plan: MaintenancePlan, request_id: UUID, rules: Rules
) -> MaintenanceRow:
    actor = await find_actor(connection, viewer, DECIDES)
    identity = derived_id("maintenance", request_id)
    if answer := await answered(connection, request_id, actor, "maintenance", identity, MaintenanceRow):
        return answer
    faults = list(_plan_faults(plan, actor.area, await county_now(connection), rules))
    there = await connection.fetchrow(sql("series_in"), plan.series, plan.device, actor.area)
    faults += [
        Fault(name, "is not registered in your area")
        for name in ("series", "device")
        if there is not None and not there[name]
    ]
    if faults:
        raise InvalidInput(faults)
    await connection.execute(
        sql("add_maintenance"),
        identity,
        plan.area,
        plan.category,
        plan.series,
        plan.device,
        plan.reason,
        plan.starts_at,
        plan.ends_at,
        actor.id,
    )
    row = await _row(connection, identity)
    await connection.execute(
        sql("add_request"), request_id, actor.id, "maintenance", identity, encode(row).decode()
    )
    return row


def _plan_faults(plan: MaintenancePlan, within: str, now: datetime, rules: Rules) -> Iterator[Fault]:
    if not is_area_code(plan.area) or not covers(within, plan.area):
        yield Fault("area", "must be an area of yours")
    if not (plan.category or plan.series or plan.device):
        yield Fault("category", "is missing: name a category, a series or a device")
    if plan.category and plan.category not in rules.data.categories:
        yield Fault("category", f"{plan.category!r} is not known here")
    if not plan.reason.strip():
        yield Fault("reason", "is missing")
    if plan.ends_at <= max(plan.starts_at, now):
        yield Fault("ends_at", "must lie ahead, and after starts_at")
    elif plan.ends_at - plan.starts_at > LONGEST_WINDOW:
        yield Fault("ends_at", f"must follow starts_at by {LONGEST_WINDOW.days} days at most")


async def _row(connection: Connection, maintenance: UUID) -> MaintenanceRow:
    row = await connection.fetchrow(sql("maintenance_row"), maintenance)
    if row is None:
        raise NotFound("没有这项检修。 There is no such maintenance in your area.")
    found: MaintenanceRow = view(MaintenanceRow, row)
    return found


async def _hold_maintenance(connection: Connection, viewer: Viewer, maintenance: UUID) -> tuple[UUID, Record]:
    actor = await find_actor(connection, viewer, DECIDES)
    row = await connection.fetchrow(sql("lock_maintenance"), maintenance, actor.area)
    if row is None:
        raise NotFound("没有这项检修，或不在您的辖区。 There is no such maintenance in your area.")
    return actor.id, row


async def _consent_to(connection: Connection, viewer: Viewer, maintenance: UUID) -> MaintenanceRow:
    user, row = await _hold_maintenance(connection, viewer, maintenance)
    if row["consented_by"] != user:
        _require_second(user, row["planned_by"], row["consented_by"])
        await connection.execute(sql("consent_to_maintenance"), maintenance, user)
    return await _row(connection, maintenance)


async def _end(connection: Connection, viewer: Viewer, maintenance: UUID) -> MaintenanceRow:
    await _hold_maintenance(connection, viewer, maintenance)
    await connection.execute(sql("end_maintenance"), maintenance)
    return await _row(connection, maintenance)


async def _list_maintenance(connection: Connection, viewer: Viewer) -> list[MaintenanceRow]:
    actor = await find_actor(connection, viewer)
    return [view(MaintenanceRow, row) for row in await connection.fetch(sql("list_maintenance"), actor.area)]


async def _held(connection: Connection, viewer: Viewer) -> tuple[list[HeldCase], list[WaitingShelf]]:
    actor = await find_actor(connection, viewer)
    cases = [_held_case(row) for row in await connection.fetch(sql("held_cases"), actor.area)]
    waiting = [
        WaitingShelf(
            incident=row["id"],
            title=row["title"],
            reason=row["reason"],
            by=row["by"],
            until=row["until"],
            asked_at=row["asked_at"],
        )
        for row in await connection.fetch(sql("shelves_waiting"), actor.area)
    ]
    return cases, waiting


def _held_case(row: Record) -> HeldCase:
    hold = msgspec.json.decode(row["hold"], type=HeldView)
    fields: dict[str, Any] = {name: row[name] for name in ("title", "category", "place", "grade", "level")}
    return msgspec.convert({"incident": row["id"], **fields, "held": hold}, HeldCase)
