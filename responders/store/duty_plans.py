"""A roster that was handed in, put into force in SQL: desk by desk, in one transaction, each change on record."""

from datetime import datetime
from typing import Any

from domain.codec import encode
from responders import handovers
from responders.cases import Desk
from responders.roster_plan import Done, Plan, What
from responders.rotations import Rotation
from responders.store.desks import names_of, put_on_record, rotation_of, write_plan
from responders.store.entries import flush
from responders.store.pool import Connection, Record
from responders.store.queries import sql
from responders.store.registry import county_now
from responders.views import Shift


async def put(connection: Connection, plan: Plan, actor: str, check: bool) -> list[Done]:
    """Put a plan into force, or tell what that would do."""
    now = await county_now(connection)
    done = [await _put_desk(connection, desk, plan, actor, now, check=check) for desk in plan.desks]
    if not check:
        changed = [one.desk for one in done if one.what is What.CHANGED]
        await flush(connection, [("roster", f"{desk.area}/{desk.post}", desk.area) for desk in changed])
    return done


async def _put_desk(
    connection: Connection, desk: Desk, plan: Plan, actor: str, now: datetime, *, check: bool
) -> Done:
    if not check:
        await connection.execute(sql("add_desk"), desk.area, desk.post)
        await connection.fetchrow(sql("lock_desk"), desk.area, desk.post)
    rotations = tuple(one for one in plan.rotations if Desk(one.area, one.post) == desk)
    shifts = tuple(one for one in plan.shifts if Desk(one.area, one.post) == desk)
    was = await _rotations(connection, desk)
    will_be = _merged(was, rotations)
    new, gone, past = await _shift_steps(connection, desk, shifts, now)
    same = was == will_be and not new and not gone
    done = Done(desk, What.SAME if same else What.CHANGED, len(rotations), len(new), len(gone), past)
    if same or check:
        return done
    if was != will_be:
        await _put_rotations(connection, desk, rotations, will_be, now)
    for shift in gone:
        await connection.execute(sql("drop_shift"), desk.area, desk.post, shift.user, shift.starts_at)
    for shift in new:
        await connection.execute(
            sql("put_shift"), desk.area, desk.post, shift.user, shift.starts_at, shift.ends_at
        )
    before = {"rotations": await _told(connection, was), "shifts": await _told_shifts(connection, gone)}
    after = {"rotations": await _told(connection, will_be), "shifts": await _told_shifts(connection, new)}
    await put_on_record(connection, "planned", desk, actor, None, "", before, after)
    return done


def _merged(was: tuple[Rotation, ...], wanted: tuple[Rotation, ...]) -> tuple[Rotation, ...]:
    """Let the wanted rotations take the place of those that begin on their first day or later."""
    if not wanted:
        return was
    first = min(one.starts_on for one in wanted)
    kept = [one for one in was if one.starts_on < first]
    return tuple(sorted([*kept, *wanted], key=lambda one: one.starts_at))


async def _rotations(connection: Connection, desk: Desk) -> tuple[Rotation, ...]:
    rows = await connection.fetch(sql("rotations_of"), [desk.area])
    return tuple(rotation_of(row) for row in rows if row["post"] == desk.post)


async def _put_rotations(
    connection: Connection,
    desk: Desk,
    wanted: tuple[Rotation, ...],
    in_force: tuple[Rotation, ...],
    now: datetime,
) -> None:
    """Write rotations, and plan anew from now on what the ones before had planned."""
    first = min(one.starts_on for one in wanted)
    await connection.execute(sql("drop_rotations"), desk.area, desk.post, first)
    for one in wanted:
        await connection.execute(
            sql("add_rotation"),
            desk.area,
            desk.post,
            one.starts_on,
            one.hand_over,
            encode(one.crews).decode(),
            one.turn_hours,
        )
    await connection.execute(sql("drop_planned"), desk.area, desk.post, now)
    await connection.execute(sql("cut_planned"), desk.area, desk.post, now)
    await write_plan(connection, desk, in_force, now, now + handovers.REACH)


async def _shift_steps(
    connection: Connection, desk: Desk, shifts: tuple[Shift, ...], now: datetime
) -> tuple[list[Shift], list[Shift], int]:
    """Find which shifts are to be written, which to be taken back, and how many are over."""
    ahead = [shift for shift in shifts if shift.ends_at > now]
    past = len(shifts) - len(ahead)
    if not ahead:
        return [], [], past
    first = max(min(shift.starts_at for shift in shifts), now)
    last = max(shift.ends_at for shift in shifts)
    rows = await connection.fetch(sql("shifts_of"), [desk.area], now, last)
    present = [_shift(row) for row in rows if row["post"] == desk.post and not row["planned"]]
    wanted = {(shift.user, shift.starts_at) for shift in ahead}
    gone = [
        shift
        for shift in present
        if first <= shift.starts_at < last
        and shift.starts_at > now
        and (shift.user, shift.starts_at) not in wanted
    ]
    return [shift for shift in ahead if shift not in present], gone, past


def _shift(row: Record) -> Shift:
    return Shift(
        area=row["area"],
        post=row["post"],
        user=row["user_id"],
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
    )


async def _told(connection: Connection, rotations: tuple[Rotation, ...]) -> list[dict[str, Any]]:
    """Write rotations for the record, people by the names of their posts."""
    names = await names_of(connection, (user for one in rotations for crew in one.crews for user in crew))
    return [
        {
            "starts_on": one.starts_on,
            "hand_over": one.hand_over,
            "turn_hours": one.turn_hours,
            "crews": [[names.get(user, "") for user in crew] for crew in one.crews],
        }
        for one in rotations
    ]


async def _told_shifts(connection: Connection, shifts: list[Shift]) -> list[dict[str, Any]]:
    names = await names_of(connection, (shift.user for shift in shifts))
    return [
        {"who": names.get(shift.user, ""), "from": shift.starts_at, "until": shift.ends_at}
        for shift in shifts
    ]
