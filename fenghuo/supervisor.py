"""Runs the stages as processes of their own and starts again whichever dies."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import msgspec
import structlog

from domain.errors import Unavailable
from fenghuo.processes import child_process
from fenghuo.running import Stage

log = structlog.get_logger(__name__)

PROCESSES_FILE = "processes.json"
PAUSE_SECONDS = 0.5
EARLY_SECONDS = 5.0
EARLY_DEATHS = 5
"""So many deaths in a row, each within EARLY_SECONDS of its start, mean that starting again does not help."""
POLL_SECONDS = 0.1


class Supervisor:
    """Keeps processes running while `open` is; writes `processes.json` with their pids and restarts into `folder`."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        """Take the folder for logs and the environment that the processes get."""
        self._folder = folder
        self._environment = dict(environment)
        self._tasks: dict[Stage, asyncio.Task[None]] = {}
        self.pids: dict[Stage, int] = {}
        self.restarts: dict[Stage, int] = {}
        self.failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Fails when a process cannot be kept running."""

    @classmethod
    @asynccontextmanager
    async def open(cls, folder: Path, environment: Mapping[str, str]) -> AsyncIterator["Supervisor"]:
        """Supervise until the context closes; then end all, the latest started first."""
        supervisor = cls(folder, environment)
        try:
            yield supervisor
        finally:
            for task in reversed(supervisor._tasks.values()):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, Unavailable):
                    await task
            supervisor.failure.cancel()

    def start(self, stage: Stage) -> None:
        """Start a stage and keep it running."""
        self.restarts[stage] = 0
        self._tasks[stage] = asyncio.create_task(self._keep(stage), name=f"keep {stage}")

    async def _keep(self, stage: Stage) -> None:
        loop = asyncio.get_running_loop()
        file = self._folder / f"{stage}.log"
        early = 0
        while True:
            began = loop.time()
            command: list[str | Path] = [sys.executable, "-m", "fenghuo", stage.value]
            async with child_process(command, log=file, environment=self._environment) as process:
                self.pids[stage] = process.pid
                self._tell()
                status = await process.wait()
            self.restarts[stage] += 1
            early = early + 1 if loop.time() - began < EARLY_SECONDS else 0
            log.warning("process_died", stage=stage.value, status=status, restarts=self.restarts[stage])
            if early >= EARLY_DEATHS and not self.failure.done():
                self.failure.set_exception(
                    Unavailable(f"{stage} ends with status {status} again and again: {file}")
                )
                return
            await asyncio.sleep(PAUSE_SECONDS)

    def _tell(self) -> None:
        known = {
            stage.value: {"pid": pid, "restarts": self.restarts[stage]} for stage, pid in self.pids.items()
        }
        place = self._folder / PROCESSES_FILE
        draft = place.with_suffix(".new")
        draft.write_bytes(msgspec.json.encode(known))
        draft.replace(place)  # whoever reads it meets the old or the new one, never half of it

    async def until(self, holds: Callable[[], Awaitable[bool]], what: str, seconds: float) -> None:
        """Wait until a condition holds; Unavailable when it does not in time or a process cannot be kept running."""
        try:
            async with asyncio.timeout(seconds):
                while not await holds():
                    if self.failure.done():
                        self.failure.result()
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError as error:
            raise Unavailable(f"{what} did not come about within {seconds:g} seconds") from error


async def is_healthy(session: aiohttp.ClientSession, port: int) -> bool:
    """Ask a stage whether it can work."""
    try:
        async with session.get(f"http://127.0.0.1:{port}/healthz") as answer:
            return answer.status == 200
    except (aiohttp.ClientError, OSError, TimeoutError):
        return False
