"""A stormy night: 10,000 alerts in ten seconds over 200 townships, through one responder process to a fake provider.

Run `fenghuo bench storm [--json]`, or `python -m benchmarks.storm` for all that docs/benchmarks.md shows. Alerts are put
on the real topic (embedded broker); the responder takes them into an embedded PostgreSQL and pages over HTTP a provider that
keeps what it got. `--timers` has so many more cases open, each with timers of its own, and measures what they cost at rest.
"""

import asyncio
import secrets
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]  # ships no types

from benchmarks.gateway import cpu_seconds
from benchmarks.results import arguments, publish
from benchmarks.storm_county import make_alerts, open_with_timers, put_alerts, settle
from benchmarks.storm_figures import Figures, StormResult, read_figures
from benchmarks.storm_provider import Provider, open_provider
from benchmarks.storm_table import results_of_runs
from config.data import SHIPPED, load_data
from fenghuo.platform import Layout, Platform, run_platform
from fenghuo.running import Stage, set_up_logging

SETTLE_SECONDS, MOST_SETTLE_SECONDS = 3.0, 30.0
IDLE_SECONDS = 20.0
LOOK_SECONDS = 5.0
PATIENCE_SECONDS = 1_200.0
"""Longer than any shipped limit or digest holds a first page back."""

Say = Callable[[str], None]


async def measure(
    alerts: int,
    seconds: float,
    townships: int,
    say: Say,
    *,
    timers: int = 0,
    apart: bool = False,
    digests: bool = True,
    digest_minutes: float | None = None,
) -> StormResult:
    """Play the storm with what is shipped, but for what is said here.

    `apart` makes each alert a case of its own; without `digests` every page is a message of its own; `digest_minutes` stands
    for the shipped minutes between a person's digests, so that a look at it takes less time.
    """
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
                places = await settle(platform, townships)
                if timers:
                    say(f"{timers:,} cases with timers")
                    await open_with_timers(platform, places, timers)
                await platform.start_responder()
                process = platform.supervisor.pids[Stage.RESPOND]
                await _until_at_rest(platform)
                idle = await _idle(process, folder) if timers else (None, None)
                say(f"{alerts:,} alerts in {seconds:g} seconds")
                began = datetime.now(UTC)
                before = cpu_seconds(process), _postgres_seconds(folder)
                await put_alerts(platform, make_alerts(alerts, places), alerts, seconds)
                figures = await _until_told(platform, alerts, began)
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
        digest_minutes=load_data().pacing[0].digest_minutes if digest_minutes is None else digest_minutes,
        timers=timers,
        idle_responder_core_share=idle[0],
        idle_postgres_core_share=idle[1],
    )


def _write_data(folder: Path, apart: bool, digests: bool, digest_minutes: float | None) -> Path:
    """Write the data files that differ from the shipped ones."""
    folder.mkdir()
    text = (SHIPPED / "pacing.toml").read_text(encoding="utf-8")
    if digest_minutes is not None:
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


async def _until_at_rest(platform: Platform) -> None:
    """Wait until no desk is due to be looked at, as all are at first, or half a minute: a vacant one comes due again."""
    connection = await asyncpg.connect(platform.settings.database.dsn.value)
    try:
        ends = time.perf_counter() + MOST_SETTLE_SECONDS
        while time.perf_counter() < ends:
            await asyncio.sleep(SETTLE_SECONDS)
            if not await connection.fetchval("select exists (select from desk where next_at <= now())"):
                return
    finally:
        await connection.close()


async def _until_told(platform: Platform, alerts: int, began: datetime) -> Figures:
    """Wait until all alerts are in cases and no first page is owed, or patience ends; the rest counts as lost."""
    connection = await asyncpg.connect(platform.settings.database.dsn.value)
    try:
        ends = time.perf_counter() + PATIENCE_SECONDS
        while True:
            figures = await read_figures(connection, began)
            settled = figures.alerts_in_cases >= alerts and not figures.owed
            if settled or time.perf_counter() > ends:
                return figures
            await asyncio.sleep(LOOK_SECONDS)
    finally:
        await connection.close()


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


async def _measure_all(quick: bool) -> list[StormResult]:
    """Measure the night as shipped; each alert a case and each page a message; and open cases while nothing happens."""
    size, open_cases = (1_000, 2_000) if quick else (10_000, 100_000)
    seconds = size / 1_000
    minutes = 0.5 if quick else None
    return [
        await measure(size, seconds, 200, _say, digest_minutes=minutes),
        await measure(size // 2, 1.0, 200, _say, apart=True, digests=False),
        await measure(100, 1.0, 200, _say, timers=open_cases, digest_minutes=minutes),
    ]


def _say(what: str) -> None:
    sys.stderr.write(f"{what} …\n")


def main() -> None:
    """Measure all, and keep it for the page unless it is quick."""
    given = arguments("A stormy night through one responder.").parse_args()
    set_up_logging("error")
    publish(results_of_runs(asyncio.run(_measure_all(given.quick)), quick=given.quick), as_json=given.as_json)


if __name__ == "__main__":
    main()
