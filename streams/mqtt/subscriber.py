"""The gateway at the MQTT broker: subscribes, stays subscribed, and acknowledges what the Kafka broker has on disk."""

import asyncio
import random
import time
from collections.abc import Coroutine, Sequence
from types import TracebackType
from typing import Any, Self

import aiomqtt
import structlog

from config.routes import Route
from config.settings import MqttSettings
from domain.errors import Unavailable
from domain.registry import Protocol
from streams.devices.intake import DeviceIntake
from streams.metrics import DEVICE_ANSWER_SECONDS, MQTT_CONNECTED
from streams.mqtt.connection import V5, Connection, WrongDialect
from streams.mqtt.desk import Desk
from streams.mqtt.place import client_id, read_place
from streams.mqtt.window import Window
from streams.producer import Writer
from streams.registry import Registry

log = structlog.get_logger(__name__)

PAUSES_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Waits between tries while the MQTT broker is away, each up to a half longer by chance; the last one repeats."""
STEADY_SECONDS = 30.0
"""A connection that held so long was no failed try."""


class Subscriber:
    """Subscribes while the context is open; tries again for ever while the MQTT broker is away."""

    def __init__(
        self,
        settings: MqttSettings,
        routes: Sequence[Route],
        registry: Registry,
        writer: Writer,
        intake: DeviceIntake,
        *,
        port: int,
        patience_seconds: float,
    ) -> None:
        """Take settings and data, and what the gateway has opened; InvalidConfiguration when a setting is wrong.

        `port` is the gateway's in its settings: it makes the name under which the MQTT broker knows us. `patience_seconds`
        bounds the wait for Kafka at the end.
        """
        self._settings = settings
        self._place = read_place(settings)
        self._identifier = client_id(settings, port)
        self._desk = Desk(routes, registry, intake, settings.max_payload_bytes)
        self._registry = registry
        self._writer = writer
        self._patience_seconds = patience_seconds
        self._dialect = V5
        self._told_there: bool | None = None
        self._told_kafka = False
        self._stopping = False
        self._answers = DEVICE_ANSWER_SECONDS.labels(str(Protocol.MQTT))
        self._window = Window(lambda mid: None, lambda: None, self._answers.observe)
        self._runner: asyncio.Task[None] | None = None
        self.is_connected = False

    async def __aenter__(self) -> Self:
        """Start to look for the MQTT broker; returns at once."""
        self._note(there=False)
        self._runner = asyncio.create_task(self._run(), name="mqtt")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take no more, acknowledge what is under way, leave; the MQTT broker keeps the rest for us."""
        self._stopping = True
        try:
            async with asyncio.timeout(self._patience_seconds):
                await self._window.empty()
        except TimeoutError:
            log.warning("mqtt_messages_not_acknowledged", messages=len(self._window))
        if self._runner is not None:
            self._runner.cancel()
            await asyncio.gather(self._runner, return_exceptions=True)

    async def _run(self) -> None:
        failures = 0
        while True:
            # Without Kafka, or without knowing the devices, there is nothing that we could do with a message.
            await self._registry.ready()
            await self._writer.ready()
            begun = time.monotonic()
            try:
                await self._serve()
            except WrongDialect as error:
                self._tell_away(str(error), version=self._dialect.version.name)
                self._dialect = self._dialect.other
            except (aiomqtt.MqttError, Unavailable) as error:
                self._tell_away(str(error.__cause__ or error))  # aiomqtt tells the true reason as the cause
            except Exception as error:  # noqa: BLE001  # the outermost loop: one fault must not end the feed for ever
                self._tell_away(f"{type(error).__name__}: {error}")
            finally:
                if self.is_connected:
                    self._dialect = V5  # what comes back may be another broker
                self._note(there=False)
                acknowledged = self._window.acknowledged
                self._window.close()
            if acknowledged or time.monotonic() - begun > STEADY_SECONDS:
                failures = 0
            pause = PAUSES_SECONDS[min(failures, len(PAUSES_SECONDS) - 1)]
            await asyncio.sleep(pause * random.uniform(1.0, 1.5))
            failures += 1

    async def _serve(self) -> None:
        """Connect, and take messages until Kafka does not take one; MqttError when the connection is lost before."""
        refused = asyncio.Event()
        connection = Connection(self._place, self._settings, self._identifier, self._dialect, self._take)
        self._window = Window(connection.acknowledge, refused.set, self._answers.observe)
        async with connection:
            lost = asyncio.ensure_future(connection.lost())
            try:
                await _before(lost, connection.subscribe(self._desk.filters, self._settings.share_group))
                self._note(there=True)
                await _before(lost, refused.wait())
            finally:
                lost.cancel()
                await asyncio.gather(lost, return_exceptions=True)
        # On this connection nothing would be sent again: the next one brings it.
        if self._window.acknowledged or not self._told_kafka:
            log.warning("mqtt_waits_for_kafka", unacknowledged=len(self._window))
        self._told_kafka = True

    def _take(self, message: aiomqtt.Message) -> None:
        """Take one message; what comes while we are leaving is not acknowledged, and comes again."""
        if not self._stopping:
            if not self.is_connected:  # the session goes on, and delivers before it answers our subscription
                self._note(there=True)
            self._desk.take(message, self._window.open(message.mid) if message.qos else None)

    def _note(self, *, there: bool) -> None:
        """Show whether we are connected; told once when it is back."""
        self.is_connected = there
        MQTT_CONNECTED.labels(f"{self._place.host}:{self._place.port}").set(there)
        if there and self._told_there is not True:
            log.info("mqtt_is_there", host=self._place.host, port=self._place.port, client=self._identifier)
            self._told_there = True

    def _tell_away(self, detail: str, **more: str) -> None:
        """Tell once that the MQTT broker is away, and why."""
        if self._told_there is not False:
            log.warning("mqtt_is_away", host=self._place.host, port=self._place.port, detail=detail, **more)
            self._told_there = False


async def _before(lost: "asyncio.Future[None]", work: Coroutine[Any, Any, Any]) -> None:
    """Do something unless the connection is lost first."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait((lost, task), return_when=asyncio.FIRST_COMPLETED)
        if lost.done():
            await lost
        await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
