"""The store on a real PostgreSQL: schema, clock, registry, inputs, roll-ups, accounts."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest
from responder_world import COUNTY, POSTS, QINGXI, START, World, open_world, viewer

from domain.clock import REAL_TIME, Clock
from domain.errors import DatabaseUnavailable, InvalidConfiguration, InvalidInput, NotFound
from domain.findings import Heartbeat, LateReading, RollUps
from domain.inputs import Bulletin, Rejected, Report, Ticket
from domain.levels import Level
from domain.registry import Area, Series
from domain.topics import REGISTRY_AREAS, REGISTRY_CLOCK
from responders.migrate import migrate, migrations
from responders.store import Store
from responders.store.queries import load_queries
from responders.store.workers import Pending


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    """A settled county."""
    async with open_world(database) as opened:
        yield opened


async def test_migrations_are_applied_once_even_by_several_at_a_time(database: str) -> None:
    """Several processes that start together apply each migration once."""
    applied = await asyncio.gather(*(migrate(database) for _ in range(4)))
    assert sorted(map(len, applied)) == [0, 0, 0, len(migrations())]
    assert await migrate(database) == []


async def test_a_newer_database_is_refused_in_one_sentence(database: str) -> None:
    """A release does not touch a schema that it does not know."""
    await migrate(database)
    connection = await asyncpg.connect(database)
    await connection.execute("insert into migration (name) values ('9999_future')")
    await connection.close()
    with pytest.raises(InvalidConfiguration, match=r"newer than this release.*9999_future"):
        await migrate(database)


async def test_a_database_that_is_away_is_told_from_a_wrong_address(tmp_path: str, free_port: int) -> None:
    """Nobody listens: unavailable. No such address: a wrong setting, without the password in its words."""
    with pytest.raises(DatabaseUnavailable):
        async with Store.open(f"postgresql://u:secret@127.0.0.1:{free_port}/x", give_up_seconds=0.2):
            pass
    with pytest.raises(InvalidConfiguration) as caught:
        await migrate("postgresql://u:secret@127.0.0.1:notaport/x")
    assert "secret" not in str(caught.value)


async def test_every_query_fits_the_schema(world: World) -> None:
    """PostgreSQL can plan each named query."""
    connection = await asyncpg.connect(world.dsn)
    await connection.execute(load_queries()["stage_rollups"])
    for name, statement in load_queries().items():
        try:
            await connection.prepare(statement)
        except asyncpg.PostgresError as error:
            pytest.fail(f"{name}: {error}")
    await connection.close()


@pytest.mark.parametrize(
    "clock",
    [
        REAL_TIME,
        Clock(wall_anchor=datetime(2020, 1, 1, tzinfo=UTC), county_anchor=START, factor=60),
        Clock(wall_anchor=datetime(2020, 1, 1, tzinfo=UTC), county_anchor=START, factor=0.5),
        Clock(wall_anchor=datetime(2100, 1, 1, tzinfo=UTC), county_anchor=START, factor=60),
        Clock(county_anchor=START, factor=0),
    ],
)
async def test_the_database_draws_the_same_line_as_the_clock(world: World, clock: Clock) -> None:
    """clock_now() and Clock.now() agree, at any factor."""
    await world.store.set_clock(clock)
    assert await world.store.clock() == clock
    connection = await asyncpg.connect(world.dsn, server_settings={"timezone": "America/New_York"})
    before = clock.now()
    told = await connection.fetchval("select clock_now()")
    after = clock.now()
    await connection.close()
    slack = timedelta(milliseconds=5) * max(clock.factor, 1)
    assert before - slack <= told <= after + slack


async def test_the_registry_goes_into_the_outbox_in_the_same_transaction(world: World) -> None:
    """What is stored is published once, the newest value of each key."""
    sent: list[Pending] = []

    async def send(pending: list[Pending]) -> None:
        sent.extend(pending)

    await world.store.put_areas([Area(code=QINGXI, name="青溪街道")])
    assert await world.store.workers.publish_pending(100, send) == 6
    assert {one.key for one in sent if one.topic == REGISTRY_CLOCK.name} == {"clock"}
    assert [b"\xe8\xa1\x97" in one.value for one in sent if one.key == QINGXI] == [True]
    assert await world.store.workers.publish_pending(100, send) == 0
    assert await world.store.workers.published_topics() == {REGISTRY_AREAS.name, REGISTRY_CLOCK.name}


async def test_a_failed_publication_is_repeated(world: World) -> None:
    """What the broker did not take stays in the outbox."""

    async def fail(pending: list[Pending]) -> None:
        raise ConnectionResetError

    async def send(pending: list[Pending]) -> None:
        assert len(pending) == 6

    with pytest.raises(DatabaseUnavailable):  # an OSError inside the transaction counts as a lost connection
        await world.store.workers.publish_pending(100, fail)
    assert await world.store.workers.publish_pending(100, send) == 6


def ticket(text: str = "河水发臭") -> Ticket:
    """Make a ticket."""
    return Ticket(
        id=uuid4(),
        source="12345",
        order_number="1",
        observed_at=START,
        received_at=START,
        area=QINGXI,
        text=text,
    )


async def test_inputs_have_one_effect_each(world: World) -> None:
    """The same tickets, reports, bulletins and refusals again change nothing."""
    tickets = [ticket(), ticket("\x00控制字符")]
    report = Report(
        id=uuid4(),
        source="field",
        client_id=uuid4(),
        observed_at=START,
        received_at=START,
        area=QINGXI,
        text="",
    )
    bulletin = Bulletin(
        id=uuid4(),
        source="cap",
        own_id="1",
        category="flood",
        level=Level.ORANGE,
        areas=(COUNTY,),
        effective_at=START,
        expires_at=START + timedelta(hours=6),
        received_at=START,
        headline="暴雨橙色预警",
    )
    rejected = Rejected(
        id=uuid4(),
        stage="gateway",
        feed="tickets",
        source="12345",
        rejected_at=START,
        reason="invalid",
        faults=("text: is missing",),
        item="e30=",
        encoding="base64",
        size=2,
        sha256="0" * 64,
        ids=(uuid4(),),
    )
    store = world.store
    assert [await store.record_tickets(tickets), await store.record_tickets(tickets)] == [2, 0]
    assert [await store.record_reports([report]), await store.record_reports([report])] == [1, 0]
    assert [await store.record_bulletins([bulletin]), await store.record_bulletins([bulletin])] == [1, 0]
    assert [await store.record_rejected([rejected]), await store.record_rejected([rejected])] == [1, 0]
    assert await store.stored_ids() == {*(one.id for one in tickets), report.id, bulletin.id, *rejected.ids}


def rollups(count: int, minute: int = 29_600_000, **more: object) -> RollUps:
    """Make a roll-up of one minute of one series."""
    return RollUps(
        series=["s1"],
        minute=[minute],
        count=[count],
        good=[count],
        total=[2.0 * count],
        low=[1.0],
        high=[3.0],
        last=[2.0],
        **more,
    )


async def test_a_rollup_grows_and_never_shrinks(world: World) -> None:
    """Of one series and minute the greater count stands, in whatever order they come, also within one batch."""
    store = world.store
    late = LateReading(
        series="s1", observed_at=datetime.fromtimestamp(29_600_000 * 60, UTC), value=1.0, quality=0
    )
    await store.record_rollups([rollups(3)])
    await store.record_rollups([rollups(5), rollups(4)])
    await store.record_rollups([rollups(2), rollups(5), rollups(1, 29_600_001, late=[late])])
    await store.record_rollups([rollups(1, 29_600_001, late=[late])])
    account = await store.account()
    assert (account.readings, account.rows["rollup"], account.rows["late_reading"]) == (6, 2, 1)
    assert await store.stored_readings() == {("s1", 29_600_000): 6, ("s1", 29_600_001): 1}


async def test_what_no_column_can_hold_is_invalid_input(world: World) -> None:
    """A number beyond the column is told from a database that is away."""
    with pytest.raises(InvalidInput):
        await world.store.record_rollups([rollups(2**40)])
    with pytest.raises(InvalidInput):
        await world.store.record_rollups([rollups(1, 2**33)])
    uneven = RollUps(
        series=["a", "b"], minute=[1], count=[1], good=[1], total=[1], low=[1], high=[1], last=[1]
    )
    with pytest.raises(InvalidInput):
        await world.store.record_rollups([uneven])
    assert (await world.store.account()).rows["rollup"] == 0


async def test_a_curve_shows_only_good_values_and_only_the_own_area(world: World) -> None:
    """Mean, low and high are of good readings; a minute without any is a gap; other areas see nothing."""
    series = Series(
        id="s1", name="氨氮", quantity="nh3", unit="mg/L", area=QINGXI, category="water-pollution", source="x",
        interval_seconds=60,
    )  # fmt: skip
    await world.store.put_series([series])
    nothing_good = RollUps(
        series=["s1"], minute=[29_600_001], count=[4], good=[0], total=[0], low=[0], high=[0], last=[0]
    )
    await world.store.record_rollups([rollups(3), nothing_good])
    since = datetime.fromtimestamp(29_600_000 * 60, UTC)
    curve = await world.store.curve(viewer(POSTS[QINGXI]), "s1", since, since + timedelta(minutes=2))
    assert (curve.at, curve.mean, curve.low, curve.unit) == (
        (29_600_000 * 60, 29_600_001 * 60),
        (2.0, None),
        (1.0, None),
        "mg/L",
    )
    with pytest.raises(NotFound):
        await world.store.curve(viewer(POSTS["990101102"]), "s1", since, since + timedelta(minutes=2))


async def test_heartbeats_keep_the_newest_and_do_not_believe_the_future(world: World) -> None:
    """An older sign of life does not replace a newer one, and a clock that runs ahead gives no credit."""
    wall = datetime.now(UTC)
    beats = [
        Heartbeat(component="gateway", instance="a", at=wall - timedelta(seconds=10)),
        Heartbeat(component="gateway", instance="a", at=wall - timedelta(seconds=60)),
        Heartbeat(component="stream", instance="b", at=wall + timedelta(hours=1)),
    ]
    await world.store.record_heartbeats(beats)
    await world.store.record_heartbeats(beats[1:2])
    ages = {beat.component: beat.age_seconds for beat in await world.store.heartbeats()}
    assert 9 < ages["gateway"] < 30
    assert 0 <= ages["stream"] < 20


async def test_sessions_end_by_wall_time_by_hand_and_with_the_account(world: World) -> None:
    """A session that ended, or whose account was disabled, belongs to nobody."""
    user = POSTS[QINGXI]
    await world.store.create_session(user.id, "a" * 64, 3600)
    await world.store.create_session(user.id, "b" * 64, -1)
    assert await world.store.session("a" * 64) == viewer(user)
    assert await world.store.session("b" * 64) is None
    assert await world.store.session("c" * 64) is None
    await world.store.end_session("a" * 64)
    assert await world.store.session("a" * 64) is None


async def test_an_empty_password_hash_keeps_the_present_one(world: World) -> None:
    """Replacing an account without a hash does not lock its owner out."""
    user = POSTS[QINGXI]
    connection = await asyncpg.connect(world.dsn)
    await connection.execute("update app_user set password_hash = 'kept' where id = $1", user.id)
    await world.store.put_users([user])
    found = await world.store.credentials(user.login)
    assert found is not None
    assert found.password_hash == "kept"
    await connection.execute("update app_user set disabled = true where id = $1", user.id)
    assert await world.store.credentials(user.login) is None
    await connection.close()


async def test_listening_hears_changes_and_survives_a_lost_connection(world: World) -> None:
    """After its connection was cut the listener comes back and tells the newest change at once."""
    heard: asyncio.Queue[int] = asyncio.Queue()

    async def listen() -> None:
        async for change in world.store.listen():
            heard.put_nowait(change)

    listening = asyncio.create_task(listen())
    async with asyncio.timeout(20):
        assert await heard.get() == 0
        await world.raise_alert()
        first = await heard.get()
        assert first == await world.store.newest_change() > 0
        connection = await asyncpg.connect(world.dsn)
        await connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where query ilike 'listen%'"
        )
        await connection.close()
        await world.raise_alert()
        while await heard.get() <= first:
            pass
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
