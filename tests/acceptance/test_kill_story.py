"""kill -9 in the middle of the day changes nothing: the same incidents, the same pages."""

import os
import signal
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]  # ships no types
import pytest
from responder_world import TIMERS_DUE
from stream_world import is_worked_off, until

from config.data import load_data
from config.personal import read_key
from domain.clock import Clock
from fenghuo.demo.county import START, Plan, seed_county
from fenghuo.demo.play import Play
from fenghuo.demo.stations import Stations
from fenghuo.drain import drain
from fenghuo.feeding import Feeder
from fenghuo.platform import Layout, Platform, run_platform
from fenghuo.running import Stage

PLAN = Plan(share=0.1, history_days=2.0, hours=6.0)
MIDDLE = START + timedelta(hours=4, minutes=10)
STRETCH = timedelta(minutes=30)
CLIMB = [timedelta(minutes=minutes) for minutes in range(0, 61, 5)]
CASES = """
select incident.category, incident.place, incident.level, incident.grade from incident where alert is not null
"""
PAGES = """
select incident.category, incident.place, page.step, page.loop, app_user.login, page.channel,
    case when page.hold_until > clock_now() then 'delivered' else page.state end
from page join incident on incident.id = page.incident join app_user on app_user.id = page.recipient
where incident.alert is not null
"""
"""A page that waits, for a digest or since its recipient has had enough of them, is told a little later: how many letters
the first ones made depends on how many were claimed together."""
UNDER_WAY = """
select count(*) from page where state = 'sending' or (state = 'due' and coalesce(hold_until <= clock_now(), true))
"""
REPEATED = """
select count(*) from (select page from delivery group by page having count(*) > 1) twice
"""

Outcome = tuple[Counter[tuple[object, ...]], Counter[tuple[object, ...]], int, int]


async def play(broker: str, dsn: str, folder: Path, victims: tuple[Stage, ...]) -> Outcome:
    """Play the day on a clock that stands, kill the victims in its middle, then let the county's time climb by steps.

    The clock stands while input comes in, so that the wall time that a restart takes is no time of the county. For the same
    reason the sources wait each half hour until all of it is worked off: else the seconds of a restart would be hours of
    input, after which what one detector said at nine meets what another said at noon.
    """
    async with run_platform(Layout(folder, broker=broker, database=dsn)) as platform:
        sealer = read_key(platform.settings.personal_key)
        county = await seed_county(platform.store, PLAN, "not used here", sealer)
        standing = Clock(county_anchor=PLAN.until + timedelta(minutes=1), factor=0.0)
        await platform.store.set_clock(standing)
        await platform.start_responder()
        await platform.start_rest(console=False)
        left = list(victims)

        def kill(at: datetime) -> None:
            while left and at >= MIDDLE:
                os.kill(platform.supervisor.pids[left.pop()], signal.SIGKILL)

        async def pace(at: datetime) -> None:
            if (at - START) % STRETCH == timedelta(0):
                await until(lambda: is_worked_off(platform.settings.broker.bootstrap), 180)

        feeder = Feeder(platform.session, platform.gateway, county.tokens)
        elements = {element.id: element for element in load_data().elements}
        async with Stations(county, platform.device_port, elements) as stations:
            play_out = Play(county, feeder, stations)
            await play_out.history(lambda at: None)
            await play_out.scenario(pace, kill)
        balance = await drain(platform.settings.broker.bootstrap, platform.store, 120)
        for later in CLIMB:
            await platform.store.set_clock(Clock(county_anchor=standing.county_anchor + later, factor=0.0))
            await _settle(platform, dsn)
        restarts = sum(platform.supervisor.restarts[stage] for stage in victims)
        assert restarts == len(victims), "each victim was started again once"
        connection = await asyncpg.connect(dsn)
        try:
            cases = Counter(tuple(row) for row in await connection.fetch(CASES))
            pages = Counter(tuple(row) for row in await connection.fetch(PAGES))
            repeated = await connection.fetchval(REPEATED)
        finally:
            await connection.close()
        return cases, pages, repeated, balance.lost


async def _settle(platform: Platform, dsn: str) -> None:
    """Wait until nothing is due at the present time of the county."""
    connection = await asyncpg.connect(dsn)

    async def settled() -> bool:
        due = await connection.fetchval(TIMERS_DUE)
        return not due and not await connection.fetchval(UNDER_WAY)

    try:
        await platform.supervisor.until(settled, "The end of what is due", 60)
    finally:
        await connection.close()


@pytest.mark.parametrize("victims", [(), (Stage.STREAM, Stage.RESPOND)], ids=["control", "killed"])
async def test_incidents_and_pages_are_those_of_an_undisturbed_day(
    fresh_broker: str,
    another_broker: str,
    postgres: str,
    database: str,
    tmp_path: Path,
    victims: tuple[Stage, ...],
) -> None:
    """An undisturbed day equals another one (else the comparison says nothing), and so does one with two kills."""
    other = f"another_{os.urandom(8).hex()}"
    connection = await asyncpg.connect(postgres)
    await connection.execute(f"create database {other}")
    await connection.close()
    expected = await play(fresh_broker, database, tmp_path / "a", ())
    dsn = database.replace(database.split("/")[3].split("?", maxsplit=1)[0], other)
    found = await play(another_broker, dsn, tmp_path / "b", victims)
    assert expected[0], "the day brings cases"
    assert expected[1], "and pages"
    assert found[0] == expected[0]
    assert found[1] == expected[1]
    assert found[2:] == (0, 0)
