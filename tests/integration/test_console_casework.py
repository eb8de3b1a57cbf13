"""Merging, splitting, joint cases and call-backs over the console's API, with every fault in words."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest_asyncio
from console_world import BAISHI, NOISE, QINGXI, RIVER, Console, Seat, case_of, running_console

BY_HAND = {"category": "flood", "place": QINGXI, "level": "orange", "text": "桥下水漫路面"}


@pytest_asyncio.fixture
async def console(database: str) -> AsyncIterator[Console]:
    """Serve a console over a filled database with a case in each of two townships."""
    async with running_console(database) as running:
        await running.raise_alerts(NOISE, RIVER)
        yield running


async def view_of(seat: Seat, incident: str) -> dict[str, object]:
    """Read a case's page."""
    view: dict[str, object] = (await (await seat.get(f"/api/v1/incidents/{incident}")).json())["incident"]
    return view


async def test_a_case_is_opened_merged_and_split_again(console: Console) -> None:
    """The new case is answered with 201; the merged one names where it went; what was split off has pages."""
    county, river = await console.seat("county"), case_of(RIVER)
    opened = await county.send("incidents", BY_HAND)
    assert opened.status == 201
    new = (await opened.json())["incident"]["id"]
    merged = await county.send(f"incidents/{river}/merge", {"into": new, "note": "同一起"})
    assert (merged.status, (await merged.json())["incident"]["state"]) == (200, "merged")
    assert (await view_of(county, river))["merged_into"] == new
    assert (await county.send(f"incidents/{river}/merge", {"into": new})).status == 409
    alone = await county.send(f"incidents/{new}/split", {"alerts": [str(RIVER.id)]})
    assert alone.status == 400
    part = await county.send(f"incidents/{new}/split", {"part": BY_HAND, "note": "另一处"})
    assert part.status == 201
    assert (await view_of(county, (await part.json())["incident"]["id"]))["pages"]


async def test_another_township_comes_in_and_leaves(console: Console) -> None:
    """It is refused nothing that is its own, may not close, and is gone when the county lets it go."""
    county, qingxi, baishi = [await console.seat(login) for login in ("county", "qingxi", "baishi")]
    river = case_of(RIVER)
    assert (await baishi.get(f"/api/v1/incidents/{river}")).status == 404
    joined = await qingxi.send(f"incidents/{river}/parties", {"area": BAISHI, "note": "下游"})
    assert joined.status == 200, await joined.text()
    view = await view_of(baishi, river)
    assert (view["coordinator"], [party["area_name"] for party in view["parties"]]) == (  # type: ignore[attr-defined]
        "990101",
        ["白石镇"],
    )
    assert (await baishi.send(f"incidents/{river}/close", {})).status == 403
    assert (await qingxi.send(f"incidents/{river}/close", {})).status == 403
    assert (await qingxi.send(f"incidents/{river}/parties/{BAISHI}/leave", {})).status == 403
    assert (await county.send(f"incidents/{river}/parties/{BAISHI}/leave", {"note": "无影响"})).status == 200
    assert (await baishi.get(f"/api/v1/incidents/{river}")).status == 404


async def test_tasks_reopening_and_call_backs(console: Console) -> None:
    """One more task, an end, a call-back that opens the case again."""
    county, river = await console.seat("county"), case_of(RIVER)
    more = await county.send(f"incidents/{river}/tasks", {"area": BAISHI, "note": "设拦油坝"})
    assert more.status == 200
    assert (await county.send(f"incidents/{river}/close", {})).status == 200
    reopened = await county.send(f"incidents/{river}/reopen", {"note": "水色再次发黑"})
    assert (await reopened.json())["incident"]["state"] == "responding"
    assert (await county.send(f"incidents/{river}/close", {})).status == 200
    asked = {"reached": True, "responded": True, "resolved": False, "satisfied": "no", "note": "仍有异味"}
    rated = await county.send(f"incidents/{river}/rating", asked)
    assert (rated.status, (await rated.json())["incident"]["state"]) == (200, "responding")
    assert (await view_of(county, river))["ratings"][0]["satisfied"] == "no"  # type: ignore[index]
    assert (await county.send(f"tasks/{uuid4()}/rating", {"reached": False})).status == 404


async def test_what_is_wrong_is_told_by_field(console: Console) -> None:
    """All at once; what there is not is not found."""
    county, river = await console.seat("county"), case_of(RIVER)
    wrong = await county.send("incidents", {**BY_HAND, "place": "12", "category": "no-such"})
    assert wrong.status == 400
    assert {fault["field"] for fault in (await wrong.json())["faults"]} == {"category", "place"}
    assert (await county.send("incidents", {**BY_HAND, "level": "purple"})).status == 400
    assert (await county.send(f"incidents/{uuid4()}/reopen", {"note": "x"})).status == 404
    assert (await county.send(f"incidents/{river}/parties", {"area": "990101"})).status == 400
    assert (await county.send(f"incidents/{river}/rating", {"reached": False})).status == 409
