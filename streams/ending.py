"""Ending a task for good."""

import asyncio

PAUSE_SECONDS = 0.5
"""Between two cancellations."""


async def end(task: asyncio.Task[None]) -> None:
    """Cancel a task until it has ended, and pass over how.

    Once is not enough: a client of Kafka that is just starting may swallow the cancellation, and its task would go on for
    ever.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=PAUSE_SECONDS)
    if not task.cancelled():
        task.exception()  # it was told where it happened
