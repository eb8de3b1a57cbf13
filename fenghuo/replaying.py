"""Sends a recorded series through a gateway, in order, and tells which alerts came of it."""

import asyncio
import hashlib
import secrets
from bisect import bisect_right
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
from msgspec import Struct, json

from config.settings import BrokerSettings
from domain.areas import AreaLevel, level_of
from domain.clock import Clock
from domain.codec import decode
from domain.errors import InvalidInput, Unavailable
from domain.findings import Alert
from domain.inputs import AwareTime
from domain.levels import Feed, Level
from domain.registry import Area, Series, Source
from domain.topics import ALERTS
from fenghuo.drain import until_quiet
from fenghuo.feeding import Feeder, encode_readings
from fenghuo.platform import Layout, run_platform
from fenghuo.recorded import Recorded
from fenghuo.topic_reading import read_to_end
from responders.store import Store
from streams.registry import Registry

READINGS_PER_BODY = 5_000
DEADLINE_SECONDS = 120.0
KNOWN_SECONDS = 10.0
"""How long a new series may take from the database to the gateway."""
POLL_SECONDS = 0.3
BODY_SECONDS = 0.05
"""What comes within so much wall time goes in one body."""
SETTLE_SECONDS = 3.0
"""A new clock line begins this much later, so that every process knows it by then."""
GRID = "990101100001001"
"""Where a replayed series lies unless told otherwise: a cell of the demo county."""


class ReplayedAlert(Struct, frozen=True, kw_only=True):
    """An alert that names the replayed series; `level` is the gravest that it reached."""

    category: str
    place: str
    level: str
    opened_at: AwareTime
    changed_at: AwareTime
    zh: str
    en: str


class Replayed(Struct, frozen=True, kw_only=True):
    """What came of a replay; `alerts` is None where they cannot be looked up."""

    series: str
    sent: int
    skipped: int
    naive_times: bool
    alerts: list[ReplayedAlert] | None


def make_series(name: str, recorded: Recorded, *, area: str, category: str, source: str, unit: str) -> Series:
    """Describe a recorded series for the registry."""
    return Series(
        id=name,
        name=name,
        quantity="value",
        unit=unit,
        area=area,
        category=category,
        source=source,
        interval_seconds=recorded.interval_seconds,
    )


async def send_recorded(
    feeder: Feeder,
    source: str,
    series: str,
    recorded: Recorded,
    progress: Callable[[int], None],
    clock: Clock | None = None,
) -> None:
    """Send all readings in order, each when the clock has come to it; without a clock as fast as they are taken.

    The first body is tried again while the gateway gets to know the series.
    """
    name = json.encode(series)
    loop = asyncio.get_running_loop()
    patience = loop.time() + KNOWN_SECONDS
    start = 0
    while start < len(recorded.times):
        end = min(start + READINGS_PER_BODY, len(recorded.times))
        if clock is not None:
            ahead = (recorded.times[start] - clock.now()).total_seconds()
            await asyncio.sleep(max(BODY_SECONDS, clock.wall_seconds(ahead)))
            end = min(end, bisect_right(recorded.times, clock.now()))
        part = slice(start, end)
        inside = b",".join(
            encode_readings([name], at, [value])
            for at, value in zip(recorded.times[part], recorded.values[part], strict=True)
        )
        while True:
            try:
                await feeder.send(source, Feed.READINGS, b"[" + inside + b"]")
                break
            except InvalidInput as error:
                if start or "is not a known series" not in str(error) or loop.time() > patience:
                    raise
                await asyncio.sleep(POLL_SECONDS)
        start = end
        progress(end)


async def replay_to(
    gateway: str,
    token: str,
    series: Series,
    recorded: Recorded,
    progress: Callable[[int], None],
    *,
    dsn: str | None,
    broker: BrokerSettings,
) -> Replayed:
    """Send to a running gateway; with a database the series is registered first and the alerts are looked up after."""
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        feeder = Feeder(session, gateway, {series.source: token})
        if dsn is None:
            await send_recorded(feeder, series.source, series.id, recorded, progress)
            return _answer(series, recorded, None)
        async with Store.open(dsn, 2, give_up_seconds=10) as store:
            await store.put_series([series])
            await _known(broker, series)
            await send_recorded(feeder, series.source, series.id, recorded, progress)
            return _answer(series, recorded, await _outcome(broker.bootstrap, store, series.id, recorded))


async def replay_here(
    folder: Path, series: Series, recorded: Recorded, progress: Callable[[int], None], seconds: float
) -> Replayed:
    """Start a platform of our own, replay there within about so many seconds, and tell the alerts.

    The county's clock runs along with the recording, since alerts open, last and end by it.
    """
    async with run_platform(Layout(folder)) as platform:
        token = secrets.token_urlsafe(24)
        county = series.area[: AreaLevel.COUNTY]
        await platform.store.set_clock(Clock(county_anchor=recorded.times[0], factor=0))
        await platform.store.put_areas(
            Area(code=series.area[:digits], name=series.area[:digits])
            for digits in AreaLevel
            if digits <= level_of(series.area)
        )
        digest = hashlib.sha256(token.encode()).hexdigest()
        await platform.store.put_sources(
            [Source(slug=series.source, token_sha256=digest, feeds=(Feed.READINGS,), area=county)]
        )
        await platform.store.put_series([series])
        await platform.start_responder()
        await platform.start_rest(console=False)
        feeder = Feeder(platform.session, platform.gateway, {series.source: token})
        span = (recorded.times[-1] - recorded.times[0]).total_seconds()
        clock = Clock(
            wall_anchor=datetime.now(UTC) + timedelta(seconds=SETTLE_SECONDS),
            county_anchor=recorded.times[0],
            factor=max(span / seconds, 1.0),
        )
        await platform.store.set_clock(clock)
        await send_recorded(feeder, series.source, series.id, recorded, progress, clock)
        bootstrap = platform.settings.broker.bootstrap
        return _answer(series, recorded, await _outcome(bootstrap, platform.store, series.id, recorded))


def _answer(series: Series, recorded: Recorded, alerts: list[ReplayedAlert] | None) -> Replayed:
    return Replayed(
        series=series.id,
        sent=len(recorded.times),
        skipped=recorded.skipped,
        naive_times=recorded.naive,
        alerts=alerts,
    )


async def _known(broker: BrokerSettings, series: Series) -> None:
    """Wait until the series stands on the registry's topic as we put it."""
    async with Registry(broker, "fenghuo") as registry:
        try:
            async with asyncio.timeout(KNOWN_SECONDS):
                while registry.series.get(series.id) != series:  # noqa: ASYNC110  # another process works
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError as error:
            raise Unavailable("No responder publishes the new series: is one running?") from error


async def _outcome(bootstrap: str, store: Store, series: str, recorded: Recorded) -> list[ReplayedAlert]:
    """Wait until each reading is in effect and nothing is under way, then read the alerts."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + DEADLINE_SECONDS
    while await _stored(store, series) < len(recorded.times):
        if loop.time() > deadline:
            raise Unavailable(f"Not all readings came into effect within {DEADLINE_SECONDS:g} seconds.")
        await asyncio.sleep(POLL_SECONDS)
    await until_quiet(bootstrap, store, DEADLINE_SECONDS)
    return await read_alerts(bootstrap, series)


async def _stored(store: Store, series: str) -> int:
    stored = await store.stored_readings()
    return sum(count for (name, _), count in stored.items() if name == series)


async def read_alerts(bootstrap: str, series: str) -> list[ReplayedAlert]:
    """Read from the topic which alerts name the series as evidence, by time of opening."""
    versions: dict[object, list[Alert]] = {}
    async for message in read_to_end(bootstrap, ALERTS):
        alert: Alert = decode(ALERTS, message.value, message.headers)
        if any(finding.subject == series for finding in alert.evidence):
            versions.setdefault(alert.id, []).append(alert)
    alerts = [
        ReplayedAlert(
            category=own[0].category,
            place=own[0].place,
            level=Level(max(alert.level for alert in own)).slug,
            opened_at=own[0].opened_at,
            changed_at=max(alert.changed_at for alert in own),
            zh=own[0].zh,
            en=own[0].en,
        )
        for own in versions.values()
    ]
    return sorted(alerts, key=lambda alert: alert.opened_at)
