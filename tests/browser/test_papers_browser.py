"""Logs of days and special reports in a real browser: clean by axe-core, and printed on A4 in the official form."""

from collections.abc import AsyncIterator
from typing import Literal
from uuid import uuid4

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from browser_world import NEEDS
from command_world import begin_storm
from console_world import PASSWORD, RIVER, Console, case_of, running_console
from playwright.async_api import Browser, Page, expect

WAIT_MS = 20_000
A4 = b"/MediaBox [0 0 594.95996 841.91998]"
"""210 × 297 mm in points, as Chromium writes it."""

pytestmark = NEEDS


@pytest_asyncio.fixture
async def console(database: str) -> AsyncIterator[Console]:
    """Serve a console over a county in a storm."""
    async with running_console(database) as running:
        await begin_storm(running)
        yield running


async def clean(page: Page) -> None:
    """Find no fault by axe-core, and nothing wider than the screen."""
    found = await Axe().run(page)
    assert [one["id"] for one in found.response["violations"]] == []
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize(
    ("locale", "scheme", "width"), [("zh-CN", "light", 1366), ("en-GB", "dark", 390)], ids=["zh", "en"]
)
async def test_a_day_is_signed_and_a_report_issued_and_printed(
    browser: Browser, console: Console, locale: str, scheme: Literal["light", "dark"], width: int
) -> None:
    """Not by a slip: a box must be ticked before a report is issued. Forms are not printed."""
    context = await browser.new_context(
        base_url=str(console.server.make_url("/")),
        locale=locale,
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
    )
    context.set_default_timeout(WAIT_MS)
    page = await context.new_page()
    faults: list[str] = []
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    await page.goto("/sign-in?next=/day-log")
    await page.fill("[name=login]", "county")
    await page.fill("[name=password]", PASSWORD)
    await page.click("button.primary")
    await page.wait_for_selector("article.official")
    await page.fill("[name=text]", "县领导来电询问水质，已答复。")
    await page.locator("form", has=page.locator("[name=text]")).locator("button").click()
    await expect(page.locator("article")).to_contain_text("县领导来电询问水质")
    await page.locator("form", has=page.locator("[name=remark]")).locator("button").click()
    await expect(page.locator("article")).to_contain_text("示例县应急指挥中心")
    await expect(page.locator("[name=remark]")).to_have_count(0)
    await clean(page)
    assert A4 in await page.pdf(prefer_css_page_size=True)

    begun = await (await console.seat("county")).client.post(
        "/special-reports",
        data={"key": str(uuid4()), "incident": str(case_of(RIVER))},
        headers={"Origin": str(console.server.make_url("/").origin()), "Accept": "text/html"},
        allow_redirects=False,
    )
    await page.goto(begun.headers["Location"])
    await page.fill("[name=next]", "继续监测，每两小时报送一次。")
    await page.locator("form", has=page.locator("[name=next]")).locator("button").click()
    await expect(page.locator("article")).to_contain_text("下一步工作")
    await clean(page)
    issue = page.locator("form[action$=issue]")
    await issue.locator("button").click()
    await expect(issue).to_have_count(1)  # the box is not ticked
    await issue.locator("[type=checkbox]").check()
    await issue.locator("button").click()
    await expect(page.locator("article")).to_contain_text("第 1 期")
    await expect(page.locator("form[action$=issue]")).to_have_count(0)
    await page.emulate_media(media="print")
    for hidden in (".head", ".back"):
        await expect(page.locator(hidden).first).to_be_hidden()
    text = await page.locator("article .text").first.evaluate(
        "(one) => [getComputedStyle(one).fontSize, getComputedStyle(one).lineHeight].map(parseFloat)"
    )
    assert text == pytest.approx([16 * 96 / 72, 28.95 * 96 / 72], abs=0.05)
    assert A4 in await page.pdf(prefer_css_page_size=True)
    assert faults == []
    await context.close()
