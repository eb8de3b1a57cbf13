"""The roster over the console's API: shown, arranged, exchanged, handed over, with every fault in words."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest_asyncio
from console_world import BAISHI, QINGXI, RULES, START, USERS, Console, running_console

from domain.clock import Clock
from responders.views import Shift

DAY = timedelta(days=1)
QINGXI_DESK, SECOND = (next(one for one in USERS if one.login == login) for login in ("qingxi", "qingxi2"))


@pytest_asyncio.fixture
async def console(database: str) -> AsyncIterator[Console]:
    """Serve a console on a standing clock; Qingxi's second desk is on duty from the thirty-first day on."""
    async with running_console(database) as running:
        await running.store.set_clock(Clock(wall_anchor=datetime.now(UTC), county_anchor=START, factor=0.0))
        shift = Shift(
            area=QINGXI, post="", user=SECOND.id, starts_at=START + 30 * DAY, ends_at=START + 60 * DAY
        )
        await running.store.put_shifts([shift])
        while await running.store.roster.watch_next(RULES):
            pass
        yield running


def time(first: float, last: float) -> dict[str, str]:
    """Make a time of days since the start."""
    return {"starts_at": (START + first * DAY).isoformat(), "ends_at": (START + last * DAY).isoformat()}


async def roster_of(console: Console, login: str, query: str = "") -> Any:
    """Read the roster as a post sees it."""
    seat = await console.seat(login)
    answer = await seat.get(f"/api/v1/roster{query}")
    return await answer.json() if answer.status == 200 else answer.status


async def test_everybody_reads_the_roster_of_his_area(console: Console) -> None:
    """The coming week where no time is named; another township's is not found; a time that is too long is told."""
    shown = (await roster_of(console, "qingxi"))["roster"]
    assert [(desk["area_name"], desk["post_name"]) for desk in shown["desks"]] == [("青溪镇", "值班室")]
    assert [span["display"] for span in shown["desks"][0]["spans"]] == ["青溪镇值班室"]
    assert await roster_of(console, "qingxi", f"?area={BAISHI}") == 404
    assert await roster_of(console, "admin") == 403
    assert await roster_of(console, "qingxi", "?since=2026-03-02T00:00:00Z") == 400
    assert await roster_of(console, "qingxi", "?since=2026-03-02T00:00:00Z&until=2027-03-02T00:00:00Z") == 400


async def test_a_stand_in_is_arranged_by_the_county(console: Console) -> None:
    """Put in by the county, refused to an equal, every fault named; sent twice it is done once."""
    county, unit = await console.seat("county"), await console.seat("qingxi")
    body = {"area": QINGXI, "away": str(QINGXI_DESK.id), "instead": str(SECOND.id), **time(1, 2)}
    assert (await unit.send("roster/substitutions", body)).status == 403
    key = uuid4()
    first = await county.send("roster/substitutions", body, key)
    assert (first.status, (await first.json())["change"]["kind"]) == (200, "substituted")
    again = await county.send("roster/substitutions", body, key)
    assert (await again.json()) == (await first.json())
    faulty = await county.send("roster/substitutions", {**body, "instead": str(uuid4()), **time(2, 1)})
    assert faulty.status == 400
    assert {fault["field"] for fault in (await faulty.json())["faults"]} == {"instead", "ends_at"}
    shown = (await roster_of(console, "qingxi"))["roster"]
    assert [span["display"] for span in shown["desks"][0]["spans"]] == [
        "青溪镇值班室",
        "青溪镇带班室",
        "青溪镇值班室",
    ]
    assert (await county.send("roster/substitutions", {**body, "area": "990202"})).status == 404


async def test_an_exchange_from_asking_to_agreeing(console: Console) -> None:
    """Nothing changes before the other one agrees; nobody else may answer; what is no id is not found."""
    unit, other, county = [await console.seat(login) for login in ("qingxi", "qingxi2", "county")]
    body = {"area": QINGXI, "mine": time(2, 3), "other": str(SECOND.id), "theirs": time(31, 32)}
    asked = await unit.send("roster/swaps", body)
    assert asked.status == 200
    swap = (await asked.json())["swap"]
    path = f"roster/swaps/{swap['id']}/answer"
    assert (swap["agreed"], swap["other_name"]) == (None, "青溪镇带班室")
    assert (await county.send(path, {"agreed": True})).status == 403
    assert (await other.send("roster/swaps/nothing/answer", {"agreed": True})).status == 404
    assert (await other.send(f"roster/swaps/{uuid4()}/answer", {"agreed": True})).status == 404
    agreed = await other.send(path, {"agreed": True})
    assert (agreed.status, (await agreed.json())["swap"]["agreed"]) == (200, True)
    assert (await other.send(path, {"agreed": False})).status == 409


async def test_a_hand_over_is_signed_at_the_console(console: Console) -> None:
    """The people who come find it in the roster, read the note, and sign; who left may not."""
    later = START + 30 * DAY
    await console.store.set_clock(Clock(wall_anchor=datetime.now(UTC), county_anchor=later, factor=0.0))
    while await console.store.roster.watch_next(RULES):
        pass
    (found,) = (await roster_of(console, "qingxi2"))["roster"]["hand_overs"]
    assert (found["outgoing"], found["incoming"], found["signed_at"]) == (
        ["青溪镇值班室"],
        ["青溪镇带班室"],
        None,
    )
    assert found["note"]["open_cases"] == len(found["note"]["cases"])
    path = f"roster/hand-overs/{found['id']}/sign"
    unit, other = await console.seat("qingxi"), await console.seat("qingxi2")
    assert (await unit.send(path, {"remark": "已交"})).status == 403
    signed = await other.send(path, {"remark": "已接"})
    assert (signed.status, (await signed.json())["hand_over"]["signed_by"]) == (200, "青溪镇带班室")
    assert (await other.send(path, {})).status == 409
