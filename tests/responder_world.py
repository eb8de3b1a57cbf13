"""A county for the responder's tests: a clock that the test moves, posts on duty, alerts to raise, a channel to read."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4, uuid5

from msgspec import structs

from config.data import load_data
from domain.clock import EPOCH, Clock
from domain.findings import Alert, AlertChange
from domain.identity import incident_id
from domain.levels import Level
from domain.registry import Area
from responders.cases import Cause, Message, Outcome, Result, Rules
from responders.dispatch import act_on_timers, send_due
from responders.migrate import migrate
from responders.store import Store
from responders.views import IncidentView, Role, Shift, User, Viewer

TIMERS_DUE = """
select (select count(*) from incident where next_at <= clock_now())
    + (select count(*) from task where next_at <= clock_now())
    + (select count(*) from report_look) + (select count(*) from report_due where next_at <= clock_now())
    + (select count(*) from hand_over where next_at <= clock_now())
"""
"""How much responders still have to do at the county's present time, pages apart."""

START = datetime(2026, 5, 1, 8, tzinfo=UTC)
QINGXI, HEWAN, COUNTY, CITY, PROVINCE = "990101101", "990101102", "990101", "9901", "99"
SHIPPED = load_data()
LAW = structs.replace(
    SHIPPED, groupings=tuple(structs.replace(rule, members=1, recurs_days=0.0) for rule in SHIPPED.groupings)
)
"""Each alert is a case of its own, which most stories are about; GROUPED is as shipped."""
DATA = structs.replace(LAW, clocks=())
"""No clock of the law runs either; stories of reports take LAWFUL."""
GROUPED = Rules(SHIPPED, ("console", "file"))
LAWFUL = Rules(LAW, ("console", "file"))
RULES = Rules(DATA, ("console", "file"))
"""One channel outside the console, so that a story needs to read only one."""
WITH_WEBHOOK = Rules(DATA, ("console", "file", "webhook"))
AREAS = {PROVINCE: "示例省", CITY: "示例市", COUNTY: "示例县", QINGXI: "青溪镇", HEWAN: "河湾镇"}
DELIVERED = Outcome(Result.DELIVERED, Cause.ACCEPTED)
_NAMES = UUID("5a4d7a52-6c0f-4a7a-8d0e-9b1c3a990101")


def post(area: str, role: Role = Role.OFFICER, suffix: str = "值班室") -> User:
    """Make the account of a post."""
    login = f"{area}-{role.value}-{suffix}"
    return User(id=uuid5(_NAMES, login), login=login, display=AREAS[area] + suffix, role=role, area=area)


def viewer(user: User) -> Viewer:
    """Sign a post in."""
    return Viewer(user=user.id, login=user.login, display=user.display, role=user.role, area=user.area)


POSTS = {area: post(area) for area in AREAS}


def alert(
    place: str = QINGXI,
    level: Level = Level.BLUE,
    *,
    category: str = "water-pollution",
    at: datetime = START,
    identity: UUID | None = None,
    version: int = 1,
    change: AlertChange = AlertChange.RAISED,
) -> Alert:
    """Make a version of an alert."""
    return Alert(
        id=identity or uuid4(),
        version=version,
        change=change,
        domain=DATA.categories[category].domain,
        category=category,
        county=place[:6],
        place=place,
        level=level,
        reason="limit",
        opened_at=START,
        changed_at=at,
        received_at=at,
        evidence=(),
        zh="青溪河断面氨氮超标",
        en="Ammonia above its limit at Qingxi",
    )


@dataclass
class FakeChannel:
    """Keeps what it was given; answers what it was told to, delivered by default."""

    name: str = "file"
    idempotent: bool = True
    outside: bool = False
    answers: list[Outcome] = field(default_factory=list)
    calls: list[Message] = field(default_factory=list)
    reached: dict[UUID, str] = field(default_factory=dict)
    """Pages that reached a person, with the recipient; an idempotent channel passes the same page on once."""

    async def send(self, message: Message) -> Outcome:
        """Take a message."""
        self.calls.append(message)
        outcome = self.answers.pop(0) if self.answers else DELIVERED
        if outcome.result is Result.DELIVERED:
            self.reached[message.page] = message.recipient
        return outcome

    @property
    def recipients(self) -> list[str]:
        """Who was reached, in order."""
        return list(self.reached.values())


@dataclass
class World:
    """A store on a standing clock, with helpers that read like a story."""

    store: Store
    dsn: str
    now: datetime = START
    rules: Rules = RULES

    async def advance(self, **by: float) -> None:
        """Move the county clock on and act on what has become due."""
        self.now += timedelta(**by)
        await self.set_clock()
        await act_on_timers(self.store, self.rules)

    async def set_clock(self) -> None:
        """Let the clock stand at the world's time."""
        await self.store.set_clock(Clock(wall_anchor=EPOCH, county_anchor=self.now, factor=0.0))

    async def raise_alert(
        self, place: str = QINGXI, level: Level = Level.BLUE, category: str = "water-pollution"
    ) -> UUID:
        """Record a new alert; its incident."""
        raised = alert(place, level, category=category, at=self.now)
        await self.store.record_alert(raised, self.rules)
        return incident_id(raised.id)

    async def show(self, incident: UUID) -> IncidentView:
        """Look at a case from the province."""
        return await self.store.incident(viewer(POSTS[PROVINCE]), incident)

    async def put_on_duty(self, users: Iterable[User], desk: str = "") -> None:
        """Put posts on duty for ten years."""
        users = list(users)
        await self.store.put_users(users)
        span = timedelta(days=3650)
        await self.store.put_shifts(
            Shift(area=user.area, post=desk, user=user.id, starts_at=START - span, ends_at=START + span)
            for user in users
        )

    async def send_all(self, channel: FakeChannel) -> None:
        """Send everything due over a channel, tries after a failure included."""
        while await send_due(self.store, channel, pause=0):
            pass


@asynccontextmanager
async def open_world(dsn: str, vacant: Iterable[str] = ()) -> AsyncIterator[World]:
    """Migrate a database and settle it; nobody is on duty in the vacant areas."""
    await migrate(dsn)
    async with Store.open(dsn, 6) as store:
        world = World(store, dsn)
        await world.set_clock()
        await store.put_areas(Area(code=code, name=name) for code, name in AREAS.items())
        await world.put_on_duty(user for area, user in POSTS.items() if area not in set(vacant))
        yield world
