"""`fenghuo device ask`: an operator's command to a device (反控), over the gateway that it is connected to."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import typer
from msgspec import structs

from domain.devices import DeviceAnswer, DeviceCommand
from domain.errors import Fault, FenghuoError, InvalidInput
from fenghuo.commands.answers import console, print_json
from fenghuo.running import read_settings, set_up_logging

WAIT_SECONDS = 30.0


def add_to(cli: typer.Typer) -> None:
    """Add the command."""

    @cli.command()
    def ask(
        device: str = typer.Argument(help="Id of a registered device."),
        command: str = typer.Argument(help="What to ask: get-time, set-time, …"),
        arguments: list[str] = typer.Argument(None, help="NAME=VALUE for commands that need one."),
        wait: float = typer.Option(WAIT_SECONDS, min=1, max=300, help="Seconds to wait for the end."),
        as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
    ) -> None:
        """Ask a connected device for its time, set it, or ask for more that its protocol knows.

        HJ 212 (数采仪): get-time, set-time [time=20260701120000; ours otherwise], get-interval, set-interval interval=30,
        start-realtime, stop-realtime. SL 651 (遥测站): get-time, set-time, get-data, get-state. Exit status 1 when the
        device did not do it in time, or is connected to no gateway.
        """
        settings, _ = read_settings()
        set_up_logging("error")
        wanted = DeviceCommand(
            id=uuid4(),
            device=device,
            name=command,
            arguments=_pairs(arguments or []),
            expires_at=datetime.now(UTC) + timedelta(seconds=wait),
        )

        async def collect() -> list[DeviceAnswer]:
            from fenghuo.asking import ask as ask_device

            answers = []
            async for answer in ask_device(settings.broker, wanted, wait):
                answers.append(answer)
                if not as_json:
                    _show(answer)
            return answers

        answers = asyncio.run(collect())
        if as_json:
            print_json([structs.asdict(answer) for answer in answers])
        if not answers:
            raise FenghuoError(f"{device} is connected to no gateway, or not registered.")
        if not answers[-1].final or answers[-1].outcome != "done":
            raise typer.Exit(1)


def _pairs(arguments: list[str]) -> dict[str, str]:
    faults = [Fault(text, "must be NAME=VALUE") for text in arguments if "=" not in text]
    if faults:
        raise InvalidInput(faults)
    return dict(text.split("=", 1) for text in arguments)


def _show(answer: DeviceAnswer) -> None:
    told = " ".join(f"{name}={value}" for name, value in answer.values.items())
    console().print(" ".join(part for part in (answer.outcome, answer.detail, told) if part), markup=False)
