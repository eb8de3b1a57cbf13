"""`fenghuo cap`: messages shown and checked without any platform."""

import json
from pathlib import Path

import pytest
from cap_world import message
from typer.testing import CliRunner, Result

from domain.errors import FenghuoError
from fenghuo.cli import create_cli


def run(*words: object) -> Result:
    """Run the command line."""
    return CliRunner().invoke(create_cli(), ["cap", *map(str, words)])


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """A file with a message."""
    path = tmp_path / "good.xml"
    path.write_bytes(message())
    return path


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    """A file that breaks off, before which something is misspelt."""
    path = tmp_path / "bad.xml"
    path.write_bytes(message().replace(b"Severe", b"Sever"))
    return path


def test_a_message_is_shown_with_the_category_it_means(good: Path) -> None:
    """Whoever connects a feed sees at once whether we understand it."""
    result = run("read", good)
    assert result.exit_code == 0
    assert "暴雨 (Severe): flood, orange; 河西镇" in result.output
    (answer,) = json.loads(run("read", good, "--json").output)
    assert answer["warnings"][0]["category"] == "flood"
    assert answer["signature"] == "none"


def test_all_files_are_checked_and_one_faulty_is_status_1(good: Path, bad: Path, tmp_path: Path) -> None:
    """Every fault has its place; a file that is not there is a fault like any other."""
    result = run("validate", good, bad, tmp_path / "none.xml")
    assert result.exit_code == 1
    assert "good.xml: valid CAP 1.2" in result.output
    assert "is 'Sever', not one of Extreme" in result.output
    assert "none.xml: 1 fault\n" in result.output
    answers = json.loads(run("validate", good, bad, "--json").output)
    assert answers[0]["notes"] == []
    assert answers[1]["faults"][0]["field"] == "info[0].severity"


def test_sending_needs_a_token(good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without one nothing is tried, and the variable is named."""
    monkeypatch.delenv("FENGHUO_CAP_TOKEN", raising=False)
    result = run("read", good, "--post", "http://127.0.0.1:9")
    assert isinstance(result.exception, FenghuoError)
    assert "FENGHUO_CAP_TOKEN is not set" in str(result.exception)


def test_a_gateway_that_does_not_answer_is_one_sentence(
    good: Path, monkeypatch: pytest.MonkeyPatch, free_port: int
) -> None:
    """Nobody listens there."""
    monkeypatch.setenv("FENGHUO_CAP_TOKEN", "token")
    result = run("read", good, "--post", f"http://127.0.0.1:{free_port}")
    assert str(result.exception) == f"The gateway at http://127.0.0.1:{free_port} does not answer."
