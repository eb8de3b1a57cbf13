"""Cases that officers open in SQL: by hand, and as a part that is split off another one (拆分)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from domain.areas import covers
from domain.codec import encode
from domain.errors import Conflict, Fault, InvalidInput
from domain.identity import incident_id
from domain.levels import Domain, Level
from responders.cases import Rules
from responders.casework import Described, description_faults
from responders.store.console import Actor, find_actor, read_row
from responders.store.entries import Notes, add_entry, flush
from responders.store.grouping import lead_group
from responders.store.held import DECIDES, Held, answered, entry, hold, require_open
from responders.store.opening import NewCase, open_incident
from responders.store.pool import Connection, Record
from responders.store.queries import sql
from responders.store.registry import county_now
from responders.views import IncidentRow, Viewer

BY_HAND = "open_by_hand"
SPLIT = "split"


async def open_by_hand(
    connection: Connection, viewer: Viewer, described: Described, request_id: UUID, rules: Rules
) -> IncidentRow:
    """Open a case that an officer describes; its id comes from the request."""
    actor = await find_actor(connection, viewer, DECIDES)
    new = incident_id(request_id)
    if answer := await answered(connection, request_id, actor, BY_HAND, new, IncidentRow):
        return answer
    await _require_sound(connection, described, rules, actor)
    notes: Notes = []
    opened = _from_words(described, new, rules, await county_now(connection), drill=False)
    if not await open_incident(connection, opened, rules, notes):
        # the same request a moment earlier, which was not committed when this one looked
        if answer := await answered(connection, request_id, actor, BY_HAND, new, IncidentRow):
            return answer
        raise Conflict("请求编号已用于其他操作。 This request id was used for something else.")
    await lead_group(connection, opened, rules)
    await add_entry(connection, new, "opened_by_hand", "人工立案", actor=actor.display, user=actor.id)
    return await _answer(connection, new, actor, BY_HAND, new, request_id, notes)


async def split(
    connection: Connection,
    viewer: Viewer,
    incident: UUID,
    alerts: Sequence[UUID],
    described: Described | None,
    note: str,
    request_id: UUID,
    rules: Rules,
) -> IncidentRow:
    """Make some alerts of a case, or a part that an officer describes, a case of their own; the new case."""
    held = await hold(connection, viewer, incident)
    if answer := await answered(connection, request_id, held.actor, SPLIT, incident, IncidentRow):
        return answer
    require_open(held)
    new, now = incident_id(request_id), await county_now(connection)
    drill = held.row["drill"]
    if described is not None and not alerts:
        await _require_sound(connection, described, rules, held.actor)
        opened = _from_words(described, new, rules, now, drill=drill)
        staying: UUID | None = None
    else:
        own = await connection.fetch(sql("alerts_of_case"), incident)
        if faults := _alert_faults(own, alerts, described, held.actor.area):
            raise InvalidInput(faults)
        opened = _from_alert(next(row for row in own if row["id"] in alerts), new, now, drill=drill)
        staying = next(row["id"] for row in own if row["id"] not in alerts)
    notes: Notes = [("incident", str(incident), held.row["place"])]
    if not await open_incident(connection, opened, rules, notes):
        raise Conflict("请求编号已用于其他操作。 This request id was used for something else.")
    if staying is not None:
        await _divide(connection, held, new, alerts, staying)
    await _tell_both(connection, held, new, alerts, note)
    await connection.execute(sql("touch_incident"), incident)
    return await _answer(connection, new, held.actor, SPLIT, incident, request_id, notes)


async def _divide(
    connection: Connection, held: Held, new: UUID, alerts: Sequence[UUID], staying: UUID
) -> None:
    """Give the alerts to the new case, and bring both to what their alerts say."""
    for alert in alerts:
        await connection.execute(sql("join_case"), alert, new)
    await connection.fetchval(sql("alarm_of_alerts"), new, alerts[0])
    await connection.fetchval(sql("alarm_of_alerts"), held.id, staying)
    if held.row["alert"] in alerts:
        await connection.execute(sql("set_lead"), held.id, staying)


async def _tell_both(
    connection: Connection, held: Held, new: UUID, alerts: Sequence[UUID], note: str
) -> None:
    told = f"。{note}" if note else ""
    source, part = await read_row(connection, held.id, ""), await read_row(connection, new, "")
    await entry(
        connection, held, "split", f"拆分出“{part.title}”{told}", into=new, alerts=list(alerts), note=note
    )
    await add_entry(
        connection,
        new,
        "split",
        f"自“{source.title}”拆分{told}",
        actor=held.actor.display,
        user=held.actor.id,
        detail={"from": held.id, "alerts": list(alerts), "note": note},
    )


async def _answer(
    connection: Connection,
    new: UUID,
    actor: Actor,
    action: str,
    subject: UUID,
    request_id: UUID,
    notes: Notes,
) -> IncidentRow:
    answer = await read_row(connection, new, actor.area)
    await connection.execute(
        sql("add_request"), request_id, actor.id, action, subject, encode(answer).decode()
    )
    await flush(connection, notes)
    return answer


async def _require_sound(connection: Connection, described: Described, rules: Rules, actor: Actor) -> None:
    faults = description_faults(described, rules.data, actor.area)
    if not faults and not await connection.fetchval(sql("knows_area"), described.place):
        faults = [Fault("place", "is not in the registry")]
    if faults:
        raise InvalidInput(faults)


def _alert_faults(
    own: Iterable[Record], alerts: Sequence[UUID], described: Described | None, within: str
) -> list[Fault]:
    if described is not None or not alerts:
        return [Fault("alerts", "name alerts of the incident, or describe the part: one of the two")]
    places = {row["id"]: row["place"] for row in own}
    faults = [Fault("alerts", f"{one} is none of the incident's") for one in alerts if one not in places]
    faults += [
        Fault("alerts", f"{one} lies outside your area")
        for one in alerts
        if one in places and not covers(within, places[one])
    ]
    if set(places) <= set(alerts):
        faults.append(Fault("alerts", "must leave one at least: nothing would be left of the incident"))
    return faults


def _from_alert(row: Record, new: UUID, now: datetime, *, drill: bool) -> NewCase:
    return NewCase(
        id=new,
        alert=row["id"],
        fault=None,
        domain=Domain(row["domain"]),
        category=row["category"],
        place=row["place"],
        level=Level(row["level"]),
        zh=row["zh"],
        en=row["en"],
        received_at=now,
        drill=drill,
    )


def _from_words(described: Described, new: UUID, rules: Rules, now: datetime, *, drill: bool) -> NewCase:
    """Nothing will say that it is over, so that it does not ask to be closed; an officer's words stand in both languages."""
    return NewCase(
        id=new,
        alert=None,
        fault=None,
        domain=rules.data.categories[described.category].domain,
        category=described.category,
        place=described.place,
        level=described.level,
        zh=described.text,
        en=described.text,
        received_at=now,
        drill=drill,
    )
