"""The page of detection in a real browser: what is held back, the curve, opening a case, and why an alert was given."""

import os
from collections.abc import AsyncIterator
from datetime import timedelta

import console_world as world
import pytest
import pytest_asyncio
from browser_world import NEEDS, chromium
from console_world import FEVER, NOISE, PASSWORD, RIVER, WAGES, Console, case_of, running_console
from msgspec import structs
from playwright.async_api import Page, expect

from domain.findings import Arrival, Calibration, CalibrationBin, Explanation, HeldBack, Precedent
from domain.incidents import Verdict
from domain.levels import Level

PICTURES = os.environ.get("FENGHUO_TEST_PICTURES")
"""A folder for pictures of what the test saw, for whoever wants to look."""
HELD = structs.replace(FEVER, chance=0.08, held_back=HeldBack.CHANCE)
SPENT = structs.replace(NOISE, chance=0.31, held_back=HeldBack.BUDGET)
CALIBRATION = Calibration(
    county=world.COUNTY,
    at=world.START,
    verdicts=74,
    brier=0.118,
    base_rate=0.31,
    bins=tuple(
        CalibrationBin(low=low, high=high, count=count, mean_chance=chance, found_true=found)
        for low, high, count, chance, found in (
            (0.0, 0.05, 21, 0.03, 1),
            (0.05, 0.1, 9, 0.08, 0),
            (0.1, 0.2, 8, 0.15, 2),
            (0.2, 0.35, 7, 0.27, 2),
            (0.35, 0.5, 6, 0.42, 2),
            (0.5, 0.7, 8, 0.61, 4),
            (0.7, 1.0, 15, 0.86, 12),
        )
    ),
    detectors={"counts": (12, 31), "innovation": (9, 18), "river": (6, 1), "scan (shadow)": (4, 3)},
    alone={"scan (shadow)": 5},
)
PASSING = structs.replace(
    RIVER.evidence[0],
    id=world.case_of(NOISE),
    detector="river",
    terms=("river-1-cod", "river-2-cod"),
    limit=None,
    arrivals=(
        Arrival(
            series="river-3-cod",
            earliest=world.START + timedelta(minutes=20),
            latest=world.START + timedelta(hours=3),
        ),
    ),
)
TOLD = structs.replace(
    RIVER,
    evidence=(*RIVER.evidence, PASSING),
    chance=0.83,
    explanation=Explanation(
        decisive=RIVER.evidence[0].id,
        nearby=("river-2-cod",),
        quiet=4,
        precedent=Precedent(
            alert=WAGES.id,
            opened_at=world.START - timedelta(days=9),
            place=world.QINGXI,
            level=Level.ORANGE,
            verdict=Verdict.TRUE,
        ),
    ),
)

pytestmark = NEEDS


@pytest_asyncio.fixture
async def console(database: str) -> AsyncIterator[Console]:
    """Serve a console with two alerts held back, one that explains itself, and a calibration."""
    async with running_console(database) as running:
        await running.raise_alerts(HELD, SPENT, WAGES, TOLD)
        await running.store.detection.record_calibrations([CALIBRATION])
        yield running


async def signed_in(page: Page, console: Console, goal: str) -> None:
    """Sign in as the county's commander and go to a page."""
    await page.goto(f"{console.server.make_url('/sign-in')}?next={goal}")
    await page.fill("[name=login]", "county")
    await page.fill("[name=password]", PASSWORD)
    await page.click("button.primary")
    await page.wait_for_selector("html[data-ready]", state="attached")


async def look(page: Page, name: str) -> None:
    """Hold that nothing is wider than the window, and take a picture where somebody asked for it."""
    wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if PICTURES:
        await page.screenshot(path=f"{PICTURES}/{name}.png", full_page=True)
    assert wide <= 0, f"{name} is {wide} px too wide"


@pytest.mark.parametrize(
    ("name", "width", "scheme", "locale"),
    [("wide", 1366, "light", "zh-CN"), ("dark", 1366, "dark", "en-GB"), ("phone", 390, "light", "zh-CN")],
)
async def test_an_officer_opens_a_case_from_what_was_held_back(
    console: Console, name: str, width: int, scheme: str, locale: str
) -> None:
    """The list and the curve are there at every width, in light and dark; the button leads to the opened case."""
    faults: list[str] = []
    async with chromium() as browser:
        context = await browser.new_context(
            viewport={"width": width, "height": 844},
            color_scheme=scheme,  # type: ignore[arg-type]  # a literal by the table above
            locale=locale,
        )
        page = await context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)

        await signed_in(page, console, "/detection")
        await expect(page.locator("#held-back tbody tr")).to_have_count(2)
        await expect(page.locator("svg.reliability circle")).to_have_count(7)
        trial = page.locator('[data-detector="scan (shadow)"]')
        await expect(trial.locator(".tag")).to_be_visible()
        await look(page, f"detection-{name}")

        await page.locator(f'[data-alert="{HELD.id}"] .open-alert').click()
        await page.wait_for_url(f"**/incidents/{case_of(HELD)}")
        await expect(page.locator(".timeline .opened_by_hand")).to_be_visible()

        await page.goto(str(console.server.make_url(f"/incidents/{case_of(TOLD)}")))
        await expect(page.locator("#why .nearby li")).to_have_count(1)
        await expect(page.locator("#precedent")).to_have_attribute("href", f"/incidents/{case_of(WAGES)}")
        await expect(page.locator("#why")).to_contain_text("白石河石湾断面")
        await look(page, f"why-{name}")
        await browser.close()
    assert faults == []
