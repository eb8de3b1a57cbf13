"""The ways to reach a person: console, file, webhook, behind one Protocol (tests/contracts/test_channels.py)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from config.settings import RespondSettings
from responders.cases import Message, Outcome
from responders.channels.console import ConsoleChannel
from responders.channels.file import FileChannel
from responders.channels.webhook import open_webhook
from responders.store import Store


class Channel(Protocol):
    """A way to reach a person.

    `send` answers and does not raise, whatever the other side does; it may be cancelled. `idempotent` promises that sending
    the same page twice reaches the person once: only then is a page sent again of which nobody knows whether it was sent.
    `outside` channels leave the house, and carry no drills.
    """

    name: str
    idempotent: bool
    outside: bool

    async def send(self, message: Message) -> Outcome:
        """Send a message and say what became of it."""


def channel_names(settings: RespondSettings) -> tuple[str, ...]:
    """Name the channels that the settings set up, console first."""
    return ("console", "file", "webhook") if settings.webhook_url else ("console", "file")


@asynccontextmanager
async def open_channels(settings: RespondSettings, store: Store) -> AsyncIterator[dict[str, Channel]]:
    """Open the channels that the settings set up, by name, and close them on leaving."""
    channels: list[Channel] = [ConsoleChannel(store.workers), FileChannel(settings.file_path)]
    if settings.webhook_url:
        async with open_webhook(settings.webhook_url, settings.webhook_timeout_seconds) as webhook:
            yield {channel.name: channel for channel in [*channels, webhook]}
    else:
        yield {channel.name: channel for channel in channels}


__all__ = ["Channel", "channel_names", "open_channels"]
