"""The body of every agent: work messages off at the desk of their partition."""

from collections.abc import AsyncIterable

from streams.desk import Incoming
from streams.partitions import Partitions


async def work_off(messages: AsyncIterable[Incoming], partitions: Partitions) -> None:
    """Work off messages for ever; what goes wrong with one of them is set aside, broker errors pass through."""
    async for message in messages:
        await partitions.take(message)
