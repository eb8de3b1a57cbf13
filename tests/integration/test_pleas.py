"""What units ask about their tasks, against a real database: nothing is nobody's, and nothing stands still."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from msgspec import structs
from responder_world import COUNTY, HEWAN, POSTS, QINGXI, RULES, World, alert, open_world, post, viewer

from domain.errors import Conflict, InvalidInput, NotAllowed, NotFound
from domain.identity import incident_id
from domain.incidents import IncidentState, PleaKind, PleaOutcome, TaskState
from domain.levels import Level
from responders.cases import Desk
from responders.pleas import Plea
from responders.views import Role, TaskRow

QINGXI_POST, COUNTY_POST, HEWAN_POST = (viewer(POSTS[area]) for area in (QINGXI, COUNTY, HEWAN))
REFUSAL = Plea(PleaKind.REFUSE, "河道归县水利局管理", item="配合事项 第12项")
HOUR = timedelta(hours=1)


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    """A county on a standing clock."""
    async with open_world(database) as world:
        yield world


async def task_of(world: World, incident: UUID) -> TaskRow:
    """Read the only task of a case."""
    (task,) = (await world.show(incident)).tasks
    return task


async def begin(world: World, level: Level = Level.BLUE) -> tuple[UUID, TaskRow]:
    """Open a case whose task is a township's; the case is acknowledged."""
    raised = alert(QINGXI, level, category="municipal-service", at=world.now)
    await world.store.record_alert(raised, RULES)
    incident = incident_id(raised.id)
    await world.store.acknowledge(COUNTY_POST, incident, uuid4())
    task = await task_of(world, incident)
    assert task.unit.startswith("青溪镇")
    return incident, task


async def ask(world: World, task: TaskRow, plea: Plea, **by: object) -> TaskRow:
    """Ask as the township."""
    return await world.store.pleas.ask(QINGXI_POST, task.id, plea, uuid4(), RULES, **by)


async def answer(
    world: World, task: TaskRow, kind: PleaKind, granted: bool, owner: Desk | None = None
) -> TaskRow:
    """Decide as the county."""
    return await world.store.pleas.answer(
        COUNTY_POST, task.id, kind, granted=granted, note="", owner=owner, request_id=uuid4(), rules=RULES
    )


async def kinds(world: World, incident: UUID) -> list[str]:
    """Name what the record tells, in order."""
    return [entry.kind for entry in (await world.show(incident)).timeline]


async def test_a_refusal_is_put_before_the_county_and_given_to_another(world: World) -> None:
    """The county hears of it at once, decides, and the new owner has the full time from then on."""
    incident, task = await begin(world)
    refused = await ask(world, task, REFUSAL)
    assert refused.state is TaskState.REFUSED
    pages = (await world.show(incident)).pages
    assert ("示例县值班室", "plea") in {(page.recipient, page.reason) for page in pages}
    world.now += HOUR
    await world.set_clock()
    given = await answer(world, task, PleaKind.REFUSE, granted=True, owner=Desk(HEWAN, ""))
    assert (given.state, given.unit) == (TaskState.DISPATCHED, "河湾镇值班室")
    assert given.dispatched_at == world.now
    assert given.due_at - given.dispatched_at == task.due_at - task.dispatched_at
    view = await world.show(incident)
    assert [(plea.kind, plea.outcome) for plea in view.pleas] == [(PleaKind.REFUSE, PleaOutcome.GRANTED)]
    assert "redispatched" in {page.reason for page in view.pages if page.recipient == "河湾镇值班室"}
    assert [kind for kind in await kinds(world, incident) if kind.startswith("plea")] == [
        "plea_asked",
        "plea_settled",
    ]


async def test_a_denied_refusal_leaves_the_clock_as_it_was(world: World) -> None:
    """The task is the unit's as before, due when it was due, and may not be refused again."""
    _, task = await begin(world)
    await ask(world, task, REFUSAL)
    same = await answer(world, task, PleaKind.REFUSE, granted=False)
    assert (same.state, same.dispatched_at, same.due_at) == (
        TaskState.DISPATCHED,
        task.dispatched_at,
        task.due_at,
    )
    with pytest.raises(Conflict):
        await ask(world, task, REFUSAL)
    with pytest.raises(Conflict):
        await answer(world, task, PleaKind.REFUSE, granted=True, owner=Desk(HEWAN, ""))


async def test_deadlines_of_a_refused_task_are_told(world: World) -> None:
    """Refusing wins no time: half of it over, the unit is reminded while the county has not decided."""
    incident, task = await begin(world)
    await ask(world, task, REFUSAL)
    await world.advance(seconds=(task.due_at - task.dispatched_at).total_seconds() / 2)
    assert "task_reminded" in await kinds(world, incident)


async def test_what_nobody_decides_is_the_countys(world: World) -> None:
    """In an emergency after half an hour: the county's desk has the task, and is told."""
    incident, task = await begin(world, Level.ORANGE)
    await ask(world, task, REFUSAL)
    await world.advance(minutes=29)
    assert (await task_of(world, incident)).state is TaskState.REFUSED
    await world.advance(minutes=1)
    after = await task_of(world, incident)
    assert (after.state, after.unit) == (TaskState.DISPATCHED, "示例县值班室")
    assert (await world.show(incident)).pleas[0].outcome is PleaOutcome.LAPSED


async def test_a_pause_ends_by_itself(world: World) -> None:
    """Accepted, put off until a time that was agreed, and taken up again then with what was left of its time."""
    incident, task = await begin(world)
    await world.store.accept_task(QINGXI_POST, task.id, uuid4())
    until = world.now + 5 * HOUR
    await ask(world, task, Plea(PleaKind.SUSPEND, "等水位下降", until=until))
    paused = await answer(world, task, PleaKind.SUSPEND, granted=True)
    assert (paused.state, paused.due_at) == (TaskState.SUSPENDED, task.due_at + 5 * HOUR)
    await world.advance(hours=4.9)
    assert (await task_of(world, incident)).state is TaskState.SUSPENDED
    assert "task_reminded" not in await kinds(world, incident)
    await world.advance(hours=0.1)
    assert (await task_of(world, incident)).state is TaskState.ACCEPTED
    assert "task_resumed" in await kinds(world, incident)
    await world.advance(seconds=(task.due_at - task.dispatched_at).total_seconds())
    assert "task_escalated" in await kinds(world, incident)


async def test_a_pause_that_the_unit_ends_early_wins_no_time(world: World) -> None:
    """Taken up an hour after it was put off for five: due one hour later than at first, reminded by that, once on record."""
    incident, task = await begin(world)
    await world.store.accept_task(QINGXI_POST, task.id, uuid4())
    await ask(world, task, Plea(PleaKind.SUSPEND, "等水位下降", until=world.now + 5 * HOUR))
    await answer(world, task, PleaKind.SUSPEND, granted=True)
    await world.advance(hours=1)
    await world.store.move_task(QINGXI_POST, task.id, TaskState.ON_SITE, "", uuid4())
    await world.advance(seconds=1)
    after = await task_of(world, incident)
    assert (after.state, after.due_at) == (TaskState.ON_SITE, task.due_at + HOUR + timedelta(seconds=1))
    assert (await kinds(world, incident)).count("task_resumed") == 1
    await world.advance(seconds=(task.due_at - task.dispatched_at).total_seconds())
    assert "task_escalated" in await kinds(world, incident)
    assert (await kinds(world, incident)).count("task_resumed") == 1
    assert "resumed" not in {page.reason for page in (await world.show(incident)).pages}


async def test_who_may_ask_and_who_may_decide(world: World) -> None:
    """Only the unit asks, only somebody above decides, and who may not see the case learns nothing of it."""
    incident, task = await begin(world)
    store, grid = world.store, post(QINGXI, Role.GRID, "网格")
    cell = structs.replace(grid, id=uuid4(), login="cell", area=f"{QINGXI}001001")
    await store.put_users([grid, cell])
    for who, error in ((COUNTY_POST, NotAllowed), (HEWAN_POST, NotFound), (viewer(cell), NotFound)):
        with pytest.raises(error):
            await store.pleas.ask(who, task.id, REFUSAL, uuid4(), RULES)
    await ask(world, task, REFUSAL)
    for who, error in ((QINGXI_POST, NotAllowed), (HEWAN_POST, NotFound), (viewer(grid), NotAllowed)):
        with pytest.raises(error):
            await store.pleas.answer(
                who,
                task.id,
                PleaKind.REFUSE,
                granted=False,
                note="",
                owner=None,
                request_id=uuid4(),
                rules=RULES,
            )
    assert (await task_of(world, incident)).state is TaskState.REFUSED


async def test_bad_pleas_are_told_with_every_fault(world: World) -> None:
    """What is missing is named; a granted refusal needs somebody of the decider's own area who gets the task."""
    _, task = await begin(world)
    with pytest.raises(InvalidInput) as caught:
        await ask(world, task, Plea(PleaKind.EXTEND, " "))
    assert [fault.field for fault in caught.value.faults] == ["kind", "reason", "until"]
    await ask(world, task, REFUSAL)
    for owner in (None, Desk("990202", ""), Desk("nowhere", "")):
        with pytest.raises(InvalidInput):
            await answer(world, task, PleaKind.REFUSE, granted=True, owner=owner)
    with pytest.raises(NotFound):
        await answer(world, task, PleaKind.EXTEND, granted=True)


async def test_the_same_request_again_is_answered_again(world: World) -> None:
    """A plea and its answer that are sent twice are one."""
    incident, task = await begin(world)
    request, other = uuid4(), uuid4()
    for _ in range(2):
        await world.store.pleas.ask(QINGXI_POST, task.id, REFUSAL, request, RULES)
    for _ in range(2):
        await world.store.pleas.answer(
            COUNTY_POST,
            task.id,
            PleaKind.REFUSE,
            granted=False,
            note="",
            owner=None,
            request_id=other,
            rules=RULES,
        )
    assert [kind for kind in await kinds(world, incident) if kind.startswith("plea")] == [
        "plea_asked",
        "plea_settled",
    ]


async def test_a_case_that_ends_ends_what_was_asked(world: World) -> None:
    """The plea of a task that is no more is moot, and changes nothing."""
    incident, task = await begin(world, Level.ORANGE)
    await ask(world, task, REFUSAL)
    await world.store.move(COUNTY_POST, incident, IncidentState.CLOSED, "", uuid4())
    await world.advance(minutes=31)
    view = await world.show(incident)
    assert view.pleas[0].outcome is PleaOutcome.MOOT
    assert view.tasks[0].state is TaskState.CANCELLED


async def test_one_of_many_decides(world: World) -> None:
    """Of an officer and several workers at the same moment exactly one settles a plea."""
    incident, task = await begin(world, Level.ORANGE)
    await ask(world, task, REFUSAL)
    world.now += HOUR
    await world.set_clock()
    results = await asyncio.gather(
        *(world.store.pleas.lapse_next(RULES) for _ in range(4)),
        answer(world, task, PleaKind.REFUSE, granted=False),
        return_exceptions=True,
    )
    assert all(isinstance(result, bool | TaskRow | Conflict) for result in results)
    assert (await kinds(world, incident)).count("plea_settled") == 1
    assert (await task_of(world, incident)).state is TaskState.DISPATCHED
