"""Drills against a real database: the real way, from the first step to the review, and nothing of it leaves the house."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg  # type: ignore[import-untyped]  # ships no types
import pytest
from drill_world import LEAK, go, hear, start
from msgspec import structs
from responder_world import (
    CITY,
    COUNTY,
    DATA,
    HEWAN,
    POSTS,
    QINGXI,
    RULES,
    START,
    FakeChannel,
    World,
    alert,
    open_world,
    post,
    viewer,
)

from config.drills import Action
from domain.errors import BrokerUnavailable, Conflict, InvalidInput, NotAllowed, NotFound
from domain.identity import incident_id
from domain.incidents import IncidentState, TaskState, Verdict
from domain.levels import Grade
from domain.topics import DISPOSITIONS
from responders.cases import Recorded, Rules
from responders.dispatch import act_on_timers
from responders.drills import alert_id_of
from responders.lessons import NewNote, NoteKind
from responders.review import Kept
from responders.store import Store
from responders.store.workers import Pending
from responders.views import Role

QINGXI_POST, COUNTY_POST = viewer(POSTS[QINGXI]), viewer(POSTS[COUNTY])
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    """A county on a standing clock."""
    async with open_world(database) as opened:
        yield opened


async def case_of(world: World, drill: UUID) -> UUID:
    """Name the only case of a drill."""
    (case,) = (await world.store.reviews.drill(drill)).cases
    return case.row.id


async def kinds(world: World, incident: UUID) -> list[str]:
    """Name what the record of a case tells, in order."""
    return [entry.kind for entry in (await world.show(incident)).timeline]


async def test_a_drill_from_its_start_to_its_review_with_two_workers(world: World) -> None:
    """Each step comes once, the case climbs as a real one, and the review tells what was met and missed."""
    async with Store.open(world.dsn, 4) as other:

        async def both(minutes: float) -> None:
            world.now += minutes * MINUTE
            await world.set_clock()
            await asyncio.gather(act_on_timers(world.store, RULES), act_on_timers(other, RULES))
            await hear(world)

        drill = (await world.store.drills.start(uuid4(), LEAK, COUNTY, {})).id
        for minutes in (0, 1, 11):
            await both(minutes)
        incident = await case_of(world, drill)
        await world.store.acknowledge(COUNTY_POST, incident, uuid4())
        (task,) = (await world.show(incident)).tasks
        await both(8)
        assert (await world.show(incident)).row.grade is Grade.II
        await world.store.acknowledge(COUNTY_POST, incident, uuid4())
        await both(10)
        await world.store.move_task(QINGXI_POST, task.id, TaskState.ACCEPTED, "", uuid4())
        await world.store.move_task(QINGXI_POST, task.id, TaskState.ON_SITE, "", uuid4())
        await both(31)
    await world.store.close(COUNTY_POST, incident, "达标", uuid4())
    found = await world.store.reviews.drill(drill)
    assert (found.drill.taken, found.drill.cases, found.drill.open, found.drill.over) == (4, 1, 0, True)
    assert [(one.action, one.minutes, one.kept) for one in found.expected] == [
        (Action.ACKNOWLEDGED, 12, Kept.MET),
        (Action.ON_SITE, 30, Kept.MET),
        (Action.DONE, None, Kept.MISSED),
    ]
    told = await kinds(world, incident)
    assert [told.count(kind) for kind in ("opened", "drill_inject", "grade_raised", "alert_cleared")] == [
        1,
        1,
        1,
        1,
    ]
    assert found.cases[0].row.title == "【演练】水环境污染 · 青溪镇"
    assert found.cases[0].row.zh.startswith("【演练】")
    acknowledged = [clock for clock in found.cases[0].clocks if clock.what == "acknowledged"]
    assert [(clock.of, clock.kept) for clock in acknowledged] == [("Ⅳ", Kept.MET), ("Ⅱ", Kept.MET)]


async def test_nobody_there_it_climbs_to_the_top_as_a_real_one_does(world: World) -> None:
    """And everybody's message begins with the mark."""
    drill = await start(world, structs.replace(LEAK, step=LEAK.step[:2]))
    await world.advance(minutes=15)
    await world.advance(minutes=20)
    channel = FakeChannel()
    await world.send_all(channel)
    assert list(dict.fromkeys(channel.recipients)) == ["青溪镇值班室", "示例县值班室", "示例市值班室"]
    assert all(call.drill and call.title.startswith("【演练】") for call in channel.calls)
    assert all(call.zh.startswith("【演练】") and call.en.startswith("[DRILL]") for call in channel.calls)
    assert (await world.store.reviews.drill(drill)).cases[0].escalations == 2


async def test_a_desk_that_the_scenario_silences_cannot_act_until_its_time_is_over(world: World) -> None:
    """The desk above can; so the climb is examined, not the goodwill of the desk."""
    drill = await start(world)
    incident = await case_of(world, drill)
    (task,) = (await world.show(incident)).tasks
    await go(world, minutes=1)
    with pytest.raises(NotAllowed, match="演练设定"):
        await world.store.acknowledge(QINGXI_POST, incident, uuid4())
    with pytest.raises(NotAllowed, match="演练设定"):
        await world.store.move_task(QINGXI_POST, task.id, TaskState.ACCEPTED, "", uuid4())
    await go(world, minutes=10)
    await world.store.acknowledge(QINGXI_POST, incident, uuid4())
    assert (await world.show(incident)).row.acknowledged_by == "青溪镇值班室"


async def test_a_real_alert_and_a_drill_of_the_same_place_and_kind_at_once(world: World) -> None:
    """They are two cases, whichever was first, later versions go each to its own, and figures count the real one."""
    before = await world.raise_alert()
    drill = await start(world)
    after = await world.raise_alert()
    incident = await case_of(world, drill)
    assert incident not in (before, after)
    assert not (await world.show(before)).row.drill
    assert not (await world.show(after)).row.drill
    await go(world, minutes=21)
    assert [(await world.show(one)).row.grade for one in (before, after, incident)] == [
        Grade.IV,
        Grade.IV,
        Grade.II,
    ]
    real = {before, after}
    span = (START - timedelta(days=1), START + timedelta(days=1))
    (township,) = await world.store.figures.townships(*span)
    assert township.cases == len(real)
    assert await world.store.workers.open_by_grade() == {Grade.IV: len(real)}


async def test_the_mark_cannot_be_changed(world: World) -> None:
    """Neither by an update, nor by joining, nor by a later message that says otherwise."""
    drill = await start(world)
    incident, raised = await case_of(world, drill), alert_id_of(drill, "leak")
    real = alert(HEWAN)
    await world.store.record_alert(real, RULES)
    connection = await asyncpg.connect(world.dsn)
    try:
        for statement in (
            "update incident set drill = not drill",
            "update alert set drill = not drill",
            f"update case_alert set incident = '{incident}' where alert = '{real.id}'",
        ):
            with pytest.raises(asyncpg.RestrictViolationError):
                await connection.execute(statement)
    finally:
        await connection.close()
    forged = alert(QINGXI, identity=raised, version=9)
    hushed = structs.replace(real, version=2, drill=True)
    for message in (forged, hushed):
        with pytest.raises(InvalidInput) as caught:
            await world.store.record_alert(message, RULES)
        assert [fault.field for fault in caught.value.faults] == ["drill"]
    assert [(await world.show(one)).row.drill for one in (incident, incident_id(real.id))] == [True, False]


async def test_a_drill_teaches_nothing(world: World) -> None:
    """A verdict on it stays in the house; one on a real alert goes out."""
    drill = await start(world)
    incident, real = await case_of(world, drill), await world.raise_alert(HEWAN)
    for one in (incident, real):
        await world.store.decide(COUNTY_POST, one, Verdict.TRUE, "", uuid4())
    sent: list[Pending] = []

    async def send(pending: list[Pending]) -> None:
        sent.extend(one for one in pending if one.topic == DISPOSITIONS.name)

    while await world.store.workers.publish_pending(100, send):
        pass
    assert len(sent) == 1 and str(real).encode() in (sent[0].value or b"")


async def test_a_drill_that_finds_nobody_on_duty_opens_a_drill_about_it(database: str) -> None:
    """Beside the real case of the same vacancy, and marked."""
    async with open_world(database, vacant=[QINGXI]) as world:
        await start(world)
        await world.raise_alert()
        rows = [row for row in await world.store.queue(COUNTY_POST) if row.category == "platform-fault"]
        assert sorted(
            (row.drill, row.title.startswith("【演练】"), row.zh.startswith("【演练】")) for row in rows
        ) == [
            (False, False, False),
            (True, True, True),
        ]


async def test_a_drill_is_stopped_in_the_middle(world: World) -> None:
    """No step comes, its cases are closed, nobody is paged, and what is on its way opens nothing."""
    drill = await start(world)
    incident, real = await case_of(world, drill), await world.raise_alert()
    world.now += 20 * MINUTE
    await world.set_clock()
    await act_on_timers(world.store, RULES)  # the graver alert is in the outbox
    assert await world.store.drills.stop(drill) == 1
    assert await world.store.drills.stop(drill) == 0
    await hear(world)
    await go(world, hours=3)
    view = await world.show(incident)
    assert (view.row.state, view.row.next_at, view.row.grade) == (IncidentState.CLOSED, None, Grade.IV)
    assert {task.state for task in view.tasks} == {TaskState.CANCELLED}
    channel = FakeChannel()
    await world.send_all(channel)
    assert incident not in {call.incident for call in channel.calls}
    assert real in {call.incident for call in channel.calls}
    found = await world.store.reviews.drill(drill)
    assert (found.drill.taken, found.drill.over) == (3, True)
    assert [one.kept for one in found.expected] == [Kept.MISSED, Kept.NONE, Kept.NONE]


async def test_an_alert_of_a_stopped_drill_opens_no_case(world: World) -> None:
    """Even the first one: it was in the outbox when the drill was stopped."""
    drill = (await world.store.drills.start(uuid4(), LEAK, COUNTY, {})).id
    await act_on_timers(world.store, RULES)
    await world.store.drills.stop(drill)
    assert await hear(world) == 1
    assert await world.store.queue(COUNTY_POST) == []
    late = structs.replace(alert(identity=alert_id_of(drill, "leak"), version=2), drill=True)
    assert await world.store.record_alert(late, RULES) is Recorded.STOPPED


async def test_a_restart_in_the_middle_loses_and_repeats_no_step(world: World) -> None:
    """The broker fails, the process ends, another one goes on: one case, each version once."""
    drill = (await world.store.drills.start(uuid4(), LEAK, COUNTY, {})).id
    await act_on_timers(world.store, RULES)

    async def fail(pending: list[Pending]) -> None:
        raise BrokerUnavailable

    with pytest.raises(BrokerUnavailable):
        await world.store.workers.publish_pending(100, fail)
    async with Store.open(world.dsn, 4) as again:
        survivor = World(again, world.dsn, world.now)
        assert await hear(survivor) == 1
        assert await hear(survivor) == 0
        await go(survivor, minutes=90)
        incident = await case_of(survivor, drill)
        told = await kinds(survivor, incident)
        assert [told.count(kind) for kind in ("opened", "grade_raised", "alert_cleared")] == [1, 1, 1]


async def test_a_worker_that_dies_in_a_step_leaves_it_to_another(world: World) -> None:
    """What was not committed was not done: the connection is cut in the middle of the transaction."""
    await world.store.drills.start(uuid4(), LEAK, COUNTY, {})
    holder = await asyncpg.connect(world.dsn)
    transaction = holder.transaction()
    await transaction.start()
    await holder.execute("select from drill_step where number = 0 for update")
    assert not await world.store.drills.act_next(RULES)  # another worker has it: nobody waits
    await holder.close()
    async with asyncio.timeout(30):
        while not await world.store.drills.act_next(RULES):
            await asyncio.sleep(0.05)
    assert not await world.store.drills.act_next(RULES)


async def test_the_same_start_twice_is_one_drill_and_a_time_that_is_over_none(world: World) -> None:
    """Only a commander of the county or above may begin one, and every fault of a wish is told."""
    drill = uuid4()
    first = await world.store.drills.start(drill, LEAK, COUNTY, {"A": HEWAN})
    assert await world.store.drills.start(drill, LEAK, COUNTY, {}) == first
    assert len(await world.store.reviews.drills()) == 1
    with pytest.raises(InvalidInput, match="is over"):
        await world.store.drills.start(uuid4(), LEAK, COUNTY, {}, START - MINUTE)
    later = await world.store.drills.start(uuid4(), LEAK, COUNTY, {}, START + MINUTE)
    await go(world)
    assert [row.taken for row in await world.store.reviews.drills() if row.id == later.id] == [0]
    commander = post(COUNTY, Role.COMMANDER, "指挥中心")
    await world.store.put_users([commander])
    await world.store.drills.start(uuid4(), LEAK, COUNTY, {}, None, viewer(commander))
    with pytest.raises(NotAllowed):
        await world.store.drills.start(uuid4(), LEAK, COUNTY, {}, None, COUNTY_POST)
    with pytest.raises(NotFound):
        await world.store.drills.start(uuid4(), LEAK, COUNTY, {}, None, QINGXI_POST)
    with pytest.raises(NotFound):
        await world.store.drills.stop(uuid4())


async def test_a_drill_is_compared_with_the_earlier_ones_that_ran(world: World) -> None:
    """Stopped ones, other counties and other scenarios are no measure."""
    for minutes, stopped in ((12, False), (14, False), (11, True)):
        drill = await start(world, structs.replace(LEAK, step=LEAK.step[:1]))
        await world.advance(minutes=minutes)
        incident = await case_of(world, drill)
        await world.store.acknowledge(COUNTY_POST, incident, uuid4())
        await world.store.close(COUNTY_POST, incident, "", uuid4())
        if stopped:
            await world.store.drills.stop(drill)
        await world.advance(minutes=1)
    last = await start(world, structs.replace(LEAK, step=LEAK.step[:1]))
    expected = (await world.store.reviews.drill(last)).expected[0]
    assert (expected.earlier, expected.last, expected.median) == (2, 14, 13)


async def test_a_drill_is_not_an_earlier_one_that_recurs(world: World) -> None:
    """Held again within a week it has a case of its own, open or closed as the earlier one may be."""
    once = structs.replace(LEAK, step=LEAK.step[:1])
    first = await start(world, once)
    incident = await case_of(world, first)
    second = await start(world, once)
    assert await case_of(world, second) != incident
    await world.store.close(COUNTY_POST, incident, "", uuid4())
    await go(world, days=1)
    third = await start(world, once)
    assert await case_of(world, third) not in (incident, await case_of(world, second))
    assert (await world.show(incident)).row.state is IncidentState.CLOSED


async def test_a_real_case_is_reviewed_too(world: World) -> None:
    """Notes are lines of its record, once for each request; a point is open until it is mended; then it is reviewed."""
    incident, key = await world.raise_alert(), uuid4()
    await world.store.acknowledge(QINGXI_POST, incident, uuid4())
    await world.store.close(QINGXI_POST, incident, "", uuid4())
    point = NewNote(kind=NoteKind.POINT, text="补装电话", area=QINGXI, due=START.date())
    for _ in range(2):
        await world.store.reviews.note(QINGXI_POST, incident, point, key)
    with pytest.raises(Conflict):
        await world.store.reviews.note(COUNTY_POST, incident, point, key)
    (noted,) = (await world.store.reviews.case(incident, QINGXI_POST)).points
    assert (noted.text, noted.owner, noted.by, noted.settled_at) == (
        "补装电话",
        "青溪镇值班室",
        "青溪镇值班室",
        None,
    )
    nowhere = structs.replace(point, area="990101999", text="")
    with pytest.raises(InvalidInput) as caught:
        await world.store.reviews.note(QINGXI_POST, incident, nowhere, uuid4())
    assert {fault.field for fault in caught.value.faults} == {"text", "area"}
    mended = NewNote(kind=NoteKind.SETTLED, text="已装", settles=noted.id)
    await world.store.reviews.note(COUNTY_POST, incident, mended, uuid4())
    row = await world.store.move(QINGXI_POST, incident, IncidentState.REVIEWED, "响应及时", uuid4())
    assert row.state is IncidentState.REVIEWED
    review = await world.store.reviews.case(incident)
    assert review.points[0].settled_at == START
    lines, breaks = await world.store.audit.verify()
    assert lines and not breaks
    with pytest.raises(NotFound):
        await world.store.reviews.case(incident, viewer(POSTS[HEWAN]))


async def test_who_sees_a_drill(world: World) -> None:
    """Those of the county and those above; the townships of the county see it too, with their own cases alone."""
    drill = await start(world)
    for area, cases in ((CITY, 1), (COUNTY, 1), (QINGXI, 1), (HEWAN, 0)):
        assert len((await world.store.reviews.drill(drill, viewer(POSTS[area]))).cases) == cases
    stranger = structs.replace(post(CITY), id=uuid4(), login="stranger", area="9902")
    await world.store.put_users([stranger])
    with pytest.raises(NotFound):
        await world.store.reviews.drill(drill, viewer(stranger))
    assert await world.store.reviews.drills(viewer(stranger)) == []


def everywhere(*channels: str) -> Rules:
    """Have every step of every policy use the channels, all of which are set up."""
    policies = tuple(
        structs.replace(
            policy, steps=tuple(structs.replace(step, channels=channels) for step in policy.steps)
        )
        for policy in DATA.policies
    )
    return Rules(structs.replace(DATA, policies=policies), channels)


async def test_orders_of_a_drill_know_no_channel_outside(world: World) -> None:
    """From the first page to the last, reminders of tasks included; a real case beside it uses them."""
    world.rules = everywhere("console", "file", "webhook", "county-duty", "sms", "voice", "mail")
    user = structs.replace(POSTS[QINGXI], channels=("sms", "voice", "console"))
    await world.store.put_users([user])
    drill = await start(world)
    real = await world.raise_alert(QINGXI)
    for minutes in (16, 25, 40, 120):
        await go(world, minutes=minutes)
    incident = await case_of(world, drill)
    used = {one.channel for one in (await world.show(incident)).pages}
    assert used == {"console", "file"}
    assert "sms" in {one.channel for one in (await world.show(real)).pages}


async def test_a_page_that_somebody_orders_outside_all_the_same_is_withdrawn(world: World) -> None:
    """By the table itself, before any sender sees it; a real case's page stays due."""
    drill = await start(world)
    incident, real = await case_of(world, drill), await world.raise_alert(QINGXI)
    connection = await asyncpg.connect(world.dsn)
    rows = await connection.fetch(
        """insert into page (id, incident, step, loop, recipient, channel, fallbacks, reason, received_at)
        select gen_random_uuid(), incident.id, 0, 99, $1, channel, '{}', 'opened', now()
        from incident, unnest(array['sms', 'file']) channel where incident.id = any($2::uuid[])
        returning incident, channel, state, outcome""",
        POSTS[QINGXI].id,
        [incident, real],
    )
    await connection.close()
    assert {(row["incident"], row["channel"]): (row["state"], row["outcome"]) for row in rows} == {
        (incident, "sms"): ("withdrawn", "drill"),
        (incident, "file"): ("due", ""),
        (real, "sms"): ("due", ""),
        (real, "file"): ("due", ""),
    }
    outside = FakeChannel("sms", outside=True)
    await world.send_all(outside)
    assert {call.incident for call in outside.calls} == {real}
