"""Tasks as their deadlines see them, read from a row and written back."""

from domain.incidents import TaskState
from responders import pleas
from responders.cases import Case, Decision, Desk, Reason, Rules, Work
from responders.hours import ROUND_THE_CLOCK
from responders.pleas import Settled
from responders.reports import local
from responders.store.entries import add_entry, flush
from responders.store.pool import Connection, Record
from responders.store.queries import sql
from responders.store.registry import county_now


def work_of(row: Record, rules: Rules) -> Work:
    """Read a locked task with its case's grade; time is that of its unit's working hours, where its clock says so."""
    reminder, hours = rules.data.reminders[row["grade"]], rules.hours(row["area"])
    return Work(
        id=row["id"],
        number=row["number"],
        desk=Desk(row["area"], row["post"]),
        state=TaskState(row["state"]),
        dispatched_at=row["dispatched_at"],
        due_at=row["due_at"],
        passed=row["passed"],
        anew=row["anew"],
        hours=hours if row["clock"] == "working" else ROUND_THE_CLOCK,
        reminder=reminder,
        between_reminders=hours if reminder.clock == "working" else ROUND_THE_CLOCK,
    )


async def put_work(connection: Connection, settled: Settled) -> None:
    """Write a task anew, with its next deadline."""
    work = settled.work
    await connection.execute(
        sql("put_work"),
        work.id,
        work.desk.area,
        work.desk.post,
        work.state.value,
        work.dispatched_at,
        work.due_at,
        work.passed,
        settled.next_at,
    )


async def end_rest(connection: Connection, row: Record, case: Case, rules: Rules) -> Decision:
    """Give a task that its unit took up before its suspension was over its own time again; `row` is the locked task."""
    settled = pleas.end_rest(work_of(row, rules), row["rests_until"], await county_now(connection))
    await put_work(connection, settled)
    await connection.execute(sql("end_rest"), row["id"])
    await add_entry(
        connection,
        case.id,
        "task_resumed",
        f"缓办提前结束，任务时限改为{local(settled.work.due_at)}",
        detail={"task": row["id"], "due_at": settled.work.due_at},
    )
    await connection.execute(sql("touch_incident"), case.id)
    await flush(connection, [("incident", str(case.id), case.place)])
    return Decision(Reason.RESUMED, 0, 0, settled.next_at)
