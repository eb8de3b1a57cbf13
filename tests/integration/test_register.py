"""The register of devices and series on a real PostgreSQL: on record, published, and seen within one's own area."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest
from msgspec import structs
from responder_world import COUNTY, DATA, HEWAN, PROVINCE, QINGXI, START, World, open_world, post, viewer

from domain.clock import EPOCH, Clock
from domain.devices import Sighting
from domain.errors import Conflict, InvalidInput, NotAllowed
from domain.findings import Heartbeat, RollUps
from domain.levels import Feed, Level
from domain.limits import follow
from domain.registry import Device, Limit, Protocol, Series, Source
from domain.topics import REGISTRY_DEVICES, REGISTRY_SERIES
from responders.limits import run_limits
from responders.loops import Health
from responders.registration import Action, Kind, Wish
from responders.stations import Sifting
from responders.store.workers import Pending
from responders.views import Role, User

ADMIN, TOWN_ADMIN = (post(area, Role.ADMIN, "系统管理") for area in (COUNTY, QINGXI))
OFFICER, COUNTY_OFFICER = post(QINGXI), post(COUNTY)
SOURCE = Source(slug="ecology", token_sha256="0" * 64, feeds=(Feed.READINGS,), area=COUNTY)
DEVICE = Device(
    id="logger-1",
    name="青溪河数采仪",
    station="青溪河断面",
    area=QINGXI,
    source="ecology",
    protocol=Protocol.HJ212,
    address="A110000_0001",
    sealed="v1.k.secret",
)
SERIES = Series(
    id="river-1.cod",
    name="青溪河断面化学需氧量",
    quantity="cod",
    unit="mg/L",
    area=QINGXI,
    category="water-pollution",
    source="ecology",
    interval_seconds=300,
    limits=(Limit(level=Level.BLUE, value=30),),
    device="logger-1",
    channel="w01018",
)
CATEGORIES = DATA.categories.keys()
ALL = Sifting()


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    """A settled county with one source and two administrators."""
    async with open_world(database) as opened:
        await opened.store.put_sources([SOURCE])
        await opened.store.put_users([ADMIN, TOWN_ADMIN])
        yield opened


async def registered(world: World) -> None:
    """Register a device and its series."""
    await world.store.register.change(Wish(devices=(DEVICE,), series=(SERIES,)), CATEGORIES, "test")


async def published(world: World) -> list[Pending]:
    """Publish what waits, and read it."""
    sent: list[Pending] = []

    async def send(pending: list[Pending]) -> None:
        sent.extend(pending)

    await world.store.workers.publish_pending(1_000, send)
    return sent


def sighting(
    address: str = DEVICE.address, gateway: str = "gw:1", at: datetime = START, **more: object
) -> Sighting:
    """What a gateway says of a device."""
    words: dict[str, object] = {
        "device": None, "peer": "10.0.0.7:5000", "packets": 3, "readings": 9, "refused": 0, "connected": True,
        **more,
    }  # fmt: skip
    return Sighting(protocol=Protocol.HJ212, address=address, gateway=gateway, seen_at=at, **words)  # type: ignore[arg-type]


async def test_a_change_is_stored_published_and_on_record(world: World) -> None:
    """Device before series, and the record names the fields without any secret."""
    await published(world)
    await registered(world)
    assert [(one.topic, one.key) for one in await published(world)] == [
        (REGISTRY_DEVICES.name, "logger-1"),
        (REGISTRY_SERIES.name, "river-1.cod"),
    ]
    assert (await world.store.devices(), await world.store.series()) == ([DEVICE], [SERIES])
    await world.store.register.change(
        Wish(series=(structs.replace(SERIES, name="新名"),)), CATEGORIES, "command line"
    )
    newest, *rest = await world.store.register.changes(viewer(COUNTY_OFFICER))
    assert (newest.actor, newest.ref, newest.action) == ("command line", "river-1.cod", Action.CHANGED)
    assert newest.fields == {"name": (SERIES.name, "新名")}
    assert [(one.ref, one.action) for one in rest] == [
        ("river-1.cod", Action.ADDED),
        ("logger-1", Action.ADDED),
    ]
    assert "secret" not in str([one.fields for one in rest if "secrets" not in one.fields])
    assert "v1.k" not in str(rest)


async def test_what_goes_goes_from_the_topic_too(world: World) -> None:
    """A removed entry leaves an empty value under its key, and is published again with the topic."""
    await registered(world)
    await published(world)
    await world.store.register.change(
        Wish(gone_devices=("logger-1",), gone_series=("river-1.cod",)), CATEGORIES, "test"
    )
    gone = [(one.key, one.value) for one in await published(world)]
    assert gone == [("river-1.cod", None), ("logger-1", None)]
    assert (await world.store.devices(), await world.store.series()) == ([], [])
    await world.store.workers.publish_again(REGISTRY_SERIES.name)
    assert [(one.key, one.value) for one in await published(world)] == [("river-1.cod", None)]
    await registered(world)
    assert all(one.value for one in await published(world))


async def test_a_wish_with_faults_changes_nothing(world: World) -> None:
    """All faults are told, and not even the right half of it is written."""
    wish = Wish(devices=(DEVICE,), series=(structs.replace(SERIES, category="ufo", area="88"),))
    with pytest.raises(InvalidInput) as caught:
        await world.store.register.change(wish, CATEGORIES, "test")
    assert [fault.field for fault in caught.value.faults] == [
        "series river-1.cod: area",
        "series river-1.cod: category",
    ]
    assert await world.store.devices() == []
    assert await world.store.register.changes(viewer(COUNTY_OFFICER)) == []


async def test_devices_change_places_and_two_writers_at_once_do_not_collide(world: World) -> None:
    """Addresses are unique when all is done; of two that want the same one, the second is told."""
    second = structs.replace(DEVICE, id="logger-2", address="A2")
    await world.store.register.change(Wish(devices=(DEVICE, second)), CATEGORIES, "test")
    swap = (structs.replace(DEVICE, address="A2"), structs.replace(second, address=DEVICE.address))
    await world.store.register.change(Wish(devices=swap), CATEGORIES, "test")
    assert [device.address for device in await world.store.devices()] == ["A2", DEVICE.address]
    both = [
        world.store.register.change(
            Wish(devices=(structs.replace(DEVICE, id=name, address="A3"),)), CATEGORIES, name
        )
        for name in ("a", "b")
    ]
    done = await asyncio.gather(*both, return_exceptions=True)
    assert sorted(type(one).__name__ for one in done) == ["InvalidInput", "tuple"]


async def test_the_record_of_the_registry_is_append_only(world: World) -> None:
    """Nobody rewrites who changed what."""
    await registered(world)
    connection = await asyncpg.connect(world.dsn)
    for statement in (
        "update registry_change set actor = 'nobody'",
        "delete from registry_change",
        "truncate registry_change",
    ):
        with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
            await connection.execute(statement)
    await connection.close()


async def test_administrators_change_their_own_area_once_per_request(world: World) -> None:
    """The same request again answers the same; others may not; outside the own area nothing is touched."""
    key, wish = uuid4(), Wish(devices=(DEVICE,), series=(SERIES,))
    register = world.store.register
    assert [step.action for step in await register.plan_for(viewer(ADMIN), wish, CATEGORIES)] == [
        Action.ADDED,
        Action.ADDED,
    ]
    assert await world.store.devices() == []
    first = await register.change_for(viewer(ADMIN), wish, CATEGORIES, key)
    assert await register.change_for(viewer(ADMIN), wish, CATEGORIES, key) == first
    assert len(await register.changes(viewer(ADMIN))) == 2
    assert {change.actor for change in await register.changes(viewer(ADMIN))} == {ADMIN.display}
    with pytest.raises(Conflict):
        await register.change_for(viewer(ADMIN), Wish(gone_series=("river-1.cod",)), CATEGORIES, key)
    with pytest.raises(NotAllowed):
        await register.change_for(viewer(COUNTY_OFFICER), wish, CATEGORIES, uuid4())
    moved = Wish(series=(structs.replace(SERIES, area=HEWAN),))
    with pytest.raises(InvalidInput, match="outside your own area"):
        await register.plan_for(viewer(TOWN_ADMIN), moved, CATEGORIES)


async def test_the_newest_word_of_each_gateway_counts(world: World) -> None:
    """An older word does not replace a newer one; one told on another clock, ahead of ours, does not stay for ever."""
    store = world.store
    later = START + timedelta(minutes=1)
    world.now = later
    await world.set_clock()
    await store.record_sightings([sighting(packets=1), sighting(at=later, packets=5, address="\x00A")])
    await store.record_sightings([sighting(at=later, packets=7), sighting(gateway="gw:2", packets=4)])
    await store.record_sightings([sighting(packets=2)])
    found = {(one.address, one.gateway): one.packets for one in await store.register.sightings()}
    assert found == {(DEVICE.address, "gw:1"): 7, (DEVICE.address, "gw:2"): 4, ("�A", "gw:1"): 5}
    await store.set_clock(Clock(wall_anchor=EPOCH, county_anchor=START, factor=0.0))
    await store.record_sightings([sighting(packets=8)])
    assert max(one.packets for one in await store.register.sightings()) == 8


async def test_a_device_is_shown_as_all_gateways_see_it(world: World) -> None:
    """Counts are summed; whoever has a living gateway is connected; the newest problem stands."""
    await registered(world)
    store, seat = world.store, viewer(OFFICER)
    await store.record_sightings(
        [
            sighting(gateway="dead", packets=4, problem="crc", at=START - timedelta(minutes=5)),
            sighting(gateway="alive", packets=6, connected=False, problem="wrong-password", refused=2),
        ]
    )
    await store.record_heartbeats([Heartbeat(component="gateway", instance="alive", at=datetime.now(UTC))])
    (row,) = (await store.register.devices(seat, ALL)).devices
    assert (row.packets, row.refused, row.problem, row.connected) == (10, 2, "wrong-password", False)
    assert (row.secrets, row.series, row.area_name) == (True, 1, "青溪镇")
    await store.record_sightings([sighting(gateway="alive", at=START, clock_offset_seconds=90.0)])
    (row,) = (await store.register.devices(seat, Sifting(problems=True))).devices
    assert (row.connected, row.problem, row.clock_offset_seconds) == (True, "", 90.0)
    await store.record_sightings([sighting(gateway="alive", at=START, clock_offset_seconds=1.0)])
    assert (await store.register.devices(seat, Sifting(problems=True))).devices == ()


@pytest.mark.parametrize(
    ("text", "found"), [("青溪 数采", 1), ("a110000_", 1), ("a110000%0001", 0), ("白石", 0), ("\\", 0)]
)
async def test_words_are_sought_as_they_are(world: World, text: str, found: int) -> None:
    """All words must be there, in any case of letters; signs of patterns mean themselves."""
    await registered(world)
    listed = await world.store.register.devices(viewer(ADMIN), Sifting(text=text))
    assert (len(listed.devices), listed.total) == (found, found)


def town(role: Role) -> User:
    """Make an account of a township."""
    return post(HEWAN, role)


async def test_nobody_sees_another_area_and_strangers_are_for_the_county(world: World) -> None:
    """A township sees its own; unregistered devices are seen by administrators and from the county upwards."""
    await registered(world)
    await world.store.record_sightings([sighting(address="STRANGE", channels=("w01018",)), sighting()])
    for account, devices, strangers in (
        (OFFICER, 1, None),
        (town(Role.OFFICER), 0, None),
        (COUNTY_OFFICER, 1, ["STRANGE"]),
        (post(PROVINCE), 1, ["STRANGE"]),
        (ADMIN, 1, ["STRANGE"]),
        (TOWN_ADMIN, 1, ["STRANGE"]),
    ):
        listed = await world.store.register.devices(viewer(account), ALL)
        assert len(listed.devices) == devices, account
        told = None if listed.strangers is None else [one.address for one in listed.strangers]
        assert told == strangers, account
        assert (await world.store.register.series(viewer(account), ALL)).total == devices
        assert len(await world.store.register.changes(viewer(account))) == 2 * devices
    await world.store.register.change(
        Wish(devices=(structs.replace(DEVICE, id="logger-2", address="STRANGE"),)), CATEGORIES, "test"
    )
    assert (await world.store.register.devices(viewer(ADMIN), ALL)).strangers == ()


async def test_series_show_their_newest_value_and_whether_they_are_silent(world: World) -> None:
    """A series without readings for five intervals is silent, and so is one that never had any."""
    other = structs.replace(SERIES, id="river-1.nh3", channel="w21003", area=QINGXI)
    await world.store.register.change(Wish(devices=(DEVICE,), series=(SERIES, other)), CATEGORIES, "test")
    minute = int(START.timestamp() // 60) - 10
    await world.store.record_rollups(
        [
            RollUps(
                series=[SERIES.id] * 2, minute=[minute - 1, minute], count=[1, 1], good=[1, 1],
                total=[1, 2], low=[1, 2], high=[1, 2], last=[1.0, 2.5],
            )
        ]
    )  # fmt: skip
    seat, register = viewer(OFFICER), world.store.register
    cod, ammonia = (await register.series(seat, ALL)).series
    assert (cod.last, cod.good, cod.silent) == (2.5, True, False)
    assert cod.last_at == START - timedelta(minutes=9)
    assert (ammonia.last_at, ammonia.silent) == (None, True)
    silent = await register.series(seat, Sifting(problems=True))
    assert [row.series.id for row in silent.series] == ["river-1.nh3"]
    assert (await register.series(seat, ALL, device="logger-1")).total == 2
    assert (await register.series(seat, ALL, only="river-1.cod")).total == 1
    assert (await register.series(seat, Sifting(source="nobody"))).total == 0
    assert (await register.series(seat, Sifting(limit=1))).total == 2
    await world.advance(minutes=20)
    assert (await register.series(seat, ALL, only="river-1.cod")).series[0].silent


async def test_limits_follow_the_standard_on_the_day_it_comes_into_force(world: World) -> None:
    """At midnight in the county the value moves, is published, and the record names the system."""
    world.now = datetime(2026, 2, 28, 15, 59, tzinfo=UTC)
    await world.set_clock()
    stated = Limit(level=Level.BLUE, value=0, aqi=100, averaging="24h")
    fine = structs.replace(
        SERIES, id="air-1.pm25", quantity="pm25", unit="µg/m³", limits=(stated,), device=None, channel=""
    )
    lost = structs.replace(fine, id="air-1.x", quantity="radon")
    before = follow(fine, DATA.aqi, datetime(2026, 2, 28, tzinfo=UTC).date())
    await world.store.put_series([before, lost])
    followed = await world.store.register.follow_standard(DATA.aqi)
    assert (followed.changed, followed.stuck.keys()) == ((), {"air-1.x"})
    await published(world)
    await world.advance(minutes=1)
    assert (await world.store.register.follow_standard(DATA.aqi)).changed == ("air-1.pm25",)
    (after,) = (one for one in await world.store.series() if one.id == "air-1.pm25")
    assert (before.limits[0].value, after.limits[0].value) == (75, 60)
    assert after.limits[0].basis == "HJ 633-2026, AQI 100"
    assert [one.key for one in await published(world) if one.topic == REGISTRY_SERIES.name] == ["air-1.pm25"]
    (change,) = await world.store.register.changes(viewer(OFFICER), Kind.SERIES, "air-1.pm25")
    assert (change.actor, change.fields["limits"][1][0]["value"]) == ("system", 60)
    assert (await world.store.register.follow_standard(DATA.aqi)).changed == ()


async def test_a_responder_follows_the_standard_by_itself(world: World) -> None:
    """The loop brings limits into line as soon as it runs, and bears one that no edition knows."""
    stated = Limit(level=Level.BLUE, value=75, aqi=100, averaging="24h", basis="HJ 633-2012, AQI 100")
    fine = structs.replace(
        SERIES, id="air-1.pm25", quantity="pm25", unit="µg/m³", limits=(stated,), device=None, channel=""
    )
    await world.store.put_series([fine, structs.replace(fine, id="air-1.x", quantity="radon")])
    health, stopping = Health(), asyncio.Event()
    health.expect("limits")
    running = asyncio.create_task(run_limits(world.store, DATA.aqi, health, stopping))
    async with asyncio.timeout(20):
        while health.lost:
            await asyncio.sleep(0.01)
    stopping.set()
    await running
    assert {one.id: one.limits[0].value for one in await world.store.series()} == {
        "air-1.pm25": 60,
        "air-1.x": 75,
    }


async def test_what_gateways_of_yesterday_said_is_forgotten(world: World) -> None:
    """What a later gateway replaced goes after a day; the newest word stays for a season."""
    await world.store.record_sightings([sighting(gateway="old"), sighting(gateway="new")])
    await world.store.record_sightings([sighting(address="ALONE", gateway="old")])
    connection = await asyncpg.connect(world.dsn)
    await connection.execute(
        "update sighting set wall_at = wall_at - interval '2 days' where gateway = 'old'"
    )
    await world.store.workers.prune()
    left = {(one.address, one.gateway) for one in await world.store.register.sightings()}
    assert left == {(DEVICE.address, "new"), ("ALONE", "old")}
    await connection.execute("update sighting set wall_at = wall_at - interval '100 days'")
    await connection.close()
    await world.store.workers.prune()
    assert await world.store.register.sightings() == []
