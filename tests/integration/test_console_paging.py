"""Grades, shelving and maintenance over the console's API: done once, refused with reasons, and shown."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest_asyncio
from console_world import NOISE, RIVER, START, Console, case_of, running_console

CASE = f"incidents/{case_of(NOISE)}"


@pytest_asyncio.fixture
async def console(database: str) -> AsyncIterator[Console]:
    """Serve a console over a filled database with one case of a township."""
    async with running_console(database) as running:
        await running.raise_alerts(NOISE)
        yield running


async def test_a_grade_is_decided(console: Console) -> None:
    """A township's officer makes it graver; what is no grade, the same one, or less grave is refused with the reason."""
    unit = await console.seat("baishi")
    answer = await unit.send(f"{CASE}/grade", {"grade": 3, "reason": "持续扰民"})
    assert (answer.status, (await answer.json())["incident"]["grade"]) == (200, 3)
    for body, status in (({"grade": 5}, 400), ({"grade": 3}, 400), ({"grade": 4, "reason": "已缓解"}, 403)):
        assert (await unit.send(f"{CASE}/grade", body)).status == status, body
    assert (await unit.send("incidents/nothing/grade", {"grade": 2})).status == 404


async def test_a_case_is_shelved_and_taken_off(console: Console) -> None:
    """Once for one key; every fault at once; listed while it waits; elsewhere nobody sees it."""
    unit, key = await console.seat("baishi"), uuid4()
    faulty = await unit.send(f"{CASE}/shelve", {"minutes": 100_000, "reason": " "})
    assert {fault["field"] for fault in (await faulty.json())["faults"]} == {"minutes", "reason"}
    for _ in range(2):
        assert (await unit.send(f"{CASE}/shelve", {"minutes": 30, "reason": "等待复测"}, key)).status == 200
    assert (await unit.send(f"{CASE}/shelve", {"minutes": 30, "reason": "等待复测"})).status == 409
    assert (await (await console.seat("qingxi")).send(f"{CASE}/unshelve")).status == 404
    assert (await unit.send(f"{CASE}/shelve/consent")).status == 403
    assert (await unit.send(f"{CASE}/unshelve")).status == 200
    assert (await unit.send(f"{CASE}/unshelve")).status == 404
    kinds = [
        entry["kind"] for entry in (await (await unit.get(f"/api/v1/{CASE}")).json())["incident"]["timeline"]
    ]
    assert kinds.count("shelved") == kinds.count("unshelved") == 1


async def test_maintenance_of_a_series_holds_what_rests_on_it_alone(console: Console) -> None:
    """Planned for the series of the river's alert: the case opens held and says so; ended, it is over."""
    county, qingxi = await console.seat("county"), await console.seat("qingxi")
    plan = {
        "area": "990101101",
        "series": RIVER.evidence[0].subject,
        "reason": "监测站检修",
        "starts_at": START.isoformat(),
        "ends_at": (START + timedelta(hours=6)).isoformat(),
    }
    faulty = await county.send("maintenance", {**plan, "series": "", "ends_at": START.isoformat()})
    assert {fault["field"] for fault in (await faulty.json())["faults"]} == {"category", "ends_at"}
    assert (await qingxi.send("maintenance", {**plan, "area": "990101"})).status == 400
    windows = []
    for finding in RIVER.evidence:  # orange: grade Ⅱ, which takes two persons
        answer = await county.send("maintenance", {**plan, "series": finding.subject})
        assert answer.status == 201
        windows.append(window := (await answer.json())["maintenance"]["id"])
        assert (await county.send(f"maintenance/{window}/consent")).status == 403
        assert (await qingxi.send(f"maintenance/{window}/consent")).status == 200
    listed = (await (await qingxi.get("/api/v1/maintenance")).json())["maintenance"]
    assert {(row["id"], row["planned_by"]) for row in listed} == {
        (window, "示例县应急指挥中心") for window in windows
    }
    await console.raise_alerts(RIVER)
    view = (await (await qingxi.get(f"/api/v1/incidents/{case_of(RIVER)}")).json())["incident"]
    assert (view["held"]["kind"], view["pages"]) == ("maintenance", [])
    assert view["held"]["ref"] in windows
    held = await (await qingxi.get("/api/v1/held")).json()
    assert [one["incident"] for one in held["held"]] == [str(case_of(RIVER))]
    for window in windows:
        ended = await county.send(f"maintenance/{window}/end")
        assert (ended.status, (await ended.json())["maintenance"]["ended_at"] is not None) == (200, True)
    assert (await county.send(f"maintenance/{uuid4()}/end")).status == 404
    assert (await (await qingxi.get("/api/v1/maintenance")).json())["maintenance"] == []
