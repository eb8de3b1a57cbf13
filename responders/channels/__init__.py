"""The ways to reach a person: console, file, webhook, chats, behind one Protocol (tests/contracts/test_channels.py)."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Protocol

from config.chats import Chat, check_secrets, secrets_of
from config.settings import ChatSecrets, RespondSettings
from domain.errors import InvalidConfiguration
from responders.cases import Message, Outcome
from responders.channels.chat import ChatChannel
from responders.channels.console import ConsoleChannel
from responders.channels.file import FileChannel
from responders.channels.webhook import WebhookChannel, open_session
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


def channel_names(settings: RespondSettings, chats: Iterable[str] = ()) -> tuple[str, ...]:
    """Name the channels that settings and data set up, console first."""
    return ("console", "file", *(("webhook",) if settings.webhook_url else ()), *chats)


@asynccontextmanager
async def open_channels(
    settings: RespondSettings,
    store: Store,
    chats: Mapping[str, Chat] | None = None,
    secrets: Mapping[str, ChatSecrets] | None = None,
) -> AsyncIterator[dict[str, Channel]]:
    """Open the channels that settings and data set up, by name, and close them on leaving.

    InvalidConfiguration when a chat has no token, or a secret no chat.
    """
    chats, secrets = chats or {}, secrets or {}
    if faults := [*check_secrets(chats, secrets)]:
        raise InvalidConfiguration(faults)
    channels: list[Channel] = [ConsoleChannel(store.pages), FileChannel(settings.file_path)]
    async with open_session(settings.webhook_timeout_seconds) as session:
        if settings.webhook_url:
            channels.append(WebhookChannel(session, settings.webhook_url))
        channels += [ChatChannel(session, chat, secrets[secrets_of(chat.name)]) for chat in chats.values()]
        yield {channel.name: channel for channel in channels}


__all__ = ["Channel", "channel_names", "open_channels"]
