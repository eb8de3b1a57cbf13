"""`fenghuo contact`, `fenghuo channel` and `fenghuo check` as an operator uses them, over a real database."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from responder_world import POSTS, QINGXI, open_world
from service_world import KEY, provider
from typer.testing import CliRunner, Result

from domain.errors import InvalidInput, NotFound
from fenghuo.cli import create_cli

LOGIN = POSTS[QINGXI].login
PHONE = "13812345678"


async def run(*words: str, text: str = "") -> Result:
    """Run the command line beside the test's loop."""
    return await asyncio.to_thread(CliRunner().invoke, create_cli(), list(words), text)


class Gateway:
    """A gateway that keeps what it gets and answers as it is told."""

    def __init__(self) -> None:
        """Start well."""
        self.got: list[dict[str, Any]] = []
        self.answer: dict[str, object] = {"ok": True}

    async def take(self, request: web.Request) -> web.Response:
        """Take a page."""
        self.got.append(await request.json())
        return web.json_response(self.answer)


@pytest.fixture
async def gateway(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Gateway]:
    """A database with posts, and one gateway set up in a data folder."""
    side = Gateway()
    async with open_world(database), provider(side.take) as url:
        (tmp_path / "services.toml").write_text(
            f'[[service]]\nkind = "gateway"\nname = "sms"\nurl = "{url}/pages"\n'
            '[[service]]\nkind = "web-push"\nname = "push"\nsubject = "mailto:duty@example.test"\n',
            encoding="utf-8",
        )
        for name, value in {
            "FENGHUO_DATABASE_DSN": database,
            "FENGHUO_DATA_DIR": str(tmp_path),
            "FENGHUO_CONTACT_KEY": KEY,
            "FENGHUO_SERVICE_PUSH_KEY": KEY,
        }.items():
            monkeypatch.setenv(name, value)
        yield side


async def test_a_contact_is_put_down_listed_masked_and_removed(gateway: Gateway) -> None:
    """From standard input; no output holds it."""
    told = await run("contact", "set", LOGIN, "sms", text=f"{PHONE}\n")
    assert told.exit_code == 0, told.output
    assert "+86138****78" in told.output and PHONE not in told.output
    listed = await run("contact", "list", "--json")
    (row,) = json.loads(listed.output)
    assert (row["login"], row["channel"], row["contact"]) == (LOGIN, "sms", "+86138****78")
    assert PHONE[3:] not in listed.output
    assert json.loads((await run("contact", "remove", LOGIN, "sms", "--json")).output)["removed"] == 1
    assert json.loads((await run("contact", "list", LOGIN, "--json")).output) == []


async def test_another_key_opens_no_contact(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list says so, and goes on."""
    await run("contact", "set", LOGIN, "sms", text=PHONE)
    monkeypatch.setenv("FENGHUO_CONTACT_KEY", "A" * 43 + "=")
    (row,) = json.loads((await run("contact", "list", "--json")).output)
    assert row["contact"] == "(sealed under another key)"


@pytest.mark.parametrize(
    ("login", "channel", "text", "error"),
    [
        (LOGIN, "sms", "12345", InvalidInput),
        (LOGIN, "pigeon", PHONE, InvalidInput),
        (LOGIN, "push", "{}", InvalidInput),
        ("nobody", "sms", PHONE, NotFound),
    ],
)
async def test_what_is_wrong_is_told_in_a_sentence(
    gateway: Gateway, login: str, channel: str, text: str, error: type[Exception]
) -> None:
    """A number that is none, a channel that there is not, browsers, an account that there is not."""
    result = await run("contact", "set", login, channel, text=text)
    assert isinstance(result.exception, error)
    assert text not in str(result.exception)


async def test_a_test_message_is_marked_and_tells_what_became_of_it(gateway: Gateway) -> None:
    """It reaches the phone, says that it is a test, and holds nothing that acknowledges; a refusal is exit status 1."""
    without = await run("channel", "test", "sms", LOGIN)
    assert without.exit_code == 1 and "no_contact" in without.output and gateway.got == []
    await run("contact", "set", LOGIN, "sms", text=PHONE)
    told = await run("channel", "test", "sms", LOGIN, "--json")
    assert told.exit_code == 0, told.output
    assert json.loads(told.output) == {
        "channel": "sms",
        "login": LOGIN,
        "result": "delivered",
        "cause": "accepted",
        "retry_after_seconds": None,
    }
    (got,) = gateway.got
    assert (got["contact"], got["link"], got["code"], got["reason"]) == (f"+86{PHONE}", "", "", "test")
    assert "测试" in got["text"] and "无需处理" in got["text"]
    gateway.answer = {"ok": False}
    refused = await run("channel", "test", "sms", LOGIN)
    assert refused.exit_code == 1 and "rejected" in refused.output and PHONE not in refused.output
    unknown = await run("channel", "test", "pigeon", LOGIN)
    assert isinstance(unknown.exception, InvalidInput) and "sms" in str(unknown.exception)


async def test_channels_are_listed_with_what_they_need(gateway: Gateway) -> None:
    """As policies and accounts name them."""
    rows = json.loads((await run("channel", "list", "--json")).output)
    assert [(row["channel"], row["contact"]) for row in rows] == [
        ("console", ""),
        ("file", ""),
        ("sms", "phone"),
        ("push", "push"),
    ]


async def test_check_tells_missing_secrets(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """All at once, by their variables."""
    assert (await run("check")).exit_code == 0
    monkeypatch.delenv("FENGHUO_CONTACT_KEY")
    monkeypatch.delenv("FENGHUO_SERVICE_PUSH_KEY")
    monkeypatch.setenv("FENGHUO_SERVICE_SMS_PASSWORD", "x")
    told = json.loads((await run("check", "--json")).output)
    assert {fault["field"] for fault in told["faults"]} == {
        "FENGHUO_CONTACT_KEY",
        "FENGHUO_SERVICE_PUSH_KEY",
        "FENGHUO_SERVICE_SMS_PASSWORD",
    }
