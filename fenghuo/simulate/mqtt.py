"""`fenghuo simulate mqtt`: sensors that are not there."""

import asyncio
import math
from pathlib import Path

import aiomqtt
import typer
from msgspec import structs
from rich.console import Console
from rich.progress import Progress

from config.settings import MqttSettings, Secret
from domain.errors import Fault, InvalidConfiguration, InvalidInput
from fenghuo.commands.answers import console, print_json
from fenghuo.running import set_up_logging
from fenghuo.simulate.mqtt_play import Play, play
from fenghuo.simulate.outcome import outcome_table
from streams.mqtt.place import Place, read_place

VERSIONS = {"5": aiomqtt.ProtocolVersion.V5, "3.1.1": aiomqtt.ProtocolVersion.V311}
CHANNELS = ("level", "rain", "flow", "temperature", "voltage")


def add_to(cli: typer.Typer) -> None:
    """Add the command."""

    @cli.command()
    def mqtt(
        broker: str = typer.Argument(help="Address of the MQTT broker, such as mqtt://127.0.0.1:1883."),
        devices: int = typer.Option(1, min=1, max=2_000, help="How many devices 设备数; each connects."),
        name: str = typer.Option("sim", help="Beginning of the devices' names: sim-0001, sim-0002 …"),
        channels: int = typer.Option(3, min=1, max=200, help="Channels of a device 通道数."),
        root: str = typer.Option("fenghuo", help="Topics are ROOT/DEVICE/CHANNEL, or ROOT/DEVICE."),
        together: bool = typer.Option(
            False, "--together", help="All channels of a device in one message, an object."
        ),
        interval: float = typer.Option(5.0, min=0, help="Seconds between two rounds of a device."),
        count: int = typer.Option(3, min=1, help="Rounds of each device."),
        duration: float = typer.Option(0.0, min=0, help="Seconds to go on, instead of --count."),
        wait: float = typer.Option(10.0, min=0.1, help="Seconds that an acknowledgement may take."),
        garbage: bool = typer.Option(
            False, "--garbage", help="Something that nobody can read before each message."
        ),
        username: str = typer.Option("", help="Account at the MQTT broker."),
        password: str = typer.Option("", envvar="FENGHUO_MQTT_PASSWORD", help="Its password 密码."),
        ca_file: Path | None = typer.Option(None, help="Certificate of the authority, for mqtts."),
        version: str = typer.Option("5", help="Version of MQTT: 5 or 3.1.1."),
        as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
    ) -> None:
        """Play sensors that publish over MQTT with QoS 1, for acceptance.

        A message is confirmed when the MQTT broker acknowledges it; whether it is on Kafka, the gateway's metrics and the
        console tell. Exit status 1 when something was not acknowledged.
        """
        faults: list[Fault] = []
        place = _place(broker, username, password, ca_file, faults)
        if version not in VERSIONS:
            faults.append(Fault("--version", f"must be one of {', '.join(VERSIONS)}"))
        if duration and not interval:
            faults.append(Fault("--interval", "must be more than 0 with --duration"))
        if not root or any(sign in f"{root}{name}" for sign in "+#") or "/" in name or not name:
            faults.append(Fault("--root", "and --name make topics: no + or #, and no / in a name"))
        if faults or place is None:
            raise InvalidInput(faults)
        set_up_logging("warning")
        what = Play(
            place=place,
            username=username,
            password=password,
            version=VERSIONS[version],
            root=root,
            first=name,
            devices=devices,
            channels=tuple([*CHANNELS, *(f"channel-{n}" for n in range(len(CHANNELS) + 1, 201))][:channels]),
            count=math.ceil(duration / interval) if duration else count,
            interval_seconds=interval,
            together=together,
            garbage=garbage,
            confirm_seconds=wait,
        )
        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("messages", total=what.messages)
            outcome = asyncio.run(play(what, lambda sent: bar.update(task, completed=sent)))
        if as_json:
            print_json(structs.asdict(outcome))
        else:
            console().print(outcome_table(outcome, f"MQTT → {broker}"))
        if outcome.unconfirmed:
            raise typer.Exit(1)


def _place(
    broker: str, username: str, password: str, ca_file: Path | None, faults: list[Fault]
) -> Place | None:
    """Read where the broker is, by the same rules as the gateway."""
    try:
        return read_place(
            MqttSettings(url=broker, username=username, password=Secret(password), ca_file=ca_file)
        )
    except InvalidConfiguration as error:
        faults.extend(error.faults)
        return None
