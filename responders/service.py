"""The process `fenghuo respond`: opens what it needs, runs its loops, stops in order."""

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

import structlog
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from config.data import Data
from config.settings import RespondSettings, Settings
from domain.errors import DatabaseUnavailable, Fault, InvalidConfiguration
from domain.levels import Grade
from responders import circuits, deadman, dispatch, intake, limits, measuring, outbox
from responders.cases import Rules
from responders.channels import Channel, channel_names, open_channels
from responders.loops import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, Bell, Health, keep_running, wait_for
from responders.metrics import INCIDENTS_OPEN
from responders.migrate import migrate
from responders.store import Store

log = structlog.get_logger()

HOUSEKEEPING_SECONDS = 5.0
SEAL_SECONDS = 3_600.0
"""Between seals on the record of cases."""
STOP_SECONDS = 10.0
"""How long loops may take to finish what they claimed; then they are cut, and leases and offsets see to the rest."""

HEALTH = web.AppKey("health", Health)
Loop = Callable[[], Awaitable[None]]


async def run_responder(settings: Settings, data: Data, stopping: asyncio.Event) -> None:
    """Run intake, dispatch, outbox and dead-man's switch until stopping.

    Brings the database to this release's schema first. Waits for broker and database as long as they are away.
    InvalidConfiguration when the database is newer, or its address or password is wrong.
    """
    dsn = settings.database.dsn.value
    if not dsn:
        raise InvalidConfiguration([Fault("FENGHUO_DATABASE_DSN", "is not set")])
    health = Health()
    health.expect("database")
    async with _serve_health(settings.respond, health):
        if not await _migrate_patiently(dsn, health, stopping):
            return
        async with (
            Store.open(dsn, settings.database.pool_size) as store,
            open_channels(settings, data, store) as channels,
        ):
            loops = _loops(settings, data, store, channels, health, stopping)
            for name in loops:  # first: not all is well until each has worked once
                health.expect(name)
            health.beat("database")
            await _run_all(loops, health, stopping)


def _loops(
    settings: Settings,
    data: Data,
    store: Store,
    channels: dict[str, Channel],
    health: Health,
    stopping: asyncio.Event,
) -> dict[str, Loop]:
    """Name the loops of the process."""
    rules = Rules(data, channel_names(settings.respond, (*data.chats, *data.services)))
    bell = Bell()
    instance = f"{socket.gethostname()}:{os.getpid()}"
    vital = ("intake", "outbox", "timers", *(f"pages:{name}" for name in channels), "deadman")
    return {
        "intake": partial(
            intake.run_intake,
            settings.broker,
            intake.URGENT,
            intake.Intake(store, rules),
            health,
            "intake",
            stopping,
        ),
        "intake:bulk": partial(
            intake.run_intake,
            settings.broker,
            intake.BULK,
            intake.Intake(store, rules),
            health,
            "intake:bulk",
            stopping,
        ),
        "timers": partial(
            dispatch.run_timers, store, rules, settings.respond.poll_seconds, bell, health, stopping
        ),
        **{
            f"pages:{name}": partial(
                dispatch.run_channel, store, channel, bell, health, stopping, data.pacing
            )
            for name, channel in channels.items()
        },
        "circuits": partial(circuits.run_circuits, store, rules, tuple(channels.values()), health, stopping),
        "outbox": partial(outbox.run_outbox, store, settings.broker, bell, health, stopping),
        "deadman": partial(deadman.run_deadman, store, rules, settings.respond, instance, health, stopping),
        "sign_of_life": partial(deadman.run_sign_of_life, settings.respond, vital, health, stopping),
        "limits": partial(limits.run_limits, store, data.aqi, health, stopping),
        "figures": partial(measuring.run_figures, store, health, stopping),
        "housekeeping": partial(_keep_house, store, channels, health, stopping),
        "bell": partial(_until_stopping, partial(dispatch.run_bell, store, bell, health), stopping),
    }


async def _run_all(loops: dict[str, Loop], health: Health, stopping: asyncio.Event) -> None:
    """Run loops until stopping, then give them time to finish what they hold."""
    tasks = [
        asyncio.create_task(keep_running(name, body, health, stopping), name=name)
        for name, body in loops.items()
    ]
    log.info("responder_started", loops=len(tasks))
    try:
        await stopping.wait()
        _, unfinished = await asyncio.wait(tasks, timeout=STOP_SECONDS)
        if unfinished:
            log.warning("loops_cut", loops=sorted(task.get_name() for task in unfinished))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    log.info("responder_stopped")


async def _until_stopping(body: Loop, stopping: asyncio.Event) -> None:
    """Run a body that knows no end until stopping."""
    running = asyncio.ensure_future(body())
    stop = asyncio.ensure_future(stopping.wait())
    try:
        await asyncio.wait({running, stop}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            await running
    finally:
        for future in (running, stop):
            future.cancel()
        await asyncio.gather(running, stop, return_exceptions=True)


async def _migrate_patiently(dsn: str, health: Health, stopping: asyncio.Event) -> bool:
    """Bring the schema up to date, waiting for the database; False when it was time to stop first."""
    pause = FIRST_PAUSE_SECONDS
    while not stopping.is_set():
        try:
            await migrate(dsn)
        except DatabaseUnavailable as error:
            health.lose("database", type(error).__name__)
            await wait_for(stopping, pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        else:
            return True
    return False


async def _keep_house(
    store: Store, channels: dict[str, Channel], health: Health, stopping: asyncio.Event
) -> None:
    """Forget what is old, count what is open, pass on pages over channels that are gone, seal the record."""
    sealed = time.monotonic()
    while not stopping.is_set():
        await store.workers.prune()
        await dispatch.pass_on_stranded(store, channels)
        counts = await store.workers.open_by_grade()
        for grade in Grade:
            INCIDENTS_OPEN.labels(grade.name).set(counts.get(grade, 0))
        if time.monotonic() - sealed >= SEAL_SECONDS:
            await _seal(store)
            sealed = time.monotonic()
        health.beat("housekeeping")
        await wait_for(stopping, HOUSEKEEPING_SECONDS)


async def _seal(store: Store) -> None:
    """Seal the record, and tell the log, which leaves the house where logs are collected elsewhere."""
    if (seal := await store.audit.seal()) is not None:
        log.info("record_sealed", number=seal.number, entries=seal.entries, digest=seal.digest.hex())


@asynccontextmanager
async def _serve_health(settings: RespondSettings, health: Health) -> AsyncIterator[None]:
    """Serve /metrics and /healthz."""
    app = web.Application()
    app[HEALTH] = health
    app.add_routes([web.get("/metrics", _metrics), web.get("/healthz", _healthz)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, settings.metrics_host, settings.metrics_port).start()
        except OSError as error:
            raise InvalidConfiguration(
                [Fault("respond.metrics_port", f"cannot be opened: {error.strerror}")]
            ) from error
        yield
    finally:
        await runner.cleanup()


async def _metrics(request: web.Request) -> web.Response:
    return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})


async def _healthz(request: web.Request) -> web.Response:
    """200 while every loop works, else 503 with those that do not and why."""
    lost = request.app[HEALTH].lost
    return web.json_response({"ok": not lost, "lost": lost}, status=503 if lost else 200)
