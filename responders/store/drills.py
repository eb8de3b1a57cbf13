"""Drills in SQL: begun, played step by step as timers run out, and stopped."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import msgspec

from config.data import Data
from config.drills import Drill
from domain.codec import encode
from domain.errors import Fault, InvalidInput, NotAllowed, NotFound
from domain.incidents import OPEN_STATES, IncidentState
from domain.topics import ALERTS
from responders import drills, words
from responders.cases import Rules
from responders.drills import Played, PlayedStep
from responders.store.console import find_actor
from responders.store.entries import SYSTEM, Notes, add_entry, flush
from responders.store.pool import Connection, Database, Record
from responders.store.queries import sql
from responders.store.registry import county_now, list_areas, publish
from responders.views import Role, Viewer

INJECT = "drill_inject"
"""The kind of a line that tells those who take part what the scenario brings."""
STOPPED_ZH = "演练终止，事件关闭"


class Drills:
    """The store's methods for running drills; each is one transaction."""

    def __init__(self, database: Database) -> None:
        """Share the store's pool."""
        self._database = database

    async def start(
        self,
        drill: UUID,
        scenario: Drill,
        county: str,
        places: Mapping[str, str],
        at: datetime | None = None,
        viewer: Viewer | None = None,
    ) -> Played:
        """Set the timers of a scenario's steps; the same id again begins nothing new.

        `at` is county time, now when it is None. InvalidInput, with every fault, for places that the county has not and a
        time that is over. Without a viewer it is the operator of the platform; only commanders may, in their area.
        """
        return await self._database.run(_start, drill, scenario, county, places, at, viewer)

    async def stop(self, drill: UUID, viewer: Viewer | None = None) -> int:
        """Take away the timers of a drill and close its cases; answers how many. Stopping twice is fine.

        What is on its way to intake opens no case any more.
        """
        return await self._database.run(_stop, drill, viewer)

    async def act_next(self, rules: Rules) -> bool:
        """Take the step that is longest due; False when none is due or other workers hold them.

        An alert goes through the outbox to the topic of all alerts; an inject is told in the record of the drill's cases.
        """
        return await self._database.run(_act_next, rules)


async def require_commander(connection: Connection, viewer: Viewer | None, county: str) -> str:
    """Name who acts, refusing everybody but a commander of the county or above; None is the platform's operator."""
    if viewer is None:
        return SYSTEM
    actor = await find_actor(connection, viewer)
    if not county.startswith(actor.area):
        raise NotFound("没有这个县，或不在您的辖区。 There is no such county in your area.")
    if actor.role is not Role.COMMANDER:
        raise NotAllowed("演练由指挥员发起和终止。 A commander begins and ends drills.")
    return actor.display


async def _start(
    connection: Connection,
    drill: UUID,
    scenario: Drill,
    county: str,
    places: Mapping[str, str],
    at: datetime | None,
    viewer: Viewer | None,
) -> Played:
    before = await connection.fetchrow(sql("drill_record"), drill)
    await require_commander(connection, viewer, county if before is None else before["county"])
    if before is not None:
        return played_of(before)
    now = await county_now(connection)
    names = {area.code: area.name for area in await list_areas(connection)}
    chosen = drills.choose_places(scenario, county, names, places)
    if at is not None and at < now:
        raise InvalidInput([Fault("at", f"is over: it is {drills.local(now)} in the county")])
    played = Played(id=drill, county=county, places=chosen, scenario=scenario, starts_at=at or now)
    begun = await connection.fetchval(
        sql("put_drill"),
        drill,
        scenario.slug,
        county,
        encode(scenario).decode(),
        encode(chosen).decode(),
        played.starts_at,
    )
    if begun is not None:
        for step in drills.plan(played):
            await connection.execute(
                sql("put_drill_step"),
                drill,
                step.number,
                step.due_at,
                step.alert,
                step.version,
                step.silent_area,
                step.silent_until,
            )
        await flush(connection, [("drill", str(drill), county)])
    return played


def played_of(row: Record) -> Played:
    """Read a drill as it was begun."""
    return Played(
        id=row["id"],
        county=row["county"],
        places=msgspec.json.decode(row["places"], type=dict[str, str]),
        scenario=msgspec.json.decode(row["record"], type=Drill),
        starts_at=row["starts_at"],
    )


async def _act_next(connection: Connection, rules: Rules) -> bool:
    row = await connection.fetchrow(sql("lock_due_step"))
    if row is None:
        return False
    played = played_of(row)
    step = PlayedStep(
        number=row["number"],
        due_at=row["due_at"],
        alert=row["alert"],
        version=row["version"],
        silent_area=row["silent_area"],
        silent_until=row["silent_until"],
    )
    names = {area.code: area.name for area in await list_areas(connection)}
    now = await county_now(connection)
    notes: Notes = [("drill", str(played.id), played.county)]
    await connection.execute(sql("step_taken"), played.id, step.number)
    if step.alert is None:
        await _inject(connection, played, step, names, notes)
    else:
        await _raise(connection, played, step, rules.data, names, row["began_at"] or now, now)
    await flush(connection, notes)
    return True


async def _raise(
    connection: Connection,
    played: Played,
    step: PlayedStep,
    data: Data,
    names: Mapping[str, str],
    began: datetime,
    now: datetime,
) -> None:
    """Publish an alert; in the outbox each version has a key of its own, lest a later one replace it there."""
    alert = drills.alert_of(played, step, data, names, began, now)
    await publish(connection, ALERTS, f"{alert.county}/{alert.id}/{alert.version}", alert)


async def _inject(
    connection: Connection, played: Played, step: PlayedStep, names: Mapping[str, str], notes: Notes
) -> None:
    scripted = played.scenario.step[step.number]
    text = words.mark(f"情况注入：{drills.say(scripted.zh, played, names)}")
    detail = {
        "drill": played.id,
        "step": step.number,
        "en": drills.MARK_EN + drills.say(scripted.en, played, names),
        "silent_area": step.silent_area,
        "silent_until": step.silent_until,
    }
    cases = await connection.fetch(sql("drill_cases"), played.id, "")
    for case in (one for one in cases if IncidentState(one["state"]) in OPEN_STATES):
        await add_entry(connection, case["incident"], INJECT, text, detail=detail)
        notes.append(("incident", str(case["incident"]), played.county))


async def _stop(connection: Connection, drill: UUID, viewer: Viewer | None) -> int:
    if viewer is not None:
        await find_actor(connection, viewer)  # who may see no cases hears the same of any drill
    row = await connection.fetchrow(sql("lock_drill"), drill)
    if row is None:
        raise NotFound("没有这次演练。 There is no such drill.")
    who = await require_commander(connection, viewer, row["county"])
    if row["stopped_at"] is not None:
        return 0
    await connection.execute(sql("stop_drill"), drill)
    await connection.execute(sql("stop_steps"), drill)
    notes: Notes = [("drill", str(drill), row["county"])]
    cases = await connection.fetch(sql("lock_drill_cases"), drill, row["county"])
    for case in cases:
        await _close(connection, case, drill, who)
        notes.append(("incident", str(case["id"]), case["place"]))
    await flush(connection, notes)
    return len(cases)


async def _close(connection: Connection, case: Record, drill: UUID, who: str) -> None:
    """End a case of a drill that was stopped: nobody is paged about it any more, and nothing of it is overdue."""
    await add_entry(
        connection,
        case["id"],
        "moved",
        STOPPED_ZH,
        actor=who,
        detail={"from": case["state"], "to": IncidentState.CLOSED, "drill": drill, "note": STOPPED_ZH},
    )
    await connection.execute(sql("set_state"), case["id"], IncidentState.CLOSED.value)
    await connection.execute(sql("stop_timer"), case["id"])
    await connection.execute(sql("withdraw_pages"), case["id"])
    await connection.execute(sql("end_tasks"), case["id"])
    await connection.execute(sql("set_alarm"), case["id"], False)


async def is_stopped(connection: Connection, alert: UUID) -> bool:
    """Say whether an alert belongs to a drill that was stopped, and keep it from being stopped meanwhile."""
    return bool(await connection.fetchval(sql("drill_is_stopped"), alert))


async def drill_of_alert(connection: Connection, alert: UUID) -> UUID | None:
    """Name the drill that an alert belongs to; None for one that no drill of this house raised."""
    drill: UUID | None = await connection.fetchval(sql("drill_of_alert"), alert)
    return drill


async def refuse_silent(connection: Connection, incident: UUID, area: str) -> None:
    """Raise NotAllowed where the scenario has it that the desk of an area does not answer now."""
    until = await connection.fetchval(sql("silent_desk"), incident, area)
    if until is not None:
        raise NotAllowed(
            f"演练设定：贵单位在 {drills.local(until)} 前不应答。"
            f" In this drill your desk does not answer before {drills.local(until)} (Asia/Shanghai)."
        )
