"""What the responder's own workers ask of the database: timers, pages, outbox, housekeeping."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from domain.incidents import OPEN_STATES, TaskState
from domain.levels import Grade, Level
from responders import deadlines, escalation, words
from responders.cases import Decision, Reason, Rules
from responders.leaps import MARK_EVERY, Leap, Look, leap
from responders.replies import ATTEMPTS_WITHIN
from responders.sign_in import WINDOW_SECONDS
from responders.store.entries import Notes, add_entry, case_of, flush
from responders.store.holding import encoded, hold_now, write_hold
from responders.store.opening import end_fault, open_fault, write_decision
from responders.store.pleas import resume_task
from responders.store.pool import Connection, Database
from responders.store.queries import sql
from responders.store.registry import county_now, roster_for
from responders.store.standing import acks_of
from responders.store.works import end_rest, work_of

KEPT_CHANGES_SECONDS = 86_400.0
KEPT_REQUESTS_SECONDS = 30 * 86_400.0
KEPT_FIELD_OUTBOX_SECONDS = 7 * 86_400.0
"""As long as the topic keeps them itself."""
REPLACED_SIGHTING_SECONDS, KEPT_SIGHTINGS_SECONDS = 86_400.0, 90 * 86_400.0
"""What a gateway said of a device stays for a day after another one, or its own next life, said more."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A value in the outbox that waits for the broker; an empty one removes its key."""

    topic: str
    key: str
    value: bytes | None
    sequence: int


class Workers:
    """The store's methods for dispatch, outbox and dead-man's switch; each is one transaction."""

    def __init__(self, database: Database) -> None:
        """Share the store's pool."""
        self._database = database

    async def keep_time(self) -> Leap:
        """Look whether a clock was set back; timers are brought along, so that nobody waits longer for it."""
        return await self._database.run(_keep_time)

    async def escalate_next(self, rules: Rules) -> Decision | None:
        """Act on the case whose timer ran out longest ago; None when none is due or others hold them all."""
        return await self._database.run(_escalate_next, rules)

    async def remind_next(self, rules: Rules) -> Decision | None:
        """Act on the task whose deadline passed longest ago; None when none is due or others hold them all."""
        return await self._database.run(_remind_next, rules)

    async def open_fault(self, fault: str, zh: str, en: str, rules: Rules) -> bool:
        """Open a case about the platform itself; False when one is open, or no county is known to answer for it."""
        return await self._database.run(_platform_fault, fault, zh, en, rules)

    async def end_fault(self, fault: str, zh: str, en: str) -> bool:
        """Ask for the case of a fault to be closed; False when none is open."""
        return await self._database.run(_fault_over, fault, zh, en)

    async def note_heartbeat(self, component: str) -> None:
        """Tell live pages that a component was lost or came back."""
        await self._database.run(_execute, "note_change", "heartbeat", component, "")

    async def publish_pending(self, limit: int, send: Callable[[list[Pending]], Awaitable[None]]) -> int:
        """Hand unpublished values to `send`, in order, and mark them when it returns; answers how many.

        Only one process does so at a time, so that an older value never overtakes a newer one.
        """
        return await self._database.run(_publish_pending, limit, send)

    async def published_topics(self) -> set[str]:
        """Name the topics of which something was published."""
        return await self._database.run(_published_topics)

    async def publish_again(self, topic: str) -> None:
        """Have everything of a topic published again."""
        await self._database.run(_execute, "publish_again", topic)

    async def open_by_grade(self) -> dict[Grade, int]:
        """Count open cases by grade."""
        return await self._database.run(_open_by_grade)

    async def prune(self) -> None:
        """Forget old changes, requests, sessions and sightings."""
        await self._database.run(_prune)


async def _execute(connection: Connection, query: str, *args: object) -> None:
    await connection.execute(sql(query), *args)


async def _keep_time(connection: Connection) -> Leap:
    row = await connection.fetchrow(sql("lock_mark"))
    if row is None:  # another worker looks, or nobody has yet
        await connection.execute(sql("begin_mark"))
        return Leap()
    now = Look(row["wall_now"], row["county_now"])
    back = leap(Look(row["wall_at"], row["county_at"]), now, row["factor"])
    if back.county:
        await connection.execute(sql("timers_back"), back.county.total_seconds())
    if back.wall:
        await connection.execute(sql("pages_back"))
    if (
        not back.is_none
        or now.wall - row["wall_at"] >= MARK_EVERY
        or now.county - row["county_at"] >= MARK_EVERY
    ):
        await connection.execute(sql("put_mark"), now.wall, now.county)
    return back


async def _escalate_next(connection: Connection, rules: Rules) -> Decision | None:
    row = await connection.fetchrow(sql("lock_due_incident"))
    if row is None:
        return None
    case = case_of(row)
    if case.policy.asks_for_several:
        case = replace(case, acks=await acks_of(connection, case.id))
    now = await county_now(connection)
    roster = await roster_for(connection, case.place, now)
    hold = await hold_now(connection, case, row["category"], Level(row["level"]), row["fault"], rules, now)
    decision = escalation.escalate(
        case, roster, now, rules.reach(drill=case.drill), hours=rules.hours(case.place), hold=hold
    )
    notes: Notes = [("incident", str(case.id), case.place)]
    if decision.reason is Reason.WAIVED:
        await connection.execute(sql("complete_acks"), case.id)
        await connection.execute(sql("withdraw_alarms"), case.id)
        await add_entry(connection, case.id, "acknowledged", words.REASON[decision.reason])
        await flush(connection, notes)
        return decision
    if decision.next_at is None:
        await connection.execute(sql("stop_timer"), case.id)
        return decision
    if decision.hold is not None:
        await connection.execute(sql("hold_case"), case.id, encoded(decision.hold), decision.next_at)
        if await write_hold(connection, case, decision):
            await flush(connection, notes)
        return decision
    # The row is locked; the statement checks again all the same, since a page too many cannot be taken back.
    changed = await connection.fetchval(
        sql("set_timer"),
        case.id,
        case.version,
        decision.step,
        decision.loop,
        decision.next_at,
        decision.tries,
    )
    if changed is None:
        return None
    await write_decision(connection, case, decision, now, rules, notes, vacancies=row["fault"] is None)
    await flush(connection, notes)
    return decision


async def _remind_next(connection: Connection, rules: Rules) -> Decision | None:
    row = await connection.fetchrow(sql("lock_due_task"))
    if row is None:
        return None
    incident = await connection.fetchrow(sql("get_incident"), row["incident"])
    if incident is None:
        return None
    case = case_of(incident)
    if row["state"] == TaskState.SUSPENDED and case.state in OPEN_STATES:
        return await resume_task(connection, row, case, rules)
    if row["rests_until"] is not None and case.state in OPEN_STATES:
        return await end_rest(connection, row, case, rules)
    work = work_of(row, rules)
    now = await county_now(connection)
    roster = await roster_for(connection, work.desk.area, now)
    decision = deadlines.remind(work, case, roster, now, rules.reach(drill=case.drill))
    passed = decision.step % deadlines.TASK_STEPS + decision.loop % deadlines.TASK_LOOPS
    await connection.execute(sql("set_deadline"), work.id, passed, decision.next_at)
    if passed == work.passed:
        return decision
    notes: Notes = [("incident", str(case.id), case.place)]
    await write_decision(
        connection, case, decision, now, rules, notes, task=work.id, vacancies=incident["fault"] is None
    )
    await flush(connection, notes)
    return decision


async def platform_place(connection: Connection) -> str | None:
    """Name the area that answers for the platform: the county, or what several counties have in common."""
    counties = [row["code"] for row in await connection.fetch(sql("fault_place"))]
    if not counties:
        return None
    for length in (6, 4, 2):
        if len({county[:length] for county in counties}) == 1:
            return str(counties[0][:length])
    return str(counties[0])


async def _platform_fault(connection: Connection, fault: str, zh: str, en: str, rules: Rules) -> bool:
    place = await platform_place(connection)
    if place is None:
        return False
    notes: Notes = []
    opened = await open_fault(connection, fault, place, zh, en, rules, notes)
    await flush(connection, notes)
    return opened


async def _fault_over(connection: Connection, fault: str, zh: str, en: str) -> bool:
    notes: Notes = []
    over = await end_fault(connection, fault, zh, en, notes)
    await flush(connection, notes)
    return over


async def _publish_pending(
    connection: Connection, limit: int, send: Callable[[list[Pending]], Awaitable[None]]
) -> int:
    if not await connection.fetchval(sql("lock_outbox")):
        return 0
    rows = await connection.fetch(sql("unpublished"), limit)
    pending = [
        Pending(
            row["topic"],
            row["key"],
            None if row["value"] is None else row["value"].encode(),
            row["sequence"],
        )
        for row in rows
    ]
    if pending:
        await send(pending)
        await connection.executemany(
            sql("mark_published"), [(one.topic, one.key, one.sequence) for one in pending]
        )
    return len(pending)


async def _published_topics(connection: Connection) -> set[str]:
    return {row["topic"] for row in await connection.fetch(sql("published_topics"))}


async def _open_by_grade(connection: Connection) -> dict[Grade, int]:
    return {Grade(row["grade"]): row["count"] for row in await connection.fetch(sql("open_by_grade"))}


async def _prune(connection: Connection) -> None:
    await connection.execute(sql("prune_changes"), KEPT_CHANGES_SECONDS)
    await connection.execute(sql("prune_requests"), KEPT_REQUESTS_SECONDS)
    await connection.execute(sql("prune_field_outbox"), KEPT_FIELD_OUTBOX_SECONDS)
    await connection.execute(sql("prune_sessions"))
    await connection.execute(sql("prune_steps"))
    await connection.execute(sql("prune_sign_in_attempts"), WINDOW_SECONDS)
    await connection.execute(sql("prune_attempts"), ATTEMPTS_WITHIN.total_seconds())
    await connection.execute(sql("prune_sightings"), REPLACED_SIGHTING_SECONDS, KEPT_SIGHTINGS_SECONDS)
