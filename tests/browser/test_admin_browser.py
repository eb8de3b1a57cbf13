"""The administrator's story in a real browser, in Chinese and English, in both themes; no page has a fault of axe."""

import os
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import pyotp
import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]  # no py.typed
from browser_world import NEEDS
from console_world import DATA, PASSWORD, RIVER, Console, case_of, running_console
from personal_world import KEY, TICKET, ticket
from playwright.async_api import Browser, Page, expect

from config.settings import Settings, SignInSettings
from dashboards.app import create_console

WAIT_MS = 20_000
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
CONTACT_KEY = KEY
ROOMS = (
    "",
    "/accounts",
    "/new-account",
    "/sessions",
    "/areas",
    "/duties",
    "/policies",
    "/roster",
    "/channels",
    "/contacts",
    "/record",
)

pytestmark = NEEDS


@pytest_asyncio.fixture
async def console(database: str) -> AsyncIterator[Console]:
    """Serve a console that asks administrators for a second factor, with a case and a call about it."""
    settings = Settings(
        contact_key=CONTACT_KEY, personal_key=KEY, sign_in=SignInSettings(second_factor=("admin",))
    )
    async with running_console(database) as running:
        await running.raise_alerts(RIVER)
        await running.store.record_tickets([ticket(TICKET, RIVER.place)])
        server = TestServer(create_console(settings, DATA, running.store), host="localhost")
        await server.start_server()
        one = Console(running.store, server)
        yield one
        await server.close()


async def open_page(
    browser: Browser,
    console: Console,
    locale: str,
    scheme: Literal["light", "dark"],
    faults: list[str],
    width: int = 1280,
) -> Page:
    """Open a browser of one's own; a fault in a page or against its policy is noted."""
    context = await browser.new_context(
        base_url=str(console.server.make_url("/")),
        locale=locale,
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
    )
    context.set_default_timeout(WAIT_MS)
    page = await context.new_page()
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    return page


async def look(page: Page, name: str, found: list[str]) -> None:
    """Hold a page against axe, and against its own width; keep a picture where a folder is named."""
    results = await Axe().run(page)
    found += [
        f"{name}: {one['id']}: {one['nodes'][0]['html'][:200]}" for one in results.response["violations"]
    ]
    wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if wide > 0:
        found.append(f"{name}: {wide} pixels too wide")
    if folder := os.environ.get("FENGHUO_TEST_PICTURES"):
        await page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


async def sign_in(page: Page, login: str, goal: str = "/") -> None:
    """Type login and password."""
    await page.goto(f"/sign-in?next={goal}")
    await page.fill("[name=login]", login)
    await page.fill("[name=password]", PASSWORD)
    await page.click("button.primary")


@pytest.mark.parametrize(("locale", "scheme", "width"), [("zh-CN", "light", 1280), ("en-GB", "dark", 390)])
async def test_the_administrators_story(
    browser: Browser, console: Console, locale: str, scheme: Literal["light", "dark"], width: int
) -> None:
    """The authenticator is set up, a post is created and moved with previews, a gap is refused, the record is proved."""
    faults: list[str] = []
    found: list[str] = []
    tag = f"{locale[:2]}-{scheme}"
    page = await open_page(browser, console, locale, scheme, faults, width)
    await page.goto("/sign-in")
    await look(page, f"{tag}-sign-in", found)
    await sign_in(page, "admin", "/admin")
    await expect(page.locator("img.qr")).to_be_visible()
    await look(page, f"{tag}-enrol", found)
    secret = (await page.inner_text("#secret")).replace(" ", "")
    await page.fill("[name=code]", pyotp.TOTP(secret).now())
    await page.click("button.primary")
    await expect(page.locator("#codes li")).to_have_count(10)
    await look(page, f"{tag}-recovery", found)
    await page.click("button.primary")
    await expect(page).to_have_url(re.compile(r":\d+/admin$"))
    for room in ROOMS:
        await page.goto(f"/admin{room}")
        await look(page, f"{tag}-admin{room.replace('/', '-')}", found)
    await page.goto("/admin/new-account")
    await page.fill("[name=login]", "qingxi3")
    await page.fill("[name=display]", "青溪镇应急办")
    await page.fill("[name=area]", "990101101")
    await page.click("#show-change")
    await expect(page.locator("#preview")).to_contain_text("青溪镇")
    await look(page, f"{tag}-preview", found)
    await page.click("#confirm")
    await expect(page.locator("#password")).to_be_visible()
    await page.goto("/admin/accounts/baishi")
    await page.check("[name=disabled]")
    await page.click("#show-change")
    await expect(page.locator("#faults")).to_be_visible()
    assert await page.locator("#confirm").count() == 0
    await look(page, f"{tag}-refused", found)
    await page.goto("/admin/record")
    await page.click("#verify")
    await expect(page.locator("#proof")).to_contain_text("✓")
    await look(page, f"{tag}-record", found)
    await page.goto("/account")
    await look(page, f"{tag}-account", found)
    again = await open_page(browser, console, locale, scheme, faults, width)
    await sign_in(again, "admin", "/admin")
    await look(again, f"{tag}-code", found)
    await again.fill("[name=code]", pyotp.TOTP(secret).at(time.time() + 30))
    await again.click("button.primary")
    await expect(again).to_have_url(re.compile(r":\d+/admin$"))
    assert found == []
    assert [one for one in faults if "409" not in one] == []
    await page.context.close()
    await again.context.close()


async def test_a_passkey_signs_in(browser: Browser, console: Console) -> None:
    """Made on the page of one's own account, it opens without login and password; removed, it opens nothing."""
    faults: list[str] = []
    page = await open_page(browser, console, "zh-CN", "light", faults)
    devtools = await page.context.new_cdp_session(page)
    await devtools.send("WebAuthn.enable")
    await devtools.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    await sign_in(page, "qingxi", "/account")
    await page.fill("#passkey-new [name=name]", "值班室电脑")
    await page.click("#passkey-new button")
    await expect(page.locator("[role=status]")).to_contain_text("通行密钥已添加")
    await page.click("form[action='/sign-out'] button")
    await page.goto("/sign-in?next=/drills")
    await page.click("#passkey-use")
    await expect(page).to_have_url(re.compile(r":\d+/drills$"))
    await page.goto("/account")
    await page.click("form[action='/account/passkeys/remove'] button")
    await expect(page.locator("[role=status]")).to_contain_text("通行密钥已删除")
    await page.click("form[action='/sign-out'] button")
    await page.goto("/sign-in")
    await page.click("#passkey-use")
    await expect(page.locator("#passkey-fault")).to_be_visible()
    assert [one for one in faults if "403" not in one] == []
    await page.context.close()


async def test_a_commander_opens_a_caller(browser: Browser, console: Console) -> None:
    """From the case to its calls, masked; opened with a reason; axe finds nothing in either theme."""
    faults: list[str] = []
    found: list[str] = []
    for scheme in SCHEMES:
        page = await open_page(browser, console, "zh-CN", scheme, faults)
        await sign_in(page, "county", f"/incidents/{case_of(RIVER)}/sources")
        await expect(page.locator("main")).to_contain_text("〔姓名〕")
        await look(page, f"sources-{scheme}", found)
        await page.click("details.form summary")
        await page.fill("[name=reason]", "联系来电人核实排污口位置")
        await page.click("details.form button")
        await expect(page.locator("#opened")).to_contain_text("13800138000")
        await look(page, f"sources-opened-{scheme}", found)
        await page.context.close()
    assert found == []
    assert faults == []
