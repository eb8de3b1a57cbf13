"""The dead-man's switch: the silence of gateway or stream becomes a case, and our own sign of life goes outside.

All times here are wall times: a platform that stands still has failed, whatever the county clock says.
"""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import aiohttp
import structlog

from config.settings import RespondSettings
from domain.findings import Heartbeat
from responders.cases import Rules
from responders.loops import Health, wait_for
from responders.metrics import HEARTBEAT_AGE
from responders.store import Store

log = structlog.get_logger()

WATCHED = {"gateway": "数据接入服务", "stream": "监测分析服务"}
CHECK_SECONDS = 1.0
SIGN_SECONDS = 5.0
"""Longest that a sign of life to the outside may take."""


def silent_components(
    ages: Mapping[str, float], watching_seconds: float, silent_after_seconds: float
) -> set[str]:
    """Name watched components without a sign of life for too long.

    `ages` are seconds since the newest sign of each component. Silence counts from when we began to watch: whoever has just
    been started together with us gets the same time to say something.
    """
    return {
        component
        for component in WATCHED
        if min(ages.get(component, float("inf")), watching_seconds) > silent_after_seconds
    }


class DeadMan:
    """Watches the others' heartbeats."""

    def __init__(self, store: Store, rules: Rules, silent_after_seconds: float) -> None:
        """Begin to watch."""
        self._store = store
        self._rules = rules
        self._silent_after = silent_after_seconds
        self._began = asyncio.get_running_loop().time()
        self._told: dict[str, bool] = {}

    async def check(self) -> set[str]:
        """Look at all heartbeats; open a case when somebody falls silent, ask to close it when they are back."""
        ages: dict[str, float] = {}
        for beat in await self._store.heartbeats():
            ages[beat.component] = min(ages.get(beat.component, float("inf")), beat.age_seconds)
        for component, age in ages.items():
            HEARTBEAT_AGE.labels(component).set(age)
        watching = asyncio.get_running_loop().time() - self._began
        silent = silent_components(ages, watching, self._silent_after)
        for component, name in WATCHED.items():
            if component in silent:
                await self._lost(component, name)
            elif component in ages and ages[component] <= self._silent_after:
                await self._back(component, name)
        return silent

    async def _lost(self, component: str, name: str) -> None:
        if self._told.get(component) is True:
            return
        zh = f"{name}超过 {self._silent_after:.0f} 秒没有心跳，可能已停止"
        en = f"The {component} has given no sign of life for more than {self._silent_after:.0f} s"
        await self._store.workers.open_fault(f"silent:{component}", zh, en, self._rules)
        await self._store.workers.note_heartbeat(component)
        log.warning("component_silent", component=component)
        self._told[component] = True

    async def _back(self, component: str, name: str) -> None:
        """Also at our first look: the case may be of a process before us."""
        if self._told.get(component) is False:
            return
        if await self._store.workers.end_fault(
            f"silent:{component}", f"{name}心跳恢复", f"The {component} is back"
        ):
            await self._store.workers.note_heartbeat(component)
            log.info("component_back", component=component)
        self._told[component] = False


async def run_deadman(
    store: Store,
    rules: Rules,
    settings: RespondSettings,
    instance: str,
    health: Health,
    stopping: asyncio.Event,
) -> None:
    """Watch the others, and note our own heartbeat, until stopping."""
    deadman = DeadMan(store, rules, settings.silent_after_seconds)
    while not stopping.is_set():
        await store.record_heartbeats(
            [Heartbeat(component="respond", instance=instance, at=datetime.now(UTC))]  # wall
        )
        await deadman.check()
        health.beat("deadman")
        await wait_for(stopping, min(CHECK_SECONDS, settings.silent_after_seconds / 4))


async def run_sign_of_life(
    settings: RespondSettings, loops: tuple[str, ...], health: Health, stopping: asyncio.Event
) -> None:
    """Give a sign of life outside while intake, dispatch and database work; whoever watches it alarms at its absence.

    An address with http(s) gets an empty POST; anything else is a file whose time is renewed.
    """
    if not settings.deadman_url:
        health.beat("sign_of_life")
        await stopping.wait()
        return
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SIGN_SECONDS)) as session:
        lost = False
        while not stopping.is_set():
            pause = CHECK_SECONDS
            if health.works(*loops, within_seconds=max(settings.deadman_seconds, 5.0)):
                pause = settings.deadman_seconds
                sent = await give_sign(session, settings.deadman_url)
                if sent is lost:  # changed: told once when lost, once when back
                    log.log(20 if sent else 30, "deadman_back" if sent else "deadman_unreachable")
                    lost = not sent
            health.beat("sign_of_life")
            await wait_for(stopping, pause)


async def give_sign(session: aiohttp.ClientSession, url: str) -> bool:
    """Give one sign of life; False when it did not arrive."""
    try:
        if urlsplit(url).scheme in ("http", "https"):
            async with session.post(url, allow_redirects=False) as response:
                return 200 <= response.status < 300
        path = Path(url2pathname(urlsplit(url).path))
        await asyncio.to_thread(path.touch)
    except (aiohttp.ClientError, OSError, TimeoutError):
        return False
    return True
