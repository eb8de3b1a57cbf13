"""Tasks that are not done, against a real database: brought up again and again until somebody ends them."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from responder_world import COUNTY, POSTS, QINGXI, FakeChannel, World, alert, open_world, viewer

from domain.identity import incident_id
from domain.incidents import PleaKind, TaskState
from domain.levels import Level
from responders.dispatch import act_on_timers
from responders.pleas import Plea
from responders.store import Store
from responders.views import TaskRow

TOWN_POST, COUNTY_POST = viewer(POSTS[QINGXI]), viewer(POSTS[COUNTY])
FRIDAY = datetime(2026, 5, 15, 9, tzinfo=ZoneInfo("Asia/Shanghai"))
"""With a working day behind it and a weekend before it."""


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    """A county with everybody on duty, on a Friday morning."""
    async with open_world(database) as opened:
        opened.now = FRIDAY
        await opened.set_clock()
        yield opened


async def accepted(world: World, level: Level = Level.BLUE) -> tuple[UUID, TaskRow]:
    """Open a case; the township signs for its task, which has four hours, and then does nothing."""
    raised = alert(QINGXI, level, category="municipal-service", at=world.now)
    await world.store.record_alert(raised, world.rules)
    case = incident_id(raised.id)
    await world.store.acknowledge(TOWN_POST, case, uuid4())
    (task,) = (await world.show(case)).tasks
    await world.store.accept_task(TOWN_POST, task.id, uuid4())
    return case, task


async def told(world: World, case: UUID) -> list[tuple[str, str]]:
    """Send what is due; who hears of the case's task, and why."""
    channel = FakeChannel()
    await world.send_all(channel)
    return [(message.reason, message.recipient) for message in channel.calls if message.incident == case]


async def until(world: World, at: datetime) -> None:
    """Let time pass by steps of half an hour, with a worker that acts on what is due."""
    while world.now < at:
        await world.advance(minutes=30)


async def test_a_task_that_nobody_does_is_brought_up_each_working_day(world: World) -> None:
    """On Friday the limits, no word on the weekend, from Monday on once a day to the unit and the city, until it is done."""
    case, task = await accepted(world)
    await until(world, FRIDAY.replace(hour=18))
    assert [reason for reason, _ in await told(world, case)] == [
        "task_half_time",
        "task_overdue",
        "task_long_overdue",
    ]
    await until(world, datetime(2026, 5, 18, 8, tzinfo=FRIDAY.tzinfo))
    assert await told(world, case) == []
    urged = [("task_still_overdue", "示例市值班室"), ("task_still_overdue", "青溪镇值班室")]
    for day in (18, 19, 20):
        await until(world, datetime(2026, 5, day, 18, tzinfo=FRIDAY.tzinfo))
        assert sorted(await told(world, case)) == urged
    await world.store.move_task(TOWN_POST, task.id, TaskState.DONE, "", uuid4())
    await until(world, datetime(2026, 5, 22, 18, tzinfo=FRIDAY.tzinfo))
    assert await told(world, case) == []


async def test_an_emergency_whose_work_is_not_done_does_not_rest_at_night(world: World) -> None:
    """Each hour; and after two at the city the province hears of it."""
    case, task = await accepted(world, Level.ORANGE)
    await until(world, FRIDAY + timedelta(hours=6))
    await told(world, case)
    heard = []
    for _ in range(3):
        await world.advance(hours=1)
        heard.append(sorted(recipient for _, recipient in await told(world, case)))
    assert heard == [
        ["示例市值班室", "青溪镇值班室"],
        ["示例市值班室", "青溪镇值班室"],
        ["示例省值班室", "青溪镇值班室"],
    ]
    assert (await world.show(case)).tasks[0].id == task.id
    record = [entry.text for entry in (await world.show(case)).timeline if entry.kind == "task_reminded"]
    assert record[-1] == "任务仍未办结，催办：青溪镇值班室、示例省值班室"


async def test_several_workers_remind_once(world: World) -> None:
    """Four workers at the same timer, and then an outage of a week: one reminder each time."""
    case, _ = await accepted(world)
    await until(world, FRIDAY.replace(hour=18))
    await told(world, case)
    for days in (3, 7):
        world.now += timedelta(days=days)
        await world.set_clock()
        async with Store.open(world.dsn, 4) as another:
            await asyncio.gather(
                *(act_on_timers(store, world.rules) for store in (world.store, another) for _ in range(2))
            )
        assert len(await told(world, case)) == len(("青溪镇值班室", "示例市值班室"))


async def test_a_new_end_is_watched_as_the_first_one_was(world: World) -> None:
    """An overdue task that got an extension and is overdue again is told again, to the same people."""
    case, task = await accepted(world)
    await until(world, FRIDAY + timedelta(hours=4, minutes=30))
    assert ("task_overdue", "示例县值班室") in await told(world, case)
    later = Plea(PleaKind.EXTEND, "人手不足", until=FRIDAY + timedelta(hours=8))
    await world.store.pleas.ask(TOWN_POST, task.id, later, uuid4(), world.rules)
    await world.store.pleas.answer(
        COUNTY_POST,
        task.id,
        PleaKind.EXTEND,
        granted=True,
        note="",
        owner=None,
        request_id=uuid4(),
        rules=world.rules,
    )
    await told(world, case)
    await until(world, FRIDAY + timedelta(hours=8))
    assert ("task_overdue", "示例县值班室") in await told(world, case)
    await until(world, FRIDAY + timedelta(hours=12))
    assert [reason for reason, _ in await told(world, case)] == ["task_long_overdue"]
