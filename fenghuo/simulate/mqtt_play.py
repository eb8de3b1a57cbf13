"""Sensors that are not there: each with a connection of its own to an MQTT broker, publishing with QoS 1."""

import asyncio
import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

import aiomqtt
import msgspec

from domain.errors import Unavailable
from fenghuo.simulate.outcome import Outcome, quantile
from streams.mqtt.place import Place

GARBAGE = b"n/a"
CONNECTS_AT_ONCE = 50


@dataclass(frozen=True, kw_only=True)
class Play:
    """What is played; `together` publishes all channels of a device in one message, on the topic without a channel."""

    place: Place
    username: str
    password: str
    version: aiomqtt.ProtocolVersion
    root: str
    first: str
    devices: int
    channels: tuple[str, ...]
    count: int
    interval_seconds: float
    together: bool
    garbage: bool
    confirm_seconds: float

    @property
    def messages(self) -> int:
        """Count the messages of all devices."""
        return self.devices * self.count * (1 if self.together else len(self.channels)) * (1 + self.garbage)


@dataclass
class _Tally:
    """What happened so far; `trouble` is the first reason why something was not acknowledged."""

    progress: Callable[[int], None]
    sent: int = 0
    milliseconds: list[float] = field(default_factory=list)
    trouble: str = ""


async def play(what: Play, progress: Callable[[int], None]) -> Outcome:
    """Play all devices; Unavailable, with the reason, when not one message was acknowledged.

    What is confirmed is the PUBACK: the MQTT broker has the message. Whether Kafka has it, the gateway knows.
    """
    began = time.perf_counter()
    tally = _Tally(progress)
    room = asyncio.Semaphore(CONNECTS_AT_ONCE)
    devices = [_Device(what, number, tally, room) for number in range(what.devices)]
    await asyncio.gather(*(device.run() for device in devices))
    if not tally.milliseconds and tally.trouble:
        raise Unavailable(f"The MQTT broker acknowledged nothing: {tally.trouble}")
    return Outcome(
        senders=what.devices,
        sent=tally.sent,
        confirmed=len(tally.milliseconds),
        unconfirmed=tally.sent - len(tally.milliseconds),
        unanswered=0,
        confirm_ms_p50=quantile(tally.milliseconds, 0.5),
        confirm_ms_p99=quantile(tally.milliseconds, 0.99),
        seconds=time.perf_counter() - began,
    )


class _Device:
    """One device; its rounds are evenly shifted against those of the others."""

    def __init__(self, what: Play, number: int, tally: _Tally, room: asyncio.Semaphore) -> None:
        self._what = what
        self._name = f"{what.first}-{number + 1:04d}"
        self._shift_seconds = what.interval_seconds * number / what.devices
        self._tally = tally
        self._room = room
        self._client: aiomqtt.Client | None = None

    async def run(self) -> None:
        """Send all rounds; after a lost connection the next round opens a new one."""
        begins = time.monotonic() + self._shift_seconds
        try:
            for number in range(self._what.count):
                await asyncio.sleep(begins + number * self._what.interval_seconds - time.monotonic())
                messages = [*_round(self._what, self._name)]
                self._tally.sent += len(messages)
                try:
                    await self._send(messages)
                except aiomqtt.MqttError as error:
                    self._tally.trouble = self._tally.trouble or str(error)
                    await self._hang_up()
                self._tally.progress(self._tally.sent)
        finally:
            await self._hang_up()

    async def _send(self, messages: Sequence[tuple[str, bytes]]) -> None:
        """Publish the messages of a round together, and wait for each PUBACK; MqttError when one is missing."""
        client = self._client or await self._connect()
        results = await asyncio.gather(
            *(self._publish(client, topic, payload) for topic, payload in messages), return_exceptions=True
        )
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _publish(self, client: aiomqtt.Client, topic: str, payload: bytes) -> None:
        at = time.perf_counter()
        await client.publish(topic, payload, qos=1)
        self._tally.milliseconds.append((time.perf_counter() - at) * 1_000)

    async def _connect(self) -> aiomqtt.Client:
        what = self._what
        client = aiomqtt.Client(
            what.place.host,
            what.place.port,
            username=what.username or None,
            password=what.password or None,
            identifier=self._name,
            protocol=what.version,
            tls_context=what.place.tls,
            timeout=what.confirm_seconds,
        )
        client.pending_calls_threshold = what.messages  # the messages of a round are under way together
        async with self._room:
            await client.__aenter__()
        self._client = client
        return client

    async def _hang_up(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with suppress(aiomqtt.MqttError):
                await client.__aexit__(None, None, None)


def _round(what: Play, name: str) -> Iterator[tuple[str, bytes]]:
    """Make the messages of one round: slow waves with a little noise, which no detector minds."""
    at = datetime.now(UTC).isoformat()
    values = {
        channel: round(10.0 + math.sin(time.time() / 600 + place) + random.gauss(0, 0.05), 3)
        for place, channel in enumerate(what.channels)
    }
    topic = f"{what.root}/{name}"
    if what.together:
        if what.garbage:
            yield topic, GARBAGE
        yield topic, msgspec.json.encode({"observed_at": at} | values)
        return
    for channel, value in values.items():
        if what.garbage:
            yield f"{topic}/{channel}", GARBAGE
        yield f"{topic}/{channel}", msgspec.json.encode({"value": value, "observed_at": at})
