"""What officers keep at their seats: an acknowledgement taken back, saved views, and the cases beside a case."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg  # type: ignore[import-untyped]  # ships no types
import pytest_asyncio
from console_world import (
    BAISHI,
    COUNTY,
    QINGXI,
    RIVER,
    RULES,
    START,
    WAGES,
    Console,
    alert,
    case_of,
    count_finding,
    river_finding,
    running_console,
)
from msgspec import structs

from domain.clock import Clock
from domain.incidents import IncidentState
from domain.levels import Feed, Level
from domain.registry import Area

PLAIN: dict[str, object] = {
    "state": "open",
    "levels": [],
    "category": None,
    "township": "",
    "mine": False,
    "drill": "with",
    "text": "",
}


@pytest_asyncio.fixture
async def console(database: str) -> AsyncIterator[Console]:
    """Serve a console over a filled database."""
    async with running_console(database) as running:
        yield running


async def view_of(console: Console, case: Any) -> Any:
    """Read a case as the county sees it."""
    seat = await console.seat("county")
    return (await (await seat.get(f"/api/v1/incidents/{case}")).json())["incident"]


async def test_an_acknowledgement_is_taken_back(console: Console) -> None:
    """The case stands as before it: state, timer, holder and pages; both lines stay on the record."""
    await console.raise_alerts(RIVER)
    case = case_of(RIVER)
    before = await view_of(console, case)
    seat = await console.seat("qingxi")
    assert (await seat.act(case, "acknowledge")).status == 200
    assert [page["state"] for page in (await view_of(console, case))["pages"]] == ["withdrawn"] * 2
    answer = await seat.act(case, "acknowledge/undo")
    assert answer.status == 200, await answer.text()
    after = await view_of(console, case)
    for name in ("state", "next_at", "holder", "acknowledged_at", "acknowledged_by", "step"):
        assert after["row"][name] == before["row"][name], name
    assert after["pages"] == before["pages"]
    assert after["acknowledgements"] == []
    assert [entry["kind"] for entry in after["timeline"]][-2:] == ["acknowledged", "acknowledgement_undone"]
    assert (await seat.act(case, "acknowledge")).status == 200, "it can be acknowledged again"


async def test_while_it_is_acknowledged_nothing_is_due(console: Console) -> None:
    """No page is due and no timer runs between the acknowledgement and its undoing: nobody is paged in these seconds."""
    await console.raise_alerts(RIVER)
    seat = await console.seat("qingxi")
    await seat.act(case_of(RIVER), "acknowledge")
    view = await view_of(console, case_of(RIVER))
    assert view["row"]["next_at"] is None
    assert not [page for page in view["pages"] if page["state"] in ("due", "sending")]


async def test_undoing_twice_is_undoing_once(console: Console) -> None:
    """The same request again gives the same answer and adds no line; another request has nothing to undo."""
    await console.raise_alerts(RIVER)
    seat, key = await console.seat("qingxi"), uuid4()
    await seat.act(case_of(RIVER), "acknowledge")
    first = await (await seat.act(case_of(RIVER), "acknowledge/undo", key=key)).json()
    assert await (await seat.act(case_of(RIVER), "acknowledge/undo", key=key)).json() == first
    assert (await seat.act(case_of(RIVER), "acknowledge/undo")).status == 409
    kinds = [entry["kind"] for entry in (await view_of(console, case_of(RIVER)))["timeline"]]
    assert kinds.count("acknowledgement_undone") == 1


async def test_what_cannot_be_taken_back(console: Console, database: str) -> None:
    """Somebody else's acknowledgement, one with something after it, and one that is too old stand."""
    await console.raise_alerts(RIVER, WAGES)
    qingxi, county = await console.seat("qingxi"), await console.seat("county")
    await qingxi.act(case_of(RIVER), "acknowledge")
    assert (await county.act(case_of(RIVER), "acknowledge/undo")).status == 409
    await county.act(case_of(RIVER), "take-over")
    answer = await qingxi.act(case_of(RIVER), "acknowledge/undo")
    assert (answer.status, "已有变化" in (await answer.json())["detail"]) == (409, True)
    await qingxi.act(case_of(WAGES), "acknowledge")
    connection = await asyncpg.connect(database)
    await connection.execute("update acknowledgement_before set wall_at = wall_at - interval '16 seconds'")
    await connection.close()
    answer = await qingxi.act(case_of(WAGES), "acknowledge/undo")
    assert (answer.status, "10 秒" in (await answer.json())["detail"]) == (409, True)
    baishi = await console.seat("baishi")
    assert (await baishi.act(case_of(WAGES), "acknowledge/undo")).status == 404


async def test_saved_views_are_of_one_account(console: Console) -> None:
    """A view is kept, written over and forgotten under its name; nobody else sees it; a twenty-first is refused."""
    seat, other = await console.seat("qingxi"), await console.seat("qingxi2")
    saved = await seat.send("seat/views", {"name": "红橙", "filter": PLAIN | {"levels": [3, 4]}})
    assert [view["name"] for view in (await saved.json())["views"]] == ["红橙"]
    await seat.send("seat/views", {"name": "红橙", "filter": PLAIN | {"levels": [4]}})
    (view,) = (await (await seat.get("/api/v1/seat/views")).json())["views"]
    assert view["filter"]["levels"] == [4]
    assert (await (await other.get("/api/v1/seat/views")).json())["views"] == []
    for number in range(19):
        assert (await seat.send("seat/views", {"name": f"视图 {number}", "filter": PLAIN})).status == 200
    assert (await seat.send("seat/views", {"name": "多一个", "filter": PLAIN})).status == 409
    assert (await seat.send("seat/views", {"name": "红橙", "filter": PLAIN})).status == 200
    assert (await seat.send("seat/views/forget", {"name": "红橙"})).status == 200
    assert (await seat.send("seat/views/forget", {"name": "红橙"})).status == 404


async def test_a_view_that_is_none(console: Console) -> None:
    """A name of blanks, an unknown level and a word too many are refused, each by its field."""
    seat = await console.seat("qingxi")
    for body, field in (
        ({"name": " ", "filter": PLAIN}, "name"),
        ({"name": "一", "filter": PLAIN | {"levels": [5]}}, "filter.levels"),
        ({"name": "一", "filter": PLAIN | {"colour": "red"}}, "filter"),
    ):
        answer = await seat.send("seat/views", body)
        assert answer.status == 400
        assert field in (await answer.json())["detail"]


async def test_neighbours_of_a_case(console: Console) -> None:
    """Cases of the same time are named with why they are near: the township itself, one beside it, one along the river."""
    square = ((0.0, 0.0), (0.0, 0.1), (0.1, 0.1), (0.1, 0.0))
    beside = tuple((lon + 0.1, lat) for lon, lat in square)
    await console.store.put_areas(
        [
            Area(code=QINGXI, name="青溪镇", outline=square),
            Area(code=BAISHI, name="白石镇", outline=beside),
            Area(code="990101103", name="黑水镇", outline=tuple((lon + 5, lat) for lon, lat in square)),
            Area(code="990101104", name="远山镇", outline=tuple((lon + 9, lat) for lon, lat in square)),
        ]
    )
    series = [
        structs.replace(one, river="青溪河", river_km=float(n))
        for n, one in enumerate(await console.store.series())
    ]
    await console.store.put_series([series[0], structs.replace(series[1], area="990101103")])
    others = {
        place: alert(
            "flood", place, Level.BLUE, (count_finding("flood", place, 6, 1),), f"{place}内涝", "Flooding"
        )
        for place in (QINGXI, BAISHI, "990101103", "990101104")
    }
    await console.raise_alerts(RIVER, *others.values())
    seat = await console.seat("county")
    related = await (await seat.get(f"/api/v1/incidents/{case_of(RIVER)}/related")).json()
    assert {one["place"]: one["nearness"] for one in related["near"]} == {
        QINGXI: "same",
        BAISHI: "adjoining",
        "990101103": "river",
    }
    town = await console.seat("qingxi")
    own = await (await town.get(f"/api/v1/incidents/{case_of(RIVER)}/related")).json()
    assert [one["place"] for one in own["near"]] == [QINGXI], "what lies in another area is not told"
    assert (
        await (await console.seat("baishi")).get(f"/api/v1/incidents/{case_of(RIVER)}/related")
    ).status == 404


async def test_similar_cases_of_the_past(console: Console) -> None:
    """Ended ones of the category are shown with their outcome: of the same township, or with words in common."""
    places = (QINGXI, BAISHI, "990101103")
    phrases = ("围堵", "拉横幅", None)
    past = [
        alert(
            "wage-dispute",
            place,
            Level.YELLOW,
            (count_finding("wage-dispute", place, 5 + number, 1, Feed.REPORTS, phrase),),
            f"旧事 {number}",
            "Past",
        )
        for number, (place, phrase) in enumerate(zip(places, phrases, strict=True))
    ]
    past = [structs.replace(one, opened_at=START - timedelta(days=9)) for one in past]
    await console.raise_alerts(*past)
    seat = await console.seat("county")
    for one in past:
        await seat.act(case_of(one), "disposition", {"verdict": "true", "note": "已支付工资"})
        answer = await seat.act(case_of(one), "close", {"note": "已支付工资"})
        assert answer.status == 200, await answer.text()
    later = START + timedelta(days=60)
    await console.store.set_clock(Clock(wall_anchor=datetime.now(UTC), county_anchor=later, factor=1.0))
    now = structs.replace(WAGES, opened_at=later, changed_at=later, received_at=later)
    await console.store.record_alert(now, RULES)
    related = await (await seat.get(f"/api/v1/incidents/{case_of(WAGES)}/related")).json()
    assert [(one["place"], one["likeness"], one["words"]) for one in related["like"]] == [
        (QINGXI, "place", []),
        (BAISHI, "words", ["拉横幅"]),
    ]
    assert {(one["verdict"], one["state"], one["note"]) for one in related["like"]} == {
        ("true", IncidentState.CLOSED.value, "已支付工资")
    }


async def test_what_forms_offer(console: Console) -> None:
    """An officer gets the areas of the county down to villages, and the categories."""
    seat = await console.seat("qingxi")
    places = dict((await (await seat.get("/api/v1/seat/places")).json())["places"])
    assert {COUNTY, QINGXI, BAISHI, "990101102003"} <= places.keys()
    assert "99" not in places
    assert "flood" in (await (await seat.get("/api/v1/seat/categories")).json())["categories"]


async def test_the_county_may_undo_one_of_two(console: Console) -> None:
    """A finding over a limit pages the town; its second acknowledgement by another post is refused as before."""
    await console.raise_alerts(structs.replace(RIVER, evidence=(river_finding(1),)))
    seat, second = await console.seat("qingxi"), await console.seat("qingxi2")
    await seat.act(case_of(RIVER), "acknowledge")
    assert (await second.act(case_of(RIVER), "acknowledge")).status == 409
    await seat.act(case_of(RIVER), "acknowledge/undo")
    answer = await second.act(case_of(RIVER), "acknowledge")
    assert (answer.status, (await answer.json())["incident"]["holder"]) == (200, "青溪镇带班室")
