"""Sending the pages of one channel: claimed in batches, sent side by side, their outcomes recorded in batches."""

import asyncio
from collections.abc import Sequence

import structlog

from config.pacing import Pacing
from domain.errors import DatabaseUnavailable
from responders.cases import Cause, Claimed, Outcome, Result
from responders.channels import Channel
from responders.loops import wait_for
from responders.metrics import LETTERS, PAGE_LATENCY, PAGES
from responders.store import Store

log = structlog.get_logger()

LEASE_SECONDS = 60.0
"""Much longer than any channel's timeout, so that a slow sender is not taken for a dead one."""
AT_ONCE = 128
"""Messages of one channel under way at a time in one process."""
RESERVED = 32
"""How many more of grades I and II may be: however slow the other side is, they do not wait behind others."""
LEAST_ROOM = AT_ONCE // 4
"""So much room is waited for before the next claim, so that claims are of batches."""
ROOM_SECONDS = 0.1
"""Longest wait for that much room."""
GATHER_SECONDS = 0.01
"""What ends within so long is written down together."""
UNKNOWN = frozenset({Cause.TIMEOUT, Cause.BAD_ANSWER})
"""Causes after which a message may be out all the same."""
AGAIN_SECONDS = 0.5
"""Between tries to write outcomes down while the database is away."""


class Sender:
    """Sends one channel's messages; claims more as soon as there is room, whatever a slow message takes."""

    def __init__(self, store: Store, channel: Channel, pacing: Sequence[Pacing] | None) -> None:
        """Take the store, the channel, and the pacing of outside channels."""
        self._store = store
        self._channel = channel
        self._pacing = pacing if channel.outside else None
        self._sending: set[asyncio.Task[None]] = set()
        self._roomy = asyncio.Event()
        self._ended: list[tuple[Claimed, Outcome]] = []
        self._recorder: asyncio.Task[None] | None = None
        self._failure: BaseException | None = None
        self._patience_until = 0.0

    async def start_due(self) -> bool:
        """Claim what is due and begin to send it; says whether there is nothing more to claim.

        Raises what a send or a record failed with, once.
        """
        self._raise_failure()
        room = AT_ONCE - len(self._sending)
        if room < LEAST_ROOM:
            self._roomy.clear()
            await wait_for(self._roomy, ROOM_SECONDS)
            room = AT_ONCE - len(self._sending)
        urgent = room <= 0
        if urgent and (room := RESERVED + room) <= 0:
            return False
        claimed = await self._store.pages.claim_pages(
            self._channel.name, room, LEASE_SECONDS, self._pacing, urgent=urgent
        )
        for one in claimed:
            task = asyncio.create_task(self._send(one))
            self._sending.add(task)
            task.add_done_callback(self._sent)
        return len(claimed) < room and not urgent

    async def finish(self) -> None:
        """Wait for what is under way, and write it down."""
        if self._sending:
            await asyncio.wait(self._sending)
        while self._recorder is not None:
            await asyncio.wait([self._recorder])

    async def _send(self, claimed: Claimed) -> None:
        outcome = await attempt(self._channel, claimed)
        self._ended.append((claimed, outcome))  # the list of now: that of before the wait may be written down
        if self._recorder is None:
            self._patience_until = asyncio.get_running_loop().time() + LEASE_SECONDS
            self._recorder = asyncio.create_task(self._record())
            self._recorder.add_done_callback(self._recorded)

    async def _record(self) -> None:
        """Write down what has ended, as long as something has; what ends meanwhile makes the next batch.

        While the database is away outcomes are kept, no longer than their leases last: then other workers see to them.
        """
        while self._ended:
            await asyncio.sleep(GATHER_SECONDS)
            batch, self._ended = self._ended, []
            try:
                await record(self._store, self._channel, batch)
            except DatabaseUnavailable:
                if asyncio.get_running_loop().time() > self._patience_until:
                    raise
                self._ended = [*batch, *self._ended]
                await asyncio.sleep(AGAIN_SECONDS)
            else:
                self._patience_until = asyncio.get_running_loop().time() + LEASE_SECONDS

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        if AT_ONCE - len(self._sending) >= LEAST_ROOM:
            self._roomy.set()
        self._keep_failure(task)

    def _recorded(self, task: asyncio.Task[None]) -> None:
        self._recorder = None
        self._keep_failure(task)

    def _keep_failure(self, task: asyncio.Task[None]) -> None:
        """Keep what a task failed with, for the loop: the pages stay leased, and the others go on."""
        if not task.cancelled() and (failure := task.exception()) is not None:
            self._failure = failure

    def _raise_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure


async def attempt(channel: Channel, claimed: Claimed) -> Outcome:
    """Send a message, unless it may not leave, or may be out already over a channel that would send it twice.

    No answer, or none that can be understood, leaves it unknown whether it is out: then such a channel is not asked again.
    """
    if claimed.lapsed and not channel.idempotent:
        return Outcome(Result.REFUSED, Cause.OUTCOME_UNKNOWN)
    if claimed.message.drill and channel.outside:
        return Outcome(Result.REFUSED, Cause.DRILL)
    outcome = await channel.send(claimed.message)
    if outcome.result is Result.RETRY and outcome.cause in UNKNOWN and not channel.idempotent:
        return Outcome(Result.REFUSED, Cause.OUTCOME_UNKNOWN)
    return outcome


async def record(
    store: Store, channel: Channel, ended: Sequence[tuple[Claimed, Outcome]], pause: float | None = None
) -> None:
    """Write down and count what became of messages."""
    for seconds in await store.pages.record_outcomes(ended, pause):
        PAGE_LATENCY.observe(seconds)
    for claimed, outcome in ended:
        PAGES.labels(channel.name, outcome.result.value).inc(len(claimed.pages))
        LETTERS.labels(channel.name, "digest" if claimed.others else "single").inc()
        if outcome.result is not Result.DELIVERED:
            log.warning(
                "page_not_delivered",
                channel=channel.name,
                page=str(claimed.message.page),
                pages=len(claimed.pages),
                cause=outcome.cause.value,
            )
