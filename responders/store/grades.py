"""Grades that officers decide, in SQL."""

from uuid import UUID

from domain.errors import InvalidInput, NotAllowed
from domain.levels import Grade
from responders import grading, words
from responders.cases import Rules
from responders.store.entries import Notes, case_of
from responders.store.held import answered, entry, finish, hold, require_coordinator, require_open
from responders.store.pool import Connection, Database
from responders.store.queries import sql
from responders.store.registry import county_now
from responders.store.reopening import raise_to
from responders.store.standing import acks_of, asked_of
from responders.views import IncidentRow, Role, Viewer


class Grades:
    """The store's method for grades; it is one transaction."""

    def __init__(self, database: Database) -> None:
        """Share the store's pool."""
        self._database = database

    async def set(
        self, viewer: Viewer, incident: UUID, grade: Grade, reason: str, request_id: UUID, rules: Rules
    ) -> IncidentRow:
        """Decide the grade of an open case.

        A graver one pages anew, as an alert that became graver does. A less grave one is for commanders, with a reason; it
        pages nobody, and stops neither a task's deadline nor a legal clock. From then on only an alert that becomes graver
        than it was may raise the grade by itself.
        """
        return await self._database.run(_set, viewer, incident, grade, reason, request_id, rules)


async def _set(
    connection: Connection,
    viewer: Viewer,
    incident: UUID,
    grade: Grade,
    reason: str,
    request_id: UUID,
    rules: Rules,
) -> IncidentRow:
    held = await hold(connection, viewer, incident)
    action = f"grade:{grade.value}"
    if answer := await answered(connection, request_id, held.actor, action, incident, IncidentRow):
        return answer
    require_open(held)
    present = Grade(held.row["grade"])
    if faults := list(grading.objections(present, grade, reason)):
        raise InvalidInput(faults)
    if grading.needs_commander(present, grade) and held.actor.role is not Role.COMMANDER:
        raise NotAllowed("降低事件等级须由指挥员决定。 Only a commander may make a case less grave.")
    await require_coordinator(connection, held, "定级")
    row = await connection.fetchrow(sql("get_incident"), incident)
    if row is None:
        raise AssertionError("a case that is held is there")
    notes: Notes = []
    text = f"定级：{words.GRADE[present]} → {words.GRADE[grade]}" + (f"。{reason}" if reason else "")
    detail = {"from": present.value, "to": grade.value, "reason": reason}
    await entry(connection, held, "graded", text, **detail)
    if grade < present:
        await raise_to(connection, row, grade, await county_now(connection), rules, notes)
    last = len(case_of(row).policies[grade].steps) - 1
    await connection.execute(sql("decide_grade"), incident, grade.value, last)
    if grade > present:
        await _take_what_is_given(connection, incident)
    return await finish(connection, held, request_id, action, notes)


async def _take_what_is_given(connection: Connection, incident: UUID) -> None:
    """Take a case for acknowledged when the policy of its grade asks for no more than was given."""
    asked = await asked_of(connection, incident)
    if await acks_of(connection, incident) and (asked is None or asked.missing.nothing):
        await connection.execute(sql("complete_acks"), incident)
        await connection.execute(sql("withdraw_alarms"), incident)
