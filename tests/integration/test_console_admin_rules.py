"""Pages of areas, duties, policies, roster, channels and contacts: what a change means, refusals, tests."""

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest_asyncio
from aiohttp import ClientResponse, FormData
from aiohttp.test_utils import TestServer
from console_world import DATA, RIVER, USERS, Console, Seat, running_console
from msgspec import structs

from config.data import SHIPPED
from config.services import Gateway
from config.settings import RespondSettings, Secret, ServiceSecrets, Settings
from dashboards.app import create_console

KEY = Secret(base64.b64encode(bytes(range(32))).decode())


@pytest_asyncio.fixture
async def console(database: str, tmp_path: Path) -> AsyncIterator[Console]:
    """Serve a console with an SMS gateway set up, over a filled database."""
    data = structs.replace(DATA, services={"sms": Gateway(name="sms", url="http://127.0.0.1:9/")})
    settings = Settings(
        contact_key=KEY,
        respond=RespondSettings(file_path=tmp_path / "pages.jsonl"),
        services={"FENGHUO_SERVICE_SMS": ServiceSecrets()},
    )
    async with running_console(database) as running:
        server = TestServer(create_console(settings, data, running.store))
        await server.start_server()
        one = Console(running.store, server)
        yield one
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


async def test_an_area_is_previewed_and_put_down(console: Console) -> None:
    """Who will see it, that every category has an owner there; refused where it hangs on nothing or lies elsewhere."""
    admin = await console.seat("admin")
    form = {"code": "990101103", "name": "黑石镇", "name_en": "Heishi"}
    shown = await (await submit(admin, "/admin/areas", **form)).text()
    assert "示例县应急指挥中心" in shown
    assert "还没有值班室账号" in shown
    assert "990101103" not in {area.code for area in await console.store.areas()}
    assert (await submit(admin, "/admin/areas", **form, step="confirm")).status == 303
    area = next(area for area in await console.store.areas() if area.code == "990101103")
    assert area.name_en == "Heishi"
    orphan = await submit(admin, "/admin/areas", code="990101999001", name="无主村", step="confirm")
    assert orphan.status == 409
    assert "上级区域 990101999 不存在" in await orphan.text()
    foreign = await submit(admin, "/admin/areas", code="990202", name="外县", step="confirm")
    assert "不在您的辖区内" in await foreign.text()
    assert (await submit(admin, "/admin/areas", code="99", name="", step="confirm")).status == 400


async def test_renaming_an_area_keeps_the_rest_of_it(console: Console) -> None:
    """Its centre and outline stay; the open cases there are counted."""
    await console.raise_alerts(RIVER)
    before = next(area for area in await console.store.areas() if area.code == "990101101")
    await console.store.put_areas([structs.replace(before, lat=30.5, lon=110.5)])
    admin = await console.seat("admin")
    form = {"code": "990101101", "name": "青溪街道", "name_en": "Qingxi"}
    assert "1 起未结案事件" in await (await submit(admin, "/admin/areas", **form)).text()
    await submit(admin, "/admin/areas", **form, step="confirm")
    after = next(area for area in await console.store.areas() if area.code == "990101101")
    assert (after.name, after.lat, after.lon) == ("青溪街道", 30.5, 110.5)
    assert "区域已更改" not in await (await admin.page("/admin/areas")).text()


async def test_duties_are_proved_and_a_new_file_is_shown(console: Console) -> None:
    """The proof is on the page, with desks nobody sits at; a file tells whose work changes, or each of its faults."""
    await console.raise_alerts(RIVER)
    admin = await console.seat("admin")
    page = await (await admin.page("/admin/duties")).text()
    assert 'id="proved"' in page
    text = (SHIPPED / "duties.toml").read_text(encoding="utf-8")
    changed = text.replace(
        'post = "ecology-duty"\nlevel = "township"\ndue_minutes = 60',
        'post = "ecology-duty"\nlevel = "county"\ndue_minutes = 45',
    )
    assert changed != text
    form = FormData()
    form.add_field("file", changed.encode(), filename="duties.toml", content_type="application/toml")
    sent = await admin.client.post(
        "/admin/duties", data=form, headers={"Origin": admin.origin, "Accept": "text/html"}
    )
    told = await sent.text()
    assert "县级生态环境值班 45 min" in told
    assert "FENGHUO_DATA_DIR" in told
    assert "没有任何变化" in await (await submit(admin, "/admin/duties", text=text)).text()
    gap = text.replace('category = "flood"', 'category = "flood"\narea = "990101101"')
    refused = await submit(admin, "/admin/duties", text=gap)
    assert refused.status == 400
    assert "flood has no owner" in await refused.text()
    assert "不是 TOML" in await (await submit(admin, "/admin/duties", text="[[duty")).text()


async def test_policies_are_shown_with_what_a_new_file_changes(console: Console) -> None:
    """By category and grade; open cases keep theirs; each fault is named."""
    await console.raise_alerts(RIVER)
    admin = await console.seat("admin", **{"Accept-Language": "en"})
    text = (SHIPPED / "policies.toml").read_text(encoding="utf-8")
    changed = text.replace(
        '{ level = "township", wait_minutes = 5,', '{ level = "township", wait_minutes = 3,'
    )
    told = await (await submit(admin, "/admin/policies", text=changed)).text()
    assert "乡镇 3 min" in told
    assert "Open cases keep the policy that they have" in told
    faulty = await submit(admin, "/admin/policies", text=text.replace('entry = "city"', 'entry = "moon"'))
    assert faulty.status == 400
    assert "entry must be the level of a step" in await faulty.text()


async def test_the_roster_room_names_gaps(console: Console) -> None:
    """Rules and the coming vacancies of desks; a township nobody watches is among them."""
    admin = await console.seat("admin")
    await submit(admin, "/admin/areas", code="990101103", name="黑石镇", step="confirm")
    assert "黑石镇" in await (await admin.page("/admin/roster")).text()


async def test_a_channel_is_tested(console: Console, tmp_path: Path) -> None:
    """The message is marked, what became of it is told and on record; a failing one says why; ten in five minutes."""
    admin = await console.seat("admin")
    done = await (await submit(admin, "/admin/channels/file/test", login="qingxi")).text()
    assert "对方已接收" in done
    lines = (tmp_path / "pages.jsonl").read_text(encoding="utf-8").splitlines()
    assert "测试" in json.dumps(json.loads(lines[0]), ensure_ascii=False)
    failed = await (await submit(admin, "/admin/channels/sms/test", login="qingxi")).text()
    assert "没有登记此渠道的联系方式" in failed
    assert "测试渠道" in await (await admin.page("/admin/record")).text()
    assert (await submit(admin, "/admin/channels/pigeon/test", login="qingxi")).status == 400
    assert (await submit(admin, "/admin/channels/file/test", login="nobody")).status == 404
    for _ in range(7):
        await submit(admin, "/admin/channels/file/test", login="qingxi")
    assert (await submit(admin, "/admin/channels/file/test", login="qingxi")).status == 429


async def test_contacts_come_and_go_and_are_never_shown(console: Console) -> None:
    """Sealed at once; not in the page, the record or an answer; the last way to somebody is not removed."""
    number = "13800138000"
    admin = await console.seat("admin")
    unit = next(user for user in USERS if user.login == "qingxi")
    await console.store.put_users([structs.replace(unit, channels=("sms",), password_hash="")])
    done = await submit(admin, "/admin/contacts", login="qingxi", channel="sms", contact=number)
    assert done.headers["Location"] == "/admin/contacts?done=contact_set"
    for path in ("/admin/contacts", "/admin/record", "/admin/accounts/qingxi"):
        assert "0013" not in await (await admin.page(path)).text(), path
    assert number not in (await console.store.contacts.list("qingxi"))[0].sealed
    faulty = await submit(admin, "/admin/contacts", login="qingxi", channel="sms", contact="12")
    assert faulty.status == 400
    assert "须为手机号" in await faulty.text()
    last = await submit(admin, "/admin/contacts/remove", login="qingxi", channel="sms", step="confirm")
    assert last.status == 409
    assert "最后途径" in await last.text()
    await console.store.put_users([structs.replace(unit, channels=("sms", "console"), password_hash="")])
    shown = await (await submit(admin, "/admin/contacts/remove", login="qingxi", channel="sms")).text()
    assert "只通过 console 通知" in shown
    assert await console.store.contacts.list("qingxi")
    gone = await submit(admin, "/admin/contacts/remove", login="qingxi", channel="sms", step="confirm")
    assert gone.status == 303
    assert await console.store.contacts.list("qingxi") == []
