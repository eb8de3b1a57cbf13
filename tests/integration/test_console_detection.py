"""The page of detection with a real PostgreSQL: what is held back, opening it all the same, calibration, why."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import console_world as world
import pytest_asyncio
from console_world import FEVER, NOISE, RIVER, WAGES, Console, Seat, case_of, running_console
from msgspec import structs

from domain.findings import (
    AlertChange,
    Arrival,
    Calibration,
    CalibrationBin,
    Explanation,
    HeldBack,
    Precedent,
)
from domain.incidents import Verdict
from domain.levels import Level

HELD = structs.replace(FEVER, chance=0.08, held_back=HeldBack.CHANCE)
SPENT = structs.replace(NOISE, chance=0.3, held_back=HeldBack.BUDGET)
CALIBRATION = Calibration(
    county=world.COUNTY,
    at=world.START,
    verdicts=50,
    brier=0.11,
    base_rate=0.32,
    bins=(
        CalibrationBin(low=0.0, high=0.1, count=30, mean_chance=0.05, found_true=2),
        CalibrationBin(low=0.7, high=1.0, count=20, mean_chance=0.82, found_true=14),
    ),
    detectors={"counts": (10, 22), "river (shadow)": (4, 1)},
    alone={"river (shadow)": 3},
)


@pytest_asyncio.fixture
async def console(database: str) -> AsyncIterator[Console]:
    """Serve a console over a filled database."""
    async with running_console(database) as running:
        yield running


async def opened(seat: Seat, alert: UUID, key: UUID | None = None) -> tuple[int, dict[str, object]]:
    """Open a case from an alert, and give the answer."""
    answer = await seat.client.post(
        f"/api/v1/alerts/{alert}/open",
        json={},
        headers={"Origin": seat.origin, "Idempotency-Key": str(key or uuid4())},
    )
    return answer.status, await answer.json()


async def listed(seat: Seat) -> list[str]:
    """Name the alerts that somebody sees held back."""
    answer = await seat.get("/api/v1/detection")
    assert answer.status == 200, await answer.text()
    return [row["id"] for row in (await answer.json())["held_back"]]


async def test_held_back_alerts_are_listed_in_their_area_until_there_is_a_case(console: Console) -> None:
    """With reason, chance and sentence; another township does not see them, and one with a case is no longer there."""
    await console.raise_alerts(HELD, SPENT, RIVER)
    baishi, qingxi = await console.seat("baishi"), await console.seat("qingxi")
    shown = (await (await baishi.get("/api/v1/detection")).json())["held_back"]
    assert {(row["held_back"], row["chance"], row["place_name"]) for row in shown} == {
        ("budget", 0.3, "白石镇"),
        ("chance", 0.08, "白石镇"),
    }
    assert {row["zh"] for row in shown} == {HELD.zh, SPENT.zh}
    assert await listed(qingxi) == []
    raised = structs.replace(HELD, version=2, change=AlertChange.CHANGED, level=Level.RED, held_back=None)
    await console.raise_alerts(raised)
    assert await listed(baishi) == [str(SPENT.id)]


async def test_an_officer_opens_what_was_held_back(console: Console) -> None:
    """The desk on duty is paged as if it had not been held back, and who opened it stands on the record; twice is once."""
    await console.raise_alerts(HELD)
    seat, key = await console.seat("county"), uuid4()
    status, answer = await opened(seat, HELD.id, key)
    assert (status, answer["incident"]["id"]) == (200, str(case_of(HELD)))  # type: ignore[index]
    assert await opened(seat, HELD.id, key) == (200, answer)
    view = (await (await seat.get(f"/api/v1/incidents/{case_of(HELD)}")).json())["incident"]
    entry = next(one for one in view["timeline"] if one["kind"] == "opened_by_hand")
    assert (entry["actor"], entry["detail"]) == (
        "示例县应急指挥中心",
        {"held_back": "chance", "chance": 0.08},
    )
    assert "同类预警多为误报" in entry["text"]
    assert {(page["recipient"], page["channel"]) for page in view["pages"]} == {
        (recipient, channel)
        for recipient in ("白石镇值班室", "示例县应急指挥中心")
        for channel in ("console", "file")
    }
    assert (view["held_back"], view["chance"]) == ("chance", 0.08)
    assert await listed(seat) == []
    status, told = await opened(seat, HELD.id)
    assert (status, told["code"]) == (409, "conflict")


async def test_who_may_open(console: Console) -> None:
    """A neighbour finds no such alert, a grid worker may not, and an administrator has no such page."""
    held = structs.replace(WAGES, held_back=HeldBack.BUDGET, place="990101101001")
    await console.raise_alerts(held)
    for login, expected in (("baishi", 404), ("wangge", 403), ("admin", 403)):
        assert (await opened(await console.seat(login), held.id))[0] == expected, login
    assert (await opened(await console.seat("qingxi"), uuid4()))[0] == 404
    assert (await (await console.seat("admin")).get("/api/v1/detection")).status == 403
    assert await listed(await console.seat("wangge")) == [str(held.id)]


async def test_the_newest_calibration_of_a_county_is_shown(console: Console) -> None:
    """An older word that comes later changes nothing; a township sees its county's."""
    older = structs.replace(CALIBRATION, at=world.START - timedelta(days=1), verdicts=1)
    other = structs.replace(CALIBRATION, county="990102")
    await console.store.detection.record_calibrations([CALIBRATION, older, other])
    for login in ("qingxi", "county"):
        shown = await (await (await console.seat(login)).get("/api/v1/detection")).json()
        (one,) = shown["calibrations"]
        assert (one["county"], one["verdicts"], one["alone"]) == (world.COUNTY, 50, {"river (shadow)": 3})


async def test_the_page_carries_what_its_script_starts_from(console: Console) -> None:
    """The page comes in both languages and leads from the others."""
    await console.raise_alerts(HELD)
    await console.store.detection.record_calibrations([CALIBRATION])
    seat = await console.seat("county")
    text = await (await seat.page("/detection")).text()
    assert "detection.js" in text
    assert str(HELD.id) in text
    assert 'href="/detection"' in await (await seat.page("/")).text()


async def test_an_incident_says_why(console: Console) -> None:
    """What lies around and the precedent with its case come with the names of series and places."""
    river = structs.replace(
        world.river_finding(1),
        detector="river",
        terms=("river-1-cod", "river-2-cod"),
        arrivals=(
            Arrival(series="river-3-cod", earliest=world.START, latest=world.START + timedelta(hours=2)),
        ),
    )
    explanation = Explanation(
        decisive=RIVER.evidence[0].id,
        nearby=("river-2-cod",),
        quiet=4,
        precedent=Precedent(
            alert=WAGES.id,
            opened_at=world.START - timedelta(days=9),
            place=world.QINGXI,
            level=Level.ORANGE,
            verdict=Verdict.TRUE,
        ),
    )
    told = structs.replace(RIVER, evidence=(*RIVER.evidence, river), explanation=explanation)
    await console.raise_alerts(WAGES, told)
    seat = await console.seat("qingxi")
    shown = await (await seat.get(f"/api/v1/incidents/{case_of(told)}")).json()
    view = shown["incident"]
    assert (view["explanation"]["nearby"], view["explanation"]["quiet"]) == (["river-2-cod"], 4)
    assert view["precedent"] == str(case_of(WAGES))
    assert shown["names"]["river-3-cod"] == "白石河石湾断面 化学需氧量"
    plain = (await (await seat.get(f"/api/v1/incidents/{case_of(WAGES)}")).json())["incident"]
    assert (plain["explanation"], plain["precedent"], plain["held_back"]) == (None, None, None)
