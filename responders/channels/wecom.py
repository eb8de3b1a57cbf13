"""An application of WeCom as a channel: writes to one member (企业微信 发送应用消息, 获取access_token, as of 2026).

All answers are HTTP 200: success is `errcode` 0 and nobody in `invaliduser`. What a member gets beyond 30 messages a minute
is dropped in silence, so it is not sent. The service's own check for repetitions is not used: it compares contents, and
would swallow the second call for a case that nobody has acknowledged.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import aiohttp

from config.services import WecomApp
from config.settings import ServiceSecrets
from responders.cases import Cause, Message, Outcome, Result
from responders.channels.asking import (
    BAD_ANSWER,
    DELIVERED,
    NOT_AUTHORISED,
    REJECTED,
    TRY_AGAIN,
    UNKNOWN_RECIPIENT,
    ask,
    read_object,
)
from responders.channels.pace import MINUTE, Pace
from responders.channels.wording import word

MOST_BYTES = 2_048
EARLY_SECONDS = 300.0
"""A token is renewed this long before it ends, so that none ends on its way."""
OLD_TOKEN = frozenset({40001, 40014, 42001})
CODES = {
    -1: TRY_AGAIN,
    45009: Outcome(Result.RETRY, Cause.RATE_LIMITED, MINUTE),
    45033: Outcome(Result.RETRY, Cause.RATE_LIMITED, MINUTE),
    **dict.fromkeys((40003, 60111, 81013, 84025), UNKNOWN_RECIPIENT),
    **dict.fromkeys((*OLD_TOKEN, 40013, 40056, 41001, 41004, 48002, 60011, 60020, 301002), NOT_AUTHORISED),
}
"""What the numbers in its answers mean; any other is a refusal for good: another channel may help."""


class WecomChannel:
    """Writes to members as an application."""

    idempotent = False
    outside = True

    def __init__(
        self,
        session: aiohttp.ClientSession,
        service: WecomApp,
        secrets: ServiceSecrets,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take an open session, the service, its secrets, and a steady clock in seconds."""
        self.name = service.name
        self._session = session
        self._service = service
        self._secret = secrets.secret.value
        self._steady = steady
        self._pace = Pace(service.per_member, steady)
        self._token, self._token_ends = "", float("-inf")
        self._renewing = asyncio.Lock()

    async def send(self, message: Message) -> Outcome:
        """Write to the member that is the message's contact."""
        if wait := self._pace.take(message.contact):
            return Outcome(Result.RETRY, Cause.RATE_LIMITED, wait)
        token = await self._get_token()
        if isinstance(token, Outcome):
            return token
        answer = await self._send(token, message)
        if not isinstance(answer, dict) or answer.get("errcode") not in OLD_TOKEN:
            return judge(answer)
        token = await self._get_token(other_than=token)
        return token if isinstance(token, Outcome) else judge(await self._send(token, message))

    async def _send(self, token: str, message: Message) -> Outcome | dict[str, Any]:
        text = word(self._service.template, message, MOST_BYTES)
        return await ask(
            self._session,
            "POST",
            f"{self._service.url.rstrip('/')}/cgi-bin/message/send",
            self._service.timeout_seconds,
            _read,
            params={"access_token": token},
            json={
                "touser": message.contact,
                "msgtype": "text",
                "agentid": self._service.agent,
                "text": {"content": text},
            },
        )

    async def _get_token(self, *, other_than: str = "") -> str | Outcome:
        """Give the token, a new one where it ended or is the one that was refused; only one asks for it at a time."""
        async with self._renewing:
            if self._token and self._token != other_than and self._steady() < self._token_ends:
                return self._token
            answer = await ask(
                self._session,
                "GET",
                f"{self._service.url.rstrip('/')}/cgi-bin/gettoken",
                self._service.timeout_seconds,
                _read,
                params={"corpid": self._service.corp, "corpsecret": self._secret},
            )
            if isinstance(answer, Outcome) or answer.get("errcode") != 0:
                return judge(answer)
            token, seconds = answer.get("access_token"), answer.get("expires_in")
            if not isinstance(token, str) or not token or not isinstance(seconds, int):
                return BAD_ANSWER
            self._token, self._token_ends = token, self._steady() + max(seconds - EARLY_SECONDS, 0.0)
            return token


def _read(body: bytes) -> Outcome | dict[str, Any]:
    answer = read_object(body)
    return BAD_ANSWER if answer is None or type(answer.get("errcode")) is not int else answer


def judge(answer: Outcome | dict[str, Any]) -> Outcome:
    """Say what an answer means."""
    if isinstance(answer, Outcome):
        return answer
    code: int = answer["errcode"]
    if code == 0:
        missed = answer.get("invaliduser") or answer.get("unlicenseduser")
        return UNKNOWN_RECIPIENT if missed else DELIVERED
    return CODES.get(code, REJECTED)
