"""The wheel holds every package with its data and nothing else; the command line's name leads to it."""

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = ("config", "dashboards", "detectors", "domain", "fenghuo", "responders", "streams")
DATA = {".conf", ".css", ".csv", ".html", ".js", ".json", ".py", ".sql", ".svg", ".toml", ".typed", ".yml"}
NOT_SHIPPED = {"node_modules", "__pycache__"}


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> frozenset[str]:
    """Build the wheel and name its files."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("fenghuo-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return frozenset(archive.namelist())


@pytest.mark.parametrize("package", PACKAGES)
def test_each_package_is_shipped_with_its_data(shipped: frozenset[str], package: str) -> None:
    """Code, settings, SQL, pages, scripts and pictures are in the wheel."""
    files = {
        str(path.relative_to(ROOT))
        for path in (ROOT / package).rglob("*")
        if path.suffix in DATA and not NOT_SHIPPED & set(path.parts)
    }
    assert files - shipped == set()


def test_nothing_else_is_shipped(shipped: frozenset[str]) -> None:
    """Beside our packages the wheel has only what describes it."""
    tops = {name.split("/")[0] for name in shipped}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)
    assert not any(part in name for name in shipped for part in NOT_SHIPPED)


def test_lint_types_and_wheel_cover_the_same_packages() -> None:
    """A package that is shipped is checked."""
    assert PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == list(PACKAGES)
    assert PROJECT["tool"]["importlinter"]["root_packages"] == list(PACKAGES)
    assert set(PACKAGES) <= set(PROJECT["tool"]["mypy"]["packages"])
