"""Many readings in one message: columns as an Arrow IPC stream; plain JSON readings are read as well.

Not compressed inside: for 500 readings LZ4 halves the 14 kB but makes reading them three times as slow
(measured: 131 instead of 37 µs). Whoever is short of network lets Kafka compress whole batches.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
from numpy.typing import NDArray

from domain.clock import EPOCH
from domain.codec import Headers, check_headers, headers_for
from domain.decode import MAX_FAULTS, decode_json
from domain.errors import Fault, InvalidInput
from domain.inputs import QUALITY_BY_LETTER, Quality, Reading
from domain.topics import PACKED, READINGS

MICROSECOND = 1_000_000


def micros(at: datetime) -> int:
    """Count the whole microseconds from 1970 to an aware time, exactly."""
    since = at - EPOCH
    return (since.days * 86_400 + since.seconds) * MICROSECOND + since.microseconds


def time_of(microseconds: int) -> datetime:
    """Make the aware time of microseconds since 1970 UTC."""
    return EPOCH + timedelta(microseconds=microseconds)


EARLIEST = micros(datetime(2000, 1, 1, tzinfo=UTC))
"""Devices that lost their clock report 1970 or 1980: nothing before 2000 is believed."""
LATEST = micros(datetime(2200, 1, 1, tzinfo=UTC))
"""Keeps every time inside what datetime and nanosecond clocks can hold."""
WORST = int(max(Quality))
PACKED_HEADERS: Headers = [*headers_for(READINGS), ("encoding", PACKED.encode())]

_SCHEMA = pa.schema(
    [
        pa.field("series", pa.dictionary(pa.int32(), pa.utf8()), nullable=False),
        pa.field("observed_at", pa.timestamp("us", "UTC"), nullable=False),
        pa.field("value", pa.float64(), nullable=False),
        pa.field("quality", pa.uint8(), nullable=False),
    ]
)
_TIME = _SCHEMA.field("observed_at").type


@dataclass(frozen=True, slots=True, eq=False)
class ReadingPack:
    """Readings of one partition as columns of one length.

    `index` points into `names`; times are microseconds since 1970 UTC; `quality` holds numbers of `Quality`;
    `received` is the gateway's receipt of them all. The arrays of an unpacked message may not be written to.
    """

    names: list[str]
    index: NDArray[np.int32]
    observed: NDArray[np.int64]
    values: NDArray[np.float64]
    quality: NDArray[np.uint8]
    received: int

    def __len__(self) -> int:
        return len(self.index)


def pack(readings: ReadingPack) -> tuple[bytes, Headers]:
    """Encode a pack as the value and headers of a message on `feed.readings`."""
    schema = _SCHEMA.with_metadata({"received": str(readings.received)})
    batch = pa.RecordBatch.from_arrays(
        [
            pa.DictionaryArray.from_arrays(pa.array(readings.index), pa.array(readings.names, pa.utf8())),
            pa.array(readings.observed).view(_TIME),
            pa.array(readings.values),
            pa.array(readings.quality),
        ],
        schema=schema,
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        writer.write_batch(batch)
    return sink.getvalue().to_pybytes(), PACKED_HEADERS


def unpack(
    value: bytes | None,
    headers: Iterable[tuple[str, bytes]] | Mapping[str, bytes] | None,
    *,
    received: int | None = None,
) -> ReadingPack:
    """Decode a message of `feed.readings`: packed columns, or JSON with one reading or a list of them.

    JSON does not tell when it was received: callers pass the message's own time in microseconds, else the
    newest observation stands in. InvalidInput, and nothing else, when the message is not what the topic
    promises.
    """
    found = check_headers(READINGS, dict(headers or ()))
    if value is None:
        raise InvalidInput([Fault("value", "is empty")])
    match found.get("encoding"):
        case None:
            readings = columns(decode_readings(value), received)
        case encoding if encoding == PACKED.encode():
            readings = _unpack_arrow(value)
        case encoding:
            raise InvalidInput([Fault("encoding", f"is {encoding[:60]!r}, which is not known")])
    _check(readings)
    return readings


def columns(readings: list[Reading], received: int | None) -> ReadingPack:
    """Turn readings into columns; InvalidInput names every unknown quality letter."""
    places: dict[str, int] = {}
    index = [places.setdefault(reading.series, len(places)) for reading in readings]
    quality = [QUALITY_BY_LETTER.get(reading.quality, -1) for reading in readings]
    if -1 in quality:
        raise InvalidInput(
            Fault(f"[{number}].quality", f"must be one of {' '.join(QUALITY_BY_LETTER)}")
            for number, code in enumerate(quality)
            if code == -1
        )
    observed = np.array([micros(reading.observed_at) for reading in readings], np.int64)
    return ReadingPack(
        names=list(places),
        index=np.array(index, np.int32),
        observed=observed,
        values=np.array([reading.value for reading in readings], np.float64),
        quality=np.array(quality, np.uint8),
        received=received if received is not None else int(observed.max(initial=EARLIEST)),
    )


def decode_readings(body: bytes | bytearray) -> list[Reading]:
    """Decode one JSON reading or a list of them; InvalidInput with every fault."""
    if body[:64].lstrip()[:1] == b"{":
        return [decode_json(Reading, body)]
    return decode_json(list[Reading], body)


def _unpack_arrow(value: bytes) -> ReadingPack:
    try:
        with pa.ipc.open_stream(value) as reader:
            metadata = reader.schema.metadata or {}
            if not reader.schema.equals(_SCHEMA, check_metadata=False):
                raise InvalidInput([Fault("schema", "is not that of packed readings")])
            series, observed, values, quality = _valid_columns(reader)
        if any(column.null_count for column in (series, observed, values, quality, series.dictionary)):
            raise InvalidInput([Fault("value", "has missing cells")])
        return ReadingPack(
            names=series.dictionary.to_pylist(),
            index=series.indices.to_numpy(),
            observed=observed.view(pa.int64()).to_numpy(),
            values=values.to_numpy(),
            quality=quality.to_numpy(),
            received=int(metadata[b"received"]),
        )
    except KeyError as error:
        raise InvalidInput([Fault("received", "is missing")]) from error
    except (pa.ArrowException, OSError, ValueError, IndexError, MemoryError, OverflowError) as error:
        raise InvalidInput([Fault("value", f"is no Arrow stream of readings: {str(error)[:200]}")]) from error


def _valid_columns(reader: pa.RecordBatchReader) -> list[pa.Array]:
    """Read a stream as one batch; other writers may cut it into several, or leave it without any."""
    batches = list(reader)
    if len(batches) == 1:
        batches[0].validate(full=True)
        columns: list[pa.Array] = batches[0].columns
        return columns
    table = pa.Table.from_batches(batches, reader.schema)
    table.validate(full=True)
    return [column.chunk(0) for column in table.unify_dictionaries().combine_chunks().columns]


def _check(readings: ReadingPack) -> None:
    """Refuse numbers and times that no detector could bear."""
    if (
        np.isfinite(readings.values).all()
        and readings.quality.max(initial=0) <= WORST
        and readings.observed.min(initial=EARLIEST) >= EARLIEST
        and readings.observed.max(initial=EARLIEST) < LATEST
        and EARLIEST <= readings.received < LATEST
    ):
        return
    faults = [
        *_faults_at(~np.isfinite(readings.values), "value", "is not finite"),
        *_faults_at(readings.quality > WORST, "quality", "is not known"),
        *_faults_at(
            (readings.observed < EARLIEST) | (readings.observed >= LATEST), "observed_at", "is absurd"
        ),
    ]
    if not EARLIEST <= readings.received < LATEST:
        faults.append(Fault("received", "is absurd"))
    if faults:
        raise InvalidInput(faults)


def _faults_at(wrong: NDArray[np.bool_], field: str, reason: str) -> list[Fault]:
    return [Fault(f"[{number}].{field}", reason) for number in np.flatnonzero(wrong)[:MAX_FAULTS].tolist()]
