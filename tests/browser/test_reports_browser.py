"""Clocks of the law in a real browser: counted down on the case's page, answered on the report's own, printed."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from browser_world import NEEDS, chromium
from console_world import PASSWORD, RIVER, RULES, Console, case_of, running_console
from playwright.async_api import Page, expect

pytestmark = NEEDS


@pytest_asyncio.fixture
async def console(database: str) -> AsyncIterator[Console]:
    """Serve a console with one major case, whose clocks run."""
    async with running_console(database) as running:
        await running.raise_alerts(RIVER)
        while await running.store.clocks.plan_next(RULES):
            pass
        yield running


async def go(page: Page, console: Console, goal: str) -> None:
    """Sign in as the county and go to a page."""
    await page.goto(f"{console.server.make_url('/sign-in')}?next={goal}")
    await page.fill("[name=login]", "county")
    await page.fill("[name=password]", PASSWORD)
    await page.click("button.primary")
    await page.wait_for_selector("html[data-ready]", state="attached")


@pytest.mark.parametrize(("width", "locale"), [(1366, "zh-CN"), (390, "en-GB")])
async def test_a_report_is_written_from_the_clock_and_printed(
    console: Console, width: int, locale: str
) -> None:
    """The time left counts down; the draft is corrected and sent; the clock is met, and the letter fits its paper."""
    faults: list[str] = []
    async with chromium() as browser:
        context = await browser.new_context(viewport={"width": width, "height": 844}, locale=locale)
        page = await context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        await go(page, console, f"/incidents/{case_of(RIVER)}")
        clocks = page.locator("#clocks tbody tr")
        await expect(clocks).to_have_count(4)
        await expect(clocks.nth(0).locator("td").nth(2)).to_contain_text("19:")  # the call comes first
        await expect(clocks.nth(2).locator("td").nth(2)).to_contain_text("1:5")
        links = page.locator("#clocks a")
        await expect(links).to_have_count(1)  # the county's own, to the city
        wide = "document.documentElement.scrollWidth <= window.innerWidth"
        assert await page.evaluate(wide)
        await links.first.click()
        text = page.locator("textarea[name=text]")
        await expect(text).to_have_value(
            "《青溪镇水环境污染事件信息报告》\n" + (await text.input_value()).partition("\n")[2]
        )
        await text.fill((await text.input_value()).replace("待核实，核实后续报", "无人员伤亡，损失待核实"))
        assert await page.evaluate(wide)
        await page.click("form.send button.primary")
        await page.wait_for_url("**/reports/first/1")
        await expect(page.locator(".letter")).to_contain_text(
            "五、人员伤亡和财产损失：无人员伤亡，损失待核实"
        )
        assert await page.evaluate(wide)
        assert (await page.pdf(format="A4")).startswith(b"%PDF")
        await page.goto(str(console.server.make_url(f"/incidents/{case_of(RIVER)}")))
        await page.wait_for_selector("html[data-ready]", state="attached")
        await expect(page.locator("#clocks tr.met")).to_have_count(1)
        await expect(page.locator("#clocks .made a")).to_have_count(1)
        await browser.close()
    assert faults == []
