"""Services that reach one person: signatures, answers, lengths, tokens, letters and notifications."""

import email
import email.policy
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import http_ece  # type: ignore[import-untyped]  # ships no types
import msgspec
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from py_vapid import Vapid  # type: ignore[import-untyped]  # ships no types
from service_world import (
    BROWSER,
    CONTACTS,
    KEY,
    Browser,
    aliyun,
    gateway,
    mail,
    mail_server,
    provider,
    push,
    wecom,
)

from config.services import TEMPLATE, Gateway, WebPush
from config.settings import Secret, ServiceSecrets
from domain.levels import Grade, Level
from responders.cases import Also, Cause, Message, Outcome, Result
from responders.channels import text_of
from responders.channels.acs3 import query_of, sign
from responders.channels.addressed import TEST, Addressed
from responders.channels.aliyun import national, parameters_of
from responders.channels.pace import Pace
from responders.channels.push import MOST_BYTES, payload, public_key
from responders.channels.webhook import open_session
from responders.channels.wording import count_utf16, cut, how, one_line, sms_room, word
from responders.contacts import Keyring

DELIVERED = Outcome(Result.DELIVERED, Cause.ACCEPTED)


def message(kind: str = "", **changes: Any) -> Message:
    """Make a page for one person."""
    made = Message(
        page=uuid4(),
        incident=uuid4(),
        recipient="青溪镇值班室",
        step=0,
        loop=0,
        reason="opened",
        title="水环境污染 · 青溪镇",
        zh="青溪河断面氨氮超过限值1.5 mg/L，实测2.1 mg/L。",
        en="Ammonia above its limit.",
        level=Level.ORANGE,
        grade=Grade.II,
        place="990101101",
        drill=False,
        created_at=datetime(2026, 5, 1, 8, tzinfo=UTC),
        contact=CONTACTS.get(kind, ""),
    )
    return replace(made, **changes)


# Aliyun -----------------------------------------------------------------------------------------------------------------


def test_acs3_is_the_providers_own_vector() -> None:
    """The example of Aliyun's page on its third version of signatures."""
    query = query_of(
        {"RegionId": "cn-shanghai", "ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"}
    )
    headers = sign(
        "YourAccessKeyId",
        "YourAccessKeySecret",
        host="ecs.cn-shanghai.aliyuncs.com",
        action="RunInstances",
        version="2014-05-26",
        query=query,
        at=datetime(2023, 10, 26, 10, 22, 32, tzinfo=UTC),
        nonce="3156853299f313e23d1673dc12e1703d",
    )
    assert headers["Authorization"] == (
        "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;"
        "x-acs-signature-nonce;x-acs-version,Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    )


def test_a_query_is_encoded_as_the_signature_wants_it() -> None:
    """RFC 3986: a space is %20, a star %2A, a tilde stays."""
    assert query_of({"b": "a b*c~d/e", "a": "水"}) == "a=%E6%B0%B4&b=a%20b%2Ac~d%2Fe"


async def test_an_sms_is_sent_as_it_was_signed() -> None:
    """What arrives signs to what was sent, for the provider's own host also over a gateway; the number is national."""
    seen: list[web.Request] = []

    async def receive(request: web.Request) -> web.Response:
        seen.append(request)
        return web.json_response({"Code": "OK"})

    sent = message("aliyun-sms", code="123456")
    async with provider(receive) as url, open_session(5) as session:
        channel = aliyun(session, url, parameters={"title": "{title}", "code": "{code}"})
        assert await channel.send(sent) == DELIVERED
    (request,) = seen
    assert request.headers["Host"] == "dysmsapi.aliyuncs.com"
    query = request.rel_url.raw_query_string
    again = sign(
        "k",
        "s",
        host="dysmsapi.aliyuncs.com",
        action="SendSms",
        version="2017-05-25",
        query=query,
        at=datetime.fromisoformat(request.headers["x-acs-date"]),
        nonce=request.headers["x-acs-signature-nonce"],
    )
    assert request.headers["Authorization"] == again["Authorization"]
    assert (request.query["PhoneNumbers"], request.query["OutId"]) == ("13800000000", str(sent.page))
    assert json.loads(request.query["TemplateParam"]) == {"title": "水环境污染 · 青溪镇", "code": "123456"}


@pytest.mark.parametrize(
    ("status", "body", "result", "cause"),
    [
        (200, {"Code": "OK"}, Result.DELIVERED, Cause.ACCEPTED),
        (400, {"Code": "isv.MOBILE_NUMBER_ILLEGAL"}, Result.REFUSED, Cause.UNKNOWN_RECIPIENT),
        (200, {"Code": "isv.BUSINESS_LIMIT_CONTROL"}, Result.REFUSED, Cause.RATE_LIMITED),
        (200, {"Code": "isv.AMOUNT_NOT_ENOUGH"}, Result.REFUSED, Cause.OUT_OF_SERVICE),
        (400, {"Code": "SignatureDoesNotMatch"}, Result.REFUSED, Cause.NOT_AUTHORISED),
        (404, {"Code": "InvalidAccessKeyId.NotFound"}, Result.REFUSED, Cause.NOT_AUTHORISED),
        (400, {"Code": "Throttling.User"}, Result.RETRY, Cause.RATE_LIMITED),
        (200, {"Code": "isp.SYSTEM_ERROR"}, Result.RETRY, Cause.SERVER_ERROR),
        (200, {"Code": "isv.SOMETHING_NEW"}, Result.REFUSED, Cause.REJECTED),
        (400, {"Code": "OK"}, Result.REFUSED, Cause.REJECTED),
        (200, {"Message": "OK"}, Result.RETRY, Cause.BAD_ANSWER),
        (404, "no page", Result.REFUSED, Cause.REJECTED),
    ],
)
async def test_the_codes_of_sms(status: int, body: object, result: Result, cause: Cause) -> None:
    """Only Code OK with a good status is success; each refusal has its reason."""

    async def receive(request: web.Request) -> web.Response:
        return web.json_response(body, status=status)

    async with provider(receive) as url, open_session(5) as session:
        outcome = await aliyun(session, url).send(message("aliyun-sms"))
    assert (outcome.result, outcome.cause) == (result, cause)


def test_variables_are_cut_in_characters_and_have_one_line() -> None:
    """A variable holds 35 characters at the provider; a line break in an alert's sentence breaks no template."""
    from config.services import AliyunSms

    service = AliyunSms(
        name="sms",
        sign="县",
        template_code="SMS_1",
        parameters={"text": "{title}{text}", "token": "{token}"},
        parameter_characters=35,
    )
    filled = parameters_of(service, message(zh="水\n" * 50, link="https://duty/a/TOKEN"))
    assert filled["token"] == "TOKEN"
    assert (
        len(filled["text"]) <= 35
        and filled["text"].startswith("水环境污染 · 青溪镇水 水")
        and "\n" not in filled["text"]
    )
    assert (national("+8613800000000"), national("+4915112345678")) == ("13800000000", "4915112345678")


# WeCom ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "result", "cause"),
    [
        ({"errcode": 0, "invaliduser": ""}, Result.DELIVERED, Cause.ACCEPTED),
        ({"errcode": 0, "invaliduser": "duty01"}, Result.REFUSED, Cause.UNKNOWN_RECIPIENT),
        ({"errcode": 0, "unlicenseduser": "duty01"}, Result.REFUSED, Cause.UNKNOWN_RECIPIENT),
        ({"errcode": 81013}, Result.REFUSED, Cause.UNKNOWN_RECIPIENT),
        ({"errcode": 60020}, Result.REFUSED, Cause.NOT_AUTHORISED),
        ({"errcode": 45009}, Result.RETRY, Cause.RATE_LIMITED),
        ({"errcode": -1}, Result.RETRY, Cause.SERVER_ERROR),
        ({"errcode": 40058}, Result.REFUSED, Cause.REJECTED),
        ({"errcode": "0"}, Result.RETRY, Cause.BAD_ANSWER),
        ({"errcode": False}, Result.RETRY, Cause.BAD_ANSWER),
    ],
)
async def test_the_codes_of_wecom(body: object, result: Result, cause: Cause) -> None:
    """Errcode 0 is not enough: whoever is in invaliduser got nothing."""

    async def receive(request: web.Request) -> web.Response:
        return web.json_response(body)

    async with provider(receive) as url, open_session(5) as session:
        outcome = await wecom(session, url).send(message("wecom-app"))
    assert (outcome.result, outcome.cause) == (result, cause)


class Wecom:
    """A WeCom that knows which tokens are good, and counts how often it was asked for one."""

    def __init__(self, *good: str) -> None:
        """Take the tokens that it accepts; it gives T1, T2 and so on."""
        self.good, self.given, self.sent = good, 0, 0

    async def token(self, request: web.Request) -> web.Response:
        """Give the next token."""
        assert dict(request.query) == {"corpid": "ww1", "corpsecret": "s"}
        self.given += 1
        return web.json_response({"errcode": 0, "access_token": f"T{self.given}", "expires_in": 7200})

    async def send(self, request: web.Request) -> web.Response:
        """Take a message under a good token."""
        self.sent += 1
        good = request.query["access_token"] in self.good
        return web.json_response({"errcode": 0 if good else 42001})


async def test_a_token_is_asked_for_once_and_again_when_it_is_refused() -> None:
    """Twenty messages at once share one token; one that WeCom dropped early is renewed, and the message sent once more."""
    import asyncio

    side = Wecom("T1")
    async with provider(side.send, side.token) as url, open_session(5) as session:
        channel = wecom(session, url)
        sent = await asyncio.gather(*(channel.send(message("wecom-app")) for _ in range(20)))
        assert set(sent) == {DELIVERED} and side.given == 1
        side.good = ("T2",)
        assert await channel.send(message("wecom-app")) == DELIVERED
        assert (side.given, side.sent) == (2, 22)
        side.good = ()
        refused = await channel.send(message("wecom-app"))
        assert refused == Outcome(Result.REFUSED, Cause.NOT_AUTHORISED)
        assert (side.given, side.sent) == (3, 24)


async def test_a_token_ends_before_it_ends() -> None:
    """Five minutes before its time it is renewed."""
    side, now = Wecom("T1", "T2"), [0.0]
    async with provider(side.send, side.token) as url, open_session(5) as session:
        channel = wecom(session, url)
        channel._steady = lambda: now[0]
        for at, given in ((0.0, 1), (6_899.0, 1), (6_900.0, 2)):
            now[0] = at
            assert await channel.send(message("wecom-app")) == DELIVERED
            assert side.given == given


async def test_a_member_gets_thirty_a_minute_and_others_theirs() -> None:
    """What WeCom would drop in silence is not sent but comes back when there is room."""
    side = Wecom("T1")
    async with provider(side.send, side.token) as url, open_session(5) as session:
        channel = wecom(session, url)
        sent = [await channel.send(message("wecom-app")) for _ in range(31)]
        assert sent[:30] == [DELIVERED] * 30
        assert (sent[30].result, sent[30].cause) == (Result.RETRY, Cause.RATE_LIMITED)
        assert 0 < (sent[30].retry_after_seconds or 0) <= 60
        assert await channel.send(message("wecom-app", contact="duty02")) == DELIVERED


def test_a_pace_forgets_whoever_got_nothing_for_longest() -> None:
    """The memory has an end, a minute has sixty seconds."""
    now = [0.0]
    pace = Pace(2, lambda: now[0])
    assert [pace.take("a") for _ in range(3)] == [0, 0, 60]
    now[0] = 59.0
    assert pace.take("a") == 1
    now[0] = 60.0
    assert pace.take("a") == 0
    for number in range(10_001):
        pace.take(str(number))
    assert len(pace._sent) == 10_000


# Mail -------------------------------------------------------------------------------------------------------------------


async def test_a_letter_arrives_whole_and_holds_no_foreign_header() -> None:
    """What an alert says cannot begin a header: it is made one line; the text is whole, in UTF-8."""
    async with mail_server() as box:
        sent = message(
            contact="duty@example.test",
            title="污染\r\nBcc: all@example.test",
            link="https://duty/a/T",
            code="",
        )
        assert await mail(box).send(sent) == DELIVERED
        read = email.message_from_bytes(
            box.letters[0].removesuffix(b"\r\n.\r\n"), policy=email.policy.default
        )
    assert read["Bcc"] is None and read["To"] == "duty@example.test"
    assert read["Subject"] == "【橙色预警 Ⅱ级】污染 Bcc: all@example.test"
    assert (read["Message-ID"], read["Auto-Submitted"]) == (f"<{sent.page}@example.test>", "auto-generated")
    text = read.get_content()
    assert sent.zh in text and "打开 https://duty/a/T 确认接收。" in text and sent.en in text


@pytest.mark.parametrize(
    ("command", "answer", "result", "cause"),
    [
        ("RCPT", b"550 no such user\r\n", Result.REFUSED, Cause.UNKNOWN_RECIPIENT),
        ("RCPT", b"451 greylisted\r\n", Result.RETRY, Cause.RATE_LIMITED),
        ("MAIL", b"530 sign in\r\n", Result.REFUSED, Cause.NOT_AUTHORISED),
        ("DATA", b"554 spam\r\n", Result.REFUSED, Cause.REJECTED),
        ("DATA", b"421 going down\r\n", Result.RETRY, Cause.SERVER_ERROR),
        ("DATA", b"", Result.RETRY, Cause.UNREACHABLE),
    ],
)
async def test_the_codes_of_mail(command: str, answer: bytes, result: Result, cause: Cause) -> None:
    """4yz is worth another try, 5yz is not, a dead line is one that does not answer."""
    async with mail_server() as box:
        box.answers[command] = answer
        outcome = await mail(box).send(message(contact="duty@example.test"))
    assert (outcome.result, outcome.cause) == (result, cause)


async def test_nothing_is_sent_in_the_open_where_encryption_was_asked_for() -> None:
    """A server without STARTTLS gets no letter."""
    async with mail_server() as box:
        channel = mail(box)
        channel._service = msgspec.structs.replace(channel._service, security="starttls")
        outcome = await channel.send(message(contact="duty@example.test"))
        assert outcome == Outcome(Result.REFUSED, Cause.NOT_AUTHORISED)
        assert box.letters == []


@given(st.text())
def test_one_line_is_one_line(text: str) -> None:
    """No character that ends a line or hides is left."""
    assert len(one_line(text).splitlines()) <= 1 and one_line(text).isprintable()


# Web Push ---------------------------------------------------------------------------------------------------------------


async def test_a_browser_alone_reads_its_notification() -> None:
    """It arrives encrypted (RFC 8291), signed by us (RFC 8292) for the browser's own push service, over the relay."""
    seen: list[tuple[str, dict[str, str], bytes]] = []

    async def receive(request: web.Request) -> web.Response:
        seen.append((request.path, dict(request.headers), await request.read()))
        return web.Response(status=201)

    sent = message("web-push", link="https://duty/a/T")
    async with provider(receive) as url, open_session(5) as session:
        assert await push(session, url).send(sent) == DELIVERED
    ((path, headers, body),) = seen
    assert path == "/fcm.googleapis.com/send/1"
    assert sent.zh.encode() not in body and len(body) <= 4_096
    read = BROWSER.read(body)
    assert (read["title"], read["url"], read["tag"]) == (sent.title, sent.link, str(sent.page))
    assert read["body"].startswith(sent.zh)
    with pytest.raises(http_ece.ECEException):
        Browser().read(body)
    assert (headers["Content-Encoding"], headers["Urgency"], headers["TTL"]) == ("aes128gcm", "high", "3600")
    assert Vapid.verify(headers["Authorization"])
    claims = json.loads(_decode(re.findall(r"t=[^.]+\.([^.]+)\.", headers["Authorization"])[0]))
    assert claims["aud"] == "https://fcm.googleapis.com" and claims["sub"] == "mailto:duty@example.test"
    assert headers["Authorization"].endswith(f"k={public_key(ServiceSecrets(key=Secret(KEY)))}")


def _decode(text: str) -> bytes:
    import base64

    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@pytest.mark.parametrize("status", [404, 410])
async def test_a_subscription_that_is_gone_is_forgotten(status: int) -> None:
    """A person without any other has no contact; one with another browser is reached there."""
    other = Browser()
    gone: list[str] = []

    async def receive(request: web.Request) -> web.Response:
        return web.Response(status=status if request.path.endswith("/1") else 201)

    async def forget(endpoint: str) -> None:
        gone.append(endpoint)

    async with provider(receive) as url, open_session(5) as session:
        channel = push(session, url, forget=forget)
        assert await channel.send(message("web-push")) == Outcome(Result.REFUSED, Cause.NO_CONTACT)
        both = f"{CONTACTS['web-push']}\n{other.subscription('https://fcm.googleapis.com/send/2')}"
        assert await channel.send(message(contact=both)) == DELIVERED
    assert gone == ["https://fcm.googleapis.com/send/1"] * 2


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (200, Outcome(Result.RETRY, Cause.BAD_ANSWER)),
        (202, DELIVERED),
        (401, Outcome(Result.REFUSED, Cause.NOT_AUTHORISED)),
        (403, Outcome(Result.REFUSED, Cause.NOT_AUTHORISED)),
        (413, Outcome(Result.REFUSED, Cause.REJECTED)),
    ],
)
async def test_the_codes_of_push(status: int, expected: Outcome) -> None:
    """201 Created is success; a plain 200 is a proxy's."""

    async def receive(request: web.Request) -> web.Response:
        return web.Response(status=status)

    async with provider(receive) as url, open_session(5) as session:
        assert await push(session, url).send(message("web-push")) == expected


@given(st.text(max_size=6_000))
def test_a_notification_is_never_longer_than_push_services_take(text: str) -> None:
    """Counted as it is sent: in JSON, in bytes of UTF-8, before its encryption adds what it always adds."""
    service = WebPush(name="push", subject="mailto:duty@example.test", template="{text}")
    body = payload(service, message(zh=text, title=text))
    assert len(body) <= MOST_BYTES
    assert json.loads(body)["tag"]


# Gateway, words, the door -----------------------------------------------------------------------------------------------


async def test_a_gateway_gets_what_it_must_know() -> None:
    """Contact, link and code, a text that is ready, the token, and the page as key."""
    seen: list[tuple[dict[str, str], dict[str, Any]]] = []

    async def receive(request: web.Request) -> web.Response:
        seen.append((dict(request.headers), await request.json()))
        return web.json_response({"ok": True})

    sent = message("gateway", link="https://duty/a/T", code="123456")
    async with provider(receive) as url, open_session(5) as session:
        assert await gateway(session, url).send(sent) == DELIVERED
    ((headers, body),) = seen
    assert (headers["Authorization"], headers["Idempotency-Key"]) == ("Bearer token", str(sent.page))
    assert (body["contact"], body["link"], body["code"]) == ("+8613800000000", "https://duty/a/T", "123456")
    assert body["text"].endswith("回复123456或打开 https://duty/a/T 确认接收。")
    assert body["also"] == []


@given(st.text(max_size=600), st.integers(1, 10))
def test_a_text_is_never_more_sms_than_the_gateway_sends(text: str, segments: int) -> None:
    """70 units of UTF-16 in one, 67 in each of several; how to acknowledge is never cut off."""
    service = Gateway(name="sms", url="http://x/y", segments=segments, template="{text}{how}")
    made = text_of(service)(message(zh=text, code="123456"))
    assert count_utf16(made) <= sms_room(segments)
    assert made.endswith("回复123456确认接收。")


@given(st.text(max_size=300), st.integers(0, 200))
def test_cutting_keeps_as_much_as_there_is_room_for(text: str, most: int) -> None:
    """In any unit: what is whole stays, what is cut ends in … and is as long as may be."""
    for count in (len, count_utf16, lambda one: len(one.encode())):
        made = cut(text, most, count)
        assert count(made) <= most
        if count(text) <= most:
            assert made == text
        elif made:
            assert made.endswith("…") and text.startswith(made[:-1])
            assert count(text[: len(made)] + "…") > most


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "请青溪镇值班室在值班台确认接收。"),
        ({"link": "https://d/a/T"}, "打开 https://d/a/T 确认接收。"),
        ({"code": "123456"}, "回复123456确认接收。"),
        ({"reason": "dispatched", "code": "123456"}, "回复123456确认收悉。"),
        ({"reason": "coordinates"}, "请青溪镇值班室在值班台签收任务。"),
    ],
)
def test_how_to_acknowledge_is_said_by_what_there_is(changes: dict[str, str], told: str) -> None:
    """No sentence names a code or a link that is not there."""
    assert how(message(**changes)) == told
    assert word(TEMPLATE, message(**changes), 2_000).endswith(told)


def test_a_letter_tells_how_many_cases_it_is_of_and_that_its_code_is_for_all() -> None:
    """However much is cut: the number stays, so that everybody knows how many one reply acknowledges."""
    also = tuple(
        Also(uuid4(), uuid4(), f"噪声 · 第{number}村", Level.BLUE, Grade.IV) for number in range(1, 40)
    )
    letter = message(also=also, code="123456")
    whole = word(TEMPLATE, letter, 10_000)
    assert "（共40件）青溪河" in whole and "\n蓝色 Ⅳ级 噪声 · 第39村" in whole
    assert whole.endswith("回复123456确认接收全部40件。")
    short = word(TEMPLATE, letter, sms_room(2), count_utf16)
    assert (
        count_utf16(short) <= sms_room(2) and "（共40件）" in short and short.endswith("确认接收全部40件。")
    )
    assert how(message(also=also)) == "请青溪镇值班室在值班台确认接收。"


class Listening:
    """A channel that keeps what it is given."""

    name, idempotent, outside = "sms", False, True

    def __init__(self) -> None:
        """Start with nothing."""
        self.got: list[Message] = []

    async def send(self, message: Message) -> Outcome:
        """Keep a message."""
        self.got.append(message)
        return DELIVERED


async def test_the_door_adds_nothing_that_cannot_be_used() -> None:
    """No code where no replies come back; neither link nor code for a reminder or a test; no keys, no contact."""
    keys, inner = Keyring(bytes(32)), Listening()
    user = uuid4()
    sealed = f"{user} {keys.seal('+8613800000000', user, 'sms')}"
    door = Addressed(inner, keys, link_of=lambda token: f"https://d/a/{token}")
    work = {"step": 1_400, "reason": "dispatched"}
    for changes, has_link in (({}, True), ({"step": 1_050}, False), ({"reason": TEST}, False), (work, True)):
        assert await door.send(message(contact=sealed, **changes)) == DELIVERED
        got = inner.got.pop()
        assert (got.contact, bool(got.link), got.code) == ("+8613800000000", has_link, "")
    refused = Outcome(Result.REFUSED, Cause.NO_CONTACT)
    assert await door.send(message(contact="")) == refused
    assert await door.send(message(contact="nonsense")) == refused
    assert await Addressed(inner, None).send(message(contact=sealed)) == refused
    assert await Addressed(inner, None, required=False).send(message(contact=sealed)) == DELIVERED
    assert inner.got.pop().contact == ""


def test_a_message_shows_nothing_of_how_a_person_is_reached() -> None:
    """In a log or an error."""
    secrets = {"contact": "+8613800000000", "link": "https://duty/a/secret", "code": "code 042137"}
    shown = repr(message(**secrets))
    assert [secret for secret in secrets.values() if secret in shown] == []
