"""Providers that are slow, refuse, lie, break off or never answer, over real HTTP: everybody is reached in the end."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import asyncpg  # type: ignore[import-untyped]  # ships no types
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from responder_world import DATA, QINGXI, FakeChannel, World, open_world

from config.chats import Chat, ChatKind
from config.settings import ChatSecrets, Secret
from domain.incidents import PageState
from domain.levels import Level
from responders.cases import Rules
from responders.channels import Channel
from responders.channels.chat import ChatChannel
from responders.channels.webhook import WebhookChannel, open_session
from responders.dispatch import send_due

PEOPLE = ["示例县值班室", "示例市值班室", "青溪镇值班室"]
PATIENCE = 0.3
"""Seconds that a channel waits for an answer in these tests."""
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    """A settled county with everybody on duty, and a provider before the file."""
    async with open_world(database) as opened:
        opened.rules = Rules(DATA, ("console", "file", "webhook"))
        yield opened


@dataclass
class Provider:
    """The other side: answers as told, then well; `passed_on` are the pages that it sent to people, repetitions dropped."""

    answers: list[Answer] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    passed_on: set[str] = field(default_factory=set)
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: web.Request) -> web.StreamResponse:
        """Take one message."""
        await request.read()
        key = request.headers.get("Idempotency-Key", str(len(self.keys)))
        self.keys.append(key)
        if self.answers:
            return await self.answers.pop(0)(request)
        self.passed_on.add(key)
        return web.json_response({"ok": True, "errcode": 0, "code": 0})

    async def never(self, request: web.Request) -> web.StreamResponse:
        """Take it, pass it on, and say nothing."""
        self.passed_on.add(self.keys[-1])
        await self.closing.wait()
        return web.Response(status=500)


async def _too_fast(request: web.Request) -> web.StreamResponse:
    return web.Response(status=429, headers={"Retry-After": "1"}, text="slow down")


async def _server_error(request: web.Request) -> web.StreamResponse:
    return web.Response(status=503, text="<html>maintenance</html>")


async def _error_in_the_body(request: web.Request) -> web.StreamResponse:
    return web.json_response({"ok": False, "errcode": 93000, "code": 19001, "errmsg": "invalid webhook url"})


async def _a_page_of_a_proxy(request: web.Request) -> web.StreamResponse:
    return web.Response(text="<html>Please log in</html>", content_type="text/html")


async def _half_an_answer(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "100", "Content-Type": "application/json"})
    await response.prepare(request)
    await response.write(b'{"ok": tr')
    assert request.transport is not None
    request.transport.close()
    return response


async def _elsewhere(request: web.Request) -> web.StreamResponse:
    return web.Response(status=302, headers={"Location": "http://192.0.2.1/"})


MISBEHAVIOUR: dict[str, tuple[Answer, PageState]] = {
    "429": (_too_fast, PageState.DELIVERED),
    "503": (_server_error, PageState.DELIVERED),
    "200 with an error in the body": (_error_in_the_body, PageState.FAILED),
    "200 with a proxy's page": (_a_page_of_a_proxy, PageState.DELIVERED),
    "half an answer": (_half_an_answer, PageState.DELIVERED),
    "a redirection": (_elsewhere, PageState.FAILED),
}
"""What it does once to each message, and where the pages stand when it behaves again."""
UNKNOWN_IF_SENT = {"200 with a proxy's page", "half an answer"}
"""After these nobody knows whether the message is out: a chat, which would show it twice, is not asked again."""


@asynccontextmanager
async def serve(provider: Provider, kind: str) -> AsyncIterator[Channel]:
    """Serve a provider, and open the channel to it: a webhook, or a chat's bot under the same name."""
    app = web.Application()
    app.router.add_post("/{rest:.*}", provider.take)
    async with TestServer(app) as server, open_session(PATIENCE) as session:
        url = str(server.make_url("/send"))
        if kind == "webhook":
            yield WebhookChannel(session, url)
        else:
            chat = Chat(name="webhook", kind=ChatKind.WECOM, url=url, per_minute=600)
            yield ChatChannel(session, chat, ChatSecrets(token=Secret("t")))
        provider.closing.set()


async def due_again(world: World) -> None:
    """Let the time that a provider asked for go by."""
    connection = await asyncpg.connect(world.dsn)
    await connection.execute("update page set wall_retry_at = now() where state = 'due'")
    await connection.close()


async def send_on(world: World, channel: Channel) -> None:
    """Send until nothing is due any more, patience included."""
    while True:
        while await send_due(world.store, channel, pause=0):
            pass
        await due_again(world)
        if not await send_due(world.store, channel, pause=0):
            return


async def reached_by_file(world: World) -> list[str]:
    """Send what fell over."""
    file = FakeChannel("file")
    await world.send_all(file)
    assert len(file.calls) == len(set(file.recipients))
    return sorted(file.recipients)


@pytest.mark.parametrize("kind", ["webhook", "chat"])
@pytest.mark.parametrize("how", MISBEHAVIOUR)
async def test_a_provider_that_misbehaves_once(world: World, how: str, kind: str) -> None:
    """What may be tried again is, and what is refused goes over the next channel; the record says which."""
    answer, state = MISBEHAVIOUR[how]
    if kind == "chat" and how in UNKNOWN_IF_SENT:
        state = PageState.FAILED
    case = await world.raise_alert(QINGXI, Level.ORANGE)
    provider = Provider([answer] * len(PEOPLE))
    async with serve(provider, kind) as channel:
        await send_on(world, channel)
    delivered = state is PageState.DELIVERED
    assert await reached_by_file(world) == ([] if delivered else PEOPLE)
    assert len(provider.passed_on) == (len(PEOPLE) if delivered else 0)
    assert {page.state for page in (await world.show(case)).pages if page.channel == "webhook"} == {state}
    kinds = [entry.kind for entry in (await world.show(case)).timeline]
    assert kinds.count("delivered") == len(PEOPLE)
    assert kinds.count("page_failed") == (0 if delivered else len(PEOPLE))


@pytest.mark.parametrize("how", ["429", "503", "200 with a proxy's page", "half an answer"])
async def test_a_provider_that_misbehaves_for_good(world: World, how: str) -> None:
    """After four tries everybody is reached over the next channel, once."""
    await world.raise_alert(QINGXI, Level.ORANGE)
    provider = Provider([MISBEHAVIOUR[how][0]] * 100)
    async with serve(provider, "webhook") as channel:
        await send_on(world, channel)
    assert len(provider.keys) == 4 * len(PEOPLE)
    assert len(set(provider.keys)) == len(PEOPLE)  # each try of a page under its own key
    assert await reached_by_file(world) == PEOPLE


async def test_retry_after_is_heeded(world: World) -> None:
    """A provider that asks for a pause is not asked again before, whatever our own pause is."""
    await world.raise_alert(QINGXI, Level.ORANGE)
    provider = Provider([_too_fast] * len(PEOPLE))
    async with serve(provider, "webhook") as channel:
        assert await send_due(world.store, channel, pause=0) == len(PEOPLE)
        assert await send_due(world.store, channel, pause=0) == 0
        await due_again(world)
        assert await send_due(world.store, channel, pause=0) == len(PEOPLE)


async def test_a_provider_that_passes_on_and_never_answers(world: World) -> None:
    """It is asked again under the same key, drops the repetition, and nobody gets the page twice from it."""
    await world.raise_alert(QINGXI, Level.ORANGE)
    provider = Provider()
    provider.answers = [provider.never] * len(PEOPLE)
    async with serve(provider, "webhook") as channel:
        await send_on(world, channel)
    assert len(provider.keys) == 2 * len(PEOPLE)
    assert len(provider.passed_on) == len(PEOPLE)
    assert await reached_by_file(world) == []


async def test_a_chat_that_shows_a_page_and_never_answers(world: World) -> None:
    """It knows no key by which it would tell a repetition: it is not asked again, and the next channel tells them."""
    await world.raise_alert(QINGXI, Level.ORANGE)
    provider = Provider()
    provider.answers = [provider.never] * len(PEOPLE)
    async with serve(provider, "chat") as channel:
        await send_on(world, channel)
    assert len(provider.keys) == len(provider.passed_on) == len(PEOPLE)
    assert await reached_by_file(world) == PEOPLE


async def test_a_provider_that_hangs_holds_nobody_up_on_other_channels(world: World) -> None:
    """While its answers are waited for the console has told everybody."""
    await world.raise_alert(QINGXI, Level.ORANGE)
    provider, console = Provider(), FakeChannel("console")
    provider.answers = [provider.never] * len(PEOPLE)
    async with serve(provider, "webhook") as channel:
        hanging = asyncio.create_task(send_due(world.store, channel, pause=0))
        await world.send_all(console)
        assert sorted(console.recipients) == PEOPLE
        assert not hanging.done()
        await hanging
