"""What the bots of WeCom, DingTalk and Feishu want to be sent, and what their answers mean: a table, and pure functions.

All of them answer HTTP 200 whatever happens: success is what the body says. Sources: the services' own pages on group bots
(企业微信 群机器人配置说明, 钉钉 自定义机器人接入, 飞书 自定义机器人使用指南), as of 2026.
"""

import hmac
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import msgspec

from config.chats import ChatKind
from responders.cases import Cause, Outcome, Result

SUCCESS = Outcome(Result.DELIVERED, Cause.ACCEPTED)
MINUTE = 60.0
DINGTALK_BLOCK = 600.0
"""Seconds for which DingTalk hears nothing more from a bot that sent too fast."""


@dataclass(frozen=True, slots=True)
class Request:
    """One POST: the address, and the JSON to be sent."""

    url: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Bot:
    """One service: the longest text in bytes, how to ask it, and what the numbers in its answers mean.

    `code` names the field of the answer that is 0 for success. A number in neither table is a refusal for good: asking again
    would not help, and another channel may.
    """

    most_bytes: int
    request: Callable[[str, str, str, str, float], Request]
    code: str
    too_fast: dict[int, float]
    try_again: frozenset[int]


def sign_dingtalk(secret: str, milliseconds: int) -> str:
    """Sign a time for DingTalk: HMAC-SHA256 of `time newline secret` under the secret, in base64."""
    return _base64(hmac.digest(secret.encode(), f"{milliseconds}\n{secret}".encode(), sha256))


def sign_feishu(secret: str, seconds: int) -> str:
    """Sign a time for Feishu: HMAC-SHA256 of nothing under `time newline secret`, in base64."""
    return _base64(hmac.digest(f"{seconds}\n{secret}".encode(), b"", sha256))


def _base64(digest: bytes) -> str:
    return b64encode(digest).decode()


def _wecom(url: str, token: str, secret: str, text: str, wall: float) -> Request:
    body = {"msgtype": "text", "text": {"content": text}}
    return Request(f"{url}?{urlencode({'key': token})}", body)


def _dingtalk(url: str, token: str, secret: str, text: str, wall: float) -> Request:
    query: dict[str, str | int] = {"access_token": token}
    if secret:
        milliseconds = int(wall * 1_000)
        query |= {"timestamp": milliseconds, "sign": sign_dingtalk(secret, milliseconds)}
    return Request(f"{url}?{urlencode(query)}", {"msgtype": "text", "text": {"content": text}})


def _feishu(url: str, token: str, secret: str, text: str, wall: float) -> Request:
    body: dict[str, Any] = {"msg_type": "text", "content": {"text": text}}
    if secret:
        seconds = int(wall)
        body = {"timestamp": str(seconds), "sign": sign_feishu(secret, seconds), **body}
    return Request(f"{url.rstrip('/')}/{token}", body)


BOTS = {
    ChatKind.WECOM: Bot(
        most_bytes=2_048,
        request=_wecom,
        code="errcode",
        too_fast={45009: MINUTE, 45033: MINUTE},
        try_again=frozenset({-1}),
    ),
    ChatKind.DINGTALK: Bot(
        most_bytes=20_000,
        request=_dingtalk,
        code="errcode",
        too_fast={130101: DINGTALK_BLOCK, 410100: DINGTALK_BLOCK},
        try_again=frozenset({-1}),
    ),
    ChatKind.FEISHU: Bot(
        most_bytes=20_000,
        request=_feishu,
        code="code",
        too_fast={9499: MINUTE, 11232: MINUTE},
        try_again=frozenset({11233}),
    ),
}


def read_answer(bot: Bot, body: bytes) -> Outcome:
    """Say what the body of an answer means; what is no answer of the service is worth another try."""
    try:
        answer = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Outcome(Result.RETRY, Cause.BAD_ANSWER)
    code = answer.get(bot.code)
    if type(code) is not int:
        return Outcome(Result.RETRY, Cause.BAD_ANSWER)
    if code == 0:
        return SUCCESS
    if code in bot.too_fast:
        return Outcome(Result.RETRY, Cause.RATE_LIMITED, bot.too_fast[code])
    if code in bot.try_again:
        return Outcome(Result.RETRY, Cause.SERVER_ERROR)
    return Outcome(Result.REFUSED, Cause.REJECTED)
