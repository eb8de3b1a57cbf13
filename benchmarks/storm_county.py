"""The place of the storm: ten counties of townships with a post on duty at each tower, their alerts, cases with timers."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from itertools import product

import asyncpg  # type: ignore[import-untyped]  # ships no types
import msgspec
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types

from config.data import load_data
from domain.clock import REAL_TIME
from domain.codec import encode, headers_for
from domain.findings import Alert, AlertChange
from domain.identity import derived_id
from domain.levels import Level
from domain.registry import Area
from domain.topics import ALERTS
from fenghuo.platform import Platform
from responders.cases import Rules
from responders.views import Role, Shift, User

COUNTIES = 10
TICK_SECONDS = 0.05
LEVELS = (*[Level.BLUE] * 12, *[Level.YELLOW] * 6, Level.ORANGE, Level.RED)
"""Of twenty alerts one is red and one orange."""
CHANNELS = ("console", "webhook")


async def settle(platform: Platform, townships: int) -> list[str]:
    """Put counties of townships into the store, with a post on duty at each tower; the townships."""
    store, now = platform.store, datetime.now(UTC)
    places = [f"9901{number % COUNTIES + 1:02d}{number // COUNTIES + 100:03d}" for number in range(townships)]
    areas = sorted({"99", "9901", *(place[:6] for place in places), *places})
    await store.set_clock(REAL_TIME)
    await store.put_areas([Area(code=code, name=code) for code in areas])
    posts = [
        User(
            id=derived_id("user", code),
            login=code,
            display=f"{code}值班室",
            role=Role.OFFICER,
            area=code,
            channels=CHANNELS,
        )
        for code in areas
    ]
    await store.put_users(posts)
    day = timedelta(days=1)
    await store.put_shifts(
        Shift(area=post.area, post="", user=post.id, starts_at=now - day, ends_at=now + day) for post in posts
    )
    return places


def make_alerts(count: int, places: list[str]) -> list[Alert]:
    """Make alerts evenly over townships, categories and villages; times are set when they go out."""
    data = load_data()
    categories = [slug for slug in sorted(data.categories) if slug != "platform-fault"]
    at = datetime.now(UTC)
    made = []
    for number, (round_, place) in zip(range(count), product(range(count), places), strict=False):
        category = categories[round_ % len(categories)]
        made.append(
            Alert(
                id=derived_id("storm", number),
                version=1,
                change=AlertChange.RAISED,
                domain=data.categories[category].domain,
                category=category,
                county=place[:6],
                place=f"{place}{round_ // len(categories) + 1:03d}",
                level=LEVELS[(number + number // len(places)) % len(LEVELS)],
                reason="limit",
                opened_at=at,
                changed_at=at,
                received_at=at,
                evidence=(),
                zh="断面水质超过限值，请核实",
                en="Above its limit: please verify",
            )
        )
    return made


async def put_alerts(platform: Platform, alerts: list[Alert], count: int, seconds: float) -> None:
    """Put alerts on the topic evenly, each received as it goes out."""
    producer = AIOKafkaProducer(bootstrap_servers=platform.settings.broker.bootstrap, acks="all", linger_ms=5)
    await producer.start()
    try:
        began, sent = time.perf_counter(), 0
        waiting = []
        while sent < count:
            due = min(count, int((time.perf_counter() - began) / seconds * count) + 1)
            now = datetime.now(UTC)
            for alert in alerts[sent:due]:
                told = msgspec.structs.replace(alert, received_at=now, changed_at=now, opened_at=now)
                waiting.append(
                    await producer.send(
                        ALERTS.name, encode(told), key=alert.county.encode(), headers=headers_for(ALERTS)
                    )
                )
            sent = due
            await asyncio.sleep(TICK_SECONDS)
        await asyncio.gather(*waiting)
    finally:
        await producer.stop()


async def open_with_timers(platform: Platform, places: list[str], count: int) -> None:
    """Open cases like one that was opened the usual way, owing no reports; timers and tasks come due within ten days."""
    data = load_data()
    seed = msgspec.structs.replace(make_alerts(1, places)[0], id=derived_id("storm", "timers"))
    await platform.store.record_alert(seed, Rules(data, CHANNELS))
    connection = await asyncpg.connect(platform.settings.database.dsn.value)
    try:
        await connection.execute(_COPIES, count)
        await connection.execute(_TASKS)
        await connection.execute("update page set state = 'withdrawn'")
        await connection.execute("delete from report_look")
        await connection.execute("analyze")
    finally:
        await connection.close()


_COPIES = """
insert into incident
select (jsonb_populate_record(null::incident, to_jsonb(one) || jsonb_build_object(
    'id', gen_random_uuid(), 'alert', null, 'place', '990199' || lpad((number % 900 + 100)::text, 3, '0'),
    'opened_at', now() - interval '1 day', 'next_at', now() + interval '1 hour' + number * interval '8 seconds'))).*
from (select * from incident limit 1) one, generate_series(1, $1::integer) as number
"""
_TASKS = """
insert into task (id, incident, number, area, post, state, due_at, next_at)
select gen_random_uuid(), id, 1, place, '', 'dispatched', next_at + interval '1 day', next_at + interval '12 hours'
from incident where alert is null
"""
