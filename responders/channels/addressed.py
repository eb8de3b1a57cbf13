"""The door of a channel to one person: opens the contact that a page carries sealed, and adds link and code."""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

import structlog

from domain.errors import InvalidInput
from responders.cases import GIVES_WORK, Cause, Message, Outcome, Result
from responders.contacts import Keyring
from responders.deadlines import TASK_STEPS
from responders.replies import ends_at

log = structlog.get_logger()

TEST = "test"
"""The reason of a message that tests a channel: no page stands behind it, nothing can be acknowledged."""


class Sender(Protocol):
    """What is behind the door."""

    name: str
    idempotent: bool
    outside: bool

    async def send(self, message: Message) -> Outcome:
        """Send a message and say what became of it."""


class Addressed:
    """Gives a channel the contact in clear, and the page's link and code; without a contact the page is refused at once.

    Several contacts (browsers of one account) stand in lines. A contact that does not open, since it was changed in the
    database or sealed under another key, is no contact.
    """

    def __init__(
        self,
        inner: Sender,
        keys: Keyring | None,
        *,
        required: bool = True,
        link_of: Callable[[str], str] | None = None,
        replies: bool = False,
    ) -> None:
        """Take the channel and the keys; `link_of` makes an address of a token, `replies` says that codes come back."""
        self.name, self.idempotent, self.outside = inner.name, inner.idempotent, inner.outside
        self._inner = inner
        self._keys = keys
        self._required = required
        self._link_of = link_of
        self._replies = replies

    async def send(self, message: Message) -> Outcome:
        """Open, add and hand on."""
        contact = self._open(message.contact)
        if self._required and not contact:
            return Outcome(Result.REFUSED, Cause.NO_CONTACT)
        link = code = ""
        if self._keys is not None and asks(message):
            if self._link_of is not None:
                link = self._link_of(self._keys.token(message.page, ends_at(message.created_at)))
            code = self._keys.code(message.page) if self._replies else ""
        return await self._inner.send(replace(message, contact=contact, link=link, code=code))

    def _open(self, sealed: str) -> str:
        if self._keys is None or not sealed:
            return ""
        try:
            return "\n".join(self._keys.open_all(sealed, self.name))
        except InvalidInput as error:
            log.warning("contact_does_not_open", channel=self.name, reason=str(error))
            return ""


def asks(message: Message) -> bool:
    """Say whether a page asks for an answer: a case's does, and one that gives a unit its task; a reminder does not."""
    return message.reason != TEST and (message.step < TASK_STEPS or message.reason in GIVES_WORK)
