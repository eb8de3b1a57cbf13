"""Roll-ups as packed columns: there are about as many as readings, too many to be written as text.

A message of them has the header `encoding`; without it it is JSON like everything else, and both are read.
"""

from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from domain.errors import Fault, InvalidInput
from domain.findings import LateReading, RollUps

COLUMNS = "application/vnd.fenghuo.columns"
"""Value of the header `encoding`: MessagePack of `_Packed`, numbers little-endian."""
_FORMS = {"series": "<u4", "minute": "<i4", "count": "<u4", "good": "<u4", "total": "<f8"}
_SPREAD = ("low", "high", "last")
"""Of a minute with one good reading they are what `total` is, and are not sent."""
_encoder = msgspec.msgpack.Encoder()


class _Packed(msgspec.Struct, frozen=True, array_like=True):
    """The wire's form. `series` is the place of each row's name in `names`; a column of one number all through has it once.

    `low`, `high` and `last` have the rows with `good` > 1.
    """

    names: list[str]
    series: bytes
    minute: bytes
    count: bytes
    good: bytes
    total: bytes
    low: bytes
    high: bytes
    last: bytes
    late: list[LateReading] = []


class Rows(Protocol):
    """A table of roll-ups: a column of numbers by each name that `RollUps` has."""

    def __getitem__(self, name: str, /) -> NDArray[Any]:
        """Give a column."""
        ...


def pack_rollups(names: list[str], series: NDArray[Any], rows: Rows, late: list[LateReading]) -> bytes:
    """Encode rows as columns; `series` says which of the names each row belongs to."""
    spread = rows["good"] > 1
    return _encoder.encode(
        _Packed(
            names=names,
            series=_column(series, "series"),
            minute=_column(rows["minute"], "minute"),
            count=_column(rows["count"], "count"),
            good=_column(rows["good"], "good"),
            total=rows["total"].astype("<f8").tobytes(),
            low=rows["low"][spread].astype("<f8").tobytes(),
            high=rows["high"][spread].astype("<f8").tobytes(),
            last=rows["last"][spread].astype("<f8").tobytes(),
            late=late,
        )
    )


def _column(numbers: NDArray[Any], name: str) -> bytes:
    column = numbers.astype(_FORMS[name])
    return column[:1].tobytes() if len(column) and (column == column[0]).all() else column.tobytes()


def unpack_rollups(value: bytes) -> RollUps:
    """Decode packed columns; InvalidInput when they are none, of different length, or name no series."""
    try:
        packed = msgspec.msgpack.decode(value, type=_Packed)
        columns = {name: np.frombuffer(getattr(packed, name), form) for name, form in _FORMS.items()}
        spread = {name: np.frombuffer(getattr(packed, name), "<f8") for name in _SPREAD}
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
        raise InvalidInput([Fault("value", f"is no table of roll-ups: {error}")]) from error
    rows = len(columns["total"])
    for name, column in columns.items():
        if len(column) == 1:
            columns[name] = np.repeat(column, rows)
    faults = _wrong_length(columns, rows)
    several = columns["good"] > 1
    faults += _wrong_length(spread, int(several.sum()))
    if (columns["series"] >= len(packed.names)).any():
        faults.append(Fault("series", f"names number {columns['series'].max()} of {len(packed.names)} names"))
    if faults:
        raise InvalidInput(faults)
    for name, part in spread.items():
        columns[name] = columns["total"].copy()
        columns[name][several] = part
    places = columns.pop("series").tolist()
    return RollUps(
        series=[packed.names[place] for place in places],
        late=packed.late,
        **{name: column.tolist() for name, column in columns.items()},
    )


def _wrong_length(columns: dict[str, NDArray[Any]], rows: int) -> list[Fault]:
    return [
        Fault(name, f"has {len(column)} rows where {rows} were to be")
        for name, column in columns.items()
        if len(column) != rows
    ]
