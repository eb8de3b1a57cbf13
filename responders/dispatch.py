"""Workers that act on what is due: timers of cases and tasks, and pages, one loop per channel.

Any number of processes may do this at once: each row is claimed by one. A page goes due → sending (leased) → delivered,
or back to due with a pause, or failed and on to the recipient's next channel. When a worker dies in the middle, its lease
runs out and another worker takes the page: it is known to be unsent or the channel is idempotent, then it is sent (again,
under the same id); otherwise nobody can know, and the next channel is used instead, so that the person is reached perhaps
twice over two channels, but never twice over one.
"""

import asyncio
from collections.abc import Mapping, Sequence

import structlog

from config.pacing import Pacing
from responders.cases import Cause, Decision, Outcome, Reason, Result, Rules
from responders.channels import Channel
from responders.loops import Bell, Health, wait_for
from responders.metrics import ESCALATIONS, REPORT_LIMITS, STORM, STORMS
from responders.sending import AT_ONCE, LEASE_SECONDS, Sender, attempt, record
from responders.store import Store
from responders.store.pacing import Storm

log = structlog.get_logger()

IDLE_SECONDS = 1.0
"""Longest wait between looks for pages; the bell of a new page cuts it short."""
TIMERS_PAUSE_SECONDS, PAGES_PAUSE_SECONDS = 0.1, 0.02
"""Least pauses between looks: in a storm the bell rings with every transaction, and each look costs some."""
CLIMBS = frozenset({Reason.NOT_ACKNOWLEDGED, Reason.TOP_REPEATS})


async def act_on_timers(store: Store, rules: Rules) -> int:
    """Act on every timer that has run out, one transaction each; answers how many."""
    acted = 0
    back = await store.workers.keep_time()
    if not back.is_none:
        log.warning("clock_set_back", wall=back.wall.total_seconds(), county=back.county.total_seconds())
    for storm in await store.pacing.watch_storms(rules.data.pacing):
        _tell(storm)
        acted += 1
    while decision := await store.workers.escalate_next(rules):
        _count(decision)
        acted += 1
    while await store.workers.remind_next(rules):
        acted += 1
    while await store.pleas.lapse_next(rules):
        acted += 1
    while await store.clocks.plan_next(rules):
        acted += 1
    while (reason := await store.clocks.act_next(rules)) is not None:
        REPORT_LIMITS.labels(reason.value).inc()
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


def _tell(storm: Storm) -> None:
    """Tell of a storm's begin or end, once."""
    change = "began" if storm.began else "ended"
    log.info("storm_began" if storm.began else "storm_ended", county=storm.county, cases=storm.cases)
    STORM.labels(storm.county).set(storm.began)
    STORMS.labels(change).inc()


async def run_timers(
    store: Store, rules: Rules, seconds: float, bell: Bell, health: Health, stopping: asyncio.Event
) -> None:
    """Look for timers every so many wall seconds."""
    while not stopping.is_set():
        await act_on_timers(store, rules)
        health.beat("timers")
        await wait_for(stopping, min(seconds, TIMERS_PAUSE_SECONDS))
        await bell.wait("timers", seconds)


async def send_due(
    store: Store,
    channel: Channel,
    pacing: Sequence[Pacing] | None = None,
    *,
    lease_seconds: float = LEASE_SECONDS,
    pause: float | None = None,
) -> int:
    """Claim and send due pages of a channel once; answers how many messages were claimed.

    A message whose outcome is not known stays leased; the others are not kept from theirs.
    """
    pacing = pacing if channel.outside else None
    claimed = await store.pages.claim_pages(channel.name, AT_ONCE, lease_seconds, pacing)
    ends = await asyncio.gather(*(attempt(channel, one) for one in claimed), return_exceptions=True)
    ended = [(one, end) for one, end in zip(claimed, ends, strict=True) if not isinstance(end, BaseException)]
    if ended:
        await record(store, channel, ended, pause)
    for end in ends:
        if isinstance(end, BaseException):
            raise end
    return len(claimed)


async def run_channel(
    store: Store,
    channel: Channel,
    bell: Bell,
    health: Health,
    stopping: asyncio.Event,
    pacing: Sequence[Pacing] | None = None,
) -> None:
    """Send a channel's pages as they become due; a slow channel holds up only itself."""
    loop = f"pages:{channel.name}"
    sender = Sender(store, channel, pacing)
    try:
        while not stopping.is_set():
            idle = await sender.start_due()
            health.beat(loop)
            if idle:
                await wait_for(stopping, PAGES_PAUSE_SECONDS)
                await bell.wait(loop, IDLE_SECONDS)
    finally:
        await sender.finish()


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
