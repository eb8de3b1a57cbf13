"""Workers that act on what is due: timers of cases and tasks, and pages, one loop per channel.

Any number of processes may do this at once: each row is claimed by one. A page goes due → sending (leased) → delivered,
or back to due with a pause, or failed and on to the recipient's next channel. When a worker dies in the middle, its lease
runs out and another worker takes the page: it is known to be unsent or the channel is idempotent, then it is sent (again,
under the same id); otherwise nobody can know, and the next channel is used instead, so that the person is reached perhaps
twice over two channels, but never twice over one.
"""

import asyncio
from collections.abc import Mapping

import structlog

from responders.cases import Cause, Claimed, Decision, Outcome, Reason, Result, Rules
from responders.channels import Channel
from responders.loops import Bell, Health
from responders.metrics import ESCALATIONS, PAGE_LATENCY, PAGES
from responders.store import Store

log = structlog.get_logger()

LEASE_SECONDS = 60.0
"""Much longer than any channel's timeout, so that a slow sender is not taken for a dead one."""
AT_ONCE = 16
"""Pages of one channel under way at a time in one process."""
IDLE_SECONDS = 1.0
"""Longest wait between looks for pages; the bell of a new page cuts it short."""
CLIMBS = frozenset({Reason.NOT_ACKNOWLEDGED, Reason.TOP_REPEATS})


async def act_on_timers(store: Store, rules: Rules) -> int:
    """Act on every timer that has run out, one transaction each; answers how many."""
    acted = 0
    while decision := await store.workers.escalate_next(rules):
        _count(decision)
        acted += 1
    while await store.workers.remind_next(rules):
        acted += 1
    while await store.pleas.lapse_next(rules):
        acted += 1
    while await store.drills.act_next(rules):
        acted += 1
    while await store.roster.watch_next(rules):
        acted += 1
    while await store.roster.remind_hand_over_next(rules):
        acted += 1
    return acted


def _count(decision: Decision) -> None:
    if decision.reason in CLIMBS:
        ESCALATIONS.labels(f"L{decision.step + 1}").inc()
        log.info("incident_escalated", step=decision.step, loop=decision.loop, reason=decision.reason.value)


async def run_timers(
    store: Store, rules: Rules, seconds: float, bell: Bell, health: Health, stopping: asyncio.Event
) -> None:
    """Look for timers every so many wall seconds."""
    while not stopping.is_set():
        await act_on_timers(store, rules)
        health.beat("timers")
        await bell.wait("timers", seconds)


async def send_due(
    store: Store, channel: Channel, *, lease_seconds: float = LEASE_SECONDS, pause: float | None = None
) -> int:
    """Claim and send due pages of a channel; answers how many were claimed.

    A page whose outcome could not be written down stays leased; the others are not kept from theirs.
    """
    claimed = await store.pages.claim_pages(channel.name, AT_ONCE, lease_seconds)
    ends = await asyncio.gather(
        *(_send(store, channel, one, pause) for one in claimed), return_exceptions=True
    )
    for end in ends:
        if isinstance(end, BaseException):
            raise end
    return len(claimed)


async def _send(store: Store, channel: Channel, claimed: Claimed, pause: float | None) -> None:
    if claimed.lapsed and not channel.idempotent:
        outcome = Outcome(Result.REFUSED, Cause.OUTCOME_UNKNOWN)
    elif claimed.message.drill and channel.outside:
        outcome = Outcome(Result.REFUSED, Cause.DRILL)
    else:
        outcome = await channel.send(claimed.message)
    await store.pages.record_outcome(claimed, outcome, pause)
    PAGES.labels(channel.name, outcome.result.value).inc()
    if outcome.result is Result.DELIVERED:
        await _measure(store, claimed)
    else:
        log.warning(
            "page_not_delivered",
            channel=channel.name,
            page=str(claimed.message.page),
            cause=outcome.cause.value,
        )


async def _measure(store: Store, claimed: Claimed) -> None:
    """Note how long the first page of a new case took since the gateway's receipt."""
    if claimed.message.reason != Reason.OPENED.value:
        return
    clock = await store.clock()
    if clock.factor:
        PAGE_LATENCY.observe(max((clock.now() - claimed.received_at).total_seconds(), 0.0) / clock.factor)


async def run_channel(
    store: Store, channel: Channel, bell: Bell, health: Health, stopping: asyncio.Event
) -> None:
    """Send a channel's pages as they become due; a slow channel holds up only itself."""
    loop = f"pages:{channel.name}"
    while not stopping.is_set():
        sent = await send_due(store, channel)
        health.beat(loop)
        if sent < AT_ONCE:
            await bell.wait(loop, IDLE_SECONDS)


class NotSetUp:
    """Stands in for a channel that pages were ordered over and that the settings no longer set up: refuses them all."""

    idempotent = True
    outside = False

    def __init__(self, name: str) -> None:
        """Take the channel's name."""
        self.name = name

    async def send(self, message: object) -> Outcome:
        """Refuse, so that the recipient's next channel is tried."""
        return Outcome(Result.REFUSED, Cause.NOT_SET_UP)


async def pass_on_stranded(store: Store, channels: Mapping[str, Channel]) -> int:
    """Have pages over channels that are not set up fall over; answers how many."""
    stranded = await store.pages.channels_waiting() - channels.keys()
    return sum([await send_due(store, NotSetUp(name)) for name in sorted(stranded)])


async def run_bell(store: Store, bell: Bell, health: Health) -> None:
    """Ring at each change in the database, whoever made it."""
    async for _ in store.listen():
        health.beat("bell")
        bell.ring()
