"""The ways to reach a person, behind one Protocol (tests/contracts/test_channels.py)."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from typing import Protocol, assert_never

import aiohttp

from config.breakers import rule_for
from config.chats import check_secrets
from config.chats import secrets_of as chat_secrets_of
from config.data import Data
from config.services import (
    AliyunSms,
    Apprise,
    Gateway,
    Service,
    Smtp,
    WebPush,
    WecomApp,
    check_service_secrets,
    secrets_of,
)
from config.settings import RespondSettings, ServiceSecrets, Settings
from domain.errors import DatabaseUnavailable, Fault, InvalidConfiguration
from responders.breaker import Guarded
from responders.cases import Message, Outcome
from responders.channels.addressed import Addressed
from responders.channels.aliyun import AliyunChannel
from responders.channels.chat import ChatChannel
from responders.channels.console import ConsoleChannel
from responders.channels.file import FileChannel
from responders.channels.long_tail import LongTailChannel
from responders.channels.mail import MailChannel
from responders.channels.push import PushChannel
from responders.channels.webhook import WebhookChannel, open_session
from responders.channels.wecom import WecomChannel
from responders.channels.wording import count_utf16, sms_room, word
from responders.contacts import Keyring, read_keyring
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


def channel_names(settings: RespondSettings, others: Iterable[str] = ()) -> tuple[str, ...]:
    """Name the channels that settings and data (chats and services) set up, console first."""
    return ("console", "file", *(("webhook",) if settings.webhook_url else ()), *others)


def services_of(settings: Settings, data: Data) -> dict[str, Service]:
    """Name all services by name: those of services.toml, and the one webhook of the settings, which keeps its own book."""
    if not settings.respond.webhook_url:
        return data.services
    webhook = Gateway(
        name="webhook",
        url=settings.respond.webhook_url,
        timeout_seconds=settings.respond.webhook_timeout_seconds,
        own_book=True,
        replies=bool(settings.services.get(secrets_of("webhook"), ServiceSecrets()).callback),
    )
    return {**data.services, "webhook": webhook}


def channel_faults(settings: Settings, data: Data) -> list[Fault]:
    """Find everything that is wrong with the secrets of chats and services."""
    return [
        *check_secrets(data.chats, settings.chats),
        *check_service_secrets(services_of(settings, data), settings.services, settings.contact_key),
    ]


@asynccontextmanager
async def open_channels(settings: Settings, data: Data, store: Store) -> AsyncIterator[dict[str, Channel]]:
    """Open the channels that settings and data set up, by name, and close them on leaving.

    Those that ask somebody outside stand behind a breaker. InvalidConfiguration when a secret is missing or not usable.
    """
    if faults := channel_faults(settings, data):
        raise InvalidConfiguration(faults)
    services = services_of(settings, data)
    keys = read_keyring(settings.contact_key) if settings.contact_key else None
    with ExitStack() as closing:
        async with open_session(settings.respond.webhook_timeout_seconds) as session:
            outside: list[Channel] = [
                ChatChannel(session, chat, settings.chats[chat_secrets_of(chat.name)])
                for chat in data.chats.values()
            ]
            for service in services.values():
                secrets = settings.services.get(secrets_of(service.name), ServiceSecrets())
                inner = _open(service, secrets, session, store, keys, closing)
                outside.append(_address(inner, service, keys, settings.console.public_url))
            channels: list[Channel] = [ConsoleChannel(store.pages), FileChannel(settings.respond.file_path)]
            channels += [Guarded(one, rule_for(data.breakers, one.name)) for one in outside]
            yield {channel.name: channel for channel in channels}


def _open(
    service: Service,
    secrets: ServiceSecrets,
    session: aiohttp.ClientSession,
    store: Store,
    keys: Keyring | None,
    closing: ExitStack,
) -> Channel:
    match service:
        case WecomApp():
            return WecomChannel(session, service, secrets)
        case AliyunSms():
            return AliyunChannel(session, service, secrets)
        case Smtp():
            return MailChannel(service, secrets)
        case WebPush():
            return PushChannel(session, service, secrets, partial(_forget, store, keys, service.name))
        case Apprise():
            tail = LongTailChannel(service, secrets)
            closing.callback(tail.close)
            return tail
        case Gateway():
            return WebhookChannel(
                session,
                service.url,
                service.name,
                secrets.token.value,
                text_of(service),
                service.timeout_seconds,
            )
        case _:
            assert_never(service)


def _address(inner: Channel, service: Service, keys: Keyring | None, public_url: str) -> Channel:
    """Put the door before a channel to one person; what has no contact (apprise) reaches a group, and gets no link."""
    if service.contact is None:
        return inner
    base = public_url.rstrip("/")
    return Addressed(
        inner,
        keys,
        required=not (isinstance(service, Gateway) and service.own_book),
        link_of=(lambda token: f"{base}/a/{token}") if base else None,
        replies=isinstance(service, AliyunSms | Gateway) and service.replies,
    )


def text_of(service: Gateway) -> Callable[[Message], str]:
    """Make what words a page for a gateway, in as many SMS as the service is given."""
    return lambda message: word(service.template, message, sms_room(service.segments), count_utf16)


async def _forget(store: Store, keys: Keyring | None, channel: str, endpoint: str) -> None:
    """Forget a subscription; while the database is away it stays, and is found gone again the next time."""
    if keys is None:
        return
    try:
        await store.contacts.forget(channel, keys.digest(channel, endpoint))
    except DatabaseUnavailable:
        return


__all__ = ["Channel", "channel_faults", "channel_names", "open_channels", "services_of"]
