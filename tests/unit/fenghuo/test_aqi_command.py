"""`fenghuo aqi` for people and for programs."""

import csv
import io
import json

import pytest
from click.testing import Result
from typer.testing import CliRunner

from domain.errors import InvalidInput
from fenghuo.cli import create_cli


def fenghuo(*words: str, text: str | None = None) -> Result:
    """Run the command."""
    return CliRunner().invoke(create_cli(), ["aqi", *words], input=text)


def test_values_become_an_index_with_its_primary_pollutants() -> None:
    """Without an averaging time the mean of daily reports is meant, and the date chooses the edition."""
    told = fenghuo("pm25=75", "o3=100", "--date", "2026-03-01").stdout
    assert "AQI 114  轻度污染 (lightly polluted)  HJ 633-2026" in told
    assert "primary: pm25" in told
    assert "o3 8h 100: IAQI 50" in told
    old = json.loads(fenghuo("PM2.5=75", "so2_1h=900", "--date", "2026-02-28", "--json").stdout)
    assert (old["aqi"], old["level"], old["iaqi"]) == (100, "良", {"pm25_24h": 100, "so2_1h": None})
    assert "HJ 633-2026" in fenghuo("pm25=1").stdout


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("pm25",), "must be NAME=VALUE"),
        (("pm25=many", "co=x"), "pm25: 'many' is no number; co: 'x'"),
        (("radon=1",), "'radon' must be one of"),
        (("pm25=1", "--date", "tomorrow"), "no date such as"),
    ],
)
def test_wrong_words_are_one_sentence(words: tuple[str, ...], reason: str) -> None:
    """Every fault is told."""
    error = fenghuo(*words).exception
    assert isinstance(error, InvalidInput)
    assert reason in str(error)


ROWS = """\
date,station,pm25,pm10_24h,o3_8h
2026-02-28,石桥,75,20,50
2026-03-01,石桥,75,250,
2026-03-01T08:00:00,石桥,x,-1,
,城关,,,
"""


def test_each_row_comes_back_with_its_index() -> None:
    """Rows keep their own columns; a row with a fault says so and the others are answered, with status 1."""
    result = fenghuo("--date", "2026-03-01", text=ROWS)
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert result.exit_code == 1
    assert [(row["station"], row["aqi"], row["primary"]) for row in rows] == [
        ("石桥", "100", "pm25"),
        ("石桥", "150", "pm10"),
        ("石桥", "", ""),
        ("城关", "", ""),
    ]
    assert "'x' is no number" in rows[2]["fault"]
    assert "none has an index" in rows[3]["fault"]
    told = json.loads(fenghuo("--json", text="\n".join(ROWS.splitlines()[:3])).stdout)
    assert [row["standard"] for row in told] == ["HJ 633-2012", "HJ 633-2026"]


def test_a_table_without_pollutants_is_refused() -> None:
    """Nothing is answered where nothing was asked."""
    assert "has no column of" in str(fenghuo(text="a,b\n1,2\n").exception)
    assert "has no column of" in str(fenghuo(text="").exception)
