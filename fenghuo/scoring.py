"""Rows `at,value` of one series to rows `at,value,score,alarm`, as they come: each answered by those before it alone. Pure.

A line of input is a row, and each has its answer at once; nothing depends on what follows it or on how the input is cut
into pieces. Memory is bounded, whatever comes.
"""

import csv
import io
import math
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol, assert_never
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from detectors.counts.alone import OneCount
from detectors.counts.design import Period
from detectors.series.alone import OneSeries
from domain.errors import Fault, InvalidInput
from streams.packing import EARLIEST, LATEST, micros

SHANGHAI = ZoneInfo("Asia/Shanghai")
HEADER = ("at", "value")
ANSWERED = "at,value,score,alarm\n"
MARK = b"\xef\xbb\xbf"
NO_ENDS = {ord("\r"): " ", 0: " "}
MAX_LINE = 4_096
"""Bytes of a line that are kept: a longer one is no row, and is answered as such."""


class Scored(StrEnum):
    """The domains that have a series to be scored."""

    ENVIRONMENT = "environment"
    HEALTH = "health"
    STABILITY = "stability"


class Judge(Protocol):
    """Judges the rows of one series in their order."""

    def judge(
        self, observed: NDArray[np.int64], values: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Answer scores in [0, 1], NaN for rows that cannot be judged, and alarms."""
        ...


def judge_for(domain: Scored, period: Period) -> Judge:
    """Make what the stream judges such a series by, with the stream's defaults; only counts have a period."""
    match domain:
        case Scored.ENVIRONMENT:
            return OneSeries()
        case Scored.HEALTH | Scored.STABILITY:
            return OneCount(period)
        case _:
            assert_never(domain)


class Scorer:
    """Takes a CSV in pieces of any size and gives back the answer to all lines that are complete."""

    def __init__(self, judge: Judge) -> None:
        """Take who judges; the first line will be the header."""
        self._judge = judge
        self._rest = b""
        self._has_header = False

    def feed(self, piece: bytes) -> str:
        """Answer the lines that end in this piece; InvalidInput when the first line is not the header."""
        *lines, rest = piece.split(b"\n")
        if lines:
            lines[0] = self._rest + lines[0]
            self._rest = b""
        self._rest = (self._rest + rest)[: MAX_LINE + 1]
        return self._answer(lines)

    def end(self) -> str:
        """Answer a last line that no line break follows."""
        rest, self._rest = self._rest, b""
        return self._answer([rest]) if rest else ""

    def _answer(self, lines: Sequence[bytes]) -> str:
        if not lines:
            return ""
        if not self._has_header:
            check_header(lines[0])
            self._has_header = True
            return ANSWERED + self._answer(lines[1:])
        rows = [_Row.of(line) for line in lines]
        good = [row for row in rows if row.at is not None]
        scores, alarms = self._judge.judge(
            np.array([row.at for row in good], np.int64), np.array([row.value for row in good], np.float64)
        )
        answers = iter(zip(scores.tolist(), alarms.tolist(), strict=True))
        return "".join(
            f"{row.text},,0\n"
            if row.at is None or math.isnan((answer := next(answers))[0])
            else f"{row.text},{answer[0]:.6f},{answer[1]:d}\n"
            for row in rows
        )


def check_header(line: bytes) -> None:
    """Check the first line of a file; InvalidInput saying what is wrong with it."""
    names = [name.strip() for name in _cells(_text(line.removeprefix(MARK)))]
    if [name.lower() for name in names] != list(HEADER):
        found = ",".join(names)[:80]
        raise InvalidInput(
            [Fault("header", f"the first line must be {','.join(HEADER)} (time, number), and is {found!r}")]
        )


class _Row:
    """One line: its time (µs) and value if it has both, and how it is written in the answer."""

    __slots__ = ("at", "text", "value")

    def __init__(self, at: int | None, value: float, text: str) -> None:
        self.at = at
        self.value = value
        self.text = text

    @classmethod
    def of(cls, line: bytes) -> "_Row":
        """Read a line; one that is no row has no time, and is written as two cells that hold what it said."""
        text = _text(line)
        cells = _cells(text)
        if len(cells) != len(HEADER) or len(line) > MAX_LINE:
            return cls(None, math.nan, _written([cells[0] if cells else "", ",".join(cells[1:])]))
        if '"' in text:
            text = _written(cells)
        try:
            at = datetime.fromisoformat(cells[0].strip())
            value = float(cells[1])
        except ValueError:
            return cls(None, math.nan, text)
        since = micros(at if at.tzinfo is not None else at.replace(tzinfo=SHANGHAI))
        if not math.isfinite(value) or not EARLIEST <= since < LATEST:
            return cls(None, math.nan, text)
        return cls(since, value, text)


def _text(line: bytes) -> str:
    """Decode a line. What is no UTF-8 is marked as such; what other readers would take for an end of line is a space."""
    return line.removesuffix(b"\r").decode(errors="replace").translate(NO_ENDS)


def _cells(text: str) -> list[str]:
    if '"' not in text:
        return text.split(",")
    try:
        return next(csv.reader([text]), [])
    except csv.Error:
        return [text]


def _written(cells: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(cells)
    return out.getvalue()
