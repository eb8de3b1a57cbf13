"""Writes the part of the benchmarks' page that tells of detection from what the benchmarks kept; a test compares.

Run it after a benchmark: `python docs/write_benchmarks.py`.
"""

from pathlib import Path

from benchmarks.results import KEPT, Results, markdown, read_results, text_of

PAGE = Path(__file__).parent / "benchmarks.md"
BEGIN, END = "<!-- detection: written by docs/write_benchmarks.py -->", "<!-- detection: end -->"
ORDER = ("nab", "outbreaks", "clusters", "alert_load")
"""Others follow by name."""


def detection_part(folder: Path = KEPT) -> str:
    """Write all that was kept, in Markdown."""
    kept = {path.stem: path for path in sorted(folder.glob("*.json"))}
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


def written(page: str, part: str) -> str:
    """Put the part between its marks; ValueError when the page has none."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name} has no marks {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{part}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), detection_part()), encoding="utf-8")
