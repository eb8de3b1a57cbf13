"""`fenghuo score` answers row by row, by what came before alone, and nothing that comes makes it stumble."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.counts.design import Period
from domain.errors import InvalidInput
from fenghuo.scoring import MAX_LINE, Scored, Scorer, judge_for

START = datetime(2026, 3, 2, tzinfo=UTC)
STEPS = {"week": timedelta(days=7), "day": timedelta(days=1), "hour": timedelta(hours=1)}
BAD = [
    "",
    ",",
    "x,1",
    "2026-03-02,",
    "2026-03-02T00:00:00Z,nan",
    "2026-03-02T00:00:00Z,inf",
    "a,b,c",
    '"',
    "\x00,\x00",
]


def answer(text: str | bytes, domain: Scored = Scored.ENVIRONMENT, period: Period = "day") -> list[str]:
    """The lines that a whole text is answered by."""
    scorer = Scorer(judge_for(domain, period))
    content = text if isinstance(text, bytes) else text.encode()
    return (scorer.feed(content) + scorer.end()).splitlines()


def sensor(count: int, *, spike: int | None = None, stuck_from: int | None = None) -> list[str]:
    """Rows of a quiet sensor at five minutes; a spike is three readings."""
    values = np.random.default_rng(7).normal(10.0, 0.1, count)
    if spike is not None:
        values[spike : spike + 3] += 5.0
    if stuck_from is not None:
        values[stuck_from:] = values[stuck_from]
    return [
        f"{(START + number * timedelta(minutes=5)).isoformat()},{value:.3f}"
        for number, value in enumerate(values)
    ]


def counts(period: Period, count: int, *, outbreak: int | None = None) -> list[str]:
    """Rows of a quiet cell; an outbreak is one period of 30."""
    values = np.random.default_rng(7).poisson(4.0, count)
    if outbreak is not None:
        values[outbreak] = 30
    return [
        f"{(START + number * STEPS[period]).isoformat()},{value}"
        for number, value in enumerate(values.tolist())
    ]


def alarms(lines: list[str]) -> list[int]:
    """The rows with an alarm, counted from 0."""
    return [number for number, line in enumerate(lines[1:]) if line.endswith(",1")]


def test_a_sensor_that_leaves_its_record_is_an_alarm_once() -> None:
    """The second reading of the excursion opens a finding, as in the stream; the third tells nothing new."""
    lines = answer("\n".join(["at,value", *sensor(600, spike=500)]))
    assert lines[0] == "at,value,score,alarm"
    assert alarms(lines) == [501]
    assert float(lines[502].split(",")[2]) >= 0.5
    assert all(0.0 <= float(line.split(",")[2]) < 0.5 for line in lines[1:] if line.endswith(",0"))


def test_a_sensor_that_sticks_is_an_alarm_once() -> None:
    """What a guard holds back after that scores nothing: it says nothing about the world."""
    lines = answer("\n".join(["at,value", *sensor(700, stuck_from=500)]))
    assert len(alarms(lines)) == 1
    assert lines[-1].endswith(",0.000000,0")


@pytest.mark.parametrize("domain", [Scored.HEALTH, Scored.STABILITY])
@pytest.mark.parametrize("period", ["week", "day", "hour"])
def test_a_count_beyond_all_others_is_an_alarm(domain: Scored, period: Period) -> None:
    """One chance in a hundred is an alarm; thirty where four are usual is far beyond."""
    lines = answer("\n".join(["at,value", *counts(period, 200, outbreak=150)]), domain, period)
    assert 150 in alarms(lines)
    assert len(alarms(lines)) <= 8


def test_a_missing_period_is_not_a_zero() -> None:
    """After ten weeks without a row the usual count is still usual, and none is not."""
    rows = counts("week", 150)
    gap = [*rows[:100], *rows[110:]]
    zero = [*rows[:100], *(f"{row.split(',')[0]},0" for row in rows[100:110]), *rows[110:]]
    after_gap, after_zero = (
        answer("\n".join(["at,value", *lines]), Scored.HEALTH, "week") for lines in (gap, zero)
    )
    assert float(after_gap[101].split(",")[2]) < float(after_zero[111].split(",")[2])


lines = st.lists(
    st.one_of(
        st.sampled_from(BAD),
        st.tuples(st.integers(0, 400), st.integers(-3, 60)).map(
            lambda row: f"{(START + row[0] * timedelta(hours=6)).isoformat()},{row[1]}"
        ),
        st.text(alphabet='0123456789-:T.," \r', max_size=30),
    ),
    max_size=60,
)


@settings(deadline=None, max_examples=60)
@given(rows=lines, cut=st.integers(0, 60), domain=st.sampled_from(Scored))
def test_an_answer_hangs_on_nothing_that_follows(rows: list[str], cut: int, domain: Scored) -> None:
    """The answer to the beginning of a file is the beginning of the answer to the file, row for row."""
    whole = answer("".join(f"{line}\n" for line in ["at,value", *sensor(80), *rows]), domain)
    part = answer("".join(f"{line}\n" for line in ["at,value", *sensor(80), *rows[:cut]]), domain)
    assert len(whole) == 81 + len(rows)
    assert whole[: len(part)] == part
    assert all(0.0 <= float(score) <= 1.0 for score in (line.split(",")[-2] for line in whole[1:]) if score)
    assert {line[-2:] for line in whole[1:]} <= {",0", ",1"}


@settings(deadline=None, max_examples=40)
@given(rows=lines, sizes=st.lists(st.integers(1, 200), min_size=1, max_size=20))
def test_an_answer_does_not_hang_on_how_input_is_cut(rows: list[str], sizes: list[int]) -> None:
    """A pipe gives what it has; the same bytes in other pieces have the same answer."""
    content = "\n".join(["at,value", *sensor(30), *rows]).encode()
    scorer = Scorer(judge_for(Scored.ENVIRONMENT, "day"))
    told, begin = "", 0
    while begin < len(content):
        for size in sizes:
            told += scorer.feed(content[begin : begin + size])
            begin += size
    told += scorer.end()
    assert told.splitlines() == answer(content)


@pytest.mark.parametrize(
    "row", [*BAD, "2026-03-02 00:00:00,1", "2026-03-02T12:00:00+08:00,1", "1970-01-01,1", "9999-12-31,1"]
)
def test_a_row_that_cannot_be_judged_has_no_score(row: str) -> None:
    """No time, no number, a time that was there or is behind, or one that no device can mean."""
    told = answer("\n".join(["at,value", *sensor(200), row, ""]))
    assert told[-1].endswith(",,0")
    assert len(told) == 202


def test_a_row_that_cannot_be_judged_teaches_nothing() -> None:
    """The rows around it are answered as if it had not been there."""
    rows = sensor(300, spike=250)
    spoiled = [*rows[:100], "2026-03-02T01:00:00Z,1e9", "x,y", *rows[100:]]
    told = answer("\n".join(["at,value", *spoiled]))
    assert [*told[:101], *told[103:]] == answer("\n".join(["at,value", *rows]))


def test_a_clock_that_jumped_ahead_does_not_make_the_rest_late() -> None:
    """Three readings of the year 2099 are set aside when time goes on where it was."""
    rows = sensor(600, spike=500)
    ahead = [f"2099-01-01T00:0{number}:00Z,10.0" for number in range(3)]
    told = answer("\n".join(["at,value", *rows[:300], *ahead, *rows[300:]]))
    assert 504 in alarms(told)
    assert sum(line.endswith(",,0") for line in told) <= 4


def test_marks_line_ends_and_fractions_change_nothing() -> None:
    """A file from a spreadsheet says the same."""
    rows = sensor(100, spike=90)
    plain = answer("\n".join(["at,value", *rows]))
    windows = answer(b"\xef\xbb\xbf" + "\r\n".join(['"at","Value"', *rows, ""]).encode())
    assert windows == plain
    quoted = answer(
        "\n".join(["at,value", *(f'"{at}","{value}"' for at, value in (row.split(",") for row in rows))])
    )
    assert quoted == plain


@pytest.mark.parametrize(
    "header", ["timestamp,value", "at", "2026-03-02T00:00:00Z,1", "at;value", "at,value,more", ""]
)
def test_a_wrong_header_is_told(header: str) -> None:
    """Both what it must be and what it is."""
    with pytest.raises(InvalidInput, match="the first line must be at,value"):
        answer(f"{header}\n2026-03-02,1\n")


def test_an_endless_line_takes_no_memory() -> None:
    """It is one row, and no row at all."""
    scorer = Scorer(judge_for(Scored.ENVIRONMENT, "day"))
    scorer.feed(b"at,value\n")
    for _ in range(100):
        assert scorer.feed(b"1" * 100_000) == ""
    told = scorer.feed(b"\n")
    assert told.endswith(",,0\n")
    assert len(told) <= MAX_LINE + 20


def run(arguments: list[str], content: bytes) -> subprocess.CompletedProcess[bytes]:
    """Run the command as people do."""
    return subprocess.run(
        [sys.executable, "-m", "fenghuo", "score", *arguments],
        input=content,
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "content", "status", "told"),
    [
        (["--domain", "environment"], b"at,value\n2014-04-01 00:00:00,1\n", 0, b"\n2014-04-01 00:00:00,1,0.000000,0\n"),
        (["--domain", "health", "--period", "week"], b"at,value\n", 0, b"at,value,score,alarm\n"),
        (["--domain", "stability"], b"", 0, b"at,value,score,alarm\n"),
        (["--domain", "environment"], b"timestamp,value\n", 2, b"the first line must be at,value"),
        (["--domain", "weather"], b"at,value\n", 2, b"is none of environment, health, stability"),
        (["--domain", "health", "--period", "year"], b"at,value\n", 2, b"is none of hour, day, week"),
    ],
)  # fmt: skip
def test_the_command(arguments: list[str], content: bytes, status: int, told: bytes) -> None:
    """Answers stand on standard output, sentences on standard error; a wrong call is status 2."""
    done = run(arguments, content)
    assert done.returncode == status
    assert told in (done.stdout if status == 0 else done.stderr)
    assert b"Traceback" not in done.stderr


def test_nobody_reads_on() -> None:
    """`| head` ends the command quietly."""
    rows = "".join(f"{row}\n" for row in ["at,value", *sensor(40_000)])
    command = f"{sys.executable} -m fenghuo score --domain environment | head -2"
    done = subprocess.run(command, shell=True, input=rows.encode(), capture_output=True, check=False)
    assert done.stdout.count(b"\n") == 2
    assert done.stderr == b""
