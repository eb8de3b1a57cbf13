"""The part of the benchmarks' page that tells of detection says what the benchmarks kept, and make runs each of them."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from benchmarks.results import KEPT, read_results

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def writer() -> ModuleType:
    """The script that writes the page."""
    spec = importlib.util.spec_from_file_location("write_benchmarks", ROOT / "docs" / "write_benchmarks.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_says_what_was_kept(writer: ModuleType) -> None:
    """Whoever runs a benchmark anew runs docs/write_benchmarks.py."""
    page = writer.PAGE.read_text(encoding="utf-8")
    assert writer.written(page, writer.parts()) == page


def test_a_page_without_marks_is_left_alone(writer: ModuleType) -> None:
    """Better no page than one that lost its other half."""
    with pytest.raises(ValueError, match="has no marks"):
        writer.written("# Benchmarks\n", {"detection": "part"})


@pytest.mark.parametrize("path", sorted(KEPT.glob("*.json")), ids=lambda path: path.stem)
def test_what_was_kept_comes_from_a_full_run_and_names_no_machine(path: Path) -> None:
    """A quick run must not stand for a full one, nor a figure tell of a folder or a host."""
    results = read_results(path)
    assert (results.name, results.quick) == (path.stem, False)
    assert not re.search(r"/(work|home|tmp|root)/|localhost|127\.0\.0\.1", path.read_text(encoding="utf-8"))


def test_make_runs_benchmarks_that_there_are() -> None:
    """A name that is none would stop the others."""
    names = re.search(r"^DETECTION \?= (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert names is not None
    missing = [name for name in names[1].split() if not (ROOT / "benchmarks" / f"{name}.py").exists()]
    assert missing == []
