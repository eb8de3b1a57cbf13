"""`fenghuo bench live`: thousands of live pages on one console process, and how late a change reaches them.

The console is a process of its own, the pages are another's (raw HTTP over asyncio, since a client library would cost more
than what is measured). Each change is a new case of the county: from the time in its row to the arrival of the frame at each
page, through the database, the hub and the sockets of this machine.
"""

import asyncio
import multiprocessing
import re
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from multiprocessing.connection import Connection
from pathlib import Path
from time import time

import numpy as np
from msgspec import Struct, structs

from benchmarks.gateway import cpu_seconds
from config.data import load_data
from config.settings import ConsoleSettings, DatabaseSettings, Secret, Settings
from domain.clock import Clock
from domain.findings import Alert, AlertChange
from domain.identity import derived_id
from domain.levels import Domain, Level
from domain.registry import Area
from fenghuo.embedded import embedded_postgres, free_port
from responders.cases import Rules
from responders.migrate import migrate
from responders.store import Store
from responders.tokens import NewToken, Scope, make_token
from responders.views import Role, User

Say = Callable[[str], None]
COUNTY = "990101"
ACCOUNTS = 200
"""Posts of a county with their townships; each has many pages open, as wall displays and duty rooms do."""
AT_ONCE = 50
"""Pages that connect at a time: a browser comes back after a second, not all in the same millisecond."""
CHANGED = re.compile(rb'"changed_at":"([^"]+)"')
SETTLE_SECONDS = 2.0
WALL = Clock(
    wall_anchor=datetime.fromtimestamp(0, UTC), county_anchor=datetime.fromtimestamp(0, UTC), factor=1.0
)


class LiveResult(Struct, frozen=True, kw_only=True):
    """What was measured; latencies in milliseconds of wall time, over every frame at every page."""

    pages: int
    accounts: int
    changes: int
    changes_per_second: float
    frames: int
    missing: int
    doubles: int
    resyncs: int
    p50_ms: float
    p99_ms: float
    most_ms: float
    console_core_share: float


@dataclass
class Counted:
    """What the pages saw."""

    delays: list[float]
    resyncs: int = 0
    doubles: int = 0
    """Frames that came again, or behind a newer one."""


@lru_cache(maxsize=1_000)
def seconds_of(text: bytes) -> float:
    """Read a time; thousands of pages are told the same one."""
    return datetime.fromisoformat(text.decode()).timestamp()


class Page(asyncio.Protocol):
    """One page: asks for the events and notes when each change of a case arrives."""

    def __init__(self, request: bytes, counted: Counted, begun: "asyncio.Future[None]") -> None:
        """Keep what to ask, and who counts."""
        self._request, self._counted, self._begun, self._rest = request, counted, begun, b""
        self._last = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask."""
        assert isinstance(transport, asyncio.Transport)
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Read whole events; the rest waits for more."""
        now = time()
        *whole, self._rest = (self._rest + data).split(b"\n\n")
        for event in whole:
            if b"event: clock" in event and not self._begun.done():
                self._begun.set_result(None)
            elif b"event: resync" in event:
                self._counted.resyncs += 1
            elif b"event: incident" in event and (found := CHANGED.search(event)):
                number = int(event.partition(b"id: ")[2].partition(b"\n")[0])
                self._counted.doubles += number <= self._last
                self._last = number
                self._counted.delays.append((now - seconds_of(found[1])) * 1000)

    def connection_lost(self, exc: Exception | None) -> None:
        """A page that could not begin is told of at once."""
        if not self._begun.done():
            self._begun.set_exception(exc or ConnectionError("the console closed the stream"))


async def measure(pages: int, rate: float, seconds: float, say: Say) -> LiveResult:
    """Open the pages, change a case so many times a second, and collect what each page saw."""
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(prefix="fenghuo-", ignore_cleanup_errors=True) as name:
        async with embedded_postgres(Path(name)) as dsn:
            await migrate(dsn)
            port = free_port()
            console = context.Process(target=serve, args=(dsn, port), daemon=True)
            console.start()
            async with Store.open(dsn, 4) as store:
                tokens = await _fill(store)
                await _answers(port)
                ours, theirs = context.Pipe()
                say(f"{pages:,} pages open")
                watching = context.Process(target=watch, args=(port, tokens, pages, theirs), daemon=True)
                watching.start()
                await asyncio.to_thread(ours.recv)
                await asyncio.sleep(SETTLE_SECONDS)
                before, began = cpu_seconds(console.pid or 0), time()
                changes = int(rate * seconds)
                say(f"{changes:,} changes in {seconds:g} seconds")
                await _change(store, changes, rate)
                took = time() - began
                await asyncio.sleep(SETTLE_SECONDS)
                share = (cpu_seconds(console.pid or 0) - before) / took
                ours.send("stop")
                delays, doubles, resyncs = await asyncio.to_thread(ours.recv)
            for process in (watching, console):
                process.terminate()
                process.join()
    seen = np.frombuffer(delays, dtype=np.float64)
    p50, p99, most = (
        (float(value) for value in np.percentile(seen, [50, 99, 100])) if len(seen) else (0.0,) * 3
    )
    return LiveResult(
        pages=pages,
        accounts=ACCOUNTS,
        changes=changes,
        changes_per_second=round(changes / took, 1),
        frames=len(seen),
        missing=max(changes * pages - len(seen), 0),
        doubles=doubles,
        resyncs=resyncs,
        p50_ms=round(p50, 1),
        p99_ms=round(p99, 1),
        most_ms=round(most, 1),
        console_core_share=round(share, 2),
    )


async def _fill(store: Store) -> list[str]:
    """Put a county and its accounts into the store, each with a token; the tokens."""
    await store.set_clock(WALL)
    await store.put_areas([Area(code=code, name=code) for code in ("99", "9901", COUNTY)])
    posts = [
        User(
            id=derived_id("user", str(number)),
            login=str(number),
            display=f"{number}号席",
            role=Role.OFFICER,
            area=COUNTY,
        )
        for number in range(ACCOUNTS)
    ]
    await store.put_users(posts)
    tokens = []
    for post in posts:
        token, digest = make_token()
        wanted = NewToken(name="bench", login=post.login, scopes=(Scope.FEEDS,), days=1)
        await store.tokens.add(None, wanted, digest, derived_id("token", post.login))
        tokens.append(token)
    return tokens


async def _change(store: Store, changes: int, rate: float) -> None:
    """Open cases one after another, at a steady rate of wall time."""
    data = load_data()
    apart = tuple(structs.replace(rule, members=1, recurs_days=0.0) for rule in data.groupings)
    rules = replace(Rules(data, ("console",)), data=structs.replace(data, groupings=apart))
    category = next(one for one in data.categories.values() if one.public)
    loop = asyncio.get_running_loop()
    began = loop.time()
    for number in range(changes):
        await asyncio.sleep(max(began + number / rate - loop.time(), 0))
        now = datetime.now(UTC)
        alert = Alert(
            id=derived_id("alert", str(number)),
            version=1,
            change=AlertChange.RAISED,
            domain=Domain(category.domain),
            category=category.slug,
            county=COUNTY,
            place=COUNTY,
            level=Level.BLUE,
            reason="measured",
            evidence=(),
            opened_at=now,
            changed_at=now,
            received_at=now,
            zh=f"第 {number} 次变化",
            en=f"change {number}",
        )
        await store.record_alert(alert, rules)


async def _answers(port: int) -> None:
    """Wait until the console takes connections."""
    async with asyncio.timeout(60):
        while True:
            with suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.1)


def serve(dsn: str, port: int) -> None:
    """Run the console; a process of its own."""
    from dashboards.app import run_console

    settings = Settings(console=ConsoleSettings(port=port), database=DatabaseSettings(dsn=Secret(dsn)))
    asyncio.run(run_console(settings, load_data(), asyncio.Event()))


def watch(port: int, tokens: list[str], pages: int, pipe: Connection) -> None:
    """Open the pages and count until told to stop; a process of its own."""
    asyncio.run(_watch(port, tokens, pages, pipe))


async def _watch(port: int, tokens: list[str], pages: int, pipe: Connection) -> None:
    counted, loop = Counted([]), asyncio.get_running_loop()
    gate = asyncio.Semaphore(AT_ONCE)

    async def follow(token: str) -> None:
        async with gate:
            begun: asyncio.Future[None] = loop.create_future()
            head = f"GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n\r\n"
            await loop.create_connection(lambda: Page(head.encode(), counted, begun), "127.0.0.1", port)
            await begun

    await asyncio.gather(*(follow(tokens[number % len(tokens)]) for number in range(pages)))
    pipe.send("open")
    await asyncio.to_thread(pipe.recv)
    pipe.send((np.asarray(counted.delays, dtype=np.float64).tobytes(), counted.doubles, counted.resyncs))
