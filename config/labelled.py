"""The labelled sample: what hotline calls are about, by people's judgement, to measure the dictionary against."""

import csv
import hashlib
import io
from collections.abc import Collection, Iterator
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from domain.errors import Fault, InvalidInput

SHIPPED_SAMPLE = Path(__file__).parent / "data" / "labelled_tickets.csv"
COLUMNS = ("text", "category")
"""Without these a file is no sample; `also` and `split` may be missing."""


class Split(StrEnum):
    """The halves of a sample: on one the dictionary is worked out, the other tells what that is worth elsewhere."""

    DEV = "dev"
    TEST = "test"


class Labelled(Struct, frozen=True, kw_only=True):
    """A text with its main category and the others that would do."""

    text: str
    category: str
    also: tuple[str, ...] = ()
    split: Split


def split_of(text: str) -> Split:
    """Tell the half of a text by its digest: nobody chooses."""
    return Split.TEST if hashlib.sha256(text.encode()).digest()[0] % 2 else Split.DEV


def read_labelled(path: Path, categories: Collection[str]) -> list[Labelled]:
    """Read a CSV with the columns text, category, also (slugs with spaces between) and split; InvalidInput with all faults.

    A row without a split belongs to the half that its text falls into.
    """
    try:
        content = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InvalidInput([Fault(str(path), f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise InvalidInput([Fault(path.name, "is not UTF-8")]) from error
    rows = csv.DictReader(io.StringIO(content, newline=""))
    missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
    if missing:
        raise InvalidInput(Fault(path.name, f"has no column {name}") for name in missing)
    found: list[Labelled] = []
    faults: list[Fault] = []
    try:
        for row in rows:
            own = [Fault(f"{path.name}:{rows.line_num}", reason) for reason in _faults(row, categories)]
            faults += own
            if not own:
                found.append(_labelled(row))
    except csv.Error as error:
        faults.append(Fault(f"{path.name}:{rows.line_num}", f"is not CSV: {error}"))
    if faults or not found:
        raise InvalidInput(faults or [Fault(path.name, "holds no rows")])
    return found


def _faults(row: dict[str, str | None], categories: Collection[str]) -> Iterator[str]:
    if not row["text"]:
        yield "has no text"
    for name in (row["category"] or "", *(row.get("also") or "").split()):
        if name not in categories:
            yield f"{name!r} is not a known category"
    if (row.get("split") or Split.DEV) not in tuple(Split):
        yield f"split must be one of {', '.join(Split)}"


def _labelled(row: dict[str, str | None]) -> Labelled:
    text = row["text"] or ""
    return Labelled(
        text=text,
        category=row["category"] or "",
        also=tuple((row.get("also") or "").split()),
        split=Split(row.get("split") or split_of(text)),
    )
