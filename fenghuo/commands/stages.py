"""`fenghuo gateway | stream | respond | console`: one process each."""

import typer

from fenghuo.running import Stage, run_stage


def add_to(cli: typer.Typer) -> None:
    """Add the four stages."""

    @cli.command()
    def gateway() -> None:
        """Take readings, tickets, reports and bulletins over HTTP."""
        run_stage(Stage.GATEWAY)

    @cli.command()
    def stream() -> None:
        """Make findings and alerts of what came in."""
        run_stage(Stage.STREAM)

    @cli.command()
    def respond() -> None:
        """Open incidents, page those on duty, climb until somebody acknowledges."""
        run_stage(Stage.RESPOND)

    @cli.command()
    def console() -> None:
        """Serve the web console."""
        run_stage(Stage.CONSOLE)
