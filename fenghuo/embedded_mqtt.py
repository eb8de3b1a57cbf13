"""An MQTT broker as a child process, for the demo, the tests and a first look: Mosquitto, or rumqttd out of a wheel.

Mosquitto, where the machine has it, gives all that the gateway asks for: QoS 1, sessions that survive a restart, shared
subscriptions, MQTT 3.1.1 and 5 on one port, passwords and TLS. rumqttd (the wheel `iotcore`) delivers QoS 1 and keeps
sessions, but in memory only, speaks one version a port, heeds no receive maximum, and its version 0.20 breaks down when a
member leaves a shared subscription: subscribe there with an empty share group.
"""

import asyncio
import os
import pwd
import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path

from domain.errors import FenghuoError
from fenghuo.embedded import own_address, own_environment
from fenghuo.processes import Command, child_process, until_ready

ANYBODY = ("allow_anonymous true",)
SYSTEM_FOLDERS = ("/usr/sbin", "/usr/local/sbin")
"""Where distributions put Mosquitto, and where the PATH of ordinary accounts does not lead."""


def find_mosquitto() -> Path | None:
    """Find the program of the Mosquitto broker; None where there is none."""
    path = os.pathsep.join([os.environ.get("PATH", ""), *SYSTEM_FOLDERS])
    found = shutil.which("mosquitto", path=path)
    return Path(found) if found else None


@asynccontextmanager
async def embedded_mqtt(data_dir: Path, port: int | None = None) -> AsyncIterator[str]:
    """Run the best MQTT broker that this machine has; yields its URL. Nobody needs a password, nobody outside gets here."""
    run = embedded_mosquitto if find_mosquitto() else embedded_rumqttd
    async with run(data_dir, port) as url:
        yield url


@asynccontextmanager
async def mqtt_for_devices(data_dir: Path, port: int) -> AsyncIterator[str]:
    """Run the best MQTT broker that this machine has, where MQTT 3.1.1 is spoken on the port; yields the gateway's URL.

    Most tools for the command line speak 3.1.1 unless told otherwise. The gateway wants 5: rumqttd has it on another port.
    """
    run = (
        embedded_mosquitto(data_dir, port)
        if find_mosquitto()
        else embedded_rumqttd(data_dir, plain_port=port)
    )
    async with run as url:
        yield url


@asynccontextmanager
async def embedded_mosquitto(
    data_dir: Path, port: int | None = None, *, lines: Sequence[str] = ANYBODY
) -> AsyncIterator[str]:
    """Run Mosquitto; yields its URL. What it holds stays in `data_dir` for the next time.

    `lines` of its configuration say who may come in, and may give the listener a certificate.
    """
    program = find_mosquitto()
    if program is None:
        raise FenghuoError("Mosquitto is not installed: it is the package mosquitto of most distributions")
    address = own_address(port)
    host, number = address.split(":")
    home = (data_dir / "mosquitto").absolute()
    home.mkdir(parents=True, exist_ok=True)
    file = home / "mosquitto.conf"
    settings = [
        f"listener {number} {host}",
        # Started by root it would otherwise become an account that may not enter our folder.
        f"user {pwd.getpwuid(os.geteuid()).pw_name}",
        "persistence true",
        f"persistence_location {home}/",
        "autosave_interval 5",
        "max_queued_messages 1000000",
        *lines,
    ]
    file.write_text("".join(f"{line}\n" for line in settings))
    secure = any(line.startswith("certfile ") for line in lines)
    log = data_dir / "mosquitto.log"
    async with child_process([program, "-c", file], log=log, environment=own_environment()) as process:
        await until_ready("Mosquitto", lambda: _listens(host, int(number)), process, log=log)
        yield f"{'mqtts' if secure else 'mqtt'}://{address}"


@asynccontextmanager
async def embedded_rumqttd(
    data_dir: Path, port: int | None = None, *, plain_port: int | None = None
) -> AsyncIterator[str]:
    """Run rumqttd for clients of MQTT 5; yields its URL. Ended and started again it is empty.

    On `plain_port`, where it is given, it speaks MQTT 3.1.1.
    """
    if find_spec("iotcore") is None:
        raise FenghuoError("The embedded MQTT broker is not installed: pip install 'fenghuo[embedded]'")
    address = own_address(port)
    host, number = address.split(":")
    home = (data_dir / "rumqttd").absolute()
    home.mkdir(parents=True, exist_ok=True)
    file = home / "rumqttd.toml"
    listeners = {"v5.1": address} | ({"v4.1": own_address(plain_port)} if plain_port else {})
    parts = [_LISTENER.format(name=name, address=place) for name, place in listeners.items()]
    file.write_text("".join([_ROUTER, *parts]))
    command: Command = [sys.executable, "-m", "iotcore", "--config", file]
    log = data_dir / "rumqttd.log"
    async with child_process(command, log=log, environment=own_environment()) as process:
        await until_ready("The embedded MQTT broker", lambda: _listens(host, int(number)), process, log=log)
        yield f"mqtt://{address}"


async def _listens(host: str, port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    writer.close()
    return True


_ROUTER = """\
id = 0
[router]
id = 0
max_connections = 10010
max_outgoing_packet_count = 1000
max_segment_size = 104857600
max_segment_count = 10
"""
_LISTENER = """\
[{name}]
name = "{name}"
listen = "{address}"
next_connection_delay_ms = 1
[{name}.connections]
connection_timeout_ms = 60000
max_payload_size = 1048576
max_inflight_count = 1000
dynamic_filters = true
"""
