"""Words for stories of duty officers: what happens, what they do, and who has been told of what since they last looked."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from drill_world import hear
from responder_world import (
    CITY,
    COUNTY,
    HEWAN,
    LAW,
    POSTS,
    PROVINCE,
    QINGXI,
    SHIPPED,
    FakeChannel,
    World,
    alert,
    open_world,
    viewer,
)

from domain.identity import incident_id
from domain.incidents import PleaKind, Satisfied, TaskState, Verdict
from domain.levels import Level
from responders.cases import Desk, Message, Rules
from responders.casework import CallBack
from responders.dispatch import send_due
from responders.pleas import Plea
from responders.views import IncidentView, TaskRow, User, Viewer

CHANNELS = ("console", "file", "webhook")
"""The console that somebody looks at, a screen of the house, and a phone that leaves it."""
TOWNSHIP_DESK, DOWNSTREAM_DESK, COUNTY_DESK, CITY_DESK, PROVINCE_DESK = (
    POSTS[area].display for area in (QINGXI, HEWAN, COUNTY, CITY, PROVINCE)
)


@dataclass
class County:
    """A county with its officers on a clock that stands until the story moves it."""

    world: World
    house: FakeChannel = field(default_factory=lambda: FakeChannel("file"))
    phone: FakeChannel = field(default_factory=lambda: FakeChannel("webhook", outside=True))
    heard: list[Message] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        """What the county's clock shows."""
        return self.world.now

    async def after(self, **time: float) -> None:
        """Let time pass with a responder at work: it looks every five minutes, after an hour every half hour."""
        begin, end = self.world.now, self.world.now + timedelta(**time)
        while self.world.now < end:
            pause = timedelta(minutes=5 if self.world.now - begin < timedelta(hours=1) else 30)
            step = min(end - self.world.now, pause)
            await self.world.advance(seconds=step.total_seconds())
            await hear(self.world)
            await self._send()

    async def outage(self, **time: float) -> None:
        """Let time pass with no responder at work, and then start one."""
        self.world.now += timedelta(**time)
        await self.world.set_clock()
        await self.world.advance()
        await self._send()

    async def _send(self) -> None:
        for channel in (self.house, self.phone):
            while await send_due(self.world.store, channel, self.world.rules.data.pacing, pause=0):
                pass

    async def alarm(
        self, place: str = QINGXI, level: Level = Level.BLUE, category: str = "water-pollution"
    ) -> UUID:
        """Let something be found; its case."""
        raised = alert(place, level, category=category, at=self.world.now)
        await self.world.store.record_alert(raised, self.world.rules)
        await self._send()
        return incident_id(raised.id)

    async def told(self, case: UUID | None = None) -> list[str]:
        """Say who has been told since somebody last asked: of one case, or of anything."""
        return [message.recipient for message in await self.messages(case)]

    async def messages(self, case: UUID | None = None) -> list[Message]:
        """Give what went out since somebody last asked: about one case, or about anything."""
        await self._send()
        sent = [*self.house.calls, *self.phone.calls]
        new = [message for message in sent if message not in self.heard and case in (None, *about(message))]
        self.heard += new
        return new

    async def look(self, case: UUID) -> IncidentView:
        """Look at a case."""
        return await self.world.show(case)

    async def record(self, case: UUID) -> list[str]:
        """Read what the record of a case tells, line by line."""
        return [line.text for line in (await self.look(case)).timeline]

    def officer(self, area: str | User) -> "Officer":
        """Call the officer on duty of an area, or one by the account."""
        return Officer(self, viewer(POSTS[area] if isinstance(area, str) else area))


@dataclass
class Officer:
    """Somebody on duty, and what such a person does."""

    county: County
    who: Viewer

    async def acknowledges(self, case: UUID) -> None:
        """Take note of a case."""
        await self.county.world.store.acknowledge(self.who, case, uuid4())

    async def confirms(self, case: UUID) -> None:
        """Say that it is true."""
        await self.county.world.store.decide(self.who, case, Verdict.TRUE, "现场核实", uuid4())

    async def closes(self, case: UUID) -> None:
        """End a case."""
        await self.county.world.store.close(self.who, case, "已处置", uuid4())

    async def task(self, case: UUID) -> TaskRow:
        """Find the newest task of a case that is this officer's unit's."""
        name = self.who.display.removesuffix("值班室")
        own = [task for task in (await self.county.look(case)).tasks if task.unit.startswith(name)]
        return own[-1]

    async def moves_task(self, case: UUID, *states: TaskState) -> None:
        """Take the unit's task through states."""
        task = await self.task(case)
        for state in states:
            await self.county.world.store.move_task(self.who, task.id, state, "", uuid4())

    async def refuses(self, case: UUID, why: str, item: str) -> UUID:
        """Send the unit's task back, citing an item of the list of duties; the task."""
        task = await self.task(case)
        refusal = Plea(PleaKind.REFUSE, why, item=item)
        store = self.county.world.store
        await store.pleas.ask(self.who, task.id, refusal, uuid4(), self.county.world.rules)
        return task.id

    async def asks_for_a_pause(self, case: UUID, why: str, hours: float) -> UUID:
        """Ask for the unit's task to be put off; the task."""
        task = await self.task(case)
        pause = Plea(PleaKind.SUSPEND, why, until=self.county.now + timedelta(hours=hours))
        store = self.county.world.store
        await store.pleas.ask(self.who, task.id, pause, uuid4(), self.county.world.rules)
        return task.id

    async def arbitrates(
        self, task: UUID, kind: PleaKind, *, granted: bool, to: str | None = None, note: str = ""
    ) -> None:
        """Decide about what a unit asked; a granted refusal names who gets the task."""
        await self.county.world.store.pleas.answer(
            self.who,
            task,
            kind,
            granted=granted,
            note=note,
            owner=None if to is None else Desk(to, ""),
            request_id=uuid4(),
            rules=self.county.world.rules,
        )

    async def brings_in(self, case: UUID, area: str, why: str) -> None:
        """Make another area a party of a case."""
        store = self.county.world.store
        await store.casework.join(self.who, case, area, why, uuid4(), self.county.world.rules)

    async def calls_back(self, case: UUID, satisfied: Satisfied, words: str) -> None:
        """Ask the person who called whether all is well now."""
        call = CallBack(True, True, satisfied is Satisfied.YES, satisfied, words)
        store = self.county.world.store
        await store.casework.rate(self.who, case, call, uuid4(), self.county.world.rules)

    async def shelves(self, case: UUID, why: str, minutes: int) -> None:
        """Put a case aside for a while."""
        store = self.county.world.store
        await store.holds.shelve(self.who, case, minutes, why, uuid4(), self.county.world.rules)


def about(message: Message) -> tuple[UUID, ...]:
    """Name the cases that a message tells of."""
    return (message.incident, *(also.incident for also in message.also))


@asynccontextmanager
async def open_county(
    dsn: str, *, vacant: Iterable[str] = (), law: bool = False, grouped: bool = False
) -> AsyncIterator[County]:
    """Settle a county; each alert is a case of its own unless `grouped`, and clocks of the law run where `law` says so."""
    async with open_world(dsn, vacant) as world:
        data = SHIPPED if grouped else LAW
        world.rules = Rules(data if law or grouped else world.rules.data, CHANNELS)
        yield County(world)
