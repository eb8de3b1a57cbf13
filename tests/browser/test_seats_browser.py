"""An officer's seat in a real browser: filters, undo, dialogs, sound, an ended session, the roster; read by axe-core."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]  # ships no types
from browser_world import NEEDS
from console_world import FEVER, PASSWORD, RIVER, WAGES, Console, case_of, running_console
from playwright.async_api import Browser, Page, expect

WAIT_MS = 20_000
WORDS = {
    "zh-CN": ("红", "已撤回确认接收", "已完成：定级", "值班表", "已立案"),
    "en-GB": ("Red", "Acknowledgement taken back", "Done: Decide the grade", "Roster", "Opened"),
}

pytestmark = NEEDS


@pytest_asyncio.fixture
async def console(database: str) -> AsyncIterator[Console]:
    """Serve a console over a filled database with three cases."""
    async with running_console(database) as running:
        await running.raise_alerts(RIVER, FEVER, WAGES)
        yield running


async def sign_in(page: Page) -> None:
    """Fill the form as the county does."""
    await page.fill("[name=login]", "county")
    await page.fill("[name=password]", PASSWORD)
    await page.click("button.primary")


async def ready(page: Page) -> None:
    """Wait until the page shows what it has."""
    await page.wait_for_selector("html[data-ready]", state="attached")


@asynccontextmanager
async def seated(
    browser: Browser, console: Console, locale: str = "zh-CN", theme: str = "light"
) -> AsyncIterator[Page]:
    """Sit down as the county; a fault in a page's script fails the test."""
    context = await browser.new_context(
        base_url=str(console.server.make_url("/")),
        locale=locale,
        color_scheme="dark" if theme == "dark" else "light",
    )
    context.set_default_timeout(WAIT_MS)
    faults: list[str] = []
    page = await context.new_page()
    page.on("pageerror", lambda error: faults.append(str(error)))
    await page.goto("/")
    await sign_in(page)
    await ready(page)
    yield page
    await context.close()
    assert faults == []


@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
async def test_the_officers_night(browser: Browser, console: Console, locale: str) -> None:
    """Filter, keep the view, acknowledge and take it back, open a case by hand, decide a grade, look at the roster."""
    red, undone, graded, roster, opened = WORDS[locale]
    async with seated(browser, console, locale) as page:
        await page.click('[data-level="4"]')
        await expect(page.locator("tbody tr")).to_have_count(1)
        await expect(page.locator("tbody .level b")).to_have_text(red)
        await page.click("#save-view")
        await page.fill("#field-name", "夜班")
        await page.click("dialog[open] button.primary")
        await expect(page.locator("#views")).to_have_value("夜班")
        await page.keyboard.press("j")
        await page.keyboard.press("a")
        await page.wait_for_selector("#undo")
        await page.keyboard.press("u")
        await expect(page.locator("#notices")).to_contain_text(undone)
        await expect(page.locator("tbody button.acknowledge")).to_have_count(1)
        await page.keyboard.press("/")
        await page.keyboard.type("no such words")
        await expect(page.locator("tbody tr")).to_have_count(0)
        await page.keyboard.press("Escape")
        await page.keyboard.press("?")
        await page.wait_for_selector("#help[open]")
        await page.keyboard.press("Escape")
        await page.click("#open-case")
        await page.select_option("#field-category", "flood")
        await page.select_option("#field-place", "990101102")
        await page.check('input[name="level"][value="yellow"]')
        await page.fill("#field-text", "河水漫堤 <script>alert(1)</script>")
        await page.click("dialog[open] button.primary")
        await expect(page.locator("#notices")).to_contain_text(opened)
        await page.goto(f"/incidents/{case_of(RIVER)}")
        await ready(page)
        await page.wait_for_selector("#related li")
        await page.click("#more summary")
        await page.click('[data-command="grade"]')
        await page.check('input[name="grade"][value="1"]')
        await page.click("dialog[open] button.primary")
        await expect(page.locator("#notices")).to_contain_text(graded)
        await page.goto("/roster")
        await ready(page)
        await expect(page.locator("h1")).to_have_text(roster)
        await expect(page.locator("table.week tbody tr")).to_have_count(3)


async def test_nothing_typed_is_lost_when_the_session_ends(browser: Browser, console: Console) -> None:
    """The page waits with what was typed; after signing in elsewhere the same command goes on by itself."""
    async with seated(browser, console) as page:
        await page.goto(f"/incidents/{case_of(RIVER)}")
        await ready(page)
        await page.check('input[name="verdict"][value="true"]')
        await page.fill("#decide-note", "已派员到场")
        await page.context.clear_cookies()
        await page.click("#decide form button")
        async with page.context.expect_page() as opening:
            await page.click("#sign-in-again a")
        other = await opening.value
        await sign_in(other)
        await ready(other)
        await expect(page.locator(".timeline")).to_contain_text("已派员到场")
        await expect(page.locator("#sign-in-again")).to_have_count(0)


async def test_red_breaks_the_mute(browser: Browser, console: Console) -> None:
    """A muted seat stays silent for orange and sounds for red; whoever cannot hear sees it."""
    async with seated(browser, console) as page:
        told = await page.evaluate(
            """async () => {
                const at = document.querySelector('script[src$="head.js"]').src.replace("head.js", "alarm.js");
                const { alarmOf } = await import(at);
                const row = (level, by) => ({ level, state: "detected", acknowledged_at: by });
                return [alarmOf(row(3, null), undefined, true), alarmOf(row(4, null), undefined, true),
                    alarmOf(row(3, null), undefined, false), alarmOf(row(3, null), 3, false),
                    alarmOf(row(4, null), 3, false), alarmOf(row(4, "2026-03-02"), undefined, false)];
            }"""
        )
        assert told == ["muted", "sounds", "sounds", "silent", "sounds", "silent"]
        await page.click("#sound-enable")
        await page.click("#sound-mute")
        await expect(page.locator("#sound-mute")).to_have_attribute("aria-pressed", "true")


async def test_a_wrong_clock_of_the_pc_changes_nothing(browser: Browser, console: Console) -> None:
    """Ages and countdowns go by the server's clock."""
    async with seated(browser, console) as page:
        await page.add_init_script("const real = Date.now; Date.now = () => real() + 7 * 3600e3;")
        await page.reload()
        await ready(page)
        assert (await page.inner_text("#date")) == "2026-03-02"
        await expect(page.locator("tbody .opened small").first).to_contain_text("刚刚")


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_read_by_axe(browser: Browser, console: Console, theme: str) -> None:
    """No violations on the queue, a dialog, a case and the roster."""
    async with seated(browser, console, theme=theme) as page:
        found: dict[str, str] = {}
        for path, opens in (
            ("/", None),
            ("/", "#open-case"),
            (f"/incidents/{case_of(RIVER)}", "#more summary"),
            ("/roster", None),
        ):
            await page.goto(path)
            await ready(page)
            if opens:
                await page.click(opens)
            violations = (await Axe().run(page)).response["violations"]
            found |= {f"{path} {opens} {one['id']}": one["nodes"][0]["html"] for one in violations}
        assert found == {}
