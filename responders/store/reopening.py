"""Paging a case anew in SQL: because it became graver, or because it is open again."""

from dataclasses import replace
from datetime import datetime

from domain.errors import Conflict
from domain.findings import Alert
from domain.incidents import OPEN_STATES, REOPENED
from domain.levels import Grade, Level, proposed_grade
from responders import escalation, words
from responders.cases import Case, Desk, Reason, Rules
from responders.grading import speaks_for_itself
from responders.store.console import Actor
from responders.store.entries import SYSTEM, Notes, add_entry, case_of
from responders.store.further import dispatch_task, owner_desk
from responders.store.held import require_no_other
from responders.store.holding import encoded, hold_now
from responders.store.opening import write_decision
from responders.store.pool import Connection, Record
from responders.store.queries import sql
from responders.store.registry import county_now, roster_for


async def reopen(
    connection: Connection,
    row: Record,
    text: str,
    received_at: datetime,
    rules: Rules,
    notes: Notes,
    *,
    grade: Grade | None = None,
    unit: Desk | None = None,
    actor: Actor | None = None,
) -> Case:
    """Open an ended case that is held, page for it anew, and give its owner (or the unit named) a new task.

    Conflict when it has not ended, was merged into another, or its fault has a newer case that is open. Nobody holds it, or
    has acknowledged it, any more.
    """
    case = case_of(row)
    if case.state not in REOPENED:
        raise Conflict(
            f"事件{words.STATE[case.state]}，不能重新打开。 It cannot be reopened ({case.state.value})."
        )
    await require_no_other(connection, row["fault"])
    again = replace(case, state=REOPENED[case.state], grade=grade or case.grade, acknowledged=False)
    await add_entry(
        connection,
        case.id,
        "reopened",
        text,
        actor=SYSTEM if actor is None else actor.display,
        user=None if actor is None else actor.id,
        detail={"from": case.state.value, "to": again.state.value},
    )
    await _page_anew(connection, case, again, Reason.REOPENED, received_at, rules, notes, row)
    desk = unit or owner_desk(rules.data.owner(row["category"], case.place), case.place)
    duty = rules.data.owner(row["category"], desk.area)
    await dispatch_task(connection, again, desk, duty, rules, notes, actor=actor)
    notes.append(("incident", str(case.id), case.place))
    return again


async def raise_if_graver(
    connection: Connection, row: Record, alert: Alert, rules: Rules, notes: Notes
) -> bool:
    """Raise the grade of a case that is held where its alert asks for a graver one, and page anew; an ended one reopens."""
    grade = Grade(row["grade"])
    if not speaks_for_itself(alert.level, row["graded_level"]):
        return False
    after = await raise_to(connection, row, proposed_grade(alert.level), alert.received_at, rules, notes)
    return after.grade is not grade


async def raise_to(
    connection: Connection, row: Record, grade: Grade, received_at: datetime, rules: Rules, notes: Notes
) -> Case:
    """Raise the grade of a case; the case as it is now."""
    case = case_of(row)
    if grade >= case.grade:  # not graver: the number falls as it gets worse
        return case
    if case.state in REOPENED:
        return await reopen(connection, row, "预警升级，事件重新打开", received_at, rules, notes, grade=grade)
    if case.state not in OPEN_STATES:
        return case
    graver = replace(case, grade=grade, acknowledged=False)
    await _page_anew(connection, case, graver, Reason.GRADE_RAISED, received_at, rules, notes, row)
    return graver


async def _page_anew(
    connection: Connection,
    case: Case,
    again: Case,
    reason: Reason,
    received_at: datetime,
    rules: Rules,
    notes: Notes,
    row: Record,
) -> None:
    now = await county_now(connection)
    roster = await roster_for(connection, case.place, now)
    level = max(Level(row["level"]), Level(5 - again.grade))  # the row may be from before the level rose
    hold = await hold_now(connection, again, row["category"], level, row["fault"], rules, now)
    decision = escalation.raise_grade(
        again, roster, now, rules.reach(drill=case.drill), hours=rules.hours(case.place), hold=hold
    )
    decision = replace(
        decision, reason=reason, orders=tuple(replace(order, reason=reason) for order in decision.orders)
    )
    statement = "reopen_incident" if reason is Reason.REOPENED else "raise_grade"
    await connection.execute(
        sql(statement),
        case.id,
        again.grade.value,
        again.state.value,
        decision.step,
        decision.loop,
        decision.next_at,
    )
    await connection.execute(sql("drop_acks"), case.id)
    await connection.execute(sql("page_anew"), case.id, decision.tries, encoded(hold))
    if again.grade is not case.grade:
        await add_entry(
            connection,
            case.id,
            "grade_raised",
            f"事件升为{words.GRADE[again.grade]}，需重新确认接收",
            detail={"from": case.grade.value, "to": again.grade.value},
        )
    await write_decision(
        connection, again, decision, received_at, rules, notes, vacancies=row["fault"] is None
    )
