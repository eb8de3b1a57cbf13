"""Figures over the console's API: what areas did, what one bore oneself, and nothing of anybody else."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest_asyncio
from console_world import BAISHI, COUNTY, NOISE, QINGXI, START, Console, case_of, running_console, user

from domain.clock import EPOCH, Clock
from domain.hotline import Satisfaction
from domain.inputs import Ticket
from responders.burden import LEAST_PEOPLE
from responders.cases import Cause, Outcome, Result
from responders.store.figures import digits_below
from responders.views import Role

SPAN = "/api/v1/response?since=2026-03-02&until=2026-03-02"


@pytest_asyncio.fixture
async def console(database: str) -> AsyncIterator[Console]:
    """Serve a console over a filled database with one case, whose task is a township's."""
    async with running_console(database) as running:
        await stand_still(running, 0)
        await running.raise_alerts(NOISE)
        yield running


async def stand_still(console: Console, minutes: float) -> None:
    """Let the county clock stand so many minutes after the start."""
    now = START + timedelta(minutes=minutes)
    await console.store.set_clock(Clock(wall_anchor=EPOCH, county_anchor=now, factor=0.0))


def order(number: str, area: str, **handling: object) -> Ticket:
    """Make a 12345 order of the day."""
    return Ticket(
        id=uuid4(),
        source="12345",
        order_number=number,
        area=area,
        text="…",
        observed_at=START,
        received_at=START,
        **handling,  # type: ignore[arg-type]  # what the hotline said
    )


async def test_three_rates_of_each_area(console: Console) -> None:
    """What the hotline did not say counts on no side; areas come by code, never by their success."""
    await console.store.record_tickets(
        [
            order("1", BAISHI, responded=True, resolved=True, satisfaction=Satisfaction.SATISFIED),
            order("2", BAISHI, responded=True, resolved=False, satisfaction=Satisfaction.NEUTRAL),
            order("3", BAISHI, satisfaction=Satisfaction.NOT_RATED),
            order("4", QINGXI, responded=False),
        ]
    )
    seat = await console.seat("county")
    areas = (await (await seat.get(SPAN)).json())["areas"]
    assert [area["area"] for area in areas] == [QINGXI, BAISHI]
    assert [areas[1][rate] for rate in ("responded", "resolved", "satisfied")] == [
        {"yes": 2, "known": 2, "asked": 3, "share": 1.0},
        {"yes": 1, "known": 2, "asked": 3, "share": 0.5},
        {"yes": 1, "known": 2, "asked": 3, "share": 0.5},
    ]
    assert areas[0]["responded"] == {"yes": 0, "known": 1, "asked": 1, "share": 0.0}


async def test_our_own_call_backs_count_too(console: Console) -> None:
    """What people say of a closed case is in its area's rates; of a correction the last word counts."""
    unit = await console.seat("baishi")
    case = case_of(NOISE)
    await unit.send(f"incidents/{case}/close")
    said = {"reached": True, "responded": True, "resolved": False, "satisfied": "not_asked"}
    assert (await unit.send(f"incidents/{case}/rating", said)).status == 200
    corrected = {**said, "resolved": True, "satisfied": "yes", "note": "误录", "corrects": True}
    assert (await unit.send(f"incidents/{case}/rating", corrected)).status == 200
    (area,) = (await (await (await console.seat("county")).get(SPAN)).json())["areas"]
    assert (area["orders"], area["responded"]["asked"]) == (0, 1)
    assert [area[rate]["share"] for rate in ("responded", "resolved", "satisfied")] == [1.0, 1.0, 1.0]


async def test_times_to_acknowledge_arrive_and_close(console: Console) -> None:
    """Each time runs from its own beginning, on the county clock."""
    unit, county = await console.seat("baishi"), await console.seat("county")
    case = case_of(NOISE)
    task = (await (await unit.get(f"/api/v1/incidents/{case}")).json())["incident"]["tasks"][0]["id"]
    await stand_still(console, 4)
    await unit.send(f"incidents/{case}/acknowledge")
    await unit.send(f"tasks/{task}/move", {"state": "accepted"})
    await stand_still(console, 20)
    await unit.send(f"tasks/{task}/move", {"state": "on_site"})
    await stand_still(console, 50)
    await unit.send(f"incidents/{case}/close")
    (area,) = (await (await county.get(SPAN)).json())["areas"]
    assert [area[name]["middle"] for name in ("acknowledge", "arrive", "close")] == [240.0, 1200.0, 3000.0]
    assert (area["cases"], area["unacknowledged"], area["tasks"]) == (1, 0, 1)


async def test_ones_own_burden_against_the_budget(console: Console) -> None:
    """Messages and commands of the day are counted for whoever asks; the day before has none of them."""
    for claimed in await console.store.pages.claim_pages("console", 10, 60):
        await console.store.pages.record_outcome(claimed, Outcome(Result.DELIVERED, Cause.ACCEPTED))
    seat = await console.seat("baishi")
    await seat.send(f"incidents/{case_of(NOISE)}/acknowledge")
    told = await (await seat.get("/api/v1/burden?day=2026-03-02")).json()
    assert (told["own"]["messages"], told["own"]["taps"], told["over"]) == (1, 1, [])
    before = await (await seat.get("/api/v1/burden?day=2026-03-01")).json()
    assert before["own"] == {"messages": 0, "taps": 0, "forms": 0, "peak": 0}
    assert (await (await seat.get("/api/v1/burden")).json())["day"] == "2026-03-02"


async def test_figures_are_for_officers_and_name_nobody(console: Console) -> None:
    """国办函〔2026〕12号: no ranking of persons. No answer holds an account, and few accounts are not told apart.

    A display on the wall is nobody, and bears no burden.
    """
    await console.store.put_users([user("wall", "大屏", Role.DISPLAY, COUNTY)])
    seat = await console.seat("county")
    burden = await (await seat.get("/api/v1/burden")).json()
    response = await (await seat.get(SPAN)).json()
    said = json.dumps([burden["areas"], response], ensure_ascii=False)
    for one in await console.store.users():
        assert one.login not in said.replace(one.area, "")
        assert one.display not in said
        assert str(one.id) not in said
    assert [area["people"] for area in burden["areas"]] == [LEAST_PEOPLE]
    grid = await console.seat("wangge")
    assert (await grid.get(SPAN)).status == 403
    assert (await (await grid.get("/api/v1/burden")).json())["areas"] == []


async def test_a_faulty_span_is_told(console: Console) -> None:
    """Every fault of a question is in words."""
    seat = await console.seat("county")
    answer = await seat.get("/api/v1/response?since=2026-03-02&until=2026-03-01")
    assert (answer.status, "until" in await answer.text()) == (400, True)
    assert (await seat.get("/api/v1/burden?day=yesterday")).status == 400


def test_the_areas_below() -> None:
    """A county tells of its townships, a grid cell of itself."""
    assert [digits_below(area) for area in ("99", COUNTY, QINGXI, QINGXI + "001001")] == [4, 9, 12, 15]
