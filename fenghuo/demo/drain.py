"""Waits until everything that was accepted is in effect, by what topics and tables show."""

import asyncio
from uuid import UUID

import structlog

from domain.codec import decode
from domain.errors import InvalidInput
from domain.topics import ALERTS, FINDINGS
from fenghuo.accounting import Balance, balance, read_accepted
from fenghuo.platform import Platform
from fenghuo.topic_reading import end_of, read_to_end
from responders.store import Store

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.5
QUIET_SECONDS = 3.0
"""Findings and alerts that stand still for longer than a checkpoint takes: the stream has nothing left to say."""


async def drain(platform: Platform, deadline_seconds: float) -> Balance:
    """Wait until nothing accepted is missing and no finding or alert is under way, or until the deadline.

    Answers the balance either way; a `lost` above 0 then tells what is missing.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + deadline_seconds
    accepted = await read_accepted(platform.settings.broker.bootstrap)
    # The whole comparison takes seconds: first wait until the sums can match.
    while (
        loop.time() < deadline
        and await _in_effect(platform.store) < accepted.total - accepted.rejected_records
    ):
        await asyncio.sleep(POLL_SECONDS)
    result = await balance(accepted, platform.store)
    while result.lost and loop.time() < deadline:
        await asyncio.sleep(POLL_SECONDS)
        result = await balance(accepted, platform.store)
    await _until_quiet(platform, deadline)
    if result.lost:
        log.warning("drain_gave_up", lost=result.lost)
    return result


async def _in_effect(store: Store) -> int:
    account = await store.account()
    kinds = ("ticket", "report", "bulletin", "late_reading")
    return account.readings + sum(account.rows.get(kind, 0) for kind in kinds)


async def _until_quiet(platform: Platform, deadline: float) -> None:
    """Wait until findings and alerts stand still and each alert version is in the database."""
    loop = asyncio.get_running_loop()
    bootstrap = platform.settings.broker.bootstrap
    ends, since = await end_of(bootstrap, FINDINGS, ALERTS), loop.time()
    while loop.time() < deadline:
        await asyncio.sleep(POLL_SECONDS)
        now = await end_of(bootstrap, FINDINGS, ALERTS)
        if now != ends:
            ends, since = now, loop.time()
        elif loop.time() - since >= QUIET_SECONDS:
            stored = {(one.alert, one.version) for one in (await platform.store.account()).alerts}
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


async def until_pages_are_out(platform: Platform, deadline_seconds: float) -> None:
    """Wait until no page is due or being sent; the county's clock should stand, or new ones come up."""

    async def done() -> bool:
        pages = (await platform.store.account()).pages_by_state
        return not pages.get("due") and not pages.get("sending")

    await platform.supervisor.until(done, "The end of all pages", deadline_seconds)
