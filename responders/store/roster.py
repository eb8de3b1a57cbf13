"""The roster as officers use it, in SQL: shown, arranged, exchanged, handed over; each change is put on record."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from domain.areas import covers
from domain.codec import encode
from domain.errors import Conflict, Fault, InvalidInput, NotAllowed, NotFound
from domain.identity import derived_id
from domain.incidents import OPEN_STATES, IncidentState
from responders import arrangements
from responders.arrangements import Account, Stretch
from responders.cases import Desk, Rules
from responders.handling import Handling
from responders.roster import Gap, StandIn, put_in
from responders.roster_plan import Done, Plan
from responders.roster_views import HandOverView, RosterChange, RosterView, SwapView
from responders.store import duty_plans, rosters, watching
from responders.store.console import Actor, find_actor
from responders.store.desks import Sheet, put_on_record, read_sheets, told
from responders.store.entries import Notes, flush
from responders.store.handling import count_handling
from responders.store.held import DECIDES, Held, answered, require_open, set_state, stop_paging
from responders.store.pool import Connection, Database
from responders.store.queries import sql
from responders.store.registry import county_now
from responders.views import Role, Viewer

NO_DESK = "没有这个岗位，或不在您的辖区。 There is no such desk in your area."


class Rosters:
    """The store's methods for the roster; each is one transaction.

    Every command: NotFound outside the viewer's area, NotAllowed for a role or a level that may not, InvalidInput with all
    objections; the same `request_id` again changes nothing and gives the same answer.
    """

    def __init__(self, database: Database) -> None:
        """Share the store's pool."""
        self._database = database

    async def show(self, viewer: Viewer, since: datetime, until: datetime, area: str = "") -> RosterView:
        """Show the desks of the viewer's area, or of a part of it: who is on duty when, exchanges, hand-overs, changes."""
        return await self._database.read(rosters.show, viewer, since, until, area)

    async def substitute(
        self,
        viewer: Viewer,
        desk: Desk,
        away: UUID,
        instead: UUID,
        stretch: Stretch,
        note: str,
        request_id: UUID,
    ) -> RosterChange:
        """Let somebody stand in for another one (替班), from now on at the earliest; what has passed stays as it was."""
        return await self._database.run(_substitute, viewer, desk, away, instead, stretch, note, request_id)

    async def ask_swap(
        self,
        viewer: Viewer,
        desk: Desk,
        mine: Stretch,
        other: UUID,
        theirs: Stretch,
        note: str,
        request_id: UUID,
    ) -> SwapView:
        """Offer somebody an exchange (换班); nothing changes before the other one agrees."""
        return await self._database.run(_ask_swap, viewer, desk, mine, other, theirs, note, request_id)

    async def answer_swap(self, viewer: Viewer, swap: UUID, *, agreed: bool, request_id: UUID) -> SwapView:
        """Agree to an exchange or decline it; only who was asked may. Conflict when it was answered, or is too late."""
        return await self._database.run(_answer_swap, viewer, swap, agreed, request_id)

    async def sign(self, viewer: Viewer, hand_over: UUID, remark: str, request_id: UUID) -> HandOverView:
        """Sign for a hand-over (交接班签收), as one of the people who came; ends the case about it where there is one."""
        return await self._database.run(_sign, viewer, hand_over, remark, request_id)

    async def put(self, plan: Plan, actor: str, *, check: bool = False) -> list[Done]:
        """Put rotations and shifts into force, all of them or none; with `check` only tell what would change."""
        return await self._database.run(duty_plans.put, plan, actor, check)

    async def gaps(self, since: datetime, until: datetime, area: str = "") -> dict[Desk, list[Gap]]:
        """Find each desk's times with nobody on duty; townships and counties without any desk have one all the time."""
        return await self._database.read(rosters.find_gaps, since, until, area)

    async def outlook(self, since: datetime, until: datetime, area: str = "") -> RosterView:
        """Show the desks of an area to an operator: as `show`, without a viewer."""
        return await self._database.read(rosters.outlook, since, until, area)

    async def handling(self) -> Handling:
        """Count how cases were handled: climbs by level, what units asked, hand-overs."""
        return await self._database.read(count_handling)

    async def watch_next(self, rules: Rules) -> bool:
        """Look at the desk whose turn it is; False when none is due or others hold them all."""
        return await self._database.run(watching.watch_next, rules)

    async def remind_hand_over_next(self, rules: Rules) -> bool:
        """Page about the hand-over that should have been signed longest ago; False when none is due."""
        return await self._database.run(watching.remind_hand_over_next, rules)


async def _hold_desk(connection: Connection, actor: Actor, desk: Desk) -> datetime | None:
    """Take hold of a desk of the actor's area; tells how far its rotation is planned."""
    row = await connection.fetchrow(sql("lock_desk"), desk.area, desk.post)
    if row is None or not covers(actor.area, desk.area):
        raise NotFound(NO_DESK)
    planned: datetime | None = row["planned_until"]
    return planned


async def _sheet(
    connection: Connection, desk: Desk, planned: datetime | None, until: datetime
) -> tuple[Sheet, datetime]:
    now = await county_now(connection)
    sheets = await read_sheets(connection, [desk.area], now, max(until, now), {desk: planned})
    return sheets[desk], now


async def _accounts(connection: Connection, *users: UUID) -> dict[UUID, Account]:
    rows = await connection.fetch(sql("people"), list(users))
    return {row["id"]: Account(row["id"], row["display"], Role(row["role"]), row["area"]) for row in rows}


async def _write_stand_ins(
    connection: Connection, desk: Desk, stand_ins: Sequence[StandIn], now: datetime, until: datetime
) -> None:
    """Write who stands in at a desk in a time, instead of what was read of it."""
    await connection.execute(sql("drop_stand_ins"), desk.area, desk.post, now, until)
    await connection.executemany(
        sql("add_stand_in"),
        [(desk.area, desk.post, one.away, one.instead, one.starts_at, one.ends_at) for one in stand_ins],
    )


async def _substitute(
    connection: Connection,
    viewer: Viewer,
    desk: Desk,
    away: UUID,
    instead: UUID,
    stretch: Stretch,
    note: str,
    request_id: UUID,
) -> RosterChange:
    actor = await find_actor(connection, viewer, DECIDES)
    subject = derived_id(
        "substitution", desk.area, desk.post, away, instead, stretch.starts_at, stretch.ends_at
    )
    planned = await _hold_desk(connection, actor, desk)
    if answer := await answered(connection, request_id, actor, "substitute", subject, RosterChange):
        return answer
    if not arrangements.may_arrange(actor.role, actor.area, actor.id, desk, instead):
        raise NotAllowed(
            "替班由带班指挥员或上级安排，或由替班人本人承担。"
            " A commander or the level above arranges this, or whoever takes the duty upon himself."
        )
    sheet, now = await _sheet(connection, desk, planned, stretch.ends_at)
    accounts = await _accounts(connection, instead)
    faults = list(
        arrangements.substitution_faults(sheet.spans(), desk, away, accounts.get(instead), stretch, now)
    )
    if faults:
        raise InvalidInput(faults)
    ahead = Stretch(max(stretch.starts_at, now), stretch.ends_at)
    after = put_in(sheet.stand_ins, away, instead, ahead.starts_at, ahead.ends_at)
    return await _change(
        connection,
        "substituted",
        desk,
        actor,
        note,
        sheet,
        after,
        ahead,
        now,
        request_id,
        "substitute",
        subject,
    )


async def _change(
    connection: Connection,
    kind: str,
    desk: Desk,
    actor: Actor,
    note: str,
    sheet: Sheet,
    after: Sequence[StandIn],
    stretch: Stretch,
    now: datetime,
    request_id: UUID,
    action: str,
    subject: UUID,
) -> RosterChange:
    """Write who stands in, the record of it, and the answer."""
    await _write_stand_ins(connection, desk, after, now, stretch.ends_at)
    change = await _record(connection, kind, desk, actor, note, sheet, after, stretch)
    await _keep(connection, request_id, actor, action, subject, change)
    await flush(connection, [("roster", f"{desk.area}/{desk.post}", desk.area)])
    return change


async def _record(
    connection: Connection,
    kind: str,
    desk: Desk,
    actor: Actor,
    note: str,
    sheet: Sheet,
    after: Sequence[StandIn],
    stretch: Stretch,
) -> RosterChange:
    was = await told(connection, arrangements.within(sheet.shifts, sheet.stand_ins, stretch))
    will_be = await told(connection, arrangements.within(sheet.shifts, after, stretch))
    return await put_on_record(connection, kind, desk, actor.display, actor.id, note, was, will_be)


async def _keep(
    connection: Connection, request_id: UUID, actor: Actor, action: str, subject: UUID, answer: Any
) -> None:
    await connection.execute(
        sql("add_request"), request_id, actor.id, action, subject, encode(answer).decode()
    )


async def _ask_swap(
    connection: Connection,
    viewer: Viewer,
    desk: Desk,
    mine: Stretch,
    other: UUID,
    theirs: Stretch,
    note: str,
    request_id: UUID,
) -> SwapView:
    actor = await find_actor(connection, viewer, DECIDES)
    planned = await _hold_desk(connection, actor, desk)
    identity = derived_id("swap", request_id)
    if answer := await answered(connection, request_id, actor, "ask_swap", identity, SwapView):
        return answer
    until = max(mine.ends_at, theirs.ends_at)
    sheet, now = await _sheet(connection, desk, planned, until)
    account = (await _accounts(connection, other)).get(other)
    faults = list(arrangements.swap_faults(sheet.spans(), desk, actor.id, mine, account, theirs, now))
    if faults:
        raise InvalidInput(faults)
    await connection.execute(
        sql("add_swap"), identity, desk.area, desk.post,
        actor.id, mine.starts_at, mine.ends_at, other, theirs.starts_at, theirs.ends_at, note.replace("\x00", ""),
    )  # fmt: skip
    await put_on_record(
        connection, "swap_asked", desk, actor.display, actor.id, note,
        await told(connection, arrangements.within(sheet.shifts, sheet.stand_ins, mine)),
        await told(connection, arrangements.within(sheet.shifts, sheet.stand_ins, theirs)),
    )  # fmt: skip
    return await _finish_swap(connection, actor, "ask_swap", identity, desk, request_id)


async def _answer_swap(
    connection: Connection, viewer: Viewer, swap: UUID, agreed: bool, request_id: UUID
) -> SwapView:
    actor = await find_actor(connection, viewer, DECIDES)
    asked = await connection.fetchrow(sql("lock_swap"), swap, actor.area)
    if asked is None:
        raise NotFound("没有这个换班申请，或不在您的辖区。 There is no such exchange in your area.")
    action = f"answer_swap:{agreed}"
    if answer := await answered(connection, request_id, actor, action, swap, SwapView):
        return answer
    if actor.id != asked["other"]:
        raise NotAllowed("只有被换班人本人可以答复。 Only the one who was asked may answer.")
    if asked["agreed"] is not None:
        raise Conflict("已经答复。 It is answered already.")
    desk = Desk(asked["area"], asked["post"])
    planned = await _hold_desk(connection, actor, desk)
    mine = Stretch(asked["asker_from"], asked["asker_until"])
    theirs = Stretch(asked["other_from"], asked["other_until"])
    until = max(mine.ends_at, theirs.ends_at)
    sheet, now = await _sheet(connection, desk, planned, until)
    if min(mine.starts_at, theirs.starts_at) <= now:
        raise Conflict("时段已开始，换班申请失效。 Its time has begun: it has lapsed.")
    await connection.execute(sql("answer_swap"), swap, agreed)
    if agreed:
        accounts = await _accounts(connection, asked["asker"], asked["other"])
        faults = list(
            arrangements.swap_faults(
                sheet.spans(), desk, asked["asker"], mine, accounts.get(asked["other"]), theirs, now
            )
        )
        if asked["asker"] not in accounts:
            faults.append(Fault("asker", "已停用。 is no account in use"))
        if faults:
            raise Conflict(
                "值班表已变动，不能再换。 The roster has changed meanwhile: " + "; ".join(map(str, faults))
            )
        after = arrangements.exchanged(sheet.stand_ins, asked["asker"], mine, asked["other"], theirs)
        await _write_stand_ins(connection, desk, after, now, until)
        for stretch in (mine, theirs):
            await _record(connection, "swapped", desk, actor, asked["note"], sheet, after, stretch)
    else:
        await put_on_record(connection, "swap_declined", desk, actor.display, actor.id, "", None, None)
    return await _finish_swap(connection, actor, action, swap, desk, request_id)


async def _finish_swap(
    connection: Connection, actor: Actor, action: str, swap: UUID, desk: Desk, request_id: UUID
) -> SwapView:
    row = await connection.fetchrow(sql("swap_rows"), "", swap, 1)
    answer: SwapView = msgspec.convert(dict(row or {}), SwapView)
    await _keep(connection, request_id, actor, action, swap, answer)
    await flush(connection, [("roster", f"{desk.area}/{desk.post}", desk.area)])
    return answer


async def _sign(
    connection: Connection, viewer: Viewer, hand_over: UUID, remark: str, request_id: UUID
) -> HandOverView:
    actor = await find_actor(connection, viewer, DECIDES)
    row = await connection.fetchrow(sql("lock_hand_over"), hand_over, actor.area)
    if row is None:
        raise NotFound("没有这次交接班，或不在您的辖区。 There is no such hand-over in your area.")
    if answer := await answered(connection, request_id, actor, "sign", hand_over, HandOverView):
        return answer
    if actor.id not in row["incoming"]:
        raise NotAllowed("由接班人员签收。 One of the people who came signs.")
    if row["signed_at"] is not None:
        raise Conflict("已经签收。 It is signed already.")
    if row["replaced"]:
        raise Conflict("已有下一次交接班。 The next hand-over has taken its place.")
    desk = Desk(row["area"], row["post"])
    notes: Notes = [("roster", str(hand_over), desk.area)]
    await connection.execute(sql("sign_hand_over"), hand_over, actor.id, remark.replace("\x00", ""))
    if row["incident"] is not None:
        await _end_case(connection, row["incident"], actor, notes)
    await put_on_record(
        connection, "hand_over_signed", desk, actor.display, actor.id, remark, None, {"hand_over": hand_over}
    )
    answer = await rosters.hand_over_of(connection, hand_over)
    await _keep(connection, request_id, actor, "sign", hand_over, answer)
    await flush(connection, notes)
    return answer


async def _end_case(connection: Connection, incident: UUID, actor: Actor, notes: Notes) -> None:
    """Close the case of a hand-over that is signed at last: there is nothing left to do about it."""
    row = await connection.fetchrow(sql("lock_case"), incident, "")
    if row is None or IncidentState(row["state"]) not in OPEN_STATES:
        return
    held = Held(row, actor)
    require_open(held)
    await stop_paging(connection, held)
    await set_state(connection, held, IncidentState.CLOSED, "交接班已签收")
    await connection.execute(sql("touch_incident"), incident)
    notes.append(("incident", str(incident), row["place"]))
