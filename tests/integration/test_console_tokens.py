"""Programs with tokens over HTTP: what they may, where it ends, and what is on record."""

from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg  # type: ignore[import-untyped]  # ships no types
import pytest_asyncio
from aiohttp import ClientResponse
from console_world import FEVER, QINGXI, RIVER, Console, Seat, as_described, case_of, running_console

from responders.tokens import NewToken, Scope, TokenRow, make_token


@pytest_asyncio.fixture
async def console(database: str) -> AsyncIterator[Console]:
    """Serve a console over a filled database with a case of each township."""
    async with running_console(database) as running:
        await running.raise_alerts(RIVER, FEVER)
        yield running


async def token(
    console: Console, *scopes: Scope, login: str = "county", area: str = "", days: int = 30
) -> tuple[Seat, TokenRow]:
    """Make a token, and sit a program down with it: it has no cookie and states no origin."""
    secret, digest = make_token()
    wanted = NewToken(name="市平台", login=login, scopes=scopes, area=area, days=days)
    row, is_new = await console.store.tokens.add(None, wanted, digest, uuid4())
    assert is_new
    return await console.seat(Authorization=f"Bearer {secret}"), row


async def command(program: Seat, path: str) -> ClientResponse:
    """Send a command as a program does, without an Origin."""
    headers = {**program.headers, "Idempotency-Key": str(uuid4())}
    return await as_described(await program.client.post(f"/api/v1/{path}", json={}, headers=headers))


async def test_a_program_reads_what_its_account_may(console: Console) -> None:
    """Rows of the account's area; its use is noted, and no session begins."""
    program, row = await token(console, Scope.READ)
    answer = await program.get("/api/v1/incidents")
    assert answer.status == 200 and not answer.cookies
    assert {one["id"] for one in (await answer.json())["incidents"]} == {
        str(case_of(RIVER)),
        str(case_of(FEVER)),
    }
    assert row.used_at is None
    assert (await console.store.tokens.tokens())[0].used_at is not None


async def test_the_area_of_a_token_is_the_narrower_one(console: Console) -> None:
    """A county's token for one township sees no other, not even by its id."""
    program, _ = await token(console, Scope.READ, Scope.CASES, area=QINGXI)
    rows = (await (await program.get("/api/v1/incidents")).json())["incidents"]
    assert [one["id"] for one in rows] == [str(case_of(RIVER))]
    assert (await program.get(f"/api/v1/incidents/{case_of(FEVER)}")).status == 404
    assert (await command(program, f"incidents/{case_of(FEVER)}/acknowledge")).status == 404


async def test_a_command_is_on_record_with_the_tokens_name(console: Console) -> None:
    """Who answers for it and what did it stand side by side in the case's record."""
    program, _ = await token(console, Scope.CASES)
    assert (await command(program, f"incidents/{case_of(RIVER)}/acknowledge")).status == 200
    view = await (await (await console.seat("county")).get(f"/api/v1/incidents/{case_of(RIVER)}")).json()
    actors = {line["actor"] for line in view["incident"]["timeline"]}
    assert "示例县应急指挥中心（机器：市平台）" in actors


async def test_scopes_end_where_they_say(console: Console) -> None:
    """Reading is not acting, and neither opens pages, tokens or another's sign-out."""
    program, _ = await token(console, Scope.READ)
    assert (await command(program, f"incidents/{case_of(RIVER)}/acknowledge")).status == 403
    assert (await program.get("/api/v1/tokens")).status == 403
    assert (await program.get("/api/v1/push")).status == 403
    assert (await program.page("/")).status == 303
    answer = await program.client.post("/sign-out", headers=program.headers, allow_redirects=False)
    assert answer.status == 403


async def test_feeds_open_messages_and_events(console: Console) -> None:
    """The token of a feed reader sees its area's messages and follows events, and reads nothing else."""
    program, _ = await token(console, Scope.FEEDS, area=QINGXI)
    feed = await program.get("/cap/feed.atom")
    assert feed.status == 200
    assert RIVER.zh in (text := await feed.text()) and FEVER.zh not in text
    async with program.client.get("/api/v1/events", headers=program.headers) as stream:
        assert stream.status == 200 and stream.content_type == "text/event-stream"
    assert (await program.get("/api/v1/incidents")).status == 403


async def test_what_opens_nothing_says_why(console: Console, database: str) -> None:
    """Unknown, ended, expired, or its account disabled: 401 with the reason, and never the cookie's word instead."""
    unknown = await console.seat("county", Authorization="Bearer fenghuo_nothing")
    ended, row = await token(console, Scope.READ)
    await console.store.tokens.end(None, row.id)
    expired, old = await token(console, Scope.READ)
    disabled, _ = await token(console, Scope.READ, login="baishi")
    connection = await asyncpg.connect(database)
    try:
        await connection.execute("update token set wall_expires_at = clock_timestamp() where id = $1", old.id)
        await connection.execute("update app_user set disabled = true where login = 'baishi'")
    finally:
        await connection.close()
    for program, word in (
        (unknown, "no such token"),
        (ended, "ended"),
        (expired, "expired"),
        (disabled, "disabled"),
    ):
        answer = await program.get("/api/v1/incidents?lang=en")
        assert answer.status == 401 and "invalid_token" in answer.headers["WWW-Authenticate"]
        assert word in (await answer.json())["detail"]


async def test_guessing_is_limited(console: Console) -> None:
    """After a few wrong tokens from an address it is told to wait; a right one still goes through."""
    right, _ = await token(console, Scope.READ)
    guesser = await console.seat(Authorization="Bearer fenghuo_guess")
    statuses = [(await guesser.get("/api/v1/incidents")).status for _ in range(7)]
    assert statuses[0] == 401 and statuses[-1] == 429
    assert (await right.get("/api/v1/incidents")).status == 200


async def test_administrators_make_and_end_tokens(console: Console) -> None:
    """Over the API: shown once, the same key again without the secret; officers may not; faults are told at once."""
    admin, officer = await console.seat("admin"), await console.seat("county")
    key, body = uuid4(), {"name": "大屏", "login": "county", "scopes": ["read"]}
    first = await (await admin.send("tokens", body, key)).json()
    again = await (await admin.send("tokens", body, key)).json()
    assert first["secret"].startswith("fenghuo_") and again["secret"] is None
    assert first["token"]["id"] == again["token"]["id"] and first["token"]["made_by"] == "示例县系统管理"
    program = await console.seat(Authorization=f"Bearer {first['secret']}")
    assert (await program.get("/api/v1/incidents")).status == 200
    assert (await admin.send(f"tokens/{first['token']['id']}/end")).status == 200
    assert (await program.get("/api/v1/incidents")).status == 401
    assert (await officer.send("tokens", body)).status == 403
    assert (await officer.get("/api/v1/tokens")).status == 403
    wrong = await admin.send("tokens", {**body, "scopes": [], "area": "9902"})
    assert {fault["field"] for fault in (await wrong.json())["faults"]} == {"scopes", "area"}
    assert (await admin.send("tokens", {**body, "login": "nobody"})).status == 400
    (row,) = (await (await admin.get("/api/v1/tokens")).json())["tokens"]
    assert row["ended_by"] == "示例县系统管理"
