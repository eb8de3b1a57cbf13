"""Messages that an agent cannot work off, as records for `feed.rejected`."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import msgspec

from domain.errors import Fault
from domain.topics import REJECTED
from streams.desk import Incoming
from streams.messages import message_of
from streams.producer import Message
from streams.rejected import turn_away


class _Named(msgspec.Struct):
    """As much of a record as tells which accepted input it was."""

    id: UUID


def set_aside(message: Incoming, reason: str, faults: Iterable[Fault], at: datetime) -> Message:
    """Make the record of a refused message; its place on the topic makes its id, so that twice is once."""
    record = turn_away(
        message.value or b"",
        stage="stream",
        feed=message.topic,
        source=None,
        at=at,
        reason=reason,
        faults=faults,
        cause=(message.topic, message.partition, message.offset),
        ids=_ids_of(message.value),
    )
    return message_of(REJECTED, str(record.id), record)


def _ids_of(value: bytes | None) -> tuple[UUID, ...]:
    try:
        return (msgspec.json.decode(value or b"", type=_Named).id,)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ()
