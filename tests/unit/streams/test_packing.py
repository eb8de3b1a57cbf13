"""Packed readings: what goes in comes out, and no bytes do more harm than InvalidInput."""

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.inputs import Quality
from domain.topics import PACKED
from streams.packing import EARLIEST, LATEST, PACKED_HEADERS, ReadingPack, micros, pack, unpack

NAMES = ["990101001.w01018", "990101002.level", "一号井.瓦斯"]
times = st.integers(EARLIEST, LATEST - 1)


@st.composite
def packs(draw: st.DrawFn) -> ReadingPack:
    """Draw any pack that a gateway could write."""
    size = draw(st.integers(1, 40))

    def column(of: st.SearchStrategy[object], kind: type) -> np.ndarray:
        return np.array(draw(st.lists(of, min_size=size, max_size=size)), kind)

    return ReadingPack(
        names=draw(st.lists(st.text(min_size=1, max_size=20), min_size=3, max_size=3, unique=True)),
        index=column(st.integers(0, 2), np.int32),
        observed=column(times, np.int64),
        values=column(st.floats(allow_nan=False, allow_infinity=False), np.float64),
        quality=column(st.sampled_from(sorted(Quality)), np.uint8),
        received=draw(times),
    )


def sample(**changes: object) -> ReadingPack:
    """Make a good pack of two readings."""
    fields: dict[str, object] = {
        "names": NAMES[:2],
        "index": np.array([0, 1], np.int32),
        "observed": np.array([EARLIEST, EARLIEST + 1], np.int64),
        "values": np.array([1.5, -2.0]),
        "quality": np.array([Quality.GOOD, Quality.NOTED], np.uint8),
        "received": EARLIEST + 7,
    }
    return ReadingPack(**{**fields, **changes})  # type: ignore[arg-type]  # a table of changes


@given(packs())
def test_a_pack_comes_back_as_it_was(readings: ReadingPack) -> None:
    """Packing and unpacking changes neither a value nor a type."""
    value, headers = pack(readings)
    back = unpack(value, headers)
    assert back.names == readings.names
    assert back.received == readings.received
    for name in ("index", "observed", "values", "quality"):
        before, after = getattr(readings, name), getattr(back, name)
        assert before.dtype == after.dtype
        assert np.array_equal(before, after)


@settings(max_examples=200)
@given(
    st.binary(max_size=400),
    st.sampled_from([[], PACKED_HEADERS, [("encoding", b"zip")], [("kind", b"ticket")]]),
)
def test_garbage_is_invalid_input(value: bytes, headers: list[tuple[str, bytes]]) -> None:
    """Any bytes under any headers are readings or InvalidInput, never another error."""
    try:
        assert isinstance(unpack(value, headers), ReadingPack)
    except InvalidInput as error:
        assert error.faults


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["series", "value", "observed_at", "x"]), inner)
    ),
    max_leaves=12,
)


@given(json_values)
def test_any_json_is_readings_or_invalid_input(value: object) -> None:
    """A JSON document that is no reading is refused by InvalidInput alone."""
    import json

    try:
        unpack(json.dumps(value).encode(), [])
    except InvalidInput as error:
        assert error.faults


@settings(max_examples=300)
@given(st.data())
def test_a_flipped_byte_is_noticed_or_harmless(data: st.DataObject) -> None:
    """A pack damaged on its way is readings or InvalidInput, never another error."""
    value = bytearray(pack(sample())[0])
    for _ in range(data.draw(st.integers(1, 4))):
        value[data.draw(st.integers(0, len(value) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(value)))
    try:
        back = unpack(bytes(value[: cut or len(value)]), PACKED_HEADERS)
    except InvalidInput as error:
        assert error.faults
    else:
        assert all(0 <= place < len(back.names) for place in back.index.tolist())


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"values": np.array([1.0, np.nan])}, "[1].value"),
        ({"values": np.array([-np.inf, 1.0])}, "[0].value"),
        ({"quality": np.array([0, 9], np.uint8)}, "[1].quality"),
        ({"observed": np.array([0, EARLIEST], np.int64)}, "[0].observed_at"),
        ({"observed": np.array([EARLIEST, LATEST], np.int64)}, "[1].observed_at"),
        ({"received": 0}, "received"),
    ],
)
def test_what_no_gateway_writes_is_refused(changes: dict[str, object], field: str) -> None:
    """Columns that hold impossible cells are refused by the cell."""
    value, headers = pack(sample(**changes))
    with pytest.raises(InvalidInput) as caught:
        unpack(value, headers)
    assert [fault.field for fault in caught.value.faults] == [field]


def test_plain_json_is_read_too() -> None:
    """Another producer may write one JSON reading or a list, without any header."""
    one = b'{"series":"a","observed_at":"2026-03-01T08:00:00.25+08:00","value":3,"quality":"M"}'
    for value in (one, b" [" + one + b"]"):
        back = unpack(value, None, received=EARLIEST)
        assert (back.names, back.values.tolist(), back.quality.tolist()) == (
            ["a"],
            [3.0],
            [Quality.MAINTENANCE],
        )
        assert back.observed.tolist() == [1_772_323_200_250_000]
        assert back.received == EARLIEST
    assert unpack(one, None).received == 1_772_323_200_250_000


def test_all_faults_of_plain_json_are_told() -> None:
    """Every fault of a JSON message is named at once."""
    value = b'[{"series":"a","observed_at":"2026-03-01T00:00:00","value":1},{"series":"b","value":"x"}]'
    with pytest.raises(InvalidInput) as caught:
        unpack(value, {})
    assert [fault.field for fault in caught.value.faults] == [
        "[0].observed_at",
        "[1].observed_at",
        "[1].value",
    ]


def test_unknown_letters_are_refused() -> None:
    """A quality letter outside HJ 212 is a fault."""
    with pytest.raises(InvalidInput, match="quality"):
        unpack(b'{"series":"a","observed_at":"2026-03-01T00:00:00Z","value":1,"quality":"Q"}', {})


def test_several_batches_are_one_pack() -> None:
    """An Arrow stream that another writer cut into batches, with replaced dictionaries, is one pack."""
    first = pa.ipc.open_stream(pack(sample())[0]).read_all()
    second = pa.ipc.open_stream(pack(sample(names=["z", "y"]))[0]).read_all()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, first.schema) as writer:
        writer.write_table(first)
        writer.write_table(second)
    back = unpack(sink.getvalue().to_pybytes(), [("encoding", PACKED.encode())])
    assert [back.names[place] for place in back.index.tolist()] == [*NAMES[:2], "z", "y"]


def test_microseconds_are_exact() -> None:
    """Times survive to the microsecond, which a float of seconds would not give."""
    from datetime import UTC, datetime

    at = datetime(2026, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    assert micros(at) == 1_798_761_599_999_999
