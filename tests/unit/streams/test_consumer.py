"""What our consumer does otherwise than Faust's: while it seeks nothing gets through."""

from collections.abc import AsyncIterator, Mapping

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
