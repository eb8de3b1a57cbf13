"""Warnings that end, and what alerts said, in a real PostgreSQL."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest
from msgspec import structs
from responder_world import COUNTY, START, World, open_world

from domain.identity import input_id
from domain.inputs import Bulletin, BulletinStatus
from domain.levels import Feed, Level


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    """A settled county."""
    async with open_world(database) as opened:
        yield opened


def warning(name: str, minute: int = 0, **changes: object) -> Bulletin:
    """Make a warning of heavy rain."""
    at = START + timedelta(minutes=minute)
    bulletin = Bulletin(
        id=input_id(Feed.BULLETINS, "weather", name),
        source="weather",
        own_id=name,
        category="flood",
        level=Level.ORANGE,
        areas=(COUNTY,),
        effective_at=at,
        expires_at=at + timedelta(hours=6),
        received_at=at,
        headline="暴雨橙色预警",
    )
    return structs.replace(bulletin, **changes)


CANCEL = warning(
    "C", 30, category=None, level=None, areas=(), supersedes=("A",), status=BulletinStatus.CANCELLED
)


async def ended(world: World) -> dict[str, UUID | None]:
    """Tell which warning ended each."""
    connection = await asyncpg.connect(world.dsn)
    try:
        return {row["own_id"]: row["ended_by"] for row in await connection.fetch("select * from bulletin")}
    finally:
        await connection.close()


@pytest.mark.parametrize("late", [False, True])
async def test_a_cancellation_ends_every_part_whichever_comes_first(world: World, late: bool) -> None:
    """A message of two warnings is over in both, even when its end was told before it; another source's is not."""
    parts = [warning("A.1", part_of="A"), warning("A.2", part_of="A")]
    other = warning("A.1", part_of="A", source="other", id=UUID(int=9))
    batches = [[CANCEL], [*parts, other]] if late else [[*parts, other], [CANCEL]]
    for batch in [*batches, *batches]:
        await world.store.record_bulletins(batch)
    connection = await asyncpg.connect(world.dsn)
    rows = await connection.fetch(
        "select source, own_id, ended_by, ended_at from bulletin order by source, own_id"
    )
    await connection.close()
    assert [(row["source"], row["own_id"], row["ended_by"], row["ended_at"]) for row in rows] == [
        ("other", "A.1", None, None),
        ("weather", "A.1", CANCEL.id, CANCEL.effective_at),
        ("weather", "A.2", CANCEL.id, CANCEL.effective_at),
        ("weather", "C", None, None),
    ]


async def test_an_update_ends_what_it_names_and_not_what_came_with_it(world: World) -> None:
    """A message that names itself ends its earlier sending; its own parts stay."""
    update = [warning(f"A.2000.{part}", 10, part_of="A", supersedes=("A",)) for part in (1, 2)]
    await world.store.record_bulletins([warning("A.1000.1", part_of="A"), *update])
    who = await ended(world)
    assert who["A.1000.1"] in {one.id for one in update}
    assert (who["A.2000.1"], who["A.2000.2"]) == (None, None)


async def test_an_exercise_ends_nothing(world: World) -> None:
    """A rehearsed cancellation is stored and leaves what is real in force."""
    await world.store.record_bulletins([warning("A"), structs.replace(CANCEL, exercise=True)])
    assert await ended(world) == {"A": None, "C": None}
