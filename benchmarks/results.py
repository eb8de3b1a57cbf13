"""What a benchmark found: printed as tables, and kept in `docs/benchmarks/NAME.json` and `NAME.svg` for the page.

A benchmark of quality says what it measured (`Results`), and hands it to `publish` with a function that draws. The files
name no machine and no time, so that the same figures make the same files. A quick run is printed and not kept: it would
stand in the place of the full one.
"""

import argparse
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from rich.console import Console
from rich.table import Table as Grid

from domain.errors import FenghuoError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KEPT = Path(__file__).parent.parent / "docs" / "benchmarks"
LIBRARIES = ("numpy", "numba", "river", "scipy")
"""Their versions may move a figure."""

FILE_WIDTH = 180
"""Columns of a table that goes to a file or a log; a terminal has its own."""

Cell = str | int | float | None
Draw = Callable[["Figure"], None]
"""Draws results into an empty figure."""


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """Figures in rows; a cell that is None could not be measured. Floats are written with four digits that count."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"{self.caption}: {len(row)} cells in a row of {len(self.columns)} columns")


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """What one benchmark found.

    `notes` are sentences that belong to the figures: what was chosen on which data, how many variants were tried, what is
    missing. `setup` are facts that the figures hang on, such as seeds and sizes.
    """

    name: str
    title: str
    command: str
    tables: tuple[Table, ...]
    notes: tuple[str, ...]
    setup: dict[str, Cell]
    versions: dict[str, str]
    quick: bool = False


def results_of(
    name: str,
    title: str,
    tables: Sequence[Table],
    *,
    notes: Sequence[str] = (),
    setup: Mapping[str, Cell] | None = None,
    quick: bool = False,
) -> Results:
    """Put together what a benchmark found, with the versions of what it ran on; `name` is that of its module."""
    return Results(
        name=name,
        title=title,
        command=f"python -m benchmarks.{name}{' --quick' if quick else ''}",
        tables=tuple(tables),
        notes=tuple(notes),
        setup=dict(setup or {}),
        versions={"python": platform.python_version(), **{one: version(one) for one in LIBRARIES}},
        quick=quick,
    )


def arguments(sentence: str) -> argparse.ArgumentParser:
    """Make the parser that benchmarks share; `sentence` says what is measured."""
    parser = argparse.ArgumentParser(description=sentence)
    parser.add_argument("--json", action="store_true", dest="as_json", help="answer in JSON")
    parser.add_argument("--quick", action="store_true", help="a small run, printed and not kept")
    return parser


def publish(
    results: Results, draw: Draw | None = None, *, as_json: bool = False, folder: Path = KEPT
) -> None:
    """Print what was found, and unless it was a quick run keep it as JSON and as a plot."""
    if as_json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(results), indent=2).decode() + "\n")
    else:
        show(results)
    if results.quick:
        return
    folder.mkdir(parents=True, exist_ok=True)
    document = msgspec.json.format(msgspec.json.encode(results), indent=1)
    (folder / f"{results.name}.json").write_bytes(document + b"\n")
    if draw is not None:
        plot(folder / f"{results.name}.svg", draw)


def read_results(path: Path) -> Results:
    """Read what a benchmark kept; FenghuoError when the file is not of this form."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Results)
    except (OSError, msgspec.DecodeError) as error:
        raise FenghuoError(f"{path.name} holds no results of a benchmark: {error}") from error


def show(results: Results) -> None:
    """Print results for people, on standard output."""
    out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else FILE_WIDTH)
    out.print(results.title, style="bold")
    made = {**results.setup, **results.versions}
    out.print(
        "  ".join(f"{name} {text_of(value)}" for name, value in made.items()), style="dim", markup=False
    )
    for table in results.tables:
        grid = Grid(title=table.caption, title_justify="left")
        for number, column in enumerate(table.columns):
            grid.add_column(column, justify="right" if _is_numeric(table, number) else "left")
        for row in table.rows:
            grid.add_row(*map(text_of, row))
        out.print(grid)
    for note in results.notes:
        out.print(f"- {note}", markup=False)


def markdown(table: Table) -> str:
    """Write a table as Markdown, without its caption."""
    rule = ["--:" if _is_numeric(table, number) else "---" for number in range(len(table.columns))]
    rows = [table.columns, rule, *([text_of(cell) for cell in row] for row in table.rows)]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"


def text_of(cell: Cell) -> str:
    """Write a cell: thousands apart, floats with four digits that count, a dash for what was not measured."""
    match cell:
        case None:
            return "–"
        case str():
            return cell
        case int():
            return f"{cell:,}"
        case _:
            return f"{cell:,.0f}" if abs(cell) >= 10_000 else f"{cell:.4g}"


def plot(path: Path, draw: Draw) -> None:
    """Draw into an SVG file that is the same for the same figures."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"svg.hashsalt": path.stem, "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=(8, 4.5), layout="constrained")
        draw(figure)
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})


def _is_numeric(table: Table, column: int) -> bool:
    cells = [row[column] for row in table.rows]
    return any(isinstance(cell, int | float) for cell in cells) and not any(
        isinstance(cell, str) for cell in cells
    )
