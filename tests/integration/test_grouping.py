"""Alerts that become one case, against a real database: joined, raised, cleared, and opened again when they recur."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from msgspec import structs
from responder_world import (
    COUNTY,
    GROUPED,
    HEWAN,
    POSTS,
    PROVINCE,
    QINGXI,
    FakeChannel,
    World,
    alert,
    open_world,
    viewer,
)

from config.grouping import KeyField
from domain.findings import AlertChange
from domain.identity import incident_id
from domain.incidents import IncidentState, TaskState, Verdict
from domain.levels import Grade, Level
from domain.topics import DISPOSITIONS
from responders.cases import Recorded, Rules
from responders.casework import Described
from responders.store.workers import Pending

QINGXI_POST, COUNTY_POST, HEWAN_POST = (viewer(POSTS[area]) for area in (QINGXI, COUNTY, HEWAN))
RULE = GROUPED.data.grouping("water-pollution")


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    """A county that groups alerts as shipped."""
    async with open_world(database) as world:
        world.rules = GROUPED
        yield world


async def record(
    world: World, place: str = QINGXI, level: Level = Level.BLUE, *, rules: Rules = GROUPED, **more: object
) -> tuple[UUID, Recorded]:
    """Record an alert now: its id, and what it came to."""
    raised = alert(place, level, at=world.now, **more)  # type: ignore[arg-type]
    return raised.id, await world.store.record_alert(raised, rules)


async def move_clock(world: World, **by: float) -> None:
    """Move the clock on and leave the timers alone."""
    world.now += timedelta(**by)
    await world.set_clock()


async def kinds(world: World, incident: UUID) -> list[str]:
    """Name what the record tells, in order."""
    return [entry.kind for entry in (await world.show(incident)).timeline]


async def test_an_alert_of_the_same_key_joins_the_open_case(world: World) -> None:
    """One case, one set of pages, and both alerts are listed, the graver first."""
    first, opened = await record(world, QINGXI + "001")
    pages = len((await world.show(incident_id(first))).pages)
    second, joined = await record(world, QINGXI + "002")
    assert (opened, joined) == (Recorded.OPENED, Recorded.JOINED)
    view = await world.show(incident_id(first))
    assert {one.id for one in view.alerts} == {first, second}
    assert (len(view.pages), len(view.tasks)) == (pages, 1)
    assert "alert_joined" in await kinds(world, incident_id(first))
    assert len(await world.store.queue(COUNTY_POST)) == 1


async def test_what_differs_in_the_key_is_a_case_of_its_own(world: World) -> None:
    """Another township, another category, a drill."""
    await record(world)
    for place, more in ((HEWAN, {}), (QINGXI, {"category": "flood"})):
        assert (await record(world, place, **more))[1] is Recorded.OPENED
    drill = structs.replace(alert(QINGXI, at=world.now), drill=True)
    assert await world.store.record_alert(drill, GROUPED) is Recorded.OPENED
    assert len(await world.store.queue(COUNTY_POST)) == 4


async def test_a_graver_alert_raises_the_case_that_it_joins(world: World) -> None:
    """It must be acknowledged anew, and its sentences and level are the graver alert's."""
    first, _ = await record(world, QINGXI + "001")
    await world.store.acknowledge(QINGXI_POST, incident_id(first), uuid4())
    _, raised = await record(world, QINGXI + "002", Level.ORANGE)
    assert raised is Recorded.RAISED
    row = (await world.show(incident_id(first))).row
    assert (row.level, row.grade, row.acknowledged_at) == (Level.ORANGE, Grade.II, None)
    assert row.next_at is not None


async def test_a_case_asks_to_be_closed_when_all_its_alerts_are_cleared(world: World) -> None:
    """One of two cleared is no reason; the level is then the other's."""
    first, _ = await record(world, QINGXI + "001", Level.YELLOW)
    second, _ = await record(world, QINGXI + "002")
    for number, identity in enumerate((first, second)):
        place = QINGXI + f"00{number + 1}"
        over = alert(place, at=world.now, identity=identity, version=2, change=AlertChange.CLEARED)
        assert await world.store.record_alert(over, GROUPED) is Recorded.CLEARED
        row = (await world.show(incident_id(first))).row
        assert (row.alert_open, row.level) == (number == 0, Level.BLUE)
    told = [
        entry for entry in (await world.show(incident_id(first))).timeline if entry.kind == "alert_cleared"
    ]
    assert [entry.detail["going_on"] for entry in told] == [1, 0]
    assert "请核实后结案" in told[1].text
    assert "请核实后结案" not in told[0].text


async def test_the_window_and_its_end(world: World) -> None:
    """Exactly at the bound it joins, a moment later it is a case of its own, which the next one joins."""
    first, _ = await record(world)
    await move_clock(world, minutes=RULE.minutes)
    assert (await record(world))[1] is Recorded.JOINED
    await move_clock(world, seconds=1)
    later, what = await record(world)
    assert what is Recorded.OPENED
    assert (await record(world))[1] is Recorded.JOINED
    assert len((await world.show(incident_id(later))).alerts) == 2
    assert len((await world.show(incident_id(first))).alerts) == 2


async def test_a_full_case_takes_no_more(world: World) -> None:
    """With three members as the bound, the fourth opens another case."""
    rules = Rules(
        structs.replace(GROUPED.data, groupings=(structs.replace(RULE, members=3),)), GROUPED.channels
    )
    came = [(await record(world, rules=rules))[1] for _ in range(7)]
    opened, joined = Recorded.OPENED, Recorded.JOINED
    assert came == [opened, joined, joined, opened, joined, joined, opened]


async def test_alerts_at_the_same_moment_are_one_case(world: World) -> None:
    """Of twelve that arrive at once one opens the case, and the others find it."""
    came = await asyncio.gather(*(record(world, QINGXI + f"{n:03}") for n in range(12)))
    assert sorted(what for _, what in came) == [Recorded.JOINED] * 11 + [Recorded.OPENED]
    (row,) = await world.store.queue(COUNTY_POST)
    assert len((await world.show(row.id)).alerts) == 12


@pytest.mark.parametrize(
    ("late", "what"), [(timedelta(0), Recorded.REOPENED), (timedelta(seconds=1), Recorded.OPENED)]
)
async def test_a_closed_case_recurs_within_the_bound(world: World, late: timedelta, what: Recorded) -> None:
    """Exactly at the bound it is opened again, paged anew and with a new task; a second later there is a new case."""
    first, _ = await record(world)
    case = incident_id(first)
    await world.store.close(QINGXI_POST, case, "已处置", uuid4())
    await move_clock(world, days=RULE.recurs_days)
    await move_clock(world, seconds=late.total_seconds())
    second, came = await record(world)
    assert came is what
    view = await world.show(case)
    if what is Recorded.OPENED:
        assert view.row.state is IncidentState.CLOSED
        assert (await world.show(incident_id(second))).row.state is IncidentState.DETECTED
        return
    assert (view.row.state, view.row.acknowledged_at) == (IncidentState.RESPONDING, None)
    assert view.row.next_at is not None
    assert {one.id for one in view.alerts} == {first, second}
    assert [task.state for task in view.tasks] == [TaskState.CANCELLED, TaskState.DISPATCHED]
    channel = FakeChannel()
    await world.send_all(channel)
    assert "青溪镇值班室" in channel.recipients
    assert {"reopened", "alert_joined"} <= set(await kinds(world, case))


async def test_a_false_alarm_is_not_opened_again_by_the_next_alert(world: World) -> None:
    """What was nothing says nothing of the next: that is a case of its own."""
    first, _ = await record(world)
    await world.store.decide(QINGXI_POST, incident_id(first), Verdict.FALSE, "", uuid4())
    assert (await record(world))[1] is Recorded.OPENED


async def test_a_duplicate_that_becomes_graver_is_not_lost(world: World) -> None:
    """Its case ended as merged with nothing; a red version of its alert pages, in a case of its own."""
    first, _ = await record(world)
    await world.store.decide(QINGXI_POST, incident_id(first), Verdict.DUPLICATE, "", uuid4())
    graver = alert(QINGXI, Level.RED, at=world.now, identity=first, version=2)
    assert await world.store.record_alert(graver, GROUPED) is Recorded.OPENED
    (row,) = await world.store.queue(COUNTY_POST)
    assert (row.grade, row.acknowledged_at) == (Grade.I, None)


async def test_a_verdict_teaches_of_every_alert(world: World) -> None:
    """The fusion hears of each alert of the case, by its own id."""
    first, _ = await record(world, QINGXI + "001")
    second, _ = await record(world, QINGXI + "002")
    await world.store.decide(QINGXI_POST, incident_id(first), Verdict.TRUE, "", uuid4())
    sent: list[Pending] = []

    async def send(pending: list[Pending]) -> None:
        sent.extend(one for one in pending if one.topic == DISPOSITIONS.name)

    await world.store.workers.publish_pending(100, send)
    assert {one.key for one in sent} == {str(first), str(second)}


async def test_another_township_that_joins_is_brought_in(world: World) -> None:
    """Where a county groups by county, the second township sees the case, has its task, and the county coordinates."""
    wide = structs.replace(RULE, fields=(KeyField.CATEGORY, KeyField.COUNTY))
    rules = Rules(structs.replace(GROUPED.data, groupings=(wide,)), GROUPED.channels)
    first, _ = await record(world, QINGXI, rules=rules)
    _, what = await record(world, HEWAN, rules=rules)
    assert what is Recorded.JOINED
    seen = await world.store.incident(HEWAN_POST, incident_id(first))
    assert [party.area for party in seen.parties] == [HEWAN]
    assert seen.coordinator == COUNTY
    assert any(task.unit.startswith("河湾镇") for task in seen.tasks)
    assert await world.store.queue(viewer(POSTS[PROVINCE])) != []


async def test_alerts_join_a_case_that_an_officer_opened(world: World) -> None:
    """It keeps his words and his level; the alert is listed, and its end does not ask for the case to be closed."""
    words = Described("water-pollution", QINGXI, Level.YELLOW, "群众来电：河水发黑")
    row = await world.store.casework.open(QINGXI_POST, words, uuid4(), GROUPED)
    raised, what = await record(world)
    assert what is Recorded.JOINED
    over = alert(at=world.now, identity=raised, version=2, change=AlertChange.CLEARED)
    await world.store.record_alert(over, GROUPED)
    view = await world.show(row.id)
    assert [one.id for one in view.alerts] == [raised]
    assert (view.zh, view.row.level, view.row.alert_open) == (words.text, Level.YELLOW, True)


async def test_the_account_counts_alerts_and_cases_apart(world: World) -> None:
    """Ten alerts in one case are ten alerts and one case."""
    for number in range(10):
        await record(world, QINGXI + f"{number:03}")
    account = await world.store.account()
    assert (account.rows["alert"], account.rows["incident"], len(account.alerts)) == (10, 1, 10)
