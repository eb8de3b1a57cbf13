"""Devices and series in SQL: changed as a whole or not at all, on record, and published; and what was seen of devices."""

from collections.abc import Collection, Iterable, Sequence
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from domain.aqi import AirQuality
from domain.codec import encode
from domain.devices import Sighting
from domain.errors import Conflict, InvalidInput
from domain.identity import derived_id
from domain.limits import follow
from domain.registry import Device, Series, Source
from domain.topics import REGISTRY_DEVICES, REGISTRY_SERIES
from responders.planning import make_plan
from responders.registration import Action, Kind, Known, Plan, Step, Wish
from responders.stations import Followed
from responders.store.console import find_actor
from responders.store.pool import Connection
from responders.store.queries import sql
from responders.store.registry import county_now, list_series, publish, put_series, retire
from responders.views import Role, Viewer

BEIJING = ZoneInfo("Asia/Shanghai")
CHANGES = frozenset({Role.ADMIN})
"""Who may change the registry; where is decided by the area of the account."""
SYSTEM = "system"


async def put_devices(connection: Connection, devices: Iterable[Device]) -> None:
    """Add or replace devices, and publish them."""
    for device in devices:
        await connection.execute(
            sql("put_device"),
            device.id,
            device.protocol.value,
            device.address,
            device.area,
            encode(device).decode(),
        )
        await publish(connection, REGISTRY_DEVICES, device.id, device)


async def remove_devices(connection: Connection, names: Collection[str]) -> None:
    """Remove devices here and on the topic; what is not there is no matter."""
    for row in await connection.fetch(sql("remove_devices"), list(names)):
        await retire(connection, REGISTRY_DEVICES, row["id"])


async def remove_series(connection: Connection, names: Collection[str]) -> None:
    """Remove series here and on the topic; what is not there is no matter."""
    for row in await connection.fetch(sql("remove_series"), list(names)):
        await retire(connection, REGISTRY_SERIES, row["id"])


async def list_devices(connection: Connection) -> list[Device]:
    """List all devices."""
    return [
        msgspec.json.decode(row["record"], type=Device) for row in await connection.fetch(sql("list_devices"))
    ]


async def list_sources(connection: Connection) -> list[Source]:
    """List all sources."""
    return [
        msgspec.json.decode(row["record"], type=Source) for row in await connection.fetch(sql("list_sources"))
    ]


async def record_sightings(connection: Connection, sightings: Sequence[Sighting]) -> None:
    """Keep the newest word of each gateway on each device."""
    newest = {
        (one.protocol, one.address, one.gateway): one for one in sightings
    }  # as they stood on the topic
    await connection.executemany(
        sql("put_sighting"),
        [
            (
                one.protocol.value,
                _clean(one.address),
                _clean(one.gateway),
                one.device,
                _clean(one.peer),
                one.seen_at,
                one.packets,
                one.readings,
                one.refused,
                one.connected,
                _clean(one.problem),
                one.clock_offset_seconds,
                [_clean(channel) for channel in one.channels],
            )
            for _, one in sorted(newest.items())
        ],
    )


def _clean(text: str) -> str:
    """Make a text fit for PostgreSQL, which knows every character but NUL."""
    return text.replace("\x00", "�")


async def list_sightings(connection: Connection) -> list[Sighting]:
    """List what each gateway saw of each device."""
    return [msgspec.convert(dict(row), Sighting) for row in await connection.fetch(sql("list_sightings"))]


async def known(connection: Connection, categories: Collection[str]) -> Known:
    """Read the registry as it is."""
    return Known(
        areas={row["code"] for row in await connection.fetch(sql("area_codes"))},
        sources={source.slug: source for source in await list_sources(connection)},
        categories=categories,
        devices={device.id: device for device in await list_devices(connection)},
        series={series.id: series for series in await list_series(connection)},
    )


async def plan(connection: Connection, wish: Wish, categories: Collection[str]) -> tuple[Step, ...]:
    """Say what a wish would do; InvalidInput with all faults."""
    return make_plan(await known(connection, categories), wish).steps


async def change(
    connection: Connection, wish: Wish, categories: Collection[str], actor: str, user: UUID | None = None
) -> tuple[Step, ...]:
    """Make a change in the name of somebody who needs no permission here, such as the command line."""
    await connection.execute(sql("lock_registry"))
    made = make_plan(await known(connection, categories), wish)
    await _write(connection, made, actor, user)
    return made.steps


async def plan_for(
    connection: Connection, viewer: Viewer, wish: Wish, categories: Collection[str]
) -> tuple[Step, ...]:
    """Say what a wish of a viewer would do; NotAllowed for others than administrators."""
    actor = await find_actor(connection, viewer, CHANGES)
    return make_plan(await known(connection, categories), wish, actor.area).steps


async def change_for(
    connection: Connection, viewer: Viewer, wish: Wish, categories: Collection[str], request_id: UUID
) -> tuple[Step, ...]:
    """Make a change for a viewer, once for each request id."""
    actor = await find_actor(connection, viewer, CHANGES)
    await connection.execute(sql("lock_registry"))
    subject = derived_id("registry-wish", encode(wish).decode())
    row = await connection.fetchrow(sql("find_request"), request_id)
    if row is not None:
        if (row["user_id"], row["action"], row["subject"]) != (actor.id, "registry", subject):
            raise Conflict("请求编号已用于其他操作。 This request id was used for something else.")
        return msgspec.json.decode(row["answer"], type=tuple[Step, ...])
    made = make_plan(await known(connection, categories), wish, actor.area)
    await _write(connection, made, actor.display, actor.id)
    await connection.execute(
        sql("add_request"), request_id, actor.id, "registry", subject, encode(made.steps).decode()
    )
    return made.steps


async def _write(connection: Connection, made: Plan, actor: str, user: UUID | None) -> None:
    """Carry a plan out: devices come before the series that they deliver and go after them."""
    await put_devices(connection, made.devices)
    await put_series(connection, made.series)
    await remove_series(connection, made.gone_series)
    await remove_devices(connection, made.gone_devices)
    await _note(connection, made.steps, actor, user)


async def _note(connection: Connection, steps: Iterable[Step], actor: str, user: UUID | None) -> None:
    await connection.executemany(
        sql("add_registry_change"),
        [
            (
                actor,
                user,
                step.kind.value,
                step.id,
                step.area,
                step.action.value,
                encode(step.fields).decode(),
            )
            for step in steps
            if step.action is not Action.SAME
        ],
    )


async def follow_standard(connection: Connection, air: AirQuality) -> Followed:
    """Bring limits that are stated as an AQI to the standard in force on the county's date."""
    on = (await county_now(connection)).astimezone(BEIJING).date()
    rows = await connection.fetch(sql("aqi_series"))
    changed: list[tuple[Series, Series]] = []
    stuck: dict[str, str] = {}
    for row in rows:
        before = msgspec.json.decode(row["record"], type=Series)
        try:
            after = follow(before, air, on)
        except InvalidInput as error:
            stuck[before.id] = str(error)
        else:
            changed += [(before, after)] if after is not before else []
    if not changed:
        return Followed((), stuck)
    await connection.execute(sql("lock_registry"))
    present = {one.id: one for one in await list_series(connection)}
    still = [(before, after) for before, after in changed if present.get(before.id) == before]
    await put_series(connection, [after for _, after in still])
    steps = [
        Step(
            kind=Kind.SERIES,
            id=after.id,
            name=after.name,
            area=after.area,
            action=Action.CHANGED,
            fields={"limits": (msgspec.to_builtins(before.limits), msgspec.to_builtins(after.limits))},
        )
        for before, after in still
    ]
    await _note(connection, steps, SYSTEM, None)
    return Followed(tuple(step.id for step in steps), stuck)
