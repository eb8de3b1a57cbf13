"""Operators' commands to devices: read from their topic, passed on over the device's connection, answers written back.

Every gateway reads all commands. The one that the device is connected to acts, the others say nothing. What was asked
while no gateway ran is not asked later: an operator who waits in vain asks again.
"""

import asyncio
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

import structlog
from aiokafka import (  # type: ignore[import-untyped]  # ships no types
    AIOKafkaConsumer,
    ConsumerRecord,
    TopicPartition,
)
from aiokafka.errors import KafkaError  # type: ignore[import-untyped]  # ships no types

from config.metrics import INPUTS, REJECTED
from config.settings import BrokerSettings
from domain.codec import decode
from domain.devices import DeviceAnswer, DeviceCommand
from domain.errors import BrokerUnavailable, InvalidInput
from domain.topics import DEVICE_ANSWERS, DEVICE_COMMANDS
from domain.topics import REJECTED as REJECTED_TOPIC
from streams.devices.intake import DeviceIntake
from streams.ends import ends_of
from streams.gateway_refusals import STAGE
from streams.messages import message_of
from streams.producer import Writes
from streams.registry import PAUSES_SECONDS
from streams.rejected import turn_away

log = structlog.get_logger(__name__)

PLACE = TopicPartition(DEVICE_COMMANDS.name, 0)
START_MILLISECONDS = 10_000


class Commands:
    """Listens for commands while the context is open."""

    def __init__(self, broker: BrokerSettings, intake: DeviceIntake, writer: Writes, instance: str) -> None:
        """Take where commands come from, who knows the devices, and where answers go."""
        self._broker = broker
        self._intake = intake
        self._writer = writer
        self._instance = instance
        self._listener: asyncio.Task[None] | None = None
        self._writing: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        """Start to listen; returns at once."""
        self._listener = asyncio.create_task(self._listen(), name="device_commands")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._listener is not None:
            self._listener.cancel()
            await asyncio.gather(self._listener, return_exceptions=True)
        await asyncio.gather(*self._writing)

    async def _listen(self) -> None:
        failures = 0
        while True:
            consumer = AIOKafkaConsumer(
                bootstrap_servers=self._broker.bootstrap,
                enable_auto_commit=False,
                request_timeout_ms=START_MILLISECONDS,
            )
            try:
                await _start(consumer)
                ends = await ends_of(consumer, [PLACE])
                consumer.seek(PLACE, ends[PLACE])
                failures = 0
                async for message in consumer:
                    await self._take(message)
            except (KafkaError, OSError) as error:
                if failures == 0:
                    log.warning("device_commands_are_away", error=type(error).__name__)
                failures += 1
                await asyncio.sleep(PAUSES_SECONDS[min(failures, len(PAUSES_SECONDS)) - 1])
            finally:
                await consumer.stop()

    async def _take(self, message: ConsumerRecord) -> None:
        INPUTS.labels(STAGE, DEVICE_COMMANDS.name).inc()
        try:
            command: DeviceCommand = decode(DEVICE_COMMANDS, message.value, message.headers)
        except InvalidInput as error:
            await self._set_aside(message, error)
            return
        met = self._intake.device_met(command.device)
        if met is None or not met.lines or command.expires_at <= datetime.now(UTC):
            return
        log.info("device_command", id=str(command.id), device=command.device, name=command.name)

        def tell(
            outcome: str, *, detail: str = "", values: dict[str, str] | None = None, final: bool = False
        ) -> None:
            answer = DeviceAnswer(
                id=command.id,
                gateway=self._instance,
                at=datetime.now(UTC),
                outcome=outcome,
                detail=detail,
                values=values or {},
                final=final,
            )
            task = asyncio.create_task(self._answer(answer), name="device_answer")
            self._writing.add(task)
            task.add_done_callback(self._writing.discard)

        met.lines[-1].ask(met, command, tell)

    async def _set_aside(self, message: ConsumerRecord, error: InvalidInput) -> None:
        """Keep what is no command; its place on the topic makes its id, so that many gateways keep it once."""
        REJECTED.labels(STAGE, message.topic, "undecodable").inc()
        record = turn_away(
            message.value or b"",
            stage=STAGE,
            feed=message.topic,
            source=None,
            at=datetime.now(UTC),
            reason="undecodable",
            faults=error.faults,
            cause=(message.topic, message.partition, message.offset),
        )
        try:
            await self._writer.write([message_of(REJECTED_TOPIC, str(record.id), record)])
        except BrokerUnavailable:
            log.warning("rejected_not_written", id=str(record.id))

    async def _answer(self, answer: DeviceAnswer) -> None:
        try:
            await self._writer.write([message_of(DEVICE_ANSWERS, str(answer.id), answer)])
        except BrokerUnavailable:
            log.warning("device_answer_not_written", id=str(answer.id), outcome=answer.outcome)


async def _start(consumer: AIOKafkaConsumer) -> None:
    """Start a consumer, and let it finish before passing a cancellation on: it would leave its first connection open."""
    starting = asyncio.ensure_future(consumer.start())
    try:
        await asyncio.shield(starting)
    except asyncio.CancelledError:
        await asyncio.gather(starting, return_exceptions=True)
        raise
