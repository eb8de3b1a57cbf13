"""Clocks of the law in SQL: begun as cases open and change, warned of and missed as time runs, ended with their case."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from domain.errors import Conflict
from domain.identity import page_id
from domain.incidents import OPEN_STATES, IncidentState
from domain.levels import Grade
from responders import legal, words
from responders.cases import Reason, Rules
from responders.dues import Change, Due, Subject, hears
from responders.escalation import page_person
from responders.reports import local
from responders.store.dues import Names, changed, names_for, put_dues, read_dues
from responders.store.entries import Line, Notes, add_entry, add_lines, case_of, flush, name_of
from responders.store.pool import Connection, Database, Record
from responders.store.queries import sql
from responders.store.registry import county_now, roster_for

AT_ONCE = 50
"""Changes of cases that one transaction looks at: it holds the cases for a fifth of a second, and officers wait."""
LEGAL_STEPS = 900_000
"""Steps of pages about reports, two for each: above those of any policy and of any task (number × 1000)."""
SLACK_SECONDS = 120.0
"""County time by which a clock may be corrected without anything being done about it."""


class Clocks:
    """The store's methods for the clocks of the law; each is one transaction."""

    def __init__(self, database: Database) -> None:
        """Share the store's pool."""
        self._database = database

    async def plan_next(self, rules: Rules) -> int:
        """Tell what some cases owe that were opened or changed; answers how many changes there were."""
        return await self._database.run(_plan_next, rules)

    async def act_next(self, rules: Rules) -> Reason | None:
        """Act on the report whose timer ran out longest ago; None when none is due or others hold them all.

        LEGAL_SOON and LEGAL_MISSED were told to people; WAITING only brought times back with a clock that was set back.
        """
        return await self._database.run(_act_next, rules)


async def _plan_next(connection: Connection, rules: Rules) -> int:
    looks = await connection.fetch(sql("due_looks"), AT_ONCE)
    if looks:
        notes: Notes = []
        await _look(connection, looks, rules, notes)
        await flush(connection, notes)
    return len(looks)


async def catch_up(connection: Connection, incident: UUID, rules: Rules, notes: Notes) -> None:
    """Tell what a case that is held owes by now, should no worker have looked at it yet."""
    if looks := await connection.fetch(sql("looks_of"), incident):
        await _look(connection, looks, rules, notes)


async def _look(connection: Connection, looks: Sequence[Record], rules: Rules, notes: Notes) -> None:
    known = await read_dues(connection, {look["id"] for look in looks})
    before = dict(known)
    places = {look["id"]: look["place"] for look in looks}
    for look in looks:
        subject = _subject(look, rules)
        change = _change(look)
        into = look["merged_into"]
        if change.state is IncidentState.MERGED and into is not None and known[subject.incident]:
            await connection.fetchrow(sql("lock_incident"), into)
            if into not in known:
                known |= await read_dues(connection, {into})
                before[into] = known[into]
                places[into] = await connection.fetchval(sql("place_of_case"), into)
            known[into] = legal.inherit(known[subject.incident], known[into], into)
        known[subject.incident] = legal.follow(rules.data.clocks, subject, known[subject.incident], change)
    written = {incident: changed(before[incident], after) for incident, after in known.items()}
    await put_dues(connection, [due for dues in written.values() for due in dues])
    notes += [("incident", str(incident), places[incident]) for incident, dues in written.items() if dues]
    begun = {
        incident: [due for due in dues if due.place > len(before[incident])]
        for incident, dues in sorted(written.items())
    }
    if any(begun.values()):
        names = await names_for(connection, {places[incident] for incident, dues in begun.items() if dues})
        lines = [_begun(names, dues, places[incident]) for incident, dues in begun.items() if dues]
        await add_lines(connection, lines)
    await connection.execute(sql("looked"), [look["look"] for look in looks])


def _subject(look: Record, rules: Rules) -> Subject:
    category = rules.data.categories.get(look["category"])  # local data may have dropped it since
    return Subject(
        look["id"],
        look["category"],
        None if category is None else category.event_class,
        look["place"],
        look["post"],
        look["drill"],
    )


def _change(look: Record) -> Change:
    was = look["was"]
    reopened = was is not None and IncidentState(was) not in OPEN_STATES
    return Change(look["at"], IncidentState(look["state"]), Grade(look["grade"]), reopened)


def _begun(names: Names, begun: Sequence[Due], place: str) -> Line:
    told = []
    for due in begun:
        limit = "结案前" if due.due_at is None else f"{local(due.due_at)}前"
        told.append(f"{names.report(due, place)}（{words.FORM[due.form]}）{limit}")
    detail = {"clocks": sorted({due.clock for due in begun}), "due_at": [due.due_at for due in begun]}
    return Line(begun[0].incident, "report_begun", f"法定时限开始：{'；'.join(told)}", detail)


async def _act_next(connection: Connection, rules: Rules) -> Reason | None:
    row = await connection.fetchrow(sql("lock_due_report"))
    if row is None:
        return await _bring_back(connection)
    incident: UUID = row["incident"]
    dues = (await read_dues(connection, {incident}))[incident]
    due = next(one for one in dues if one.place == row["number"])
    now = await county_now(connection)
    after, reason = legal.elapse(dues, due, now)
    if reason is Reason.WAITING:
        return None
    await put_dues(connection, changed(dues, after))
    notes: Notes = [("incident", str(incident), row["place"])]
    await _tell(connection, due, reason, now, rules)
    await flush(connection, notes)
    return reason


async def _tell(connection: Connection, due: Due, reason: Reason, now: datetime, rules: Rules) -> None:
    """Page whom a timer tells, and write it down."""
    row = await connection.fetchrow(sql("get_incident"), due.incident)
    if row is None or due.due_at is None:
        raise AssertionError("a case that is held is there, and a timer has a limit")
    case = case_of(row)
    people, vacant = hears(due, reason, case.place, await roster_for(connection, case.place, now))
    step = LEGAL_STEPS + 2 * due.place + (reason is Reason.LEGAL_MISSED)
    wanted = case.policy.steps[min(case.step, len(case.policy.steps) - 1)].channels
    reach = rules.reach(drill=case.drill)
    for person in people:
        for order in page_person(person, step, 0, wanted, reach, reason):
            await connection.execute(
                sql("add_page"),
                page_id(case.id, order.step, order.loop, str(person.user), order.channel),
                case.id,
                None,
                order.step,
                order.loop,
                person.user,
                order.channel,
                list(order.fallbacks),
                reason.value,
                now,
            )
    missed = reason is Reason.LEGAL_MISSED
    names = await names_for(connection, [case.place])
    empty = [f"{await name_of(connection, desk.area)}{words.post_name(desk.post)}" for desk in vacant]
    told = "、".join(person.display for person in people) or "无人在岗"
    text = (
        f"{words.REASON[reason]}：{names.report(due, case.place)}"
        f"（限{local(due.due_at)}）。已通知：{told}" + (f"（{'、'.join(empty)}无人在岗）" if empty else "")
    )
    await add_entry(
        connection,
        case.id,
        "report_missed" if missed else "report_soon",
        text,
        detail={
            "clock": due.clock,
            "kind": due.kind,
            "number": due.number,
            "by": due.by,
            "to": due.to,
            "due_at": due.due_at,
            "vacant": [[desk.area, desk.post] for desk in vacant],
        },
    )


async def _bring_back(connection: Connection) -> Reason | None:
    """Bring back the reports of one case that began on a clock that was ahead; None when there are none."""
    incident = await connection.fetchval(sql("lock_ahead"), SLACK_SECONDS)
    if incident is None:
        return None
    now = await county_now(connection)
    dues = (await read_dues(connection, {incident}))[incident]
    ahead = now + timedelta(seconds=SLACK_SECONDS)
    after = tuple(
        legal.set_back(due, due.begun_at - now) if due.runs and due.begun_at > ahead else due for due in dues
    )
    await put_dues(connection, changed(dues, after))
    return Reason.WAITING if after != dues else None


async def settle_reports(
    connection: Connection,
    incident: UUID,
    state: IncidentState,
    reason: str,
    *,
    area: str,
    by: str,
    user: UUID,
) -> None:
    """Let a post of an area end a case only with its reports made, or with the reason why they are not.

    Conflict names those missing.
    """
    dues = (await read_dues(connection, {incident}))[incident]
    owed = legal.owed_at_end(dues, area, state)
    if not owed:
        return
    place = await connection.fetchval(sql("place_of_case"), incident)
    names = await names_for(connection, [place])
    told = "、".join(dict.fromkeys(names.report(due, place) for due in owed))
    if not reason.strip():
        english = ", ".join(dict.fromkeys(f"{due.kind} report {due.by} to {due.to}" for due in owed))
        raise Conflict(
            f"尚未报送：{told}；请先报送，或在说明中写明不报的原因。"
            f" Not reported yet: {english}; report first, or say in the note why not."
        )
    await put_dues(connection, changed(dues, legal.waive(dues, owed, await county_now(connection))))
    await add_entry(
        connection,
        incident,
        "report_waived",
        f"不再报送：{told}。原因：{reason}",
        actor=by,
        user=user,
        detail={"reports": [[due.clock, due.kind, due.by, due.to] for due in owed], "reason": reason},
    )
