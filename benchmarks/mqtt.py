"""How many MQTT messages a second one gateway process takes: read, on the Kafka broker's disk, acknowledged.

Run `python -m benchmarks.mqtt [--messages N] [--channels N] [--mqtt mosquitto|rumqttd] [--in-flight N] [--json]`. The
messages wait in the gateway's session before the clock starts, so publishers cost nothing while it runs.
"""

import argparse
import asyncio
import os
import secrets
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import aiomqtt
import msgspec

from benchmarks.gateway import cpu_seconds
from config.settings import load_settings
from fenghuo.embedded import embedded_broker, free_port
from fenghuo.embedded_mqtt import embedded_mosquitto, embedded_rumqttd
from fenghuo.processes import Command, child_process, until_ready
from fenghuo.running import set_up_logging
from fenghuo.topics import ensure_topics

BROKERS: dict[str, Callable[[Path], AbstractAsyncContextManager[str]]] = {
    "mosquitto": embedded_mosquitto,
    "rumqttd": embedded_rumqttd,
}
DEVICES = 200
PUBLISHERS = 4
TOGETHER = 500
"""Messages that a publisher has under way."""
START_SECONDS = 90.0
COUNT = 'fenghuo_device_answer_seconds_count{protocol="mqtt"}'
READINGS = 'fenghuo_outputs_total{stage="gateway",topic="feed.readings"}'
TICK_SECONDS = 0.05


class MqttResult(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured, from the first acknowledgement to the last; `readings` counts what is on Kafka."""

    mqtt: str
    messages: int
    readings: int
    messages_per_second: float
    readings_per_second: float
    gateway_core_share: float
    in_flight: int
    seconds: float


class Gateway:
    """A gateway process that is started and ended as the measurement asks."""

    def __init__(self, stack: AsyncExitStack, folder: Path, own: dict[str, str]) -> None:
        """Take its settings, and where its log goes."""
        self._folder = folder
        self._own = own
        self._port = int(own["FENGHUO_GATEWAY_PORT"])
        self._stack = stack
        self.pid = 0

    async def start(self, session: aiohttp.ClientSession) -> AsyncExitStack:
        """Start it, and wait until it is subscribed; closing what is returned ends it."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("FENGHUO_")}
        command: Command = [sys.executable, "-m", "fenghuo", "gateway"]
        log = self._folder / "gateway.log"
        stack = await self._stack.enter_async_context(AsyncExitStack())
        process = await stack.enter_async_context(
            child_process(command, log=log, environment=inherited | self._own)
        )
        self.pid = process.pid

        async def subscribed() -> bool:
            figures = await self.figures(session)
            return any(name.startswith("fenghuo_mqtt_connected") and value for name, value in figures.items())

        await until_ready("gateway", subscribed, process, log=log, within_seconds=START_SECONDS)
        return stack

    async def figures(self, session: aiohttp.ClientSession) -> dict[str, float]:
        """Read its metrics; none while it does not answer."""
        try:
            async with session.get(f"http://127.0.0.1:{self._port}/metrics") as response:
                lines = (await response.text()).splitlines()
        except aiohttp.ClientError:
            return {}
        return {
            name: float(value)
            for name, _, value in (line.rpartition(" ") for line in lines if not line.startswith("#"))
        }


async def publish(url: str, first: int, count: int, channels: int) -> None:
    """Publish messages of many devices, each with its own second."""
    place = urlsplit(url)
    client = aiomqtt.Client(
        place.hostname or "", place.port or 1883, protocol=aiomqtt.ProtocolVersion.V5, timeout=60
    )
    client.pending_calls_threshold = TOGETHER
    async with client:
        for start in range(first, first + count, TOGETHER):
            numbers = range(start, min(start + TOGETHER, first + count))
            await asyncio.gather(*(client.publish(*message(number, channels), qos=1) for number in numbers))


def message(number: int, channels: int) -> tuple[str, str]:
    """Make a message: one value on the topic of a channel, or an object of several."""
    device, at = (
        f"bench-{number % DEVICES:04d}",
        f"{time.strftime('%Y-%m-%d')}T00:{number // DEVICES // 60 % 60:02d}:",
    )
    at += f"{number // DEVICES % 60:02d}.{number // DEVICES // 3600:06d}+08:00"
    if channels == 1:
        return f"fenghuo/{device}/level", f'{{"value": {number % 97 / 10}, "observed_at": "{at}"}}'
    values = ", ".join(f'"c{channel}": {(number + channel) % 97 / 10}' for channel in range(channels))
    return f"fenghuo/{device}", f'{{"observed_at": "{at}", {values}}}'


async def measure(messages: int, channels: int, mqtt: str, in_flight: int) -> MqttResult:
    """Let a session fill while the gateway is down, and time how long the gateway takes to empty it."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fenghuo-")))
        url = await stack.enter_async_context(BROKERS[mqtt](folder))
        own = {
            "FENGHUO_BROKER_BOOTSTRAP": await stack.enter_async_context(embedded_broker(folder)),
            "FENGHUO_PERSONAL_KEY": b64encode(secrets.token_bytes(32)).decode(),
            "FENGHUO_GATEWAY_PORT": str(free_port()),
            "FENGHUO_MQTT_URL": url,
            "FENGHUO_MQTT_SHARE_GROUP": "fenghuo" if mqtt == "mosquitto" else "",
            "FENGHUO_MQTT_MAX_IN_FLIGHT": str(in_flight),
            "FENGHUO_LOG_LEVEL": "warning",
        }
        await ensure_topics(load_settings(own), give_up_seconds=START_SECONDS)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        gateway = Gateway(stack, folder, own)
        async with await gateway.start(session):
            pass  # the session at the MQTT broker begins
        share = messages // PUBLISHERS
        await asyncio.gather(*(publish(url, part * share, share, channels) for part in range(PUBLISHERS)))
        messages = share * PUBLISHERS
        async with await gateway.start(session):
            began, used, before = (
                time.perf_counter(),
                cpu_seconds(gateway.pid),
                await gateway.figures(session),
            )
            figures = before
            while figures.get(COUNT, 0.0) < messages:
                await asyncio.sleep(TICK_SECONDS)
                figures = await gateway.figures(session)
            took = time.perf_counter() - began
            done = messages - before.get(COUNT, 0.0)
            return MqttResult(
                mqtt=mqtt,
                messages=messages,
                readings=int(figures[READINGS]),
                messages_per_second=round(done / took),
                readings_per_second=round((figures[READINGS] - before.get(READINGS, 0.0)) / took),
                gateway_core_share=round((cpu_seconds(gateway.pid) - used) / took, 2),
                in_flight=in_flight,
                seconds=round(took, 1),
            )


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=50_000)
    parser.add_argument("--channels", type=int, default=1, help="values in a message")
    parser.add_argument("--mqtt", choices=BROKERS, default="mosquitto")
    parser.add_argument("--in-flight", type=int, default=1_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    set_up_logging("error")
    found = asyncio.run(measure(options.messages, options.channels, options.mqtt, options.in_flight))
    if options.json:
        print(msgspec.json.encode(found).decode())
    else:
        for field in found.__struct_fields__:
            print(f"{field:>22} {getattr(found, field):>12}")


if __name__ == "__main__":
    main()
