"""Alerts that were read and not stored: the gravest first, versions in their order, and no offset too early."""

from dataclasses import dataclass
from uuid import UUID, uuid4

import msgspec
from aiokafka import TopicPartition  # type: ignore[import-untyped]  # ships no types
from hypothesis import given
from hypothesis import strategies as st

from domain.levels import Level
from domain.topics import ALERTS, HEARTBEATS
from responders.backlog import Backlog

PLACE = TopicPartition(ALERTS.name, 0)


@dataclass(frozen=True)
class Message:
    """As much of a message as a backlog looks at."""

    offset: int
    value: bytes
    topic: str = ALERTS.name
    partition: int = 0


def told(offset: int, level: Level, alert: UUID | None = None) -> Message:
    """Make an alert's message."""
    return Message(offset, msgspec.json.encode({"id": alert or uuid4(), "level": level, "more": 1}))


def test_red_comes_before_blue_and_equals_keep_their_order() -> None:
    """A red alert behind thousands of blue ones is taken first."""
    backlog = Backlog()
    levels = [Level.BLUE, Level.BLUE, Level.ORANGE, Level.RED, Level.BLUE]
    backlog.add({PLACE: [told(number, level) for number, level in enumerate(levels)]})
    assert [message.offset for message in backlog.take(10)] == [3, 2, 0, 1, 4]
    assert len(backlog) == 0


def test_versions_of_an_alert_come_together_in_their_order() -> None:
    """When an alert becomes red its blue versions that wait go before, and come once."""
    backlog, alert = Backlog(), uuid4()
    backlog.add({PLACE: [told(0, Level.BLUE, alert), told(1, Level.YELLOW), told(2, Level.RED, alert)]})
    assert [message.offset for message in backlog.take(1)] == [0, 2]
    assert [message.offset for message in backlog.take(10)] == [1]


def test_what_cannot_be_read_and_what_is_no_alert_comes_first() -> None:
    """A broken message is set aside soon, and a heartbeat waits behind nothing."""
    backlog = Backlog()
    beats = TopicPartition(HEARTBEATS.name, 0)
    backlog.add({PLACE: [told(0, Level.RED), Message(1, b"{")], beats: [Message(0, b"{}", HEARTBEATS.name)]})
    assert [(message.topic, message.offset) for message in backlog.take(3)] == [
        (ALERTS.name, 1),
        (HEARTBEATS.name, 0),
        (ALERTS.name, 0),
    ]


@given(st.lists(st.sampled_from(Level), min_size=1, max_size=40), st.lists(st.integers(1, 7), min_size=1))
def test_no_offset_is_committed_before_what_lies_under_it_is_stored(
    levels: list[Level], turns: list[int]
) -> None:
    """Whatever the order, a crash reads again all that is not stored, and in the end nothing is left."""
    backlog = Backlog()
    backlog.add({PLACE: [told(number, level) for number, level in enumerate(levels)]})
    stored: set[int] = set()
    turn = 0
    while len(backlog):
        taken = backlog.take(turns[turn % len(turns)])
        stored |= {message.offset for message in taken}
        backlog.done(taken)
        turn += 1
        for offset in backlog.offsets({PLACE}).values():
            assert set(range(offset)) <= stored
        assert backlog.lag(PLACE, len(levels) + 2) == len(levels) - len(stored) + 2
    assert stored == set(range(len(levels)))
    assert backlog.offsets({PLACE}) == {}


def test_a_partition_that_is_not_ours_any_more_is_not_committed() -> None:
    """What another process has by now is its business."""
    backlog = Backlog()
    backlog.add({PLACE: [told(0, Level.RED)]})
    backlog.done(backlog.take(1))
    assert backlog.offsets(set()) == {}
    assert backlog.offsets({PLACE}) == {PLACE: 1}
