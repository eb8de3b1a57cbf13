"""Makes the topics of `domain/topics.py` on the broker, before any stage needs them."""

import asyncio

import structlog
from aiokafka.admin import AIOKafkaAdminClient, NewTopic  # type: ignore[import-untyped]  # ships no types
from aiokafka.errors import KafkaError, for_code  # type: ignore[import-untyped]  # ships no types

from config.settings import BrokerSettings, Settings
from domain.errors import BrokerUnavailable, Fault, InvalidConfiguration
from domain.topics import TOPICS, Topic

log = structlog.get_logger(__name__)

PAUSES_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Waits between tries while the broker is away; the last one repeats."""
ALREADY_THERE = 36
HOUR_MILLISECONDS = 3_600_000


async def ensure_topics(settings: Settings, *, give_up_seconds: float | None = None) -> list[str]:
    """Make the topics that are missing and name them; nothing to do is an empty list.

    Waits with back-off while the broker is away, without end unless `give_up_seconds` is given (BrokerUnavailable then).
    InvalidConfiguration when a topic stands there with another number of partitions: keys would meet elsewhere.
    """
    loop = asyncio.get_running_loop()
    started = loop.time()
    failures = 0
    while True:
        try:
            made = await _make_missing(settings.broker)
        except (KafkaError, OSError) as error:
            if give_up_seconds is not None and loop.time() - started >= give_up_seconds:
                raise BrokerUnavailable(
                    f"The message broker at {settings.broker.bootstrap} does not answer."
                ) from error
            if failures == 0:
                log.warning("broker_is_away", bootstrap=settings.broker.bootstrap, error=type(error).__name__)
            await asyncio.sleep(PAUSES_SECONDS[min(failures, len(PAUSES_SECONDS) - 1)])
            failures += 1
        else:
            if failures:
                log.info("broker_is_back")
            return made


async def _make_missing(broker: BrokerSettings) -> list[str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    try:
        await admin.start()
        present = set(await admin.list_topics())
        missing = [topic for name, topic in TOPICS.items() if name not in present]
        if missing:
            answer = await admin.create_topics([_wanted(topic, broker) for topic in missing])
            _check_made(answer.topic_errors)
        await _check_partitions(admin, broker, sorted(present & TOPICS.keys()))
    finally:
        await admin.close()
    return [topic.name for topic in missing]


def _wanted(topic: Topic, broker: BrokerSettings) -> NewTopic:
    return NewTopic(
        topic.name,
        partitions_of(topic, broker),
        broker.replication,
        topic_configs={
            "cleanup.policy": "compact" if topic.compacted else "delete",
            "retention.ms": str(-1 if topic.compacted else topic.retention_hours * HOUR_MILLISECONDS),
            "max.message.bytes": str(broker.max_message_bytes),
        },
    )


def partitions_of(topic: Topic, broker: BrokerSettings) -> int:
    """Tell how many partitions a topic gets."""
    return broker.partitions if topic.partitioned else 1


def _check_made(errors: list[tuple[str, int] | tuple[str, int, str | None]]) -> None:
    """Another stage may have made a topic in the meantime; any other error is one."""
    for name, code, *detail in errors:
        if code not in (0, ALREADY_THERE):
            raise for_code(code)(f"topic {name}: {detail[0] if detail else ''}")


async def _check_partitions(admin: AIOKafkaAdminClient, broker: BrokerSettings, names: list[str]) -> None:
    if not names:
        return
    faults = [
        Fault(
            "broker.partitions",
            f"is {broker.partitions}, but topic {found['topic']} has {len(found['partitions'])} partitions",
        )
        for found in await admin.describe_topics(names)
        if not found["error_code"]
        and len(found["partitions"]) != partitions_of(TOPICS[found["topic"]], broker)
    ]
    if faults:
        raise InvalidConfiguration(faults)
