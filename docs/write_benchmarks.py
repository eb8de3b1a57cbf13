"""Writes the parts of the benchmarks' page on detection and storms from what the benchmarks kept; a test compares.

Run it after a benchmark: `python docs/write_benchmarks.py`.
"""

from collections.abc import Mapping
from pathlib import Path

from benchmarks.results import KEPT, Results, markdown, read_results, text_of

PAGE = Path(__file__).parent / "benchmarks.md"
ORDER = ("nab", "outbreaks", "clusters", "alert_load")
"""Others follow by name."""
STORM = "storm"


def parts(folder: Path = KEPT) -> dict[str, str]:
    """Write all parts of the page, by their marks."""
    return {"detection": detection_part(folder), STORM: storm_part(folder)}


def storm_part(folder: Path = KEPT) -> str:
    """Write what the storm kept, in Markdown."""
    path = folder / f"{STORM}.json"
    return (
        _section(read_results(path), folder)
        if path.exists()
        else f"`python -m benchmarks.{STORM}` measures it.\n"
    )


def detection_part(folder: Path = KEPT) -> str:
    """Write all that was kept of detection, in Markdown."""
    kept = {path.stem: path for path in sorted(folder.glob("*.json")) if path.stem != STORM}
    names = [name for name in ORDER if name in kept] + [name for name in kept if name not in ORDER]
    return "\n".join(_section(read_results(kept[name]), folder) for name in names)


def _section(results: Results, folder: Path) -> str:
    lines = [f"### {results.title}", ""]
    for table in results.tables:
        lines += [f"{table.caption}:", "", markdown(table)]
    if (folder / f"{results.name}.svg").exists():
        lines += [f"![{results.title}](benchmarks/{results.name}.svg)", ""]
    lines += [f"- {_one_line(note)}" for note in results.notes]
    made = ", ".join(
        f"{name} {_one_line(text_of(value))}" for name, value in (results.setup | results.versions).items()
    )
    lines += [f"- `{results.command}`: {made}.", ""]
    return "\n".join(lines)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def written(page: str, parts: Mapping[str, str]) -> str:
    """Put each part between its marks; ValueError when the page has none."""
    for name, part in parts.items():
        opening, closing = f"<!-- {name}: written by docs/write_benchmarks.py -->", f"<!-- {name}: end -->"
        before, begin, rest = page.partition(opening)
        _, end, after = rest.partition(closing)
        if not begin or not end:
            raise ValueError(f"{PAGE.name} has no marks {opening} and {closing}")
        page = f"{before}{opening}\n\n{part}\n{closing}{after}"
    return page


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), parts()), encoding="utf-8")
