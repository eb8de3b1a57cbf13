"""What our consumer does otherwise than Faust's: while it seeks nothing gets through, and it seeks everywhere."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, cast

import pytest
from faust.types import TP

from config.data import load_data
from config.settings import Settings
from streams.app import create_app
from streams.codec import _Consumer

PLACE = TP("feed.readings", 3)


class SeekingConsumer(_Consumer):
    """A consumer without a broker, which tells whether messages could get through while it sought."""

    flowed: list[bool]
    resumed_meanwhile = False

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek nowhere, and look."""
        self.flowed.append(self.flow_active)
        if self.resumed_meanwhile:
            self.resume_flow()
        return {PLACE: 169}


async def take(*args: object) -> None:
    """Take a message, or what becomes of partitions."""


@pytest.fixture
async def consumer() -> AsyncIterator[SeekingConsumer]:
    """A consumer of the app, never started."""
    app = create_app(Settings(), load_data())
    made = SeekingConsumer(app.transport, take, take, take)
    made.flowed = []
    yield made
    made._thread.thread_loop.close()


async def test_nothing_gets_through_while_it_seeks(consumer: SeekingConsumer) -> None:
    """What is fetched behind a seek would be thrown away with the streams' buffers, so it must not be taken."""
    consumer.resume_flow()
    await consumer.perform_seek()
    assert consumer.flowed == [False]
    assert consumer.suspend_flow.is_set()
    assert not consumer.can_resume_flow.is_set()
    assert consumer._read_offset[PLACE] == 169


async def test_a_seek_back_does_not_stop_what_was_resumed_meanwhile(consumer: SeekingConsumer) -> None:
    """Faust seeks back by itself for a fetch that came while nothing flowed; streams resumed meanwhile go on."""
    consumer.stop_flow()
    consumer.resumed_meanwhile = True
    await consumer.perform_seek()
    assert (consumer.flowed, consumer.flow_active) == ([False], True)


class FetchingThread:
    """The thread beside the consumer, which has fetched some messages of each partition ahead."""

    def __init__(self, committed: Mapping[TP, int | None]) -> None:
        """Take what was committed."""
        self.committed = committed
        self.positions = dict.fromkeys(committed, 500)

    async def seek_to_committed(self) -> Mapping[TP, int | None]:
        """Seek as aiokafka does: nowhere without a commit."""
        self.positions |= {place: offset for place, offset in self.committed.items() if offset}
        return self.committed

    async def seek_to_beginning(self, *places: TP) -> None:
        """Go to the beginning."""
        self.positions |= dict.fromkeys(places, 0)


async def test_a_partition_that_nothing_was_committed_for_is_read_from_its_beginning(
    consumer: SeekingConsumer,
) -> None:
    """What was fetched of it and discarded would else be lost; changelogs stand where recovery left them."""
    findings, tickets = TP("findings", 5), TP("feed.tickets", 2)
    changelog = TP(next(iter(consumer.app.tables.changelog_topics)), 3)
    thread = FetchingThread({PLACE: 169, findings: None, tickets: 0, changelog: None})
    own, consumer._thread = consumer._thread, cast(Any, thread)
    try:
        assert await _Consumer.seek_to_committed(consumer) == thread.committed
    finally:
        consumer._thread = own
    assert thread.positions == {PLACE: 169, findings: 0, tickets: 0, changelog: 500}
