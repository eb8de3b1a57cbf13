"""The grid worker in a tunnel: the field app on a phone, with and without a network, in both languages."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import asyncpg  # type: ignore[import-untyped]  # ships no types
import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]  # no py.typed
from browser_world import NEEDS
from console_world import (
    DATA,
    PASSWORD,
    RULES,
    USERS,
    Console,
    alert,
    case_of,
    river_finding,
    running_console,
)
from playwright.async_api import Browser, BrowserContext, Page, Route, expect

from config.settings import Settings
from dashboards import app as console_app
from dashboards.app import create_console
from domain.incidents import TaskState
from domain.levels import Level
from responders.field import FieldDay
from responders.views import Viewer

WAIT_MS = 20_000
MOST_BYTES = 150_000
VILLAGE = "990101101001"
CASE = alert(
    "water-pollution", VILLAGE, Level.ORANGE, (river_finding(2, VILLAGE),), "桥头村断面超限", "Over the limit"
)
LOST = ("net::ERR_", "the server responded with a status of 4", "Failed to fetch")
"""What a browser says where a test cuts the network or has something refused."""

pytestmark = NEEDS


def viewer(login: str) -> Viewer:
    """Name somebody signed in."""
    (found,) = [user for user in USERS if user.login == login]
    return Viewer(user=found.id, login=found.login, display=found.display, role=found.role, area=found.area)


@pytest_asyncio.fixture
async def console(database: str) -> AsyncIterator[Console]:
    """Serve a console with a case in a village whose grid worker has a task."""
    async with running_console(database) as running:
        await running.raise_alerts(CASE)
        await running.store.casework.dispatch(
            viewer("qingxi"), case_of(CASE), VILLAGE, "", "请到现场核实", uuid4(), RULES
        )
        yield running


async def day(console: Console) -> FieldDay:
    """Read the grid worker's day."""
    return await console.store.field.day(viewer("wangge"))


@asynccontextmanager
async def phone(
    browser: Browser, address: str, locale: str = "zh-CN", scheme: str = "light", *, sync: bool = True
) -> AsyncIterator[tuple[BrowserContext, Page]]:
    """Sign in on a phone of one's own and wait until it can do without a network; a fault in a script fails the test.

    Without `sync` the browser knows no background sync, as on iPhones.
    """
    context = await browser.new_context(
        base_url=address,
        locale=locale,
        viewport={"width": 390, "height": 844},
        has_touch=True,
        color_scheme="dark" if scheme == "dark" else "light",
    )
    context.set_default_timeout(WAIT_MS)
    if not sync:
        await context.add_init_script(
            'Object.defineProperty(ServiceWorkerRegistration.prototype, "sync", { value: undefined })'
        )
    faults: list[str] = []
    page = await context.new_page()
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "console",
        lambda message: (
            faults.append(message.text)
            if message.type == "error" and not any(word in message.text for word in LOST)
            else None
        ),
    )
    await page.goto("/")
    await page.fill("[name=login]", "wangge")
    await page.fill("[name=password]", PASSWORD)
    await page.click("button.primary")
    await ready(page)
    yield context, page
    await context.close()
    assert faults == []


async def ready(page: Page) -> None:
    """Wait until the page shows what it has and its worker serves it."""
    await page.wait_for_selector("html[data-ready]", state="attached")
    await page.evaluate(
        """async () => {
            await navigator.serviceWorker.ready;
            while (!navigator.serviceWorker.controller) await new Promise((done) =>
                navigator.serviceWorker.addEventListener("controllerchange", done, { once: true }));
        }"""
    )


async def report(page: Page, category: str, level: int, words: str, photo: bytes | None = None) -> None:
    """Report in three taps and some words."""
    await page.click("#tab-report")
    await page.click(f"[data-category={category}]")
    await page.click(f"[data-level='{level}']")
    await page.fill("[name=text]", words)
    if photo is not None:
        await page.set_input_files(
            "input[type=file]", {"name": "p.png", "mimeType": "image/png", "buffer": photo}
        )
        await expect(page.locator(".field-photo canvas")).to_be_visible()
    await page.dblclick("button.send")  # an impatient thumb


async def picture(page: Page, width: int, height: int) -> bytes:
    """Draw a photo, larger than what is sent."""
    drawn: str = await page.evaluate(
        """([width, height]) => {
            const canvas = document.createElement("canvas");
            canvas.width = width; canvas.height = height;
            const pen = canvas.getContext("2d");
            for (let x = 0; x < width; x += 40) {
                pen.fillStyle = `hsl(${x % 360} 80% 50%)`;
                pen.fillRect(x, 0, 40, height);
            }
            return canvas.toDataURL("image/png").split(",")[1];
        }""",
        [width, height],
    )
    return base64.b64decode(drawn)


WORDS = {
    "zh-CN": {
        "accept": "签收",
        "waiting": "3 条待发送",
        "accepted": "已签收",
        "offline": "无网络",
        "what": "水环境污染",
    },
    "en-GB": {
        "accept": "Accept",
        "waiting": "3 waiting",
        "accepted": "Accepted",
        "offline": "No network",
        "what": "Water",
    },
}


@pytest.mark.parametrize("locale", list(WORDS))
async def test_the_grid_worker_in_a_tunnel(
    browser: Browser, console: Console, database: str, locale: str
) -> None:
    """Two reports and a task state without a network, the page loaded anew there: each is sent exactly once, in order."""
    told, address = WORDS[locale], str(console.server.make_url("/"))
    async with phone(browser, address, locale, sync=locale == "zh-CN") as (context, page):
        assert page.url.endswith("/field")
        photo = await picture(page, 2400, 1800)
        await context.set_offline(True)
        await report(page, "water-pollution", 3, "河水发黑", photo)
        await report(page, "flood", 1, "路面积水")
        await page.click("#tab-tasks")
        await expect(page.locator("[data-step=accepted]")).to_have_text(told["accept"])
        await page.click("[data-step=accepted]")
        await expect(page.locator("#waiting")).to_contain_text(told["waiting"])
        await page.reload()
        await ready(page)
        await expect(page.locator("#lamp")).to_contain_text(told["offline"])
        await expect(page.locator("#waiting")).to_contain_text(told["waiting"])
        await expect(page.locator(".field-card .state")).to_have_text(told["accepted"])
        assert (await day(console)).reports == ()
        await context.set_offline(False)
        await expect(page.locator("#waiting")).to_have_count(0)
        await page.reload()
        await page.click("#tab-mine")
        await expect(page.locator("#mine .field-card h2")).to_have_count(2)
    reports = (await day(console)).reports
    assert [(one.category, one.level, one.text, one.photo) for one in reports] == [
        ("flood", Level.BLUE, "路面积水", False),
        ("water-pollution", Level.ORANGE, "河水发黑", True),
    ]
    (task,) = [one for one in (await day(console)).tasks if one.own]
    assert task.state is TaskState.ACCEPTED
    connection = await asyncpg.connect(database)
    sent = await connection.fetch("select value from outbox where topic = 'feed.reports' order by sequence")
    signed = await connection.fetchval("select count(*) from incident_entry where kind = 'task_accepted'")
    width, height = await connection.fetchrow("select width, height from report_photo")
    await connection.close()
    assert [json.loads(row["value"])["text"] for row in sent] == ["河水发黑", "路面积水"]
    assert signed == 1
    assert (width, height) == (1600, 1200)


@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_everybody_can_use_it(browser: Browser, console: Console, locale: str, scheme: str) -> None:
    """axe-core finds nothing on any of its pages, and nothing is wider than the phone."""
    async with phone(browser, str(console.server.make_url("/")), locale, scheme) as (_, page):
        await report(page, "water-pollution", 3, "河水发黑")
        await expect(page.locator("#waiting")).to_have_count(0)
        for tab in ("tasks", "report", "mine"):
            await page.click(f"#tab-{tab}")
            if tab == "report":
                await page.click("[data-level='4']")
            found = await Axe().run(page)
            assert found.violations_count == 0, found.generate_report()
            wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert await page.evaluate(wide) <= 0


async def test_the_first_load_is_small(browser: Browser, console: Console) -> None:
    """All that the page fetches before it can be used is at most 150 kB as served."""
    context = await browser.new_context(
        base_url=str(console.server.make_url("/")),
        service_workers="block",
        viewport={"width": 390, "height": 844},
    )
    page = await context.new_page()
    await page.goto("/sign-in?next=/healthz")
    await page.fill("[name=login]", "wangge")
    await page.fill("[name=password]", PASSWORD)
    await page.click("button.primary")
    session = await context.new_cdp_session(page)
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    await session.send("Network.enable")
    await session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    await page.goto("/field")
    await page.wait_for_selector("html[data-ready]", state="attached")
    assert len(sizes) > 15
    assert sum(sizes) <= MOST_BYTES
    await context.close()


async def test_a_photo_too_large_is_refused_on_the_phone(browser: Browser, console: Console) -> None:
    """A file of 100 MB is refused unread, in a sentence that says how large it is and what is allowed; words stay."""
    async with phone(browser, str(console.server.make_url("/"))) as (_, page):
        await page.click("#tab-report")
        await page.fill("[name=text]", "河水发黑")
        await page.evaluate(
            """() => {
                const file = new File([new Blob([new Uint8Array(100 * 1048576)])], "p.jpg", { type: "image/jpeg" });
                const list = new DataTransfer(); list.items.add(file);
                const input = document.querySelector("input[type=file]");
                input.files = list.files; input.dispatchEvent(new Event("change", { bubbles: true }));
            }"""
        )
        await expect(page.locator(".field-fault")).to_contain_text("照片过大（100 MB），最多 30 MB")
        await expect(page.locator("[name=text]")).to_have_value("河水发黑")


async def test_a_session_that_ended_loses_nothing(browser: Browser, console: Console) -> None:
    """Signed out in mid-form: words stay, the report waits, and goes out once after signing in again."""
    async with phone(browser, str(console.server.make_url("/"))) as (context, page):
        await context.clear_cookies()
        await report(page, "flood", 2, "桥下积水")
        await page.click("#tab-report")
        await page.fill("[name=text]", "还在写")
        await page.click("text=重新登录")
        await page.fill("[name=login]", "wangge")
        await page.fill("[name=password]", PASSWORD)
        await page.click("button.primary")
        await ready(page)
        await expect(page.locator("#waiting")).to_have_count(0)
        await expect(page.locator("[name=text]")).to_have_value("还在写")
    assert [one.text for one in (await day(console)).reports] == ["桥下积水"]


async def test_what_is_refused_is_told_and_kept(browser: Browser, console: Console) -> None:
    """A task that another phone has moved meanwhile: the server's sentence stands on the page until it is read."""
    async with phone(browser, str(console.server.make_url("/"))) as (context, page):
        await context.set_offline(True)
        await page.click("[data-step=accepted]")
        (task,) = [one for one in (await day(console)).tasks if one.own]
        await console.store.move_task(viewer("wangge"), task.id, TaskState.ACCEPTED, "", uuid4())
        await report(page, "flood", 1, "路面积水")
        await context.set_offline(False)
        await expect(page.locator(".refused")).to_contain_text("任务不能从")
        await expect(page.locator("#waiting")).to_have_count(0)
        await page.click(".refused button")
        await expect(page.locator(".refused")).to_have_count(0)
    assert [one.text for one in (await day(console)).reports] == ["路面积水"]


async def test_an_answer_that_never_came(browser: Browser, console: Console) -> None:
    """The report is there and the line breaks before the phone hears of it, thrice: sent again, it is the same report."""
    async with phone(browser, str(console.server.make_url("/")), sync=False) as (context, page):
        lost = 0

        async def lose(route: Route) -> None:
            nonlocal lost
            if lost == 3:
                await route.continue_()
                return
            lost += 1
            await route.fetch()
            await route.abort()

        await context.route("**/api/v1/field/reports", lose)
        await report(page, "flood", 2, "桥下积水")
        await expect(page.locator("#waiting")).to_have_count(1)
        await expect(page.locator("#waiting")).to_have_count(0, timeout=60_000)
        assert lost == 3
    assert [one.text for one in (await day(console)).reports] == ["桥下积水"]


async def test_another_account_on_the_same_phone(browser: Browser, console: Console) -> None:
    """What one account wrote is never sent in another's name: it waits until that account signs in again."""
    async with phone(browser, str(console.server.make_url("/"))) as (context, page):
        await context.set_offline(True)
        await report(page, "flood", 2, "桥下积水")
        await context.clear_cookies()
        await context.set_offline(False)
        for login in ("qingxi", "wangge"):
            await page.goto("/sign-in?next=/field")
            await page.fill("[name=login]", login)
            await page.fill("[name=password]", PASSWORD)
            await page.click("button.primary")
            await ready(page)
            if login == "qingxi":
                await expect(page.locator("#notes")).to_contain_text("其他账号的 1 条内容未发送")
                assert (await day(console)).reports == ()
                await context.clear_cookies()
        await expect(page.locator("#waiting")).to_have_count(0)
        await expect(page.locator("#notes")).not_to_contain_text("其他账号")
    assert [one.text for one in (await day(console)).reports] == ["桥下积水"]
    assert (await console.store.field.day(viewer("qingxi"))).reports == ()


async def test_a_phone_is_subscribed(browser: Browser, console: Console) -> None:
    """The page hands the browser's subscription to the server, and ends it on the same page."""
    async with phone(browser, str(console.server.make_url("/"))) as (context, page):
        told: list[tuple[str, Any]] = []

        async def answer(route: Route) -> None:
            told.append((route.request.method, route.request.post_data_json))
            body = {"channel": "web-push", "key": "BA", "subscribed": True}
            await route.fulfill(json=body)

        async def say_push(route: Route) -> None:
            response = await route.fetch()
            await route.fulfill(response=response, json={**await response.json(), "push": True})

        await context.grant_permissions(["notifications"])
        await context.route("**/api/v1/push", answer)
        await context.route("**/api/v1/field", say_push)
        await context.add_init_script(
            """
            const made = {
                endpoint: "https://push.example/one",
                toJSON: () => ({ endpoint: "https://push.example/one", keys: { p256dh: "p", auth: "a" } }),
                unsubscribe: async () => ((window.made = null), true),
            };
            PushManager.prototype.subscribe = async (options) => ((window.asked = options), (window.made = made));
            PushManager.prototype.getSubscription = async () => window.made ?? null;
            Notification.requestPermission = async () => "granted";
            """
        )
        await page.reload()
        await ready(page)
        await page.click("#tab-mine")
        await page.click("#push button")
        await expect(page.locator("#push")).to_contain_text("本机会收到新任务通知")
        assert (
            await page.evaluate("window.asked.userVisibleOnly && window.asked.applicationServerKey[0]") == 4
        )
        await page.click("#push button")
        await expect(page.locator("#push")).to_contain_text("新任务时通知我")
        assert told == [
            ("GET", None),
            (
                "POST",
                {
                    "endpoint": "https://push.example/one",
                    "keys": {"p256dh": "p", "auth": "a"},
                    "expirationTime": None,
                    "channel": "web-push",
                },
            ),
            ("DELETE", {"endpoint": "https://push.example/one"}),
        ]


async def test_a_unit_asks_for_something(browser: Browser, console: Console) -> None:
    """A refusal with reason and item reaches the level above."""
    async with phone(browser, str(console.server.make_url("/"))) as (_, page):
        await page.click("[data-plea=refuse]")
        await page.fill("[name=reason]", "不在本村范围")
        await page.fill("[name=item]", "属地事项 第3项")
        await page.click(".field-card form button.primary")
        await expect(page.locator(".plea")).to_contain_text("退单：待答复")
    (task,) = [one for one in (await day(console)).tasks if one.own]
    assert task.state is TaskState.REFUSED


async def test_a_notification_opens_the_task(browser: Browser, console: Console) -> None:
    """What the responder sends is shown by the worker, though the page stands open; its case is marked when it is opened."""
    async with phone(browser, str(console.server.make_url("/"))) as (context, page):
        await context.grant_permissions(["notifications"])
        session = await context.new_cdp_session(page)
        registration: asyncio.Queue[str] = asyncio.Queue()

        def hear(event: dict[str, Any]) -> None:
            for one in event["registrations"]:
                registration.put_nowait(one["registrationId"])

        session.on("ServiceWorker.workerRegistrationUpdated", hear)
        await session.send("ServiceWorker.enable")
        origin = str(console.server.make_url("/")).rstrip("/")
        payload = {
            "title": "水环境污染",
            "body": "请签收",
            "tag": "one",
            "incident": str(case_of(CASE)),
            "grade": 2,
        }
        await session.send(
            "ServiceWorker.deliverPushMessage",
            {"origin": origin, "registrationId": await registration.get(), "data": json.dumps(payload)},
        )
        shown = await page.evaluate(
            """async () => {
                const registration = await navigator.serviceWorker.ready;
                for (;;) {
                    const [one] = await registration.getNotifications();
                    if (one) return [one.title, one.body, one.data.incident];
                    await new Promise((done) => requestAnimationFrame(done));
                }
            }"""
        )
        assert shown == ["水环境污染", "请签收", str(case_of(CASE))]
        await page.goto(f"/field?case={case_of(CASE)}")
        await expect(page.locator("[data-chosen]").first).to_be_visible()


async def test_a_worker_of_an_older_release_leaves(
    browser: Browser, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new release takes over at once: its files alone are kept, what is being written lives on, and it works offline."""
    real = console_app.static_version()
    monkeypatch.setattr(console_app, "static_version", lambda: "0123456789ab")
    old = TestServer(create_console(Settings(), DATA, console.store))
    await old.start_server()
    address, port = str(old.make_url("/")), old.port
    async with phone(browser, address) as (context, page):
        await page.click("#tab-report")
        await page.fill("[name=text]", "写到一半")
        names = await page.evaluate("caches.keys()")
        assert [name.split("-")[2] for name in names] == ["0123456789ab"]
        await old.close()
        monkeypatch.setattr(console_app, "static_version", lambda: real)
        new = TestServer(create_console(Settings(), DATA, console.store), port=port)
        await new.start_server()
        await page.reload()
        await page.evaluate(
            """async (release) => {
                while (!(await caches.keys()).every((name) => name.includes(release)))
                    await new Promise((done) => requestAnimationFrame(done));
            }""",
            real,
        )
        await page.wait_for_selector("html[data-ready]", state="attached")
        await expect(page.locator("[name=text]")).to_have_value("写到一半")
        await context.set_offline(True)
        await page.reload()
        await expect(page.locator("[name=text]")).to_have_value("写到一半")
        used = await page.evaluate("[...document.querySelectorAll('script')].map((one) => one.src).join()")
        assert real in used
        await new.close()
