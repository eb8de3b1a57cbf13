"""The gateway at the MQTT broker: it goes and comes back, is old or slow, and two gateways share it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from mqtt_world import (
    is_subscribed,
    needs_mosquitto,
    new_name,
    publish,
    readings,
    settings_for,
    subscribed,
    told,
    until,
)
from structlog.testing import capture_logs

from config.data import load_data
from domain.registry import Protocol
from fenghuo.embedded_mqtt import embedded_mosquitto
from fenghuo.topics import ensure_topics
from streams.gateway import Gateway

pytestmark = needs_mosquitto


async def test_it_comes_back_after_the_broker_was_restarted(
    broker: str, tmp_path: Path, free_port: int
) -> None:
    """Told once when lost and once when back; readings from before and after are there."""
    name = new_name()
    settings = settings_for(broker, f"mqtt://127.0.0.1:{free_port}")
    await ensure_topics(settings)
    with capture_logs() as lines:
        async with Gateway(settings, load_data()) as gateway:
            async with embedded_mosquitto(tmp_path, free_port) as url:
                await until(lambda: is_subscribed(gateway))
                await publish(url, (f"fenghuo/{name}/level", "1"))
                await readings(broker, name, bool)
            await until(lambda: not is_subscribed(gateway))
            async with embedded_mosquitto(tmp_path, free_port) as url:
                await publish(url, (f"fenghuo/{name}/level", "2"))  # kept for us, subscribed or not
                await until(lambda: is_subscribed(gateway))
                await publish(url, (f"fenghuo/{name}/level", "3"))
                # The first may come twice: our acknowledgement and the broker's end may have crossed.
                await readings(
                    broker, name, lambda found: {reading["value"] for reading in found} == {1, 2, 3}
                )
                events = [line["event"] for line in lines if line["event"].startswith("mqtt_")]
    first = events.index("mqtt_is_there")
    assert events[first:] == ["mqtt_is_there", "mqtt_is_away", "mqtt_is_there"]


async def test_two_gateways_share_the_load(broker: str, tmp_path: Path) -> None:
    """Each message goes to one of them, and neither gets all."""
    name, count = new_name(), 200
    async with embedded_mosquitto(tmp_path) as url:
        settings = [settings_for(broker, url, share_group="fenghuo") for _ in range(2)]
        await ensure_topics(settings[0])
        async with subscribed(settings[0]) as one, subscribed(settings[1]) as other:
            await publish(url, *((f"fenghuo/{name}/level", str(number)) for number in range(count)))
            found = await readings(broker, name, lambda found: len(found) >= count)
            shares = []
            for gateway in (one, other):
                met = gateway.devices.meet(Protocol.MQTT, name)
                assert met is not None
                shares.append(met.readings)
    assert len(found) == count
    assert sum(shares) == count
    assert min(shares) > count // 10


async def test_what_one_of_two_leaves_behind_waits_for_it(broker: str, tmp_path: Path) -> None:
    """Mosquitto keeps the share of a gateway that is down, until that is back: known, and documented."""
    name, count = new_name(), 20
    async with embedded_mosquitto(tmp_path) as url:
        settings = [settings_for(broker, url, share_group="fenghuo") for _ in range(2)]
        await ensure_topics(settings[0])
        async with subscribed(settings[0]):
            async with subscribed(settings[1]):
                pass
            await publish(url, *((f"fenghuo/{name}/level", str(number)) for number in range(count)))
            some = await readings(broker, name, lambda found: len(found) >= count // 2)
            assert len(some) < count
            async with subscribed(settings[1]):
                await readings(broker, name, lambda found: len(found) >= count)


async def test_a_gateway_that_leaves_for_good_leaves_nothing_behind(broker: str, tmp_path: Path) -> None:
    """Started once more with an expiry of 0 it takes what waited for it, and the others take all from then on."""
    name, count = new_name(), 20
    async with embedded_mosquitto(tmp_path) as url:
        stays = settings_for(broker, url, share_group="fenghuo")
        leaves = settings_for(broker, url, share_group="fenghuo", client_id_prefix=f"leaves-{name}")
        last = settings_for(
            broker, url, share_group="fenghuo", client_id_prefix=f"leaves-{name}", session_expiry_seconds=0
        )
        await ensure_topics(stays)
        async with subscribed(stays):
            async with subscribed(leaves):
                pass
            await publish(url, *((f"fenghuo/{name}/level", str(number)) for number in range(count)))
            async with subscribed(last):
                await readings(broker, name, lambda found: len(found) >= count)
            await publish(url, *((f"fenghuo/{name}/level", str(number)) for number in range(count)))
            await readings(broker, name, lambda found: len(found) >= 2 * count)


@asynccontextmanager
async def old_broker(url: str, refusal: bytes) -> AsyncIterator[str]:
    """Stand before a broker like one that knows MQTT 3.1.1 only: answers anything newer with `refusal`, then hangs up."""
    host, port = url.removeprefix("mqtt://").split(":")

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            greeting = await reader.read(65536)
            if greeting[greeting.index(b"MQTT") + 4] > 4:
                writer.write(refusal)
                writer.close()
                return
            above, below = await asyncio.open_connection(host, int(port))
            below.write(greeting)
            await asyncio.gather(carry(reader, below), carry(above, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"mqtt://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


@pytest.mark.parametrize("refusal", [b"\x20\x02\x00\x01", b""], ids=["answer", "hang-up"])
async def test_an_old_broker_is_spoken_to_in_its_own_version(
    broker: str, tmp_path: Path, refusal: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MQTT 3.1.1 takes over where 5 is refused, with the same guarantees: a session that goes on, PUBACK by hand."""
    monkeypatch.setattr("streams.mqtt.connection.TIMEOUT_SECONDS", 1.0)
    name = new_name()
    async with embedded_mosquitto(tmp_path) as url, old_broker(url, refusal) as old:
        settings = settings_for(broker, old)
        await ensure_topics(settings)
        async with subscribed(settings) as gateway:
            assert gateway._mqtt is not None
            assert gateway._mqtt._dialect.version.name == "V311"
            await publish(url, (f"fenghuo/{name}/level", "1"))
            await readings(broker, name, bool)
        await publish(url, (f"fenghuo/{name}/level", "2"))
        async with subscribed(settings):
            await readings(broker, name, lambda found: len(found) == 2)


@asynccontextmanager
async def fake_broker(code: int, *, after: asyncio.Event | None = None) -> AsyncIterator[str]:
    """Be a broker that greets everybody, and answers each subscription with a code, when the time has come."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        writer.write(b"\x20\x03\x00\x00\x00")
        while subscribe := await reader.read(65536):
            if subscribe[0] == 0x82:
                if after is not None:
                    await after.wait()
                writer.write(b"\x90\x04" + subscribe[2:4] + b"\x00" + bytes([code]))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"mqtt://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def test_a_refused_subscription_is_told(broker: str) -> None:
    """The log names the filter and the broker's code, here: not authorized."""
    async with fake_broker(0x87) as url:
        settings = settings_for(broker, url)
        await ensure_topics(settings)
        line = await told(settings, "mqtt_is_away")
    assert "fenghuo/+/+ with code 135" in line["detail"]


async def test_a_subscription_without_acknowledgements_is_told(broker: str, tmp_path: Path) -> None:
    """A broker that grants QoS 0 alone may lose what it delivers: we take it, and say so."""
    name = new_name()
    with capture_logs() as lines:
        async with embedded_mosquitto(tmp_path, lines=["allow_anonymous true", "max_qos 0"]) as url:
            settings = settings_for(broker, url)
            await ensure_topics(settings)
            async with subscribed(settings):
                await publish(url, (f"fenghuo/{name}/level", "1"), qos=0)
                await readings(broker, name, bool)
    assert any(line["event"] == "mqtt_without_acknowledgements" for line in lines)


async def test_a_subscription_that_is_answered_late_holds(
    broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mosquitto answers it after all that the session had kept: giving up meanwhile would deliver the same again."""
    monkeypatch.setattr("streams.mqtt.connection.TIMEOUT_SECONDS", 0.2)
    answer = asyncio.Event()
    with capture_logs() as lines:
        async with fake_broker(0x01, after=answer) as url:
            settings = settings_for(broker, url)
            await ensure_topics(settings)
            async with Gateway(settings, load_data()) as gateway:
                with pytest.raises(TimeoutError):
                    await until(lambda: any(line["event"] == "mqtt_is_away" for line in lines), seconds=1.0)
                assert not is_subscribed(gateway)
                answer.set()
                await until(lambda: is_subscribed(gateway))
