"""Recorded series are read from any CSV with a time and a value."""

from pathlib import Path

import pytest

from domain.errors import InvalidInput
from fenghuo.recorded import read_recorded


def write(folder: Path, text: str) -> Path:
    """Write a CSV."""
    path = folder / "series.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_naive_times_are_those_of_shanghai(tmp_path: Path) -> None:
    """What has no offset is taken as local time, and it is told."""
    found = read_recorded(write(tmp_path, "timestamp,value\n2013-07-04 00:00:00,69.9\n"))
    assert found.times[0].isoformat() == "2013-07-04T00:00:00+08:00"
    assert found.naive


def test_rows_that_cannot_be_used_are_counted(tmp_path: Path) -> None:
    """NaN, words and missing cells are skipped, the rest is put in order."""
    text = (
        "at,value\n2020-01-01T01:00:00Z,2\n2020-01-01T00:00:00Z,1\n2020-01-01T02:00:00Z,nan\nnever,3\n2020\n"
    )
    found = read_recorded(write(tmp_path, text))
    assert (found.values, found.skipped, found.naive) == ((1.0, 2.0), 3, False)


@pytest.mark.parametrize("text", ["", "at,value\n", "a,b\n1,2\n", "at,value\nx,y\n"])
def test_a_file_without_a_series_is_refused(tmp_path: Path, text: str) -> None:
    """One sentence says what is missing."""
    with pytest.raises(InvalidInput):
        read_recorded(write(tmp_path, text))
