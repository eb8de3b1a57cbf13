"""What is published at a real MQTT broker becomes readings, once, whatever happens to Kafka meanwhile."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from aiohttp import ClientSession
from aiomqtt import Client
from mqtt_world import (
    BROKERS,
    TOWNSHIP,
    device,
    is_subscribed,
    needs_mosquitto,
    needs_mosquitto_pub,
    new_name,
    own_data,
    publish,
    publish_registry,
    readings,
    refusals,
    settings_for,
    station,
    subscribed,
    until,
)
from prometheus_client import REGISTRY

from config.data import load_data
from domain.inputs import Quality
from domain.registry import Protocol
from fenghuo.embedded import embedded_broker
from fenghuo.embedded_mqtt import embedded_mosquitto, embedded_mqtt
from fenghuo.topics import ensure_topics
from streams.gateway import Gateway

Run = Callable[..., AbstractAsyncContextManager[str]]
NOON = "2026-07-01T12:00:00"
NOON_MICROS = 1_782_878_400_000_000
"""Noon of that day in Shanghai."""


def of_noon(value: float, second: int = 0) -> str:
    """Write a reading as a device does that knows the time."""
    return f'{{"value": {value}, "observed_at": "{NOON[:-2]}{second:02d}+08:00"}}'


@pytest.mark.parametrize("run", BROKERS)
async def test_a_publish_becomes_a_reading(broker: str, tmp_path: Path, run: Run) -> None:
    """A number, an object with time and quality, and an object of channels; what nobody registered is kept as well."""
    name = new_name()
    async with run(tmp_path) as url:
        settings = settings_for(broker, url)
        await publish_registry(settings, *station(name, "w01018"))
        async with subscribed(settings) as gateway:
            await publish(
                url,
                (f"fenghuo/{name}/w01018", "18.25"),
                (f"fenghuo/{name}/w01018", f'{{"value": 7, "observed_at": "{NOON}", "quality": "M"}}'),
                (f"fenghuo/{name}", f'{{"observed_at": "{NOON}Z", "ph": "7.1", "w01018": {{"value": 3}}}}'),
            )
            found = await readings(broker, name, lambda found: len(found) >= 4)
            met = gateway.devices.meet(Protocol.MQTT, name)
    by_value = {reading["value"]: reading for reading in found}
    assert by_value[18.25]["series"] == f"river.{name}"
    assert by_value[18.25]["key"] == TOWNSHIP
    assert by_value[7.0]["observed"] == NOON_MICROS
    assert by_value[7.0]["quality"] == Quality.MAINTENANCE
    assert by_value[3.0]["observed"] == NOON_MICROS + 8 * 3_600_000_000
    assert by_value[7.1]["series"] == f"mqtt.{name}.ph"
    assert by_value[7.1]["key"] == TOWNSHIP
    assert met is not None
    assert (met.packets, met.readings, met.refused, met.channels) == (3, 4, 0, {"ph"})


@needs_mosquitto
@needs_mosquitto_pub
@pytest.mark.parametrize("version", ["311", "5"])
async def test_mosquitto_pub_makes_a_reading(broker: str, tmp_path: Path, version: str) -> None:
    """The program that everybody tries first."""
    name = new_name()
    async with embedded_mosquitto(tmp_path) as url:
        settings = settings_for(broker, url, share_group="fenghuo")
        await ensure_topics(settings)
        async with subscribed(settings):
            port = url.rsplit(":", 1)[1]
            program = await asyncio.create_subprocess_exec(
                *("mosquitto_pub", "-h", "127.0.0.1", "-p", port, "-V", version, "-q", "1"),
                *("-t", f"fenghuo/{name}/level", "-m", "0.127"),
            )
            assert await program.wait() == 0
            (found,) = await readings(broker, name, bool)
    assert (found["series"], found["value"]) == (f"mqtt.{name}.level", 0.127)


@pytest.mark.parametrize("run", BROKERS)
async def test_what_cannot_be_read_is_refused_once_and_kept(broker: str, tmp_path: Path, run: Run) -> None:
    """Each reason by name, with its field; the message is acknowledged, and what is right in it is taken."""
    name = new_name()
    async with run(tmp_path / "mqtt") as url, embedded_broker(tmp_path / "kafka") as kafka:
        settings = settings_for(kafka, url, max_payload_bytes=200)
        await publish_registry(settings, *station(name, "w01018", "mg/L"))
        async with subscribed(settings) as gateway:
            async with device(url) as client:
                for topic, payload in (
                    (f"fenghuo/{name}/w01018", "n/a"),
                    (f"fenghuo/{name}/w01018", '{"value": 1, "observed_at": "noon"}'),
                    (f"fenghuo/{name}/w01018", '{"value": 1, "quality": "?"}'),
                    (f"fenghuo/{name}/w01018", '{"value": 1, "unit": "g/L"}'),
                    (f"fenghuo/{name}/w 1", "1"),
                    (f"fenghuo/{name}/w01018", "1" * 201),
                    (f"fenghuo/{name}", '{"w01018": 5, "door": "open"}'),
                ):
                    await client.publish(topic, payload, qos=1)
            found = await refusals(kafka, 7)
            assert gateway._mqtt is not None
            await gateway._mqtt._window.empty()
            (taken,) = await readings(kafka, name, bool)
        reasons = {"payload", "time", "quality", "unit", "channel", "size", "value"}
        assert {record.reason for record in found} == reasons
        faults = "\n".join(fault for record in found for fault in record.faults)
        assert "fenghuo/{device}/{channel} observed_at: is no time of the form iso" in faults
        assert "fenghuo/{device}/{channel} unit: is not mg/L" in faults
        assert "fenghuo/{device} door: is not a number" in faults
        assert (taken["series"], taken["value"]) == (f"river.{name}", 5.0)
        async with subscribed(settings) as gateway:  # nothing comes again
            await publish(url, (f"fenghuo/{name}/w01018", "6"))
            await readings(kafka, name, lambda found: len(found) == 2)
            met = gateway.devices.meet(Protocol.MQTT, name)
            assert met is not None
            assert (met.packets, met.refused) == (1, 0)


@pytest.mark.parametrize("run", BROKERS)
async def test_what_kafka_did_not_take_comes_again(tmp_path: Path, free_port: int, run: Run) -> None:
    """Published while Kafka is away, before and after the gateway noticed: all of it arrives when Kafka is back."""
    name = new_name()
    async with run(tmp_path / "mqtt") as url:
        settings = settings_for(f"127.0.0.1:{free_port}", url)
        async with Gateway(settings, load_data()) as gateway:
            async with embedded_broker(tmp_path / "kafka", free_port):
                await publish_registry(settings, *station(name, "w01018"))
                await until(lambda: is_subscribed(gateway))
                await publish(url, (f"fenghuo/{name}/w01018", of_noon(0)))
                await readings(settings.broker.bootstrap, name, bool)
            for second in range(1, 31):
                await publish(url, (f"fenghuo/{name}/w01018", of_noon(second, second)))
            await until(lambda: not is_subscribed(gateway))
            for second in range(31, 60):
                await publish(url, (f"fenghuo/{name}/w01018", of_noon(second, second)))
            async with embedded_broker(tmp_path / "kafka", free_port):  # empty, as one that lost its disks
                await publish_registry(settings, *station(name, "w01018"))
                found = await readings(
                    settings.broker.bootstrap,
                    name,
                    lambda found: {reading["value"] for reading in found} >= set(map(float, range(1, 60))),
                )
    # The first one may be there again: Kafka had it, and went before we heard so.
    observed = {reading["value"]: reading["observed"] for reading in found if reading["value"]}
    assert observed == {value: NOON_MICROS + int(value) * 1_000_000 for value in map(float, range(1, 60))}


@pytest.mark.parametrize("run", BROKERS)
async def test_nothing_is_lost_while_the_gateway_is_down(tmp_path: Path, free_port: int, run: Run) -> None:
    """Kafka goes, messages come, the gateway goes with them unacknowledged; the next gateway of the same name gets them."""
    name = new_name()
    async with run(tmp_path / "mqtt") as url:
        settings = settings_for(f"127.0.0.1:{free_port}", url)
        async with Gateway(settings, load_data()) as gateway:
            async with embedded_broker(tmp_path / "kafka", free_port):
                await ensure_topics(settings)
                await until(lambda: is_subscribed(gateway))
            await publish(url, *((f"fenghuo/{name}/level", of_noon(second, second)) for second in range(20)))
        await publish(url, *((f"fenghuo/{name}/level", of_noon(second, second)) for second in range(20, 40)))
        async with embedded_broker(tmp_path / "kafka", free_port):
            await ensure_topics(settings)
            async with subscribed(settings):
                await readings(
                    settings.broker.bootstrap,
                    name,
                    lambda found: {reading["value"] for reading in found} >= set(map(float, range(40))),
                )


@pytest.mark.parametrize("run", BROKERS)
async def test_a_burst_arrives_whole(broker: str, tmp_path: Path, run: Run) -> None:
    """More messages than may be in flight, from several devices; each is one reading, and all are acknowledged."""
    name, count = new_name(), 3_000
    async with run(tmp_path) as url:
        settings = settings_for(broker, url, max_in_flight=100)
        await ensure_topics(settings)
        async with subscribed(settings) as gateway:
            async with device(url) as one, device(url) as other:

                async def send(client: Client, first: int) -> None:
                    for start in range(first, count, 200):
                        await asyncio.gather(
                            *(
                                client.publish(f"fenghuo/{name}-{n % 7}/level", of_noon(n), qos=1)
                                for n in range(start, start + 100)
                            )
                        )

                await asyncio.gather(send(one, 0), send(other, 100))
            found = await readings(
                broker, name, lambda found: len({reading["value"] for reading in found}) == count
            )
            assert gateway._mqtt is not None
            await gateway._mqtt._window.empty()
            assert gateway._mqtt._window.acknowledged == count
    assert len(found) == count


async def test_qos_0_is_taken_too(broker: str, tmp_path: Path) -> None:
    """Best effort is better than nothing."""
    name = new_name()
    async with embedded_mqtt(tmp_path) as url:
        settings = settings_for(broker, url)
        await ensure_topics(settings)
        async with subscribed(settings):
            await publish(url, (f"fenghuo/{name}/level", "0.5"), qos=0)
            (found,) = await readings(broker, name, bool)
    assert found["value"] == 0.5


@needs_mosquitto
async def test_a_retained_message_needs_its_own_time(tmp_path: Path) -> None:
    """It may be old: with its time it is that reading, without one it is refused."""
    name = new_name()
    async with embedded_mosquitto(tmp_path / "mqtt") as url, embedded_broker(tmp_path / "kafka") as kafka:
        settings = settings_for(kafka, url)
        await ensure_topics(settings)
        await publish(url, (f"fenghuo/{name}/ph", "7"), (f"fenghuo/{name}/level", of_noon(0.2)), retain=True)
        async with subscribed(settings):
            (found,) = await readings(kafka, name, bool)
            (refused,) = await refusals(kafka, 1)
    assert (found["value"], found["observed"]) == (0.2, NOON_MICROS)
    assert refused.reason == "retained"


async def test_own_routes_are_followed(broker: str, tmp_path: Path) -> None:
    """Another vendor's layout: a list of readings for many devices, Unix milliseconds, words for quality, a scale."""
    name = new_name()
    data = own_data(
        tmp_path / "data",
        """
[[route]]
topic = "vendor/+/up"
payload = "readings"
items = "data"
device = "sn"
channel = "key"
value = "val"
time = "ts"
time_format = "milliseconds"
quality = "state"
qualities = { ok = "N", fault = "D" }
scale = 0.001

[[route]]
topic = "vendor/+/status"
payload = "ignored"
""",
    )
    async with embedded_mqtt(tmp_path) as url:
        settings = settings_for(broker, url)
        settings = type(settings)(
            **{f: getattr(settings, f) for f in settings.__struct_fields__} | {"data_dir": data}
        )
        await ensure_topics(settings)
        before = counted("ignored")
        async with subscribed(settings):
            payload = (
                f'{{"ts": {NOON_MICROS // 1000}, "data": ['
                f'{{"sn": "{name}", "key": "level", "val": 127, "state": "ok"}},'
                f'{{"sn": "{name}-b", "key": "level", "val": 4, "state": "fault"}}]}}'
            )
            await publish(url, ("vendor/x/status", "online"), ("vendor/x/up", payload))
            found = await readings(broker, name, lambda found: len(found) == 2)
    assert {(r["series"], r["value"], r["quality"], r["observed"]) for r in found} == {
        (f"mqtt.{name}.level", 0.127, Quality.GOOD, NOON_MICROS),
        (f"mqtt.{name}-b.level", 0.004, Quality.FAULT, NOON_MICROS),
    }
    assert counted("ignored") == before + 1


def counted(reason: str) -> float:
    """Tell how many messages were turned away for a reason."""
    labels = {"stage": "gateway", "feed": "mqtt", "reason": reason}
    return REGISTRY.get_sample_value("fenghuo_rejected_total", labels) or 0.0


async def test_health_shows_mqtt_and_does_not_depend_on_it(
    broker: str, tmp_path: Path, free_port: int
) -> None:
    """The HTTP feeds go on without the MQTT broker."""
    settings = settings_for(broker, f"mqtt://127.0.0.1:{free_port}")
    await ensure_topics(settings)
    async with Gateway(settings, load_data()) as gateway, ClientSession() as session:

        def connected() -> float | None:
            labels = {"broker": f"127.0.0.1:{free_port}"}
            return REGISTRY.get_sample_value("fenghuo_mqtt_connected", labels)

        async def health() -> tuple[int, bool]:
            async with session.get(f"http://127.0.0.1:{gateway.port}/healthz") as response:
                return response.status, (await response.json())["mqtt"]

        async with asyncio.timeout(20):
            while await health() != (200, False):
                await asyncio.sleep(0.02)
            assert connected() == 0
            async with embedded_mqtt(tmp_path, free_port):
                while await health() != (200, True):
                    await asyncio.sleep(0.02)
                assert connected() == 1
