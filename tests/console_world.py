"""A small county for the console's tests: areas, posts, series with curves, and alerts to raise."""

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

from aiohttp import ClientResponse, CookieJar
from aiohttp.test_utils import TestClient, TestServer
from api_contract import check
from argon2 import PasswordHasher

from config.data import load_data
from config.settings import ConsoleSettings, Settings
from dashboards.app import create_console
from domain.clock import Clock
from domain.findings import Alert, AlertChange, BrokenLimit, Finding, FindingState, RollUps, SubjectKind
from domain.identity import alert_id, finding_id, incident_id
from domain.levels import Feed, Level
from domain.registry import Area, Limit, Series
from responders.cases import Rules
from responders.migrate import migrate
from responders.store import Store
from responders.views import Role, Shift, User

COUNTY, QINGXI, BAISHI = "990101", "990101101", "990101102"
PASSWORD = "beacon-tower-990101"
START = datetime(2026, 3, 2, 0, 20, tzinfo=UTC)
"""08:20 in the county."""

_NAMES = UUID("6f2f7a52-6c0f-4a7a-8d0e-9b1c3a990101")
_FAST = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)

DATA = load_data()
RULES = Rules(data=DATA, channels=("console",))

AREAS = (
    Area(code="99", name="示例省", name_en="Example Province"),
    Area(code="9901", name="示例市", name_en="Example City"),
    Area(code=COUNTY, name="示例县", name_en="Example County"),
    Area(code=QINGXI, name="青溪镇", name_en="Qingxi"),
    Area(code=BAISHI, name="白石镇", name_en="Baishi"),
    Area(code="990101101001", name="青溪镇桥头村", name_en="Qiaotou"),
    Area(code="990101102003", name="白石镇石湾村", name_en="Shiwan"),
)
SERIES = tuple(
    Series(
        id=f"river-{number}-cod",
        name=name,
        quantity="cod",
        unit="mg/L",
        area=area,
        category="water-pollution",
        source="demo",
        interval_seconds=60,
        limits=(
            Limit(level=Level.YELLOW, value=30, basis="GB 3838-2002 Ⅳ类"),
            Limit(level=Level.ORANGE, value=40, basis="GB 3838-2002 Ⅴ类"),
        ),
    )
    for number, name, area in (
        (1, "青溪河上游断面 化学需氧量", QINGXI),
        (2, "青溪河桥头断面 化学需氧量", "990101101001"),
        (3, "白石河石湾断面 化学需氧量", "990101102003"),
    )
)


def user(login: str, display: str, role: Role, area: str) -> User:
    """Make an account with the one password of this world."""
    return User(
        id=uuid5(_NAMES, login),
        login=login,
        display=display,
        role=role,
        area=area,
        password_hash=_FAST.hash(PASSWORD),
    )


USERS = (
    user("qingxi", "青溪镇值班室", Role.OFFICER, QINGXI),
    user("qingxi2", "青溪镇带班室", Role.OFFICER, QINGXI),
    user("baishi", "白石镇值班室", Role.OFFICER, BAISHI),
    user("county", "示例县应急指挥中心", Role.COMMANDER, COUNTY),
    user("wangge", "青溪镇桥头村网格", Role.GRID, "990101101001"),
    user("admin", "示例县系统管理", Role.ADMIN, COUNTY),
)


async def fill(store: Store, *, factor: float = 1.0) -> None:
    """Put areas, posts, shifts, series and the clock into an empty store."""
    await store.set_clock(Clock(wall_anchor=datetime.now(UTC), county_anchor=START, factor=factor))
    await store.put_areas(AREAS)
    await store.put_series(SERIES)
    await store.put_users(USERS)
    on_duty = [one for one in USERS if one.login in ("qingxi", "baishi", "county")]
    await store.put_shifts(
        Shift(
            area=one.area,
            post="",
            user=one.id,
            starts_at=START - timedelta(days=1),
            ends_at=START + timedelta(days=30),
        )
        for one in on_duty
    )
    await store.record_rollups([curves()])


def curves(minutes: int = 400) -> RollUps:
    """Draw a calm river that turns bad during the last hour before START."""
    first = int(START.timestamp() // 60) - minutes
    rows = [
        (series.id, first + step, _cod(step, minutes, number))
        for number, series in enumerate(SERIES)
        for step in range(minutes)
    ]
    return RollUps(
        series=[row[0] for row in rows],
        minute=[row[1] for row in rows],
        count=[6] * len(rows),
        good=[6] * len(rows),
        total=[6 * row[2] for row in rows],
        low=[row[2] * 0.95 for row in rows],
        high=[row[2] * 1.05 for row in rows],
        last=[row[2] for row in rows],
    )


def _cod(step: int, minutes: int, number: int) -> float:
    calm = 14 + 2 * math.sin(step / 60) + math.sin(step * 1.7 + number) * 0.8
    leak = max(0.0, step - (minutes - 75 + 20 * number)) * 0.6
    return round(calm + leak, 2)


def river_finding(number: int = 1, area: str = QINGXI, level: Level = Level.ORANGE) -> Finding:
    """Make the finding of a river station over its limit."""
    since = START - timedelta(minutes=50)
    return Finding(
        id=finding_id("limits", 1, f"river-{number}-cod", since),
        detector="limits",
        detector_version=1,
        category="water-pollution",
        subject_kind=SubjectKind.SERIES,
        subject=f"river-{number}-cod",
        area=area,
        feed=Feed.READINGS,
        state=FindingState.CONFIRMED,
        observed_at=START - timedelta(minutes=2),
        received_at=START - timedelta(minutes=2),
        period_start=since,
        observed=46.3,
        expected=14.6,
        unit="mg/L",
        p_value=3.2e-11,
        limit=BrokenLimit(level=level, value=40, basis="GB 3838-2002 Ⅴ类"),
    )


def count_finding(
    category: str,
    area: str,
    observed: float,
    expected: float,
    feed: Feed = Feed.TICKETS,
    phrase: str | None = None,
) -> Finding:
    """Make the finding of too many tickets or reports."""
    since = START - timedelta(hours=6)
    return Finding(
        id=finding_id("counts", 1, f"{area}/{category}/{feed.value}", since),
        detector="counts",
        detector_version=1,
        category=category,
        subject_kind=SubjectKind.CELL,
        subject=f"{area}/{category}",
        area=area,
        feed=feed,
        state=FindingState.CONFIRMED,
        observed_at=START,
        received_at=START,
        period_start=since,
        observed=observed,
        expected=expected,
        unit="件",
        p_value=4.1e-6,
        phrase=phrase,
    )


def alert(category: str, place: str, level: Level, evidence: tuple[Finding, ...], zh: str, en: str) -> Alert:
    """Make the first version of an alert."""
    return Alert(
        id=alert_id(evidence[0].id),
        version=1,
        change=AlertChange.RAISED,
        domain=DATA.categories[category].domain,
        category=category,
        county=COUNTY,
        place=place,
        level=level,
        reason="limit",
        opened_at=START,
        changed_at=START,
        received_at=START,
        evidence=evidence,
        zh=zh,
        en=en,
    )


RIVER = alert(
    "water-pollution",
    QINGXI,
    Level.ORANGE,
    (river_finding(1), river_finding(2, "990101101001")),
    "青溪镇两处河流断面化学需氧量连续超过Ⅴ类限值，最高 46.3 mg/L，正常约 14.6 mg/L",
    "Two river stations in Qingxi exceed the class Ⅴ limit for COD: up to 46.3 mg/L, usually about 14.6 mg/L",
)
FEVER = alert(
    "infectious-disease",
    BAISHI,
    Level.YELLOW,
    (
        count_finding("infectious-disease", BAISHI, 14, 3.1),
        count_finding("infectious-disease", BAISHI, 9, 1.4, Feed.REPORTS),
    ),
    "白石镇 6 小时内发热相关工单 14 件、网格上报 9 件，平常合计约 4.5 件",
    "14 tickets and 9 reports about fever in Baishi within 6 hours; usually about 4.5 together",
)
WAGES = alert(
    "wage-dispute",
    QINGXI,
    Level.RED,
    (count_finding("wage-dispute", QINGXI, 11, 0.8, phrase="拉横幅"),),
    "青溪镇欠薪诉求 6 小时内 11 件，平常约 0.8 件，出现关键用语“拉横幅”",
    "11 tickets about unpaid wages in Qingxi within 6 hours, usually about 0.8, with the phrase “拉横幅” (banners)",
)
NOISE = alert(
    "noise-complaint",
    BAISHI,
    Level.BLUE,
    (count_finding("noise-complaint", BAISHI, 8, 2.5),),
    "白石镇噪声投诉 6 小时内 8 件，平常约 2.5 件",
    "8 noise complaints in Baishi within 6 hours, usually about 2.5",
)


def case_of(one: Alert) -> UUID:
    """Name the incident that an alert opens."""
    return incident_id(one.id)


async def as_described(answer: ClientResponse) -> ClientResponse:
    """Hold an answer against the API's document."""
    if answer.content_type != "text/event-stream":
        check(answer.method, answer.url.path, answer.status, answer.content_type, await answer.read())
    return answer


@dataclass
class Seat:
    """Somebody before a browser: keeps cookies, states its origin, makes a key for each command."""

    client: TestClient[Any, Any]
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        """Name the console as this browser sees it."""
        return str(self.client.make_url("/").origin())

    async def sign_in(self, login: str, password: str = PASSWORD, goal: str = "/") -> ClientResponse:
        """Send the form."""
        return await self.client.post(
            "/sign-in",
            data={"login": login, "password": password, "next": goal},
            headers={"Origin": self.origin, "Accept": "text/html", **self.headers},
            allow_redirects=False,
        )

    async def get(self, path: str, **headers: str) -> ClientResponse:
        """Read an address."""
        answer = await self.client.get(path, headers=self.headers | headers, allow_redirects=False)
        return await as_described(answer)

    async def page(self, path: str) -> ClientResponse:
        """Read an address as a person does."""
        return await self.get(path, Accept="text/html")

    async def act(
        self, incident: UUID, action: str, body: object = None, key: UUID | None = None
    ) -> ClientResponse:
        """Send a command to an incident."""
        return await self.send(f"incidents/{incident}/{action}", body, key)

    async def send(self, path: str, body: object = None, key: UUID | None = None) -> ClientResponse:
        """Send a command."""
        answer = await self.client.post(
            f"/api/v1/{path}",
            json={} if body is None else body,
            headers={"Origin": self.origin, "Idempotency-Key": str(key or uuid4()), **self.headers},
        )
        return await as_described(answer)


@dataclass
class Console:
    """A running console over a filled store."""

    store: Store
    server: TestServer
    seats: list[Seat] = field(default_factory=list)

    async def seat(self, login: str | None = None, **headers: str) -> Seat:
        """Sit down before a browser of one's own, signed in if a login is given."""
        client: TestClient[Any, Any] = TestClient(self.server, cookie_jar=CookieJar(unsafe=True))
        seat = Seat(client, headers)
        self.seats.append(seat)
        if login:
            answer = await seat.sign_in(login)
            assert answer.status == 303, await answer.text()
        return seat

    async def raise_alerts(self, *alerts: Alert) -> None:
        """Open a case from each alert."""
        for one in alerts:
            await self.store.record_alert(one, RULES)


@asynccontextmanager
async def running_console(dsn: str, settings: ConsoleSettings | None = None) -> AsyncIterator[Console]:
    """Fill an empty database and serve a console over it."""
    await migrate(dsn)
    async with Store.open(dsn, pool_size=4) as store:
        await fill(store)
        server = TestServer(create_console(Settings(console=settings or ConsoleSettings()), DATA, store))
        await server.start_server()
        console = Console(store, server)
        try:
            yield console
        finally:
            for seat in console.seats:
                await seat.client.session.close()
            await server.close()
