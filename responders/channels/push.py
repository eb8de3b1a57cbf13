"""Web Push as a channel: a notification to each browser that a person has subscribed (RFC 8030, 8291, 8292), by pywebpush.

Success is 201 Created (or 202, RFC 8030, 5.1): another 2xx is some proxy's answer. 404 and 410 say that a subscription is
gone: it is forgotten, and a person without any other has no contact.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec
from py_vapid import Vapid  # type: ignore[import-untyped]  # ships no types
from pywebpush import WebPusher, WebPushException  # type: ignore[import-untyped]  # no py.typed

from config.services import WebPush
from config.settings import ServiceSecrets
from responders.cases import Cause, Message, Outcome, Result
from responders.channels.asking import BAD_ANSWER, DELIVERED, NOT_AUTHORISED
from responders.channels.webhook import judge_status
from responders.channels.wording import count_bytes, cut, word
from responders.contacts import Subscription

MOST_BYTES = 4_096 - 86 - 17
"""What a push service must take (RFC 8030, 7.2), without the header and the tag of its encryption (RFC 8291, 4)."""
MOST_TITLE = 200
VAPID_SECONDS = 12 * 3_600
"""How long a signature holds; RFC 8292 allows a day."""
GONE = frozenset({404, 410})
CREATED = frozenset({201, 202})
NOT_LET_IN = frozenset({401, 403})

Forget = Callable[[str], Awaitable[None]]
"""Forgets the subscription of an address (endpoint)."""


class PushChannel:
    """Notifies the browsers of a person; delivered when the push service of one of them took it."""

    idempotent = False
    outside = True

    def __init__(
        self,
        session: aiohttp.ClientSession,
        service: WebPush,
        secrets: ServiceSecrets,
        forget: Forget,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Take an open session, the service, its secrets, what forgets a subscription, and the wall clock in seconds."""
        self.name = service.name
        self._session = session
        self._service = service
        self._vapid = Vapid.from_string(secrets.key.value.strip())
        self._forget = forget
        self._wall = wall

    async def send(self, message: Message) -> Outcome:
        """Notify the browsers whose subscriptions are the message's contact, in lines."""
        subscriptions = [
            msgspec.json.decode(line, type=Subscription) for line in message.contact.splitlines() if line
        ]
        if not subscriptions:
            return Outcome(Result.REFUSED, Cause.NO_CONTACT)
        body = payload(self._service, message)
        outcomes = await asyncio.gather(*(self._notify(one, message, body) for one in subscriptions))
        return min(outcomes, key=_rank)

    async def _notify(self, subscription: Subscription, message: Message, body: bytes) -> Outcome:
        try:
            sealed: Any = WebPusher(msgspec.to_builtins(subscription)).encode(body)["body"]
        except (WebPushException, ValueError):  # a key that is no point of the curve
            await self._forget(subscription.endpoint)
            return Outcome(Result.REFUSED, Cause.NO_CONTACT)
        try:
            async with self._session.post(
                self._address(subscription.endpoint),
                data=sealed,
                headers=self._headers(subscription.endpoint, message),
                timeout=aiohttp.ClientTimeout(total=self._service.timeout_seconds),
                allow_redirects=False,
            ) as response:
                status, retry_after = response.status, response.headers.get("Retry-After")
        except TimeoutError:
            return Outcome(Result.RETRY, Cause.TIMEOUT)
        except aiohttp.ClientConnectorError:
            return Outcome(Result.RETRY, Cause.UNREACHABLE)
        except (aiohttp.ClientError, OSError):  # broken off: it may have been sent all the same
            return Outcome(Result.RETRY, Cause.BAD_ANSWER)
        if status in GONE:
            await self._forget(subscription.endpoint)
            return Outcome(Result.REFUSED, Cause.NO_CONTACT)
        if status in NOT_LET_IN:
            return NOT_AUTHORISED
        return DELIVERED if status in CREATED else judge_status(status, retry_after) or BAD_ANSWER

    def _address(self, endpoint: str) -> str:
        """Name where to post: the push service itself, or the relay, with the service's host and path after its own."""
        return (
            f"{self._service.url.rstrip('/')}/{endpoint.removeprefix('https://')}"
            if self._service.url
            else endpoint
        )

    def _headers(self, endpoint: str, message: Message) -> dict[str, str]:
        parts = urlsplit(endpoint)
        claims = {
            "sub": self._service.subject,
            "aud": f"{parts.scheme}://{parts.netloc}",
            "exp": int(self._wall()) + VAPID_SECONDS,
        }
        signed: dict[str, str] = self._vapid.sign(claims)
        return {
            **signed,
            "Content-Type": "application/octet-stream",
            "Content-Encoding": "aes128gcm",
            "TTL": str(self._service.ttl_seconds),
            "Urgency": "high" if message.grade <= 2 else "normal",
            "Topic": message.key.hex,  # 32 characters at most: a later try replaces one that still waits
        }


def payload(service: WebPush, message: Message) -> bytes:
    """Write what the browser's worker shows, in at most as many bytes as a push service takes."""
    fields = {
        "title": cut(message.title, MOST_TITLE),
        "tag": str(message.key),
        "url": message.link or f"/incidents/{message.incident}",
        "incident": str(message.incident),
        "level": message.level.value,
        "grade": message.grade.value,
        "drill": message.drill,
    }
    room = MOST_BYTES - count_bytes(msgspec.json.encode({**fields, "body": ""}).decode())

    def count_in_json(text: str) -> int:
        return len(msgspec.json.encode(text)) - 2

    return msgspec.json.encode({**fields, "body": word(service.template, message, room, count_in_json)})


def _rank(outcome: Outcome) -> int:
    """Order outcomes of several browsers: one that was reached is enough, one that may yet be is worth another try."""
    return [Result.DELIVERED, Result.RETRY, Result.REFUSED].index(outcome.result)


def public_key(secrets: ServiceSecrets) -> str:
    """Give the public half of the VAPID key as browsers want it to subscribe: an uncompressed point in base64url."""
    signed: dict[str, str] = Vapid.from_string(secrets.key.value.strip()).sign(
        {"sub": "mailto:key@localhost.localdomain", "aud": "https://localhost", "exp": int(time.time()) + 60}
    )
    return signed["Authorization"].rpartition("k=")[2]
