"""Packets of devices that were turned away: counted, and kept sealed on `feed.rejected` as far as that is bounded."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from config.metrics import OUTPUTS, REJECTED
from config.sealing import Sealer
from domain.errors import BrokerUnavailable, Fault
from domain.inputs import Rejected
from domain.topics import REJECTED as REJECTED_TOPIC
from streams.gateway_access import Bucket
from streams.gateway_refusals import STAGE
from streams.messages import message_of
from streams.producer import Writes
from streams.rejected import turn_away

log = structlog.get_logger(__name__)

KEPT_PER_SECOND, KEPT_AT_ONCE = 100.0, 2_000.0
"""Packets that are kept: strangers could fill the topic. The others are counted as `not-kept`."""


class RefusedPackets:
    """Keeps refused packets until they are written."""

    def __init__(self, writer: Writes, sealer: Sealer, instance: str, now: Callable[[], datetime]) -> None:
        """Take where to write, the key, the name of this gateway, and the county's time."""
        self._writer = writer
        self._sealer = sealer
        self._instance = instance
        self._now = now
        self._bucket = Bucket(KEPT_PER_SECOND, KEPT_AT_ONCE, time.monotonic())
        self._records: list[Rejected] = []
        self._count = 0

    def add(self, feed: str, source: str | None, reason: str, faults: Sequence[Fault], item: bytes) -> None:
        """Count a packet, and keep it; `feed` is the protocol that it came over."""
        REJECTED.labels(STAGE, feed, reason).inc()
        if self._bucket.wait_seconds(1, time.monotonic()):
            REJECTED.labels(STAGE, feed, "not-kept").inc()
            return
        self._bucket.level -= 1
        self._count += 1
        now = self._now()
        self._records.append(
            turn_away(
                item,
                stage=STAGE,
                feed=feed,
                source=source,
                at=now,
                reason=reason,
                faults=faults,
                cause=(self._instance, now.isoformat(), self._count),
                sealer=self._sealer,
            )
        )

    async def write(self) -> None:
        """Write what was kept; while the broker is away it is only counted, as everywhere at the gateway."""
        records, self._records = self._records, []
        if not records:
            return
        try:
            await self._writer.write([message_of(REJECTED_TOPIC, str(one.id), one) for one in records])
        except BrokerUnavailable:
            REJECTED.labels(STAGE, REJECTED_TOPIC.name, "not-written").inc(len(records))
            log.warning("rejected_not_written", records=len(records))
        else:
            OUTPUTS.labels(STAGE, REJECTED_TOPIC.name).inc(len(records))
