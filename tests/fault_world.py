"""Responders that die: a store whose every statement may be the last, and what a case came to, to be compared."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Concatenate, ParamSpec, TypeVar
from uuid import UUID, uuid4

import asyncpg  # type: ignore[import-untyped]  # ships no types
from responder_world import POSTS, PROVINCE, FakeChannel, World, viewer

from domain.incidents import IncidentState
from responders.cases import Message, Outcome
from responders.store import Store
from responders.store.pool import Connection, Database

P = ParamSpec("P")
T = TypeVar("T")
STATEMENTS = frozenset({"execute", "executemany", "fetch", "fetchrow", "fetchval", "copy_records_to_table"})


class Killed(BaseException):
    """Stands for kill −9: nobody catches it, nothing is tidied up but what the server tidies up itself."""


@dataclass
class Life:
    """How many awaits a responder lives through; what ends it is `death`, by default that it is killed.

    Each statement is an await, and so are the moment before a commit, the one after it, and those before and after a message
    leaves. Between the end of a statement and the begin of the next one nothing happens that the world could see: to die
    before each of them is to die after each of them, too.
    """

    awaits: int | None = None
    death: Callable[[Any], Awaitable[None]] | None = None
    lived: int = 0
    dead: bool = False
    end: str = ""
    """Before what it died; empty while it lives."""

    async def step(self, what: str, connection: Any = None) -> None:
        """Live through one await, or die before it."""
        if self.dead:
            raise Killed
        if self.death is not None and connection is None:
            return  # what cuts connections has nothing to cut here
        if self.lived == self.awaits:
            self.end = what
            if self.death is None:
                self.dead = True
                raise Killed
            await self.death(connection)
        self.lived += 1


class MortalConnection:
    """A connection that asks before each statement whether it is the last."""

    def __init__(self, inner: Any, life: Life) -> None:
        """Share the life of its responder."""
        self._inner = inner
        self._life = life

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)
        if name not in STATEMENTS:
            return method

        async def call(*args: Any, **kwargs: Any) -> Any:
            await self._life.step(" ".join(str(args[0]).split())[:60], self._inner)
            return await method(*args, **kwargs)

        return call


class MortalDatabase(Database):
    """A pool whose transactions may end before any statement, before their commit, and right after it."""

    def __init__(self, database: Database, life: Life) -> None:
        """Share the pool with those who live on."""
        super().__init__(database.dsn, database._pool)
        self._life = life

    async def run(
        self, work: Callable[Concatenate[Connection, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run the work as long as there is life."""

        async def mortal(connection: Connection, /, *args: P.args, **kwargs: P.kwargs) -> T:
            answer = await work(MortalConnection(connection, self._life), *args, **kwargs)
            await self._life.step("commit", connection)
            return answer

        answer = await super().run(mortal, *args, **kwargs)
        await self._life.step("what follows the commit")
        return answer


@dataclass
class MortalChannel(FakeChannel):
    """A channel whose responder may die before a message is out, and after."""

    life: Life = field(default_factory=Life)

    async def send(self, message: Message) -> Outcome:
        """Send, if there is life; what was sent stays sent."""
        await self.life.step("sending")
        outcome = await super().send(message)
        await self.life.step("the answer")
        return outcome


def mortal_store(world: World, life: Life) -> Store:
    """Make the store of a responder that has this life; it borrows the connections of the world's."""
    return Store(MortalDatabase(world.store._database, life))


def cut_by(world: World) -> Callable[[Any], Awaitable[None]]:
    """Make a death that is only of the connection: the server ends the session, the responder finds out."""

    async def cut(connection: Any) -> None:
        killer = await asyncpg.connect(world.dsn)
        try:
            await killer.fetchval("select pg_terminate_backend($1, 5000)", connection.get_server_pid())
        finally:
            await killer.close()

    return cut


PAGES = """
select page.step, page.loop, app_user.display, page.channel, page.state, page.reason,
    (select count(*) from delivery where delivery.page = page.id) as deliveries
from page join app_user on app_user.id = page.recipient where page.incident = $1 order by 1, 2, 3, 4
"""
TASKS = """
select number, area, post, state, due_at - $2::timestamptz, next_at - $2::timestamptz, passed
from task where incident = $1 order by number
"""
CASE = """
select state, grade, step, loop, next_at - $2::timestamptz, alert_open, merged_into is not null, hold is not null, tries,
    (select display from app_user where id = acknowledged_by), (select display from app_user where id = holder)
from incident where id = $1
"""
RECORD = "select kind, actor from incident_entry where incident = $1 order by number"


async def came_to(world: World, incident: UUID, since: datetime) -> dict[str, list[tuple[Any, ...]]]:
    """Tell all that a case came to, with times counted from a moment: two runs alike give the same."""

    async def tell(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
        rows = {
            "case": await connection.fetch(CASE, incident, since),
            "pages": await connection.fetch(PAGES, incident),
            "tasks": await connection.fetch(TASKS, incident, since),
            "record": await connection.fetch(RECORD, incident),
        }
        return {name: [tuple(row.values()) for row in found] for name, found in rows.items()}

    return await world.store._database.read(tell)


async def put_away(world: World) -> None:
    """End every open case, so that the next one has the county for itself."""
    province = viewer(POSTS[PROVINCE])
    for row in await world.store.queue(province):
        await world.store.move(province, row.id, IncidentState.FALSE_ALARM, "", uuid4())
