"""`fenghuo simulate PROTOCOL`: devices and systems that are not there, played against a running platform.

Each protocol has its own module in `fenghuo/simulate/`, with an `add_to` that adds its command here.
"""

import typer

from fenghuo.simulate import hj212, mqtt, sl651, tickets


def create_commands() -> typer.Typer:
    """Make the group of commands."""
    cli = typer.Typer(
        help="Play devices 模拟设备 against a running gateway: for acceptance, and to try a feed.",
        no_args_is_help=True,
    )

    @cli.callback()
    def simulate() -> None:
        """Play devices against a running gateway, for acceptance and to try a feed."""

    for protocol in (hj212, mqtt, sl651, tickets):
        protocol.add_to(cli)
    return cli
