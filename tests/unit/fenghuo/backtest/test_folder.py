"""The folder of a back-test is read as offices write it, and what is wrong with it is said at its place."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from config.data import load_data
from config.settings import Settings
from domain.errors import InvalidInput
from domain.inputs import TicketIn
from fenghuo.backtest.example import write_example
from fenghuo.backtest.folder import Recording, read_folder
from fenghuo.backtest.texts_file import source_of
from fenghuo.cli import create_cli
from fenghuo.demo.county import Plan
from fenghuo.demo.networks import build_channels
from fenghuo.demo.places import build_places

DATA = load_data()
AREAS = "code,name\n990101,示例县\n990101101,青溪镇\n"
REGISTRY = """
[[series]]
id = "river-1"
name = "氨氮"
quantity = "ammonia"
unit = "mg/L"
area = "990101101"
category = "water-pollution"
source = "station"
interval_seconds = 60
limits = [{ level = "yellow", value = 2.0 }]
"""
TRUTH = """
[[event]]
slug = "leak"
domain = "environment"
categories = ["water-pollution"]
areas = ["990101101"]
begins = 2026-03-02T08:20:00
ends = 2026-03-02T10:00:00
reference_at = 2026-03-02T08:40:00+08:00
reference = "a fisherman"
"""


def readings() -> str:
    """Two hours of a station, by the minute, without zone; from the thirtieth on it breaks its limit."""
    rows = [
        f"river-1,2026-03-02 {8 + minute // 60:02d}:{minute % 60:02d}:00,{3.0 if minute >= 30 else 0.5}"
        for minute in range(120)
    ]
    return "\n".join(("series,observed_at,value", *rows)) + "\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A whole folder."""
    for name, text in {
        "areas.csv": AREAS,
        "registry.toml": REGISTRY.replace('"yellow"', "2"),
        "readings.csv": readings(),
        "truth.toml": TRUTH,
        "tickets-hotline.csv": "order_number,observed_at,area,text\nT1,2026-03-02 08:50:00,990101101,河水发臭\n",
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def read(folder: Path) -> Recording:
    """Read it under default settings."""
    return read_folder(folder, Settings(), DATA)


def test_a_folder_is_read(folder: Path) -> None:
    """Times without a zone are Shanghai's, a file's name tells the source."""
    found = read(folder)
    assert len(found.readings) == 120
    assert found.span[0].isoformat() == "2026-03-02T00:00:00+00:00"
    (at, source, _, item) = found.items[0]
    assert (at.isoformat(), source) == ("2026-03-02T08:50:00+08:00", "hotline")
    assert isinstance(item, TicketIn)
    assert found.counties == ("990101",)
    assert found.refusals.count == 0


def test_the_command_tells_what_was_found_when(folder: Path) -> None:
    """The second reading over the limit comes at 08:31, nine minutes before the fisherman."""
    answer = CliRunner().invoke(create_cli(), ["backtest", str(folder)])
    assert answer.exit_code == 0
    assert "Probability of detection: 1 of 1; median lead 9 minutes." in answer.stdout
    assert "False among them per county and week: 0; share true: 100%." in answer.stdout


def test_without_truth_the_command_tells_the_load(folder: Path) -> None:
    """What is true is then not known, and nothing is called false."""
    (folder / "truth.toml").unlink()
    answer = CliRunner().invoke(create_cli(), ["backtest", str(folder)])
    assert answer.exit_code == 0
    assert "No truth.toml" in answer.stdout
    assert "false: " not in answer.stdout


@pytest.mark.parametrize("form", ["csv.gz", "ndjson", "json"])
def test_readings_may_come_in_other_forms(folder: Path, form: str) -> None:
    """All forms that a gateway takes say the same."""
    before = read(folder)
    rows = [line.split(",") for line in readings().splitlines()[1:]]
    items = [
        f'{{"series": "{name}", "observed_at": "{at.replace(" ", "T")}+08:00", "value": {value}}}'
        for name, at, value in rows
    ]
    text = {
        "csv.gz": readings(),
        "ndjson": "\n".join(items),
        "json": f"[{','.join(items)}]",
    }[form]
    (folder / "readings.csv").unlink()
    content = text.encode()
    (folder / f"readings-2026.{form}").write_bytes(gzip.compress(content) if form == "csv.gz" else content)
    after = read(folder)
    for name in ("index", "observed", "values", "quality"):
        assert getattr(after.readings, name).tolist() == getattr(before.readings, name).tolist()


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("river-9,2026-03-02T00:00:00Z,1", "series is not in the registry file"),
        ("river-1,yesterday,1", "observed_at is no time"),
        ("river-1,1970-01-01T00:00:00Z,1", "observed_at is absurd"),
        ("river-1,2026-03-02T00:00:00Z,nan", "value is no finite number"),
        ("river-1,2026-03-02T00:00:00Z,", "holds no series, time and number"),
        ("river-1", "holds no series, time and number"),
    ],
)
def test_a_row_that_a_gateway_would_refuse_is_left_out_and_told(folder: Path, row: str, reason: str) -> None:
    """The others are taken; the line is named."""
    with (folder / "readings.csv").open("a", encoding="utf-8") as file:
        file.write(row + "\n")
    found = read(folder)
    assert len(found.readings) == 120
    assert [str(fault) for fault in found.refusals.shown] == [f"readings.csv: line 122: {reason}"]


def test_a_ticket_that_a_gateway_would_refuse_is_told(folder: Path) -> None:
    """Its place is unknown here: so says the answer, with file and line."""
    path = folder / "tickets-hotline.csv"
    path.write_text(
        path.read_text(encoding="utf-8") + "T2,2026-03-02 08:51:00,880101101,路灯不亮\n", encoding="utf-8"
    )
    answer = CliRunner().invoke(create_cli(), ["backtest", str(folder)])
    assert answer.exit_code == 0
    assert "1 rows were refused" in answer.stdout
    assert "tickets-hotline.csv: line 3: area: is not a known area" in answer.stdout


def spoil(name: str, text: str | None) -> Callable[[Path], None]:
    """Put another text into a file, or take it away."""

    def change(folder: Path) -> None:
        if text is None:
            (folder / name).unlink()
        else:
            (folder / name).write_text(text, encoding="utf-8")

    return change


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (spoil("areas.csv", None), "has no areas.csv"),
        (spoil("registry.toml", None), "no registry.toml"),
        (spoil("registry.toml", REGISTRY.replace("water-pollution", "rain")), "'rain' is no category"),
        (spoil("readings.csv", "series,value\n"), "readings.csv: has no column observed_at"),
        (spoil("readings.json", "{"), "readings.json: is no JSON list of readings"),
        (spoil("readings.csv.gz", "no gzip"), "readings.csv.gz: cannot be read"),
        (spoil("truth.toml", "[[event]]\nslug = 'a'"), "truth.toml: event[0].domain: is missing"),
        (spoil("truth.toml", TRUTH.replace("10:00", "08:00")), "event leak: ends: must be later than begins"),
        (spoil("truth.toml", TRUTH.replace("water-pollution", "rain")), "categories: 'rain' is no category"),
        (spoil("truth.toml", "event = 1 2"), "truth.toml: is not TOML"),
    ],
)
def test_a_folder_that_cannot_be_used_is_refused(
    folder: Path, change: Callable[[Path], None], told: str
) -> None:
    """One clear sentence names the file and the reason."""
    change(folder)
    with pytest.raises(InvalidInput) as refused:
        read(folder)
    assert told in str(refused.value)


def test_the_command_ends_with_status_2_when_it_cannot_read(folder: Path) -> None:
    """The sentence stands on standard error, and no traceback."""
    (folder / "areas.csv").unlink()
    answer = CliRunner().invoke(create_cli(), ["backtest", str(folder)])
    assert answer.exit_code == 2
    assert "has no areas.csv" in answer.stderr


def test_an_empty_folder_says_what_belongs_there(tmp_path: Path) -> None:
    """Somebody who tries it out learns what to do."""
    (tmp_path / "areas.csv").write_text(AREAS, encoding="utf-8")
    with pytest.raises(InvalidInput, match=r"holds no input: put readings\*\.csv"):
        read(tmp_path)


def test_a_time_frame_that_is_empty_is_refused(folder: Path) -> None:
    """A rate over no time is no number."""
    answer = CliRunner().invoke(create_cli(), ["backtest", str(folder), "--from", "2026-04-01"])
    assert answer.exit_code == 2
    assert "--from" in answer.stderr


@pytest.mark.parametrize(("name", "source"), [("tickets-a-b.csv", "a-b"), ("tickets.ndjson.gz", "tickets")])
def test_the_source_stands_in_the_name(name: str, source: str) -> None:
    """What stands after the first hyphen."""
    assert source_of(Path(name)) == source


def test_the_example_is_the_demo_county(tmp_path: Path) -> None:
    """What is written is read again: the same series, all calls, and the happenings of the day."""
    plan = Plan(share=0.05, history_days=0.25, hours=2)
    write_example(tmp_path / "county", plan)
    found = read(tmp_path / "county")
    channels = build_channels(build_places(), 0.05)
    assert [(one.id, one.limits) for one in found.series] == [
        (channel.series.id, channel.series.limits) for channel in channels
    ]
    assert len(found.readings) == len(channels) * (24 + 24)
    assert found.truth is not None
    assert {one.slug for one in found.truth.event} == {"wage-dispute", "stuck-sensor", "drifting-sensor"}
    assert found.refusals.count == 0


def test_the_example_overwrites_nothing(folder: Path) -> None:
    """A folder that holds something is left alone."""
    answer = CliRunner().invoke(create_cli(), ["backtest", str(folder), "--example"])
    assert answer.exit_code != 0
    assert "is not empty" in str(answer.exception)
