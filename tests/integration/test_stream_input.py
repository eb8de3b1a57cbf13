"""Bad, repeated and disordered input on every topic that the stream stage reads."""

import random
from pathlib import Path

import pytest
from stream_world import (
    COUNTY,
    START,
    TOWNSHIPS,
    Sent,
    broker_of_its_own,
    is_worked_off,
    outcome_of,
    pack_of,
    prepare,
    send,
    ticket_of,
    until,
    worker,
)

from domain.codec import decode, encode, headers_for
from domain.identity import derived_id
from domain.incidents import Disposition, Verdict
from domain.inputs import Bulletin, Rejected
from domain.levels import Level
from domain.topics import (
    BULLETINS,
    DISPOSITIONS,
    FINDINGS,
    PACKED,
    READINGS,
    REGISTRY_AREAS,
    REGISTRY_CLOCK,
    REGISTRY_SERIES,
    REGISTRY_SOURCES,
    REJECTED,
    REPORTS,
    TICKETS,
    Topic,
)
from fenghuo.topic_reading import read_to_end

READ = (READINGS, TICKETS, REPORTS, BULLETINS, FINDINGS, DISPOSITIONS)
REGISTRY = (REGISTRY_AREAS, REGISTRY_SERIES, REGISTRY_SOURCES, REGISTRY_CLOCK)


def poison(topic: Topic) -> list[Sent]:
    """Messages that are not what the topic promises, each in its own way."""
    good = headers_for(topic)
    messages: list[Sent] = [
        (topic.name, TOWNSHIPS[0], b"\xff\x00 no JSON", good),
        (topic.name, TOWNSHIPS[0], b"[1, 2, 3]", good),
        (topic.name, TOWNSHIPS[0], b'{"factor": []}', good),
        (topic.name, TOWNSHIPS[0], b"[" * 200_000, good),
        (topic.name, TOWNSHIPS[0], b"", [("kind", b"another"), ("version", b"1")]),
        (topic.name, TOWNSHIPS[0], b"{}", [("kind", topic.kind.encode()), ("version", b"999")]),
        (topic.name, TOWNSHIPS[0], b"{}", [("kind", b"\xff\xfe")]),
    ]
    if topic is READINGS:
        messages += [
            (topic.name, TOWNSHIPS[0], b"no Arrow", [*good, ("encoding", PACKED.encode())]),
            (topic.name, TOWNSHIPS[0], b"?", [*good, ("encoding", b"gzip")]),
        ]
    if topic in REGISTRY:  # an empty value is how a compacted topic forgets a key, and no fault
        messages = [message for message in messages if message[2]]
    return messages


async def rejected(bootstrap: str) -> list[Rejected]:
    """Read what was set aside, once each."""
    found: dict[object, Rejected] = {}
    async for message in read_to_end(bootstrap, REJECTED):
        record: Rejected = decode(REJECTED, message.value, message.headers)
        found[record.id] = record
    return list(found.values())


@pytest.fixture
def storm() -> list[Sent]:
    """Good input of every kind, which must have its effect whatever stands before it on its partition."""
    bulletin = Bulletin(
        id=derived_id("test", "bulletin"),
        source="weather",
        own_id="B1",
        category="flood",
        level=Level.ORANGE,
        areas=(COUNTY,),
        effective_at=START,
        expires_at=START.replace(day=5),
        received_at=START,
        headline="暴雨橙色预警",
    )
    disposition = Disposition(
        id=derived_id("test", "disposition"),
        alert=derived_id("test", "alert"),
        incident=derived_id("test", "incident"),
        category="flood",
        county=COUNTY,
        verdict=Verdict.FALSE,
        decided_at=START,
    )
    return [
        *(pack_of(0, range(minute, minute + 2), high=range(60, 80)) for minute in range(0, 120, 2)),
        ticket_of(1, "工地拖欠工资，工人要讨薪", TOWNSHIPS[0], 10),
        (BULLETINS.name, COUNTY, encode(bulletin), headers_for(BULLETINS)),
        (DISPOSITIONS.name, str(disposition.alert), encode(disposition), headers_for(DISPOSITIONS)),
    ]


async def test_poison_on_every_topic_is_set_aside(tmp_path: Path, storm: list[Sent]) -> None:
    """Whatever cannot be read goes to feed.rejected, once, with its reason, and what comes after it is worked off."""
    bad = [message for topic in (*READ, *REGISTRY) for message in poison(topic)]
    async with broker_of_its_own(tmp_path / "broker") as bootstrap:
        await prepare(bootstrap, 6)
        await send(bootstrap, bad)
        await send(bootstrap, storm)
        async with worker(bootstrap, tmp_path):
            await until(lambda: is_worked_off(bootstrap))
        aside = await rejected(bootstrap)
        outcome = await outcome_of(bootstrap)
    counts = {topic.name: len(poison(topic)) for topic in (*READ, *REGISTRY)}
    assert {name: sum(record.feed == name for record in aside) for name in counts} == counts
    assert all(record.reason == "undecodable" and record.faults for record in aside)
    assert {(alert[0], alert[1]) for alert in outcome.open_alerts()} == {
        ("water-pollution", TOWNSHIPS[0]),
        ("wage-dispute", TOWNSHIPS[0]),
        ("flood", COUNTY),
    }


async def test_disordered_and_repeated_input_gives_the_same(tmp_path: Path, storm: list[Sent]) -> None:
    """Each message twice, and four at a time shuffled: the same findings hold, and roll-ups count nothing twice."""
    chance = random.Random(7)
    disordered: list[Sent] = []
    for place in range(0, len(storm), 4):
        few = 2 * storm[place : place + 4]
        disordered += chance.sample(few, len(few))
    outcomes = []
    for name, messages in (("ordered", storm), ("disordered", disordered)):
        async with broker_of_its_own(tmp_path / name) as bootstrap:
            await prepare(bootstrap, 6)
            await send(bootstrap, messages)
            async with worker(bootstrap, tmp_path, name):
                await until(lambda: is_worked_off(bootstrap))
            outcomes.append(await outcome_of(bootstrap))
    ordered, other = outcomes
    assert other.rollups == ordered.rollups
    assert other.open_alerts() == ordered.open_alerts()
    assert {word for word in other.findings.values() if "confirmed" in word} == {
        word for word in ordered.findings.values() if "confirmed" in word
    }
