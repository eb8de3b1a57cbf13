"""Responders killed at every await: whoever comes after finishes, and everything is as if nobody had died.

How many awaits there are is found out by running: each way is gone again with one more await to live through, until it is
gone to its end. After each death a second responder goes the same way, as it would: a timer is still due, a message comes
again from the topic, an officer's command is sent again under the same request id.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from fault_world import Killed, Life, came_to, cut_by, mortal_store, put_away
from responder_world import (
    CITY,
    COUNTY,
    HEWAN,
    POSTS,
    QINGXI,
    WITH_WEBHOOK,
    World,
    alert,
    open_world,
    viewer,
)

from domain.errors import DatabaseUnavailable
from domain.findings import Alert, AlertChange
from domain.identity import incident_id
from domain.incidents import PleaKind, TaskState, Verdict
from domain.levels import Level
from responders.pleas import Plea
from responders.replies import Via
from responders.store import Store
from responders.store.pool import Connection
from responders.views import Viewer

COUNTY_POST, TOWN_POST, CITY_POST = (viewer(POSTS[area]) for area in (COUNTY, QINGXI, CITY))
ONE_LIFE_AT_LEAST = 3
"""A way with fewer awaits than this was not gone at all."""


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    """A settled county with everybody on duty, and a second channel."""
    async with open_world(database) as opened:
        opened.rules = WITH_WEBHOOK
        yield opened


@dataclass
class Way:
    """What one responder or officer does, again and again until it is done; `case` is what it is about."""

    case: UUID
    go: Callable[[Store], Awaitable[Any]]
    others: tuple[UUID, ...] = ()


async def raised(world: World, level: Level = Level.BLUE, category: str = "water-pollution") -> Alert:
    """Record an alert in Qingxi."""
    one = alert(QINGXI, level, category=category, at=world.now)
    await world.store.record_alert(one, world.rules)
    return one


async def case(world: World, level: Level = Level.BLUE) -> UUID:
    """Open a case in Qingxi whose task is the township's."""
    return incident_id((await raised(world, level, "municipal-service")).id)


async def wait(world: World, **by: float) -> None:
    """Let time pass of which nobody takes note."""
    world.now += timedelta(**by)
    await world.set_clock()


async def opens(world: World) -> Way:
    """An alert comes in and opens a case."""
    one = alert(QINGXI, Level.ORANGE, at=world.now)
    return Way(incident_id(one.id), lambda store: store.record_alert(one, world.rules))


async def raises(world: World) -> Way:
    """The alert of an acknowledged case becomes red."""
    one = await raised(world)
    await world.store.acknowledge(COUNTY_POST, incident_id(one.id), uuid4())
    graver = alert(QINGXI, Level.RED, at=world.now, identity=one.id, version=2, change=AlertChange.CHANGED)
    return Way(incident_id(one.id), lambda store: store.record_alert(graver, world.rules))


async def recurs(world: World) -> Way:
    """The alert of a closed case becomes graver than ever."""
    one = await raised(world)
    await world.store.close(COUNTY_POST, incident_id(one.id), "", uuid4())
    graver = alert(QINGXI, Level.ORANGE, at=world.now, identity=one.id, version=2, change=AlertChange.CHANGED)
    return Way(incident_id(one.id), lambda store: store.record_alert(graver, world.rules))


async def clears(world: World) -> Way:
    """An alert is over."""
    one = await raised(world)
    over = alert(QINGXI, at=world.now, identity=one.id, version=2, change=AlertChange.CLEARED)
    return Way(incident_id(one.id), lambda store: store.record_alert(over, world.rules))


async def climbs(world: World) -> Way:
    """Nobody has acknowledged for a quarter of an hour."""
    one = await case(world)
    await wait(world, minutes=15)
    return Way(one, lambda store: store.workers.escalate_next(world.rules))


async def reminds(world: World) -> Way:
    """Half of a task's time is over."""
    one = await case(world)
    await world.store.acknowledge(COUNTY_POST, one, uuid4())
    (task,) = (await world.show(one)).tasks
    await wait(world, seconds=(task.due_at - task.dispatched_at).total_seconds() / 2)
    return Way(one, lambda store: store.workers.remind_next(world.rules))


async def urges(world: World) -> Way:
    """A task is far beyond its time, and its unit and the city are to hear of it again."""
    one = await case(world, Level.ORANGE)
    await world.store.acknowledge(COUNTY_POST, one, uuid4())
    (task,) = (await world.show(one)).tasks
    await wait(world, seconds=(task.due_at - task.dispatched_at).total_seconds() * 1.5)
    await world.store.workers.remind_next(world.rules)
    await wait(world, hours=1)
    return Way(one, lambda store: store.workers.remind_next(world.rules))


async def _page_of(world: World, one: UUID, to: Viewer, reason: str) -> UUID:
    """Find somebody's page about a case over the outside channel."""

    async def find(connection: Connection) -> Any:
        return await connection.fetchval(
            "select id from page where incident = $1 and recipient = $2 and reason = $3 order by channel limit 1",
            one,
            to.user,
            reason,
        )

    found: UUID = await world.store._database.read(find)
    return found


async def answers(world: World) -> Way:
    """The township presses the link of its page."""
    one = await case(world)
    page = await _page_of(world, one, TOWN_POST, "opened")
    return Way(one, lambda store: store.replies.answer(page, Via.LINK))


async def sees(world: World) -> Way:
    """A township that joined replies that it has seen its task."""
    one = await case(world)
    await world.store.casework.join(COUNTY_POST, one, HEWAN, "下游受影响", uuid4(), world.rules)
    page = await _page_of(world, one, viewer(POSTS[HEWAN]), "dispatched")
    return Way(one, lambda store: store.replies.answer(page, Via.SMS))


async def _refused(world: World) -> tuple[UUID, UUID]:
    one = await case(world, Level.ORANGE)
    await world.store.acknowledge(COUNTY_POST, one, uuid4())
    (task,) = (await world.show(one)).tasks
    plea = Plea(PleaKind.REFUSE, "不属本镇职责", item="配合事项 第12项")
    await world.store.pleas.ask(TOWN_POST, task.id, plea, uuid4(), world.rules)
    return one, task.id


async def lapses(world: World) -> Way:
    """Nobody has decided about a refusal for half an hour."""
    one, _ = await _refused(world)
    await wait(world, minutes=30)
    return Way(one, lambda store: store.pleas.lapse_next(world.rules))


async def arbitrates(world: World) -> Way:
    """The county decides about a refusal."""
    one, task = await _refused(world)
    request = uuid4()
    return Way(
        one,
        lambda store: store.pleas.answer(
            COUNTY_POST,
            task,
            PleaKind.REFUSE,
            granted=False,
            note="按清单办理",
            owner=None,
            request_id=request,
            rules=world.rules,
        ),
    )


async def refuses(world: World) -> Way:
    """A township refuses its task."""
    one = await case(world)
    (task,) = (await world.show(one)).tasks
    plea, request = Plea(PleaKind.REFUSE, "不属本镇职责", item="配合事项 第12项"), uuid4()
    return Way(one, lambda store: store.pleas.ask(TOWN_POST, task.id, plea, request, world.rules))


async def acknowledges(world: World) -> Way:
    """The county acknowledges."""
    one, request = await case(world, Level.ORANGE), uuid4()
    return Way(one, lambda store: store.acknowledge(COUNTY_POST, one, request))


async def takes_over(world: World) -> Way:
    """The city takes a case from the county."""
    one, request = await case(world), uuid4()
    await world.store.acknowledge(COUNTY_POST, one, uuid4())
    return Way(one, lambda store: store.take_over(CITY_POST, one, request))


async def decides(world: World) -> Way:
    """It was a false alarm."""
    one, request = await case(world, Level.ORANGE), uuid4()
    return Way(one, lambda store: store.decide(COUNTY_POST, one, Verdict.FALSE, "误报", request))


async def closes(world: World) -> Way:
    """A case is closed while pages are due and a task is open."""
    one, request = await case(world, Level.ORANGE), uuid4()
    return Way(one, lambda store: store.close(COUNTY_POST, one, "已处置", request))


async def reopens(world: World) -> Way:
    """A closed case is opened again."""
    one, request = await case(world, Level.ORANGE), uuid4()
    await world.store.close(COUNTY_POST, one, "", uuid4())
    return Way(
        one, lambda store: store.casework.reopen(COUNTY_POST, one, "群众反映复发", request, world.rules)
    )


async def merges(world: World) -> Way:
    """Two cases become one."""
    one, other, request = await case(world, Level.ORANGE), await case(world), uuid4()
    return Way(
        one,
        lambda store: store.casework.merge(COUNTY_POST, one, other, "同一起", request, world.rules),
        (other,),
    )


async def joins(world: World) -> Way:
    """A second township joins a case."""
    one, request = await case(world), uuid4()
    return Way(
        one, lambda store: store.casework.join(COUNTY_POST, one, HEWAN, "下游受影响", request, world.rules)
    )


async def shelves(world: World) -> Way:
    """A case is put aside, and its timer runs out."""
    one, request = await case(world), uuid4()
    await wait(world, minutes=15)

    async def go(store: Store) -> None:
        await store.holds.shelve(COUNTY_POST, one, 30, "设备校准", request, world.rules)
        await store.workers.escalate_next(world.rules)

    return Way(one, go)


async def accepts(world: World) -> Way:
    """A township signs for its task."""
    one, request = await case(world), uuid4()
    (task,) = (await world.show(one)).tasks
    return Way(one, lambda store: store.move_task(TOWN_POST, task.id, TaskState.ACCEPTED, "", request))


WAYS = (
    opens, raises, recurs, clears, climbs, reminds, urges, answers, sees, lapses, arbitrates, refuses, acknowledges,
    takes_over, decides, closes, reopens, merges, joins, shelves, accepts,
)  # fmt: skip
CUT = (opens, climbs, acknowledges, reopens)
"""Ways on which the connection alone is cut, too; the others go through the same door."""
DEATHS = [(way, "killed") for way in WAYS] + [(way, "cut off") for way in CUT]


async def go_until(world: World, begin: Callable[[World], Awaitable[Way]], life: Life) -> tuple[Any, ...]:
    """Go a way with a life, then once more without end; what its cases came to."""
    await wait(world, days=1)
    since = world.now
    way = await begin(world)
    with suppress(Killed, DatabaseUnavailable):
        await way.go(mortal_store(world, life))
    await way.go(world.store)
    ends = tuple([await came_to(world, one, since) for one in (way.case, *way.others)])
    await put_away(world)
    return ends


@pytest.mark.parametrize(
    ("begin", "death"), DEATHS, ids=[f"{way.__name__}, {death}" for way, death in DEATHS]
)
async def test_whoever_dies_at_whatever_await_the_next_one_finishes(
    world: World, begin: Callable[[World], Awaitable[Way]], death: str
) -> None:
    """The same pages, tasks and record as on a day on which nobody died, and none of them twice."""
    cut = cut_by(world) if death == "cut off" else None
    undisturbed = await go_until(world, begin, Life())
    awaits = 0
    while True:
        life = Life(awaits, cut)
        assert await go_until(world, begin, life) == undisturbed, life.end
        if not life.end:
            break
        awaits += 1
    assert awaits >= ONE_LIFE_AT_LEAST
    lines, breaks = await world.store.audit.verify()
    assert (lines > 0, breaks) == (True, [])
    assert (await world.store.account()).repeated_pages == 0
