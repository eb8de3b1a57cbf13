"""Live events: what changes arrives, resumes without gap or double, and stays within the area."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import msgspec
import pytest_asyncio
from aiohttp import ClientResponse
from console_world import (
    DATA,
    FEVER,
    NOISE,
    QINGXI,
    RIVER,
    RULES,
    WAGES,
    Console,
    Seat,
    case_of,
    count_finding,
    running_console,
)
from console_world import alert as make_alert
from msgspec import structs

from domain.findings import Alert
from domain.levels import Level


@pytest_asyncio.fixture
async def console(database: str) -> AsyncIterator[Console]:
    """Serve a console over a filled database."""
    async with running_console(database) as running:
        yield running


@dataclass(frozen=True)
class Event:
    """A server-sent event as it was received."""

    kind: str
    data: Any
    id: int | None


class Stream:
    """Reads events off a response."""

    def __init__(self, response: ClientResponse) -> None:
        self.response = response

    async def next(self, *kinds: str) -> Event:
        """Wait for the next event of these kinds."""
        async with asyncio.timeout(10):
            while True:
                event = await self._read()
                if event.kind in kinds:
                    return event

    async def _read(self) -> Event:
        fields: dict[str, str] = {}
        while True:
            line = (await self.response.content.readline()).decode()
            if not line:
                raise EOFError
            if line == "\n":
                if "event" in fields:
                    number = int(fields["id"]) if "id" in fields else None
                    return Event(fields["event"], msgspec.json.decode(fields["data"]), number)
                fields = {}
                continue
            name, _, value = line.rstrip("\n").partition(": ")
            fields[name] = value

    async def ended(self) -> bool:
        """Wait until the server ends the stream."""
        async with asyncio.timeout(10):
            try:
                while True:
                    await self._read()
            except EOFError:
                return True


@asynccontextmanager
async def following(seat: Seat, after: int | None = None, *, header: bool = False) -> AsyncIterator[Stream]:
    """Follow the events from a change on."""
    headers = {"Last-Event-ID": str(after)} if header else {}
    path = "/api/v1/events" if after is None or header else f"/api/v1/events?after={after}"
    async with seat.client.get(path, headers=headers) as response:
        assert response.status == 200
        assert response.content_type == "text/event-stream"
        yield Stream(response)


async def test_a_change_arrives_with_its_row(console: Console) -> None:
    """A new case comes down as the row that the queue shows, then its acknowledgement."""
    seat = await console.seat("qingxi")
    start = (await (await seat.get("/api/v1/incidents")).json())["change"]
    async with following(seat, start) as stream:
        clock = await stream.next("clock")
        assert clock.data["factor"] == 1 and clock.id is None
        await console.raise_alerts(RIVER)
        event = await stream.next("incident")
        assert (event.data["id"], event.data["level"]) == (str(case_of(RIVER)), 3)
        assert event.data["zh"] == RIVER.zh
        await (await console.seat("county")).act(case_of(RIVER), "acknowledge")
        event = await stream.next("incident")
        assert event.data["acknowledged_by"] == "示例县应急指挥中心"


async def test_resuming_leaves_no_gap_and_no_double(console: Console) -> None:
    """Whoever comes back with Last-Event-ID gets what happened meanwhile, once, in order."""
    seat, other = await console.seat("county"), await console.seat("qingxi")
    start = await console.store.newest_change()
    seen: list[int] = []
    async with following(seat, start) as stream:
        await console.raise_alerts(RIVER)
        seen.append((await stream.next("incident")).id or 0)
    await console.raise_alerts(FEVER, WAGES)
    await other.act(case_of(RIVER), "acknowledge")
    async with following(seat, seen[-1], header=True) as stream:
        await console.raise_alerts(NOISE)
        rows: dict[str, Any] = {}
        while not {str(case_of(one)) for one in (RIVER, FEVER, WAGES, NOISE)} <= rows.keys():
            event = await stream.next("incident", "resync")
            assert event.kind == "incident"
            seen.append(event.id or 0)
            rows[event.data["id"]] = event.data
    assert rows[str(case_of(RIVER))]["acknowledged_by"] == "青溪镇值班室"
    assert seen == sorted(set(seen))


async def test_events_stay_within_the_area(console: Console) -> None:
    """A township is told of its own cases only; what the neighbour's did not send is not missing."""
    seat = await console.seat("qingxi")
    async with following(seat, await console.store.newest_change()) as stream:
        await console.raise_alerts(FEVER, NOISE, RIVER)
        event = await stream.next("incident")
        assert event.data["id"] == str(case_of(RIVER))


async def test_a_page_from_before_our_memory_reads_anew(console: Console) -> None:
    """An id that is not ours, or too old to catch up from, is answered with resync."""
    await console.raise_alerts(RIVER)
    seat = await console.seat("qingxi")
    async with following(seat, 10**12) as stream:
        event = await stream.next("resync", "incident")
        assert event.kind == "resync"
        assert event.id == await console.store.newest_change()
        await console.raise_alerts(WAGES)
        assert (await stream.next("incident")).data["id"] == str(case_of(WAGES))


async def test_a_stream_without_an_id_begins_now(console: Console) -> None:
    """Whoever names no event is told of the future only."""
    await console.raise_alerts(RIVER)
    seat = await console.seat("qingxi")
    async with following(seat) as stream:
        await stream.next("clock")
        await console.raise_alerts(WAGES)
        assert (await stream.next("incident")).data["id"] == str(case_of(WAGES))


async def raise_apart(console: Console, alerts: list[Alert]) -> None:
    """Open a case from each alert, also where the shipped rules would let several share one."""
    apart = tuple(structs.replace(rule, members=1, recurs_days=0.0) for rule in DATA.groupings)
    rules = replace(RULES, data=structs.replace(DATA, groupings=apart))
    for one in alerts:
        await console.store.record_alert(one, rules)


async def test_a_burst_arrives_whole(console: Console) -> None:
    """Two hundred cases at once reach two browsers of different areas, each its share."""
    county, town = await console.seat("county"), await console.seat("qingxi")
    slugs = sorted(set(DATA.categories) - {"platform-fault"})
    places = [f"{QINGXI}{village:03d}" for village in range(1, 17)]
    alerts = [
        make_alert(slug, place, Level.BLUE, (count_finding(slug, place, 5, 1),), f"{place} {slug}", "many")
        for place in places
        for slug in slugs
    ][:200]
    wanted = {str(case_of(one)) for one in alerts}
    start = await console.store.newest_change()
    async with following(county, start) as first, following(town, start) as second:
        raising = asyncio.create_task(raise_apart(console, alerts))
        for stream in (first, second):
            got: set[str] = set()
            while not wanted <= got:
                event = await stream.next("incident", "resync")
                assert event.kind == "incident"
                got.add(event.data["id"])
        await raising


async def test_signing_out_ends_the_stream(console: Console) -> None:
    """No more news after the sign-out."""
    seat = await console.seat("qingxi")
    async with following(seat) as stream:
        await stream.next("clock")
        await seat.client.post("/sign-out", headers={"Origin": seat.origin}, allow_redirects=False)
        assert await stream.ended()


async def test_a_browser_that_leaves_disturbs_nobody(console: Console) -> None:
    """The others go on when one connection breaks in the middle."""
    seat, other = await console.seat("qingxi"), await console.seat("qingxi2")
    async with following(other) as stream:
        await stream.next("clock")
        async with following(seat) as gone:
            await gone.next("clock")
            assert gone.response.connection is not None
            gone.response.connection.close()
        await console.raise_alerts(RIVER)
        assert UUID((await stream.next("incident")).data["id"]) == case_of(RIVER)
        await console.raise_alerts(WAGES)
        assert UUID((await stream.next("incident")).data["id"]) == case_of(WAGES)
