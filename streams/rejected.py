"""What had to be turned away, as bounded records for the topic `feed.rejected`."""

import base64
import hashlib
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from config.sealing import Sealer
from config.settings import BrokerSettings
from domain.codec import encode, headers_for
from domain.errors import Fault
from domain.identity import derived_id
from domain.inputs import MAX_REJECTED_BYTES, Rejected
from domain.topics import REJECTED
from streams.producer import open_producer

MAX_RECORDED_FAULTS = 50
MAX_FAULT_CHARACTERS = 300


def turn_away(
    item: bytes | bytearray,
    *,
    stage: str,
    feed: str,
    source: str | None,
    at: datetime,
    reason: str,
    faults: Iterable[Fault],
    cause: tuple[object, ...],
    sealer: Sealer | None = None,
    size: int | None = None,
    ids: tuple[UUID, ...] = (),
) -> Rejected:
    """Make the record of a refused item.

    `cause` says where it came from (topic, partition and offset, or source and time), so that meeting it
    again gives the same id. With a `sealer` the item is sealed: what comes from outside may hold personal
    data. `size` is that of the whole when `item` is only its beginning; the digest is of what is given here.
    """
    digest = hashlib.sha256(item).hexdigest()
    identity = derived_id("rejected", stage, feed, *cause, digest)
    head = bytes(item[:MAX_REJECTED_BYTES])
    return Rejected(
        id=identity,
        stage=stage,
        feed=feed,
        source=source,
        rejected_at=at,
        reason=reason,
        faults=tuple(str(fault)[:MAX_FAULT_CHARACTERS] for fault in list(faults)[:MAX_RECORDED_FAULTS]),
        item=sealer.seal(head, str(identity)) if sealer else base64.b64encode(head).decode(),
        encoding="sealed" if sealer else "base64",
        size=len(item) if size is None else size,
        sha256=digest,
        ids=ids,
    )


async def send_rejected(broker: BrokerSettings, records: Iterable[Rejected]) -> None:
    """Write records to `feed.rejected` over a connection of their own, for stages that rarely have any.

    KafkaError when the broker does not take them.
    """
    producer = await open_producer(broker)
    try:
        for record in records:
            await producer.send_and_wait(
                REJECTED.name, encode(record), key=str(record.id).encode(), headers=headers_for(REJECTED)
            )
    finally:
        await producer.stop()
