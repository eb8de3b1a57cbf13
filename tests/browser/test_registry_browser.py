"""The page of stations in a real browser: what operators look for, and what administrators change."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import pytest
import pytest_asyncio
from browser_world import NEEDS
from console_world import PASSWORD, Console, running_console
from playwright.async_api import Browser, Page, expect
from station_world import COD, STRANGER, settle_stations

WAIT_MS = 15_000

pytestmark = NEEDS


@pytest_asyncio.fixture
async def console(database: str) -> AsyncIterator[Console]:
    """Serve a console over a county with stations."""
    async with running_console(database) as running:
        await settle_stations(running)
        yield running


@asynccontextmanager
async def seated(
    browser: Browser,
    console: Console,
    login: str,
    *,
    locale: str = "zh-CN",
    width: int = 1366,
    scheme: Literal["light", "dark"] = "light",
) -> AsyncIterator[Page]:
    """Sign in and open the page; a fault in its script or against its policy fails the test."""
    context = await browser.new_context(
        base_url=str(console.server.make_url("/")),
        locale=locale,
        viewport={"width": width, "height": 800},
        color_scheme=scheme,
    )
    context.set_default_timeout(WAIT_MS)
    faults: list[str] = []
    page = await context.new_page()
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if is_fault(said.type, said.text) else None)
    await page.goto("/sign-in?next=/registry")
    await page.fill("[name=login]", login)
    await page.fill("[name=password]", PASSWORD)
    await page.click("button.primary")
    await page.wait_for_selector("html[data-ready]", state="attached")
    yield page
    await context.close()
    assert faults == []


def is_fault(kind: str, text: str) -> bool:
    """Tell a fault from an answer 400 or 503, which a test may ask for."""
    return kind == "error" and not any(status in text for status in ("400", "503"))


WORDS = {
    "zh-CN": ("监测站点与限值", "密码不符", "时钟慢 13 分钟", "在线", "未登记的设备"),
    "en-GB": (
        "Stations and limits",
        "wrong password",
        "clock 13 min behind",
        "connected",
        "Unregistered devices",
    ),
}


@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
async def test_what_is_wrong_with_a_station_is_seen_at_once(
    browser: Browser, console: Console, locale: str
) -> None:
    """Line, clock and password of each device, strangers with their channels, in both languages; nothing to change."""
    title, password, clock, connected, unregistered = WORDS[locale]
    async with seated(browser, console, "county", locale=locale) as page:
        await expect(page.locator("h1")).to_have_text(title)
        stage, water = (
            page.locator('[data-device="upper-stage"]'),
            page.locator('[data-device="bridge-water"]'),
        )
        await expect(stage).to_contain_text(password)
        await expect(stage).to_contain_text(clock)
        await expect(water).to_contain_text(connected)
        await expect(page.locator("#strangers")).to_contain_text(unregistered)
        await expect(page.locator(f'[data-stranger="{STRANGER}"]')).to_contain_text("w21011")
        await expect(page.locator("#strangers")).to_contain_text("<i>odd</i>")
        await expect(page.locator("button.register")).to_have_count(0)
        await page.check("#problems")
        await expect(water).to_have_count(0)
        await expect(stage).to_be_visible()
        await page.uncheck("#problems")
        await page.fill("#text", "桥头")
        await expect(page.locator("#devices tbody tr")).to_have_count(1)
        await page.reload()
        await expect(page.locator("#devices tbody tr")).to_have_count(1)
        assert await page.input_value("#text") == "桥头"


async def test_the_page_follows_what_happens(browser: Browser, console: Console) -> None:
    """A device that is registered elsewhere appears with the next reading of the list."""
    async with seated(browser, console, "county") as page:
        await expect(page.locator("#devices tbody tr")).to_have_count(3)
        await console.store.register.remove_devices(["shiwan-air"])
        await page.click("#reload")
        await expect(page.locator("#devices tbody tr")).to_have_count(2)
        await expect(page.locator("#as-of")).to_contain_text("数据截至")
        await page.route("**/api/v1/registry/**", lambda route: route.fulfill(status=503, body="{}"))
        await page.click("#reload")
        await expect(page.locator("#as-of")).to_contain_text("数据停在")
        await expect(page.locator("#devices tbody tr")).to_have_count(2)


async def test_a_limit_is_changed_after_a_preview(browser: Browser, console: Console) -> None:
    """The administrator sees a fault, mends it, sees what would change, confirms, and finds it on record."""
    async with seated(browser, console, "admin") as page:
        await page.click('[data-tab="series"]')
        await page.click(f'[data-series="{COD.id}"] button.edit')
        value = page.locator(".limit-row input.value").first
        await value.fill("900")
        await page.click("#send")
        await expect(page.locator("#faults")).to_contain_text("永远不会触发")
        await value.fill("25")
        await page.click("#send")
        await expect(page.locator("#preview")).to_contain_text("蓝 > 20、橙 > 40 → 蓝 > 25、橙 > 40")
        await page.click("#send")
        await expect(page.locator("dialog[open]")).to_have_count(0)
        await expect(page.locator(f'[data-series="{COD.id}"]')).to_contain_text("> 25 mg/L")
        await page.click('[data-tab="changes"]')
        newest = page.locator(".timeline li").first
        await expect(newest).to_contain_text("示例县系统管理")
        await expect(newest).to_contain_text("蓝 > 25")
    (stored,) = (one for one in await console.store.series() if one.id == COD.id)
    assert [limit.value for limit in stored.limits] == [25, 40]


async def test_an_index_is_chosen_where_the_quantity_has_one(browser: Browser, console: Console) -> None:
    """PM2.5 may be limited by an AQI; COD may not."""
    async with seated(browser, console, "admin") as page:
        await page.click('[data-tab="series"]')
        await page.click(f'[data-series="{COD.id}"] button.edit')
        await expect(page.locator(".limit-row select.by")).to_have_count(0)
        await page.keyboard.press("Escape")
        await expect(page.locator("dialog[open]")).to_have_count(0)
        await page.click('[data-series="shiwan-air.pm25"] button.edit')
        await page.fill(".limit-row input.aqi", "200")
        await page.click("#send")
        await expect(page.locator("#preview")).to_contain_text("蓝 > 115 → 蓝 > 150")
        await page.click("#send")
        await expect(page.locator('[data-series="shiwan-air.pm25"]')).to_contain_text("AQI 200")


async def test_a_stranger_becomes_a_station(browser: Browser, console: Console) -> None:
    """Register the device, then one of its channels as a series, and look at it."""
    async with seated(browser, console, "admin") as page:
        await page.click(f'[data-stranger="{STRANGER}"] button.register')
        for name, value in (("id", "new-1"), ("name", "新数采仪"), ("area", "990101101001")):
            await page.fill(f"#field-{name}", value)
        await page.click("#send")
        await expect(page.locator("#preview")).to_contain_text("新增 设备 new-1")
        await page.click("#send")
        await page.click('[data-device="new-1"] a')
        await expect(page.locator("#device")).to_contain_text("不校验密码")
        await page.click('#device button.tag:has-text("w21003")')
        for name, value in (("name", "氨氮"), ("quantity", "ammonia"), ("unit", "mg/L")):
            await page.fill(f"#field-{name}", value)
        await page.select_option("#field-category", "water-pollution")
        await page.click("#add-limit")
        await page.fill(".limit-row input.value", "1.5")
        await page.click("#send")
        await page.click("#send")
        await expect(page.locator('[data-series="new-1.w21003"]')).to_contain_text("> 1.5 mg/L")
        await page.reload()
        await expect(page.locator("#device")).to_have_attribute("data-device", "new-1")
        await page.click("#back")
        await expect(page.locator("#devices tbody tr")).to_have_count(4)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_fits_a_phone(browser: Browser, console: Console, scheme: Literal["light", "dark"]) -> None:
    """Nothing stands out sideways, in lists, on a device and in a form."""
    async with seated(browser, console, "admin", width=360, scheme=scheme) as page:
        for path in (
            "/registry",
            "/registry?tab=series",
            "/registry?tab=changes",
            "/registry?device=bridge-water",
        ):
            await page.goto(path)
            await page.wait_for_selector("html[data-ready]", state="attached")
            assert await page.evaluate("document.documentElement.scrollWidth") <= 360, path
        await page.click("#change-device")
        box = await page.locator("dialog").bounding_box()
        assert box is not None
        assert box["x"] >= 0 and box["x"] + box["width"] <= 360
