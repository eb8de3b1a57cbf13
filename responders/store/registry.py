"""Clock, registry, accounts and roster in SQL; what streams need of it goes through the outbox in the same transaction."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import msgspec

from config.policies import TOWERS
from domain.clock import Clock
from domain.codec import encode
from domain.registry import Area, Series, Source
from domain.topics import REGISTRY_AREAS, REGISTRY_CLOCK, REGISTRY_SERIES, REGISTRY_SOURCES, Topic
from responders.cases import Desk, Person, Roster
from responders.store.pool import Connection
from responders.store.queries import sql
from responders.views import Shift, User, Viewer


async def publish(connection: Connection, topic: Topic, key: str, record: object) -> None:
    """Put a record into the outbox; it is on the topic soon after the transaction."""
    await connection.execute(sql("publish"), topic.name, key, encode(record).decode())


async def retire(connection: Connection, topic: Topic, key: str) -> None:
    """Put an empty value into the outbox: the key goes from the topic, and from everybody who follows it."""
    await connection.execute(sql("publish"), topic.name, key, None)


async def set_clock(connection: Connection, clock: Clock) -> None:
    """Set and publish the county clock."""
    await connection.execute(sql("set_clock"), clock.wall_anchor, clock.county_anchor, clock.factor)
    await publish(connection, REGISTRY_CLOCK, "clock", clock)


async def get_clock(connection: Connection) -> Clock:
    """Read the county clock."""
    row = await connection.fetchrow(sql("get_clock"))
    return msgspec.convert(dict(row or {}), Clock)


async def put_areas(connection: Connection, areas: Iterable[Area]) -> None:
    """Add or replace areas, and publish them."""
    for area in areas:
        await connection.execute(sql("put_area"), area.code, area.name, encode(area).decode())
        await publish(connection, REGISTRY_AREAS, area.code, area)


async def put_series(connection: Connection, series: Iterable[Series]) -> None:
    """Add or replace series, and publish them."""
    for one in series:
        await connection.execute(sql("put_series"), one.id, one.area, encode(one).decode())
        await publish(connection, REGISTRY_SERIES, one.id, one)


async def put_sources(connection: Connection, sources: Iterable[Source]) -> None:
    """Add or replace sources, and publish them."""
    for source in sources:
        await connection.execute(sql("put_source"), source.slug, encode(source).decode())
        await publish(connection, REGISTRY_SOURCES, source.slug, source)


async def list_areas(connection: Connection) -> list[Area]:
    """List all areas."""
    return [
        msgspec.json.decode(row["record"], type=Area) for row in await connection.fetch(sql("list_areas"))
    ]


async def list_series(connection: Connection) -> list[Series]:
    """List all series."""
    return [
        msgspec.json.decode(row["record"], type=Series) for row in await connection.fetch(sql("list_series"))
    ]


async def put_users(connection: Connection, users: Iterable[User]) -> None:
    """Add or replace accounts."""
    await connection.executemany(
        sql("put_user"),
        [
            (
                user.id,
                user.login,
                user.display,
                user.role.value,
                user.area,
                user.post,
                list(user.channels),
                user.password_hash,
            )
            for user in users
        ],
    )


async def list_users(connection: Connection) -> list[User]:
    """List all accounts."""
    return [msgspec.convert(dict(row), User) for row in await connection.fetch(sql("list_users"))]


async def put_shifts(connection: Connection, shifts: Iterable[Shift]) -> None:
    """Add shifts."""
    await connection.executemany(
        sql("put_shift"),
        [(shift.area, shift.post, shift.user, shift.starts_at, shift.ends_at) for shift in shifts],
    )


async def county_now(connection: Connection) -> datetime:
    """Tell county time."""
    now: datetime = await connection.fetchval(sql("county_now"))
    return now


def desks_areas(place: str) -> list[str]:
    """Name a place and every area above it, whose desks may be asked about it."""
    return sorted({place, *(place[: int(tower)] for tower in TOWERS.values())})


async def roster_for(connection: Connection, place: str, now: datetime) -> Roster:
    """Read who is on duty in a place and in every area above it."""
    areas = desks_areas(place)
    desks: dict[Desk, tuple[Person, ...]] = {}
    for row in await connection.fetch(sql("on_duty"), areas, now):
        desk = Desk(row["area"], row["post"])
        person = Person(row["id"], row["display"], tuple(row["channels"]))
        if person not in desks.get(desk, ()):
            desks[desk] = (*desks.get(desk, ()), person)
    return Roster(desks)


async def credentials(connection: Connection, login: str) -> User | None:
    """Find the account of a login."""
    row = await connection.fetchrow(sql("credentials"), login)
    return msgspec.convert(dict(row), User) if row else None


async def find_session(connection: Connection, token_sha256: str) -> Viewer | None:
    """Find who a session belongs to."""
    row = await connection.fetchrow(sql("find_session"), token_sha256)
    return msgspec.convert(dict(row), Viewer) if row else None


async def create_session(connection: Connection, user: UUID, token_sha256: str, seconds: float) -> None:
    """Begin a session."""
    await connection.execute(sql("create_session"), token_sha256, user, seconds)


async def end_session(connection: Connection, token_sha256: str) -> None:
    """End a session."""
    await connection.execute(sql("end_session"), token_sha256)
