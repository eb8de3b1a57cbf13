"""Escalation against a real database: several acknowledgements, repeats, grades, leaping clocks, changes in its midst."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from msgspec import structs
from responder_world import (
    CITY,
    COUNTY,
    DATA,
    HEWAN,
    POSTS,
    PROVINCE,
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

from config.policies import Policy
from domain.errors import Conflict, InvalidInput, NotAllowed, NotFound
from domain.identity import incident_id
from domain.levels import Grade, Level
from responders.cases import Rules
from responders.dispatch import act_on_timers
from responders.store import Store
from responders.views import Role, Shift

TOWN, COUNTY_POST, CITY_POST, PROVINCE_POST = (
    viewer(POSTS[area]) for area in (QINGXI, COUNTY, CITY, PROVINCE)
)
COMMANDER = post(COUNTY, Role.COMMANDER, "指挥中心")


def rules_with(**changes: object) -> Rules:
    """Change every policy that is shipped."""
    policies: tuple[Policy, ...] = tuple(structs.replace(policy, **changes) for policy in DATA.policies)
    return replace(RULES, data=structs.replace(DATA, policies=policies))


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    """A county on a standing clock."""
    async with open_world(database) as world:
        await world.store.put_users([COMMANDER])
        yield world


async def alarms(world: World, channel: FakeChannel) -> list[str]:
    """Send what is due; who was reached since the last time, without the reminders of tasks."""
    before = len(channel.calls)
    await world.send_all(channel)
    return sorted(m.recipient for m in channel.calls[before:] if not m.reason.startswith("task"))


async def raised(world: World, level: Level = Level.BLUE) -> UUID:
    """Record a new alert by the world's rules; its case."""
    return await world.raise_alert(QINGXI, level)


async def test_a_case_waits_for_each_level_that_must_acknowledge(world: World) -> None:
    """County and city must: who has is left in peace, who has not is paged again, then it is over for ever."""
    world.rules, channel = rules_with(acknowledged_by=("county", "city")), FakeChannel()
    incident = await raised(world, Level.ORANGE)
    assert await alarms(world, channel) == ["示例县值班室", "示例市值班室", "青溪镇值班室"]
    row = await world.store.acknowledge(COUNTY_POST, incident, uuid4())
    assert (row.acknowledged_at, row.holder) == (None, "示例县值班室")
    view = await world.show(incident)
    assert ([one.level for one in view.acknowledgements], view.awaited) == (["county"], ("city",))
    await world.advance(minutes=15)
    assert await alarms(world, channel) == ["示例市值班室"]
    with pytest.raises(Conflict):
        await world.store.acknowledge(viewer(COMMANDER), incident, uuid4())
    row = await world.store.acknowledge(CITY_POST, incident, uuid4())
    assert (row.acknowledged_at, row.holder) == (world.now, "示例县值班室")
    await world.advance(days=90)
    assert await alarms(world, channel) == []


async def test_pages_not_yet_sent_to_who_acknowledged_are_withdrawn(world: World) -> None:
    """Of two levels that must, the one that has acknowledged gets nothing that was still under way; the other does."""
    world.rules, channel = rules_with(acknowledged_by=("county", "city")), FakeChannel()
    incident = await raised(world, Level.ORANGE)
    await world.store.acknowledge(COUNTY_POST, incident, uuid4())
    assert await alarms(world, channel) == ["示例市值班室", "青溪镇值班室"]


async def test_a_level_with_nobody_on_duty_is_not_waited_for(world: World) -> None:
    """The city's shift ends in the middle: what the county gave is enough, and it says so on record."""
    world.rules = rules_with(acknowledged_by=("county", "city"))
    incident = await raised(world, Level.ORANGE)
    await world.store.acknowledge(COUNTY_POST, incident, uuid4())
    span = timedelta(days=3650)
    await world.store.put_shifts(
        [Shift(area=CITY, post="", user=POSTS[CITY].id, starts_at=START - span, ends_at=world.now)]
    )
    await world.advance(minutes=15)
    view = await world.show(incident)
    assert (view.row.acknowledged_at, view.row.acknowledged_by) == (world.now, "示例县值班室")
    assert view.timeline[-1].text == "其余应确认的岗位无人在岗，视为已确认接收"


async def test_two_desks_of_any_level_may_be_asked_for(world: World) -> None:
    """One desk's word is not enough; the next step is called with the others; the second one's is."""
    world.rules, channel = rules_with(desks=2), FakeChannel()
    incident = await raised(world)
    await alarms(world, channel)
    await world.store.acknowledge(TOWN, incident, uuid4())
    await world.advance(minutes=15)
    assert await alarms(world, channel) == ["示例县值班室"]
    row = await world.store.acknowledge(COUNTY_POST, incident, uuid4())
    assert row.acknowledged_at == world.now


async def test_all_at_once_acknowledge_and_each_counts_once(world: World) -> None:
    """Five requests of two desks in one moment: one each is taken, and the case is acknowledged."""
    world.rules = rules_with(acknowledged_by=("county", "city"))
    incident = await raised(world, Level.ORANGE)
    ends = await asyncio.gather(
        *(
            world.store.acknowledge(who, incident, uuid4())
            for who in (COUNTY_POST, CITY_POST, COUNTY_POST, CITY_POST, COUNTY_POST)
        ),
        return_exceptions=True,
    )
    assert sum(isinstance(end, Conflict) for end in ends) == 3
    view = await world.show(incident)
    assert view.row.acknowledged_at == world.now
    assert sorted(one.level for one in view.acknowledgements) == ["city", "county"]


async def test_a_graver_grade_asks_everybody_anew(world: World) -> None:
    """What was given for the less grave case does not count for the graver one."""
    world.rules = rules_with(acknowledged_by=("county",))
    one = alert(at=world.now)
    await world.store.record_alert(one, world.rules)
    incident = incident_id(one.id)
    await world.store.acknowledge(COUNTY_POST, incident, uuid4())
    graver = alert(level=Level.ORANGE, at=world.now, identity=one.id, version=2)
    await world.store.record_alert(graver, world.rules)
    view = await world.show(incident)
    assert (view.row.acknowledged_at, view.acknowledgements, view.awaited) == (None, (), ("county",))


async def test_a_step_is_paged_as_often_as_its_policy_says_and_the_top_begins_anew(world: World) -> None:
    """Twice each level, and after the province the county again: pages are new ones each time."""
    policies = tuple(
        structs.replace(
            policy, steps=tuple(structs.replace(step, times=2) for step in policy.steps), again_from="county"
        )
        for policy in DATA.policies
    )
    world.rules, channel = replace(RULES, data=structs.replace(DATA, policies=policies)), FakeChannel()
    await raised(world)
    reached = await alarms(world, channel)
    for minutes in (15, 15, 20, 20, 60, 60, 120, 120, 20, 20):
        await world.advance(minutes=minutes)
        reached += await alarms(world, channel)
    town, county, city, province = "青溪镇值班室", "示例县值班室", "示例市值班室", "示例省值班室"
    assert reached == [town, town, county, county, city, city, province, province, county, county, city]
    assert len(channel.reached) == len(channel.calls)


async def grade(world: World, who: object, incident: UUID, wanted: Grade, reason: str = "") -> None:
    """Decide a grade."""
    await world.store.grades.set(who, incident, wanted, reason, uuid4(), RULES)  # type: ignore[arg-type]


async def test_an_officer_makes_a_case_graver_and_it_is_paged_anew(world: World) -> None:
    """From Ⅳ to Ⅱ: acknowledged before, all levels up to the city hear of it, and it needs a new acknowledgement."""
    channel, incident = FakeChannel(), await raised(world)
    await alarms(world, channel)
    await world.store.acknowledge(TOWN, incident, uuid4())
    await grade(world, TOWN, incident, Grade.II, "下游水厂取水口受影响")
    assert await alarms(world, channel) == ["示例县值班室", "示例市值班室", "青溪镇值班室"]
    view = await world.show(incident)
    assert (view.row.grade, view.row.acknowledged_at) == (Grade.II, None)
    assert {"graded", "grade_raised"} <= {entry.kind for entry in view.timeline}


async def test_only_a_commander_makes_a_case_less_grave(world: World) -> None:
    """With a reason; deadlines go on; the same alert does not raise it again, a graver one does."""
    one = alert(level=Level.ORANGE, at=world.now)
    await world.store.record_alert(one, RULES)
    incident = incident_id(one.id)
    due = [task.due_at for task in (await world.show(incident)).tasks]
    with pytest.raises(NotAllowed):
        await grade(world, COUNTY_POST, incident, Grade.III, "影响有限")
    with pytest.raises(InvalidInput):
        await grade(world, viewer(COMMANDER), incident, Grade.III)
    with pytest.raises(InvalidInput):
        await grade(world, viewer(COMMANDER), incident, Grade.II, "同级")
    with pytest.raises(NotFound):
        await grade(world, viewer(POSTS[HEWAN]), incident, Grade.I)
    await grade(world, viewer(COMMANDER), incident, Grade.III, "影响有限")
    view = await world.show(incident)
    assert (view.row.grade, [task.due_at for task in view.tasks]) == (Grade.III, due)
    same = alert(level=Level.ORANGE, at=world.now, identity=one.id, version=2)
    await world.store.record_alert(same, RULES)
    assert (await world.show(incident)).row.grade is Grade.III
    graver = alert(level=Level.RED, at=world.now, identity=one.id, version=3)
    await world.store.record_alert(graver, RULES)
    assert (await world.show(incident)).row.grade is Grade.I


async def test_a_clock_that_leaps_forward_costs_one_step(world: World) -> None:
    """An hour in one moment: the county hears of it once, and the city only after the county's whole wait."""
    channel, _ = FakeChannel(), await raised(world)
    await alarms(world, channel)
    await world.advance(hours=1)
    assert await alarms(world, channel) == ["示例县值班室"]
    await world.advance(minutes=19)
    assert await alarms(world, channel) == []
    await world.advance(minutes=1)
    assert await alarms(world, channel) == ["示例市值班室"]


async def test_a_clock_that_is_set_back_delays_nobody(world: World) -> None:
    """An hour back while the township has five minutes left: after five minutes the county hears of it."""
    channel, _ = FakeChannel(), await raised(world)
    await alarms(world, channel)
    await world.advance(minutes=10)
    await world.advance(hours=-1)
    assert await alarms(world, channel) == []
    await world.advance(minutes=5)
    assert await alarms(world, channel) == ["示例县值班室"]


async def test_two_workers_bring_the_timers_along_once(world: World) -> None:
    """Both see the clock set back; the timer moves by the hour, not by two."""
    incident = await raised(world)
    await world.advance(minutes=1)
    world.now -= timedelta(hours=1)
    await world.set_clock()
    async with Store.open(world.dsn, 2) as other:
        await asyncio.gather(act_on_timers(world.store, RULES), act_on_timers(other, RULES))
    assert (await world.show(incident)).row.next_at == world.now + timedelta(minutes=14)


async def test_a_person_removed_in_the_midst_is_not_paged(world: World) -> None:
    """The county's shift is ended while the township has the case: the city is asked instead, and told why."""
    channel, incident = FakeChannel(), await raised(world)
    await alarms(world, channel)
    span = timedelta(days=3650)
    await world.store.put_shifts(
        [Shift(area=COUNTY, post="", user=POSTS[COUNTY].id, starts_at=START - span, ends_at=world.now)]
    )
    await world.advance(minutes=15)
    assert "示例县值班室" not in await alarms(world, channel)
    view = await world.show(incident)
    assert "nobody_on_duty" in {entry.kind for entry in view.timeline}
    assert "示例市值班室" in {page.recipient for page in view.pages}


async def test_a_new_shift_in_the_midst_is_the_one_that_is_paged(world: World) -> None:
    """Who comes on duty before the step is reached hears of the case, not who was there when it opened."""
    channel, _ = FakeChannel(), await raised(world)
    await alarms(world, channel)
    span = timedelta(days=3650)
    await world.store.put_shifts(
        [
            Shift(area=COUNTY, post="", user=POSTS[COUNTY].id, starts_at=START - span, ends_at=world.now),
            Shift(area=COUNTY, post="", user=COMMANDER.id, starts_at=world.now, ends_at=START + span),
        ]
    )
    await world.advance(minutes=15)
    assert "示例县指挥中心" in await alarms(world, channel)


async def test_a_policy_edited_in_the_midst_holds_for_later_cases(world: World) -> None:
    """An open case goes by the policy that it began with, several acknowledgements included."""
    incident = await raised(world, Level.ORANGE)
    world.rules = rules_with(acknowledged_by=("county", "city"))
    later = await raised(world, Level.ORANGE)
    assert (await world.store.acknowledge(COUNTY_POST, incident, uuid4())).acknowledged_at == world.now
    assert (await world.store.acknowledge(COUNTY_POST, later, uuid4())).acknowledged_at is None


async def test_an_acknowledged_case_is_left_to_its_tasks_deadlines(world: World) -> None:
    """Months later nothing but the task has been told: half its time, the whole, and half as much again."""
    incident = await raised(world)
    await world.store.acknowledge(TOWN, incident, uuid4())
    for _ in range(100):
        await world.advance(days=1)
    view = await world.show(incident)
    assert view.row.next_at is None
    later = {entry.kind for entry in view.timeline if entry.at > START}
    assert later <= {"task_reminded", "task_escalated", "delivered"} and later


async def test_working_time_holds_the_wait_over_the_night(world: World) -> None:
    """With ordinary cases' steps on working time, what begins on a holiday goes on when people are back at work."""
    policies = tuple(
        structs.replace(policy, steps=tuple(structs.replace(step, clock="working") for step in policy.steps))
        if policy.grades == (4,)
        else policy
        for policy in DATA.policies
    )
    world.rules = replace(RULES, data=structs.replace(DATA, policies=policies))
    incident = await raised(world)  # 1 May 2026, 16:00: Labour Day, off until 5 May
    next_at = (await world.show(incident)).row.next_at
    assert next_at is not None
    assert next_at.isoformat() == "2026-05-06T00:45:00+00:00"  # 08:45 in Asia/Shanghai
