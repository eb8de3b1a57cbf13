"""A stormy night: 10,000 alerts in ten seconds over 200 townships, through one responder process to a fake provider.

Run `fenghuo bench storm [--json]`. Alerts are put on the real topic (embedded broker); the responder takes them into an
embedded PostgreSQL and pages over HTTP a provider that keeps what it got. `--timers` has so many more cases open, each with
timers of its own, and measures what they cost while nothing happens.
"""

import asyncio
import secrets
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]  # ships no types
import msgspec
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types

from benchmarks.gateway import cpu_seconds
from benchmarks.storm_figures import Figures, read_figures
from benchmarks.storm_provider import Provider, open_provider
from config.data import SHIPPED, load_data
from domain.clock import REAL_TIME
from domain.codec import encode, headers_for
from domain.findings import Alert, AlertChange
from domain.identity import derived_id
from domain.levels import Level
from domain.registry import Area
from domain.topics import ALERTS
from fenghuo.platform import Layout, Platform, run_platform
from fenghuo.running import Stage
from responders.cases import Rules
from responders.views import Role, Shift, User

COUNTIES = 10
TICK_SECONDS = 0.05
IDLE_SECONDS = 20.0
PATIENCE_SECONDS = 900.0
LEVELS = (*[Level.BLUE] * 12, *[Level.YELLOW] * 6, Level.ORANGE, Level.RED)
"""Of twenty alerts one is red and one orange."""
CHANNELS = ("console", "webhook")

Say = Callable[[str], None]


class StormResult(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured; seconds of wall time from when an alert was put on the topic to the first delivered page.

    `lost` counts alerts without a case and pages that are owed and neither delivered nor withdrawn; `repeated` deliveries
    twice in one step, in the database or at the provider. `letters` is how many messages the provider got. Shares are of
    one core: of the process, and of PostgreSQL. `idle_…` were measured with `timers` cases open and nothing to do.
    """

    alerts: int
    incidents: int
    pages: int
    red_page_p99_s: float | None
    other_page_p99_s: float | None
    lost: int
    repeated: int
    letters: int
    outside_pages: int
    red_outside_p99_s: float | None
    other_outside_p99_s: float | None
    alerts_per_second: float
    incidents_per_second: float
    pages_per_second: float
    responder_cpu_seconds: float
    postgres_cpu_seconds: float
    digests: bool
    apart: bool
    digest_minutes: float
    timers: int
    idle_responder_core_share: float | None = None
    idle_postgres_core_share: float | None = None


async def measure(
    alerts: int,
    seconds: float,
    townships: int,
    say: Say,
    *,
    timers: int = 0,
    apart: bool = False,
    digests: bool = True,
    digest_minutes: float = 1.0,
) -> StormResult:
    """Play the storm. `apart` makes each alert a case of its own; without `digests` every page is a letter of its own."""
    with tempfile.TemporaryDirectory(prefix="fenghuo-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        provider = Provider()
        async with open_provider(provider) as url:
            extra = {
                "FENGHUO_RESPOND_WEBHOOK_URL": url,
                "FENGHUO_DATA_DIR": str(_write_data(folder / "data", apart, digests, digest_minutes)),
                "FENGHUO_CONTACT_KEY": b64encode(secrets.token_bytes(32)).decode(),
                "FENGHUO_LOG_LEVEL": "error",
            }
            async with run_platform(Layout(folder), extra) as platform:
                say("A platform starts")
                places = await _settle(platform, townships)
                if timers:
                    say(f"{timers:,} cases with timers")
                    await _open_with_timers(platform, places, timers)
                await platform.start_responder()
                process = platform.supervisor.pids[Stage.RESPOND]
                idle = await _idle(process, folder) if timers else (None, None)
                say(f"{alerts:,} alerts in {seconds:g} seconds")
                before = cpu_seconds(process), _postgres_seconds(folder)
                await _put(platform, _make(alerts, places), alerts, seconds)
                figures = await _until_told(platform, alerts)
                after = cpu_seconds(process), _postgres_seconds(folder)
    return StormResult(
        alerts=alerts,
        incidents=figures.incidents,
        pages=figures.pages,
        red_page_p99_s=figures.red_page,
        other_page_p99_s=figures.other_page,
        lost=alerts - figures.alerts_in_cases + figures.owed,
        repeated=figures.repeated + provider.repeated,
        letters=provider.letters,
        outside_pages=provider.pages,
        red_outside_p99_s=figures.red_outside,
        other_outside_p99_s=figures.other_outside,
        alerts_per_second=figures.alerts_per_second,
        incidents_per_second=figures.incidents_per_second,
        pages_per_second=figures.pages_per_second,
        responder_cpu_seconds=round(after[0] - before[0], 2),
        postgres_cpu_seconds=round(after[1] - before[1], 2),
        digests=digests,
        apart=apart,
        digest_minutes=digest_minutes,
        timers=timers,
        idle_responder_core_share=idle[0],
        idle_postgres_core_share=idle[1],
    )


ALERTMANAGER = {
    "red_page_p99_s": "30 (group_wait) for a new group, 300 (group_interval) for one that is told already",
    "other_page_p99_s": "the same: severity does not change when a group is told",
    "letters": "one for each group, and one more each 300 s while alerts join it; then each 4 h (repeat_interval)",
}
"""Prometheus Alertmanager as its documentation of `route` has it, not measured: group_wait 30s, group_interval 5m."""


def table_of(found: StormResult) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Set figures beside what Alertmanager's documentation says."""
    rows: list[tuple[str, ...]] = []
    for name, value in msgspec.structs.asdict(found).items():
        text = "–" if value is None else f"{value:,.2f}" if isinstance(value, float) else f"{value:,}"
        text = str(value) if isinstance(value, bool) else text
        rows.append((name.replace("_", " "), text, ALERTMANAGER.get(name, "")))
    return ("what", "Fenghuo", "Alertmanager, as documented"), rows


def _write_data(folder: Path, apart: bool, digests: bool, digest_minutes: float) -> Path:
    """Write the data files that differ from the shipped ones."""
    folder.mkdir()
    text = (SHIPPED / "pacing.toml").read_text(encoding="utf-8")
    text = text.replace("\ndigest_minutes = 5\n", f"\ndigest_minutes = {digest_minutes}\n")
    if not digests:
        text = text.replace("\nletters = 10\n", "\nletters = 1000000\n")
        text = text.replace("\nstorm_cases = 30\n", "\nstorm_cases = 1000000\n")
    (folder / "pacing.toml").write_text(text, encoding="utf-8")
    if apart:
        text = (SHIPPED / "grouping.toml").read_text(encoding="utf-8")
        text = text.replace('fields = ["category", "township"]', 'fields = ["category", "place"]')
        (folder / "grouping.toml").write_text(text, encoding="utf-8")
    load_data(folder)
    return folder


async def _settle(platform: Platform, townships: int) -> list[str]:
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


def _make(count: int, places: list[str]) -> list[Alert]:
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


async def _put(platform: Platform, alerts: list[Alert], count: int, seconds: float) -> None:
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


async def _until_told(platform: Platform, alerts: int) -> Figures:
    """Wait until all alerts are in cases and no page is owed, or patience ends; then what is missing counts as lost."""
    connection = await asyncpg.connect(platform.settings.database.dsn.value)
    try:
        ends = time.perf_counter() + PATIENCE_SECONDS
        while True:
            figures = await read_figures(connection)
            settled = figures.alerts_in_cases >= alerts and not figures.owed
            if settled or time.perf_counter() > ends:
                return figures
            await asyncio.sleep(2.0)
    finally:
        await connection.close()


async def _open_with_timers(platform: Platform, places: list[str], count: int) -> None:
    """Open cases like one that was opened the usual way, whose timers and tasks come due within ten days."""
    data = load_data()
    seed = msgspec.structs.replace(_make(1, places)[0], id=derived_id("storm", "timers"))
    await platform.store.record_alert(seed, Rules(data, CHANNELS))
    connection = await asyncpg.connect(platform.settings.database.dsn.value)
    try:
        await connection.execute(_COPIES, count)
        await connection.execute(_TASKS)
        await connection.execute("update page set state = 'withdrawn'")
        await connection.execute("analyze")
    finally:
        await connection.close()


_COPIES = """
insert into incident
select (jsonb_populate_record(incident, jsonb_build_object(
    'id', gen_random_uuid(), 'alert', null, 'place', '990199' || lpad((number % 900 + 100)::text, 3, '0'),
    'opened_at', now() - interval '1 day', 'next_at', now() + interval '1 hour' + number * interval '8 seconds'))).*
from (select * from incident limit 1) incident, generate_series(1, $1::integer) as number
"""
_TASKS = """
insert into task (id, incident, number, area, post, state, due_at, next_at)
select gen_random_uuid(), id, 1, place, '', 'dispatched', next_at + interval '1 day', next_at + interval '12 hours'
from incident where alert is null
"""


async def _idle(process: int, folder: Path) -> tuple[float, float]:
    """Tell what shares of a core the process and PostgreSQL use while nothing is due."""
    await asyncio.sleep(5.0)
    before, began = (cpu_seconds(process), _postgres_seconds(folder)), time.perf_counter()
    await asyncio.sleep(IDLE_SECONDS)
    passed = time.perf_counter() - began
    return (
        round((cpu_seconds(process) - before[0]) / passed, 3),
        round((_postgres_seconds(folder) - before[1]) / passed, 3),
    )


def _postgres_seconds(folder: Path) -> float:
    """Tell the processor time of the PostgreSQL whose data lies in a folder, with all its processes."""
    parents: dict[int, int] = {}
    own: set[int] = set()
    for path in Path("/proc").glob("[0-9]*"):
        try:
            words, stat = (path / "cmdline").read_bytes(), (path / "stat").read_text()
        except OSError:
            continue
        parents[int(path.name)] = int(stat.rpartition(")")[2].split()[1])
        if b"postgres" in words and bytes(folder) in words:
            own.add(int(path.name))
    return sum(cpu_seconds(pid) for pid, parent in parents.items() if pid in own or parent in own)
