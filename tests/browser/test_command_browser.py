"""The commander's storm in a real browser, in both languages and both themes; the display that runs for weeks."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from browser_world import NEEDS
from command_world import DISPLAY, begin_storm
from console_world import BAISHI, PASSWORD, QINGXI, RIVER, RULES, WAGES, Console, case_of, running_console
from playwright.async_api import Browser, CDPSession, Page, expect

from responders.dispatch import act_on_timers

WAIT_MS = 20_000
Scheme = Literal["light", "dark"]

pytestmark = NEEDS


@pytest_asyncio.fixture
async def console(database: str) -> AsyncIterator[Console]:
    """Serve a console over a county in a storm."""
    async with running_console(database) as running:
        await begin_storm(running)
        yield running


@asynccontextmanager
async def seated(
    browser: Browser,
    console: Console,
    path: str,
    login: str = "county",
    locale: str = "zh-CN",
    scheme: Scheme = "light",
    size: tuple[int, int] = (1600, 1000),
    before: str = "",
) -> AsyncIterator[Page]:
    """Sign in and open a page; a fault in a page's script or policy fails the test."""
    context = await browser.new_context(
        base_url=str(console.server.make_url("/")),
        locale=locale,
        viewport={"width": size[0], "height": size[1]},
        color_scheme=scheme,
    )
    context.set_default_timeout(WAIT_MS)
    faults: list[str] = []
    page = await context.new_page()
    if before:
        await page.add_init_script(before)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    await page.goto(f"/sign-in?next={path}")
    await page.fill("[name=login]", login)
    await page.fill("[name=password]", PASSWORD)
    await page.click("button.primary")
    await page.wait_for_selector("html[data-ready]", state="attached")
    yield page
    await context.close()
    assert faults == []


async def clean(page: Page) -> None:
    """Find no fault by axe-core."""
    found = await Axe().run(page)
    told = [
        f"{one['id']}: {one['help']} {[node['html'][:120] for node in one['nodes'][:3]]}"
        for one in found.response["violations"]
    ]
    assert told == []


WORDS = {
    "zh-CN": {
        "title": "示例县 · 指挥中心",
        "river": RIVER.zh,
        "red": "红",
        "waiting": "4 起未确认",
        "lead": "示例县牵头",
        "with": "白石镇参加",
        "begin": "开始演练",
        "band": "演练进行中",
        "calm": "✓ 正常",
    },
    "en-GB": {
        "title": "示例县 · Command centre",
        "river": RIVER.en,
        "red": "Red",
        "waiting": "4 not acknowledged",
        "lead": "示例县 coordinates",
        "with": "with 白石镇",
        "begin": "Start",
        "band": "A drill is running",
        "calm": "Manageable",
    },
}


@pytest.mark.parametrize(("locale", "scheme"), [("zh-CN", "light"), ("en-GB", "dark")])
async def test_the_commanders_storm(browser: Browser, console: Console, locale: str, scheme: Scheme) -> None:
    """Where is it worst, who is late, what is owed: live; a drill is begun and stopped, and nobody takes it for real."""
    words = WORDS[locale]
    async with seated(browser, console, "/command", locale=locale, scheme=scheme) as page:
        await page.wait_for_selector("html[data-mapped]", state="attached")
        await expect(page.locator("h1")).to_have_text(words["title"])
        await expect(page.locator("#worst li").first).to_contain_text(words["red"])
        await expect(page.locator("#worst h2")).to_contain_text(words["waiting"])
        areas = page.locator("#map .areas button")
        await expect(areas.first).to_have_attribute("data-area", QINGXI)
        await expect(areas.first).to_contain_text(words["red"])

        # By the keyboard: the list picks an area, and the cases follow.
        await areas.nth(1).focus()
        await page.keyboard.press("Enter")
        await expect(areas.nth(1)).to_have_attribute("aria-pressed", "true")
        await expect(page.locator("#worst li")).to_have_count(2)
        await page.keyboard.press("Enter")
        await expect(page.locator("#worst li")).to_have_count(4)

        # Somebody else acts; this page sees it.
        town = await console.seat("qingxi")
        await town.act(case_of(RIVER), "acknowledge")
        await town.act(case_of(RIVER), "disposition", {"verdict": "true"})
        await act_on_timers(console.store, RULES)
        await expect(page.locator(f'[data-incident="{case_of(RIVER)}"] .stand')).to_contain_text(
            "青溪镇值班室"
        )
        await expect(page.locator("#clocks li").first).to_be_visible()
        county = await console.seat("county")
        await county.send(f"incidents/{case_of(RIVER)}/parties", {"area": BAISHI, "note": "下游"})
        await expect(page.locator("#joint li")).to_contain_text(words["lead"])
        await expect(page.locator("#joint li")).to_contain_text(words["with"])

        await page.click("#begin summary")
        await page.check("#begin [type=checkbox]")
        await page.click("#begin button")
        await expect(page.locator(".drill-band")).to_contain_text(words["band"])
        await clean(page)
        await page.click("#drills .running summary")
        await page.check("#drills .running [type=checkbox]")
        await page.click("#drills .running button")
        await expect(page.locator("#drills .running")).to_have_count(0)
        await expect(page.locator(".drill-band")).to_have_count(0)


@pytest.mark.parametrize("size", [(1366, 768), (390, 844)])
async def test_nothing_stands_out_sideways(browser: Browser, console: Console, size: tuple[int, int]) -> None:
    """On a small screen the map stands above the list."""
    async with seated(browser, console, "/command", size=size) as page:
        await page.wait_for_selector("html[data-mapped]", state="attached")
        assert await page.evaluate("document.documentElement.scrollWidth") <= size[0]


@pytest.mark.parametrize(("locale", "scheme"), [("zh-CN", "dark"), ("en-GB", "light")])
async def test_the_wall_is_legible_from_five_metres(
    browser: Browser, console: Console, locale: str, scheme: Scheme
) -> None:
    """No control, no scroll bar, and no type below 2 % of the width: 16 minutes of arc on 55 inches."""
    async with seated(
        browser, console, "/wall", DISPLAY.login, locale=locale, scheme=scheme, size=(1920, 1080)
    ) as page:
        await expect(page.locator("#worst li")).to_have_count(4)
        await expect(page.locator("#worst li").first).to_contain_text("青溪镇")
        assert await page.locator("a, button, input, select, summary, form").count() == 0
        smallest = await page.evaluate(
            """() => Math.min(...[...document.querySelectorAll("body *")]
                .filter((one) => [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
                .filter((one) => one.checkVisibility() && !["SCRIPT", "NOSCRIPT"].includes(one.tagName))
                .map((one) => parseFloat(getComputedStyle(one).fontSize)))"""
        )
        assert smallest >= 1920 * 0.02 - 0.01
        heights = await page.evaluate("[document.documentElement.scrollHeight, innerHeight]")
        assert heights[0] <= heights[1]
        fits = await page.evaluate(
            "(({scrollHeight, clientHeight}) => [scrollHeight, clientHeight])(document.querySelector('#board'))"
        )
        assert fits[0] <= fits[1]
        await clean(page)


EVENTS = """
globalThis.fakes = [];
globalThis.EventSource = class extends EventTarget {
  static CLOSED = 2;
  constructor() { super(); this.readyState = 1; fakes.push(this); setTimeout(() => this.onopen?.(), 0); }
  close() { this.readyState = 2; fakes = fakes.filter((one) => one !== this); }
};
delete globalThis.SharedWorker;
globalThis.tell = (kind, data, id) => {
  const event = { data: JSON.stringify(data), lastEventId: String(id) };
  for (const one of fakes) one.dispatchEvent(new MessageEvent(kind, event));
};
"""
"""A stream that the test speaks into: thousands of events in seconds."""

BURST = """
async ([row, from, until]) => {
  const states = ["detected", "verifying", "closed"];
  const places = ["990101101", "990101102", "990101101001", "990101102003"];
  for (let n = from; n < until; n++) {
    for (let version = 1; version <= 3; version++) {
      const id = `00000000-0000-4000-8000-${String(n - 20 * (version - 1)).padStart(12, "0")}`;
      tell("incident", { ...row, id, version, state: states[version - 1], level: 1 + (n % 4), place: places[n % 4],
        title: `事件 ${n}` }, n * 3 + version);
    }
    if (n % 50 === 0) await new Promise((done) => requestAnimationFrame(done));
  }
  await new Promise((done) => setTimeout(done, 1500));
}
"""


async def held(page: Page, devtools: CDPSession) -> dict[str, float]:
    """Collect garbage, and tell what is left."""
    for _ in range(3):
        await devtools.send("HeapProfiler.collectGarbage")
    metrics = {
        one["name"]: one["value"] for one in (await devtools.send("Performance.getMetrics"))["metrics"]
    }
    return {
        "heap": metrics["JSHeapUsedSize"],
        "nodes": metrics["Nodes"],
        "listeners": metrics["JSEventListeners"],
    }


async def test_the_wall_does_not_leak(browser: Browser, console: Console) -> None:
    """Nine thousand events of three thousand cases leave heap, nodes and listeners as they were."""
    async with seated(browser, console, "/wall", DISPLAY.login, size=(1920, 1080), before=EVENTS) as page:
        seat = await console.seat("county")
        row = (await (await seat.get("/api/v1/incidents")).json())["incidents"][0]
        devtools = await page.context.new_cdp_session(page)
        await devtools.send("Performance.enable")
        await page.evaluate(BURST, [row, 1_000, 1_600])  # caches of the browser and of the library fill once
        before = await held(page, devtools)
        await page.evaluate(BURST, [row, 2_000, 5_000])
        after = await held(page, devtools)
        assert after["nodes"] <= before["nodes"] + 50, (before, after)
        assert after["listeners"] <= before["listeners"] + 10, (before, after)
        assert after["heap"] <= before["heap"] * 1.1 + 500_000, (before, after)
        assert await page.locator("#worst li").count() == 4


@pytest.mark.parametrize("red", [True, False])
async def test_the_wall_takes_up_a_new_release_while_nothing_is_red(
    browser: Browser, console: Console, red: bool
) -> None:
    """While something is red it waits and says so."""
    quick = "Math.random = () => -0.995;"  # the pause before a display asks
    if not red:
        await (await console.seat("county")).act(
            case_of(WAGES), "disposition", {"verdict": "false", "note": "x"}
        )
    async with seated(browser, console, "/wall", DISPLAY.login, size=(1920, 1080), before=quick) as page:
        await page.evaluate("document.documentElement.dataset.first = ''")

        async def newer(route: object) -> None:
            answer = await route.fetch()  # type: ignore[attr-defined]
            told = json.loads(await answer.text())
            await route.fulfill(response=answer, json={**told, "release": "newer"})  # type: ignore[attr-defined]

        await page.route("**/api/v1/command", newer)
        await (await console.seat("baishi")).act(case_of(RIVER), "acknowledge")  # refused: another area
        await (await console.seat("qingxi")).act(case_of(RIVER), "acknowledge")
        if red:
            await expect(page.locator(".foot-line")).to_contain_text("新版本待更新")
            async with page.expect_response("**/api/v1/command"):  # it has looked again, and has stayed
                await (await console.seat("qingxi")).act(case_of(WAGES), "acknowledge")
            assert await page.locator("html[data-first]").count() == 1
        else:
            await page.wait_for_selector("html[data-ready]:not([data-first])", state="attached")
