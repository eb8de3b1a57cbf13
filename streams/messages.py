"""Records as messages of their topics, each with the key that its topic is partitioned by."""

from functools import lru_cache

from aiokafka.partitioner import murmur2  # type: ignore[import-untyped]  # ships no types

from domain.areas import county_of
from domain.codec import encode, headers_for
from domain.findings import Alert, Finding
from domain.topics import ALERTS, FINDINGS, Topic
from streams.producer import Message


def message_of(topic: Topic, key: str, record: object, partition: int | None = None) -> Message:
    """Put a record into a message."""
    return Message(topic.name, key.encode(), encode(record), headers_for(topic), partition)


@lru_cache(maxsize=65_536)
def partition_of(key: str, partitions: int) -> int:
    """Tell the partition that a key belongs to, as every Kafka client reckons it; remembered, since keys are few."""
    return int(murmur2(key.encode()) & 0x7FFFFFFF) % partitions


def finding_message(finding: Finding) -> Message:
    """Address a finding to the fusion of its county."""
    return message_of(FINDINGS, county_of(finding.area), finding)


def alert_message(alert: Alert) -> Message:
    """Address a version of an alert to whoever works for its county."""
    return message_of(ALERTS, alert.county, alert)
