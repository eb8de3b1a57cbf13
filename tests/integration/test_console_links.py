"""Links, replies, receipts and browsers over HTTP, as phones, gateways and the console's pages use them."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg  # type: ignore[import-untyped]  # ships no types
import msgspec
import pytest_asyncio
from aiohttp import ClientResponse, CookieJar
from aiohttp.test_utils import TestClient, TestServer
from console_world import DATA, NOISE, START, USERS, Console, Seat, case_of, fill
from service_world import KEY, Browser

from config.services import AliyunSms, Gateway, WebPush
from config.settings import Secret, ServiceSecrets, Settings
from dashboards.app import create_console
from domain.identity import page_id
from responders.cases import Rules
from responders.contacts import Keyring, read_keyring
from responders.migrate import migrate
from responders.replies import LINK_LIFE
from responders.store import Store

TOKEN = "callback-token-of-the-gateway"
PHONE = "+8613800000000"
BAISHI = next(user for user in USERS if user.login == "baishi")
COUNTY = next(user for user in USERS if user.login == "county")
SERVICES = {
    "sms": Gateway(name="sms", url="http://sms.test/send", replies=True),
    "aliyun": AliyunSms(
        name="aliyun", sign="县", template_code="SMS_1", parameters={"code": "{code}"}, replies=True
    ),
    "push": WebPush(name="push", subject="mailto:duty@example.test"),
}
SETTINGS = Settings(
    contact_key=Secret(KEY),
    services={
        "FENGHUO_SERVICE_SMS": ServiceSecrets(callback=Secret(TOKEN)),
        "FENGHUO_SERVICE_ALIYUN": ServiceSecrets(callback=Secret(TOKEN)),
        "FENGHUO_SERVICE_PUSH": ServiceSecrets(key=Secret(KEY)),
    },
)
EDITED = msgspec.structs.replace(DATA, services=SERVICES)
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@dataclass
class Phone:
    """Somebody with a page on the phone: no session, no script, no cookie."""

    console: Console
    client: TestClient[Any, Any]
    keys: Keyring
    page: UUID
    rules: Rules

    @property
    def link(self) -> str:
        """Name the link in the message."""
        return f"/a/{self.keys.token(self.page, START + LINK_LIFE + timedelta(days=1))}"

    async def look(self, path: str | None = None, **headers: str) -> ClientResponse:
        """Open a link."""
        return await self.client.get(path or self.link, headers={"Accept": "text/html", **headers})

    async def press(self, path: str | None = None, **headers: str) -> ClientResponse:
        """Press the button."""
        return await self.client.post(path or self.link, headers={"Accept": "text/html", **headers})

    async def reply(self, text: str, phone: str = "138 0000 0000", **headers: str) -> dict[str, Any]:
        """Reply by SMS, through the gateway."""
        body = {"phone": phone, "text": text}
        answer = await self.client.post("/replies/sms", json=body, headers={**BEARER, **headers})
        assert answer.status == 200, await answer.text()
        said: dict[str, Any] = await answer.json()
        return said

    async def acknowledged_by(self, case: UUID | None = None) -> str | None:
        """Tell who took note of a case, the first one unless another is named."""
        seat = await self.console.seat("county")
        view = await (await seat.get(f"/api/v1/incidents/{case or case_of(NOISE)}")).json()
        by: str | None = view["incident"]["row"]["acknowledged_by"]
        return by


@pytest_asyncio.fixture
async def phone(database: str) -> AsyncIterator[Phone]:
    """A console with services, one case, and its page over SMS."""
    await migrate(database)
    keys = read_keyring(SETTINGS.contact_key)
    async with Store.open(database, pool_size=4) as store:
        await fill(store)
        user = BAISHI.id
        for channel in ("sms", "aliyun"):
            await store.contacts.put(
                user, channel, keys.digest(channel, PHONE), keys.seal(PHONE, user, channel)
            )
        policies = tuple(
            msgspec.structs.replace(
                policy,
                steps=tuple(
                    msgspec.structs.replace(step, channels=("console", "sms", "aliyun"))
                    for step in policy.steps
                ),
            )
            for policy in DATA.policies
        )
        rules = Rules(msgspec.structs.replace(EDITED, policies=policies), ("console", "sms", "aliyun"))
        await store.record_alert(NOISE, rules)
        server = TestServer(create_console(SETTINGS, EDITED, store))
        await server.start_server()
        console = Console(store, server)
        client: TestClient[Any, Any] = TestClient(server, cookie_jar=CookieJar(unsafe=True))
        page = page_id(case_of(NOISE), 0, 0, str(user), "sms")
        try:
            yield Phone(console, client, keys, page, rules)
        finally:
            for seat in [*console.seats, Seat(client)]:
                await seat.client.session.close()
            await server.close()


async def test_a_link_shows_the_case_and_one_button(phone: Phone) -> None:
    """Without session or script, in Chinese, under the console's policy; a previewer changes nothing by looking."""
    for _ in range(3):
        shown = await phone.look()
        text = await shown.text()
        assert shown.status == 200
    assert "噪声" in text and "白石镇值班室确认接收" in text and text.count("<button") == 1
    assert "<script" not in text and not re.search(r"138\d+|SERVICE", text)
    assert shown.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'")
    assert (shown.headers["Cache-Control"], shown.headers["Referrer-Policy"]) == ("no-store", "same-origin")
    assert "Set-Cookie" not in shown.headers
    assert await phone.acknowledged_by() is None


async def test_the_button_acknowledges_and_the_second_press_is_told(phone: Phone) -> None:
    """Whatever Origin the program within a chat states, or none; afterwards there is no button any more."""
    pressed = await phone.press(Origin="null")
    assert pressed.status == 200 and "已确认接收" in await pressed.text()
    assert await phone.acknowledged_by() == "白石镇值班室"
    again = await phone.press()
    text = await again.text()
    assert again.status == 409 and "此通知已确认过" in text and "<button" not in text
    english = await (await phone.look(phone.link + "?lang=en")).text()
    assert "answered before" in english


async def put_in_one_letter(phone: Phone, database: str) -> UUID:
    """Open a second case of another kind and say that one letter told of both; the second case."""
    second = msgspec.structs.replace(NOISE, id=uuid4(), category="air-pollution")
    await phone.console.store.record_alert(second, phone.rules)
    case = case_of(second)
    pages = [phone.page, page_id(case, 0, 0, str(BAISHI.id), "sms")]
    connection = await asyncpg.connect(database)
    try:
        letter = uuid4()
        await connection.execute(
            "insert into letter (id, recipient, channel, pages) values ($1, $2, 'sms', 2)", letter, BAISHI.id
        )
        told = await connection.execute(
            "update page set letter = $1, state = 'delivered' where id = any($2::uuid[])", letter, pages
        )
        assert told == "UPDATE 2"
    finally:
        await connection.close()
    return case


async def test_the_link_of_a_letter_shows_and_acknowledges_all_its_cases(phone: Phone, database: str) -> None:
    """One button for both, in either language; afterwards each case says that it is done, and there is no button."""
    case = await put_in_one_letter(phone, database)
    text = await (await phone.look()).text()
    assert "确认接收全部 2 件" in text and text.count("<button") == 1 and text.count("待您确认接收") == 2
    assert str(case) in text and str(case_of(NOISE)) in text
    pressed = await phone.press()
    text = await pressed.text()
    assert pressed.status == 200 and text.count("已确认接收，请到值班台处置") == 2 and "<button" not in text
    assert await phone.acknowledged_by() == await phone.acknowledged_by(case) == "白石镇值班室"
    again = await phone.press()
    assert again.status == 409 and (await again.text()).count("此通知已确认过") == 2
    english = await (await phone.look(phone.link + "?lang=en")).text()
    assert english.count("This page was answered before") == 2


async def test_a_reply_to_a_letter_is_told_case_by_case(phone: Phone, database: str) -> None:
    """The county was first with one of them: a line says so, another that the rest is done."""
    case = await put_in_one_letter(phone, database)
    seat = await phone.console.seat("county")
    assert (await seat.act(case_of(NOISE), "acknowledge")).status == 200
    said = await phone.reply(phone.keys.code(phone.page))
    assert (said["ok"], said["standing"]) == (True, "done")
    first, second = said["said"].splitlines()
    assert "示例县应急指挥中心已于" in first and "已确认接收，请到值班台处置" in second
    assert await phone.acknowledged_by(case) == "白石镇值班室"


async def test_who_was_first_is_named_on_the_link(phone: Phone) -> None:
    """The county took it; the township's link says so, with the time of the county."""
    seat = await phone.console.seat("county")
    assert (await seat.act(case_of(NOISE), "acknowledge")).status == 200
    shown = await phone.look()
    assert shown.status == 409
    assert re.search(r"示例县应急指挥中心已于 2026-03-02 08:\d\d 确认接收", await shown.text())


async def test_forged_and_expired_links(phone: Phone) -> None:
    """Each has its own sentence; guessing ends after fifty, and right links are answered all the same."""
    good = phone.link
    expired = f"/a/{phone.keys.token(phone.page, START - timedelta(minutes=1))}"
    assert (await phone.press(expired)).status == 410
    other = f"/a/{phone.keys.token(uuid4(), START + timedelta(days=1))}"
    for path in (good[:-2] + ("AA" if good[-2:] != "AA" else "BB"), "/a/x", other):
        for act in (phone.look, phone.press):
            answer = await act(path)
            assert answer.status == 404 and "此链接无效" in await answer.text()
    answers = [(await phone.look("/a/guess")).status for _ in range(60)]
    assert answers[-1] == 429 and set(answers) == {404, 429}
    assert (await phone.look(good)).status == 200
    assert await phone.acknowledged_by() is None


async def test_a_reply_with_the_code_acknowledges(phone: Phone) -> None:
    """From the number of the contact, however the gateway writes it; the answer can be sent back as it is."""
    said = await phone.reply(f"收到 {phone.keys.code(phone.page)}", "+86-138-0000-0000")
    assert (said["ok"], said["standing"]) == (True, "done")
    assert "噪声" in said["said"] and "已确认接收" in said["said"]
    assert await phone.acknowledged_by() == "白石镇值班室"
    again = await phone.reply(phone.keys.code(phone.page))
    assert (again["ok"], again["standing"]) == (False, "used")


async def test_wrong_codes_and_numbers_are_counted_and_answered(phone: Phone) -> None:
    """Five of a number, and the sixth hears that it is enough, even with the right code; another number is not kept out."""
    code = phone.keys.code(phone.page)
    wrong = "000000" if code != "000000" else "000001"
    assert (await phone.reply(code, "13900000000"))["standing"] == "unknown"
    assert (await phone.reply(code, "not a number"))["standing"] == "unknown"
    for _ in range(5):
        assert (await phone.reply(wrong))["standing"] == "unknown"
    assert (await phone.reply(code))["standing"] == "limited"
    assert (await phone.reply(code, "13900000000"))["standing"] == "unknown"
    assert await phone.acknowledged_by() is None
    metrics = await (await phone.client.get("/metrics")).text()
    assert 'fenghuo_replies_total{standing="limited",way="sms"}' in metrics


async def test_all_consoles_count_the_same_replies(phone: Phone) -> None:
    """Guesses over one process stop the right code over another; numbers and codes that were forgiven leave no trace."""
    code = phone.keys.code(phone.page)
    wrong = "000000" if code != "000000" else "000001"
    async with (
        TestServer(create_console(SETTINGS, EDITED, phone.console.store)) as other,
        TestClient(other) as client,
    ):
        second = Phone(phone.console, client, phone.keys, phone.page, phone.rules)
        assert (await second.reply(wrong))["standing"] == "unknown"
        assert (await phone.reply(code))["standing"] == "done"
        for turn in (phone, second, phone, second, phone):
            assert (await turn.reply(wrong))["standing"] == "unknown"
        assert (await second.reply(code))["standing"] == "limited"
        assert (await phone.reply(code))["standing"] == "limited"


async def test_only_the_gateway_calls_back(phone: Phone) -> None:
    """A wrong token is 401 and after some 429; a service without replies and one that there is not are not found."""
    body = {"phone": PHONE, "text": phone.keys.code(phone.page)}
    for name in ("push", "nothing", "console"):
        assert (await phone.client.post(f"/replies/{name}", json=body, headers=BEARER)).status == 404
    for path in ("/replies/sms", "/receipts/sms"):
        statuses = [
            (await phone.client.post(path, json=body, headers={"Authorization": f"Bearer {word}"})).status
            for word in ("", "wrong")
        ]
        assert statuses == [401, 401]
    statuses = [(await phone.client.post("/replies/sms?token=wrong", json=body)).status for _ in range(3)]
    assert statuses[-1] == 429
    assert await phone.acknowledged_by() is None
    faulty = await phone.client.post("/replies/sms", json={"phone": 1}, headers=BEARER)
    assert {fault["field"] for fault in (await faulty.json())["faults"]} == {"phone", "text"}


async def test_aliyun_calls_in_its_own_form(phone: Phone) -> None:
    """Several at a time, the token in the address; answered as it wants, or it would call again for ever."""
    page = page_id(case_of(NOISE), 0, 0, str(BAISHI.id), "aliyun")
    receipts = [
        {
            "phone_number": "13800000000",
            "success": False,
            "err_code": "MOBILE_NOT_ON_SERVICE",
            "out_id": str(page),
        },
        {"phone_number": "13800000000", "success": True, "out_id": "of somebody else"},
    ]
    answer = await phone.client.post(f"/receipts/aliyun?token={TOKEN}", json=receipts)
    assert (answer.status, await answer.json()) == (200, {"code": 0, "msg": "接收成功"})
    replies = [{"phone_number": "13800000000", "content": "123", "send_time": "2026-05-01 08:00:00"}]
    answer = await phone.client.post(f"/replies/aliyun?token={TOKEN}", json=replies)
    assert (answer.status, (await answer.json())["code"]) == (200, 0)


async def test_receipts_say_what_they_did(phone: Phone) -> None:
    """On record; the same again changes nothing; one of no page is not found."""
    body = {"page": str(phone.page), "ok": True}
    for _ in range(2):
        assert (await phone.client.post("/receipts/sms", json=body, headers=BEARER)).status == 200
    seat = await phone.console.seat("county")
    view = (await (await seat.get(f"/api/v1/incidents/{case_of(NOISE)}")).json())["incident"]
    assert [entry["kind"] for entry in view["timeline"]].count("received") == 1
    body["page"] = str(uuid4())
    assert (await phone.client.post("/receipts/sms", json=body, headers=BEARER)).status == 404


async def test_a_browser_subscribes_and_leaves(phone: Phone) -> None:
    """Signed in, for a push service that is set up; what is kept is sealed, and no answer holds it."""
    seat = await phone.console.seat("baishi")
    given = await (await seat.get("/api/v1/push")).json()
    assert given["channel"] == "push" and len(given["key"]) == 87
    body = msgspec.json.decode(Browser().subscription("https://fcm.googleapis.com/send/abc"))
    for _ in range(2):
        taken = await seat.send("push", {**body, "expirationTime": None})
        assert (taken.status, await taken.json()) == (201, {"channel": "push", "subscribed": True})
    kept = await phone.console.store.contacts.of(BAISHI.id, "push")
    assert len(kept.splitlines()) == 1 and "fcm" not in kept
    inner = await seat.send("push", {**body, "endpoint": "https://10.0.0.1/x"})
    assert inner.status == 400 and (await inner.json())["faults"][0]["field"] == "endpoint"
    left = await seat.client.delete(
        "/api/v1/push", json={"endpoint": body["endpoint"]}, headers={"Origin": seat.origin}
    )
    assert left.status == 200
    assert await phone.console.store.contacts.of(BAISHI.id, "push") == ""
    assert (await phone.client.get("/api/v1/push")).status == 401
    foreign = await seat.client.post("/api/v1/push", json=body, headers={"Origin": "https://evil.test"})
    assert foreign.status == 403
