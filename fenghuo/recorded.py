"""Recorded series: any CSV with a time and a value, as other systems export it."""

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from zoneinfo import ZoneInfo

from domain.errors import Fault, InvalidInput

SHANGHAI = ZoneInfo("Asia/Shanghai")
TIME_NAMES = ("timestamp", "at", "time", "datetime", "date", "observed_at", "时间")
VALUE_NAMES = ("value", "val", "reading", "y", "数值", "值")
SHOWN_FAULTS = 5


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recorded series in order of time, one value per time; `skipped` rows held no number or no time."""

    times: tuple[datetime, ...]
    values: tuple[float, ...]
    skipped: int
    naive: bool

    @property
    def interval_seconds(self) -> float:
        """Tell the usual distance between readings."""
        gaps = [
            (later - earlier).total_seconds()
            for earlier, later in zip(self.times, self.times[1:], strict=False)
        ]
        return median(gaps) if gaps else 60.0


def read_recorded(path: Path, *, time_column: str | None = None, value_column: str | None = None) -> Recorded:
    """Read a CSV with a header; InvalidInput when it has no usable columns or rows.

    Times without an offset are taken as Asia/Shanghai. Of rows with the same time the last one stays.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file))
    except OSError as error:
        raise InvalidInput([Fault(str(path), f"cannot be read: {error.strerror}")]) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidInput([Fault(str(path), f"is no CSV in UTF-8: {error}")]) from error
    if len(rows) < 2:
        raise InvalidInput([Fault(str(path), "holds no header and rows")])
    header = [name.strip() for name in rows[0]]
    when = _column(header, time_column, TIME_NAMES, "time")
    what = _column(header, value_column, VALUE_NAMES, "value")
    found: dict[datetime, float] = {}
    skipped, naive = 0, False
    for row in rows[1:]:
        reading = _reading(row, when, what)
        if reading is None:
            skipped += 1
            continue
        at, value = reading
        naive = naive or at.tzinfo is None
        found[at if at.tzinfo else at.replace(tzinfo=SHANGHAI)] = value
    if not found:
        raise InvalidInput(
            [Fault(str(path), f"has no row with a time in {header[when]!r} and a number in {header[what]!r}")]
        )
    times = sorted(found)
    return Recorded(tuple(times), tuple(found[at] for at in times), skipped, naive)


def _column(header: Sequence[str], wish: str | None, names: Sequence[str], what: str) -> int:
    if wish is not None:
        if wish not in header:
            raise InvalidInput([Fault(f"{what} column", f"{wish!r} is not among {', '.join(header)}")])
        return header.index(wish)
    lower = [name.lower() for name in header]
    for name in names:
        if name in lower:
            return lower.index(name)
    raise InvalidInput(
        [Fault(f"{what} column", f"none of {', '.join(header)} looks like one: name it with --{what}-column")]
    )


def _reading(row: Sequence[str], when: int, what: int) -> tuple[datetime, float] | None:
    try:
        at, value = datetime.fromisoformat(row[when].strip()), float(row[what])
    except (ValueError, IndexError):
        return None
    return (at, value) if math.isfinite(value) else None
