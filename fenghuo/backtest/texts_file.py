"""Recorded tickets, reports and bulletins: NDJSON or JSON as sources send them to a gateway, or CSV with the same fields."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from domain.decode import convert, decode_json
from domain.errors import Fault, InvalidInput
from domain.inputs import BulletinIn, ReportIn, TicketIn
from domain.levels import Level
from fenghuo.backtest.readings_file import BROKEN, SHANGHAI, Tell, opened

Text = TicketIn | ReportIn | BulletinIn
LISTS = ("areas", "supersedes")
"""Fields that hold several codes: in a CSV they stand between semicolons."""


def read_texts(paths: Sequence[Path], kind: type[Text], tell: Tell) -> Iterator[tuple[str, str, Text]]:
    """Read files; gives source, place and item of each. What is not of the form is told by line, and left out.

    A file `tickets-hotline.csv` comes from the source `hotline`, `tickets.csv` from `tickets`. InvalidInput when a file
    cannot be read at all.
    """
    for path in paths:
        source = source_of(path)
        try:
            with opened(path) as file:
                for line, content in _items(path, file.read()):
                    place = f"{path.name}: {line}"
                    try:
                        item = (
                            convert(kind, _of_csv(content), lenient=True)
                            if isinstance(content, Mapping)
                            else decode_json(kind, content)
                        )
                    except InvalidInput as error:
                        for fault in error.faults:
                            tell(Fault(f"{place}: {fault.field}", fault.reason))
                        continue
                    yield source, place, item
        except BROKEN as error:
            raise InvalidInput([Fault(path.name, f"cannot be read: {error}")]) from error
        except csv.Error as error:
            raise InvalidInput([Fault(path.name, f"is no CSV: {error}")]) from error


def source_of(path: Path) -> str:
    """Name the source of a file by what stands after the hyphen of its name."""
    stem = path.name.split(".", 1)[0]
    feed, _, source = stem.partition("-")
    return source or feed


def _items(path: Path, text: str) -> Iterator[tuple[str, bytes | dict[str, str]]]:
    match path.name.removesuffix(".gz").rpartition(".")[2].lower():
        case "csv":
            reader = csv.DictReader(text.splitlines(keepends=True), restkey="more")
            for row in reader:
                yield (
                    f"line {reader.line_num}",
                    {name.strip(): value.strip() for name, value in row.items() if isinstance(value, str)},
                )
        case "ndjson" | "jsonl":
            for number, line in enumerate(text.splitlines(), 1):
                if line.strip():
                    yield f"line {number}", line.encode()
        case _:
            for number, item in enumerate(_raw_items(path.name, text), 1):
                yield f"item {number}", item


def _raw_items(name: str, text: str) -> list[bytes]:
    try:
        return [bytes(item) for item in msgspec.json.decode(text, type=list[msgspec.Raw])]
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidInput([Fault(name, f"is no JSON list: {error}")]) from error


def _of_csv(row: Mapping[str, str]) -> dict[str, Any]:
    """Read what CSV cannot say by itself: an empty cell is not there, times get their zone, lists are split."""
    values: dict[str, Any] = {name: value for name, value in row.items() if value}
    for name, value in values.items():
        if name in LISTS:
            values[name] = [part.strip() for part in value.split(";") if part.strip()]
        elif name.endswith("_at"):
            values[name] = _zoned(value)
        elif name == "level" and value.upper() in Level.__members__:
            values[name] = int(Level[value.upper()])
    return values


def _zoned(text: str) -> str:
    """Give a time without a zone that of Shanghai; what is no time stays, to be told as such."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    return (at if at.tzinfo else at.replace(tzinfo=SHANGHAI)).isoformat()
