"""Milliseconds from the gateway's receipt to the alert's row and to the page, under a steady load of readings."""

import asyncio
import hashlib
import secrets
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import numpy as np

from domain.clock import REAL_TIME
from domain.identity import derived_id
from domain.levels import Feed, Level
from domain.registry import Area, Limit, Series, Source
from fenghuo.drain import until_quiet
from fenghuo.feeding import Feeder, encode_readings
from fenghuo.platform import Layout, Platform, run_platform
from responders.views import Role, Shift, User

COUNTY = "990101"
CATEGORIES = ("water-pollution", "air-pollution", "flood")
"""Those that a broken limit alone raises; one alert of each is open per township: so many can be measured."""
SERIES_COUNT = 3_000
BODIES_PER_SECOND = 20
WARM_SECONDS = 5.0
SETTLE_SECONDS = 30.0
CALM, BROKEN = 5.0, 20.0

Say = Callable[[str], None]


class LatencyResult(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured, in wall milliseconds; `alerts` is how many were."""

    alert_p50: float | None
    alert_p99: float | None
    page_p50: float | None
    page_p99: float | None
    alerts: int
    wanted: int
    townships: int
    readings_per_second: float
    seconds: float


async def measure(
    rate: int, seconds: float, townships: int, say: Say, broker: str | None = None
) -> LatencyResult:
    """Send at the rate, break limits evenly over the time, one township and category after the other.

    Each body touches all townships, and each township makes a message of its own: more townships are more load at the same
    rate of readings, so the figure belongs to its number of townships.
    """
    alerts = townships * len(CATEGORIES)
    with tempfile.TemporaryDirectory(prefix="fenghuo-", ignore_cleanup_errors=True) as folder:
        async with run_platform(Layout(Path(folder), broker=broker)) as platform:
            say("A platform starts")
            series, feeder = await _seed(platform, townships)
            await platform.start_responder()
            await platform.start_rest(console=False)
            say(f"{rate} readings a second for {seconds:g} seconds, {alerts} limits broken")
            sent = await _send(feeder, series, rate, seconds, alerts)
            await until_quiet(platform.settings.broker.bootstrap, platform.store, SETTLE_SECONDS)
            account = await platform.store.account()
    return LatencyResult(
        alert_p50=account.alert_latency_ms.p50,
        alert_p99=account.alert_latency_ms.p99,
        page_p50=account.page_latency_ms.p50,
        page_p99=account.page_latency_ms.p99,
        alerts=len({one.alert for one in account.alerts}),
        wanted=alerts,
        townships=townships,
        readings_per_second=round(sent / seconds, 1),
        seconds=seconds,
    )


async def _seed(platform: Platform, count: int) -> tuple[list[Series], Feeder]:
    """Put a county of many townships into the store, with one post on duty for all of them."""
    store, now = platform.store, datetime.now(UTC)
    townships = [f"{COUNTY}{number + 100:03d}" for number in range(count)]
    token = secrets.token_urlsafe(24)
    limits = (Limit(level=Level.BLUE, value=10.0, consecutive=1),)
    series = [
        Series(
            id=f"bench.{number:05d}",
            name=f"bench {number}",
            quantity="value",
            unit="mg/L",
            area=townships[number % count],
            category=CATEGORIES[number // count % len(CATEGORIES)],
            source="bench",
            interval_seconds=1.0,
            limits=limits,
        )
        for number in range(SERIES_COUNT)
    ]
    post = User(
        id=derived_id("user", "bench"), login="bench", display="值班室", role=Role.OFFICER, area=COUNTY
    )
    await store.set_clock(REAL_TIME)
    await store.put_areas([Area(code=code, name=code) for code in (COUNTY, *townships)])
    await store.put_series(series)
    digest = hashlib.sha256(token.encode()).hexdigest()
    await store.put_sources([Source(slug="bench", token_sha256=digest, feeds=(Feed.READINGS,), area=COUNTY)])
    await store.put_users([post])
    await store.put_shifts(
        Shift(
            area=area,
            post="",
            user=post.id,
            starts_at=now - timedelta(days=1),
            ends_at=now + timedelta(days=1),
        )
        for area in (COUNTY, *townships)
    )
    return series, Feeder(platform.session, platform.gateway, {"bench": token})


async def _send(feeder: Feeder, series: list[Series], rate: int, seconds: float, alerts: int) -> int:
    """Send evenly; a township's first series breaks its limit when its turn has come, and stays broken."""
    names = [msgspec.json.encode(one.id) for one in series]
    random = np.random.default_rng(1)
    per_body = max(1, rate // BODIES_PER_SECOND)
    bodies = int(seconds * BODIES_PER_SECOND)
    began = time.perf_counter()
    place = sent = 0
    tasks: set[asyncio.Task[None]] = set()
    for number in range(bodies):
        await asyncio.sleep(max(0.0, began + number / BODIES_PER_SECOND - time.perf_counter()))
        share = (number / BODIES_PER_SECOND - WARM_SECONDS) / max(seconds - 2 * WARM_SECONDS, 1.0)
        broken = int(np.clip(share, 0, 1) * alerts)
        rows = (np.arange(per_body) + place) % len(names)
        values = np.where(rows < broken, BROKEN, CALM + random.normal(0, 0.1, per_body))
        body = encode_readings([names[row] for row in rows], datetime.now(UTC), values.tolist())
        task = asyncio.create_task(feeder.send("bench", Feed.READINGS, b"[" + body + b"]"))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        place += per_body
        sent += per_body
    await asyncio.gather(*tasks)
    return sent
