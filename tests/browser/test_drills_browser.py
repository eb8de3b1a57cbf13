"""Drills and reviews in a real browser: a drill is begun, looked at, and its review printed on A4."""

from collections.abc import AsyncIterator
from typing import Literal

import pytest
import pytest_asyncio
from browser_world import NEEDS
from console_world import PASSWORD, RULES, START, Console, running_console
from drill_world import hear
from playwright.async_api import Browser, Page, expect

from domain.clock import EPOCH, Clock
from responders.dispatch import act_on_timers
from responders.store import Store

WAIT_MS = 15_000
A4 = b"/MediaBox [0 0 594.95996 841.91998]"
"""210 × 297 mm in points, as Chromium writes it."""

pytestmark = NEEDS


@pytest_asyncio.fixture
async def console(database: str) -> AsyncIterator[Console]:
    """Serve a console over a county on a standing clock."""
    async with running_console(database) as running:
        clock = Clock(wall_anchor=EPOCH, county_anchor=START, factor=0.0)
        await running.store.set_clock(clock)
        yield running


class Heard:
    """What the drill's helper needs of a world."""

    def __init__(self, store: Store) -> None:
        """Take the console's store."""
        self.store, self.rules = store, RULES


async def open_drills(
    browser: Browser, console: Console, faults: list[str], width: int, scheme: Literal["light", "dark"]
) -> Page:
    """Sign in as the county's commander; a fault in a page or against its policy is noted."""
    context = await browser.new_context(
        base_url=str(console.server.make_url("/")),
        locale="zh-CN",
        viewport={"width": width, "height": 800},
        color_scheme=scheme,
    )
    context.set_default_timeout(WAIT_MS)
    page = await context.new_page()
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    await page.goto("/sign-in?next=/drills")
    await page.fill("[name=login]", "county")
    await page.fill("[name=password]", PASSWORD)
    await page.click("button.primary")
    await page.wait_for_selector("main.paper")
    return page


@pytest.mark.parametrize(("width", "scheme"), [(1366, "light"), (390, "dark")])
async def test_a_drill_is_begun_and_its_review_printed(
    browser: Browser, console: Console, width: int, scheme: Literal["light", "dark"]
) -> None:
    """Not by a slip: a box must be ticked first. Nothing is wider than the screen, and forms are not printed."""
    faults: list[str] = []
    page = await open_drills(browser, console, faults, width, scheme)
    card = page.locator("article", has_text="河流上游危化品泄漏")
    await card.locator("summary").click()
    await card.locator("button").click()
    await expect(page).to_have_url(str(console.server.make_url("/drills")))  # the box is not ticked
    await card.locator("[type=checkbox]").check()
    await card.locator("button").click()
    await expect(page.locator(".drill-band")).to_be_visible()
    world = Heard(console.store)
    await act_on_timers(console.store, RULES)
    await hear(world)
    await page.reload()
    await page.click("section h2 a")
    await expect(page.locator("h1")).to_contain_text("复盘")
    await page.locator("summary", has_text="增加经验").click()
    await page.locator("form", has=page.locator("[name=kind][value=good]")).locator("textarea").fill("到场快")
    await page.locator("form", has=page.locator("[name=kind][value=good]")).locator("button").click()
    await expect(page.locator(".points")).to_contain_text("到场快")
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    printed = await page.pdf(prefer_css_page_size=True)
    assert A4 in printed
    await page.emulate_media(media="print")
    await expect(page.locator(".drill-band")).to_be_visible()
    for hidden in (".head", ".forms", ".back"):
        await expect(page.locator(hidden).first).to_be_hidden()
    ground = await page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert ground == "rgb(255, 255, 255)"
    assert faults == []
    await page.context.close()
