"""Personal data: masked for everybody, opened by a county's commander for a reason, each reading on record and counted."""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import asyncpg  # type: ignore[import-untyped]  # ships no types
import pytest_asyncio
from aiohttp import ClientResponse
from aiohttp.test_utils import TestServer
from console_world import BAISHI, DATA, QINGXI, RIVER, Console, Seat, case_of, running_console
from personal_world import KEY, NAME, PHONE, TICKET, ticket
from prometheus_client import REGISTRY

from config.settings import Settings, SignInSettings
from dashboards.app import create_console

OTHER = UUID(int=8)


@pytest_asyncio.fixture
async def console(database: str) -> AsyncIterator[Console]:
    """Serve a console that holds the key, with a case and a call about it, and one in another township."""
    settings = Settings(personal_key=KEY, sign_in=SignInSettings(reveals_per_day=2))
    async with running_console(database) as running:
        await running.raise_alerts(RIVER)
        await running.store.record_tickets([ticket(TICKET, QINGXI), ticket(OTHER, BAISHI)])
        server = TestServer(create_console(settings, DATA, running.store))
        await server.start_server()
        one = Console(running.store, server)
        yield one
        for seat in one.seats:
            await seat.client.session.close()
        await server.close()


ADDRESS = f"/incidents/{case_of(RIVER)}/sources"


async def reveal(seat: Seat, reason: str = "联系来电人核实排污口位置", **form: str) -> ClientResponse:
    """Ask to open the call."""
    return await seat.client.post(
        f"{ADDRESS}/ticket/{form.pop('subject', str(TICKET))}",
        data={"key": str(uuid4()), "reason": reason, **form},
        headers={"Origin": seat.origin, "Accept": "text/html", **seat.headers},
        allow_redirects=False,
    )


async def rows(database: str, query: str) -> list[asyncpg.Record]:
    """Ask the database."""
    connection = await asyncpg.connect(database)
    try:
        found: list[asyncpg.Record] = await connection.fetch(query)
    finally:
        await connection.close()
    return found


async def test_it_is_masked_for_everybody(console: Console) -> None:
    """Officers and commanders alike see the call without the person; only the commander is offered to open it."""
    for login, offered in (("qingxi", False), ("wangge", None), ("county", True)):
        answer = await (await console.seat(login)).page(ADDRESS)
        text = await answer.text()
        if offered is None:
            assert answer.status in (200, 404), login  # a village sees no case of its township
            assert PHONE not in text
            continue
        assert answer.status == 200, login
        assert "青溪河水发黑" in text
        assert "〔姓名〕" in text
        assert NAME not in text
        assert PHONE not in text
        assert (f"{ADDRESS}/ticket/{TICKET}" in text) is offered
        assert str(OTHER) not in text  # another township's call is not about this case
    assert (await (await console.seat("baishi")).page(ADDRESS)).status == 404
    assert (await (await console.seat("admin")).page(ADDRESS)).status == 403


async def test_a_commander_opens_it_for_a_reason_on_record(console: Console, database: str) -> None:
    """The person stands in one answer that no browser keeps; the line says who, what and why, and nothing of the person."""
    commander = await console.seat("county")
    refused = await reveal(commander, " . ")
    assert refused.status == 400
    assert "请写明原因" in await refused.text()
    assert await rows(database, "select from personal_access") == []
    key = str(uuid4())
    opened = await reveal(commander, key=key)
    text = await opened.text()
    assert NAME in text
    assert PHONE in text
    assert "今天第 1 次" in text
    assert opened.headers["Cache-Control"] == "no-store"
    assert (
        "今天第 1 次" in await (await reveal(commander, key=key)).text()
    )  # sent again it is the same reading
    lines = await rows(database, "select actor, kind, subject, text, detail::text from admin_entry")
    assert [(line["actor"], line["kind"], line["text"]) for line in lines] == [
        ("示例县应急指挥中心", "revealed", "联系来电人核实排污口位置")
    ]
    assert NAME not in str(lines)
    assert PHONE not in str(lines)
    counted = await rows(database, "select subject, reason, entry from personal_access")
    assert [(row["subject"], row["entry"]) for row in counted] == [(TICKET, 1)]
    assert (await console.store.administration.verify())[1] == []
    assert NAME not in await (await commander.page(ADDRESS)).text()


async def test_others_may_not_and_learn_nothing(console: Console, database: str) -> None:
    """A township's officer is refused, a stranger does not find it; nothing is on record then."""
    assert (await reveal(await console.seat("qingxi"))).status == 403
    assert (await reveal(await console.seat("baishi"))).status == 404
    assert (await reveal(await console.seat("admin"))).status == 403
    commander = await console.seat("county")
    assert (await reveal(commander, subject=str(uuid4()))).status == 404
    assert (await reveal(commander, subject="nothing")).status == 404
    assert await rows(database, "select from personal_access") == []


async def test_readings_are_counted_by_person_and_day(console: Console) -> None:
    """Above the limit the reader is told and the metric alarms; it is not refused, since there may be an emergency."""
    commander = await console.seat("county")

    def over() -> float:
        return REGISTRY.get_sample_value("fenghuo_personal_reads_total", {"outcome": "over_limit"}) or 0.0

    before = over()
    for _ in range(2):
        assert "超过上限" not in await (await reveal(commander)).text()
    assert over() == before
    third = await (await reveal(commander)).text()
    assert "超过上限" in third
    assert NAME in third
    assert over() == before + 1


async def test_without_the_key_nothing_opens(console: Console, database: str) -> None:
    """A console that was given no key says so, and puts nothing on record."""
    server = TestServer(create_console(Settings(), DATA, console.store))
    await server.start_server()
    other = Console(console.store, server)
    commander = await other.seat("county")
    assert f"{ADDRESS}/ticket/" not in await (await commander.page(ADDRESS)).text()
    assert (await reveal(commander)).status == 503
    assert await rows(database, "select from personal_access") == []
    await commander.client.session.close()
    await server.close()
