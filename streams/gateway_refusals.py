"""What becomes of a refused request: counted, kept sealed on `feed.rejected` where it may be, and answered."""

import structlog
from aiohttp import web

from config.metrics import INPUTS, OUTPUTS, REJECTED
from config.sealing import Sealer
from domain.codec import encode, headers_for
from domain.errors import BrokerUnavailable
from domain.levels import Feed
from domain.registry import Source
from domain.topics import REJECTED as REJECTED_TOPIC
from streams.gateway_access import Buckets
from streams.gateway_problems import Refused, problem
from streams.producer import Message, Writes
from streams.registry import Registry
from streams.rejected import turn_away

log = structlog.get_logger(__name__)

STAGE = "gateway"


class Refusals:
    """Keeps what a known source sent in vain; what nobody vouches for is counted only: strangers could fill the topic."""

    def __init__(self, writer: Writes, registry: Registry, sealer: Sealer, buckets: Buckets) -> None:
        """Take where to write, the clock's registry, the key, and whom a refusal is charged to."""
        self._writer = writer
        self._registry = registry
        self._sealer = sealer
        self._buckets = buckets

    async def answer(self, refused: Refused, feed: Feed | None, source: Source | None) -> web.Response:
        """Count a refusal, keep the item, and make the answer."""
        if feed is not None:
            REJECTED.labels(STAGE, feed, refused.reason.slug).inc(refused.count)
            if refused.reason.kept and source is not None:
                INPUTS.labels(STAGE, feed).inc(refused.count)
                self._buckets.charge(source)
                await self._keep(refused, feed, source)
        return problem(refused)

    async def _keep(self, refused: Refused, feed: Feed, source: Source) -> None:
        """Write the item, sealed; when the broker does not take it the sender still hears what was wrong."""
        now = self._registry.clock.now()
        record = turn_away(
            refused.item,
            stage=STAGE,
            feed=feed,
            source=source.slug,
            at=now,
            reason=refused.reason.slug,
            faults=refused.faults,
            cause=(source.slug, now.isoformat()),
            sealer=self._sealer,
            size=refused.size,
        )
        key = str(record.id).encode()
        try:
            await self._writer.write(
                [Message(REJECTED_TOPIC.name, key, encode(record), headers_for(REJECTED_TOPIC))]
            )
        except BrokerUnavailable:
            REJECTED.labels(STAGE, REJECTED_TOPIC.name, "not-written").inc()
            log.warning("rejected_not_written", id=str(record.id), feed=feed, reason=refused.reason.slug)
        else:
            OUTPUTS.labels(STAGE, REJECTED_TOPIC.name).inc()
