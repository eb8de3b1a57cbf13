"""What units ask about their tasks, in SQL: asking, answering, and what time answers."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from domain.areas import covers, is_area_code
from domain.codec import encode
from domain.errors import Conflict, Fault, InvalidInput, NotAllowed, NotFound
from domain.incidents import OPEN_STATES, PleaKind, PleaOutcome, TaskState
from domain.levels import Grade
from responders import pleas, words
from responders.cases import Case, Decision, Desk, Person, Reason, Rules, Work
from responders.deadlines import TASK_STEPS, next_look, overseers
from responders.escalation import page_person
from responders.pleas import Plea, Settled
from responders.store.console import Actor, find_actor, task_view
from responders.store.entries import SYSTEM, Notes, add_entry, case_of, flush, name_of
from responders.store.further import note_party
from responders.store.held import DECIDES, answered
from responders.store.opening import write_decision
from responders.store.pool import Connection, Database, Record
from responders.store.queries import sql
from responders.store.registry import county_now, roster_for
from responders.store.works import put_work, work_of
from responders.views import Role, TaskRow, Viewer

ASKED, ANSWERED = 200, 300
"""Steps of a task's pages beside its deadlines' (at most 150): a plea is told to those above, its answer to the unit."""
PLACES = {kind: number for number, kind in enumerate(PleaKind)}
ASKS = DECIDES | {Role.GRID}
"""A grid worker whose unit has the task asks from where it is to be done."""
ABOVE = 100
"""Who hears of a task that is overdue decides about its pleas: the level above the unit."""


class Pleas:
    """The store's methods for pleas; each is one transaction."""

    def __init__(self, database: Database) -> None:
        """Share the store's pool."""
        self._database = database

    async def ask(self, viewer: Viewer, task: UUID, plea: Plea, request_id: UUID, rules: Rules) -> TaskRow:
        """Ask the level above about one's own unit's task; it is paged at once.

        NotAllowed for another unit's task; InvalidInput with every objection; Conflict when the kind was asked before.
        """
        return await self._database.run(_ask, viewer, task, plea, request_id, rules)

    async def answer(
        self,
        viewer: Viewer,
        task: UUID,
        kind: PleaKind,
        *,
        granted: bool,
        note: str,
        owner: Desk | None,
        request_id: UUID,
        rules: Rules,
    ) -> TaskRow:
        """Decide about what a unit below asked; a granted refusal names the new owner.

        NotAllowed for those who are not above the unit; Conflict when it is decided already.
        """
        return await self._database.run(_answer, viewer, task, kind, granted, note, owner, request_id, rules)

    async def lapse_next(self, rules: Rules) -> bool:
        """Settle the plea that should have been answered longest ago; False when none is due."""
        return await self._database.run(_lapse_next, rules)


async def _ask(
    connection: Connection, viewer: Viewer, task: UUID, plea: Plea, request_id: UUID, rules: Rules
) -> TaskRow:
    actor = await find_actor(connection, viewer, ASKS)
    row = await _hold(connection, task, actor)
    action = f"plea:{plea.kind.value}"
    if done := await answered(connection, request_id, actor, action, task, TaskRow):
        return done
    if actor.area != row["area"]:
        raise NotAllowed("只有承办单位可以申请。 Only the unit that has the task may ask this.")
    now = await county_now(connection)
    work, case = work_of(row, rules), await _case(connection, row)
    if faults := pleas.objections(plea, work, now):
        raise InvalidInput(faults)
    answer = pleas.answer_by(Grade(case.grade), now, rules.hours(row["area"]))
    asked = await connection.fetchval(
        sql("add_plea"), task, plea.kind.value, plea.item, plea.reason, plea.until, actor.id, answer.at
    )
    if asked is None:
        raise Conflict(f"{words.PLEA[plea.kind]}只能申请一次。 This may be asked once.")
    if plea.kind is PleaKind.REFUSE:
        work = replace(work, state=TaskState.REFUSED)
        await put_work(connection, Settled(work, next_look(work, now)))
    cited = f"（{plea.item}）" if plea.item else ""
    await add_entry(
        connection,
        case.id,
        "plea_asked",
        f"申请{words.PLEA[plea.kind]}{cited}：{plea.reason}{words.unknown_years(answer.unknown)}",
        actor=actor.display,
        user=actor.id,
        detail={
            "task": task,
            "kind": plea.kind,
            "item": plea.item,
            "until": plea.until,
            "answer_by": answer.at,
        },
    )
    notes: Notes = [("incident", str(case.id), case.place)]
    people, vacant = overseers(work, ABOVE, await roster_for(connection, work.desk.area, now))
    decision = _decision(case, work, ASKED + PLACES[plea.kind], Reason.PLEA, people, rules, vacant)
    await write_decision(connection, case, decision, now, rules, notes, task=task)
    return await _finish(connection, row, actor, action, request_id, notes)


async def _answer(
    connection: Connection,
    viewer: Viewer,
    task: UUID,
    kind: PleaKind,
    granted: bool,
    note: str,
    owner: Desk | None,
    request_id: UUID,
    rules: Rules,
) -> TaskRow:
    actor = await find_actor(connection, viewer, DECIDES)
    row = await _hold(connection, task, actor)
    action = f"answer:{kind.value}"
    if done := await answered(connection, request_id, actor, action, task, TaskRow):
        return done
    asked = await connection.fetchrow(sql("find_plea"), task, kind.value)
    if asked is None:
        raise NotFound(f"没有{words.PLEA[kind]}申请。 Nobody has asked this.")
    if asked["outcome"] is not None:
        raise Conflict(
            f"已裁定：{words.OUTCOME[PleaOutcome(asked['outcome'])]}。 It is decided: {asked['outcome']}."
        )
    above = covers(actor.area, row["area"]) and len(actor.area) < len(row["area"])
    if not above and not (actor.role is Role.COMMANDER and not _has_above(row)):
        raise NotAllowed("由上级裁定。 The level above the unit decides this.")
    if faults := _objections(kind, owner, granted=granted, within=actor.area):
        raise InvalidInput(faults)
    outcome = PleaOutcome.GRANTED if granted else PleaOutcome.DENIED
    notes: Notes = []
    await _settle(connection, row, asked, outcome, note, owner, rules, notes, actor)
    return await _finish(connection, row, actor, action, request_id, notes)


async def _lapse_next(connection: Connection, rules: Rules) -> bool:
    due = await connection.fetchrow(sql("lock_due_plea"))
    if due is None:
        return False
    row = await connection.fetchrow(sql("lock_work"), due["task"], "")
    asked = await connection.fetchrow(sql("find_plea"), due["task"], due["kind"])
    if row is None or asked is None or asked["outcome"] is not None:
        return False  # answered while this worker waited
    notes: Notes = []
    await _settle(connection, row, asked, PleaOutcome.LAPSED, "", None, rules, notes, None)
    await flush(connection, notes)
    return True


async def resume_task(connection: Connection, row: Record, case: Case, rules: Rules) -> Decision:
    """Take up a task whose suspension is over, and tell its unit; `row` is the locked task."""
    now = await county_now(connection)
    settled = pleas.resume(work_of(row, rules), now)
    await put_work(connection, settled)
    await add_entry(
        connection, case.id, "task_resumed", words.REASON[Reason.RESUMED], detail={"task": row["id"]}
    )
    notes: Notes = [("incident", str(case.id), case.place)]
    people = (await roster_for(connection, settled.work.desk.area, now)).find(settled.work.desk)
    vacant = () if people else (settled.work.desk,)
    step = ANSWERED + len(PLACES)
    decision = _decision(case, settled.work, step, Reason.RESUMED, people, rules, vacant)
    await write_decision(connection, case, decision, now, rules, notes, task=row["id"])
    await flush(connection, notes)
    return decision


async def _settle(
    connection: Connection,
    row: Record,
    asked: Record,
    outcome: PleaOutcome,
    note: str,
    owner: Desk | None,
    rules: Rules,
    notes: Notes,
    actor: Actor | None,
) -> None:
    """Write what became of a plea and of its task, and tell whoever has the task now."""
    kind = PleaKind(asked["kind"])
    plea = Plea(kind, asked["reason"], asked["item"], asked["until"])
    work, case = work_of(row, rules), await _case(connection, row)
    now = await county_now(connection)
    waits = TaskState.REFUSED if kind is PleaKind.REFUSE else None
    if case.state not in OPEN_STATES or (work.state not in pleas.FROM[kind] and work.state is not waits):
        outcome = PleaOutcome.MOOT
    user = None if actor is None else actor.id
    await connection.execute(sql("settle_plea"), row["id"], kind.value, outcome.value, note, user)
    text = f"{words.PLEA[kind]}申请：{words.OUTCOME[outcome]}" + (f"。{note}" if note else "")
    detail: dict[str, Any] = {"task": row["id"], "kind": kind, "outcome": outcome, "note": note}
    who = SYSTEM if actor is None else actor.display
    notes.append(("incident", str(case.id), case.place))
    if outcome is PleaOutcome.MOOT:
        await add_entry(connection, case.id, "plea_settled", text, actor=who, user=user, detail=detail)
        return
    settled = pleas.settle(plea, outcome, work, now, owner)
    await put_work(connection, settled)
    moved = settled.work.desk != work.desk
    if moved:
        await note_party(connection, case, settled.work.desk.area, notes)
        unit = f"{await name_of(connection, settled.work.desk.area)}{words.post_name(settled.work.desk.post)}"
        text, detail = (
            f"{text}，改派{unit}",
            {**detail, "area": settled.work.desk.area, "post": settled.work.desk.post},
        )
    await add_entry(connection, case.id, "plea_settled", text, actor=who, user=user, detail=detail)
    reason = {True: Reason.REDISPATCHED, False: Reason.PLEA_ANSWERED}[moved]
    if outcome is PleaOutcome.LAPSED and not moved:
        reason = Reason.PLEA_LAPSED
    roster = await roster_for(connection, settled.work.desk.area, now)
    people = roster.find(settled.work.desk)
    vacant = () if people else (settled.work.desk,)
    decision = _decision(case, settled.work, ANSWERED + PLACES[kind], reason, people, rules, vacant)
    await write_decision(connection, case, decision, now, rules, notes, task=row["id"])


def _decision(
    case: Case,
    work: Work,
    step: int,
    reason: Reason,
    people: tuple[Person, ...],
    rules: Rules,
    vacant: tuple[Desk, ...],
) -> Decision:
    """Page people about a task, over the channels of the step at which its case stands."""
    number = work.number * TASK_STEPS + step
    wanted = case.policy.steps[min(case.step, len(case.policy.steps) - 1)].channels
    reach = rules.reach(drill=case.drill)
    orders = [order for person in people for order in page_person(person, number, 0, wanted, reach, reason)]
    return Decision(reason, number, 0, None, tuple(orders), vacant)


async def _hold(connection: Connection, task: UUID, actor: Actor) -> Record:
    row = await connection.fetchrow(sql("lock_work"), task, actor.area)
    if row is None:
        raise NotFound("没有这个任务，或不在您的辖区。 There is no such task in your area.")
    return row


async def _case(connection: Connection, row: Record) -> Case:
    incident = await connection.fetchrow(sql("get_incident"), row["incident"])
    if incident is None:
        raise NotFound
    return case_of(incident)


async def _finish(
    connection: Connection, row: Record, actor: Actor, action: str, request_id: UUID, notes: Notes
) -> TaskRow:
    after = await connection.fetchrow(sql("task_row"), row["id"])
    if after is None:
        raise NotFound
    answer = task_view(after)
    await connection.execute(sql("touch_incident"), row["incident"])
    await connection.execute(
        sql("add_request"), request_id, actor.id, action, row["id"], encode(answer).decode()
    )
    await flush(connection, notes)
    return answer


def _has_above(row: Record) -> bool:
    """Say whether there is a level above the unit: over a province there is none, and its commander decides."""
    return len(row["area"]) > 2


def _objections(kind: PleaKind, owner: Desk | None, *, granted: bool, within: str) -> list[Fault]:
    if kind is PleaKind.REFUSE and granted:
        if owner is None:
            return [Fault("area", "must name who gets the task")]
        if not is_area_code(owner.area) or not owner.area.startswith(within):
            return [Fault("area", "must be an area of yours")]
        return []
    return [] if owner is None else [Fault("area", "is for a refusal that is granted")]
