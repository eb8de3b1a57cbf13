"""What holds back pages of cases, on a clock that the test moves: nobody is paged needlessly, and nobody is forgotten."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

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

from domain.errors import Conflict, InvalidInput, NotAllowed, NotFound
from domain.identity import incident_id
from domain.incidents import IncidentState
from domain.levels import Grade, Level
from responders.migrate import migrate
from responders.store import Store
from responders.views import MaintenancePlan, Role

COUNTY_POST, CITY_POST, QINGXI_POST, HEWAN_POST = (
    viewer(POSTS[area]) for area in (COUNTY, CITY, QINGXI, HEWAN)
)
SECOND = post(COUNTY, Role.COMMANDER, "指挥中心")
HOUR = timedelta(hours=1)


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    """A county on a standing clock, with a second person at the county."""
    async with open_world(database) as world:
        await world.store.put_users([SECOND])
        yield world


async def alarms(world: World, channel: FakeChannel, incident: UUID) -> list[str]:
    """Send what is due; who was paged about a case so far, without its tasks' reminders."""
    await world.send_all(channel)
    return [
        message.recipient
        for message in channel.calls
        if message.incident == incident and not message.reason.startswith("task")
    ]


async def shelve(world: World, incident: UUID, minutes: int = 60, reason: str = "等待复测") -> None:
    """Put a case aside as the county."""
    await world.store.holds.shelve(COUNTY_POST, incident, minutes, reason, uuid4(), RULES)


async def test_a_shelved_case_is_paged_when_its_time_is_over(world: World) -> None:
    """Nobody hears of it for an hour, it is told who wanted it and why, and then it is paged anew; tasks were reminded."""
    channel = FakeChannel()
    incident = await world.raise_alert()
    assert await alarms(world, channel, incident) == ["青溪镇值班室"]
    await shelve(world, incident)
    await world.advance(minutes=0)
    view = await world.show(incident)
    assert view.held is not None
    assert (view.held.kind, view.held.reason, view.held.by) == ("shelved", "等待复测", "示例县值班室")
    assert view.held.until == world.now + HOUR
    for _ in range(3):
        await world.advance(minutes=19)
    assert await alarms(world, channel, incident) == ["青溪镇值班室"]
    kinds = [entry.kind for entry in (await world.show(incident)).timeline]
    assert kinds.count("held") == 1
    assert "task_reminded" in kinds
    held, _ = await world.store.holds.held(COUNTY_POST)
    assert [one.incident for one in held] == [incident]
    assert await world.store.holds.held(HEWAN_POST) == ([], [])
    await world.advance(minutes=3)
    assert await alarms(world, channel, incident) == ["青溪镇值班室"] * 2
    assert (await world.show(incident)).held is None
    await world.advance(minutes=15)
    assert (await alarms(world, channel, incident))[-1] == "示例县值班室"


async def test_a_shelf_outlives_a_restart(world: World) -> None:
    """It is a row: another process that begins later ends it in time."""
    channel = FakeChannel()
    incident = await world.raise_alert()
    await shelve(world, incident)
    await world.advance(minutes=0)
    await migrate(world.dsn)
    async with Store.open(world.dsn, 2) as again:
        world.store = again
        await world.advance(minutes=60)
        assert "hold_over" in {page.reason for page in (await world.show(incident)).pages}
        await world.send_all(channel)


async def test_nobody_holds_back_a_red_case_alone(world: World) -> None:
    """One person's wish changes nothing; the same person's consent neither; a second one's does."""
    incident = await world.raise_alert(level=Level.RED)
    with pytest.raises(InvalidInput):
        await shelve(world, incident, 31)
    await shelve(world, incident, 30)
    await world.advance(minutes=15)
    assert (await world.show(incident)).held is None
    assert {entry.kind for entry in (await world.show(incident)).timeline} >= {"shelf_asked", "escalated"}
    _, (waiting,) = await world.store.holds.held(COUNTY_POST)
    assert (waiting.incident, waiting.by) == (incident, "示例县值班室")
    with pytest.raises(NotAllowed):
        await world.store.holds.consent(COUNTY_POST, incident, uuid4(), RULES)
    for outside in (QINGXI_POST, HEWAN_POST):
        with pytest.raises((NotFound, Conflict)) if outside is HEWAN_POST else pytest.raises(Conflict):
            await world.store.holds.shelve(outside, incident, 5, "复测", uuid4(), RULES)
    await world.store.holds.consent(viewer(SECOND), incident, uuid4(), RULES)
    await world.advance(minutes=0)
    assert (await world.show(incident)).held is not None
    await world.advance(minutes=15)
    assert (await world.show(incident)).held is None


async def test_shelving_is_bounded_and_told_with_every_fault(world: World) -> None:
    """Too long, no reason, twice, or after the acknowledgement: refused with what is wrong; the same request is one."""
    incident = await world.raise_alert()
    with pytest.raises(InvalidInput) as caught:
        await shelve(world, incident, 481, " ")
    assert [fault.field for fault in caught.value.faults] == ["minutes", "reason"]
    request = uuid4()
    for _ in range(2):
        await world.store.holds.shelve(COUNTY_POST, incident, 60, "复测", request, RULES)
    with pytest.raises(Conflict):
        await shelve(world, incident)
    await world.store.holds.unshelve(COUNTY_POST, incident, uuid4())
    with pytest.raises(NotFound):
        await world.store.holds.unshelve(COUNTY_POST, incident, uuid4())
    await world.store.acknowledge(COUNTY_POST, incident, uuid4())
    with pytest.raises(Conflict):
        await shelve(world, incident)


async def test_taking_a_case_off_the_shelf_pages_it_at_once(world: World) -> None:
    """Who puts it back need not wait for the time that was agreed."""
    incident = await world.raise_alert()
    await shelve(world, incident)
    await world.advance(minutes=1)
    await world.store.holds.unshelve(COUNTY_POST, incident, uuid4())
    await world.advance(minutes=0)
    assert "hold_over" in {page.reason for page in (await world.show(incident)).pages}


async def test_a_graver_case_falls_off_the_shelf(world: World) -> None:
    """What was put aside as blue is paged when it turns orange."""
    raised = alert(at=world.now)
    await world.store.record_alert(raised, RULES)
    incident = incident_id(raised.id)
    await shelve(world, incident)
    await world.advance(minutes=1)
    graver = alert(level=Level.ORANGE, at=world.now, identity=raised.id, version=2)
    await world.store.record_alert(graver, RULES)
    view = await world.show(incident)
    assert (view.row.grade, view.held) == (Grade.II, None)
    assert "grade_raised" in {page.reason for page in view.pages}


async def test_a_flood_explains_what_else_is_reported_there(world: World) -> None:
    """While it is open the township's complaints page nobody; when it ends they do; elsewhere they always did."""
    channel = FakeChannel()
    flood = await world.raise_alert(QINGXI, Level.ORANGE, "flood")
    here = await world.raise_alert(QINGXI, Level.BLUE, "municipal-service")
    there = await world.raise_alert(HEWAN, Level.BLUE, "municipal-service")
    grave = await world.raise_alert(QINGXI, Level.ORANGE, "municipal-service")
    assert await alarms(world, channel, here) == []
    assert await alarms(world, channel, there) == ["河湾镇值班室"]
    assert "青溪镇值班室" in await alarms(world, channel, grave)
    view = await world.show(here)
    assert view.held is not None
    assert (view.held.kind, view.held.ref, view.held.until) == ("inhibited", flood, None)
    assert [task.state for task in view.tasks] == ["dispatched"]
    await world.advance(hours=3)
    assert await alarms(world, channel, here) == []
    await world.store.move(COUNTY_POST, flood, IncidentState.CLOSED, "", uuid4())
    await world.advance(minutes=0)
    assert await alarms(world, channel, here) == ["青溪镇值班室"]
    assert (await world.show(here)).held is None


async def plan(world: World, **named: object) -> UUID:
    """Plan maintenance of the county from now on, for two hours."""
    fields: dict = {
        "area": QINGXI,
        "reason": "监测站检修",
        "starts_at": world.now,
        "ends_at": world.now + 2 * HOUR,
        **named,
    }
    row = await world.store.holds.plan(COUNTY_POST, MaintenancePlan(**fields), uuid4(), RULES)
    return row.id


async def test_maintenance_opens_cases_and_pages_nobody_until_it_ends(world: World) -> None:
    """The case says what holds it; what a window does not name is paged; its end looks at the case again."""
    channel = FakeChannel()
    await plan(world, category="water-pollution")
    held = await world.raise_alert()
    other = await world.raise_alert(category="air-pollution")
    assert (await alarms(world, channel, held), await alarms(world, channel, other)) == ([], ["青溪镇值班室"])
    view = await world.show(held)
    assert view.held is not None and view.held.until == world.now + 2 * HOUR
    await world.advance(hours=1)
    assert await alarms(world, channel, held) == []
    await world.advance(hours=1)
    assert await alarms(world, channel, held) == ["青溪镇值班室"]


async def test_maintenance_that_is_taken_back_holds_nothing(world: World) -> None:
    """Ended early, its cases are paged at once; one that lies ahead holds nothing before it begins."""
    ahead = await plan(
        world, category="water-pollution", starts_at=world.now + HOUR, ends_at=world.now + 3 * HOUR
    )
    early = await world.raise_alert()
    assert (await world.show(early)).held is None
    await world.advance(hours=1)
    late = await world.raise_alert()
    assert (await world.show(late)).held is not None
    assert [row.id for row in await world.store.holds.maintenance(QINGXI_POST)] == [ahead]
    await world.store.holds.end(COUNTY_POST, ahead)
    await world.advance(minutes=0)
    assert (await world.show(late)).held is None
    assert await world.store.holds.maintenance(QINGXI_POST) == []


async def test_maintenance_holds_a_red_case_when_two_want_it(world: World) -> None:
    """A window of one person lets red cases through; a second one's consent holds them back."""
    window = await plan(world, category="water-pollution")
    first = await world.raise_alert(level=Level.RED)
    assert (await world.show(first)).held is None
    with pytest.raises(NotAllowed):
        await world.store.holds.consent_to(COUNTY_POST, window)
    await world.store.holds.consent_to(viewer(SECOND), window)
    second = await world.raise_alert(level=Level.RED)
    assert (await world.show(second)).held is not None


async def test_bad_maintenance_is_told_with_every_fault(world: World) -> None:
    """Elsewhere, of nothing, without a reason, over already: all is told at once; nobody plans for others' areas."""
    with pytest.raises(InvalidInput) as caught:
        await plan(world, area="990202", reason=" ", ends_at=world.now - HOUR)
    assert [fault.field for fault in caught.value.faults] == ["area", "category", "reason", "ends_at"]
    with pytest.raises(InvalidInput) as caught:
        await plan(world, category="nothing", series="x", device="y", ends_at=world.now + 900 * HOUR)
    assert [fault.field for fault in caught.value.faults] == ["category", "ends_at", "series", "device"]
    window = await plan(world, category="flood")
    with pytest.raises(NotFound):
        await world.store.holds.end(HEWAN_POST, window)


@pytest.mark.parametrize("who", [PROVINCE, COUNTY])
async def test_every_unacknowledged_case_has_a_next_look(world: World, who: str) -> None:
    """Held or not: a case without an acknowledgement always has a timer."""
    await plan(world, category="water-pollution")
    await world.raise_alert(QINGXI, Level.ORANGE, "flood")
    for category in ("water-pollution", "municipal-service", "air-pollution"):
        await world.raise_alert(category=category)
    for hours in (1, 1, 1, 5):
        await world.advance(hours=hours)
        rows = await world.store.queue(viewer(POSTS[who]))
        assert all(row.next_at is not None and row.next_at > world.now for row in rows)
