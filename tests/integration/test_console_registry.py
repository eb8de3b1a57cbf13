"""The page of stations and its API over a real database: who sees what, and how administrators change it."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiohttp import ClientResponse
from console_world import Console, Seat, running_console
from msgspec import structs, to_builtins
from station_world import COD, DEVICES, PM25, STRANGER, settle_stations

from responders.registration import Wish


@pytest.fixture
async def console(database: str) -> AsyncIterator[Console]:
    """Serve a console over a county with stations."""
    async with running_console(database) as running:
        await settle_stations(running)
        yield running


async def read(seat: Seat, path: str) -> Any:
    """Read what an address of the API says."""
    answer = await seat.get(f"/api/v1/registry/{path}")
    assert answer.status == 200, await answer.text()
    return await answer.json()


async def send(
    seat: Seat, body: object, path: str = "change", key: UUID | None = None, origin: str | None = None
) -> ClientResponse:
    """Send a command of the page."""
    return await seat.client.post(
        f"/api/v1/registry/{path}",
        json=body,
        headers={"Origin": origin or seat.origin, "Idempotency-Key": str(key or uuid4()), **seat.headers},
    )


def series_body(limits: list[dict[str, object]], of: Any = COD, **change: object) -> dict[str, object]:
    """Write a series as the page's form does."""
    return {"series": [{**to_builtins(of), "limits": limits, **change}]}


async def faults(answer: ClientResponse) -> dict[str, str]:
    """Read the faults of a refused command by field."""
    document = await answer.json()
    assert (answer.status, document["code"]) == (400, "invalid"), document
    return {fault["field"]: fault["reason"] for fault in document["faults"]}


async def test_everybody_sees_the_own_area_and_the_county_sees_strangers(console: Console) -> None:
    """A township lists its own devices; strangers are for the county and for administrators."""
    for login, devices, strangers in (
        ("qingxi", {"bridge-water", "upper-stage"}, None),
        ("baishi", {"shiwan-air"}, None),
        ("wangge", {"bridge-water"}, None),
        ("county", {device.id for device in DEVICES}, 2),
        ("admin", {device.id for device in DEVICES}, 2),
    ):
        seat = await console.seat(login)
        found = await read(seat, "devices")
        assert {row["id"] for row in found["devices"]} == devices, login
        assert found["strangers"] is None if strangers is None else len(found["strangers"]) == strangers
        assert "v1.k" not in str(found)
    seat = await console.seat("qingxi")
    assert (await read(seat, "series?device=shiwan-air"))["series"] == []
    assert (await read(seat, "changes?kind=device&ref=shiwan-air"))["changes"] == []
    assert {code for code, _ in (await read(seat, "areas"))["areas"]} == {"990101101", "990101101001"}


async def test_lists_are_sifted(console: Console) -> None:
    """By words, area, source, trouble; what is no query is refused by field."""
    seat = await console.seat("county")
    for query, found in (
        ("devices?text=桥头", ["bridge-water"]),
        ("devices?text=0169dc0", ["bridge-water"]),
        ("devices?area=990101102", ["shiwan-air"]),
        ("devices?source=water-bureau", ["upper-stage"]),
        ("devices?problems=true", ["upper-stage", "shiwan-air"]),
        ("devices?id=shiwan-air", ["shiwan-air"]),
    ):
        assert [row["id"] for row in (await read(seat, query))["devices"]] == found, query
    silent = (await read(seat, "series?problems=true"))["series"]
    assert {row["series"]["id"] for row in silent} == {COD.id, PM25.id}
    answer = await seat.get("/api/v1/registry/devices?area=x&limit=0&colour=red")
    assert {"area", "limit", "colour"} <= (await faults(answer)).keys()


async def test_a_limit_is_planned_then_changed_and_on_record(console: Console) -> None:
    """The preview changes nothing; the command does, once for each key, and the record names post and fields."""
    seat, key = await console.seat("admin"), uuid4()
    body = series_body([{"level": 1, "value": 25.0, "basis": "本县"}])
    steps = (await (await send(seat, body, "plan")).json())["steps"]
    assert [(step["id"], step["action"], list(step["fields"])) for step in steps] == [
        (COD.id, "changed", ["limits"])
    ]
    assert (await read(seat, f"series?id={COD.id}"))["series"][0]["series"]["limits"][0]["value"] == 20
    for _ in range(2):
        assert (await send(seat, body, key=key)).status == 200
    assert (await send(seat, series_body([]), key=key)).status == 409
    changed = (await read(seat, f"series?id={COD.id}"))["series"][0]["series"]["limits"]
    assert [(limit["level"], limit["value"], limit["basis"]) for limit in changed] == [(1, 25, "本县")]
    newest, first = (await read(seat, f"changes?kind=series&ref={COD.id}"))["changes"]
    assert (newest["actor"], newest["action"], first["actor"]) == (
        "示例县系统管理",
        "changed",
        "command line (ops)",
    )
    assert (await read(seat, f"changes?limit=1&before={newest['id']}"))["more"]


async def test_a_limit_may_be_an_index(console: Console) -> None:
    """The value follows from the standard in force on the county's date, the second of March 2026."""
    seat = await console.seat("admin")
    body = series_body([{"level": 2, "aqi": 100, "averaging": "24h"}], PM25)
    assert (await send(seat, body)).status == 200
    (stored,) = (one for one in await console.store.series() if one.id == PM25.id)
    assert (stored.limits[0].value, stored.limits[0].basis) == (60, "HJ 633-2026, AQI 100")
    wrong = series_body([{"level": 2, "aqi": 100, "averaging": "8h", "value": 3}], PM25)
    assert {"series[0].limits[0].averaging", "series[0].limits[0].value"} == set(
        await faults(await send(seat, wrong))
    )


async def test_a_stranger_is_registered_and_its_channel_claimed(console: Console) -> None:
    """From the form to the registry; afterwards it is no stranger any more."""
    seat = await console.seat("admin")
    device = {
        "id": "new-1", "name": "新数采仪", "station": "", "area": "990101101001", "source": "ecology-bureau",
        "protocol": "hj212", "address": STRANGER, "lat": None, "lon": None,
    }  # fmt: skip
    claimed = series_body([], id="new-1.cod", device="new-1")
    answer = await send(seat, {"devices": [device], **claimed})
    assert [step["action"] for step in (await answer.json())["steps"]] == ["added", "added"]
    found = await read(seat, "devices")
    assert STRANGER not in {one["address"] for one in found["strangers"]}
    (row,) = (one for one in found["devices"] if one["id"] == "new-1")
    assert (row["packets"], row["secrets"], row["series"]) == (288, False, 1)
    gone = await send(seat, {"gone_devices": ["new-1"], "gone_series": ["new-1.cod"]})
    assert gone.status == 200


async def test_a_device_keeps_its_secrets_and_none_comes_from_a_form(console: Console) -> None:
    """A form neither takes nor shows what is sealed."""
    seat = await console.seat("admin")
    device = to_builtins(DEVICES[0])
    assert "never taken" in (await faults(await send(seat, {"devices": [device]})))["devices[0].sealed"]
    del device["sealed"]
    assert (await send(seat, {"devices": [{**device, "name": "改名"}]})).status == 200
    assert (await console.store.devices())[0] == structs.replace(DEVICES[0], name="改名")


async def test_faults_come_together_in_the_language_of_the_reader(console: Console) -> None:
    """Faults of form by their place in the body, faults of the registry by entry, in Chinese or English."""
    seat = await console.seat("admin", **{"Accept-Language": "zh"})
    english = await console.seat("admin", **{"Accept-Language": "en"})
    body = series_body([{"level": 1, "value": 900.0}], category="ufo")
    assert (await faults(await send(seat, body))) == {
        f"series {COD.id}: category": "没有类别 ufo。",
        f"series {COD.id}: limits[0].value": "900 已到量程上限 500，永远不会触发。",
    }
    assert (await faults(await send(english, body)))[f"series {COD.id}: category"] == "'ufo' is no category"
    both = {"series": [{"id": "x"}, {"id": "y", "limits": [{"level": 9}]}], "devices": [{}], "colour": 1}
    assert "colour" in await faults(await send(seat, both))
    del both["colour"]
    assert {"series[0].name", "series[1].limits[0].value", "devices[0].id"} <= (
        await faults(await send(seat, both))
    ).keys()


async def test_only_administrators_change_only_from_our_pages_only_their_own_area(console: Console) -> None:
    """Officers read; a foreign origin, a missing key and another county's entry are refused, and nothing changes."""
    before = await console.store.series()
    body = series_body([])
    for login in ("county", "qingxi", "wangge"):
        for path in ("plan", "change"):
            assert (await send(await console.seat(login), body, path)).status == 403
    seat = await console.seat("admin")
    assert (await send(seat, body, origin="http://evil.example")).status == 403
    answer = await seat.client.post("/api/v1/registry/change", json=body, headers={"Origin": seat.origin})
    assert "Idempotency-Key" in await faults(answer)
    await console.store.put_series([structs.replace(COD, id="far", area="880101", device=None, channel="")])
    far = await faults(await send(seat, {"gone_series": ["far"]}))
    assert far == {"series far: area": "880101 不在您的辖区 990101 内。"}
    assert [one for one in await console.store.series() if one.id != "far"] == before
    assert (await (await console.seat()).get("/api/v1/registry/devices")).status == 401


async def test_the_page_escapes_and_keeps_its_policy(console: Console) -> None:
    """What others typed is data in the page, never markup; administrators are told that they may change."""
    await console.store.register.change(
        Wish(devices=(structs.replace(DEVICES[2], name='"><script>alert(1)</script>'),)),
        {"water-pollution"},
        "test",
    )
    for login, may in (("admin", "true"), ("county", "false")):
        seat = await console.seat(login)
        answer = await seat.page("/registry")
        text = await answer.text()
        assert answer.status == 200
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
        assert "<script>alert" not in text
        assert f"&#34;may_change&#34;:{may}" in text


async def test_what_a_query_names_has_a_value(console: Console) -> None:
    """`null` is no kind of change, and no way to leave the kind out."""
    answer = await (await console.seat("county")).get("/api/v1/registry/changes?kind=null")
    assert await faults(answer) == {"kind": "has no value: leave it out"}
