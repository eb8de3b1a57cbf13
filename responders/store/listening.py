"""Listening for committed changes over LISTEN, across lost connections."""

import asyncio
import random
from collections.abc import AsyncIterator

import structlog

from domain.errors import DatabaseUnavailable
from responders.store.pool import LOST, connect
from responders.store.queries import sql

log = structlog.get_logger()

CHANNEL = "fenghuo_changes"


async def listen(dsn: str) -> AsyncIterator[int]:
    """Yield ids of changes as they are committed; after each (re)connect first the newest id there is.

    Ids are hints to read `changes_since`: one may come twice, and those of a lost connection do not come at all.
    """
    pause = 0.1
    lost = False
    while True:
        try:
            async for change in _listen_once(dsn):
                if lost:
                    log.info("changes_back")
                lost, pause = False, 0.1
                yield change
        except (DatabaseUnavailable, *LOST):
            pass
        if not lost:
            log.warning("changes_lost")
            lost = True
        await asyncio.sleep(pause * random.uniform(0.5, 1.0))
        pause = min(pause * 2, 5.0)


async def _listen_once(dsn: str) -> AsyncIterator[int]:
    """Yield ids until the connection ends."""
    connection = await connect(dsn)
    arrived: asyncio.Queue[int | None] = asyncio.Queue()
    try:
        connection.add_termination_listener(lambda _: arrived.put_nowait(None))
        await connection.add_listener(
            CHANNEL, lambda _c, _pid, _channel, payload: arrived.put_nowait(int(payload))
        )
        yield int(await connection.fetchval(sql("newest_change")))
        while (change := await arrived.get()) is not None:
            while not arrived.empty():  # a slow reader needs the newest only
                newer = arrived.get_nowait()
                if newer is None:
                    yield change
                    return
                change = max(change, newer)
            yield change
    finally:
        await connection.close(timeout=5)
