"""`fenghuo demo`: starts everything, plays the demo county's days, and counts what came of it."""

import asyncio
import secrets
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from config.data import load_data
from config.personal import read_key
from domain.clock import Clock
from domain.errors import Fault, InvalidInput
from fenghuo.demo.county import START, County, Plan, seed_county
from fenghuo.demo.officers import Officers
from fenghuo.demo.play import Play, pace_of
from fenghuo.demo.report import Report, make_report
from fenghuo.demo.stations import Stations
from fenghuo.drain import drain, pages_are_out
from fenghuo.feeding import Feeder
from fenghuo.platform import Layout, Platform, Ports, run_platform

CLOCK_SECONDS = 2.0
"""The clock starts so much later than it is set: streams must have heard of it before anything happens."""
DRAIN_SECONDS = 60.0
POLL_SECONDS = 0.3


class Screen(Protocol):
    """Where the demo shows how far it is."""

    def step(self, text: str) -> None:
        """Tell what begins."""

    def open_doors(self, platform: Platform, password: str, county: County, connection: Path) -> None:
        """Tell addresses and accounts."""

    def county_time(self, at: datetime, since: datetime, until: datetime) -> None:
        """Tell how far the county's time is between two times."""

    def first_alert(self, seconds: float) -> None:
        """Tell that the first alert stands in the console, so many seconds after the services started."""


@dataclass(frozen=True, slots=True)
class Demo:
    """What is to be played and how."""

    plan: Plan = field(default_factory=Plan)
    factor: float = 60.0
    headless: bool = False
    until_end: bool = False
    password: str = ""
    broker: str | None = None
    database: str | None = None
    ports: Ports = field(default_factory=Ports)
    folder: Path | None = None
    keep: bool = False


async def run_demo(demo: Demo, screen: Screen) -> Report | None:
    """Play the demo; answers the report when it comes to its end, None when it was stopped before."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    story = asyncio.create_task(_story(demo, screen), name="demo")
    stop = asyncio.create_task(stopping.wait())
    await asyncio.wait((story, stop), return_when=asyncio.FIRST_COMPLETED)
    if not story.done():
        screen.step("Stopping")
        story.cancel()
        await asyncio.gather(story, return_exceptions=True)
        return None
    stop.cancel()
    return story.result()


@asynccontextmanager
async def _folder(demo: Demo) -> AsyncIterator[Path]:
    """Use the folder that is named, which must be empty, or one of our own, gone afterwards unless it is to be kept."""
    if demo.folder is not None:
        if demo.folder.exists() and any(demo.folder.iterdir()):
            raise InvalidInput(
                [Fault("--data-dir", f"{demo.folder} is not empty: each demo starts from nothing")]
            )
        yield demo.folder
        return
    folder = Path(tempfile.mkdtemp(prefix="fenghuo-"))
    try:
        yield folder
    finally:
        if not demo.keep:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


async def _story(demo: Demo, screen: Screen) -> Report:
    began = time.monotonic()
    seconds: dict[str, float] = {}
    told: dict[str, float] = {}

    def took(name: str) -> None:
        seconds[name] = time.monotonic() - began - sum(seconds.values())

    async with _folder(demo) as folder:
        layout = Layout(folder, demo.broker, demo.database, ports=demo.ports, mqtt=True)
        screen.step(f"Broker and database start in {folder}")
        async with run_platform(layout) as platform:
            password = demo.password or secrets.token_urlsafe(9)
            screen.step("The county moves in")
            sealer = read_key(platform.settings.personal_key)
            county = await seed_county(platform.store, demo.plan, password, sealer)
            took("set_up")
            screen.step("Gateway, stream, responder and console start")
            await platform.start_responder()
            await platform.start_rest()
            took("services")
            started = time.monotonic()
            connection = platform.write_connection({"FENGHUO_REPLAY_TOKEN": county.tokens["replay"]})
            screen.open_doors(platform, password, county, connection)
            feeder = Feeder(platform.session, platform.gateway, county.tokens)
            elements = {element.id: element for element in load_data().elements}
            watch = asyncio.create_task(_watch(platform, screen, started, told))
            try:
                async with Stations(county, platform.device_port, elements) as stations:
                    play = Play(county, feeder, stations)
                    await _play(demo, platform, county, play, screen, password, took)
            finally:
                watch.cancel()
                await asyncio.gather(watch, return_exceptions=True)
            report = await make_report(platform, county, seconds | told)
            if not demo.until_end and not demo.headless:
                screen.step("The day is over; the console stays open until Ctrl-C")
                await asyncio.Event().wait()
            return report


async def _play(
    demo: Demo,
    platform: Platform,
    county: County,
    play: Play,
    screen: Screen,
    password: str,
    took: Callable[[str], None],
) -> None:
    plan = demo.plan
    screen.step(f"{plan.history_days:g} days of history")
    await play.history(lambda at: screen.county_time(at, plan.history_from, START))
    took("history")
    starts_at = datetime.now(UTC) + timedelta(seconds=CLOCK_SECONDS)
    clock = Clock(wall_anchor=starts_at, county_anchor=START, factor=demo.factor)
    await platform.store.set_clock(clock)
    await asyncio.sleep((starts_at - datetime.now(UTC)).total_seconds())
    screen.step(f"{plan.hours:g} hours of the county at {demo.factor:g} times their speed")
    officers = Officers(platform.console, password, county, clock)
    work = asyncio.create_task(officers.work()) if demo.headless else None
    try:
        await _unless_broken(
            platform, play.scenario(pace_of(clock), lambda at: screen.county_time(at, START, plan.until))
        )
        took("scenario")
        screen.step("Everything accepted comes into effect")
        await drain(platform.settings.broker.bootstrap, platform.store, DRAIN_SECONDS)
    finally:
        if work:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
    await platform.supervisor.until(
        lambda: pages_are_out(platform.store), "The end of all pages", DRAIN_SECONDS
    )
    took("drain")


async def _unless_broken(platform: Platform, playing: Awaitable[None]) -> None:
    """Play on while the processes can be kept running; Unavailable as soon as one cannot."""
    task = asyncio.ensure_future(playing)
    try:
        await asyncio.wait((task, platform.supervisor.failure), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            platform.supervisor.failure.result()
        await task
    finally:
        if task.cancel():
            await asyncio.gather(task, return_exceptions=True)


async def _watch(platform: Platform, screen: Screen, started: float, told: dict[str, float]) -> None:
    """Tell when the first alert is in the database, where the console reads it; a fault of the platform is none."""
    while not (await platform.store.account()).alerts:  # noqa: ASYNC110  # another process works
        await asyncio.sleep(POLL_SECONDS)
    told["first_alert"] = time.monotonic() - started
    screen.first_alert(told["first_alert"])
