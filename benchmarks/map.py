"""Frames a second of the console's map in a browser without a GPU: `fenghuo bench map`.

A county of 10,000 grid cells, each with an open case; 1,000 cases a second change their level. The page is the console's own
map module in Debian's Chromium with `--disable-gpu`; frames are what requestAnimationFrame gives.
"""

import json
import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web
from msgspec import Struct
from playwright.async_api import async_playwright

from config.data import load_data
from dashboards.app import STATIC_FOLDER
from dashboards.areamap import pack
from dashboards.texts import Language, browser_texts
from fenghuo.demo.shapes import cell_shapes, lattice_centres
from responders.mapping import choose_levels
from responders.store.command import MapShape, MapShapes

COUNTY = "990101"
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
PAGE = Path(__file__).with_name("map_page.js")
HTML = """<!doctype html><html lang="zh-CN" data-texts="/texts.json"><meta charset="utf-8"><title>map</title>
<link rel="stylesheet" href="/static/console.css"><link rel="stylesheet" href="/static/vendor/leaflet.css">
<link rel="stylesheet" href="/static/map.css"><link rel="stylesheet" href="/static/command.css">
<main><section class="sheet" id="map"></section></main><script type="module" src="/page.js"></script></html>"""


class Found(Struct, frozen=True, kw_only=True):
    """What a run measured; gaps between frames in milliseconds."""

    cells: int
    updates_per_second: float
    repainted_per_second: float
    seconds: float
    ready_ms: float
    frames_per_second: float
    gap_p50: float
    gap_p99: float
    gap_longest: float
    browser: str


def build_map(cells: int) -> bytes:
    """Draw a county of so many cells, packed as /api/v1/map sends it."""
    shapes = cell_shapes(lattice_centres(cells, COUNTY))
    counts: dict[int, int] = {}
    for shape in shapes:
        counts[len(shape.code)] = counts.get(len(shape.code), 0) + 1
    levels = choose_levels(COUNTY, counts)
    drawn = tuple(
        MapShape(shape.code, shape.code, "", None, None, json.dumps(shape.polygons))
        for shape in sorted(shapes, key=lambda shape: (len(shape.code), shape.code))
        if len(shape.code) in levels.drawn
    )
    return pack(MapShapes(COUNTY, levels, drawn), "bench")


@asynccontextmanager
async def serving(packed: bytes) -> AsyncIterator[str]:
    """Serve the page, the console's files and the map; its address."""
    texts = browser_texts(load_data(), Language.ZH)

    async def page(request: web.Request) -> web.StreamResponse:
        match request.path:
            case "/page.js":
                return web.FileResponse(PAGE, headers={"Content-Type": "text/javascript"})
            case "/texts.json":
                return web.Response(body=texts, content_type="application/json")
            case "/api/v1/map":
                headers = {"Content-Encoding": "gzip"}
                return web.Response(body=packed, headers=headers, content_type="application/json")
        return web.Response(text=HTML, content_type="text/html")

    app = web.Application()
    app.add_routes([web.static("/static", STATIC_FOLDER), web.get("/{path:.*}", page)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


async def measure(cells: int, rate: int, seconds: float, say: Callable[[str], None]) -> Found:
    """Measure one run."""
    say(f"drawing {cells:,} cells")
    packed = build_map(cells)
    say(f"{rate:,} updates a second for {seconds:g} s in Chromium")
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    async with serving(packed) as address, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        page = await browser.new_page(viewport={"width": 1920, "height": 1080})
        await page.goto(address)
        await page.wait_for_selector("html[data-ready]", state="attached", timeout=60_000)
        told = await page.evaluate("([rate, ms]) => globalThis.measure(rate, ms)", [rate, seconds * 1000])
        version = browser.version
        await browser.close()
    return Found(cells=cells, seconds=seconds, browser=version, **told)
