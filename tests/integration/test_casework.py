"""Cases merged, split, dealt with jointly, reopened and called back about, against a real database and several officers."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
from responder_world import (
    CITY,
    COUNTY,
    HEWAN,
    POSTS,
    PROVINCE,
    QINGXI,
    RULES,
    FakeChannel,
    World,
    alert,
    open_world,
    post,
    viewer,
)

from domain.errors import Conflict, FenghuoError, InvalidInput, NotAllowed, NotFound
from domain.findings import AlertChange
from domain.identity import incident_id
from domain.incidents import (
    TASK_ENDS,
    IncidentState,
    PageState,
    PleaKind,
    Satisfied,
    TaskState,
    Verdict,
)
from domain.levels import Grade, Level
from responders.cases import Desk
from responders.casework import CallBack, Described
from responders.pleas import Plea
from responders.views import IncidentRow, Role, TaskRow, Viewer

QINGXI_POST, HEWAN_POST, COUNTY_POST, CITY_POST = (
    viewer(POSTS[area]) for area in (QINGXI, HEWAN, COUNTY, CITY)
)
UNSATISFIED = RULES.data.grouping("water-pollution").unsatisfied_days
FLOODED = Described("flood", QINGXI, Level.ORANGE, "群众来电：青溪桥下水漫路面")


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    """A county on a standing clock, each alert a case of its own."""
    async with open_world(database) as world:
        yield world


async def move_clock(world: World, **by: float) -> None:
    """Move the clock on and leave the timers alone."""
    world.now += timedelta(**by)
    await world.set_clock()


async def merge(world: World, one: UUID, into: UUID, who: Viewer = COUNTY_POST) -> IncidentRow:
    """Merge as the county."""
    return await world.store.casework.merge(who, one, into, "同一起事件", uuid4(), RULES)


async def join(world: World, case: UUID, area: str = HEWAN, who: Viewer = QINGXI_POST) -> IncidentRow:
    """Bring an area in."""
    return await world.store.casework.join(who, case, area, "下游受影响", uuid4(), RULES)


async def rate(world: World, case: UUID, satisfied: Satisfied, *, corrects: bool = False) -> IncidentRow:
    """Call back about a case as the county."""
    call = CallBack(True, True, satisfied is Satisfied.YES, satisfied, "来电人", corrects)
    return await world.store.casework.rate(COUNTY_POST, case, call, uuid4(), RULES)


async def kinds(world: World, incident: UUID) -> list[str]:
    """Name what the record tells, in order."""
    return [entry.kind for entry in (await world.show(incident)).timeline]


async def raise_alert(world: World, place: str = QINGXI, level: Level = Level.BLUE) -> tuple[UUID, UUID]:
    """Record an alert: its id and its case."""
    raised = alert(place, level, at=world.now)
    await world.store.record_alert(raised, RULES)
    return raised.id, incident_id(raised.id)


# Merging ------------------------------------------------------------------------------------------------------------


async def test_what_belongs_to_a_merged_case_goes_on_in_the_other(world: World) -> None:
    """Alerts, open tasks and the graver grade go along; its pages are withdrawn; both records tell of it."""
    first, one = await raise_alert(world, HEWAN, Level.ORANGE)
    second, other = await raise_alert(world)
    row = await merge(world, one, other)
    assert row.state is IncidentState.MERGED
    here, there = await world.show(one), await world.show(other)
    assert here.merged_into == other
    assert (here.alerts, here.tasks) == ((), ())
    assert {each.id for each in there.alerts} == {first, second}
    assert [task.state for task in there.tasks] == [TaskState.DISPATCHED] * 2
    assert (there.row.grade, there.row.level, there.row.acknowledged_at) == (Grade.II, Level.ORANGE, None)
    assert {page.state for page in here.pages} == {PageState.WITHDRAWN}
    assert "merged" in await kinds(world, one)
    assert "merged" in await kinds(world, other)
    channel = FakeChannel()
    await world.send_all(channel)
    assert {call.incident for call in channel.calls} == {other}


async def test_people_of_a_merged_case_see_where_it_went(world: World) -> None:
    """Hewan goes on to see its alert and to work on its task, and ends nothing."""
    _, one = await raise_alert(world, HEWAN)
    _, other = await raise_alert(world)
    (task,) = (await world.store.incident(HEWAN_POST, one)).tasks
    await merge(world, one, other)
    assert task.id in {each.id for each in (await world.store.incident(HEWAN_POST, other)).tasks}
    assert (await world.store.accept_task(HEWAN_POST, task.id, uuid4())).state is TaskState.ACCEPTED
    with pytest.raises(NotAllowed):
        await world.store.close(HEWAN_POST, other, "", uuid4())


async def test_later_versions_of_an_alert_find_the_case_it_is_in(world: World) -> None:
    """Merged twice over, its clearing is heard by the last one, which then asks to be closed."""
    first, one = await raise_alert(world)
    second, two = await raise_alert(world)
    third, three = await raise_alert(world)
    await merge(world, one, two)
    await merge(world, two, three)
    for identity in (first, second, third):
        over = alert(at=world.now, identity=identity, version=2, change=AlertChange.CLEARED)
        await world.store.record_alert(over, RULES)
    view = await world.show(three)
    assert (len(view.alerts), view.row.alert_open) == (3, False)
    assert "alert_cleared" not in await kinds(world, one) + await kinds(world, two)


async def test_two_merges_against_each_other_leave_one_case(world: World) -> None:
    """Neither officer waits for the other for ever, and no case goes into one that is gone."""
    for _ in range(4):
        _, one = await raise_alert(world)
        _, two = await raise_alert(world)
        results = await asyncio.gather(merge(world, one, two), merge(world, two, one), return_exceptions=True)
        assert sorted(type(result) for result in results if isinstance(result, Exception)) == [Conflict]
        states = [(await world.show(case)).row.state for case in (one, two)]
        assert sorted(states) == [IncidentState.DETECTED, IncidentState.MERGED]


async def test_merges_in_a_circle_leave_one_case(world: World) -> None:
    """Three at once, each into the next: what remains holds everything, whoever was first."""
    cases = [(await raise_alert(world))[1] for _ in range(3)]
    pairs = zip(cases, [*cases[1:], cases[0]], strict=True)
    await asyncio.gather(*(merge(world, one, into) for one, into in pairs), return_exceptions=True)
    open_rows = await world.store.queue(COUNTY_POST)
    assert open_rows
    views = [await world.show(row.id) for row in open_rows]
    assert sum(len(view.alerts) for view in views) == 3
    assert sum(len(view.tasks) for view in views) == 3


async def test_an_alert_that_changes_during_a_merge_is_not_lost(world: World) -> None:
    """Whichever is first, the red version raises the case that is left, and pages for it."""
    for _ in range(6):
        first, one = await raise_alert(world)
        _, other = await raise_alert(world)
        graver = alert(QINGXI, Level.RED, at=world.now, identity=first, version=2)
        await asyncio.gather(merge(world, one, other), world.store.record_alert(graver, RULES))
        row = (await world.show(other)).row
        assert (row.grade, row.level, row.acknowledged_at) == (Grade.I, Level.RED, None)


async def test_what_cannot_be_merged(world: World) -> None:
    """Itself, an ended one, one that lies elsewhere, a fault of the platform."""
    _, one = await raise_alert(world)
    _, other = await raise_alert(world)
    _, far = await raise_alert(world, HEWAN)
    with pytest.raises(InvalidInput):
        await merge(world, one, one)
    with pytest.raises(NotFound):
        await merge(world, one, far, QINGXI_POST)
    with pytest.raises(NotFound):
        await merge(world, far, one, QINGXI_POST)
    await world.store.workers.open_fault("no-heartbeat:stream", "流处理停止", "The stream is silent", RULES)
    fault = next(row.id for row in await world.store.queue(COUNTY_POST) if row.category == "platform-fault")
    with pytest.raises(Conflict):
        await merge(world, one, fault)
    await world.store.close(COUNTY_POST, other, "", uuid4())
    with pytest.raises(Conflict):
        await merge(world, one, other)
    assert (await world.show(one)).row.state is IncidentState.DETECTED


async def test_a_merge_that_is_sent_twice_is_one(world: World) -> None:
    """Also where the second comes while the first is under way; the id is good for nothing else."""
    _, one = await raise_alert(world)
    _, other = await raise_alert(world)
    request = uuid4()
    rows = await asyncio.gather(
        *(world.store.casework.merge(COUNTY_POST, one, other, "", request, RULES) for _ in range(3))
    )
    assert rows[0] == rows[1] == rows[2]
    assert (await kinds(world, other)).count("merged") == 1
    with pytest.raises(Conflict):
        await world.store.casework.reopen(COUNTY_POST, one, "误并", request, RULES)
    with pytest.raises(Conflict):
        await world.store.casework.reopen(COUNTY_POST, one, "误并", uuid4(), RULES)


# Splitting, and opening by hand -------------------------------------------------------------------------------------


async def test_an_alert_split_off_is_a_case_with_pages(world: World) -> None:
    """After a merge that was a mistake: the new case hears of the alert, is paged, and each has its own level."""
    first, one = await raise_alert(world, QINGXI, Level.ORANGE)
    second, other = await raise_alert(world)
    await merge(world, one, other)
    row = await world.store.casework.split(
        COUNTY_POST, other, alerts=[first], note="并错了", request_id=uuid4(), rules=RULES
    )
    part, rest = await world.show(row.id), await world.show(other)
    assert row.id not in (one, other)
    assert ([each.id for each in part.alerts], [each.id for each in rest.alerts]) == ([first], [second])
    assert (part.row.level, rest.row.level) == (Level.ORANGE, Level.BLUE)
    assert {page.reason for page in part.pages} == {"opened"}
    assert len(part.tasks) == 1
    over = alert(at=world.now, identity=first, version=2, change=AlertChange.CLEARED)
    await world.store.record_alert(over, RULES)
    assert not (await world.show(row.id)).row.alert_open
    assert (await world.show(other)).row.alert_open


async def test_the_alert_that_opened_a_case_can_be_split_off(world: World) -> None:
    """What stays is headed by another of its alerts, so that the case never shows evidence it has not."""
    first, one = await raise_alert(world)
    second, other = await raise_alert(world)
    await merge(world, other, one)
    row = await world.store.casework.split(
        COUNTY_POST, one, alerts=[first], note="", request_id=uuid4(), rules=RULES
    )
    assert (row.alert, (await world.show(one)).row.alert) == (first, second)


async def test_a_part_in_words_becomes_a_case(world: World) -> None:
    """It has the officer's words, its own category and grade, and the source's record tells of it."""
    _, case = await raise_alert(world)
    row = await world.store.casework.split(
        QINGXI_POST, case, described=FLOODED, note="", request_id=uuid4(), rules=RULES
    )
    view = await world.show(row.id)
    assert (row.category, row.grade, view.zh, view.row.alert) == ("flood", Grade.II, FLOODED.text, None)
    assert "split" in await kinds(world, case)
    assert "split" in await kinds(world, row.id)


async def test_what_cannot_be_split(world: World) -> None:
    """Everything, nothing, both ways at once, or what is another's."""
    first, case = await raise_alert(world)
    foreign, _ = await raise_alert(world, HEWAN)
    for alerts, described in (([first], None), ([], None), ([first], FLOODED), ([foreign], None)):
        with pytest.raises(InvalidInput):
            await world.store.casework.split(
                COUNTY_POST,
                case,
                alerts=alerts,
                described=described,
                note="",
                request_id=uuid4(),
                rules=RULES,
            )


async def test_an_officer_opens_a_case_by_hand_once(world: World) -> None:
    """Three times the same request is one case, paged as any other; nobody opens one elsewhere."""
    request = uuid4()
    rows = await asyncio.gather(
        *(world.store.casework.open(QINGXI_POST, FLOODED, request, RULES) for _ in range(3))
    )
    assert {row.id for row in rows} == {incident_id(request)}
    assert (await kinds(world, rows[0].id)).count("opened_by_hand") == 1
    channel = FakeChannel()
    await world.send_all(channel)
    assert "青溪镇值班室" in channel.recipients
    with pytest.raises(InvalidInput):
        await world.store.casework.open(HEWAN_POST, FLOODED, uuid4(), RULES)
    grid = post(QINGXI, Role.GRID, "网格")
    await world.store.put_users([grid])
    with pytest.raises(NotAllowed):
        await world.store.casework.open(viewer(grid), FLOODED, uuid4(), RULES)


# Joint cases --------------------------------------------------------------------------------------------------------


async def test_a_party_sees_the_case_has_its_task_and_hears_of_changes(world: World) -> None:
    """The county, which lies above both, coordinates: it is paged and has a task."""
    _, case = await raise_alert(world)
    await world.store.acknowledge(QINGXI_POST, case, uuid4())
    with pytest.raises(NotFound):
        await world.store.incident(HEWAN_POST, case)
    since = await world.store.newest_change()
    await join(world, case)
    view = await world.store.incident(HEWAN_POST, case)
    assert ([party.area for party in view.parties], view.coordinator) == ([HEWAN], COUNTY)
    assert sorted(task.unit[:3] for task in view.tasks) == ["河湾镇", "示例县", "青溪镇"]
    assert case in {row.id for row in await world.store.queue(HEWAN_POST)}
    assert str(case) in {change.ref for change in await world.store.changes_since(HEWAN_POST, since)}
    channel = FakeChannel()
    await world.send_all(channel)
    assert {"示例县值班室", "河湾镇值班室"} <= set(channel.recipients)
    since = await world.store.newest_change()
    await world.store.move(QINGXI_POST, case, IncidentState.CONFIRMED, "", uuid4())
    assert str(case) in {change.ref for change in await world.store.changes_since(HEWAN_POST, since)}


async def test_only_who_coordinates_ends_a_joint_case(world: World) -> None:
    """Not the township that opened it, not the party; the county does, and so may the city above it."""
    for who in (COUNTY_POST, CITY_POST):
        _, case = await raise_alert(world)
        await join(world, case)
        for below in (QINGXI_POST, HEWAN_POST):
            with pytest.raises(NotAllowed):
                await world.store.close(below, case, "", uuid4())
            with pytest.raises(NotAllowed):
                await world.store.decide(below, case, Verdict.FALSE, "", uuid4())
        assert (await world.store.close(who, case, "", uuid4())).state is IncidentState.CLOSED


async def test_a_party_does_its_own_tasks_and_nothing_else(world: World) -> None:
    """It accepts what it was given; the case's other tasks, its acknowledgement and its holder are not its own."""
    _, case = await raise_alert(world)
    await join(world, case)
    tasks = {task.unit[:3]: task.id for task in (await world.show(case)).tasks}
    await world.store.accept_task(HEWAN_POST, tasks["河湾镇"], uuid4())
    with pytest.raises(NotFound):
        await world.store.accept_task(HEWAN_POST, tasks["青溪镇"], uuid4())
    for command in (world.store.acknowledge, world.store.take_over):
        with pytest.raises(NotAllowed):
            await command(HEWAN_POST, case, uuid4())
    plea = Plea(
        PleaKind.EXTEND, "船只未到", until=(await _due(world, case, "河湾镇")) + timedelta(minutes=30)
    )
    await world.store.pleas.ask(HEWAN_POST, tasks["河湾镇"], plea, uuid4(), RULES)


async def _due(world: World, case: UUID, unit: str) -> object:
    task: TaskRow = next(task for task in (await world.show(case)).tasks if task.unit.startswith(unit))
    return task.due_at


async def test_a_party_that_leaves_sees_the_case_no_more(world: World) -> None:
    """Its open task is cancelled; with the last one the case is its place's alone again; it may come back."""
    _, case = await raise_alert(world)
    await join(world, case)
    with pytest.raises(NotAllowed):
        await world.store.casework.leave(QINGXI_POST, case, HEWAN, "", uuid4())
    since = await world.store.newest_change()
    await world.store.casework.leave(COUNTY_POST, case, HEWAN, "无影响", uuid4())
    with pytest.raises(NotFound):
        await world.store.incident(HEWAN_POST, case)
    assert str(case) in {change.ref for change in await world.store.changes_since(HEWAN_POST, since)}
    view = await world.show(case)
    assert (view.parties, view.coordinator) == ((), None)
    assert [task.state for task in view.tasks if task.unit.startswith("河湾镇")] == [TaskState.CANCELLED]
    await join(world, case)
    assert (await world.store.incident(HEWAN_POST, case)).coordinator == COUNTY
    await world.store.casework.leave(COUNTY_POST, case, HEWAN, "", uuid4())
    assert (await world.store.close(QINGXI_POST, case, "", uuid4())).state is IncidentState.CLOSED


async def test_closing_and_joining_at_once_leave_no_case_that_a_township_ended(world: World) -> None:
    """Either it was closed first and nobody joins, or the area joined and the township may not close it."""
    for _ in range(6):
        _, case = await raise_alert(world)
        results = await asyncio.gather(
            join(world, case, who=COUNTY_POST),
            world.store.close(QINGXI_POST, case, "", uuid4()),
            return_exceptions=True,
        )
        assert sum(isinstance(result, FenghuoError) for result in results) == 1
        view = await world.show(case)
        assert (view.row.state is IncidentState.CLOSED) is (view.parties == ())


async def test_who_cannot_be_brought_in(world: World) -> None:
    """The area above, one that is in already, one that there is not; and nobody brings others into what he does not hold."""
    _, case = await raise_alert(world)
    for area in (COUNTY, "990101199", "1"):
        with pytest.raises(InvalidInput):
            await join(world, case, area)
    await join(world, case)
    with pytest.raises(Conflict):
        await join(world, case)
    with pytest.raises(NotAllowed):
        await join(world, case, PROVINCE, HEWAN_POST)


# Further tasks ------------------------------------------------------------------------------------------------------


async def test_one_more_task_is_due_by_the_list_of_duties(world: World) -> None:
    """Its unit is paged; where it lies elsewhere it becomes a party, else it would not see what to do."""
    _, case = await raise_alert(world)
    await world.store.casework.dispatch(COUNTY_POST, case, HEWAN, None, "设拦油坝", uuid4(), RULES)
    task = next(task for task in (await world.show(case)).tasks if task.unit.startswith("河湾镇"))
    given = timedelta(minutes=RULES.data.owner("water-pollution", HEWAN).due_minutes)
    assert (task.due_at - task.dispatched_at, task.state) == (given, TaskState.DISPATCHED)
    assert (await world.store.incident(HEWAN_POST, case)).row.id == case
    channel = FakeChannel()
    await world.send_all(channel)
    assert ("河湾镇值班室", "dispatched") in {(call.recipient, call.reason) for call in channel.calls}
    with pytest.raises(InvalidInput):
        await world.store.casework.dispatch(QINGXI_POST, case, COUNTY, None, "", uuid4(), RULES)
    await world.advance(hours=given.total_seconds() / 3600)
    assert "task_escalated" in await kinds(world, case)


async def test_a_task_given_to_another_unit_is_seen_there(world: World) -> None:
    """A refusal that is granted makes the new owner's area a party."""
    _, case = await raise_alert(world)
    (task,) = (await world.show(case)).tasks
    await world.store.pleas.ask(
        QINGXI_POST, task.id, Plea(PleaKind.REFUSE, "非本镇", item="第3项"), uuid4(), RULES
    )
    await world.store.pleas.answer(
        COUNTY_POST,
        task.id,
        PleaKind.REFUSE,
        granted=True,
        note="",
        owner=Desk(HEWAN, ""),
        request_id=uuid4(),
        rules=RULES,
    )
    assert (await world.store.accept_task(HEWAN_POST, task.id, uuid4())).unit.startswith("河湾镇")


async def test_a_unit_does_not_cancel_its_own_task(world: World) -> None:
    """That would be a refusal that nobody decided about; the level above may."""
    _, case = await raise_alert(world)
    (task,) = (await world.show(case)).tasks
    with pytest.raises(NotAllowed):
        await world.store.move_task(QINGXI_POST, task.id, TaskState.CANCELLED, "", uuid4())
    row = await world.store.move_task(COUNTY_POST, task.id, TaskState.CANCELLED, "重复派发", uuid4())
    assert row.state is TaskState.CANCELLED


@pytest.mark.parametrize(("before", "after"), TASK_ENDS.items())
async def test_a_case_that_ends_ends_its_tasks_by_the_table(
    world: World, before: TaskState, after: TaskState
) -> None:
    """What was done is closed with it, what was not is cancelled, and no deadline goes on."""
    _, case = await raise_alert(world)
    connection = await asyncpg.connect(world.dsn)
    try:
        await connection.execute("update task set state = $2 where incident = $1", case, before.value)
        await world.store.close(COUNTY_POST, case, "", uuid4())
        assert await connection.fetchrow("select state, next_at from task where incident = $1", case) == (
            after.value,
            None,
        )
    finally:
        await connection.close()


# Reopening and calling back -----------------------------------------------------------------------------------------


async def test_a_reopened_case_is_paged_anew(world: World) -> None:
    """Nobody holds it, its owner has a new task, and it climbs until somebody acknowledges."""
    _, case = await raise_alert(world)
    await world.store.close(QINGXI_POST, case, "", uuid4())
    row = await world.store.casework.reopen(COUNTY_POST, case, "水色再次发黑", uuid4(), RULES)
    assert (row.state, row.acknowledged_at, row.holder) == (IncidentState.RESPONDING, None, None)
    channel = FakeChannel()
    await world.send_all(channel)
    assert channel.recipients.count("青溪镇值班室") >= 1
    await world.advance(hours=6)
    await world.send_all(channel)
    assert "示例县值班室" in channel.recipients
    with pytest.raises(Conflict):
        await world.store.casework.reopen(COUNTY_POST, case, "再开", uuid4(), RULES)


@pytest.mark.parametrize(("late", "again"), [(0, True), (1, False)])
async def test_who_was_not_satisfied_opens_the_case_again_in_time(
    world: World, late: float, again: bool
) -> None:
    """Exactly at the bound it is opened; a second later it stands on the record, and nothing moves."""
    _, case = await raise_alert(world)
    await world.store.close(QINGXI_POST, case, "", uuid4())
    await move_clock(world, days=UNSATISFIED, seconds=late)
    row = await rate(world, case, Satisfied.NO)
    assert (row.state is IncidentState.RESPONDING) is again
    assert ("reopened" in await kinds(world, case)) is again
    assert "rated" in await kinds(world, case)


async def test_a_call_back_is_kept_once_and_corrected_on_record(world: World) -> None:
    """The correction is a line and a row of its own; what was said first stays."""
    _, case = await raise_alert(world)
    with pytest.raises(Conflict):
        await rate(world, case, Satisfied.YES)
    await world.store.close(QINGXI_POST, case, "", uuid4())
    with pytest.raises(Conflict):
        await rate(world, case, Satisfied.YES, corrects=True)
    await rate(world, case, Satisfied.YES)
    with pytest.raises(Conflict):
        await rate(world, case, Satisfied.NOT_ASKED)
    await rate(world, case, Satisfied.NOT_ASKED, corrects=True)
    ratings = (await world.show(case)).ratings
    assert [(rating.number, rating.satisfied) for rating in ratings] == [
        (1, Satisfied.YES),
        (2, Satisfied.NOT_ASKED),
    ]
    assert (await kinds(world, case)).count("rated") == 2


async def test_a_task_is_rated_after_it_was_closed(world: World) -> None:
    """Who was not satisfied with it gets the same unit once more, in a case that is still open too."""
    _, case = await raise_alert(world)
    (task,) = (await world.show(case)).tasks
    bad = CallBack(True, True, False, Satisfied.NO, "垃圾仍在")
    with pytest.raises(Conflict):
        await world.store.casework.rate_task(COUNTY_POST, task.id, bad, uuid4(), RULES)
    for state in (TaskState.ACCEPTED, TaskState.DONE, TaskState.VERIFIED, TaskState.CLOSED):
        await world.store.move_task(QINGXI_POST, task.id, state, "", uuid4())
    with pytest.raises(NotFound):
        await world.store.casework.rate_task(HEWAN_POST, task.id, bad, uuid4(), RULES)
    await world.store.casework.rate_task(COUNTY_POST, task.id, bad, uuid4(), RULES)
    tasks = (await world.show(case)).tasks
    assert [each.state for each in tasks] == [TaskState.RATED, TaskState.DISPATCHED]
    assert tasks[0].unit == tasks[1].unit
    await world.store.close(QINGXI_POST, case, "", uuid4())
    assert (await world.show(case)).tasks[0].state is TaskState.RATED


async def test_of_two_call_backs_at_once_one_counts(world: World) -> None:
    """Two officers ring the same person: the case is opened again once."""
    _, case = await raise_alert(world)
    await world.store.close(QINGXI_POST, case, "", uuid4())
    results = await asyncio.gather(
        *(rate(world, case, Satisfied.NO) for _ in range(2)), return_exceptions=True
    )
    assert sum(isinstance(result, Conflict) for result in results) == 1
    assert (await kinds(world, case)).count("reopened") == 1
