"""Takes the README's pictures of the console: `python docs/screenshots.py ADDRESS LOGIN PASSWORD`.

Needs a running console (such as `make demo`), Debian's `chromium` and `fonts-noto-cjk`, and playwright from the locked
development packages. Writes docs/images/console-queue.png, console-incident.png, console-registry.png,
console-detection.png, and console-drill.png where a drill was held.
"""

import argparse
import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Error, Page, sync_playwright

IMAGES = Path(__file__).parent / "images"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def shown(page: Page, path: str) -> None:
    """Open a page and wait until it shows what it has and follows the live events."""
    page.goto(path)
    page.wait_for_selector("html[data-ready]", state="attached")
    page.wait_for_selector('#lamp[data-state="live"]')


def take(address: str, login: str, password: str, folder: Path, language: str) -> list[Path]:
    """Sign in and photograph the queue, its first incident with a curve or simply its first, the stations and detection."""
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM") or shutil.which("chromium"), args=ARGUMENTS
        )
        context = browser.new_context(
            base_url=address, locale=language, viewport={"width": 1366, "height": 860}, color_scheme="light"
        )
        page = context.new_page()
        page.goto("/sign-in")
        page.fill("[name=login]", login)
        page.fill("[name=password]", password)
        page.click("button.primary")
        shown(page, "/")
        page.wait_for_selector("tbody tr")
        queue = folder / "console-queue.png"
        page.screenshot(path=queue)
        links = [link.get_attribute("href") or "/" for link in page.locator("tbody a.title").all()]
        for path in links[:10]:
            shown(page, path)
            if page.locator("figure.curve").count():
                page.wait_for_selector("figure.curve canvas")
                break
        else:
            shown(page, links[0])
        incident = folder / "console-incident.png"
        page.screenshot(path=incident)
        shown(page, "/registry")
        page.wait_for_selector("tbody tr")
        registry = folder / "console-registry.png"
        page.screenshot(path=registry)
        shown(page, "/detection")
        detection = folder / "console-detection.png"
        page.screenshot(path=detection)
        pictures = [queue, incident, registry, detection]
        page.goto("/drills")
        if page.locator("tbody a").count():
            page.locator("tbody a").first.click()
            page.wait_for_selector(".drill-band")
            pictures.append(folder / "console-drill.png")
            page.screenshot(path=pictures[-1])
        browser.close()
    return pictures


def main() -> int:
    """Take the pictures and name them; exit 1 in one sentence when the browser finds no console."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("address", help="such as http://127.0.0.1:8000")
    parser.add_argument("login")
    parser.add_argument("password")
    parser.add_argument("--folder", type=Path, default=IMAGES)
    parser.add_argument("--language", default="zh-CN", choices=["zh-CN", "en-GB"])
    wishes = parser.parse_args()
    try:
        pictures = take(wishes.address, wishes.login, wishes.password, wishes.folder, wishes.language)
    except Error as error:
        print(f"no picture: {error.message.splitlines()[0]}", file=sys.stderr)
        return 1
    print("\n".join(map(str, pictures)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
