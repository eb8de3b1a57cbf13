"""Call-backs in SQL (回访): kept once for each task or case, corrected on record, and what dissatisfaction opens again."""

from uuid import UUID

from domain.errors import Conflict, InvalidInput, NotFound
from domain.incidents import OPEN_STATES, REOPENED, TASK_RATED, IncidentState, Satisfied, TaskState
from responders import words
from responders.cases import Desk, Rules
from responders.casework import CallBack, call_back_faults
from responders.grouping import is_recent
from responders.store.console import find_actor
from responders.store.entries import Notes, case_of
from responders.store.further import dispatch_task
from responders.store.held import Held, answered, entry, finish, hold
from responders.store.pool import Connection, Record
from responders.store.queries import sql
from responders.store.registry import county_now
from responders.store.reopening import reopen
from responders.views import IncidentRow, Viewer

NIL = UUID(int=0)
"""Stands for the whole case where a task could be named."""
SATISFIED = {Satisfied.YES: "满意", Satisfied.NO: "不满意", Satisfied.NOT_ASKED: "未评价"}


async def rate_case(
    connection: Connection, viewer: Viewer, incident: UUID, call: CallBack, request_id: UUID, rules: Rules
) -> IncidentRow:
    """Keep what somebody concerned said of a case that was closed."""
    held = await hold(connection, viewer, incident)
    if answer := await answered(connection, request_id, held.actor, "rate", incident, IncidentRow):
        return answer
    if held.state not in (IncidentState.CLOSED, IncidentState.REVIEWED):
        raise Conflict("结案后方可回访。 A case is called back about once it is closed.")
    notes: Notes = []
    await _keep(connection, held, NIL, call)
    if call.satisfied is Satisfied.NO:
        await _open_again(connection, held, None, rules, notes)
    return await finish(connection, held, request_id, "rate", notes)


async def rate_task(
    connection: Connection, viewer: Viewer, task: UUID, call: CallBack, request_id: UUID, rules: Rules
) -> IncidentRow:
    """Keep what somebody concerned said of a task that was closed; its case as it is then."""
    await find_actor(connection, viewer)  # who may see no cases hears the same of any task
    incident = await connection.fetchval(sql("case_of_task"), task)
    if incident is None:
        raise NotFound("没有这个任务，或不在您的辖区。 There is no such task in your area.")
    held = await hold(connection, viewer, incident)
    action = f"rate:{task}"
    if answer := await answered(connection, request_id, held.actor, action, incident, IncidentRow):
        return answer
    row = await connection.fetchrow(sql("lock_task_of_case"), task)
    if row is None or row["incident"] != incident:
        raise Conflict("任务已并入其他事件，请刷新。 The task went to another incident; look again.")
    state = TaskState(row["state"])
    if state not in TASK_RATED:
        raise Conflict(
            f"任务{words.TASK[state]}，结案后方可回访。 A task is called back about once it is closed."
        )
    notes: Notes = []
    await _keep(connection, held, task, call)
    await connection.execute(sql("set_rated"), task)
    if call.satisfied is Satisfied.NO:
        await _open_again(connection, held, Desk(row["area"], row["post"]), rules, notes)
    return await finish(connection, held, request_id, action, notes)


async def _keep(connection: Connection, held: Held, task: UUID, call: CallBack) -> None:
    if faults := call_back_faults(call):
        raise InvalidInput(faults)
    times = int(await connection.fetchval(sql("rated_times"), held.id, task))
    if times and not call.corrects:
        raise Conflict("已回访；如有误请更正。 It was called back about; correct that where it is wrong.")
    if call.corrects and not times:
        raise Conflict("尚未回访，无可更正。 There is no call-back to correct.")
    await connection.execute(
        sql("add_rating"),
        held.id,
        task,
        times + 1,
        call.reached,
        call.responded,
        call.resolved,
        call.satisfied.value,
        call.note,
        held.actor.id,
    )
    kind = "回访更正" if call.corrects else "回访"
    said = SATISFIED[call.satisfied] if call.reached else "未联系上"
    await entry(
        connection,
        held,
        "rated",
        f"{kind}：{said}" + (f"。{call.note}" if call.note else ""),
        task=None if task == NIL else task,
        number=times + 1,
        reached=call.reached,
        responded=call.responded,
        resolved=call.resolved,
        satisfied=call.satisfied,
        note=call.note,
    )


async def _open_again(
    connection: Connection, held: Held, unit: Desk | None, rules: Rules, notes: Notes
) -> None:
    """Open the case again within the bound; where it is open still, the unit gets a new task."""
    row = await _held_anew(connection, held)
    now = await county_now(connection)
    rule = rules.data.grouping(row["category"])
    if held.state in OPEN_STATES:
        if unit is not None:
            duty = rules.data.owner(row["category"], unit.area)
            await dispatch_task(
                connection, case_of(row), unit, duty, rules, notes, note="回访不满意", actor=held.actor
            )
        return
    ended_at = await connection.fetchval(sql("ended_at"), held.id)
    if held.state not in REOPENED or ended_at is None or not is_recent(ended_at, now, rule.unsatisfied_days):
        days = f"{rule.unsatisfied_days:g}"
        await entry(connection, held, "rated", f"结案已逾 {days} 日，不再重新打开；需要时请人工立案")
        return
    text = "回访不满意，事件重新打开"
    await reopen(connection, row, text, now, rules, notes, unit=unit, actor=held.actor)


async def _held_anew(connection: Connection, held: Held) -> Record:
    row = await connection.fetchrow(sql("lock_incident"), held.id)
    if row is None:
        raise NotFound
    return row
