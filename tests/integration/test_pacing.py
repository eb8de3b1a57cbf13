"""Nobody is buried, on a real database: storms, digests, throttling, quiet hours, and what comes late after an outage."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from msgspec import structs
from prometheus_client import REGISTRY
from responder_world import (
    DATA,
    POSTS,
    QINGXI,
    FakeChannel,
    World,
    alert,
    open_world,
    viewer,
)

from config.pacing import Pacing, Quiet
from domain.errors import InvalidInput, NotFound
from domain.identity import incident_id
from domain.incidents import PageState
from domain.levels import Level
from responders.cases import Cause, Message, Outcome, Result, Rules
from responders.dispatch import act_on_timers, send_due
from responders.views import IncidentView

COUNTY_DESK = "示例县值班室"
PACING = Pacing(
    letters=3,
    minutes=10,
    storm_cases=5,
    storm_minutes=10,
    calm_cases=2,
    gather_seconds=5,
    digest_minutes=5,
    stale_minutes=10,
)
CALM = structs.replace(PACING, letters=1_000, storm_cases=1_000)


def rules_with(pacing: Pacing) -> Rules:
    """Make the rules of a county with a webhook, which leaves the house."""
    return Rules(structs.replace(DATA, pacing=(pacing,)), ("console", "file", "webhook"))


def outside(**options: object) -> FakeChannel:
    """Make a channel that leaves the house."""
    return FakeChannel("webhook", outside=True, **options)  # type: ignore[arg-type]  # fields of the channel


async def send(world: World, channel: FakeChannel) -> None:
    """Send all that may go now."""
    while await send_due(world.store, channel, world.rules.data.pacing, pause=0):
        pass


async def open_cases(world: World, count: int, level: Level = Level.YELLOW) -> list[UUID]:
    """Open cases of villages of their own, so that none joins another."""
    cases = []
    for number in range(count):
        raised = alert(f"{QINGXI}{number + 1:03d}", level, at=world.now)
        await world.store.record_alert(raised, world.rules)
        cases.append(incident_id(raised.id))
    return cases


def told(message: Message) -> set[UUID]:
    """Name the cases that a message tells of."""
    return {message.incident, *(also.incident for also in message.also)}


def kinds(view: IncidentView) -> list[str]:
    """Name the lines of a case's record."""
    return [line.kind for line in view.timeline]


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    """A settled county with everybody on duty."""
    async with open_world(database) as opened:
        opened.rules = rules_with(PACING)
        yield opened


async def test_a_storm_begins_and_ends_by_itself_and_is_told_once(world: World) -> None:
    """From six cases in ten minutes letters are gathered; when cases cease the county is calm, each told once."""

    def counted(change: str) -> float:
        return REGISTRY.get_sample_value("fenghuo_storms_total", {"change": change}) or 0.0

    began, ended = counted("began"), counted("ended")
    await open_cases(world, 6)
    await world.advance(seconds=0)
    await act_on_timers(world.store, world.rules)
    assert await world.store.pacing.storms() == {"990101"}
    await world.advance(minutes=11)
    await act_on_timers(world.store, world.rules)
    assert await world.store.pacing.storms() == set()
    assert (counted("began") - began, counted("ended") - ended) == (1, 1)


async def test_a_storm_is_one_letter_and_the_next_follows_after_minutes(world: World) -> None:
    """Six yellow cases reach the county's desk in one letter after five seconds, two later ones in the next."""
    cases = await open_cases(world, 6)
    await world.advance(seconds=0)
    channel = outside()
    await send(world, channel)
    assert channel.calls == []
    assert "page_held" in kinds(await world.show(cases[0]))
    await world.advance(seconds=5)
    await send(world, channel)
    assert [(one.recipient, told(one)) for one in channel.calls] == [(COUNTY_DESK, set(cases))]
    late = [alert(f"{QINGXI}{number:03d}", Level.YELLOW, at=world.now) for number in (101, 102)]
    for raised in late:
        await world.store.record_alert(raised, world.rules)
    await world.advance(minutes=4)
    await send(world, channel)
    assert len(channel.calls) == 1
    await world.advance(minutes=1)
    await send(world, channel)
    assert told(channel.calls[1]) == {incident_id(raised.id) for raised in late}
    pages = [page for case in cases for page in (await world.show(case)).pages if page.channel == "webhook"]
    assert {page.state for page in pages} == {PageState.DELIVERED}


async def test_a_storm_frees_what_waits_for_earlier_letters(world: World) -> None:
    """After three letters other cases would wait ten minutes; a storm begins, and its first letter has them after five."""
    channel = outside()
    await open_cases(world, 3)
    await send(world, channel)
    more = [alert(f"{QINGXI}{number:03d}", Level.YELLOW, at=world.now) for number in (101, 102, 103)]
    for raised in more:
        await world.store.record_alert(raised, world.rules)
    await send(world, channel)
    assert [len(told(one)) for one in channel.calls] == [1, 1, 1]
    await act_on_timers(world.store, world.rules)
    await world.advance(minutes=5)
    await send(world, channel)
    assert told(channel.calls[3]) == {incident_id(raised.id) for raised in more}


async def test_a_red_case_goes_at_once_through_a_storm(world: World) -> None:
    """Grades I and II wait for no digest, no throttle, no quiet hours."""
    await open_cases(world, 6)
    await world.advance(seconds=0)
    await world.store.pacing.set_quiet_hours(POSTS["990101"].login, "10:00", "20:00")
    red = await world.raise_alert(QINGXI, Level.RED)
    channel = outside()
    await send(world, channel)
    assert {one.incident for one in channel.calls} == {red}
    assert {one.recipient for one in channel.calls} == {
        "青溪镇值班室",
        COUNTY_DESK,
        "示例市值班室",
        "示例省值班室",
    }
    assert all(one.also == () for one in channel.calls)


async def test_a_case_that_becomes_graver_waits_no_longer(world: World) -> None:
    """Pages that were gathered go out at once when their case is raised to grade II."""
    cases = await open_cases(world, 6)
    await world.advance(seconds=0)
    channel = outside()
    await send(world, channel)
    raised = (await world.show(cases[0])).row.alert
    assert raised is not None
    graver = alert(f"{QINGXI}001", Level.ORANGE, at=world.now, identity=raised, version=2)
    await world.store.record_alert(graver, world.rules)
    await send(world, channel)
    assert COUNTY_DESK in {one.recipient for one in channel.calls if one.incident == cases[0]}
    assert {one.incident for one in channel.calls} == {cases[0]}


async def test_what_is_acknowledged_meanwhile_leaves_the_digest(world: World) -> None:
    """A gathered page whose case somebody took on is not in the letter."""
    cases = await open_cases(world, 6)
    await world.advance(seconds=0)
    channel = outside()
    await send(world, channel)
    await world.store.acknowledge(viewer(POSTS[QINGXI]), cases[0], uuid4())
    await world.advance(seconds=5)
    await send(world, channel)
    assert [told(one) for one in channel.calls] == [set(cases[1:])]


async def test_two_workers_send_a_digest_once(world: World) -> None:
    """Four workers look for the same gathered pages at the same moment: one letter, each page in it once."""
    cases = await open_cases(world, 8)
    await world.advance(seconds=0)
    await send(world, outside())
    await world.advance(seconds=5)
    channels = [outside() for _ in range(4)]
    await asyncio.gather(*(send(world, channel) for channel in channels))
    letters = [one for channel in channels for one in channel.calls]
    assert [told(one) for one in letters] == [set(cases)]
    assert (await world.store.account()).repeated_pages == 0


class Killed(BaseException):
    """Stands for kill −9."""


@pytest.mark.parametrize("idempotent", [True, False])
async def test_killed_between_claim_and_record_of_a_digest(world: World, idempotent: bool) -> None:
    """The next worker sends the same letter under the same key, or falls over where nobody could tell a repetition."""
    cases = await open_cases(world, 6)
    await world.advance(seconds=0)
    await send(world, outside())
    await world.advance(seconds=5)

    class Dying(FakeChannel):
        async def send(self, message: Message) -> Outcome:
            await super().send(message)
            raise Killed

    dying = Dying("webhook", idempotent=idempotent, outside=True)
    with suppress(Killed):
        await send_due(world.store, dying, world.rules.data.pacing, lease_seconds=0)
    await world.store.acknowledge(viewer(POSTS[QINGXI]), cases[0], uuid4())
    following, file = outside(idempotent=idempotent), FakeChannel("file")
    await send(world, following)
    await world.send_all(file)
    if idempotent:
        assert [(one.key, told(one)) for one in following.calls] == [(dying.calls[0].key, set(cases[1:]))]
    else:
        assert following.calls == []
        assert {one.incident for one in file.calls if one.recipient == COUNTY_DESK} == set(cases[1:])
    assert (await world.store.account()).repeated_pages == 0


async def test_a_digest_that_is_refused_falls_over_with_all_its_pages(world: World) -> None:
    """Each page of a refused letter goes on to its recipient's next channel."""
    cases = await open_cases(world, 6)
    await world.advance(seconds=0)
    await send(world, outside())
    await world.advance(seconds=5)
    await send(world, outside(answers=[Outcome(Result.REFUSED, Cause.REJECTED)]))
    file = FakeChannel("file")
    await world.send_all(file)
    assert {one.incident for one in file.calls if one.recipient == COUNTY_DESK} == set(cases)


async def test_a_digest_is_tried_again_as_the_same_letter(world: World) -> None:
    """A letter that the other side did not take keeps its pages and its key."""
    await open_cases(world, 6)
    await world.advance(seconds=0)
    await send(world, outside())
    await world.advance(seconds=5)
    channel = outside(answers=[Outcome(Result.RETRY, Cause.TIMEOUT)] * 2)
    await send(world, channel)
    assert len(channel.calls) == 3
    assert len({(one.key, *sorted(told(one))) for one in channel.calls}) == 1


async def test_more_letters_than_may_be_become_one(world: World) -> None:
    """After three letters in ten minutes the next two cases come as one letter, ten minutes after the first."""
    world.rules = rules_with(structs.replace(PACING, storm_cases=1_000))
    channel = outside()
    await open_cases(world, 3)
    await send(world, channel)
    assert len(channel.calls) == 3
    more = [alert(f"{QINGXI}{number:03d}", Level.YELLOW, at=world.now) for number in (201, 202)]
    for raised in more:
        await world.store.record_alert(raised, world.rules)
    await world.advance(minutes=9)
    await send(world, channel)
    assert len(channel.calls) == 3
    await world.advance(minutes=1)
    await send(world, channel)
    gathered = next(one for one in channel.calls if one.also)
    assert told(gathered) == {incident_id(raised.id) for raised in more}


async def test_quiet_hours_over_midnight(world: World) -> None:
    """At 23:00 a yellow case's page waits until 06:30, the county's desk sees it on the console; it climbs all the same."""
    night = Quiet(policy="larger", starts="22:00", ends="06:30")
    world.rules = rules_with(structs.replace(CALM, quiet=(night,)))
    world.now = datetime(2026, 5, 1, 15, tzinfo=UTC)
    await world.set_clock()
    case = await world.raise_alert(QINGXI, Level.YELLOW)
    channel, console = outside(), FakeChannel("console")
    await send(world, channel)
    await world.send_all(console)
    assert (channel.calls, COUNTY_DESK in console.recipients) == ([], True)
    await world.advance(hours=7, minutes=29)
    await send(world, channel)
    assert channel.calls == []
    assert (await world.show(case)).row.step > 1
    await world.advance(minutes=1)
    await send(world, channel)
    assert COUNTY_DESK in channel.recipients


async def test_an_account_has_quiet_hours_of_its_own(world: World) -> None:
    """They are set by login, checked, and taken away again."""
    world.rules = rules_with(CALM)
    desk = POSTS["990101"]
    local = world.now + timedelta(hours=8)
    await world.store.pacing.set_quiet_hours(desk.login, f"{local:%H}:00", f"{(local.hour + 2) % 24:02d}:00")
    await world.raise_alert(QINGXI, Level.YELLOW)
    channel = outside()
    await send(world, channel)
    assert channel.calls == []
    await world.store.pacing.clear_quiet_hours(desk.login)
    await world.advance(hours=2)
    await send(world, channel)
    assert COUNTY_DESK in channel.recipients
    with pytest.raises(InvalidInput):
        await world.store.pacing.set_quiet_hours(desk.login, "06:00", "05:00")
    for wrong in (
        world.store.pacing.set_quiet_hours("nobody", "22:00", "06:00"),
        world.store.pacing.clear_quiet_hours("nobody"),
    ):
        with pytest.raises(NotFound):
            await wrong


async def test_after_an_outage_nobody_is_buried_in_stale_pages(world: World) -> None:
    """After an hour without the provider acknowledged and passed pages are withdrawn, of repeats the newest goes."""
    world.rules = rules_with(CALM)
    climbing = await world.raise_alert(QINGXI, Level.YELLOW)
    taken = await world.raise_alert("990101102", Level.YELLOW)
    for _ in range(6):
        await world.advance(minutes=10)
    await world.store.acknowledge(viewer(POSTS["990101102"]), taken, uuid4())
    channel = outside()
    await send(world, channel)
    alarms = [one for one in channel.calls if not one.reason.startswith("task")]
    assert {one.incident for one in alarms} == {climbing}
    assert len({one.recipient for one in alarms}) == len(alarms)
    assert COUNTY_DESK not in {one.recipient for one in alarms}
    view = await world.show(climbing)
    reasons = {line.detail["reason"] for line in view.timeline if line.kind == "page_withdrawn"}
    assert "climbed_past" in reasons
    states = {page.state for page in view.pages if page.channel == "webhook"}
    assert states == {PageState.DELIVERED, PageState.WITHDRAWN}


async def test_several_steps_due_at_once_send_the_newest_only(world: World) -> None:
    """The province's desk, owed three repeats of a red case, gets the last of them."""
    world.rules = rules_with(CALM)
    await world.raise_alert(QINGXI, Level.RED)
    for _ in range(3):
        await world.advance(minutes=15)
    channel = outside()
    await send(world, channel)
    province = [one for one in channel.calls if one.recipient == "示例省值班室"]
    assert len(province) == 1
    assert province[0].loop > 0
    assert "青溪镇值班室" in channel.recipients
