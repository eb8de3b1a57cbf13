"""Bots of WeCom, DingTalk and Feishu: signatures, lengths, answers, pace."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import given
from hypothesis import strategies as st

from config.chats import TEMPLATE, Chat, ChatKind, check_chats, check_secrets
from config.settings import ChatSecrets, Secret, load_settings
from domain.errors import InvalidConfiguration
from domain.levels import Grade, Level
from responders.cases import Cause, Message, Outcome, Result
from responders.channels.bots import BOTS, read_answer, sign_dingtalk, sign_feishu
from responders.channels.chat import ChatChannel
from responders.channels.webhook import open_session
from responders.channels.wording import cut, word

MESSAGE = Message(
    page=uuid4(),
    incident=uuid4(),
    recipient="青溪镇值班室",
    step=0,
    loop=0,
    reason="opened",
    title="水环境污染 · 青溪镇",
    zh="青溪河断面氨氮自5月1日08:00起超过限值1.5 mg/L，实测2.1 mg/L。",
    en="Ammonia above its limit at Qingxi.",
    level=Level.ORANGE,
    grade=Grade.II,
    place="990101101",
    drill=False,
    created_at=datetime(2026, 5, 1, 8, tzinfo=UTC),
)
DUTY = Chat(name="county-duty", kind=ChatKind.WECOM, url="https://chat.example/send")


def test_signatures_are_those_of_the_services() -> None:
    """The vectors that the services give."""
    assert sign_dingtalk("SECabc", 1_700_000_000_000) == "jcUpW0QmtKduN03n4JqQ0PBosVjqnM8gU7fIIvsDmCM="
    assert sign_feishu("secret", 1_599_360_473) == "q4jswNiMy51J5JuQV566yJat0/lQ/c+22kINzUgKsGU="


def test_a_signature_is_encoded_once() -> None:
    """What DingTalk reads from the address is the signature itself: encoded twice it would be refused."""
    request = BOTS[ChatKind.DINGTALK].request(
        "https://d.example/robot/send", "t/k", "SECabc", "水", 1_700_000_000.0
    )
    query = parse_qs(urlsplit(request.url).query)
    assert query == {
        "access_token": ["t/k"],
        "timestamp": ["1700000000000"],
        "sign": ["jcUpW0QmtKduN03n4JqQ0PBosVjqnM8gU7fIIvsDmCM="],
    }


@pytest.mark.parametrize(
    ("kind", "body", "outcome"),
    [
        (ChatKind.WECOM, b'{"errcode":0,"errmsg":"ok"}', Outcome(Result.DELIVERED, Cause.ACCEPTED)),
        (ChatKind.WECOM, b'{"errcode":45009}', Outcome(Result.RETRY, Cause.RATE_LIMITED, 60.0)),
        (ChatKind.WECOM, b'{"errcode":-1}', Outcome(Result.RETRY, Cause.SERVER_ERROR)),
        (ChatKind.WECOM, b'{"errcode":93000}', Outcome(Result.REFUSED, Cause.REJECTED)),
        (ChatKind.WECOM, b'{"code":0}', Outcome(Result.RETRY, Cause.BAD_ANSWER)),
        (ChatKind.DINGTALK, b'{"errcode":0}', Outcome(Result.DELIVERED, Cause.ACCEPTED)),
        (ChatKind.DINGTALK, b'{"errcode":310000}', Outcome(Result.REFUSED, Cause.REJECTED)),
        (ChatKind.DINGTALK, b'{"errcode":410100}', Outcome(Result.RETRY, Cause.RATE_LIMITED, 600.0)),
        (ChatKind.FEISHU, b'{"code":0,"msg":"success"}', Outcome(Result.DELIVERED, Cause.ACCEPTED)),
        (ChatKind.FEISHU, b'{"code":19021}', Outcome(Result.REFUSED, Cause.REJECTED)),
        (ChatKind.FEISHU, b'{"code":11232}', Outcome(Result.RETRY, Cause.RATE_LIMITED, 60.0)),
        (ChatKind.FEISHU, b'{"code":true}', Outcome(Result.RETRY, Cause.BAD_ANSWER)),
        (ChatKind.FEISHU, b"<html>sign in</html>", Outcome(Result.RETRY, Cause.BAD_ANSWER)),
        (ChatKind.FEISHU, b"[]", Outcome(Result.RETRY, Cause.BAD_ANSWER)),
    ],
)
def test_only_the_body_tells_of_success(kind: ChatKind, body: bytes, outcome: Outcome) -> None:
    """HTTP 200 with a number that is not 0 is no delivery; what the number says decides whether to ask again."""
    assert read_answer(BOTS[kind], body) == outcome


def test_a_page_in_words_says_who_is_meant() -> None:
    """The shipped words hold level, grade, place, the sentence and the post; an exercise says so first."""
    text = word(TEMPLATE, MESSAGE, 2_048)
    assert text.startswith("【橙色预警 Ⅱ级】水环境污染 · 青溪镇\n青溪河断面氨氮")
    assert text.endswith("请青溪镇值班室在值班台确认接收。")
    assert word(TEMPLATE, replace(MESSAGE, drill=True), 2_048).startswith("【演练】【橙色")


@given(st.text(max_size=3_000), st.integers(1, 2_048))
def test_a_text_is_never_too_long(sentence: str, most: int) -> None:
    """Counted in bytes of UTF-8 as the services do, whatever the sentence holds, braces included."""
    text = word(TEMPLATE, replace(MESSAGE, zh=sentence), most)
    assert len(text.encode()) <= most
    assert len(cut(sentence, most).encode()) <= most


def test_what_is_cut_is_the_sentence() -> None:
    """A long sentence ends in …, and what the officer is to do still stands after it."""
    text = word(TEMPLATE, replace(MESSAGE, zh="长" * 3_000), 2_048)
    assert "长…\n请青溪镇值班室在值班台确认接收。" in text
    assert 2_044 < len(text.encode()) <= 2_048


async def test_a_chat_is_not_asked_faster_than_it_bears() -> None:
    """Beyond the bound of a minute nothing is sent, and the outcome says when there is room again."""
    seen: list[Any] = []

    async def receive(request: web.Request) -> web.Response:
        seen.append((request.query["key"], await request.json()))
        return web.json_response({"errcode": 0})

    now = 100.0
    app = web.Application()
    app.router.add_post("/send", receive)
    async with TestServer(app) as server, open_session(5) as session:
        chat = Chat(name="duty", kind=ChatKind.WECOM, url=str(server.make_url("/send")), per_minute=2)
        channel = ChatChannel(session, chat, ChatSecrets(token=Secret("k&y")), steady=lambda: now)
        outcomes = [await channel.send(MESSAGE)]
        now += 10
        outcomes += [await channel.send(MESSAGE), await channel.send(MESSAGE)]
        now += 50
        outcomes += [await channel.send(MESSAGE)]
    delivered = Outcome(Result.DELIVERED, Cause.ACCEPTED)
    assert outcomes == [delivered, delivered, Outcome(Result.RETRY, Cause.RATE_LIMITED, 50.0), delivered]
    assert [key for key, _ in seen] == ["k&y"] * 3
    assert seen[0][1]["text"]["content"] == word(TEMPLATE, MESSAGE, 2_048)


async def test_a_chat_that_does_not_answer_is_tried_again() -> None:
    """A service that is silent, and one that is not there, are told apart."""
    released = asyncio.Event()

    async def hang(request: web.Request) -> web.Response:
        await released.wait()
        return web.json_response({"errcode": 0})

    app = web.Application()
    app.router.add_post("/send", hang)
    async with TestServer(app) as server:
        url = str(server.make_url("/send"))
        chat = Chat(name="duty", kind=ChatKind.WECOM, url=url)
        async with open_session(0.05) as session:
            silent = await ChatChannel(session, chat, ChatSecrets()).send(MESSAGE)
        released.set()
    async with aiohttp.ClientSession() as session:
        gone = await ChatChannel(session, chat, ChatSecrets()).send(MESSAGE)
    assert silent == Outcome(Result.RETRY, Cause.TIMEOUT)
    assert gone == Outcome(Result.RETRY, Cause.UNREACHABLE)


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{text} {phone}", "names phone"),
        ("{text.__class__}", "names text.__class__"),
        ("{title}", "must hold {text}"),
        ("{text", "is no template"),
        ("{text} {}", "names"),
    ],
)
def test_a_template_names_only_what_a_page_has(template: str, reason: str) -> None:
    """What is wrong with the words is told before the first page would show it."""
    chat = Chat(name="duty", kind=ChatKind.WECOM, url="https://chat.example/send", template=template)
    assert any(reason in fault.reason for fault in check_chats([chat]))


def test_names_of_chats_are_their_own() -> None:
    """A chat is called neither like another nor like a channel that is there anyway."""
    chats = [DUTY, DUTY, Chat(name="console", kind=ChatKind.FEISHU, url="https://f.example/hook")]
    assert [fault.field for fault in check_chats(chats)] == ["chat[0].name", "chat[1].name", "chat[2].name"]


def test_tokens_come_from_the_environment_alone() -> None:
    """A chat needs its token, a token its chat, and neither stands in the file or is shown."""
    settings = load_settings(
        {"FENGHUO_CHAT_COUNTY_DUTY_TOKEN": "t0ken", "FENGHUO_CHAT_COUNTY_DUTY_SECRET": "s3cret"}
    )
    assert [*check_secrets({"county-duty": DUTY}, settings.chats)] == []
    assert "t0ken" not in repr(settings) and "s3cret" not in repr(settings)
    assert [fault.field for fault in check_secrets({"county-duty": DUTY}, {})] == [
        "FENGHUO_CHAT_COUNTY_DUTY_TOKEN"
    ]
    assert [fault.field for fault in check_secrets({}, settings.chats)] == ["FENGHUO_CHAT_COUNTY_DUTY"]


def test_a_token_in_the_file_is_refused(tmp_path: Any) -> None:
    """Whoever reads the file must not be able to post."""
    file = tmp_path / "fenghuo.toml"
    file.write_text('[chats.FENGHUO_CHAT_DUTY]\ntoken = { value = "x" }\n')
    with pytest.raises(InvalidConfiguration, match="FENGHUO_CHAT_…_TOKEN in the environment"):
        load_settings({}, file)
