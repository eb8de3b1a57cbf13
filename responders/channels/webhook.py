"""A webhook as a channel: an SMS gateway, a phone system or a chat bridge on the intranet.

Contract: POST of one JSON object (the fields of `responders.cases.Message`) with `Idempotency-Key: <page id>`; the
receiver must send a page on once, however often the key comes. Only the body tells of success, never the status alone:

| answer | meaning |
|---|---|
| 2xx and `{"ok": true}` | delivered |
| 2xx and `{"ok": false, "retry": true}` | try again |
| 2xx and `{"ok": false}` | refused: another channel is tried |
| 2xx and anything else | try again: this was not the receiver but perhaps a proxy's page |
| 3xx | refused, redirects are not followed: a page must not go where the operator did not send it |
| 408, 425, 429, 5xx, no answer | try again, `Retry-After` is heeded |
| other 4xx | refused |
"""

import email.utils
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import aiohttp
import msgspec

from responders.cases import Cause, Message, Outcome, Result

MAX_ANSWER_BYTES = 64 * 1024
TRY_AGAIN = frozenset({408, 425, 429})


class Answer(msgspec.Struct, frozen=True):
    """What the receiver says."""

    ok: bool
    retry: bool = False


class WebhookChannel:
    """Posts pages to one address, with the contact, the link and the code that there are."""

    idempotent = True
    outside = True

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        name: str = "webhook",
        token: str = "",
        text_of: Callable[[Message], str] | None = None,
        timeout_seconds: float | None = None,
    ) -> None:
        """Take an open session, the address, what is shown to it, and what makes the text that is ready to be passed on.

        `timeout_seconds` is that of the session unless it is given.
        """
        self.name = name
        self._session = session
        self._url = url
        self._token = token
        self._text_of = text_of
        self._timeout = (
            session.timeout if timeout_seconds is None else aiohttp.ClientTimeout(total=timeout_seconds)
        )

    async def send(self, message: Message) -> Outcome:
        """Post a message."""
        headers = {"Content-Type": "application/json", "Idempotency-Key": str(message.key)}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        try:
            async with self._session.post(
                self._url,
                data=self._body(message),
                headers=headers,
                timeout=self._timeout,
                allow_redirects=False,
            ) as response:
                return judge(response.status, response.headers.get("Retry-After"), await read_body(response))
        except TimeoutError:
            return Outcome(Result.RETRY, Cause.TIMEOUT)
        except (aiohttp.ClientError, OSError):
            return Outcome(Result.RETRY, Cause.UNREACHABLE)

    def _body(self, message: Message) -> bytes:
        body: dict[str, Any] = msgspec.to_builtins(message)
        if self._text_of is not None:
            body["text"] = self._text_of(message)
        return msgspec.json.encode(body)


async def read_body(response: aiohttp.ClientResponse) -> bytes:
    """Read the beginning of an answer; one that is longer is no answer of ours."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(8192):
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            return b""
    return bytes(body)


def judge(status: int, retry_after: str | None, body: bytes) -> Outcome:
    """Say what an answer means."""
    if bad := judge_status(status, retry_after):
        return bad
    try:
        answer = msgspec.json.decode(body, type=Answer)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Outcome(Result.RETRY, Cause.BAD_ANSWER)
    if answer.ok:
        return Outcome(Result.DELIVERED, Cause.ACCEPTED)
    return Outcome(Result.RETRY if answer.retry else Result.REFUSED, Cause.REJECTED)


def judge_status(status: int, retry_after: str | None) -> Outcome | None:
    """Say what a status means by itself; None for 2xx, of which the body must tell."""
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return Outcome(Result.REFUSED, Cause.REDIRECTED)
    if status in TRY_AGAIN:
        return Outcome(Result.RETRY, Cause.RATE_LIMITED, parse_retry_after(retry_after, datetime.now(UTC)))
    if status >= 500:
        return Outcome(Result.RETRY, Cause.SERVER_ERROR, parse_retry_after(retry_after, datetime.now(UTC)))
    return Outcome(Result.REFUSED, Cause.REJECTED)


def parse_retry_after(header: str | None, wall_now: datetime) -> float | None:
    """Read Retry-After, seconds or a date, as seconds of wall time; None when it is absent or nonsense."""
    if header is None:
        return None
    if header.strip().isdecimal() and header.isascii():
        return min(float(header), 86_400.0)
    try:
        at = email.utils.parsedate_to_datetime(header)
    except ValueError:
        return None
    aware = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max((aware - wall_now).total_seconds(), 0.0), 86_400.0)


@asynccontextmanager
async def open_webhook(url: str, timeout_seconds: float) -> AsyncIterator[WebhookChannel]:
    """Open a session for one address."""
    async with open_session(timeout_seconds) as session:
        yield WebhookChannel(session, url)


def open_session(timeout_seconds: float) -> aiohttp.ClientSession:
    """Make a session that keeps no cookies; proxies of the environment are not used."""
    timeout = aiohttp.ClientTimeout(total=timeout_seconds)
    return aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())
