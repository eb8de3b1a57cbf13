"""A small county for the stream's tests: input on the topics, workers as processes, and what came of it."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from aiokafka import AIOKafkaProducer, TopicPartition  # type: ignore[import-untyped]  # ships no types
from aiokafka.admin import AIOKafkaAdminClient  # type: ignore[import-untyped]  # ships no types
from aiokafka.errors import KafkaError  # type: ignore[import-untyped]  # ships no types

from config.settings import BrokerSettings, Settings, StreamSettings
from domain.clock import Clock
from domain.codec import Headers, decode, encode, headers_for
from domain.errors import InvalidInput
from domain.findings import Alert, Finding, RollUps
from domain.identity import input_id
from domain.inputs import Ticket
from domain.levels import Feed, Level
from domain.registry import Area, Limit, Series
from domain.topics import (
    ALERTS,
    BULLETINS,
    DISPOSITIONS,
    FINDINGS,
    READINGS,
    REGISTRY_AREAS,
    REGISTRY_CLOCK,
    REGISTRY_SERIES,
    REPORTS,
    ROLLUPS,
    TICKETS,
)
from fenghuo import embedded
from fenghuo.processes import child_process
from fenghuo.topic_reading import end_of, read_to_end
from fenghuo.topics import ensure_topics
from streams.app import NAME
from streams.packing import ReadingPack, micros, pack

COUNTY = "990101"
TOWNSHIPS = tuple(f"{COUNTY}{number}" for number in range(101, 107))
START = datetime(2026, 3, 2, tzinfo=UTC)
STANDING = Clock(wall_anchor=START, county_anchor=START + timedelta(days=1), factor=0.0)
"""County time stands still, so that alerts hang on findings alone."""
READ_TOPICS = (READINGS, TICKETS, REPORTS, BULLETINS, FINDINGS, DISPOSITIONS)
KAFKA_JARS = Path(__file__).parent.parent / ".kafka" / "jars"
Sent = tuple[str, str, bytes, Headers]
"""Topic, key, value and headers."""


@asynccontextmanager
async def broker_of_its_own(folder: Path, port: int | None = None) -> AsyncIterator[str]:
    """Run a broker that no other test uses, of the kind that the whole run is about."""
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    if os.environ.get("FENGHUO_TEST_BROKER") == "kafka":
        running = embedded.apache_kafka(folder, KAFKA_JARS, port)
    else:
        running = embedded.embedded_broker(folder, port)
    async with running as address:
        yield address


def settings_for(bootstrap: str, metrics_port: int = 0) -> Settings:
    """Settings under which workers find each other quickly on both brokers."""
    return Settings(
        broker=BrokerSettings(bootstrap=bootstrap, session_timeout_seconds=6, rebalance_timeout_seconds=6),
        stream=StreamSettings(metrics_port=metrics_port, checkpoint_seconds=0.3),
    )


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 90.0) -> None:
    """Wait for a condition; TimeoutError also where a client of the broker swallows the cancellation."""
    async with asyncio.timeout(seconds) as limit:
        while not await condition():
            if limit.expired():
                raise TimeoutError
            await asyncio.sleep(0.02)


@dataclass(slots=True)
class Worker:
    """A stream worker as a process of its own."""

    process: asyncio.subprocess.Process

    async def kill(self) -> None:
        """End it as a power failure would."""
        self.process.kill()
        await self.process.wait()


@asynccontextmanager
async def worker(
    bootstrap: str, folder: Path, name: str = "worker", metrics_port: int = 0
) -> AsyncIterator[Worker]:
    """Run `fenghuo stream` until the context closes."""
    settings = settings_for(bootstrap)
    environment = {
        **os.environ,
        "FENGHUO_BROKER_BOOTSTRAP": bootstrap,
        "FENGHUO_BROKER_SESSION_TIMEOUT_SECONDS": str(settings.broker.session_timeout_seconds),
        "FENGHUO_BROKER_REBALANCE_TIMEOUT_SECONDS": str(settings.broker.rebalance_timeout_seconds),
        "FENGHUO_STREAM_METRICS_PORT": str(metrics_port),
        "FENGHUO_STREAM_CHECKPOINT_SECONDS": str(settings.stream.checkpoint_seconds),
    }
    command: list[str | Path] = [sys.executable, "-m", "fenghuo", "stream"]
    async with child_process(command, log=folder / f"{name}.log", environment=environment) as process:
        yield Worker(process)


def series_of(number: int) -> Series:
    """One of the county's series; its limit is 50."""
    return Series(
        id=f"river-{number}",
        name=f"{number}号断面氨氮",
        quantity="ammonia",
        unit="mg/L",
        area=TOWNSHIPS[number % len(TOWNSHIPS)],
        category="water-pollution",
        source="station",
        interval_seconds=60,
        limits=(Limit(level=Level.YELLOW, value=50.0, consecutive=2),),
    )


def pack_of(
    number: int, minutes: Iterable[int], *, high: Iterable[int] = (), received: datetime = START
) -> Sent:
    """Readings of a series at these minutes; in those of `high` they break the limit."""
    minutes = list(minutes)
    high = set(high)
    observed = [micros(START + timedelta(minutes=minute)) for minute in minutes]
    values = [90.0 if minute in high else 10.0 + 0.01 * ((minute * 7 + number) % 11) for minute in minutes]
    value, headers = pack(
        ReadingPack(
            names=[f"river-{number}"],
            index=np.zeros(len(minutes), np.int32),
            observed=np.array(observed, np.int64),
            values=np.array(values),
            quality=np.zeros(len(minutes), np.uint8),
            received=micros(received),
        )
    )
    return READINGS.name, series_of(number).area, value, headers


def ticket_of(number: int, text: str, township: str, minute: int) -> Sent:
    """A hotline call."""
    at = START + timedelta(minutes=minute)
    ticket = Ticket(
        id=input_id(Feed.TICKETS, "hotline", f"T{number}"),
        source="hotline",
        order_number=f"T{number}",
        observed_at=at,
        received_at=at,
        area=township,
        text=text,
    )
    return TICKETS.name, township, encode(ticket), headers_for(TICKETS)


async def send(bootstrap: str, messages: Iterable[Sent]) -> None:
    """Put messages on their topics, in order, and wait until the broker has them."""
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", max_batch_size=262_144) as producer:
        pending = [
            await producer.send(topic, value, key=key.encode(), headers=headers)
            for topic, key, value, headers in messages
        ]
        await asyncio.gather(*pending)


async def prepare(bootstrap: str, series: int = 24, clock: Clock = STANDING) -> None:
    """Make the topics and publish the county."""
    await ensure_topics(settings_for(bootstrap))
    areas = [Area(code=COUNTY, name="示例县"), *(Area(code=code, name=f"{code}镇") for code in TOWNSHIPS)]
    await send(
        bootstrap,
        [
            *((REGISTRY_AREAS.name, area.code, encode(area), headers_for(REGISTRY_AREAS)) for area in areas),
            *(
                (REGISTRY_SERIES.name, one.id, encode(one), headers_for(REGISTRY_SERIES))
                for one in map(series_of, range(series))
            ),
            (REGISTRY_CLOCK.name, "clock", encode(clock), headers_for(REGISTRY_CLOCK)),
        ],
    )


async def committed(bootstrap: str) -> dict[TopicPartition, int]:
    """Tell below which offsets the workers have acknowledged."""
    places = [
        TopicPartition(topic.name, number)
        for topic in READ_TOPICS
        for number in range(settings_for(bootstrap).broker.partitions)
    ]
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        found = await admin.list_consumer_group_offsets(
            NAME, partitions=places
        )  # Tansu cannot list them by itself
        return {place: max(0, entry.offset) for place, entry in found.items()}
    except KafkaError:  # no group has ever been, or a broker that was frozen finds its feet again
        return {}
    finally:
        await admin.close()


async def is_worked_off(bootstrap: str) -> bool:
    """Say whether everything on the topics that workers read is acknowledged."""
    try:
        done, ends = await committed(bootstrap), await end_of(bootstrap, *READ_TOPICS)
    except KafkaError:  # a broker that was frozen is not yet its cluster's again
        return False
    all_known = {place.topic for place in ends} == {topic.name for topic in READ_TOPICS}
    return all_known and all(done.get(place, 0) >= end for place, end in ends.items())


@dataclass(slots=True)
class Outcome:
    """What came of the input: the newest word of each finding, roll-ups, alerts by version."""

    findings: dict[UUID, str] = field(default_factory=dict)
    rollups: dict[tuple[str, int], tuple[Any, ...]] = field(default_factory=dict)
    late: set[tuple[str, datetime]] = field(default_factory=set)
    alerts: dict[tuple[UUID, int], Alert] = field(default_factory=dict)

    def differs_from(self, expected: "Outcome") -> list[str]:
        """Name what is missing here, too much, or other than expected, at most ten of each kind."""
        told: list[str] = []
        for name in ("findings", "rollups"):
            mine, theirs = getattr(self, name), getattr(expected, name)
            for what, keys in (
                ("missing", theirs.keys() - mine.keys()),
                ("too much", mine.keys() - theirs.keys()),
                ("other", {key for key in mine.keys() & theirs.keys() if mine[key] != theirs[key]}),
            ):
                if keys:
                    some = [f"{key}: {mine.get(key)} for {theirs.get(key)}" for key in sorted(keys)[:10]]
                    told.append(f"{name}, {len(keys)} {what}: {'; '.join(some)}")
        if self.late != expected.late:
            told.append(f"late: {sorted(self.late ^ expected.late)[:10]}")
        if self.open_alerts() != expected.open_alerts():
            told.append(f"alerts: {self.open_alerts()} for {expected.open_alerts()}")
        return told

    def open_alerts(self) -> set[tuple[str, str, int]]:
        """Category, place and level of each alert's last version."""
        last = {alert.id: alert for _, alert in sorted(self.alerts.items(), key=lambda item: item[0][1])}
        return {(alert.category, alert.place, int(alert.level)) for alert in last.values()}


async def outcome_of(bootstrap: str) -> Outcome:
    """Read everything that workers have put out, as responders would take it."""
    outcome = Outcome()
    async for message in read_to_end(bootstrap, FINDINGS):
        try:
            finding: Finding = decode(FINDINGS, message.value, message.headers)
        except InvalidInput:
            continue  # poison that a test put there
        outcome.findings[finding.id] = f"{finding.detector} {finding.subject} {finding.state}"
    async for message in read_to_end(bootstrap, ROLLUPS):
        rows: RollUps = decode(ROLLUPS, message.value, message.headers)
        columns = (rows.count, rows.good, rows.total, rows.low, rows.high, rows.last)
        for name, minute, *row in zip(rows.series, rows.minute, *columns, strict=True):
            if row[0] >= outcome.rollups.get((name, minute), (0,))[0]:
                outcome.rollups[name, minute] = tuple(row)
        outcome.late |= {(late.series, late.observed_at) for late in rows.late}
    async for message in read_to_end(bootstrap, ALERTS):
        alert: Alert = decode(ALERTS, message.value, message.headers)
        outcome.alerts.setdefault((alert.id, alert.version), alert)
    return outcome
