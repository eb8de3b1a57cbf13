"""The console in a real browser: what an officer sees and does, in both languages, live."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic

import pytest
import pytest_asyncio
from browser_world import NEEDS
from console_world import (
    FEVER,
    NOISE,
    PASSWORD,
    QINGXI,
    RIVER,
    WAGES,
    Console,
    alert,
    case_of,
    count_finding,
    running_console,
)
from playwright.async_api import Browser, BrowserContext, Page, expect

from dashboards.events import HUB
from domain.levels import Level

WAIT_MS = 15_000
RIVER_AGAIN = alert(
    "flood",
    QINGXI,
    Level.YELLOW,
    (count_finding("flood", QINGXI, 6, 1),),
    "青溪镇内涝上报增多",
    "More flooding in Qingxi",
)

pytestmark = NEEDS


@pytest_asyncio.fixture
async def console(database: str) -> AsyncIterator[Console]:
    """Serve a console over a filled database."""
    async with running_console(database) as running:
        yield running


@asynccontextmanager
async def seated(
    browser: Browser,
    console: Console,
    login: str,
    locale: str = "zh-CN",
    width: int = 1366,
    height: int = 768,
) -> AsyncIterator[Page]:
    """Sign in before a browser of one's own; a fault in a page's script or policy fails the test."""
    context: BrowserContext = await browser.new_context(
        base_url=str(console.server.make_url("/")), locale=locale, viewport={"width": width, "height": height}
    )
    context.set_default_timeout(WAIT_MS)
    faults: list[str] = []
    page = await context.new_page()
    page.on("pageerror", lambda error: faults.append(str(error)))
    expected = ("409", "net::ERR_FAILED")  # conflicts and cut connections, where a test makes them
    page.on(
        "console",
        lambda message: (
            faults.append(message.text)
            if message.type == "error" and not any(word in message.text for word in expected)
            else None
        ),
    )
    await page.goto("/")
    await page.fill("[name=login]", login)
    await page.fill("[name=password]", PASSWORD)
    await page.click("button.primary")
    await ready(page)
    yield page
    await context.close()
    assert faults == []


async def ready(page: Page) -> None:
    """Wait until the page shows what it has and follows the live events."""
    await page.wait_for_selector("html[data-ready]", state="attached")
    await page.wait_for_selector('#lamp[data-state="live"]')


WORDS = {
    "zh-CN": {
        "queue": "事件队列",
        "acknowledge": "确认接收",
        "acknowledged": "青溪镇值班室 已于",
        "verifying": "核实中",
        "confirmed": "已立案",
        "responding": "处置中",
        "closed": "已结案",
        "sentence": RIVER.zh,
        "limit": "高于橙色限值 40 mg/L",
        "lamp": "实时 · 数据截至 ",
    },
    "en-GB": {
        "queue": "Incidents",
        "acknowledge": "Acknowledge",
        "acknowledged": "Acknowledged by 青溪镇值班室",
        "verifying": "Verifying",
        "confirmed": "Confirmed",
        "responding": "Responding",
        "closed": "Closed",
        "sentence": RIVER.en,
        "limit": "above the orange limit of 40 mg/L",
        "lamp": "Live · data as of ",
    },
}


@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
async def test_from_the_first_row_to_closing(browser: Browser, console: Console, locale: str) -> None:
    """A case appears without a reload; the officer opens, acknowledges, decides, moves on and closes it."""
    words = WORDS[locale]
    async with seated(browser, console, "qingxi", locale) as page:
        await expect(page.locator("h1")).to_have_text(words["queue"])
        await expect(page.locator("#lamp")).to_contain_text(words["lamp"])
        await expect(page.locator("tbody tr")).to_have_count(0)
        await console.raise_alerts(RIVER)
        row = page.locator(f'tr[data-incident="{case_of(RIVER)}"]')
        await expect(row).to_contain_text(words["sentence"])
        await row.locator("a.title").click()

        await ready(page)
        await expect(page.locator("main")).to_contain_text(words["limit"])
        await expect(page.locator("figure.curve canvas")).to_have_count(2)
        await page.click("button#acknowledge")
        await expect(page.locator("p#acknowledged")).to_contain_text(words["acknowledged"])
        await expect(page.locator("#state")).to_have_text(words["verifying"])
        await page.check('input[name="verdict"][value="true"]')
        await page.fill("#decide-note", "已派员到场 <b>核实</b>")
        await page.click("#decide form button")
        await expect(page.locator("#state")).to_have_text(words["confirmed"])
        await expect(page.locator(".timeline")).to_contain_text("已派员到场 <b>核实</b>")
        await page.click('button[data-move="responding"]')
        await expect(page.locator("#state")).to_have_text(words["responding"])
        await page.click("details#close summary")
        await page.fill("#close-note", "水质恢复正常")
        await page.click("details#close form button")
        await expect(page.locator("#state")).to_have_text(words["closed"])
        await expect(page.locator("#ended")).to_be_visible()
        await expect(page.locator(".timeline")).to_contain_text("水质恢复正常")

        await page.click("a.back")
        await ready(page)
        await expect(page.locator("tbody tr")).to_have_count(0)
        await page.click('button[data-filter="all"]')
        await expect(page.locator("tbody tr")).to_have_count(1)


async def test_two_browsers_see_one_another(browser: Browser, console: Console) -> None:
    """What one acknowledges, the other sees within a second; its own attempt then tells who was first."""
    await console.raise_alerts(RIVER, WAGES)
    async with seated(browser, console, "qingxi") as town, seated(browser, console, "county") as county:
        theirs = county.locator(f'tr[data-incident="{case_of(RIVER)}"] .ack')
        await town.locator(f'tr[data-incident="{case_of(RIVER)}"] button.acknowledge').click()
        started = monotonic()
        await expect(theirs).to_contain_text("青溪镇值班室")
        assert monotonic() - started < 1.0

        # The county's page is held back by a stale view: its command meets the conflict.
        answer = await county.evaluate(
            """async (id) => {
                const key = "11111111-1111-4111-8111-111111111111";
                const r = await fetch(`/api/v1/incidents/${id}/acknowledge`, {method: "POST",
                    headers: {"Content-Type": "application/json", "Idempotency-Key": key}, body: "{}"});
                return [r.status, await r.json()];
            }""",
            str(case_of(RIVER)),
        )
        assert answer[0] == 409
        assert "青溪镇值班室 已于" in answer[1]["detail"]


async def test_a_conflict_names_who_was_first(browser: Browser, console: Console) -> None:
    """Whoever comes second on the incident page reads there who was first and when."""
    await console.raise_alerts(RIVER)
    async with seated(browser, console, "county") as page:
        await page.add_init_script("delete window.SharedWorker")
        await page.route("**/api/v1/events*", lambda route: route.abort())
        await page.goto(f"/incidents/{case_of(RIVER)}")
        await page.wait_for_selector("html[data-ready]", state="attached")
        await (await console.seat("qingxi")).act(case_of(RIVER), "acknowledge")
        await page.click("button#acknowledge")
        await expect(page.locator('[role="alert"]')).to_contain_text("青溪镇值班室 已于")
        await expect(page.locator("p#acknowledged")).to_contain_text("青溪镇值班室 已于")


async def test_the_queue_by_keyboard(browser: Browser, console: Console) -> None:
    """J and k choose, a acknowledges, Enter opens; the gravest stands first."""
    await console.raise_alerts(NOISE, FEVER, RIVER, WAGES)
    async with seated(browser, console, "county") as page:
        rows = page.locator("tbody tr")
        levels = [await rows.nth(n).locator(".level b").inner_text() for n in range(4)]
        assert levels == ["红", "橙", "黄", "蓝"]
        await page.keyboard.press("j")
        await page.keyboard.press("j")
        await page.keyboard.press("k")
        chosen = page.locator('tr[aria-selected="true"]')
        assert await chosen.get_attribute("data-incident") == str(case_of(WAGES))
        await page.keyboard.press("a")
        await expect(page.locator(f'tr[data-incident="{case_of(WAGES)}"] .ack')).to_contain_text("指挥中心")
        await expect(page.locator("#waiting")).to_contain_text("3 起未确认")
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"**/incidents/{case_of(WAGES)}")
        await ready(page)


async def test_county_time_runs_on(browser: Browser, console: Console) -> None:
    """The clock in the header shows county time and moves; the countdown with it."""
    await console.raise_alerts(WAGES)
    async with seated(browser, console, "qingxi") as page:
        clock, count = page.locator("#clock"), page.locator("tbody .count")
        assert (await page.inner_text("#date"), (await clock.inner_text())[:5]) == ("2026-03-02", "08:20")
        before, left = await clock.inner_text(), await count.inner_text()
        await expect(clock).not_to_have_text(before)
        await expect(count).not_to_have_text(left)


async def test_fits_a_phone(browser: Browser, console: Console) -> None:
    """On a phone nothing stands out sideways, and the buttons can be hit."""
    await console.raise_alerts(RIVER, WAGES)
    async with seated(browser, console, "qingxi", width=360, height=740) as page:
        for path in ("/", f"/incidents/{case_of(RIVER)}"):
            await page.goto(path)
            await ready(page)
            assert await page.evaluate("document.documentElement.scrollWidth") <= 360, path
        box = await page.locator("button#acknowledge").bounding_box()
        assert box is not None and box["height"] >= 36


async def test_a_grid_worker_sees_and_does_not_decide(browser: Browser, console: Console) -> None:
    """Whoever may not act is not offered to."""
    await console.raise_alerts(RIVER)
    async with seated(browser, console, "county") as page:
        await page.goto(f"/incidents/{case_of(RIVER)}")
        await ready(page)
        await expect(page.locator("button#acknowledge")).to_have_count(1)
    async with seated(browser, console, "wangge") as page:
        await page.goto("/?state=open")
        await ready(page)
        await expect(page.locator("button.acknowledge")).to_have_count(0)
        await expect(page.locator(".empty")).to_be_visible()


async def test_all_tabs_share_one_stream(browser: Browser, console: Console) -> None:
    """Eight tabs of one browser hold one connection, and each is told of what happens."""
    await console.raise_alerts(RIVER)
    hub = console.server.app[HUB]
    async with seated(browser, console, "qingxi") as first:
        tabs = [first, *[await first.context.new_page() for _ in range(7)]]
        for tab in tabs[1:]:
            await tab.goto("/")
            await ready(tab)
        assert len(hub._present) == 1
        await console.raise_alerts(WAGES)
        for tab in tabs:
            await expect(tab.locator("tbody tr")).to_have_count(2)
        for tab in tabs[1:]:
            await tab.close()
        await first.goto("/?state=all")
        await ready(first)
        await console.raise_alerts(RIVER_AGAIN)
        await expect(first.locator("tbody tr")).to_have_count(3)


async def test_without_shared_workers(browser: Browser, console: Console) -> None:
    """A browser that knows no shared workers follows by itself."""
    async with seated(browser, console, "qingxi") as page:
        await page.add_init_script("delete window.SharedWorker")
        await page.reload()
        await ready(page)
        await console.raise_alerts(RIVER)
        await expect(page.locator("tbody tr")).to_have_count(1)


async def test_the_lamp_goes_out_and_on(browser: Browser, console: Console) -> None:
    """When the stream breaks the lamp says so; it comes back by itself and brings what was missed."""
    async with seated(browser, console, "qingxi") as page:
        console.server.app[HUB].end_streams()
        await console.raise_alerts(RIVER)
        await expect(page.locator("tbody tr")).to_have_count(1)
        await page.wait_for_selector('#lamp[data-state="live"]')
