"""The detectors' worker as a Faust app: which agent reads what, how state is kept, how it starts and stops."""

import asyncio
import gc
import os
import signal
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

import faust
import structlog
from aiokafka.errors import KafkaError  # type: ignore[import-untyped]  # ships no types
from faust.exceptions import FaustError

from config.data import Data
from config.settings import Settings
from detectors.words.text import Classifier
from domain.errors import BrokerUnavailable
from streams.agents import work_off
from streams.codec import FaustBroker, incoming, raw_topic, use_quick_transport
from streams.desks import make_work, warm_up
from streams.partitions import Partitions
from streams.producer import MAX_BATCH_BYTES, OVERHEAD_BYTES
from streams.registry import Registry
from streams.status import serve_status
from streams.vitals import Vitals

log = structlog.get_logger(__name__)

NAME = "fenghuo-stream"
"""The consumer group, and the beginning of the changelog's name: changing it forgets all state."""
HEARTBEAT_SECONDS = 5.0
TICK_SECONDS = 1.0
SEND_TIMEOUT_SECONDS = 60.0
"""Longer than a broker takes to restart, shorter than an officer's patience."""
STOP_SECONDS = 20.0
BUFFERED_MESSAGES = 256
"""Messages of a topic that wait inside this process: 4 MB of packs, a tenth of a second of work."""
CHANGELOG_CONFIGURATION = {"segment.ms": "600000", "min.cleanable.dirty.ratio": "0.1"}
"""A partition's state is written again and again: compaction has to look at it more often than once a week."""
BROKER_ERRORS = (KafkaError, FaustError, ConnectionError, TimeoutError)


class StreamApp(faust.App):
    """The app with what stands around the agents: registry, state, ticks, heartbeats. Made by `create_app`."""

    settings: Settings
    registry: Registry
    work: list[Partitions]
    vitals: Vitals
    position: FaustBroker
    warm_up: Callable[[], None]

    _opened: AsyncExitStack | None = None
    _warming: asyncio.Future[None] | None = None
    _broker_answers = True

    async def on_first_start(self) -> None:
        """Make no folders, as Faust would: all state is on the broker."""

    async def on_start(self) -> None:
        """Begin to read the registry, and join the group meanwhile; without a broker, wait for it.

        Garbage is not looked for meanwhile, and never among what is there when the work begins: all of it stays, and going
        through a hundred thousand series again and again took a quarter of the start.
        """
        gc.disable()
        self._opened = AsyncExitStack()
        await self._opened.enter_async_context(self.registry)
        self._warming = asyncio.ensure_future(asyncio.to_thread(self.warm_up))
        await self.registry.begun()
        await super().on_start()

    async def knows_all(self) -> None:
        """Wait until the registry is read and the detectors are compiled: nothing can be judged before."""
        if self._warming is not None:
            await asyncio.shield(self._warming)
        await self.registry.ready()

    async def on_started(self) -> None:
        """Begin to write snapshots once the state of before has been read."""
        await super().on_started()
        await self.knows_all()
        gc.freeze()
        gc.enable()
        for partitions in self.work:
            self.add_future(self._keep_saving(partitions))
        self.add_future(self._keep_ticking())
        self.add_future(self._keep_telling())

    async def on_stop(self) -> None:
        """Hand over in good order, then stop."""
        gc.enable()
        self.flow_control.suspend()
        await self._hand_over()
        await super().on_stop()
        if self._opened is not None:
            await self._opened.aclose()

    def health(self) -> str | None:
        """Say what keeps this worker from working; None when it works, or has nothing to do."""
        if self.crashed:
            return f"stops after {type(self.crash_reason).__name__}"
        if not self.registry.is_ready:
            return "waits for the broker and the registry"
        if not self._is_settled():
            return "takes over partitions"
        return self.vitals.complaint(self.position) or (
            None if self._broker_answers else "waits for the broker"
        )

    def _is_settled(self) -> bool:
        return bool(
            self.started
            and self.registry.is_ready
            and not self.rebalancing
            and self.tables.actives_ready
            and not self.should_stop
        )

    async def take_leave(self, *_: Any, **__: Any) -> None:
        """Write everything down before partitions go to somebody else, and forget it.

        If that fails this process must not go on: Faust may not read again what it has read already.
        """
        error = await self._hand_over()
        if error is not None:
            await self.crash(error)

    async def _hand_over(self) -> Exception | None:
        try:
            async with asyncio.timeout(self.settings.broker.session_timeout_seconds / 2):
                await asyncio.gather(*(partitions.save() for partitions in self.work))
        except BROKER_ERRORS as error:
            # Whoever comes next works it off again.
            log.warning("state_not_written", error=type(error).__name__)
            return error
        else:
            return None
        finally:
            for partitions in self.work:
                partitions.drop()

    async def _keep_saving(self, partitions: Partitions) -> None:
        seconds = self.settings.stream.checkpoint_seconds
        while not self.should_stop:
            try:
                async with asyncio.timeout(seconds / 4):
                    await partitions.urgent.wait()
            except TimeoutError:
                pass
            if self._is_settled():
                await partitions.save(seconds)
            else:
                await self.sleep(0.05)

    async def _keep_ticking(self) -> None:
        """Let time pass at the desks, also at those that no message has reached since the start."""
        while not self.should_stop:
            if self._is_settled():
                now = self.registry.clock.now()
                places = self.position.ends()
                for partitions in self.work:
                    await partitions.go_on()
                    if partitions.by_clock:
                        partitions.hold(number for topic, number in places if topic in partitions.topics)
                        partitions.tick(now)
            await self.sleep(TICK_SECONDS)

    async def _keep_telling(self) -> None:
        while not self.should_stop:
            if self._is_settled():
                self.vitals.measure(self.position)
                if self.vitals.complaint(self.position) is None:
                    await self._beat()
            await self.sleep(HEARTBEAT_SECONDS)

    async def _beat(self) -> None:
        """Send a heartbeat, and learn from it whether the broker answers."""
        answered = self._broker_answers
        try:
            async with asyncio.timeout(HEARTBEAT_SECONDS):
                await (await self.position.send(self.vitals.heartbeat(self.position)))
        except BROKER_ERRORS as error:
            self._broker_answers = False
            if answered:
                log.warning("broker_is_away", error=type(error).__name__)
        else:
            self._broker_answers = True
            if not answered:
                log.info("broker_is_back")


def create_app(settings: Settings, data: Data, instance: str = "stream") -> StreamApp:
    """Build the app with all its agents; nothing is opened before it starts."""
    broker = settings.broker
    session = broker.session_timeout_seconds
    servers = [server.strip() for server in broker.bootstrap.split(",")]
    app = StreamApp(
        NAME,
        broker=[f"kafka://{server}" for server in servers],
        store="memory://",
        web_enabled=False,
        autodiscover=False,
        set_as_current=False,
        topic_partitions=broker.partitions,
        topic_replication_factor=broker.replication,
        topic_disable_leader=True,
        table_standby_replicas=0,
        broker_session_timeout=session,
        broker_heartbeat_interval=session / 3,
        broker_rebalance_timeout=broker.rebalance_timeout_seconds,
        broker_request_timeout=max(session, 30.0),
        broker_commit_interval=max(1.0, settings.stream.checkpoint_seconds),
        producer_acks=-1,
        producer_linger=0.0,
        producer_max_batch_size=MAX_BATCH_BYTES,
        producer_max_request_size=broker.max_message_bytes,
        producer_request_timeout=SEND_TIMEOUT_SECONDS,
        consumer_max_fetch_size=max(broker.max_message_bytes, MAX_BATCH_BYTES) + OVERHEAD_BYTES,
        stream_buffer_maxsize=BUFFERED_MESSAGES,
        stream_wait_empty=False,  # nothing is acknowledged before its snapshot: `take_leave` writes that
    )
    use_quick_transport(app, servers)
    table = app.Table(
        "state",
        key_type=bytes,
        value_type=bytes,
        partitions=broker.partitions,
        help="Snapshots of the detectors' and the fusion's state.",
        extra_topic_configs=CHANGELOG_CONFIGURATION,
    )
    app.settings = settings
    app.registry = Registry(broker, "stream")
    app.position = FaustBroker(app, table)
    classifier = Classifier(data.terms)
    app.warm_up = partial(warm_up, data, classifier)
    app.work = make_work(settings, data, app.registry, app.position, classifier)
    app.vitals = Vitals(instance, app.work, settings.stream.checkpoint_seconds)
    app.on_partitions_revoked.connect(app.take_leave)
    for partitions in app.work:
        app.agent(raw_topic(app, *partitions.topics), name=partitions.name)(_body(app, partitions))
    return app


def _body(app: StreamApp, partitions: Partitions) -> Callable[[Any], Any]:
    """Make an agent that stops the app when it fails: Faust would start it again, on a state that is not known."""

    async def body(stream: Any) -> None:
        try:
            await app.knows_all()
            await work_off(incoming(stream), partitions)
        except Exception as error:  # noqa: BLE001  # the outermost loop
            await app.crash(error)

    return body


async def run_stream(settings: Settings, data: Data, stopping: asyncio.Event | None = None) -> None:
    """Run the worker in this process until SIGTERM or SIGINT, or until `stopping` is set.

    BrokerUnavailable when the broker is lost for longer than its client bears: whoever supervises the process starts it
    again (docs/decisions/, "A stream worker that lost its broker"). While the broker is away at the start it waits.
    """
    if stopping is None:
        stopping = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    app: StreamApp | None = None

    def health() -> str | None:
        return app.health() if app else "starts"

    stream = settings.stream
    async with serve_status(stream.metrics_host, stream.metrics_port, health) as port:
        app = create_app(settings, data, f"{socket.gethostname()}:{port}")
        log.info("stream_starts", instance=app.vitals.instance, metrics_port=port)
        await _run(app, stopping)
        log.info("stream_stopped")


async def _run(app: StreamApp, stopping: asyncio.Event) -> None:
    stop = asyncio.create_task(stopping.wait())
    start = asyncio.create_task(app.start())
    crash = asyncio.create_task(app.wait_until_stopped())
    try:
        await asyncio.wait((start, stop, crash), return_when=asyncio.FIRST_COMPLETED)
        if start.done():
            start.result()
            log.info("stream_runs")
            await asyncio.wait((stop, crash), return_when=asyncio.FIRST_COMPLETED)
        if app.crash_reason is not None:
            raise app.crash_reason
    except BROKER_ERRORS as error:
        raise BrokerUnavailable(f"The message broker was lost: {type(error).__name__}: {error}") from error
    finally:
        for task in (start, stop, crash):
            task.cancel()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await app.stop()
        except TimeoutError:
            # Faust waits for its threads, which wait for the broker: without this the process would stand there for ever.
            log.error("stream_not_stopped_in_order", seconds=STOP_SECONDS)
            os._exit(1)
