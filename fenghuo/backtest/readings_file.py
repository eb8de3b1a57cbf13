"""Recorded readings: CSV, NDJSON or JSON, plain or gzipped, as columns; what a gateway would refuse is told by line."""

import csv
import gzip
import math
import zlib
from array import array
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from domain.decode import NOT_JSON
from domain.errors import Fault, InvalidInput
from domain.inputs import QUALITY_BY_LETTER
from fenghuo.backtest.intake import Columns
from streams.gateway_readings import LooseReading
from streams.packing import EARLIEST, LATEST, micros

SHANGHAI = ZoneInfo("Asia/Shanghai")
COLUMNS = ("series", "observed_at", "value")
REMEMBERED_TIMES = 4_096
"""Stations of a network share their times; so many texts are not parsed again."""
BROKEN = (OSError, EOFError, zlib.error, UnicodeDecodeError)

Tell = Callable[[Fault], None]
Row = tuple[int, str, str | datetime, float, str]
"""Line, series, time, value, quality letter."""


def read_readings(paths: Sequence[Path], known: Sequence[str], tell: Tell) -> Columns:
    """Read files into columns of the known series; each row that cannot be taken is told, and left out.

    Times without a zone are Asia/Shanghai. InvalidInput when a file is none of these forms.
    """
    rows = {name: number for number, name in enumerate(known)}
    index, quality = array("i"), array("B")
    observed, values = array("q"), array("d")
    for path in paths:
        times = _Times()
        for line, series, when, value, letter in _rows(path, tell):
            row, letter_code = rows.get(series), QUALITY_BY_LETTER.get(letter)
            at = times.micros(when)
            reason = _reason(row, at, value, letter_code)
            if reason is not None or row is None or at is None or letter_code is None:
                tell(Fault(f"{path.name}: line {line}", reason or ""))
                continue
            index.append(row)
            observed.append(at)
            values.append(value)
            quality.append(letter_code)
    return Columns(
        known,
        np.frombuffer(index, np.int32) if index else np.zeros(0, np.int32),
        np.frombuffer(observed, np.int64) if observed else np.zeros(0, np.int64),
        np.frombuffer(values, np.float64) if values else np.zeros(0),
        np.frombuffer(quality, np.uint8) if quality else np.zeros(0, np.uint8),
    )


def opened(path: Path) -> IO[str]:
    """Open a text file in UTF-8, with or without a mark, plain or gzipped."""
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _reason(row: int | None, at: int | None, value: float, quality: int | None) -> str | None:
    if row is None:
        return "series is not in the registry file"
    if at is None:
        return "observed_at is no time"
    if not EARLIEST <= at < LATEST:
        return "observed_at is absurd"
    if not math.isfinite(value):
        return "value is no finite number"
    if quality is None:
        return f"quality must be one of {' '.join(QUALITY_BY_LETTER)}"
    return None


class _Times:
    """Parses times, and remembers the last ones."""

    def __init__(self) -> None:
        self._known: dict[str, int | None] = {}

    def micros(self, when: str | datetime) -> int | None:
        if isinstance(when, datetime):
            return micros(when)
        if when not in self._known:
            if len(self._known) >= REMEMBERED_TIMES:
                self._known.clear()
            self._known[when] = _parse(when)
        return self._known[when]


def _parse(text: str) -> int | None:
    try:
        at = datetime.fromisoformat(text.strip())
        return micros(at if at.tzinfo else at.replace(tzinfo=SHANGHAI))
    except (ValueError, OverflowError):
        return None


def _rows(path: Path, tell: Tell) -> Iterator[Row]:
    form = path.name.removesuffix(".gz").rpartition(".")[2].lower()
    try:
        with opened(path) as file:
            match form:
                case "csv":
                    yield from _csv_rows(path.name, file, tell)
                case "ndjson" | "jsonl":
                    yield from _line_rows(path.name, file, tell)
                case _:
                    yield from _json_rows(path.name, file)
    except BROKEN as error:
        raise InvalidInput([Fault(path.name, f"cannot be read: {error}")]) from error
    except csv.Error as error:
        raise InvalidInput([Fault(path.name, f"is no CSV: {error}")]) from error


def _csv_rows(name: str, file: IO[str], tell: Tell) -> Iterator[Row]:
    reader = csv.reader(file)
    header = [column.strip().lower() for column in next(reader, [])]
    missing = [column for column in COLUMNS if column not in header]
    if missing:
        raise InvalidInput(
            [
                Fault(
                    name, f"has no column {', '.join(missing)}: the first line must name {', '.join(COLUMNS)}"
                )
            ]
        )
    series, when, what = (header.index(column) for column in COLUMNS)
    letter = header.index("quality") if "quality" in header else None
    for row in reader:
        if not row:
            continue
        try:
            value = float(row[what])
            quality = (row[letter].strip() if letter is not None and letter < len(row) else "") or "N"
            yield reader.line_num, row[series].strip(), row[when], value, quality
        except (ValueError, IndexError):
            tell(Fault(f"{name}: line {reader.line_num}", "holds no series, time and number"))


def _line_rows(name: str, file: IO[str], tell: Tell) -> Iterator[Row]:
    decoder = msgspec.json.Decoder(LooseReading)
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            reading = decoder.decode(line)
        except NOT_JSON as error:
            tell(Fault(f"{name}: line {number}", str(error)))
            continue
        yield number, reading.series, reading.observed_at, reading.value, reading.quality


def _json_rows(name: str, file: IO[str]) -> Iterator[Row]:
    try:
        readings = msgspec.json.decode(file.read(), type=list[LooseReading])
    except NOT_JSON as error:
        raise InvalidInput([Fault(name, f"is no JSON list of readings: {error}")]) from error
    for number, reading in enumerate(readings, 1):
        yield number, reading.series, reading.observed_at, reading.value, reading.quality
