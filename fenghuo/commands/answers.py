"""How commands answer: a line for people, or JSON where a program reads."""

import sys
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console

from config.settings import Settings
from domain.errors import Fault, FenghuoError, InvalidConfiguration


def console(*, stderr: bool = False) -> Console:
    """Make a console for people, on standard output unless it is for faults."""
    return Console(highlight=False, soft_wrap=True, stderr=stderr)


def print_json(answer: Any) -> None:
    """Write one JSON document to standard output."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(answer), indent=2).decode() + "\n")


def write_json(answer: Any, place: Path) -> None:
    """Write one JSON document to a file, or to standard output for `-`."""
    if str(place) == "-":
        print_json(answer)
        return
    try:
        place.write_bytes(msgspec.json.format(msgspec.json.encode(answer), indent=2) + b"\n")
    except OSError as error:
        raise FenghuoError(f"{place} cannot be written: {error.strerror}") from error


def dsn_of(settings: Settings) -> str:
    """Take the database's DSN; InvalidConfiguration when there is none."""
    if not settings.database.dsn:
        raise InvalidConfiguration(
            [Fault("FENGHUO_DATABASE_DSN", "is not set: this command needs the database")]
        )
    return settings.database.dsn.value
