"""The responder's loops: each goes on after an error, tells once when lost and once when back, and stops in order."""

import asyncio
import random
from collections.abc import Awaitable, Callable

import structlog

from domain.errors import Unavailable
from responders.metrics import FAILURES

log = structlog.get_logger()

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0


class Health:
    """Which loops work; read by /healthz and by the dead-man's switch."""

    def __init__(self) -> None:
        """Begin with nothing known to work."""
        self._beats: dict[str, float] = {}
        self._lost: dict[str, str] = {}

    def expect(self, loop: str) -> None:
        """Name a loop that must work before all is well."""
        self._lost.setdefault(loop, "starting")

    def beat(self, loop: str) -> None:
        """Note that a round of a loop succeeded."""
        self._beats[loop] = asyncio.get_running_loop().time()
        reason = self._lost.pop(loop, None)
        if reason is not None and reason != "starting":
            log.info("loop_back", loop=loop)

    def lose(self, loop: str, reason: str) -> None:
        """Note that a round of a loop failed; logged when it worked before."""
        if self._lost.get(loop, "starting") == "starting":
            log.warning("loop_lost", loop=loop, reason=reason)
        self._lost[loop] = reason

    @property
    def lost(self) -> dict[str, str]:
        """Which loops do not work, and why."""
        return dict(self._lost)

    def works(self, *loops: str, within_seconds: float) -> bool:
        """Say whether each of the loops succeeded lately."""
        now = asyncio.get_running_loop().time()
        return all(
            loop not in self._lost and now - self._beats.get(loop, -within_seconds) < within_seconds
            for loop in loops
        )


class Bell:
    """Wakes loops that wait for work; a ring while a loop is busy is heard when it waits next."""

    def __init__(self) -> None:
        """Begin silent."""
        self._waiters: dict[str, asyncio.Event] = {}

    def ring(self) -> None:
        """Wake every loop."""
        for event in self._waiters.values():
            event.set()

    async def wait(self, loop: str, seconds: float) -> None:
        """Wait for a ring, at most so long."""
        event = self._waiters.setdefault(loop, asyncio.Event())
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            return
        event.clear()


async def keep_running(
    loop: str, body: Callable[[], Awaitable[None]], health: Health, stopping: asyncio.Event
) -> None:
    """Run a loop's body until stopping, again after each error, with growing pauses.

    The body itself runs until stopping and calls `health.beat` after each round.
    """
    health.expect(loop)
    pause = FIRST_PAUSE_SECONDS
    while not stopping.is_set():
        before = health.works(loop, within_seconds=float("inf"))
        try:
            await body()
        except Unavailable as error:
            health.lose(loop, type(error).__name__)
        except Exception as error:  # the outermost loop: everything else must go on
            if loop not in health.lost or health.lost[loop] == "starting":
                log.exception("loop_failed", loop=loop)
            health.lose(loop, type(error).__name__)
        else:
            continue
        FAILURES.labels(loop, health.lost[loop]).inc()
        pause = FIRST_PAUSE_SECONDS if before else min(pause * 2, LONGEST_PAUSE_SECONDS)
        await wait_for(stopping, pause * random.uniform(0.5, 1.0))


async def wait_for(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event, at most so long."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
