"""A case of several alerts, a joint one and a merged one in a real browser."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
import pytest_asyncio
from browser_world import NEEDS, chromium
from console_world import (
    BAISHI,
    COUNTY,
    NOISE,
    PASSWORD,
    RIVER,
    RULES,
    WAGES,
    Console,
    case_of,
    running_console,
)
from msgspec import structs
from playwright.async_api import Page, expect

from domain.incidents import Satisfied
from responders.casework import CallBack
from responders.views import Role, Viewer

ANOTHER = structs.replace(RIVER, id=uuid4(), place=f"{RIVER.place}001", zh="桥头村断面氨氮超标")

pytestmark = NEEDS


@pytest_asyncio.fixture
async def console(database: str) -> AsyncIterator[Console]:
    """Serve a console with a case of two alerts and a party, one merged into it, and one that was called back about."""
    async with running_console(database) as running:
        await running.raise_alerts(RIVER, ANOTHER, WAGES, NOISE)
        users = {user.login: user for user in await running.store.users()}
        county = users["county"]
        viewer = Viewer(
            user=county.id, login=county.login, display=county.display, role=Role.COMMANDER, area=COUNTY
        )
        work = running.store.casework
        await work.join(viewer, case_of(RIVER), BAISHI, "下游", uuid4(), RULES)
        await work.merge(viewer, case_of(WAGES), case_of(RIVER), "同一企业", uuid4(), RULES)
        await running.store.close(viewer, case_of(NOISE), "", uuid4())
        call = CallBack(True, True, True, Satisfied.YES, "已停工")
        await work.rate(viewer, case_of(NOISE), call, uuid4(), RULES)
        yield running


async def go(page: Page, console: Console, goal: str) -> None:
    """Sign in as the county and go to a page."""
    await page.goto(f"{console.server.make_url('/sign-in')}?next={goal}")
    await page.fill("[name=login]", "county")
    await page.fill("[name=password]", PASSWORD)
    await page.click("button.primary")
    await page.wait_for_selector("html[data-ready]", state="attached")


@pytest.mark.parametrize(("width", "locale"), [(1366, "zh-CN"), (390, "en-GB")])
async def test_what_a_case_is_made_of_is_on_its_page(console: Console, width: int, locale: str) -> None:
    """Alerts, the area that coordinates, the link from a merged case, what was said afterwards; at every width."""
    faults: list[str] = []
    async with chromium() as browser:
        context = await browser.new_context(viewport={"width": width, "height": 844}, locale=locale)
        page = await context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        await go(page, console, f"/incidents/{case_of(WAGES)}")
        await page.click("#merged-into")
        await page.wait_for_selector("html[data-ready]", state="attached")
        await expect(page.locator("#alerts tbody tr")).to_have_count(3)
        await expect(page.locator("#together")).to_contain_text("示例县")
        await expect(page.locator("#together li")).to_contain_text("白石镇")
        wide = await page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert wide <= 0
        await page.goto(str(console.server.make_url(f"/incidents/{case_of(NOISE)}")))
        await page.wait_for_selector("html[data-ready]", state="attached")
        await expect(page.locator("#call-backs")).to_contain_text("已停工")
        await browser.close()
    assert faults == []
