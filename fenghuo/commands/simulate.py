"""`fenghuo simulate PROTOCOL`: devices and systems that are not there, played against a running platform.

Each protocol has its own module in `fenghuo/simulate/`, with an `add_to` that adds its command here.
"""

import typer

from fenghuo.simulate import mqtt, sl651


def create_commands() -> typer.Typer:
    """Make the group of commands."""
    cli = typer.Typer(
        help="Play devices 模拟设备 against a running gateway: for acceptance, and to try a feed.",
        no_args_is_help=True,
    )

    @cli.callback()
    def simulate() -> None:
        """Play devices against a running gateway, for acceptance and to try a feed."""

    for protocol in (mqtt, sl651):
        protocol.add_to(cli)
    return cli
