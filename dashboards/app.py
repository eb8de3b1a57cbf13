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
from dashboards import display, sessions
from dashboards.admin_ways import TRIAL, Trial
from dashboards.api_page import DESCRIBED, Described
from dashboards.areamap import MAPS, Maps
from dashboards.events import HUB
from dashboards.field import add_sealer
from dashboards.gate import GATE, PASSWORDS, Gate
from dashboards.hub import Hub
from dashboards.keys import DATA, DOOR, RULES, SETTINGS, STATIC, Door
from dashboards.names import NAMES, Names
from dashboards.oidc import PROVIDER, Provider
from dashboards.passwords import Passwords
from dashboards.personal import OPENER, Opener
from dashboards.problems import tell_problems
from dashboards.routes import ROUTES
from dashboards.security import check_origin, count_requests, know_language, set_headers
from dashboards.tokens import add_tokens
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
        middlewares=[
            count_requests,
            know_language,
            tell_problems,
            check_origin,
            sessions.know_viewer,
            display.keep_to_wall,
        ],
        client_max_size=MAX_BODY_BYTES,
    )
    app[SETTINGS] = settings.console
    app[DATA] = data
    app[RULES] = Rules(data, channel_names(settings.respond, (*data.chats, *data.services)))
    app[DOOR] = Door(store)
    add_ways(app, settings, data)
    add_sealer(app, settings)
    app[NAMES] = Names()
    app[MAPS] = Maps()
    app[STATIC] = f"/static/{static_version()}"
    app[HUB] = Hub(app[DOOR])
    app[DESCRIBED] = Described(ROUTES)
    add_tokens(app)
    app[GATE] = Gate.of(settings)
    app[OPENER] = Opener.of(settings)
    app[TRIAL] = Trial(settings, data)
    app[PROVIDER] = Provider(settings.sign_in)
    app.cleanup_ctx.append(_passwords)
    app.cleanup_ctx.append(_live)
    app.on_response_prepare.append(set_headers)
    app.on_shutdown.append(_end_streams)
    app.add_routes([*ROUTES, web.static(app[STATIC], STATIC_FOLDER)])
    if not (STATIC_FOLDER / "vendor" / "preact.js").exists():
        log.warning("page_libraries_missing", remedy="run `make assets`")
    return app


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
    app[PASSWORDS] = await asyncio.to_thread(Passwords)
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
