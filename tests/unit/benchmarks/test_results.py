"""What benchmarks find is printed, kept and drawn the same way each time."""

from pathlib import Path

import pytest
from matplotlib.figure import Figure

from benchmarks.results import Results, Table, markdown, publish, read_results, results_of, text_of
from domain.errors import FenghuoError

TABLE = Table(
    caption="Found", columns=("method", "POD %", "n"), rows=(("ours", 64.71, 9000), ("peer", None, 1))
)


def found(*, quick: bool = False) -> Results:
    """Results of a made-up benchmark."""
    return results_of("sample", "A sample", [TABLE], notes=["One variant."], setup={"seeds": 3}, quick=quick)


def draw(figure: Figure) -> None:
    """A line."""
    figure.subplots().plot([1, 2], [3, 4])


def test_what_is_kept_is_read_again(tmp_path: Path) -> None:
    """The page is written from the files alone."""
    publish(found(), draw, folder=tmp_path)
    assert read_results(tmp_path / "sample.json") == found()


def test_the_same_figures_make_the_same_files(tmp_path: Path) -> None:
    """A run that changes nothing leaves nothing to commit."""
    for name in ("one", "two"):
        publish(found(), draw, folder=tmp_path / name)
    for file in ("sample.json", "sample.svg"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
    assert b"<dc:date>" not in (tmp_path / "one" / "sample.svg").read_bytes()


def test_a_quick_run_is_not_kept(tmp_path: Path) -> None:
    """It would stand in the place of the full one."""
    publish(found(quick=True), draw, folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_table_in_markdown() -> None:
    """Columns of numbers stand to the right, what was not measured is a dash."""
    assert markdown(TABLE) == (
        "| method | POD % | n |\n| --- | --: | --: |\n| ours | 64.71 | 9,000 |\n| peer | – | 1 |\n"
    )


@pytest.mark.parametrize(
    ("cell", "text"),
    [(0.5, "0.5"), (12345.6, "12,346"), (0.0123456, "0.01235"), (12345, "12,345"), (None, "–")],
)
def test_cells_are_written_short(cell: float | None, text: str) -> None:
    """Four digits that count are enough."""
    assert text_of(cell) == text


def test_a_row_of_another_length_is_refused() -> None:
    """A cell that slipped would stand under the wrong head."""
    with pytest.raises(ValueError, match="Found: 1 cells in a row of 2 columns"):
        Table(caption="Found", columns=("a", "b"), rows=((1,),))


def test_a_file_of_something_else_is_told(tmp_path: Path) -> None:
    """The sentence names the file."""
    (tmp_path / "other.json").write_text("[1]")
    with pytest.raises(FenghuoError, match=r"other\.json holds no results"):
        read_results(tmp_path / "other.json")
