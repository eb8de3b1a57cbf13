"""The command centre's API and pages: what it tells, to whom, and what the account of a display may do."""

import gzip
from collections.abc import AsyncIterator
from uuid import uuid4

import msgspec
import pytest
import pytest_asyncio
from command_world import DISPLAY, begin_storm, set_clock
from console_world import (
    BAISHI,
    COUNTY,
    QINGXI,
    RIVER,
    RULES,
    START,
    WAGES,
    Console,
    case_of,
    running_console,
)

from domain.errors import NotAllowed
from domain.incidents import Verdict
from responders.dispatch import act_on_timers
from responders.views import Viewer


@pytest_asyncio.fixture
async def console(database: str) -> AsyncIterator[Console]:
    """Serve a console over a county in a storm."""
    async with running_console(database) as running:
        await begin_storm(running)
        yield running


async def situation(console: Console, login: str) -> dict:
    """Read the situation."""
    answer = await (await console.seat(login)).get("/api/v1/command")
    assert answer.status == 200, await answer.text()
    return (await answer.json())["situation"]


async def test_the_situation_counts_cases_where_they_are(console: Console) -> None:
    """By level, from blue to red; who waits is counted, and since when."""
    found = await situation(console, "county")
    below = {one["area"]: one for one in found["below"]}
    assert below[QINGXI]["levels"] == [0, 0, 1, 1]
    assert below[BAISHI]["levels"] == [1, 1, 0, 0]
    assert (below[QINGXI]["unacknowledged"], below[QINGXI]["climbed"]) == (2, 0)
    assert below[QINGXI]["waiting_since"].startswith("2026-03-02T00:20")
    assert found["lately"] == 4
    assert (await situation(console, "qingxi"))["below"] != found["below"]


async def test_what_nobody_acknowledged_climbs_and_is_told(console: Console) -> None:
    """An hour later the cases have climbed; one that was acknowledged has not."""
    await (await console.seat("qingxi")).act(case_of(RIVER), "acknowledge")
    await set_clock(console, 60)
    await act_on_timers(console.store, RULES)
    below = {one["area"]: one for one in (await situation(console, "county"))["below"]}
    assert (below[QINGXI]["unacknowledged"], below[QINGXI]["climbed"]) == (1, 1)


async def test_late_tasks_and_owed_reports_are_told(console: Console) -> None:
    """A case that was found true owes reports by law, and its tasks become late."""
    seat = await console.seat("qingxi")
    await seat.act(case_of(RIVER), "acknowledge")
    answer = await seat.act(case_of(RIVER), "disposition", {"verdict": Verdict.TRUE})
    assert answer.status == 200, await answer.text()
    await act_on_timers(console.store, RULES)
    found = await situation(console, "county")
    assert found["owed"], "the water's case owes a first report"
    assert found["owed_total"] == len(found["owed"])
    assert {one["clock"]["kept"] for one in found["owed"]} == {"running"}
    assert sum(one["late"] for one in found["below"]) == 0
    assert sum(one["tasks"] for one in found["below"]) > 0
    await set_clock(console, 60 * 48)
    await act_on_timers(console.store, RULES)
    later = await situation(console, "county")
    assert sum(one["late"] for one in later["below"]) > 0
    assert "missed" in {one["clock"]["kept"] for one in later["owed"]}


async def test_joint_cases_name_who_leads_and_who_takes_part(console: Console) -> None:
    """A township that joined sees the case too."""
    seat = await console.seat("county")
    answer = await seat.send(f"incidents/{case_of(RIVER)}/parties", {"area": BAISHI, "note": "下游"})
    assert answer.status == 200, await answer.text()
    for login in ("county", "baishi"):
        (joint,) = (await situation(console, login))["joint"]
        assert (joint["coordinator"], joint["parties"]) == ("示例县", ["白石镇"])


async def test_drills_are_told_and_counted_apart(console: Console) -> None:
    """A drill that runs stands in the situation; its cases are no real ones."""
    seat = await console.seat("county")
    answer = await seat.send("drills", {"scenario": "river-leak", "county": COUNTY})
    assert answer.status == 201, await answer.text()
    before = [one["levels"] for one in (await situation(console, "county"))["below"]]
    await act_on_timers(console.store, RULES)
    found = await situation(console, "county")
    assert len(found["drills"]) == 1
    assert [one["levels"] for one in found["below"]] == before


async def test_the_alarm_load_counts_deliveries_per_operator(console: Console) -> None:
    """Alarms of the last day by ten minutes; the newest span ends now."""
    load = (await situation(console, "county"))["load"]
    assert len(load["bins"]) == 144
    assert {one["operators"] for one in load["bins"][-6:]} == {3}
    assert load["verdict"] == "calm"


async def test_grid_workers_and_administrators_have_no_command(console: Console) -> None:
    """The store says so, and pages lead elsewhere."""
    for login in ("wangge", "admin"):
        assert (await (await console.seat(login)).get("/api/v1/command")).status == 403
    assert (await (await console.seat("admin")).page("/command")).status == 303


async def test_the_map_holds_the_viewers_area_and_is_cached_by_version(console: Console) -> None:
    """A township sees its own shapes; the same version is not sent twice; a new name makes a new version."""
    seat = await console.seat("county")
    answer = await seat.get("/api/v1/map")
    found = await answer.json(content_type=None)
    assert [one["id"] for one in found["features"]] == [
        COUNTY, QINGXI, BAISHI, "990101101001", "990101102003",
    ]  # fmt: skip
    assert found["levels"] == [6, 9, 12]
    again = await seat.get("/api/v1/map", **{"If-None-Match": answer.headers["ETag"]})
    assert (again.status, await again.read()) == (304, b"")
    town = await (await console.seat("qingxi")).get("/api/v1/map")
    assert [one["id"] for one in (await town.json(content_type=None))["features"]] == [QINGXI, "990101101001"]
    areas = {area.code: area for area in await console.store.areas()}
    await console.store.put_areas([msgspec.structs.replace(areas[QINGXI], name="清溪镇")])
    renewed = await seat.get("/api/v1/map", **{"If-None-Match": answer.headers["ETag"]})
    assert renewed.status == 200
    assert "清溪镇" in await renewed.text()


async def test_the_map_is_packed_and_unpacked(console: Console) -> None:
    """Browsers get gzip, a program that does not ask for it plain JSON."""
    seat = await console.seat("county")
    async with seat.client.session.get(
        seat.client.make_url("/api/v1/map"), headers={"Accept-Encoding": "identity"}
    ) as plain:
        assert "Content-Encoding" not in plain.headers
        body = await plain.read()
    assert msgspec.json.decode(body)["type"] == "FeatureCollection"
    with pytest.raises(gzip.BadGzipFile):
        gzip.decompress(body)


async def test_a_display_sees_the_wall_and_nothing_else(console: Console) -> None:
    """It is led to the wall from every page, and may not act."""
    seat = await console.seat(DISPLAY.login)
    for path in ("/", f"/incidents/{case_of(WAGES)}", "/registry", "/command"):
        answer = await seat.page(path)
        assert (answer.status, answer.headers["Location"]) == (303, "/wall"), path
    assert (await seat.page("/wall")).status == 200
    for path in ("/api/v1/command", "/api/v1/map", "/api/v1/incidents"):
        assert (await seat.get(path)).status == 200, path
    for path in (f"/api/v1/incidents/{case_of(WAGES)}", "/api/v1/registry/devices", "/api/v1/roster"):
        assert (await seat.get(path)).status == 403, path
    assert (await seat.act(case_of(WAGES), "acknowledge")).status == 403


async def test_a_display_cannot_act_in_the_store_either(console: Console) -> None:
    """Rights are the store's: the page's list of addresses is a second lock."""
    viewer = Viewer(
        user=DISPLAY.id, login=DISPLAY.login, display=DISPLAY.display, role=DISPLAY.role, area=DISPLAY.area
    )
    with pytest.raises(NotAllowed):
        await console.store.acknowledge(viewer, case_of(WAGES), uuid4())
    with pytest.raises(NotAllowed):
        await console.store.figures.burden(viewer, START.date(), {})
