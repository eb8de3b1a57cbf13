"""Records to bytes and back: JSON, with a `kind` and a `version` header on every message.

Readings and roll-ups, which are many, are packed as columns instead: `streams/packing.py` (Arrow may not enter here) and
`domain/rollups.py`.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from domain.decode import decode_json
from domain.errors import Fault, InvalidInput
from domain.rollups import COLUMNS, unpack_rollups
from domain.topics import ROLLUPS, Topic

Headers = list[tuple[str, bytes]]

_encoder = msgspec.json.Encoder()


def headers_for(topic: Topic) -> Headers:
    """Make the headers that every message of the topic carries."""
    return [("kind", topic.kind.encode()), ("version", str(topic.version).encode())]


def encode(record: Any) -> bytes:
    """Encode a record as JSON."""
    return _encoder.encode(record)


def decode(
    topic: Topic, value: bytes | None, headers: Iterable[tuple[str, bytes]] | dict[str, bytes] | None
) -> Any:
    """Decode a message of a topic; InvalidInput when headers or value are not what the topic promises."""
    found = check_headers(topic, headers)
    if value is None:
        raise InvalidInput([Fault("value", "is empty")])
    if topic is ROLLUPS and found.get("encoding") == COLUMNS.encode():
        return unpack_rollups(value)
    return decode_json(topic.record, value)


def check_headers(
    topic: Topic, headers: Iterable[tuple[str, bytes]] | dict[str, bytes] | None
) -> dict[str, bytes]:
    """Read the headers; InvalidInput if they name another kind or a version that this release does not know.

    A message without them is taken at its topic's word, so that other producers may write plain JSON.
    """
    found = dict(headers or ())
    kind = found.get("kind", topic.kind.encode()) or b""  # Kafka permits a header without a value
    version = found.get("version", str(topic.version).encode()) or b""
    faults = []
    if kind != topic.kind.encode():
        faults.append(Fault("kind", f"is {kind[:40]!r} on topic {topic.name}, expected {topic.kind!r}"))
    if version != str(topic.version).encode():
        faults.append(Fault("version", f"is {version[:10]!r}, this release reads {topic.version}"))
    if faults:
        raise InvalidInput(faults)
    return found
