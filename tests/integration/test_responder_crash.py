"""Several responders at once, and responders that die at the worst moment: nobody is paged twice, nobody is forgotten."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from responder_world import (
    DELIVERED,
    HEWAN,
    POSTS,
    QINGXI,
    RULES,
    WITH_WEBHOOK,
    FakeChannel,
    World,
    alert,
    open_world,
    viewer,
)

from domain.identity import incident_id
from domain.incidents import PageState
from domain.levels import Level
from responders.cases import Message, Outcome
from responders.dispatch import act_on_timers, send_due
from responders.store import Store


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    """A settled county with everybody on duty."""
    async with open_world(database) as opened:
        yield opened


class Killed(BaseException):
    """Stands for kill −9: nobody catches it, nothing is tidied up."""


class Doomed:
    """Lets so many steps of a responder happen, before and after each call, and then kills it."""

    def __init__(self, inner: object, lives: list[int]) -> None:
        """Share the count of steps left."""
        self._inner = inner
        self._lives = lives

    def _step(self) -> None:
        self._lives[0] -= 1
        if self._lives[0] < 0:
            raise Killed

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def call(*args: object, **kwargs: object) -> object:
            self._step()
            answer = await getattr(self._inner, name)(*args, **kwargs)
            self._step()
            return answer

        return call


class DoomedStore:
    """A store whose every call is a step."""

    def __init__(self, store: Store, lives: list[int]) -> None:
        """Count calls of the store and of its workers alike."""
        self.workers = Doomed(store.workers, lives)
        self.pages = Doomed(store.pages, lives)
        self._outer = Doomed(store, lives)

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        return getattr(self._outer, name)


class DoomedChannel(FakeChannel):
    """A channel whose sending is a step, too."""

    lives: list[int]

    async def send(self, message: Message) -> Outcome:
        """Die before or after the message is out."""
        self.lives[0] -= 1
        if self.lives[0] < 0:
            raise Killed
        outcome = await super().send(message)
        self.lives[0] -= 1
        if self.lives[0] < 0:
            raise Killed
        return outcome


@pytest.mark.parametrize("steps", range(9))
@pytest.mark.parametrize("idempotent", [True, False])
async def test_killed_between_claim_send_and_record(world: World, steps: int, idempotent: bool) -> None:
    """Whatever step is the last, the next responder reaches everybody, over one channel at most once."""
    world.rules = WITH_WEBHOOK
    incident = await world.raise_alert(QINGXI, Level.ORANGE)
    lives = [steps]
    first = DoomedChannel("webhook", idempotent)
    first.lives = lives
    doomed: Any = DoomedStore(world.store, lives)
    with suppress(Killed):
        await send_due(doomed, first, lease_seconds=0)
    second = FakeChannel("webhook", idempotent)
    await world.send_all(second)
    file = FakeChannel("file")
    await world.send_all(file)

    people = {"青溪镇值班室", "示例县值班室", "示例市值班室"}
    if idempotent:
        # The other side drops the repetition: by page id everybody is reached exactly once.
        assert sorted((first.reached | second.reached).values()) == sorted(people)
        assert file.calls == []
    else:
        # Whether a page of a dead sender went out is unknown: never again over that channel, the next one instead.
        assert not first.reached.keys() & second.reached.keys()
        assert len(first.recipients + second.recipients) == len({*first.recipients, *second.recipients})
        assert {*first.recipients, *second.recipients, *file.recipients} == people
    states = {page.state for page in (await world.show(incident)).pages if page.channel == "webhook"}
    assert states <= {PageState.DELIVERED, PageState.FAILED}
    assert (await world.store.account()).repeated_pages == 0


async def test_a_lease_that_lasts_is_respected(world: World) -> None:
    """While one responder sends, another one leaves its pages alone."""
    await world.raise_alert(QINGXI)
    entered, go_on = asyncio.Event(), asyncio.Event()

    class Slow(FakeChannel):
        async def send(self, message: Message) -> Outcome:
            entered.set()
            await go_on.wait()
            return await super().send(message)

    slow, other = Slow(), FakeChannel()
    sending = asyncio.create_task(send_due(world.store, slow))
    await entered.wait()
    assert await send_due(world.store, other) == 0
    go_on.set()
    await sending
    assert (len(slow.reached), len(other.calls)) == (1, 0)


async def test_an_acknowledgement_while_the_sender_is_dead_withdraws_the_page(world: World) -> None:
    """A page whose sender died is not sent again after the case was acknowledged."""
    incident = await world.raise_alert(QINGXI)
    await world.store.pages.claim_pages("file", 10, 0)
    await world.store.acknowledge(viewer(POSTS[QINGXI]), incident, uuid4())
    channel = FakeChannel()
    await world.send_all(channel)
    assert channel.calls == []
    page = next(page for page in (await world.show(incident)).pages if page.channel == "file")
    assert page.state is PageState.WITHDRAWN


async def test_many_responders_page_nobody_twice(world: World) -> None:
    """Four responders on the same database, timers and pages together: each page is sent once."""
    channels = [FakeChannel() for _ in range(4)]
    for place in [QINGXI, HEWAN] * 6:
        await world.raise_alert(place)

    async def respond(channel: FakeChannel) -> None:
        for _ in range(6):
            await act_on_timers(world.store, RULES)
            await send_due(world.store, channel)

    for minutes in (0, 15, 20, 60, 120):
        world.now += timedelta(minutes=minutes)
        await world.set_clock()
        await asyncio.gather(*map(respond, channels))
    for channel in channels:
        await world.send_all(channel)
    calls = [message.page for channel in channels for message in channel.calls]
    assert len(calls) == len(set(calls))
    alarms = [
        message for channel in channels for message in channel.calls if not message.reason.startswith("task")
    ]
    assert len(alarms) == 12 * 5
    account = await world.store.account()
    assert (account.repeated_pages, account.pages_by_channel["file"]) == (0, len(calls))


async def test_a_second_delivery_would_be_counted(world: World) -> None:
    """The count of repetitions that the report shows is able to be other than zero."""
    await world.raise_alert(QINGXI)
    claimed = await world.store.pages.claim_pages("file", 10, 0)
    for _ in range(2):
        await world.store.pages.record_outcome(claimed[0], DELIVERED)
    assert (await world.store.account()).repeated_pages == 1


@pytest.mark.parametrize("after", range(1, 40, 6))
async def test_cut_off_in_the_middle_of_recording_an_alert(world: World, after: int) -> None:
    """Cancelled at any moment, an alert is recorded wholly or not at all, and once in the end."""
    raised = alert(level=Level.ORANGE)
    recording = asyncio.create_task(world.store.record_alert(raised, RULES))
    for _ in range(after):
        await asyncio.sleep(0)
    recording.cancel()
    await asyncio.gather(recording, return_exceptions=True)
    rows = (await world.store.account()).rows
    assert (rows["alert"], rows["incident"], rows["page"]) in {(0, 0, 0), (1, 1, 6)}
    await world.store.record_alert(raised, RULES)
    view = await world.show(incident_id(raised.id))
    assert (len(view.pages), len(view.tasks)) == (6, 1)
