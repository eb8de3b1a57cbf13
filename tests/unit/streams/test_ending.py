"""A task is ended, even one that swallows a cancellation."""

import asyncio

from streams.ending import end


async def test_a_task_that_swallows_a_cancellation_is_ended() -> None:
    """As a client of Kafka does while it starts: it is cancelled again."""
    swallowed = 0

    async def stubborn() -> None:
        nonlocal swallowed
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            swallowed += 1
        await asyncio.Event().wait()

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await end(task)
    assert task.cancelled()
    assert swallowed == 1


async def test_a_task_that_failed_is_ended() -> None:
    """How it ended is passed over."""

    async def fail() -> None:
        raise ValueError

    task = asyncio.create_task(fail())
    await asyncio.wait([task])
    await end(task)
    assert task.done()
