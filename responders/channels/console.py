"""The console as a channel: the page's row is the message, and live pages are told of it."""

from typing import Protocol
from uuid import UUID

from domain.errors import DatabaseUnavailable
from responders.cases import Cause, Message, Outcome, Result


class Announcer(Protocol):
    """What the channel needs of the store."""

    async def announce_page(self, page: UUID, place: str) -> None:
        """Tell live consoles of a page, once."""


class ConsoleChannel:
    """Reaches whoever looks at the console; delivered means that it is there to be seen, not that anybody saw it."""

    name = "console"
    idempotent = True
    outside = False

    def __init__(self, announcer: Announcer) -> None:
        """Take the part of the store that tells live pages."""
        self._announcer = announcer

    async def send(self, message: Message) -> Outcome:
        """Tell live consoles."""
        try:
            await self._announcer.announce_page(message.page, message.place)
        except DatabaseUnavailable:
            return Outcome(Result.RETRY, Cause.STORAGE)
        return Outcome(Result.DELIVERED, Cause.ACCEPTED)
