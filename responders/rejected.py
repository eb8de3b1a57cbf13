"""Messages that the responder cannot take: set aside on `feed.rejected` with the reason, and counted."""

import base64
import hashlib
from dataclasses import dataclass
from uuid import UUID

import structlog
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types
from aiokafka.errors import KafkaError  # type: ignore[import-untyped]  # ships no types

from config.metrics import REJECTED as REJECTED_TOTAL
from domain.clock import Clock
from domain.codec import encode, headers_for
from domain.errors import BrokerUnavailable, InvalidInput
from domain.identity import derived_id
from domain.inputs import MAX_REJECTED_BYTES, Rejected
from domain.topics import REJECTED

log = structlog.get_logger()

STAGE = "respond"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a message stood."""

    topic: str
    partition: int
    offset: int


def turn_away(
    value: bytes | None, origin: Origin, error: InvalidInput, clock: Clock, ids: tuple[UUID, ...] = ()
) -> Rejected:
    """Make the record of a refused message; meeting it again gives the same id. `ids` are accepted inputs in it."""
    item = value or b""
    return Rejected(
        id=derived_id(
            "rejected", STAGE, origin.topic, origin.partition, origin.offset, hashlib.sha256(item).hexdigest()
        ),
        stage=STAGE,
        feed=origin.topic,
        source=None,
        rejected_at=clock.now(),
        reason="invalid",
        faults=tuple(str(fault)[:300] for fault in error.faults[:50]),
        item=base64.b64encode(item[:MAX_REJECTED_BYTES]).decode(),
        encoding="base64",
        size=len(item),
        sha256=hashlib.sha256(item).hexdigest(),
        ids=ids,
    )


async def set_aside(producer: AIOKafkaProducer, records: list[Rejected]) -> None:
    """Write refused messages to `feed.rejected`, and count them.

    One that came from `feed.rejected` itself is only counted and logged, or it would come round for ever.
    """
    for record in records:
        REJECTED_TOTAL.labels(STAGE, record.feed, record.reason).inc()
        log.warning("message_rejected", topic=record.feed, record=str(record.id), faults=len(record.faults))
        if record.feed == REJECTED.name:
            continue
        try:
            await producer.send_and_wait(
                REJECTED.name, encode(record), key=str(record.id).encode(), headers=headers_for(REJECTED)
            )
        except (KafkaError, OSError) as error:
            raise BrokerUnavailable from error
