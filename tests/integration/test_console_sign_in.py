"""Signing in with a second factor, given passwords, limits that hold over processes, sessions that end."""

import base64
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import asyncpg  # type: ignore[import-untyped]  # ships no types
import pyotp
import pytest_asyncio
from aiohttp import ClientResponse
from aiohttp.test_utils import TestServer
from console_world import DATA, PASSWORD, Console, Seat, running_console

from config.settings import Secret, Settings, SignInSettings
from dashboards.app import create_console
from responders.sign_in import PER_CODE, PER_LOGIN

OWN = "wind over the pass"
KEY = Secret(base64.b64encode(bytes(range(32))).decode())
SETTINGS = Settings(
    contact_key=KEY, sign_in=SignInSettings(second_factor=("commander", "admin"), idle_minutes=15)
)


@pytest_asyncio.fixture
async def console(database: str) -> AsyncIterator[Console]:
    """Serve a console that asks commanders and administrators for a second factor."""
    async with running_console(database) as running, another_process(running) as strict:
        yield strict


@asynccontextmanager
async def another_process(console: Console) -> AsyncIterator[Console]:
    """Serve the same database by another console."""
    server = TestServer(create_console(SETTINGS, DATA, console.store))
    await server.start_server()
    one = Console(console.store, server)
    try:
        yield one
    finally:
        for seat in one.seats:
            await seat.client.session.close()
        await server.close()


async def submit(seat: Seat, path: str, **form: str) -> ClientResponse:
    """Send a form of a page."""
    return await seat.client.post(
        path,
        data={"key": str(uuid4()), **form},
        headers={"Origin": seat.origin, "Accept": "text/html", **seat.headers},
        allow_redirects=False,
    )


async def enrol(seat: Seat, login: str) -> tuple[str, list[str]]:
    """Sign in for the first time and set up an authenticator; answers its secret and the recovery codes."""
    answer = await seat.sign_in(login)
    assert answer.headers["Location"] == "/sign-in/enrol"
    text = await (await seat.page("/sign-in/enrol")).text()
    secret = re.search(r'id="secret">([^<]+)<', text)
    assert secret
    bare = secret[1].replace(" ", "")
    drawn = await seat.get("/sign-in/enrol/qr.svg")
    assert drawn.content_type == "image/svg+xml"
    assert drawn.headers["Cache-Control"] == "no-store"
    shown = await submit(seat, "/sign-in/enrol", code=pyotp.TOTP(bare).now())
    codes = re.findall(r"<li>([a-z0-9]{5}-[a-z0-9]{5})</li>", await shown.text())
    assert len(codes) == 10
    assert (await submit(seat, "/sign-in/continue")).headers["Location"] == "/"
    return bare, codes


async def test_who_must_have_a_factor_sets_it_up_and_shows_it_each_time(console: Console) -> None:
    """No page opens before; a code counts once, for everybody; the recovery code too, and both are on record."""
    seat = await console.seat()
    assert (await seat.sign_in("county")).headers["Location"] == "/sign-in/enrol"
    assert (await seat.get("/api/v1/incidents")).status == 401
    secret, codes = await enrol(seat, "county")
    assert (await seat.get("/api/v1/incidents")).status == 200
    again = await console.seat()
    assert (await again.sign_in("county")).headers["Location"] == "/sign-in/code"
    assert (await again.get("/api/v1/incidents")).status == 401
    used = pyotp.TOTP(secret).now()
    assert (await submit(again, "/sign-in/code", code=used)).status == 401  # it has set the authenticator up
    later = pyotp.TOTP(secret).at(time.time() + 30)
    assert (await submit(again, "/sign-in/code", code=later)).status == 303
    assert (await again.get("/api/v1/incidents")).status == 200
    third = await console.seat()
    await third.sign_in("county")
    assert (await submit(third, "/sign-in/code", code=later)).status == 401  # somebody saw it typed
    assert (await submit(third, "/sign-in/code", code=codes[0].upper())).status == 303
    fourth = await console.seat()
    await fourth.sign_in("county")
    assert (await submit(fourth, "/sign-in/code", code=codes[0])).status == 401
    connection = await asyncpg.connect(console.store._database.dsn)
    rows = await connection.fetch("select sealed from second_factor")
    kinds = [row["kind"] for row in await connection.fetch("select kind from admin_entry order by number")]
    await connection.close()
    assert secret not in rows[0]["sealed"]
    assert kinds == ["factor_set", "recovery_used"]


async def test_codes_are_tried_a_few_times(console: Console) -> None:
    """Whoever has the password guesses five codes, from wherever, and is told when to come back."""
    secret, _ = await enrol(await console.seat(), "county")
    seat = await console.seat(None, **{"Accept-Language": "en"})
    await seat.sign_in("county")
    for _ in range(PER_CODE):
        assert (await submit(seat, "/sign-in/code", code="000000")).status == 401
    limited = await submit(seat, "/sign-in/code", code=pyotp.TOTP(secret).at(time.time() + 30))
    assert limited.status == 429
    assert "Too many attempts" in await limited.text()
    assert int(limited.headers["Retry-After"]) > 200


async def test_wrong_passwords_are_counted_by_all_processes_and_over_restarts(console: Console) -> None:
    """Five in all, wherever they are tried; another address's officer still gets in."""
    async with another_process(console) as other:
        for number in range(PER_LOGIN):
            seat = await (console if number % 2 else other).seat()
            assert (await seat.sign_in("qingxi", "wrong")).status == 401
        assert (await (await other.seat()).sign_in("qingxi")).status == 429
    async with another_process(console) as restarted:
        answer = await (await restarted.seat()).sign_in("qingxi")
        assert answer.status == 429
        assert int(answer.headers["Retry-After"]) > 0
        assert (await (await restarted.seat()).sign_in("baishi")).status == 303


async def test_a_given_password_holds_once(console: Console) -> None:
    """The administrator's password leads to choosing one's own, with every fault told, and to nothing else."""
    admin = await console.seat()
    await enrol(admin, "admin")
    page = await (await submit(admin, "/admin/accounts/baishi/password")).text()
    given = re.search(r'id="password">([^<]+)<', page)
    assert given
    unit = await console.seat()
    assert (await unit.sign_in("baishi", given[1])).headers["Location"] == "/sign-in/password"
    assert (await unit.get("/api/v1/incidents")).status == 401
    faulty = await submit(unit, "/sign-in/password", password="baishi", again="baish")
    text = await faulty.text()
    assert faulty.status == 400
    assert "至少 10 个字符" in text
    assert "两次输入不一致" in text
    assert (await submit(unit, "/sign-in/password", password=given[1], again=given[1])).status == 400
    assert (await submit(unit, "/sign-in/password", password=OWN, again=OWN)).status == 303
    assert (await unit.get("/api/v1/incidents")).status == 200
    assert (await (await console.seat()).sign_in("baishi", given[1])).status == 401
    assert (await (await console.seat()).sign_in("baishi", OWN)).headers["Location"] == "/"


async def test_a_step_ends_and_cannot_be_skipped(console: Console) -> None:
    """Without the cookie, at another step, or after ten minutes a sign-in begins anew."""
    stranger = await console.seat()
    for path in ("/sign-in/code", "/sign-in/password", "/sign-in/enrol", "/sign-in/enrol/qr.svg"):
        assert (await stranger.page(path)).headers["Location"] == "/sign-in", path
    assert (await submit(stranger, "/sign-in/continue")).headers["Location"] == "/sign-in"
    seat = await console.seat()
    await seat.sign_in("county")
    assert (await seat.page("/sign-in/code")).headers["Location"] == "/sign-in"
    assert (await submit(seat, "/sign-in/continue")).headers["Location"] == "/sign-in"
    connection = await asyncpg.connect(console.store._database.dsn)
    await connection.execute("update sign_in_step set wall_expires_at = clock_timestamp()")
    await connection.close()
    assert (await seat.page("/sign-in/enrol")).headers["Location"] == "/sign-in"


async def test_sessions_idle_by_role(console: Console) -> None:
    """A duty seat may stand untouched over night; a commander's ends, and the page asks to sign in again."""
    unit, commander = await console.seat("qingxi"), await console.seat()
    await enrol(commander, "county")
    connection = await asyncpg.connect(console.store._database.dsn)
    await connection.execute("update session set wall_seen_at = clock_timestamp() - interval '14 minutes'")
    assert (await commander.get("/api/v1/incidents")).status == 200  # and that was a sign of life
    await connection.execute("update session set wall_seen_at = wall_seen_at - interval '14 minutes'")
    assert (await commander.get("/api/v1/incidents")).status == 200
    await connection.execute("update session set wall_seen_at = clock_timestamp() - interval '16 minutes'")
    assert (await commander.get("/api/v1/incidents")).status == 401
    assert (await unit.get("/api/v1/incidents")).status == 200
    await connection.execute("update session set wall_expires_at = clock_timestamp()")
    await connection.close()
    assert (await unit.get("/api/v1/incidents")).status == 401


async def test_ones_own_account(console: Console) -> None:
    """A password changed signs out all others; an authenticator is set up by choice and removed by a code."""
    unit, elsewhere = await console.seat("qingxi"), await console.seat("qingxi")
    wrong = await submit(unit, "/account/password", present="wrong", password=OWN, again=OWN)
    assert wrong.status == 401
    same = await submit(unit, "/account/password", present=PASSWORD, password=PASSWORD, again=PASSWORD)
    assert same.status == 400
    done = await submit(unit, "/account/password", present=PASSWORD, password=OWN, again=OWN)
    assert done.headers["Location"] == "/account?done=password"
    assert (await elsewhere.get("/api/v1/incidents")).status == 401
    assert (await unit.get("/api/v1/incidents")).status == 200
    assert (await submit(unit, "/account/factor")).headers["Location"] == "/sign-in/enrol"
    text = await (await unit.page("/sign-in/enrol")).text()
    secret = re.search(r'id="secret">([^<]+)<', text)
    assert secret
    generator = pyotp.TOTP(secret[1].replace(" ", ""))
    await submit(unit, "/sign-in/enrol", code=generator.now())
    assert (await submit(unit, "/sign-in/continue")).headers["Location"] == "/account?done=factor"
    assert "剩余恢复码 10 个" in await (await unit.page("/account?done=factor")).text()
    assert (await submit(unit, "/account/factor/remove", code="000000")).status == 401
    later = generator.at(time.time() + 30)
    assert (await submit(unit, "/account/factor/remove", code=later)).status == 303
    assert (await (await console.seat()).sign_in("qingxi", OWN)).headers["Location"] == "/"


async def test_an_administrator_lets_somebody_in_who_has_lost_the_phone(console: Console) -> None:
    """The factors are forgotten and the sessions ended; the next sign-in sets them up anew."""
    admin, commander = await console.seat(), await console.seat()
    await enrol(admin, "admin")
    first, _ = await enrol(commander, "county")
    assert (await submit(admin, "/admin/accounts/county/factors")).status == 303
    assert (await commander.get("/api/v1/incidents")).status == 401
    second, _ = await enrol(await console.seat(), "county")
    assert first != second
    assert (await submit(commander, "/account/factor/remove", code="1")).status == 401
