"""Runs one stage as this process: settings, topics, signals, an orderly end."""

import asyncio
import logging
import signal
import sys
from collections.abc import Awaitable, Callable
from enum import StrEnum

import structlog

from config.data import Data, load_data
from config.settings import Settings, load_settings
from domain.errors import Fault, InvalidConfiguration
from fenghuo.topics import ensure_topics


class Stage(StrEnum):
    """The processes of the platform."""

    GATEWAY = "gateway"
    STREAM = "stream"
    RESPOND = "respond"
    CONSOLE = "console"


Run = Callable[[Settings, Data, asyncio.Event], Awaitable[None]]


def set_up_logging(level: str) -> None:
    """Log events as lines of key=value on standard error."""
    numbers = logging.getLevelNamesMapping()
    if level.upper() not in numbers:
        raise InvalidConfiguration([Fault("log_level", f"must be one of {', '.join(numbers).lower()}")])
    number = numbers[level.upper()]
    logging.basicConfig(level=max(number, logging.WARNING), stream=sys.stderr)
    # It logs each partition it takes and each failed try to connect; our own events tell of both, once.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def read_settings() -> tuple[Settings, Data]:
    """Load and check everything before anything starts; InvalidConfiguration with every fault."""
    settings = load_settings()
    return settings, load_data(settings.data_dir)


def run_stage(stage: Stage) -> None:
    """Run a stage until SIGTERM or SIGINT."""
    settings, data = read_settings()
    set_up_logging(settings.log_level)
    asyncio.run(_until_stopped(stage, settings, data))


def _entry(stage: Stage) -> Run:
    """Import a stage only when it runs: none needs the libraries of another."""
    match stage:
        case Stage.GATEWAY:
            from streams.gateway import run_gateway

            return run_gateway
        case Stage.STREAM:
            from streams.app import run_stream

            return run_stream
        case Stage.RESPOND:
            from responders.service import run_responder

            return run_responder
        case Stage.CONSOLE:
            from dashboards.app import run_console

            return run_console


WITHOUT_TOPICS = frozenset({Stage.CONSOLE})
"""Speaks to the database alone."""
BEFORE_TOPICS = frozenset({Stage.GATEWAY})
"""Answers 503 by itself while the broker or a topic is missing, so that its callers and /healthz hear of it."""


async def _until_stopped(stage: Stage, settings: Settings, data: Data) -> None:
    run, stopping = _entry(stage), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    if stage in WITHOUT_TOPICS:
        await run(settings, data, stopping)
        return
    topics = asyncio.ensure_future(ensure_topics(settings))
    try:
        if stage not in BEFORE_TOPICS and not await _done_before(topics, stopping):
            return
        work = asyncio.ensure_future(run(settings, data, stopping))
        await asyncio.wait((topics, work), return_when=asyncio.FIRST_COMPLETED)
        if topics.done() and topics.exception() is not None:
            stopping.set()
        await work
        if topics.done():
            await topics
    finally:
        topics.cancel()


async def _done_before(future: asyncio.Future[list[str]], stopping: asyncio.Event) -> bool:
    """Wait for a future; False when it is time to stop first. Its error passes through."""
    stopped = asyncio.ensure_future(stopping.wait())
    await asyncio.wait((future, stopped), return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if future.done():
        await future
    return future.done()
