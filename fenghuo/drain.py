"""Waits until everything that was accepted is in effect, by what topics and tables show."""

import asyncio
from uuid import UUID

import structlog

from domain.codec import decode
from domain.errors import InvalidInput
from domain.topics import ALERTS, FINDINGS
from fenghuo.accounting import Balance, balance, read_accepted
from fenghuo.topic_reading import end_of, read_to_end
from responders.store import Store

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.5
QUIET_SECONDS = 3.0
"""Findings and alerts that stand still for longer than a checkpoint takes: the stream has nothing left to say."""


async def drain(bootstrap: str, store: Store, deadline_seconds: float) -> Balance:
    """Wait until nothing accepted is missing and no finding or alert is under way, or until the deadline.

    Answers the balance either way; a `lost` above 0 then tells what is missing.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + deadline_seconds
    accepted = await read_accepted(bootstrap)
    # The whole comparison takes seconds: first wait until the sums can match.
    wanted = accepted.total - len(accepted.rejected_ids)
    while await _in_effect(store) < wanted and loop.time() < deadline:  # noqa: ASYNC110  # others work
        await asyncio.sleep(POLL_SECONDS)
    result = await balance(accepted, store)
    while result.lost and loop.time() < deadline:
        await asyncio.sleep(POLL_SECONDS)
        result = await balance(accepted, store)
    await until_quiet(bootstrap, store, deadline_seconds)
    if result.lost:
        log.warning("drain_gave_up", lost=result.lost)
    return result


async def _in_effect(store: Store) -> int:
    account = await store.account()
    kinds = ("ticket", "report", "bulletin", "late_reading")
    return account.readings + sum(account.rows.get(kind, 0) for kind in kinds)


async def until_quiet(bootstrap: str, store: Store, deadline_seconds: float) -> None:
    """Wait until findings and alerts stand still and each alert version is in the database."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + deadline_seconds
    ends, since = await end_of(bootstrap, FINDINGS, ALERTS), loop.time()
    while loop.time() < deadline:
        await asyncio.sleep(POLL_SECONDS)
        now = await end_of(bootstrap, FINDINGS, ALERTS)
        if now != ends:
            ends, since = now, loop.time()
        elif loop.time() - since >= QUIET_SECONDS:
            stored = {(one.alert, one.version) for one in (await store.account()).alerts}
            if await _alerts_on_topic(bootstrap) <= stored:
                return


async def _alerts_on_topic(bootstrap: str) -> set[tuple[UUID, int]]:
    found = set()
    async for message in read_to_end(bootstrap, ALERTS):
        try:
            alert = decode(ALERTS, message.value, message.headers)
        except InvalidInput:
            continue
        found.add((alert.id, alert.version))
    return found


async def pages_are_out(store: Store) -> bool:
    """Say whether no page is due or being sent; new ones come up as long as the county's clock runs."""
    pages = (await store.account()).pages_by_state
    return not pages.get("due") and not pages.get("sending")
