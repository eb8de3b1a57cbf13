"""The watch over desks in SQL: rotations planned ahead, hand-overs when people change, vacancies told before they come."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from config.rosters import rule_for
from domain.codec import encode
from domain.identity import derived_id
from responders import handovers, words
from responders.cases import Case, Decision, Desk, Order, Person, Reason, Rules
from responders.deadlines import TASK_STEPS
from responders.escalation import page_person
from responders.handovers import Change, Seen, Unsigned
from responders.roster import Gap
from responders.roster_views import HandOverNote
from responders.rotations import SHANGHAI
from responders.store.desks import put_on_record, read_people, read_sheets, write_plan
from responders.store.entries import SYSTEM, Notes, case_of, flush, name_of
from responders.store.opening import end_fault, open_fault, write_decision
from responders.store.pool import Connection, Record
from responders.store.queries import sql
from responders.store.registry import county_now, roster_for

BOTH_SIDES, LEVEL_ABOVE = 400, 401
"""Steps of the pages about a hand-over beside those of a task's deadlines and pleas."""
MOST_NOTED = 200
"""So many of each kind a note lists, gravest or oldest first; it counts them all."""
ALL_POSTS = frozenset({"", "leader"})
"""Posts that answer for every case of their area."""


async def watch_next(connection: Connection, rules: Rules) -> bool:
    """Look at the desk whose turn it is; False when none is due or others hold them all."""
    row = await connection.fetchrow(sql("lock_due_desk"))
    if row is None:
        return False
    desk, now = Desk(row["area"], row["post"]), await county_now(connection)
    rule = rule_for(rules.data.desks, desk.area)
    until = now + timedelta(hours=rule.ahead_hours) + handovers.LOOK_AGAIN
    await _plan_ahead(connection, desk, row["planned_until"], now)
    sheets = await read_sheets(connection, [desk.area], now, until)
    general = sheets[Desk(desk.area, "")].reachable() if desk.post else []
    seen = Seen(None if row["on_duty"] is None else tuple(row["on_duty"]), row["vacant_from"])
    look = handovers.look_at(seen, sheets[desk].reachable(), general, rule, now)
    notes: Notes = []
    where = f"{await name_of(connection, desk.area)}{words.post_name(desk.post)}"
    if look.change is not None:
        sign_by = handovers.sign_by(now, rule)
        await _hand_over(connection, desk, look.change, now, sign_by, notes)
    fault = f"vacant-ahead:{desk.area}:{desk.post}"
    if look.vacancy is not None:
        zh, en = _vacancy(where, desk, look.vacancy, until)
        await open_fault(connection, fault, desk.area, zh, en, rules, notes)
    elif look.over:
        en = f"Somebody will be on duty for {desk.post or 'the desk'} in {desk.area}"
        await end_fault(connection, fault, f"{where}已排定值班人员", en, notes)
    await connection.execute(
        sql("desk_seen"), desk.area, desk.post, list(look.on_duty), look.vacant_from, now, look.next_at
    )
    await flush(connection, notes)
    return True


async def _plan_ahead(
    connection: Connection, desk: Desk, planned_until: datetime | None, now: datetime
) -> None:
    """Plan a desk's rotation further when less than half of the reach is left."""
    if planned_until is None or planned_until >= now + handovers.REACH / 2:
        return  # a desk without a rotation was never planned
    rotations = (await read_sheets(connection, [desk.area], now, now))[desk].rotations
    await write_plan(connection, desk, rotations, planned_until, now + handovers.REACH)


def _vacancy(where: str, desk: Desk, gap: Gap, known_until: datetime) -> tuple[str, str]:
    """Say in both languages when a desk will be vacant."""
    first = gap.starts_at.astimezone(SHANGHAI)
    last = gap.ends_at.astimezone(SHANGHAI)
    until_zh = "起" if gap.ends_at >= known_until else f"至{last:%m月%d日%H:%M}"
    until_en = "on" if gap.ends_at >= known_until else f"to {last:%m-%d %H:%M}"
    return (
        f"{where}{first:%m月%d日%H:%M}{until_zh}无人值班，请尽快排班",
        f"Nobody is on duty for {desk.post or 'the desk'} in {desk.area} from {first:%m-%d %H:%M} {until_en}",
    )


async def _hand_over(
    connection: Connection, desk: Desk, change: Change, now: datetime, sign_by: datetime, notes: Notes
) -> None:
    """Write the note for the people who come, and put the change on record."""
    unsigned = await connection.fetchval(sql("replace_hand_overs"), desk.area, desk.post)
    note = await _note(connection, desk, change.outgoing, unsigned)
    identity = derived_id("hand-over", desk.area, desk.post, now.isoformat(), *sorted(change.incoming))
    added = await connection.fetchval(
        sql("add_hand_over"),
        identity,
        desk.area,
        desk.post,
        change.at,
        now,
        list(change.outgoing),
        list(change.incoming),
        encode(note).decode(),
        sign_by,
    )
    if added is None:
        return
    people = await _names(connection, change)
    await put_on_record(
        connection, "hand_over", desk, SYSTEM, None, "", people["outgoing"], people["incoming"]
    )
    notes.append(("roster", str(identity), desk.area))


async def _names(connection: Connection, change: Change) -> dict[str, list[str]]:
    from_ids = await connection.fetch(sql("display_names"), [*change.outgoing, *change.incoming])
    names = {row["id"]: row["display"] for row in from_ids}
    return {
        "outgoing": [names[user] for user in change.outgoing if user in names],
        "incoming": [names[user] for user in change.incoming if user in names],
    }


async def _note(
    connection: Connection, desk: Desk, outgoing: tuple[UUID, ...], unsigned: int
) -> HandOverNote:
    """List what a desk hands over: open cases, overdue tasks, and pages that the people who leave did not get."""
    every = desk.post in ALL_POSTS
    cases = await connection.fetch(sql("note_cases"), desk.area, desk.post, every, MOST_NOTED)
    tasks = await connection.fetch(sql("note_tasks"), desk.area, desk.post, every, MOST_NOTED)
    pages = await connection.fetch(sql("note_pages"), list(outgoing), MOST_NOTED)
    return msgspec.convert(
        {
            "cases": [dict(row) for row in cases],
            "tasks": [dict(row) for row in tasks],
            "pages": [dict(row) for row in pages],
            "open_cases": _total(cases),
            "overdue_tasks": _total(tasks),
            "held_pages": _total(pages),
            "unsigned_before": unsigned,
        },
        HandOverNote,
    )


def _total(rows: list[Record]) -> int:
    return int(rows[0]["total"]) if rows else 0


async def remind_hand_over_next(connection: Connection, rules: Rules) -> bool:
    """Page both sides of the hand-over that should have been signed longest ago; False when none is due."""
    row = await connection.fetchrow(sql("lock_due_hand_over"))
    if row is None:
        return False
    desk, now = Desk(row["area"], row["post"]), await county_now(connection)
    people = await read_people(connection, [*row["outgoing"], *row["incoming"]])
    unsigned = Unsigned(
        desk,
        tuple(people[user] for user in row["outgoing"] if user in people),
        tuple(people[user] for user in row["incoming"] if user in people),
        row["noticed_at"],
        row["rounds"],
        row["climbed"],
    )
    roster = await roster_for(connection, desk.area, now)
    reminder = handovers.remind(unsigned, roster, rule_for(rules.data.desks, desk.area), now)
    notes: Notes = []
    where = f"{await name_of(connection, desk.area)}{words.post_name(desk.post)}"
    opened, incident = await _case_of(connection, desk, where, row["at"], rules, notes)
    if incident is not None:
        heard: set[UUID] = set()
        if opened:  # the new case itself has just paged some of them
            heard = {page["recipient"] for page in await connection.fetch(sql("paged_about"), incident)}
        case = case_of(_there(await connection.fetchrow(sql("get_incident"), incident)))
        both = tuple(person for person in reminder.both if person.user not in heard)
        above = tuple(person for person in reminder.above if person.user not in heard)
        await _page(connection, case, row["rounds"], both, above, rules, now, notes)
    await connection.execute(
        sql("hand_over_told"), row["id"], reminder.next_at, reminder.climbed, incident or row["incident"]
    )
    notes.append(("roster", str(row["id"]), desk.area))
    await flush(connection, notes)
    return True


def fault_of(desk: Desk) -> str:
    """Name the fault that a desk's hand-over is not signed."""
    return f"hand-over:{desk.area}:{desk.post}"


async def _case_of(
    connection: Connection, desk: Desk, where: str, at: datetime, rules: Rules, notes: Notes
) -> tuple[bool, UUID | None]:
    """Open the case of an unsigned hand-over, or find the open one; tells whether it is new."""
    local = at.astimezone(SHANGHAI)
    zh = f"{where}{local:%m月%d日%H:%M}交接班未签收，交班、接班人员须继续在岗"
    en = f"The hand-over of {desk.post or 'the desk'} in {desk.area} at {local:%m-%d %H:%M} is not signed"
    opened = await open_fault(connection, fault_of(desk), desk.area, zh, en, rules, notes)
    present = await connection.fetchrow(sql("find_fault"), fault_of(desk))
    return opened, None if present is None else present["id"]


async def _page(
    connection: Connection,
    case: Case,
    rounds: int,
    both: tuple[Person, ...],
    above: tuple[Person, ...],
    rules: Rules,
    now: datetime,
    notes: Notes,
) -> None:
    """Page people about a hand-over, as pages of the case's task: an acknowledgement signs nothing and stops none."""
    task = _there(await connection.fetchrow(sql("task_of_case"), case.id))
    wanted = case.policy.steps[min(case.step, len(case.policy.steps) - 1)].channels
    for step, people in ((BOTH_SIDES, both), (LEVEL_ABOVE, above)):
        if not people:
            continue
        number = task["number"] * TASK_STEPS + step
        orders: list[Order] = []
        for person in people:
            orders += page_person(person, number, rounds, wanted, rules.channels, Reason.HAND_OVER)
        decision = Decision(Reason.HAND_OVER, number, rounds, None, tuple(orders))
        await write_decision(connection, case, decision, now, rules, notes, task=task["id"])
    notes.append(("incident", str(case.id), case.place))


def _there(row: Record | None) -> Any:
    if row is None:
        raise AssertionError("a case that was just held is gone")
    return row
