"""The pages of administration: previews, refusals, passwords, sessions, the record; over a real database."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import asyncpg  # type: ignore[import-untyped]  # ships no types
import pytest_asyncio
from aiohttp import ClientResponse
from console_world import BAISHI, PASSWORD, QINGXI, RIVER, START, USERS, Console, Seat, running_console

from responders.views import Role, Shift, User

TOWNSHIP_LEAD = {
    "login": "qingxi3",
    "display": "青溪镇应急办",
    "role": "officer",
    "area": QINGXI,
    "post": "",
    "channels": "console",
}


@pytest_asyncio.fixture
async def console(database: str) -> AsyncIterator[Console]:
    """Serve a console over a filled database."""
    async with running_console(database) as running:
        yield running


async def submit(seat: Seat, path: str, form: dict[str, str]) -> ClientResponse:
    """Send a form of a page."""
    return await seat.client.post(
        path,
        data={"key": str(uuid4()), **form},
        headers={"Origin": seat.origin, "Accept": "text/html", **seat.headers},
        allow_redirects=False,
    )


def fields_of(login: str, **changed: str) -> dict[str, str]:
    """Make the form of an account of the world as it stands, with some fields changed."""
    one = next(user for user in USERS if user.login == login)
    fields = {"display": one.display, "role": one.role.value, "area": one.area, "post": one.post}
    return {**fields, "channels": ", ".join(one.channels), **changed}


async def test_only_administrators_open_the_pages(console: Console) -> None:
    """Officers and commanders hear that they may not; nothing is found in a stranger's area."""
    for login in ("qingxi", "county", "wangge"):
        seat = await console.seat(login)
        for path in (
            "/admin",
            "/admin/accounts",
            "/admin/accounts/qingxi",
            "/admin/sessions",
            "/admin/record",
        ):
            assert (await seat.page(path)).status == 403, path
        assert (await submit(seat, "/admin/accounts/qingxi", fields_of("qingxi"))).status == 403
    admin = await console.seat("admin")
    await console.store.put_users(
        [User(id=uuid4(), login="elsewhere", display="外县值班室", role=Role.OFFICER, area="990202")]
    )
    assert (await admin.page("/admin/accounts/elsewhere")).status == 404
    assert (await submit(admin, "/admin/accounts/elsewhere/password", {})).status == 404
    assert "elsewhere" not in await (await admin.page("/admin/accounts")).text()


async def test_an_account_is_previewed_then_created_and_signs_in(console: Console) -> None:
    """Nothing is written before the confirmation; the password is shown once; the form sent twice makes one account."""
    admin = await console.seat("admin")
    shown = await submit(admin, "/admin/new-account", {**TOWNSHIP_LEAD, "step": "preview"})
    assert "青溪镇增加一个账号" in await shown.text()
    assert "qingxi3" not in {user.login for user in await console.store.users()}
    form = {**TOWNSHIP_LEAD, "step": "confirm", "key": str(uuid4())}
    created = await (await submit(admin, "/admin/new-account", form)).text()
    found = re.search(r'id="password">([^<]+)<', created)
    assert found
    assert found[1] not in await (await admin.page("/admin/accounts/qingxi3")).text()
    again = await submit(admin, "/admin/new-account", {**form, "key": str(uuid4())})
    assert again.status == 400
    assert "已有这个账号" in await again.text()
    record = await (await admin.page("/admin/record")).text()
    assert "新建账号" in record
    assert found[1] not in record


async def test_every_fault_of_a_form_is_told_at_once(console: Console) -> None:
    """Field by field, in both languages."""
    admin = await console.seat("admin", **{"Accept-Language": "en"})
    form = {
        **TOWNSHIP_LEAD,
        "area": "990101999",
        "post": "no-such",
        "channels": "pigeon, console",
        "step": "confirm",
    }
    text = await (await submit(admin, "/admin/new-account", form)).text()
    assert "is no area of the registry" in text
    assert "is no post of the duties" in text
    assert "pigeon is no channel" in text
    outside = await (await submit(admin, "/admin/new-account", {**form, "area": "990202"})).text()
    assert "lies outside your own area" in outside


async def test_a_change_that_leaves_a_desk_empty_is_refused(console: Console) -> None:
    """The only account of a township, and the only one on its roster, stays; with somebody to follow it goes."""
    admin = await console.seat("admin")
    refused = await submit(
        admin, "/admin/accounts/baishi", fields_of("baishi", disabled="on", step="confirm")
    )
    text = await refused.text()
    assert refused.status == 409
    assert "将无人值班" in text
    assert "唯一的账号" in text
    roster = await (
        await submit(admin, "/admin/accounts/qingxi", fields_of("qingxi", disabled="on", step="confirm"))
    ).text()
    assert "将无人值班" in roster
    assert "唯一的账号" not in roster  # qingxi2 sits there too
    second = next(user for user in USERS if user.login == "qingxi2")
    await console.store.put_shifts(
        [
            Shift(
                area=QINGXI,
                post="",
                user=second.id,
                starts_at=START - timedelta(days=1),
                ends_at=START + timedelta(days=400),
            )
        ]
    )
    await console.raise_alerts(RIVER)
    unit = await console.seat("qingxi")
    preview = await (await submit(admin, "/admin/accounts/qingxi", fields_of("qingxi", disabled="on"))).text()
    assert "将结束它的 1 个会话" in preview
    assert "青溪镇减少一个账号" in preview
    done = await submit(admin, "/admin/accounts/qingxi", fields_of("qingxi", disabled="on", step="confirm"))
    assert done.status == 303
    assert (await unit.get("/api/v1/incidents")).status == 401
    assert (await (await console.seat()).sign_in("qingxi")).status == 401
    back = await submit(admin, "/admin/accounts/qingxi", fields_of("qingxi", step="confirm"))
    assert back.status == 303
    assert (await (await console.seat()).sign_in("qingxi")).status == 303


async def test_nobody_shuts_himself_out(console: Console) -> None:
    """An administrator neither disables nor demotes himself, and the last one of an area stays."""
    admin = await console.seat("admin")
    text = await (
        await submit(
            admin, "/admin/accounts/admin", fields_of("admin", disabled="on", role="officer", step="confirm")
        )
    ).text()
    for reason in ("不能停用自己的账号", "不能更改自己的角色", "最后一个管理员账号"):
        assert reason in text
    assert next(user for user in await console.store.users() if user.login == "admin").role is Role.ADMIN


async def test_moving_a_post_tells_what_it_will_see(console: Console) -> None:
    """The areas that lose and gain, and how many open cases it sees afterwards."""
    await console.raise_alerts(RIVER)
    admin = await console.seat("admin", **{"Accept-Language": "en"})
    text = await (await submit(admin, "/admin/accounts/qingxi2", fields_of("qingxi2", area=BAISHI))).text()
    assert "0 open cases instead of 1" in text
    assert "白石镇 gains an account" in text
    assert "青溪镇 loses an account" in text


async def test_sessions_are_revoked(console: Console) -> None:
    """Ended from the page, a session opens nothing more; ended twice it is not found."""
    admin, unit = await console.seat("admin"), await console.seat("qingxi")
    page = await (await admin.page("/admin/sessions")).text()
    found = [
        match[1]
        for match in re.finditer(r"/admin/sessions/([0-9a-f-]{36})/end.*?结束(\S+)的会话", page)
        if match[2] == "青溪镇值班室"
    ]
    assert len(found) == 1
    assert (await unit.get("/api/v1/incidents")).status == 200
    assert (await submit(admin, f"/admin/sessions/{found[0]}/end", {})).status == 303
    assert (await unit.get("/api/v1/incidents")).status == 401
    assert (await submit(admin, f"/admin/sessions/{found[0]}/end", {})).status == 404


async def test_the_record_is_proved_and_a_change_is_found(console: Console, database: str) -> None:
    """The page verifies the chain; a line that somebody changed in the database is named; nothing can be taken back."""
    admin = await console.seat("admin")
    for display in ("青溪镇带班室一", "青溪镇带班室二"):
        await submit(admin, "/admin/accounts/qingxi2", fields_of("qingxi2", display=display, step="confirm"))
    assert "2 条" in await (await submit(admin, "/admin/record/verify", {})).text()
    connection = await asyncpg.connect(database)
    try:
        for statement in (
            "delete from admin_entry",
            "update admin_entry set text = ''",
            "truncate admin_entry cascade",
        ):
            try:
                await connection.execute(statement)
            except asyncpg.RestrictViolationError:
                continue
            raise AssertionError(statement)
        await connection.execute("alter table admin_entry disable trigger append_only")
        await connection.execute("update admin_entry set actor = '某人' where number = 1")
    finally:
        await connection.close()
    broken = await (await submit(admin, "/admin/record/verify", {})).text()
    assert "管理记录第 1 条" in broken
    assert "记录被改动过" in broken


async def test_a_new_password_ends_the_old_one(console: Console) -> None:
    """Shown once, on record without itself, and the sessions of before are over."""
    admin, unit = await console.seat("admin"), await console.seat("baishi")
    key = str(uuid4())
    page = await (await submit(admin, "/admin/accounts/baishi/password", {"key": key})).text()
    found = re.search(r'id="password">([^<]+)<', page)
    assert found
    assert (await submit(admin, "/admin/accounts/baishi/password", {"key": key})).status == 409
    assert (await unit.get("/api/v1/incidents")).status == 401
    assert (await (await console.seat()).sign_in("baishi", PASSWORD)).status == 401
    assert (await (await console.seat()).sign_in("baishi", found[1])).status == 303
