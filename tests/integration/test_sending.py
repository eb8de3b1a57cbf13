"""A channel's sender: a slow message is written down like a quick one, whatever is recorded meanwhile."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from responder_world import QINGXI, FakeChannel, World, open_world

from domain.incidents import PageState
from domain.levels import Level
from responders.cases import Message, Outcome
from responders.sending import Sender


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    """A settled county with everybody on duty."""
    async with open_world(database) as opened:
        yield opened


class Uneven(FakeChannel):
    """Sends one message at once, and the others when it is told to."""

    def __init__(self) -> None:
        """Hold the others back."""
        super().__init__()
        self.go_on = asyncio.Event()

    async def send(self, message: Message) -> Outcome:
        """Send the first, or wait."""
        first = not self.calls
        outcome = await super().send(message)
        if not first:
            await self.go_on.wait()
        return outcome


async def test_a_slow_message_is_written_down_as_well(world: World) -> None:
    """What ends after others were written down is not forgotten with them."""
    incident = await world.raise_alert(QINGXI, Level.ORANGE)

    async def states() -> list[PageState]:
        return [page.state for page in (await world.show(incident)).pages if page.channel == "file"]

    channel = Uneven()
    sender = Sender(world.store, channel, None)
    await sender.start_due()
    async with asyncio.timeout(30):
        while PageState.DELIVERED not in await states():
            await asyncio.sleep(0.01)
    assert (await states()).count(PageState.SENDING) == 2
    channel.go_on.set()
    await sender.finish()
    assert await states() == [PageState.DELIVERED] * 3
