"""Sensors that are not there publish as real ones do, and tell what was not acknowledged."""

import asyncio
import json
import sys
from pathlib import Path

import aiomqtt
import pytest
from mqtt_world import needs_mosquitto, new_name, readings, settings_for, subscribed

from config.settings import MqttSettings
from domain.errors import Unavailable
from fenghuo.embedded_mqtt import embedded_mosquitto, embedded_mqtt
from fenghuo.simulate.mqtt_play import Play, play
from fenghuo.topics import ensure_topics
from streams.mqtt.place import read_place


def played(url: str, name: str, **options: object) -> Play:
    """Play two devices of two channels, three rounds, without a pause."""
    standard = {
        "place": read_place(MqttSettings(url=url)),
        "username": "",
        "password": "",
        "version": aiomqtt.ProtocolVersion.V5,
        "root": "fenghuo",
        "first": name,
        "devices": 2,
        "channels": ("level", "rain"),
        "count": 3,
        "interval_seconds": 0.0,
        "together": False,
        "garbage": False,
        "confirm_seconds": 10.0,
    }
    return Play(**(standard | options))  # type: ignore[arg-type]  plain fields


@pytest.mark.parametrize("together", [False, True])
async def test_what_is_acknowledged_becomes_readings(broker: str, tmp_path: Path, together: bool) -> None:
    """One message for each channel, or one for all; garbage is acknowledged as well and becomes none."""
    name = new_name()
    async with embedded_mqtt(tmp_path) as url:
        settings = settings_for(broker, url)
        await ensure_topics(settings)
        async with subscribed(settings):
            outcome = await play(played(url, name, together=together, garbage=True), lambda sent: None)
            found = await readings(broker, name, lambda found: len(found) >= 12)
    assert (outcome.sent, outcome.confirmed, outcome.unconfirmed) == (
        (12, 12, 0) if together else (24, 24, 0)
    )
    assert outcome.confirm_ms_p50 is not None
    assert {reading["series"] for reading in found} == {
        f"mqtt.{name}-{number:04d}.{channel}" for number in (1, 2) for channel in ("level", "rain")
    }


@needs_mosquitto
async def test_what_is_not_acknowledged_is_counted(tmp_path: Path, free_port: int) -> None:
    """The MQTT broker goes in the middle and comes back: the rounds meanwhile are not confirmed, later ones are."""
    sent = asyncio.Event()
    missed = asyncio.Event()
    counts: list[int] = []

    def progress(count: int) -> None:
        counts.append(count)
        (sent if not sent.is_set() else missed).set()

    async with asyncio.timeout(30):
        async with embedded_mosquitto(tmp_path, free_port) as url:
            what = played(
                url,
                new_name(),
                devices=1,
                count=20,
                interval_seconds=0.2,
                channels=("level",),
                confirm_seconds=1.0,
            )
            playing = asyncio.ensure_future(play(what, progress))
            await sent.wait()
        missed.clear()
        await missed.wait()
        async with embedded_mosquitto(tmp_path, free_port):
            outcome = await playing
    assert outcome.sent == 20
    assert outcome.confirmed > 2
    assert outcome.unconfirmed > 0


async def test_a_broker_that_is_not_there_is_one_sentence(free_port: int) -> None:
    """Nothing acknowledged at all: the reason is told."""
    with pytest.raises(Unavailable, match="refused"):
        await play(played(f"mqtt://127.0.0.1:{free_port}", "sim"), lambda sent: None)


async def command(*arguments: str) -> tuple[int, str, str]:
    """Run `fenghuo simulate mqtt` as a process of its own, since it sets up logging."""
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "fenghuo", "simulate", "mqtt", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await program.communicate()
    return program.returncode or 0, output.decode(), errors.decode()


async def test_the_command_answers_in_json(tmp_path: Path) -> None:
    """Exit status 0 with counts."""
    async with embedded_mqtt(tmp_path) as url:
        status, output, _ = await command(url, "--count", "1", "--json")
    assert status == 0
    assert json.loads(output)["confirmed"] == 3


async def test_the_command_refuses_nonsense() -> None:
    """Every wrong option in one sentence."""
    status, _, errors = await command("http://x", "--version", "4", "--name", "a/b")
    assert status == 1
    for place in ("mqtt.url", "--version", "--root"):
        assert place in errors
