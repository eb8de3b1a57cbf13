"""The console as an aiohttp application, and its process."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import structlog
from aiohttp import web

from config.data import Data
from config.settings import Settings
from dashboards import (
    api,
    callbacks,
    cap,
    casework,
    detection,
    figures,
    links,
    pages,
    paging,
    push,
    registry,
    reports,
    review,
    roster,
    sessions,
    tasks,
)
from dashboards.attempts import Attempts
from dashboards.events import HUB, follow_events
from dashboards.hub import Hub
from dashboards.keys import DATA, DOOR, RULES, SETTINGS, STATIC, Door
from dashboards.names import NAMES, Names
from dashboards.passwords import Passwords
from dashboards.problems import tell_problems
from dashboards.security import check_origin, count_requests, know_language, set_headers
from dashboards.ways import add_ways
from domain.errors import Fault, InvalidConfiguration
from responders.cases import Rules
from responders.channels import channel_names
from responders.store import Store

log = structlog.get_logger()

STATIC_FOLDER = Path(__file__).parent / "static"
MAX_BODY_BYTES = 64 * 1024
"""The longest command is a note of 2,000 characters."""
SHUTDOWN_SECONDS = 3.0


def create_console(settings: Settings, data: Data, store: Store | None = None) -> web.Application:
    """Build the console. Without a store it answers 503 in words until one is put behind `app[DOOR]`."""
    app = web.Application(
        middlewares=[count_requests, know_language, tell_problems, check_origin, sessions.know_viewer],
        client_max_size=MAX_BODY_BYTES,
    )
    app[SETTINGS] = settings.console
    app[DATA] = data
    app[RULES] = Rules(data, channel_names(settings.respond, (*data.chats, *data.services)))
    app[DOOR] = Door(store)
    add_ways(app, settings, data)
    app[NAMES] = Names()
    app[STATIC] = f"/static/{static_version()}"
    app[HUB] = Hub(app[DOOR])
    app[sessions.ATTEMPTS] = Attempts()
    app.cleanup_ctx.append(_passwords)
    app.cleanup_ctx.append(_live)
    app.on_response_prepare.append(set_headers)
    app.on_shutdown.append(_end_streams)
    _add_routes(app)
    if not (STATIC_FOLDER / "vendor" / "preact.js").exists():
        log.warning("page_libraries_missing", remedy="run `make assets`")
    return app


def _add_routes(app: web.Application) -> None:
    case, task = "/api/v1/incidents/{incident}", "/api/v1/tasks/{task}"
    app.add_routes(
        [
            web.get("/", pages.show_queue),
            web.get("/incidents/{incident}", pages.show_incident_page),
            web.get("/incidents/{incident}/review", review.show_review_page),
            web.post("/incidents/{incident}/reports", reports.submit_from_page),
            web.get("/incidents/{incident}/reports/{kind}/{number}", reports.show_page),
            web.post("/incidents/{incident}/review/notes", review.note_from_page),
            web.post("/incidents/{incident}/review/finish", review.finish_from_page),
            web.get("/drills", review.show_drills_page),
            web.post("/drills", review.start_from_page),
            web.get("/drills/{drill}", review.show_drill_page),
            web.post("/drills/{drill}/stop", review.stop_from_page),
            web.get("/sign-in", sessions.show_sign_in),
            web.post("/sign-in", sessions.sign_in),
            web.post("/sign-out", sessions.sign_out),
            web.get("/texts/{language}.json", pages.show_texts),
            web.get("/healthz", pages.show_health),
            web.get("/metrics", pages.show_metrics),
            web.get("/api/v1/session", api.show_session),
            web.get("/api/v1/incidents", api.list_incidents),
            web.get(case, api.show_incident),
            web.post(f"{case}/acknowledge", api.acknowledge),
            web.post(f"{case}/take-over", api.take_over),
            web.post(f"{case}/disposition", api.decide),
            web.post(f"{case}/move", api.move),
            web.post(f"{case}/close", api.close),
            web.post("/api/v1/incidents", casework.open_case),
            web.post(f"{case}/merge", casework.merge),
            web.post(f"{case}/split", casework.split),
            web.post(f"{case}/parties", casework.join),
            web.post(f"{case}/parties/{{area}}/leave", casework.leave),
            web.post(f"{case}/tasks", casework.dispatch),
            web.post(f"{case}/reopen", casework.reopen),
            web.post(f"{case}/rating", casework.rate),
            web.post(f"{task}/rating", casework.rate_task),
            web.post(f"{case}/grade", paging.grade),
            web.post(f"{case}/shelve", paging.shelve),
            web.post(f"{case}/shelve/consent", paging.consent),
            web.post(f"{case}/unshelve", paging.unshelve),
            web.get("/api/v1/held", paging.list_held),
            web.get("/api/v1/maintenance", paging.list_maintenance),
            web.post("/api/v1/maintenance", paging.plan_maintenance),
            web.post("/api/v1/maintenance/{maintenance}/consent", paging.consent_to_maintenance),
            web.post("/api/v1/maintenance/{maintenance}/end", paging.end_maintenance),
            web.post(f"{task}/move", tasks.move),
            web.post(f"{task}/pleas/{{kind}}", tasks.ask),
            web.post(f"{task}/pleas/{{kind}}/answer", tasks.answer),
            web.get("/api/v1/roster", roster.show),
            web.post("/api/v1/roster/substitutions", roster.substitute),
            web.post("/api/v1/roster/swaps", roster.ask_swap),
            web.post("/api/v1/roster/swaps/{swap}/answer", roster.answer_swap),
            web.post("/api/v1/roster/hand-overs/{hand_over}/sign", roster.sign),
            web.get("/api/v1/series/{series}/curve", api.show_curve),
            web.get("/detection", detection.show_detection_page),
            web.get("/api/v1/detection", detection.show_detection),
            web.get("/api/v1/drills", review.list_drills),
            web.post("/api/v1/drills", review.start),
            web.get("/api/v1/drills/{drill}", review.show_drill),
            web.post("/api/v1/drills/{drill}/stop", review.stop),
            web.get(f"{case}/review", review.show_review),
            web.get(f"{case}/reports", reports.show),
            web.post(f"{case}/reports", reports.submit),
            web.post(f"{case}/review/notes", review.add_note),
            web.post("/api/v1/alerts/{alert}/open", detection.open_alert),
            web.get("/api/v1/response", figures.show_response),
            web.get("/api/v1/burden", figures.show_burden),
            web.get("/registry", registry.show_registry),
            web.get("/api/v1/registry/devices", registry.list_devices),
            web.get("/api/v1/registry/series", registry.list_series),
            web.get("/api/v1/registry/changes", registry.list_changes),
            web.get("/api/v1/registry/areas", registry.list_areas),
            web.post("/api/v1/registry/plan", registry.plan),
            web.post("/api/v1/registry/change", registry.change),
            web.get("/api/v1/events", follow_events),
            web.get("/api/v1/push", push.show_key),
            web.post("/api/v1/push", push.subscribe),
            web.delete("/api/v1/push", push.unsubscribe),
            web.get("/a/{token}", links.show_link),
            web.post("/a/{token}", links.press_link),
            web.post("/replies/{service}", callbacks.take_replies),
            web.post("/receipts/{service}", callbacks.take_receipts),
            web.get("/cap/feed.atom", cap.show_feed),
            web.get("/cap/{identifier}.xml", cap.show_message),
            web.static(app[STATIC], STATIC_FOLDER),
        ]
    )


def static_version() -> str:
    """Name the content of the served files, so that browsers may keep them for ever."""
    digest = hashlib.sha256()
    for path in sorted(STATIC_FOLDER.rglob("*")):
        if path.is_file():
            digest.update(f"{path.relative_to(STATIC_FOLDER)}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


async def _passwords(app: web.Application) -> AsyncIterator[None]:
    """Hash the stand-in password where its 100 ms hold nobody up."""
    app[sessions.PASSWORDS] = await asyncio.to_thread(Passwords)
    yield


async def _live(app: web.Application) -> AsyncIterator[None]:
    """Run the hub of live events."""
    async with app[HUB].running():
        yield


async def _end_streams(app: web.Application) -> None:
    """End live streams first, else the server would wait for them."""
    app[HUB].end_streams()


async def run_console(settings: Settings, data: Data, stopping: asyncio.Event) -> None:
    """Serve the console until `stopping` is set; it answers from the first moment, with 503 until the database does."""
    if not settings.database.dsn:
        raise InvalidConfiguration(
            [Fault("FENGHUO_DATABASE_DSN", "is not set: the console needs the database")]
        )
    app = create_console(settings, data)
    app.cleanup_ctx.insert(0, _store_of(settings, stopping))  # opened first, closed last
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        site = web.TCPSite(runner, settings.console.host, settings.console.port)
        await site.start()
        for address in runner.addresses:
            log.info("console_listens", host=address[0], port=address[1])
        await stopping.wait()
    finally:
        await runner.cleanup()


def _store_of(
    settings: Settings, stopping: asyncio.Event
) -> Callable[[web.Application], AsyncIterator[None]]:
    """Make the context that opens the store in the background, so that pages answer (503) before the database does.

    What waiting cannot mend (a wrong password in the settings) ends the console, and is raised from `run_console`.
    """

    async def keep_open(app: web.Application, opened: asyncio.Event, leaving: asyncio.Event) -> None:
        async with Store.open(settings.database.dsn.value, settings.database.pool_size) as store:
            app[DOOR].store = store
            opened.set()
            await leaving.wait()
            app[DOOR].store = None

    async def context(app: web.Application) -> AsyncIterator[None]:
        opened, leaving = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(keep_open(app, opened, leaving))
        task.add_done_callback(lambda _: stopping.set())
        yield
        leaving.set()
        if not opened.is_set():
            task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    return context
