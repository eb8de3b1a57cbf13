"""Roll-ups as packed columns: there and back, and what is no table."""

from datetime import UTC, datetime

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import codec
from domain.errors import InvalidInput
from domain.findings import LateReading, RollUps
from domain.rollups import COLUMNS, pack_rollups, unpack_rollups
from domain.topics import ROLLUPS

FORM = np.dtype(
    [
        ("minute", "i8"),
        ("count", "u4"),
        ("good", "u4"),
        ("total", "f8"),
        ("low", "f8"),
        ("high", "f8"),
        ("last", "f8"),
    ]
)
HEADERS = [*codec.headers_for(ROLLUPS), ("encoding", COLUMNS.encode())]
VERSION_1 = bytes.fromhex(
    "9a 92 a161 a162 c408 0000000001000000 c404 a0a8c301 c408 0100000003000000 c408 0100000002000000"
    "c410 000000000000f83f 0000000000001240 c408 0000000000000040 c408 0000000000000440 c408 0000000000000440 90"
)
"""A message of the first release that packed: of a one reading, of b three, two of them good."""


def test_a_stored_message_is_read_as_it_was_meant() -> None:
    """What an earlier release wrote is read by this one; a single good reading is its own least and greatest."""
    rows = codec.decode(ROLLUPS, VERSION_1, HEADERS)
    assert rows == RollUps(
        series=["a", "b"],
        minute=[29_599_904, 29_599_904],
        count=[1, 3],
        good=[1, 2],
        total=[1.5, 4.5],
        low=[1.5, 2.0],
        high=[1.5, 2.5],
        last=[1.5, 2.5],
    )


values = st.floats(allow_nan=False, allow_infinity=False)


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 2**31 - 1), st.integers(0, 3), values, values, values)
    )
)
def test_columns_come_back_as_they_went(
    table: list[tuple[int, int, int, float, float, float]],
) -> None:
    """Every row comes back with its name and numbers, bit by bit."""
    rows = np.zeros(len(table), FORM)
    for row, (_, minute, good, low, high, last) in zip(rows, table, strict=True):
        total = low if good <= 1 else low + high
        numbers = (total,) * 4 if good <= 1 else (total, low, high, last)
        for name, number in zip(FORM.names or (), (minute, good + 1, good, *numbers), strict=True):
            row[name] = number
    late = [LateReading(series="z", observed_at=datetime(2026, 6, 1, tzinfo=UTC), value=0.5, quality=1)]
    series = np.array([row[0] for row in table], np.int64)
    back = unpack_rollups(pack_rollups(["x", "y", "z"], series, rows, late))
    assert back.series == ["xyz"[place] for place in series.tolist()]
    for name in FORM.names or ():
        assert getattr(back, name) == rows[name].tolist()
    assert back.late == late


@pytest.mark.parametrize(
    ("place", "value", "field"),
    [
        (1, b"\x07\0\0\0\0\0\0\0", "series"),
        (2, b"\0" * 12, "minute"),
        (6, b"", "low"),
        (5, b"\0" * 5, "value"),
        (0, "no list", "value"),
    ],
)
def test_what_is_no_table_is_refused_by_field(place: int, value: object, field: str) -> None:
    """Columns of other lengths, a name that is not there and other types are invalid input, told by field."""
    parts = msgspec.msgpack.decode(VERSION_1)
    parts[place] = value
    with pytest.raises(InvalidInput) as caught:
        codec.decode(ROLLUPS, msgspec.msgpack.encode(parts), HEADERS)
    assert field in {fault.field for fault in caught.value.faults}


def test_garbage_in_columns_is_refused() -> None:
    """Noise under the header of columns is refused as it is without it."""
    for value in (b"", b"\x00\xff", b"[]", b"\x90"):
        with pytest.raises(InvalidInput):
            codec.decode(ROLLUPS, value, HEADERS)
