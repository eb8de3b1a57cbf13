"""The reference pages that are written from the code are up to date, and links between pages lead somewhere."""

import importlib.util
import re
from pathlib import Path

import pytest

from dashboards.texts import sections
from fenghuo.cli import create_cli

ROOT = Path(__file__).parents[3]
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), *sorted(ROOT.glob("*.md"))]


def test_settings_and_topics_pages_are_what_the_code_says() -> None:
    """Whoever changes a setting or a topic runs docs/write_reference.py."""
    spec = importlib.util.spec_from_file_location("write_reference", ROOT / "docs" / "write_reference.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, write in module.PAGES.items():
        assert (module.REFERENCE / name).read_text(encoding="utf-8") == write(), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_to_files_lead_somewhere(page: Path) -> None:
    """Every relative link and picture of a page exists."""
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if not target.startswith(("http:", "https:", "mailto:")):
            assert (page.parent / target).exists(), target


def test_the_commands_page_names_every_command() -> None:
    """A command that is not on its page cannot be found."""
    page = (ROOT / "docs" / "reference" / "commands.md").read_text(encoding="utf-8")
    cli = create_cli()
    commands = {
        command.name or getattr(command.callback, "__name__", "") for command in cli.registered_commands
    }
    commands |= {group.name for group in cli.registered_groups}
    assert set(re.findall(r"`fenghuo ([a-z]+)`", page)) == commands


def test_the_metrics_page_names_every_metric_of_the_code() -> None:
    """Metrics are found by their page, and the page names no others."""
    page = (ROOT / "docs" / "reference" / "metrics.md").read_text(encoding="utf-8")
    written = set()
    for room in ("config", "streams", "responders", "dashboards"):
        for path in (ROOT / room).rglob("metrics.py"):
            written |= set(re.findall(r'"(fenghuo_\w+)"', path.read_text(encoding="utf-8")))
    assert set(re.findall(r"`(fenghuo_\w+)`", page)) == written


def test_each_problem_of_a_device_that_a_page_names_has_words_on_the_console() -> None:
    """What gateways tell as a slug is read by people."""
    words = sections()["device_problem"]
    named = set()
    for feed in ("environment", "hydrology", "mqtt"):
        page = (ROOT / "docs" / "how-to" / f"connect-{feed}.md").read_text(encoding="utf-8")
        (table,) = re.findall(r"^\| (?:problem|reason) \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", page, re.MULTILINE)
        for row in table.splitlines():
            named |= set(re.findall(r"`([a-z-]+)`", row.split("|")[1]))
    assert len(named) > 20
    assert {name.replace("-", "_") for name in named} <= words.keys()
