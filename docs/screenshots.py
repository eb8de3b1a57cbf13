"""Takes pictures of every page of the console: `make screenshots`, or `python docs/screenshots.py ADDRESS LOGIN PASSWORD`.

Needs a running console (such as `make demo`), Debian's `chromium` and `fonts-noto-cjk`, and playwright from the locked
development packages. The table PAGES names each page, who looks at it, and what must be there before the picture is taken;
each is taken in Chinese and in English, light and dark, at a desk's and at a phone's width. Writes docs/images/pages/ (which
is not in git) and, with --readme, the README's pictures in docs/images/.
"""

import argparse
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from playwright.sync_api import Browser, Error, Page, sync_playwright

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
LANGUAGES = ("zh-CN", "en-GB")
THEMES = ("light", "dark")
WIDTHS = {"desk": (1366, 860), "phone": (390, 844)}


@dataclass(frozen=True)
class Shot:
    """One page: its name, its address or the page whose link leads to it, and what is there when it is ready."""

    name: str
    path: str
    ready: str = "main"
    through: str = ""
    """A selector of a link on the page at `path`; the picture is of where it leads. Without such a link there is none."""


PAGES = (
    Shot("queue", "/"),
    Shot("incident", "/", "main", through="tbody a.title"),
    Shot("detection", "/detection"),
    Shot("registry", "/registry"),
    Shot("drills", "/drills"),
    Shot("drill", "/drills", ".drill-band", through="tbody a"),
    Shot("command", "/command"),
    Shot("wall", "/wall"),
    Shot("field", "/field"),
    Shot("roster", "/roster"),
    Shot("account", "/account"),
    Shot("api", "/api"),
    Shot("admin", "/admin"),
    Shot("admin-accounts", "/admin/accounts"),
    Shot("admin-record", "/admin/record"),
)
README = {"queue": "console-queue", "incident": "console-incident", "registry": "console-registry"} | {
    "detection": "console-detection",
    "drill": "console-drill",
    "command": "console-command",
    "field": "console-field",
}
"""Pictures that the README may show, in Chinese, light, at a desk's width."""


def open_page(page: Page, shot: Shot) -> bool:
    """Go to a page and wait until it shows what it has; False for one that is not there, or not for this account."""
    answer = page.goto(shot.path)
    if answer is None or not answer.ok or "/sign-in" in page.url:
        return False
    page.wait_for_load_state("networkidle" if shot.path == "/api" else "load")
    if shot.through:
        if page.locator("script[type=module]").count():
            page.wait_for_selector("html[data-ready]", state="attached")
        if not page.locator(shot.through).count():
            return False
        page.locator(shot.through).first.click()
        page.wait_for_load_state("load")
    if page.locator("script[type=module]").count():
        page.wait_for_selector("html[data-ready]", state="attached")
    page.wait_for_selector(shot.ready)
    return True


def sign_in(page: Page, login: str, password: str) -> None:
    """Sign in by the form."""
    page.goto("/sign-in")
    page.fill("[name=login]", login)
    page.fill("[name=password]", password)
    page.click("button.primary")


def take(browser: Browser, address: str, login: str, password: str, folder: Path) -> Iterator[Path]:
    """Photograph every page of the table in every language, theme and width; the sign-in page as well."""
    folder.mkdir(parents=True, exist_ok=True)
    for language, theme, (width, size) in product(LANGUAGES, THEMES, WIDTHS.items()):
        context = browser.new_context(
            base_url=address,
            locale=language,
            color_scheme="dark" if theme == "dark" else "light",
            viewport={"width": size[0], "height": size[1]},
        )
        page = context.new_page()
        ending = f"{language[:2]}-{theme}-{width}.png"
        page.goto("/sign-in")
        page.screenshot(path=folder / f"sign-in-{ending}")
        yield folder / f"sign-in-{ending}"
        sign_in(page, login, password)
        for shot in PAGES:
            if open_page(page, shot):
                picture = folder / f"{shot.name}-{ending}"
                page.screenshot(path=picture)
                yield picture
            else:
                print(f"{shot.name}: not for {login}, or not there", file=sys.stderr)
        context.close()


def for_readme(folder: Path) -> Iterator[Path]:
    """Copy the pictures that the README shows to their places."""
    for name, place in README.items():
        picture = folder / f"{name}-zh-light-desk.png"
        if picture.exists():
            yield Path(shutil.copyfile(picture, IMAGES / f"{place}.png"))


def main() -> int:
    """Take the pictures and name them; exit 1 in one sentence when the browser finds no console."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("address", help="such as http://127.0.0.1:8000")
    parser.add_argument("login")
    parser.add_argument("password")
    parser.add_argument("--folder", type=Path, default=IMAGES / "pages")
    parser.add_argument("--readme", action="store_true", help="refresh the README's pictures too")
    wishes = parser.parse_args()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=os.environ.get("CHROMIUM") or shutil.which("chromium"), args=ARGUMENTS
            )
            for picture in take(browser, wishes.address, wishes.login, wishes.password, wishes.folder):
                print(picture)
            browser.close()
    except Error as error:
        print(f"no picture: {error.message.splitlines()[0]}", file=sys.stderr)
        return 1
    if wishes.readme:
        print(*for_readme(wishes.folder), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
