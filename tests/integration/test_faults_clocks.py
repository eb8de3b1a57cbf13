"""The host's clock moved by an hour, to and fro: nobody waits longer for it, and nobody is told twice.

A host's clock cannot be moved here; what the database remembers of it is moved instead, the other way.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import asyncpg  # type: ignore[import-untyped]  # ships no types
import pytest
from responder_world import QINGXI, WITH_WEBHOOK, FakeChannel, World, open_world

from domain.incidents import PageState
from domain.levels import Level
from responders.cases import Cause, Message, Outcome, Result
from responders.dispatch import act_on_timers, send_due

HOUR = timedelta(hours=1)
PEOPLE = ["示例县值班室", "示例市值班室", "青溪镇值班室"]
SLOW_DOWN = Outcome(Result.RETRY, Cause.RATE_LIMITED, 30.0)
FORWARD_PAGES = """
update page set wall_lease_until = wall_lease_until - $1::interval, wall_retry_at = wall_retry_at - $1::interval
where state in ('due', 'sending')
"""
BACK = "update clock_mark set wall_at = wall_at + $1::interval"
BACK_PAGES = """
update page set wall_lease_until = wall_lease_until + $1::interval, wall_retry_at = wall_retry_at + $1::interval
where state in ('due', 'sending')
"""


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    """A settled county with everybody on duty, a second channel, and a worker that has taken note of the time."""
    async with open_world(database) as opened:
        opened.rules = WITH_WEBHOOK
        await act_on_timers(opened.store, opened.rules)
        yield opened


async def change(world: World, *statements: str) -> None:
    """Move what the database remembers by an hour."""
    connection = await asyncpg.connect(world.dsn)
    for statement in statements:
        await connection.execute(statement, HOUR)
    await connection.close()


async def states(world: World, case: UUID, channel: str) -> set[PageState]:
    """Name where a case's pages over a channel stand."""
    return {page.state for page in (await world.show(case)).pages if page.channel == channel}


async def test_an_hour_back_keeps_no_page_waiting(world: World) -> None:
    """A retry that was half a minute away is not an hour and half a minute away after that."""
    case = await world.raise_alert(QINGXI, Level.ORANGE)
    channel = FakeChannel("webhook", answers=[SLOW_DOWN] * len(PEOPLE))
    assert await send_due(world.store, channel) == len(PEOPLE)
    await change(world, BACK, BACK_PAGES)
    assert await send_due(world.store, channel) == 0
    await act_on_timers(world.store, world.rules)
    assert await send_due(world.store, channel) == len(PEOPLE)
    assert sorted(channel.recipients) == PEOPLE
    assert await states(world, case, "webhook") == {PageState.DELIVERED}


async def test_an_hour_back_leaves_no_page_of_a_dead_sender_for_an_hour(world: World) -> None:
    """Its lease ends within a minute, as a lease does."""
    await world.raise_alert(QINGXI, Level.ORANGE)
    await world.store.pages.claim_pages("webhook", 10, 30.0)  # a sender that dies with its pages
    await change(world, BACK, BACK_PAGES)
    await act_on_timers(world.store, world.rules)
    connection = await asyncpg.connect(world.dsn)
    longest = await connection.fetchval(
        "select max(wall_lease_until) - clock_timestamp() from page where state = 'sending'"
    )
    await connection.close()
    assert timedelta(0) < longest <= timedelta(minutes=1)


@pytest.mark.parametrize("idempotent", [True, False])
async def test_an_hour_forward_in_the_middle_of_sending(world: World, idempotent: bool) -> None:
    """Leases lapse while the first worker still sends: nobody gets a page twice over one channel, and all are reached."""
    case = await world.raise_alert(QINGXI, Level.ORANGE)
    entered, go_on = asyncio.Event(), asyncio.Event()

    class Slow(FakeChannel):
        async def send(self, message: Message) -> Outcome:
            entered.set()
            await go_on.wait()
            return await super().send(message)

    slow, other = Slow("webhook", idempotent), FakeChannel("webhook", idempotent)
    sending = asyncio.create_task(send_due(world.store, slow))
    await entered.wait()
    await change(world, FORWARD_PAGES)
    await send_due(world.store, other)
    go_on.set()
    await sending
    file = FakeChannel("file")
    await world.send_all(file)
    if idempotent:  # the other side drops the repetition, which comes under the same key
        assert other.reached.keys() == slow.reached.keys()
        assert file.calls == []
    else:
        assert other.calls == []
        assert (await world.store.account()).repeated_pages == 0
    assert sorted({*slow.recipients, *other.recipients, *file.recipients}) == PEOPLE
    assert await states(world, case, "webhook") <= {PageState.DELIVERED, PageState.FAILED}


async def test_an_hour_forward_climbs_one_step_and_back_again_none_too_many(world: World) -> None:
    """A clock that somebody set wrong and right again costs one early step; nobody is told twice, nobody later than due."""
    case = await world.raise_alert()
    channel = FakeChannel()
    await world.send_all(channel)
    await world.advance(hours=1)
    await world.advance(hours=-1)
    await world.send_all(channel)
    alarms = [message.recipient for message in channel.calls if not message.reason.startswith("task")]
    assert alarms == ["青溪镇值班室", "示例县值班室"]
    await world.advance(minutes=19)
    assert (await world.show(case)).row.step == 1
    await world.advance(minutes=1)
    assert (await world.show(case)).row.step == 2
    await world.send_all(channel)
    assert len({message.page for message in channel.calls}) == len(channel.calls)
