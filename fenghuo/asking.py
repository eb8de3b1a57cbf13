"""Asks a device something over the gateway that it is connected to, and waits for what it says."""

import asyncio
from collections.abc import AsyncIterator

from aiokafka import AIOKafkaConsumer, TopicPartition  # type: ignore[import-untyped]  # ships no types
from aiokafka.errors import KafkaError  # type: ignore[import-untyped]  # ships no types

from config.settings import BrokerSettings
from domain.codec import decode
from domain.devices import DeviceAnswer, DeviceCommand
from domain.errors import BrokerUnavailable, InvalidInput
from domain.topics import DEVICE_ANSWERS, DEVICE_COMMANDS
from streams.ends import ends_of
from streams.messages import message_of
from streams.producer import open_producer

PLACE = TopicPartition(DEVICE_ANSWERS.name, 0)


async def ask(
    broker: BrokerSettings, command: DeviceCommand, wait_seconds: float
) -> AsyncIterator[DeviceAnswer]:
    """Send a command and yield each answer until the final one, or until so many seconds are over.

    No answer at all means that no gateway has the device on the line. BrokerUnavailable when the broker is away.
    """
    try:
        consumer = AIOKafkaConsumer(bootstrap_servers=broker.bootstrap, enable_auto_commit=False)
        await consumer.start()
        try:
            ends = await ends_of(consumer, [PLACE])
            consumer.seek(PLACE, ends[PLACE])
            await _send(broker, command)
            async for answer in _answers(consumer, command, wait_seconds):
                yield answer
        finally:
            await consumer.stop()
    except (KafkaError, OSError) as error:
        raise BrokerUnavailable(f"The message broker at {broker.bootstrap} does not answer.") from error


async def _send(broker: BrokerSettings, command: DeviceCommand) -> None:
    producer = await open_producer(broker)
    try:
        message = message_of(DEVICE_COMMANDS, command.device, command)
        await producer.send_and_wait(message.topic, message.value, key=message.key, headers=message.headers)
    finally:
        await producer.stop()


async def _answers(
    consumer: AIOKafkaConsumer, command: DeviceCommand, wait_seconds: float
) -> AsyncIterator[DeviceAnswer]:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + wait_seconds
    while (left := deadline - loop.time()) > 0:
        for messages in (await consumer.getmany(timeout_ms=int(left * 1_000) + 1)).values():
            for message in messages:
                try:
                    answer: DeviceAnswer = decode(DEVICE_ANSWERS, message.value, message.headers)
                except InvalidInput:
                    continue  # nobody's answer to us
                if answer.id == command.id:
                    yield answer
                    if answer.final:
                        return
