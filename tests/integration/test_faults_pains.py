"""What users of such systems complain of (DOMAIN.md, 3), one test each: it does not happen here."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg  # type: ignore[import-untyped]  # ships no types
import pytest
from fault_world import came_to
from msgspec import structs
from responder_world import (
    COUNTY,
    DATA,
    GROUPED,
    HEWAN,
    POSTS,
    QINGXI,
    RULES,
    START,
    WITH_WEBHOOK,
    FakeChannel,
    World,
    alert,
    open_world,
    viewer,
)

from config.settings import RespondSettings
from domain.findings import AlertChange
from domain.identity import incident_id
from domain.incidents import OPEN_STATES, PageState, PleaKind, TaskState
from domain.inputs import Report
from domain.levels import Level
from responders.cases import Message, Outcome, Rules
from responders.deadman import run_sign_of_life
from responders.dispatch import act_on_timers, run_channel, send_due
from responders.loops import Bell, Health, keep_running
from responders.pleas import Plea
from responders.store import Store
from responders.views import Shift

TOWN_POST, COUNTY_POST = viewer(POSTS[QINGXI]), viewer(POSTS[COUNTY])
TWICE = replace(
    RULES,
    data=structs.replace(
        DATA,
        policies=tuple(
            structs.replace(one, steps=tuple(structs.replace(step, times=2) for step in one.steps))
            for one in DATA.policies
        ),
    ),
)
SEVERAL = replace(
    RULES,
    data=structs.replace(
        DATA,
        policies=tuple(structs.replace(one, acknowledged_by=("county", "city")) for one in DATA.policies),
    ),
)
CALM = 3
"""More pages to one person than this, in the moment after an outage, would be a burst."""


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    """A settled county with everybody on duty."""
    async with open_world(database) as opened:
        yield opened


async def silent(world: World) -> list[str]:
    """Send everything that is due; for what reasons somebody was paged."""
    channel = FakeChannel()
    await world.send_all(channel)
    return [message.reason for message in channel.calls]


async def opened(world: World) -> UUID:
    """A new case."""
    return await world.raise_alert()


async def climbed(world: World) -> UUID:
    """A case that went up a step."""
    case = await world.raise_alert()
    await world.advance(minutes=15)
    return case


async def at_the_top(world: World) -> UUID:
    """A case of which the province is told again."""
    case = await world.raise_alert()
    for minutes in (15, 20, 60, 120, 120):
        await world.advance(minutes=minutes)
    return case


async def repeated(world: World) -> UUID:
    """A case whose step is paged for the second time."""
    world.rules = TWICE
    case = await world.raise_alert()
    await world.advance(minutes=15)
    return case


async def awaited(world: World) -> UUID:
    """A case that waits for a second acknowledgement."""
    world.rules = SEVERAL
    case = await world.raise_alert(QINGXI, Level.ORANGE)
    await world.store.acknowledge(viewer(POSTS["9901"]), case, uuid4())
    await world.advance(minutes=15)
    return case


async def graver(world: World) -> UUID:
    """A case that became graver."""
    one = alert(at=world.now)
    await world.store.record_alert(one, world.rules)
    newer = structs.replace(one, version=2, change=AlertChange.CHANGED, level=Level.YELLOW)
    await world.store.record_alert(newer, world.rules)
    return incident_id(one.id)


async def reopened(world: World) -> UUID:
    """A case that was closed and opened again."""
    case = await world.raise_alert()
    await world.store.close(COUNTY_POST, case, "", uuid4())
    await world.store.casework.reopen(COUNTY_POST, case, "复发", uuid4(), world.rules)
    return case


async def off_the_shelf(world: World) -> UUID:
    """A case that was put aside until now."""
    case = await world.raise_alert()
    await world.store.holds.shelve(TOWN_POST, case, 30, "设备校准", uuid4(), world.rules)
    await world.advance(minutes=15)
    await world.advance(minutes=15)
    return case


PAGED = (opened, climbed, at_the_top, repeated, awaited, graver, reopened, off_the_shelf)


@pytest.mark.parametrize("paged", PAGED, ids=lambda paged: paged.__name__)
async def test_pain_pages_after_the_acknowledgement(
    world: World, paged: Callable[[World], Awaitable[UUID]]
) -> None:
    """Once a case is acknowledged nothing goes out any more, for whatever reason, not even what a dead sender held."""
    case = await paged(world)
    assert await world.store.pages.claim_pages("file", 100, 0)  # a sender that dies with its pages
    await world.store.acknowledge(COUNTY_POST, case, uuid4())
    assert not [reason for reason in await silent(world) if not reason.startswith(("task", "dispatched"))]
    left = {page.state for page in (await world.show(case)).pages}
    assert left <= {
        PageState.DELIVERED,
        PageState.WITHDRAWN,
        PageState.DUE,
    }  # due: on the console, about the task


async def test_pain_an_acknowledged_alert_escalates_months_later(world: World) -> None:
    """Half a year, restarts, and the alert telling the same again wake nobody."""
    one = alert(at=world.now)
    await world.store.record_alert(one, RULES)
    case = incident_id(one.id)
    await silent(world)
    await world.store.acknowledge(TOWN_POST, case, uuid4())
    (task,) = (await world.show(case)).tasks
    await world.store.accept_task(TOWN_POST, task.id, uuid4())
    await world.store.move_task(TOWN_POST, task.id, TaskState.DONE, "", uuid4())
    for month in range(1, 7):
        await world.advance(days=30)
        await world.store.record_alert(
            structs.replace(one, version=month + 1, change=AlertChange.CHANGED, changed_at=world.now), RULES
        )
        async with Store.open(world.dsn, 2) as restarted:
            await act_on_timers(restarted, RULES)
        assert await silent(world) == []


async def test_pain_a_paused_escalation_is_never_resumed_after_a_restart(world: World) -> None:
    """A shelf and a suspension are rows: whoever is there when they end goes on."""
    case = await off_the_shelf_later(world)
    other = incident_id((raised := alert(HEWAN, category="municipal-service", at=world.now)).id)
    await world.store.record_alert(raised, RULES)
    await world.store.acknowledge(COUNTY_POST, other, uuid4())
    (task,) = (await world.show(other)).tasks
    town = viewer(POSTS[HEWAN])
    await world.store.accept_task(town, task.id, uuid4())
    pause = Plea(PleaKind.SUSPEND, "道路中断", until=world.now + timedelta(hours=6))
    await world.store.pleas.ask(town, task.id, pause, uuid4(), RULES)
    await world.store.pleas.answer(
        COUNTY_POST,
        task.id,
        PleaKind.SUSPEND,
        granted=True,
        note="",
        owner=None,
        request_id=uuid4(),
        rules=RULES,
    )
    await silent(world)
    world.now += timedelta(hours=6)
    await world.set_clock()
    async with Store.open(world.dsn, 2) as restarted:  # the one that was there at the time is gone
        await act_on_timers(restarted, RULES)
    assert {"hold_over", "resumed"} <= set(await silent(world))
    assert (await world.show(case)).row.next_at is not None
    (task,) = (await world.show(other)).tasks
    assert task.state is TaskState.ACCEPTED


async def off_the_shelf_later(world: World) -> UUID:
    """A case that is put aside for half an hour."""
    case = await world.raise_alert()
    await silent(world)
    await world.store.holds.shelve(TOWN_POST, case, 30, "设备校准", uuid4(), world.rules)
    await world.advance(minutes=15)
    return case


async def test_pain_an_auditor_that_dies_unseen(tmp_path: Path) -> None:
    """The sign of life is one of the work, not of the process: when timers stand still whoever watches it alarms."""
    sign = tmp_path / "alive"
    settings = RespondSettings(deadman_url=str(sign), deadman_seconds=0.01)
    health, stopping = Health(), asyncio.Event()
    health.beat("timers")
    signing = asyncio.create_task(run_sign_of_life(settings, ("timers",), health, stopping))
    async with asyncio.timeout(20):
        while not await asyncio.to_thread(sign.exists):
            await asyncio.sleep(0.01)
        health.lose("timers", "DatabaseUnavailable")
        await asyncio.sleep(0)
        before = health._beats["sign_of_life"]
        while health._beats["sign_of_life"] == before:  # a round that gives no sign
            await asyncio.sleep(0.01)
        sign.unlink()
        before = health._beats["sign_of_life"]
        while health._beats["sign_of_life"] == before:
            await asyncio.sleep(0.01)
    assert not sign.exists()
    stopping.set()
    await signing


async def test_pain_duplicates_from_two_nodes(world: World) -> None:
    """Two nodes take the same alerts, look at the same timers and send at the same time: all is there once."""
    raised = [alert(place, at=world.now) for place in (QINGXI, HEWAN) for _ in range(3)]
    sent = FakeChannel(idempotent=False)
    async with Store.open(world.dsn, 4) as one, Store.open(world.dsn, 4) as two:

        async def node(store: Store) -> None:
            for each in raised:
                await store.record_alert(each, RULES)
            await act_on_timers(store, RULES)
            while await send_due(store, sent):
                pass

        await asyncio.gather(node(one), node(two))
        await world.advance(minutes=15)
        await asyncio.gather(node(one), node(two))
    pages = [message.page for message in sent.calls]
    assert len(pages) == len(set(pages)) == len(raised) * 2
    assert (await world.store.account()).rows["incident"] == len(raised)


async def test_pain_one_failing_channel_blocks_a_group(world: World) -> None:
    """While one channel raises and another hangs, the third has delivered to everybody."""
    world.rules = Rules(DATA, ("console", "file", "webhook"))
    await world.raise_alert(QINGXI, Level.ORANGE)
    hangs, never = asyncio.Event(), asyncio.Event()

    class Hanging(FakeChannel):
        async def send(self, message: Message) -> Outcome:
            hangs.set()
            await never.wait()
            return await super().send(message)

    class Broken(FakeChannel):
        async def send(self, message: Message) -> Outcome:
            raise RuntimeError("a channel must not raise")

    console = FakeChannel("console")
    health, bell, stopping = Health(), Bell(), asyncio.Event()
    loops = [
        asyncio.create_task(
            keep_running(
                channel.name,
                lambda channel=channel: run_channel(world.store, channel, bell, health, stopping),  # type: ignore[misc]
                health,
                stopping,
            )
        )
        for channel in (Hanging("webhook"), Broken("file"), console)
    ]
    async with asyncio.timeout(20):
        await hangs.wait()
        while len(console.reached) < len(("township", "county", "city")):
            await asyncio.sleep(0.01)
        never.set()
        stopping.set()
        await asyncio.gather(*loops)


@pytest.fixture(params=["Asia/Shanghai", "America/New_York"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A host in a time zone, in the process as in the database."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    "change", [datetime(2026, 3, 8, 6, 50, tzinfo=UTC), datetime(2026, 11, 1, 5, 50, tzinfo=UTC)]
)
async def test_pain_daylight_saving_and_handoff(database: str, zone: str, change: datetime) -> None:
    """A server whose clock jumps in New York climbs, reminds and hands shifts over as one in Shanghai: to the minute."""
    connection = await asyncpg.connect(database)
    name = database.rsplit("/", 1)[1].split("?", maxsplit=1)[0]
    await connection.execute(f"alter database {name} set timezone = '{zone}'")
    await connection.close()
    async with open_world(database) as world:
        world.now = change
        await world.set_clock()
        night, day = POSTS[HEWAN], POSTS[QINGXI]
        handover = change + timedelta(minutes=30)
        spans = (
            (night, change - timedelta(hours=9), handover),
            (day, handover, handover + timedelta(hours=9)),
        )
        await world.store.put_shifts(
            Shift(area=QINGXI, post="ecology-duty", user=who.id, starts_at=starts, ends_at=ends)
            for who, starts, ends in spans
        )
        case = await world.raise_alert()
        told: list[tuple[int, str, str]] = []
        for minute in range(0, 60, 5):  # over the jump, which comes ten minutes after the begin
            channel = FakeChannel()
            await world.send_all(channel)
            told += [
                (minute, message.reason, message.recipient)
                for message in channel.calls
                if message.incident == case
            ]
            await world.advance(minutes=5)
        ends = await came_to(world, case, change)
    assert told == [
        (0, "opened", "河湾镇值班室"),
        (15, "not_acknowledged", "示例县值班室"),
        (30, "task_half_time", "青溪镇值班室"),  # in the minute in which the shift began
        (35, "not_acknowledged", "示例市值班室"),
    ]
    assert ends["case"][0][4] == timedelta(minutes=15 + 20 + 60)


async def test_pain_an_offline_form_is_stored_600_times(world: World) -> None:
    """A phone that sends its form until it hears an answer has sent one form."""
    form = Report(
        id=uuid4(),
        source="field",
        client_id=uuid4(),
        observed_at=START,
        received_at=START,
        area=QINGXI,
        text="河水发黑",
    )
    news = await asyncio.gather(*(world.store.record_reports([form]) for _ in range(600)))
    assert (sum(news), (await world.store.account()).rows["report"]) == (1, 1)


async def test_pain_a_fingerprint_that_swallows_everything_or_nothing(world: World) -> None:
    """What the rule names decides alone: other words are no new case, another township is; each alert can be found."""
    world.rules = GROUPED
    for text in ("氨氮超标", "溶解氧偏低", "群众反映河水发臭"):
        await world.store.record_alert(structs.replace(alert(at=world.now), zh=text, reason=text), GROUPED)
    await world.store.record_alert(alert(HEWAN, at=world.now), GROUPED)
    await world.store.record_alert(alert(category="flood", at=world.now), GROUPED)
    queue = await world.store.queue(COUNTY_POST)
    sizes = sorted([len((await world.show(row.id)).alerts) for row in queue])
    assert sizes == [1, 1, 3]


async def test_a_person_disabled_and_a_roster_emptied_in_mid_escalation(world: World) -> None:
    """Whoever may not sign in any more is not paged, the next tower is at once, and the vacancy is a case of its own."""
    case = await world.raise_alert()
    await silent(world)
    connection = await asyncpg.connect(world.dsn)
    await connection.execute("update app_user set disabled = true where id = $1", POSTS[COUNTY].id)
    await connection.close()
    await world.advance(minutes=15)
    channel = FakeChannel()
    await world.send_all(channel)
    told = {message.recipient for message in channel.calls if message.incident == case}
    assert told == {"示例市值班室"}
    assert "nobody_on_duty" in [entry.kind for entry in (await world.show(case)).timeline]
    faults = [row for row in await world.store.queue(viewer(POSTS["99"])) if row.category == "platform-fault"]
    assert "ecology-duty in 990101" in " ".join(row.en for row in faults)


async def test_half_an_hour_of_outage_ends_without_a_burst(world: World) -> None:
    """Twenty cases, half an hour without responders: each climbs one step, and nobody gets the pages that were missed."""
    world.rules = WITH_WEBHOOK
    cases = [await world.raise_alert() for _ in range(20)]
    world.now += timedelta(minutes=30)
    await world.set_clock()
    await act_on_timers(world.store, world.rules)
    assert [(await world.show(case)).row.step for case in cases] == [1] * 20
    outside = FakeChannel(outside=True)
    while await send_due(world.store, outside, DATA.pacing):
        pass
    letters: dict[str, int] = {}
    for message in outside.calls:
        letters[message.recipient] = letters.get(message.recipient, 0) + 1
    assert letters
    assert max(letters.values()) <= CALM, letters


async def test_all_open_cases_survive_a_restart_of_everything(world: World) -> None:
    """What waits is in the database: after a restart each open case has its timer, its pages and its tasks."""
    for level in Level:
        await world.raise_alert(QINGXI, level)
    before = {row.id: row.next_at for row in await world.store.queue(COUNTY_POST, OPEN_STATES)}
    async with Store.open(world.dsn, 2) as restarted:
        after = {row.id: row.next_at for row in await restarted.queue(COUNTY_POST, OPEN_STATES)}
    assert after == before
    assert None not in after.values()
