"""Child processes that end with their parent, even when it is killed, and leave a log behind."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from domain.errors import Unavailable

GUARD = Path(__file__).with_name("child.py")
POLL_SECONDS = 0.05

Command = list[str | Path]


@asynccontextmanager
async def child_process(
    command: Command,
    *,
    log: Path,
    stop: signal.Signals = signal.SIGTERM,
    orphaned: signal.Signals = signal.SIGKILL,
    grace_seconds: float = 10.0,
    user: str = "",
    environment: Mapping[str, str] | None = None,
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a program until the context closes; what it prints is appended to `log`.

    It gets `stop` first, and after `grace_seconds` the kill signal; `orphaned` when this process dies without closing.
    The thread that enters must live as long as the context: the kernel counts its end as the parent's.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    guard = [sys.executable, "-I", "-S", str(GUARD), str(os.getpid()), str(int(orphaned)), user]
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *guard,
            *map(str, command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
            env=environment,
            start_new_session=True,  # Ctrl-C in a terminal reaches us alone; we stop children in order
        )
    try:
        yield process
    finally:
        await end(process, stop, grace_seconds)


async def end(process: asyncio.subprocess.Process, stop: signal.Signals, grace_seconds: float) -> None:
    """End one process of ours: ask, wait, kill."""
    if process.returncode is not None:
        return
    process.send_signal(stop)
    try:
        async with asyncio.timeout(grace_seconds):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


async def until_ready(
    name: str,
    answers: Callable[[], Awaitable[bool]],
    process: asyncio.subprocess.Process,
    *,
    log: Path,
    within_seconds: float = 30.0,
) -> None:
    """Wait until the process answers; Unavailable, with the end of its log, when it ends or stays silent."""
    try:
        async with asyncio.timeout(within_seconds):
            while not await answers():
                _expect_running(name, process, log)
                await asyncio.sleep(POLL_SECONDS)
            _expect_running(name, process, log)  # or somebody else answered at its address
    except TimeoutError as error:
        raise Unavailable(
            f"{name} did not answer within {within_seconds:g} seconds: {last_words(log)}"
        ) from error


def _expect_running(name: str, process: asyncio.subprocess.Process, log: Path) -> None:
    if process.returncode is not None:
        raise Unavailable(f"{name} ended with status {process.returncode}: {last_words(log)}")


def last_words(log: Path) -> str:
    """Quote the end of a log on one line, with its place."""
    lines = log.read_text(errors="replace").split("\n")[-6:] if log.exists() else []
    return f"{' / '.join(line.strip() for line in lines if line.strip()) or 'it said nothing'} ({log})"
