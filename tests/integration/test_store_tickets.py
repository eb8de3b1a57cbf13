"""Orders in the database: what a later push brings is kept, and what it replaces too."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from msgspec import structs
from responder_world import QINGXI, START, World, open_world

from domain.hotline import Kind, Satisfaction, Status
from domain.inputs import Ticket

FIRST = Ticket(
    id=UUID(int=1),
    source="12345",
    order_number="GD1",
    observed_at=START,
    received_at=START,
    area=QINGXI,
    text="河水发黑",
    address="青溪镇桥头",
    sealed="v1.a.person",
    kind=Kind.COMPLAINT,
    status=Status.ACCEPTED,
)


def later(minutes: int, **changes: Any) -> Ticket:
    """Make a later push of the order that names only what changed."""
    bare = {"address": None, "sealed": None, "kind": None, "status": None}
    return structs.replace(FIRST, received_at=START + timedelta(minutes=minutes), **(bare | changes))


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    """A settled county."""
    async with open_world(database) as opened:
        yield opened


async def rows(world: World, statement: str) -> list[dict[str, Any]]:
    """Look into the database."""
    connection = await asyncpg.connect(world.dsn)
    try:
        return [dict(row) for row in await connection.fetch(statement)]
    finally:
        await connection.close()


@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "one by one"])
async def test_the_newest_state_stands_and_nothing_is_lost(world: World, together: bool) -> None:
    """Each field keeps the newest value that was named, also when an old push is read again."""
    done = later(60, status=Status.DONE, closed_at=START + timedelta(minutes=59))
    rated = later(90, satisfaction=Satisfaction.SATISFIED, resolved=True)
    pushes = [FIRST, done, rated, FIRST, done]
    batches = [pushes] if together else [[push] for push in pushes]
    assert sum([await world.store.record_tickets(batch) for batch in batches]) == 1
    (row,) = await rows(world, "select * from ticket")
    assert (row["status"], row["closed_at"]) == ("done", START + timedelta(minutes=59))
    assert (row["satisfaction"], row["resolved"], row["kind"]) == ("satisfied", True, "complaint")
    assert (row["address"], row["sealed"]) == ("青溪镇桥头", "v1.a.person")
    assert (row["received_at"], row["changed_at"]) == (START, START + timedelta(minutes=90))
    assert await rows(world, "select * from ticket_words") == []


async def test_words_that_are_replaced_are_kept(world: World) -> None:
    """The newest words stand; the ones before are beside them, once, with what was sealed with them."""
    changed = later(10, text="河水发黑，有死鱼", sealed="v1.a.longer.person")
    for _ in range(2):
        await world.store.record_tickets([FIRST, changed, FIRST])
    (row,) = await rows(world, "select text, address, sealed from ticket")
    assert row == {"text": "河水发黑，有死鱼", "address": "青溪镇桥头", "sealed": "v1.a.longer.person"}
    (kept,) = await rows(world, "select * from ticket_words")
    assert (kept["text"], kept["sealed"], kept["received_at"]) == ("河水发黑", "v1.a.person", START)
    assert kept["replaced_at"] == START + timedelta(minutes=10)


async def test_place_time_and_category_stay_as_they_were_counted(world: World) -> None:
    """What detectors went by does not change under them."""
    moved = later(5, area="990101999", observed_at=START + timedelta(hours=1), category="flood")
    assert await world.store.record_tickets([FIRST, moved]) == 1
    (row,) = await rows(world, "select area, observed_at, category from ticket")
    assert row == {"area": QINGXI, "observed_at": START, "category": None}
