"""Senders killed at every await between claiming pages and writing down what became of them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from itertools import count
from uuid import UUID

import pytest
from fault_world import Killed, Life, MortalChannel, mortal_store, put_away
from msgspec import structs
from responder_world import DATA, QINGXI, WITH_WEBHOOK, FakeChannel, World, open_world

from domain.incidents import PageState
from domain.levels import Level
from responders.cases import Cause, Outcome, Result
from responders.dispatch import send_due

REFUSED = Outcome(Result.REFUSED, Cause.REJECTED)
RETRY = Outcome(Result.RETRY, Cause.UNREACHABLE)
PEOPLE = ["示例县值班室", "示例市值班室", "青溪镇值班室"]
ONE_LETTER = tuple(structs.replace(one, letters=1, channels={}) for one in DATA.pacing)
"""One letter to a person in ten minutes: what is more goes together."""
Check = Callable[[World, UUID, MortalChannel], Awaitable[None]]


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    """A settled county with everybody on duty, and a second channel."""
    async with open_world(database) as opened:
        opened.rules = WITH_WEBHOOK
        yield opened


async def states(world: World, incident: UUID, channel: str) -> set[PageState]:
    """Name where a case's pages over a channel stand."""
    return {page.state for page in (await world.show(incident)).pages if page.channel == channel}


async def known(world: World, incident: UUID, first: MortalChannel) -> None:
    """The other side drops repetitions: everybody is reached once, over the first channel."""
    second, file = FakeChannel("webhook"), FakeChannel("file")
    await world.send_all(second)
    await world.send_all(file)
    assert sorted((first.reached | second.reached).values()) == PEOPLE
    assert file.calls == []
    assert await states(world, incident, "webhook") == {PageState.DELIVERED}


async def unknown(world: World, incident: UUID, first: MortalChannel) -> None:
    """The other side would pass a repetition on: it gets none, and whom it may have missed is reached otherwise."""
    second, file = FakeChannel("webhook", idempotent=False), FakeChannel("file")
    await world.send_all(second)
    await world.send_all(file)
    assert not first.reached.keys() & second.reached.keys()
    assert sorted({*first.recipients, *second.recipients, *file.recipients}) == PEOPLE
    assert await states(world, incident, "webhook") <= {PageState.DELIVERED, PageState.FAILED}
    assert len(file.calls) == len(set(file.recipients))


async def refused(world: World, incident: UUID, first: MortalChannel) -> None:
    """Who was refused there is reached once over the next channel, whatever the dead one had written down."""
    second, file = FakeChannel("webhook", answers=[REFUSED] * 3), FakeChannel("file")
    await world.send_all(second)
    await world.send_all(file)
    assert (first.reached, second.reached) == ({}, {})
    assert sorted(file.recipients) == PEOPLE
    assert len(file.calls) == len(PEOPLE)
    assert await states(world, incident, "webhook") == {PageState.FAILED}


async def tried_again(world: World, incident: UUID, first: MortalChannel) -> None:
    """What could not be sent is sent when the other side is back."""
    second, file = FakeChannel("webhook"), FakeChannel("file")
    await world.send_all(second)
    await world.send_all(file)
    assert (first.reached, file.calls) == ({}, [])
    assert sorted(second.recipients) == PEOPLE


CHECKS: tuple[tuple[Check, list[Outcome], bool], ...] = (
    (known, [], True),
    (unknown, [], False),
    (refused, [REFUSED] * 3, True),
    (tried_again, [RETRY] * 3, True),
)


@pytest.mark.parametrize(("check", "answers", "idempotent"), CHECKS, ids=[one[0].__name__ for one in CHECKS])
async def test_killed_at_any_await_between_claim_and_record(
    world: World, check: Check, answers: list[Outcome], idempotent: bool
) -> None:
    """Whatever await is the last, everybody is reached, and nobody twice over one channel."""
    for awaits in count():
        world.now += timedelta(days=1)
        await world.set_clock()
        incident = await world.raise_alert(QINGXI, Level.ORANGE)
        life = Life(awaits)
        first = MortalChannel("webhook", idempotent, answers=list(answers), life=life)
        with suppress(Killed):
            await send_due(mortal_store(world, life), first, lease_seconds=0, pause=0)
        await check(world, incident, first)
        await put_away(world)
        if not life.end:
            break
    assert awaits > len(("claim", "send", "record")) * 2
    assert (await world.store.account()).repeated_pages == 0
    assert (await world.store.audit.verify())[1] == []


async def test_killed_at_any_await_of_a_letter_of_several_cases(world: World) -> None:
    """A digest goes out under one key, and each of its pages is delivered once, whoever finishes it."""
    for awaits in count():
        world.now += timedelta(days=1)
        await world.set_clock()
        before = FakeChannel("file", outside=True)
        cases = []
        for _ in range(3):
            cases.append(await world.raise_alert())
            await send_due(world.store, before, ONE_LETTER)
        assert len(before.calls) == 1
        world.now += timedelta(minutes=10)
        await world.set_clock()
        life = Life(awaits)
        first = MortalChannel("file", outside=True, life=life)
        with suppress(Killed):
            await send_due(mortal_store(world, life), first, ONE_LETTER, lease_seconds=0, pause=0)
        second = FakeChannel("file", outside=True)
        while await send_due(world.store, second, ONE_LETTER, pause=0):
            pass
        letters = [message for channel in (first, second) for message in channel.calls]
        assert len({message.key for message in letters}) == 1
        assert {len(message.also) for message in letters} == {1}
        for case in cases:
            assert await states(world, case, "file") == {PageState.DELIVERED}
        await put_away(world)
        if not life.end:
            break
    assert (await world.store.account()).repeated_pages == 0
