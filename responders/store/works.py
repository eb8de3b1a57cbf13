"""Tasks as their deadlines see them, read from a row and written back."""

from domain.incidents import TaskState
from responders.cases import Desk, Rules, Work
from responders.hours import ROUND_THE_CLOCK
from responders.pleas import Settled
from responders.store.pool import Connection, Record
from responders.store.queries import sql


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
