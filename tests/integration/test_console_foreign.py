"""Guessing of identifiers: over every address that names something, what lies in another area answers as what is nowhere.

The table says for each place in an address what stands there for real in Qingxi. A new route with a place that the table
does not know fails the test, and so does one whose answer differs between a real id of elsewhere and a made-up one.
"""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg  # type: ignore[import-untyped]  # ships no types
import pytest_asyncio
from aiohttp.test_utils import TestServer
from console_world import (
    COUNTY,
    DATA,
    PASSWORD,
    QINGXI,
    RIVER,
    START,
    USERS,
    Console,
    Seat,
    case_of,
    running_console,
    user,
)
from personal_world import KEY, TICKET, ticket

from config.settings import Settings
from dashboards.app import create_console
from dashboards.routes import ROUTES
from domain.registry import Area
from responders.views import MaintenancePlan, Role, Viewer

ELSEWHERE = "990202"
STRANGERS = (
    user("x-officer", "外县值班室", Role.OFFICER, ELSEWHERE),
    user("x-commander", "外县指挥中心", Role.COMMANDER, ELSEWHERE),
    user("x-grid", "外县网格", Role.GRID, ELSEWHERE),
    user("x-admin", "外县系统管理", Role.ADMIN, ELSEWHERE),
    user("baishi2", "白石镇带班室", Role.OFFICER, "990101102"),
)
"""Of another county, and of the township next door."""

NO_ONES = {"language", "token", "service", "identifier", "kind", "number", "channel", "area"}
"""Places that name nothing of an area by themselves: languages, names of services, signed links, public messages."""
FIXED = {"kind": "ticket", "number": "1", "channel": "file", "area": QINGXI}
LATER = (START + timedelta(hours=5)).isoformat()
BODIES: dict[str, dict[str, Any]] = {
    "disposition": {"verdict": "true"},
    "move": {"state": "confirmed"},
    "merge": {"into": str(UUID(int=1))},
    "split": {"part": {"category": "flood", "place": QINGXI, "level": "blue", "text": "水位上涨"}},
    "parties": {"area": "990101102"},
    "tasks": {"area": QINGXI},
    "reopen": {"note": "再次发生"},
    "rating": {"reached": True},
    "grade": {"grade": 1, "reason": "扩大"},
    "shelve": {"minutes": 30, "reason": "已知"},
    "answer": {"granted": True, "agreed": True},
    "reports": {"kind": "first", "to": "county", "text": "首报"},
    "notes": {"kind": "good", "text": "到场快"},
}
"""Bodies that are right, by the last part of the address; an empty one is right elsewhere."""
EXACT: dict[str, dict[str, Any]] = {
    "/api/v1/tasks/{task}/move": {"state": "accepted"},
    "/api/v1/tasks/{task}/pleas/{kind}": {"reason": "不属职责", "item": "第3项"},
    "/api/v1/tasks/{task}/pleas/{kind}/answer": {"granted": True},
    "/api/v1/roster/swaps/{swap}/answer": {"agreed": True},
}
KINDS = {
    "/api/v1/tasks/{task}/pleas/{kind}": "refuse",
    "/incidents/{incident}/reports/{kind}/{number}": "first",
}
QUERIES = {"/api/v1/series/{series}/curve": f"?since={START.date()}T00:00:00Z&until={START.date()}T06:00:00Z"}
FORM = {
    "step": "confirm",
    "display": "外县",
    "role": "officer",
    "channels": "console",
    "login": "qingxi",
    "reason": "核实情况",
    "text": "首报",
    "kind": "first",
    "to": "county",
}
FORMS: dict[str, dict[str, str]] = {
    "/incidents/{incident}/reports": {"kind": "first", "to": "county", "text": "首报"},
    "/incidents/{incident}/review/notes": {"kind": "good", "text": "到场快"},
    "/special-reports/{special}": {
        "title": "情况专报",
        "situation": "河水发黑",
        "measures": "已到场",
        "next": "续查",
        "version": "1",
    },
    "/special-reports/{special}/issue": {"version": "1"},
}
"""Forms that take no field that they do not know."""
COUNTY_WIDE = {"drill"}
"""What lies in a county is seen by its townships: to the one next door it is not elsewhere."""
BY_CONTENT = {("POST", "/field/photos/{report}")}
"""Refused for what is sent before anything is looked up."""
PATTERN = re.compile(r"\{(\w+)\}")


@pytest_asyncio.fixture
async def console(database: str) -> AsyncIterator[Console]:
    """Serve a console with one of everything in Qingxi."""
    async with running_console(database) as running:
        await running.raise_alerts(RIVER)
        await running.store.put_areas([Area(code="9902", name="外市"), Area(code=ELSEWHERE, name="外县")])
        await running.store.put_users(STRANGERS)
        await running.store.record_tickets([ticket(TICKET, QINGXI)])
        server = TestServer(create_console(Settings(personal_key=KEY), DATA, running.store))
        await server.start_server()
        one = Console(running.store, server)
        yield one
        for seat in one.seats:
            await seat.client.session.close()
        await server.close()


async def real_things(console: Console, database: str) -> dict[str, str]:
    """Make one of everything in Qingxi, or find it, by the place that it has in addresses."""
    commander = await console.seat("county")
    unit, second = (next(one for one in USERS if one.login == login) for login in ("qingxi", "qingxi2"))
    drill = await commander.send("drills", {"scenario": next(iter(DATA.drills)), "county": COUNTY})
    assert drill.status == 201, await drill.text()
    plan = MaintenancePlan(
        area=QINGXI, reason="检修", starts_at=START + timedelta(hours=1), ends_at=START + timedelta(hours=3)
    )
    planned = await commander.send(
        "maintenance",
        {
            "area": plan.area,
            "category": "water-pollution",
            "reason": plan.reason,
            "starts_at": plan.starts_at.isoformat(),
            "ends_at": plan.ends_at.isoformat(),
        },
    )
    assert planned.status < 300, await planned.text()
    writer = Viewer(user=unit.id, login=unit.login, display=unit.display, role=unit.role, area=unit.area)
    special = await console.store.papers.begin(writer, case_of(RIVER), uuid4())
    swap, hand_over, report = uuid4(), uuid4(), uuid4()
    connection = await asyncpg.connect(database)
    try:
        task = await connection.fetchval("select id from task where incident = $1 limit 1", case_of(RIVER))
        session = await connection.fetchval(
            "select id from session where user_id <> $1 limit 1", STRANGERS[0].id
        )
        await connection.execute(
            "insert into swap (id, area, post, asker, asker_from, asker_until, other, other_from, other_until, note)"
            " values ($1, $2, '', $3, $5, $6, $4, $6, $7, '')",
            swap,
            QINGXI,
            unit.id,
            second.id,
            *(START + timedelta(days=days) for days in (1, 2, 3)),
        )
        await connection.execute(
            "insert into hand_over (id, area, post, at, noticed_at, outgoing, incoming, note, sign_by)"
            " values ($1, $2, '', $3, $3, $4, $5, '{}', $3)",
            hand_over,
            QINGXI,
            START,
            [unit.id],
            [second.id],
        )
        await connection.execute(
            "insert into report (id, source, client_id, area, category, text, observed_at, received_at)"
            " values ($1, 'field-app', $1, $2, 'water-pollution', '河水发黑', $3, $3)",
            report,
            QINGXI,
            START,
        )
    finally:
        await connection.close()
    return {
        "incident": str(case_of(RIVER)),
        "task": str(task),
        "alert": str(RIVER.id),
        "drill": (await drill.json())["drill"],
        "maintenance": (await planned.json())["maintenance"]["id"],
        "swap": str(swap),
        "hand_over": str(hand_over),
        "series": "river-1-cod",
        "session": str(session),
        "login": "qingxi",
        "subject": str(TICKET),
        "report": str(report),
        "special": str(special),
    }


def made_up(place: str) -> str:
    """Make a name that stands for nothing."""
    return f"nothing-{uuid4().hex[:8]}" if place in ("series", "login") else str(uuid4())


async def ask(seat: Seat, method: str, path: str, pattern: str) -> tuple[int, str]:
    """Ask for an address with a right body; answers the status and the words, ids aside."""
    headers = {"Origin": seat.origin, "Idempotency-Key": str(uuid4())}
    if method == "GET":
        answer = await seat.client.get(
            path + QUERIES.get(pattern, ""), headers=headers, allow_redirects=False
        )
    elif pattern.startswith("/api/"):
        body = EXACT.get(pattern, BODIES.get(pattern.rpartition("/")[2], {}))
        answer = await seat.client.post(path, json=body, headers=headers, allow_redirects=False)
    elif pattern.startswith("/field/photos/"):
        headers["Content-Type"] = "image/jpeg"
        answer = await seat.client.post(path, data=b"no photo", headers=headers, allow_redirects=False)
    else:
        form = {**FORMS.get(pattern, FORM), "key": str(uuid4())}
        answer = await seat.client.post(path, data=form, headers=headers, allow_redirects=False)
    text = await answer.text()
    return answer.status, re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|river-1-cod|nothing-[0-9a-f]{8}", "…", text)


def filled(pattern: str, names: dict[str, str]) -> str:
    """Put names into the places of an address."""
    return PATTERN.sub(lambda found: names[found[1]], pattern)


def named_routes() -> list[tuple[str, str, list[str]]]:
    """List the routes that name something, with the places that name something of an area."""
    found = []
    for route in ROUTES:
        places = [place for place in PATTERN.findall(route.path) if place not in NO_ONES]
        if places:
            found.append((route.method, route.path, places))
    return found


async def test_what_lies_elsewhere_answers_as_what_is_nowhere(console: Console, database: str) -> None:
    """Over every route and role of strangers: the same status and words for a real id and a made-up one, never a 2xx.

    At least one of the strangers hears 404, so that no route hides behind a role that may not use it anyway.
    """
    real = await real_things(console, database)
    seats = [await console.seat(one.login) for one in STRANGERS]
    assert len(named_routes()) > 40
    told = []
    for method, pattern, places in named_routes():
        unknown = [place for place in places if place not in real]
        assert not unknown, f"{pattern}: say in real_things what stands for {unknown}"
        fixed = {**FIXED, **({"kind": KINDS[pattern]} if pattern in KINDS else {})}
        there = filled(pattern, {**fixed, **real})
        nowhere = filled(pattern, {**{place: made_up(place) for place in places}, **fixed})
        statuses = set()
        for seat in seats[:-1] if COUNTY_WIDE & set(places) else seats:
            one, other = await ask(seat, method, there, pattern), await ask(seat, method, nowhere, pattern)
            if one != other:
                told.append(f"{method} {pattern}: {one} but {other}")
            statuses.add(one[0])
        if (404 not in statuses and (method, pattern) not in BY_CONTENT) or any(
            status < 300 for status in statuses
        ):
            told.append(f"{method} {pattern}: {sorted(statuses)}")
    assert told == [], "\n".join(told)


async def test_the_password_of_this_world_is_right(console: Console) -> None:
    """What the other test stands on: the real ids open for whoever they belong to."""
    unit = await console.seat()
    assert (await unit.sign_in("qingxi", PASSWORD)).status == 303
    assert (await unit.get(f"/api/v1/incidents/{case_of(RIVER)}")).status == 200
    assert (
        await unit.get("/api/v1/series/river-1-cod/curve" + QUERIES["/api/v1/series/{series}/curve"])
    ).status == 200
