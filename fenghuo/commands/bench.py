"""`fenghuo bench`."""

import typer


def create_commands() -> typer.Typer:
    return typer.Typer()
