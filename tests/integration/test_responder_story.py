"""The way of an incident up the towers, told on a clock that the test moves."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest
from responder_world import (
    CITY,
    COUNTY,
    HEWAN,
    POSTS,
    PROVINCE,
    QINGXI,
    START,
    WITH_WEBHOOK,
    FakeChannel,
    World,
    open_world,
    viewer,
)

from domain.incidents import OPEN_STATES, PageState, TaskState
from domain.levels import Level
from responders.cases import Cause, Outcome, Result
from responders.dispatch import pass_on_stranded
from responders.views import Shift

RETRY = Outcome(Result.RETRY, Cause.UNREACHABLE)
REFUSED = Outcome(Result.REFUSED, Cause.REJECTED)


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    """A settled county with everybody on duty."""
    async with open_world(database) as opened:
        yield opened


async def alarms(world: World, channel: FakeChannel) -> list[str]:
    """Send what is due; who has been reached about the alert so far, in order, without task reminders."""
    await world.send_all(channel)
    return [message.recipient for message in channel.calls if not message.reason.startswith("task")]


async def test_it_climbs_from_tower_to_tower_until_somebody_acknowledges(world: World) -> None:
    """Township at once, the county after 15 minutes, the city 20 later; the acknowledgement ends it."""
    channel = FakeChannel()
    incident = await world.raise_alert(QINGXI, Level.BLUE)
    assert await alarms(world, channel) == ["青溪镇值班室"]

    await world.advance(minutes=14)
    assert await alarms(world, channel) == ["青溪镇值班室"]
    await world.advance(minutes=1)
    assert await alarms(world, channel) == ["青溪镇值班室", "示例县值班室"]
    await world.advance(minutes=20)
    assert await alarms(world, channel) == ["青溪镇值班室", "示例县值班室", "示例市值班室"]

    await world.store.acknowledge(viewer(POSTS[COUNTY]), incident, uuid4())
    await world.advance(days=90)
    assert len(await alarms(world, channel)) == 3
    assert (await world.store.account()).escalations >= 2


async def test_the_top_is_paged_again_and_again(world: World) -> None:
    """Nobody is left alone: with no acknowledgement the province hears of it every two hours without end."""
    channel = FakeChannel()
    await world.raise_alert()
    for minutes in (15, 20, 60, 120, 120, 120):
        await world.advance(minutes=minutes)
        reached = await alarms(world, channel)
    assert reached.count("示例省值班室") == 4
    assert len(channel.reached) == len(channel.calls)
    assert (await world.store.account()).repeated_pages == 0


async def test_the_graver_the_more_towers_hear_of_it_at_once(world: World) -> None:
    """Orange enters at the city, red at the province; everybody below is told in the same moment."""
    world.rules = WITH_WEBHOOK
    channel = FakeChannel("webhook")
    await world.raise_alert(QINGXI, Level.ORANGE)
    assert sorted(await alarms(world, channel)) == sorted(["青溪镇值班室", "示例县值班室", "示例市值班室"])
    await world.raise_alert(HEWAN, Level.RED)
    assert len(await alarms(world, channel)) == 7


async def test_nobody_on_duty_means_the_next_tower_and_a_case_about_it(database: str) -> None:
    """An empty desk does not cost a quarter of an hour, and somebody has to fill it."""
    async with open_world(database, vacant=[QINGXI]) as world:
        channel = FakeChannel()
        await world.raise_alert(QINGXI)
        await world.raise_alert(QINGXI)
        queue = await world.store.queue(viewer(POSTS[COUNTY]))
        assert sorted(row.category for row in queue) == [
            "platform-fault",
            "water-pollution",
            "water-pollution",
        ]
        assert await alarms(world, channel) == ["示例县值班室"] * 3


async def test_nobody_on_duty_anywhere_is_not_given_up(database: str) -> None:
    """With every desk empty the case keeps asking, and pages whoever comes on duty."""
    async with open_world(database, vacant=POSTS) as world:
        channel = FakeChannel()
        await world.raise_alert(QINGXI)
        assert await alarms(world, channel) == []
        await world.put_on_duty([POSTS[PROVINCE]])
        await world.advance(minutes=121)
        assert set(await alarms(world, channel)) == {"示例省值班室"}


async def test_a_shift_that_ended_is_not_paged(world: World) -> None:
    """At the handover the next one is asked, to the minute."""
    await world.put_on_duty([])
    night = POSTS[HEWAN]
    await world.store.put_shifts(
        [
            Shift(
                area=QINGXI,
                post="ecology-duty",
                user=night.id,
                starts_at=START - timedelta(hours=8),
                ends_at=START + timedelta(minutes=1),
            )
        ]
    )
    channel = FakeChannel()
    await world.raise_alert(QINGXI)
    assert await alarms(world, channel) == ["河湾镇值班室"]
    await world.advance(minutes=1)
    await world.raise_alert(QINGXI)
    assert await alarms(world, channel) == ["河湾镇值班室", "青溪镇值班室"]


async def test_an_unfinished_task_is_told_upwards_although_somebody_acknowledged(world: World) -> None:
    """Half-time reminds the unit, the deadline tells the county, half as much again the city."""
    incident = await world.raise_alert(QINGXI)
    await world.store.acknowledge(viewer(POSTS[QINGXI]), incident, uuid4())
    told = []
    for _ in range(3):
        await world.advance(minutes=30)
        channel = FakeChannel()
        await world.send_all(channel)
        told.append((channel.recipients, {message.reason for message in channel.calls}))
    assert told == [
        (["青溪镇值班室"], {"task_half_time"}),
        (["示例县值班室"], {"task_overdue"}),
        (["示例市值班室"], {"task_long_overdue"}),
    ]


async def test_a_finished_task_reminds_nobody(world: World) -> None:
    """Done in time is done."""
    incident = await world.raise_alert(QINGXI)
    officer = viewer(POSTS[QINGXI])
    await world.store.acknowledge(officer, incident, uuid4())
    task = (await world.show(incident)).tasks[0].id
    await world.store.accept_task(officer, task, uuid4())
    await world.store.move_task(officer, task, TaskState.DONE, "", uuid4())
    await world.advance(days=1)
    channel = FakeChannel()
    await world.send_all(channel)
    assert channel.calls == []


async def test_a_long_outage_costs_a_climb_and_no_burst(world: World) -> None:
    """After a night in which no responder ran one step is taken, not all at once."""
    incident = await world.raise_alert()
    await world.advance(hours=12)
    assert (await world.show(incident)).row.step == 1


async def test_a_dead_channel_falls_over_to_the_next(world: World) -> None:
    """Refused at once, or tried four times in vain: the same person is reached over the next channel."""
    world.rules = WITH_WEBHOOK
    incident = await world.raise_alert(QINGXI, Level.ORANGE)
    await world.send_all(FakeChannel("webhook", answers=[RETRY] * 4 * 3))
    file = FakeChannel("file")
    await world.send_all(file)
    assert sorted(file.recipients) == sorted(["青溪镇值班室", "示例县值班室", "示例市值班室"])
    pages = (await world.show(incident)).pages
    assert {(page.channel, page.state) for page in pages if page.channel != "console"} == {
        ("webhook", PageState.FAILED),
        ("file", PageState.DELIVERED),
    }
    assert {page.attempts for page in pages if page.channel == "webhook"} == {4}

    await world.raise_alert(HEWAN, Level.ORANGE)
    refusing = FakeChannel("webhook", answers=[REFUSED] * 3)
    await world.send_all(refusing)
    assert len(refusing.calls) == 3
    file = FakeChannel("file")
    await world.send_all(file)
    assert "河湾镇值班室" in file.recipients


async def test_when_no_channel_is_left_the_record_says_so_and_it_climbs_on(world: World) -> None:
    """A person who cannot be reached is a line in the record; the next tower is paged as ever."""
    incident = await world.raise_alert(QINGXI)
    await world.send_all(FakeChannel("file", answers=[REFUSED]))
    failed = [entry for entry in (await world.show(incident)).timeline if entry.kind == "page_failed"]
    assert [entry.detail["next"] for entry in failed] == [None]
    await world.advance(minutes=15)
    channel = FakeChannel()
    assert await alarms(world, channel) == ["示例县值班室"]


async def test_a_channel_that_is_no_longer_set_up_strands_nobody(world: World) -> None:
    """Pages ordered over a channel that the settings dropped go to the next one."""
    world.rules = WITH_WEBHOOK
    await world.raise_alert(QINGXI, Level.ORANGE)
    file, console = FakeChannel("file"), FakeChannel("console")
    assert await pass_on_stranded(world.store, {"file": file, "console": console}) == 3
    await world.send_all(file)
    assert len(file.reached) == 3


async def test_a_slow_channel_holds_up_only_itself(world: World) -> None:
    """Pages of one channel wait for a retry while the others go out."""
    world.rules = WITH_WEBHOOK
    await world.raise_alert(QINGXI, Level.ORANGE)
    webhook, console = (
        FakeChannel("webhook", answers=[Outcome(Result.RETRY, Cause.RATE_LIMITED, 30.0)] * 3),
        FakeChannel("console"),
    )
    await world.send_all(webhook)
    await world.send_all(console)
    assert (len(webhook.calls), len(console.reached)) == (3, 3)


async def test_all_open_cases_have_a_timer_or_an_acknowledgement(world: World) -> None:
    """No case is forgotten, whatever happened to it."""
    for level in Level:
        await world.raise_alert(QINGXI, level)
    for minutes in (5, 15, 60, 240):
        await world.advance(minutes=minutes)
    rows = await world.store.queue(viewer(POSTS[CITY]), OPEN_STATES)
    assert len(rows) == 4
    assert all(row.next_at is not None or row.acknowledged_at is not None for row in rows)
