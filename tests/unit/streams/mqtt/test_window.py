"""Acknowledgements go out in order, when all of a message is written, and never after something was not."""

import asyncio

import pytest

from streams.mqtt.window import Window


class World:
    """A window, and what it did."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.acknowledged: list[int] = []
        self.failures = 0
        self.seconds: list[float] = []
        self.window = Window(self.acknowledged.append, self._fail, self.seconds.append)

    def _fail(self) -> None:
        self.failures += 1


@pytest.fixture
async def world() -> World:
    """Make a window inside a running loop."""
    return World()


async def test_in_the_order_in_which_they_came(world: World) -> None:
    """A message that is done early waits for those before it."""
    first, second, third = (world.window.open(mid) for mid in (7, 8, 9))
    second.done(well=True)
    third.done(well=True)
    assert world.acknowledged == []
    first.done(well=True)
    assert world.acknowledged == [7, 8, 9]
    assert len(world.seconds) == world.window.acknowledged == 3
    assert len(world.window) == 0


async def test_a_message_of_many_parts_waits_for_all(world: World) -> None:
    """Readings of several devices go different ways to the broker."""
    letter = world.window.open(1)
    for _ in range(2):
        letter.add()
    letter.done(well=True)
    letter.done(well=True)
    assert world.acknowledged == []
    letter.done(well=True)
    assert world.acknowledged == [1]


async def test_after_a_failure_nothing_is_acknowledged(world: World) -> None:
    """The first failure is told, once; the broker sends all of it again on the next connection."""
    first, second, third = (world.window.open(mid) for mid in (1, 2, 3))
    first.done(well=True)
    second.done(well=False)
    third.done(well=True)
    second.done(well=False)
    assert world.acknowledged == [1]
    assert world.failures == 1


async def test_late_answers_of_a_lost_connection_mean_nothing(world: World) -> None:
    """Message numbers are given again on the next connection."""
    letter = world.window.open(1)
    world.window.close()
    letter.done(well=True)
    letter.done(well=False)
    assert (world.acknowledged, world.failures) == ([], 0)


async def test_leaving_waits_until_nothing_is_under_way(world: World) -> None:
    """The wait ends with the last acknowledgement, or with the connection."""
    await world.window.empty()
    letter = world.window.open(1)
    waiting = asyncio.ensure_future(world.window.empty())
    await asyncio.sleep(0)
    assert not waiting.done()
    letter.done(well=True)
    await waiting
    world.window.open(2)
    waiting = asyncio.ensure_future(world.window.empty())
    world.window.close()
    await waiting
