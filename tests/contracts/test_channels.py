"""One suite over every channel: what dispatch relies on, whatever is on the other side."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from responder_world import FakeChannel

from config.chats import Chat, ChatKind
from config.settings import ChatSecrets, Secret
from domain.errors import DatabaseUnavailable
from domain.levels import Grade, Level
from responders.cases import Cause, Message, Outcome, Result
from responders.channels import Channel
from responders.channels.chat import ChatChannel
from responders.channels.console import ConsoleChannel
from responders.channels.file import FileChannel
from responders.channels.webhook import open_session, open_webhook


def message() -> Message:
    """Make a message, whose English sentence ends in its id: chats show nothing else of it."""
    page = uuid4()
    return Message(
        page=page,
        incident=uuid4(),
        recipient="青溪镇值班室",
        step=0,
        loop=0,
        reason="opened",
        title="水环境污染 · 青溪镇",
        zh="氨氮超标",
        en=f"Ammonia above its limit {page}",
        level=Level.BLUE,
        grade=Grade.IV,
        place="990101101",
        drill=False,
        created_at=datetime(2026, 5, 1, 8, tzinfo=UTC),
    )


@dataclass
class Rig:
    """A channel, what reached the person so far, and a switch that breaks the other side."""

    channel: Channel
    reached: Callable[[], list[UUID]]
    break_it: Callable[[], None]


@asynccontextmanager
async def fake_rig(folder: Path) -> AsyncIterator[Rig]:
    """The fake that other tests read must keep the contract too."""
    channel = FakeChannel()
    broken = Outcome(Result.RETRY, Cause.UNREACHABLE)
    yield Rig(channel, lambda: list(channel.reached), lambda: channel.answers.extend([broken] * 99))


@asynccontextmanager
async def file_rig(folder: Path) -> AsyncIterator[Rig]:
    """A file in a folder that does not exist yet."""
    path = folder / "deep" / "pages.jsonl"

    def break_it() -> None:
        path.unlink(missing_ok=True)
        path.mkdir(parents=True)

    yield Rig(
        FileChannel(path),
        lambda: [UUID(json.loads(line)["page"]) for line in path.read_text(encoding="utf-8").splitlines()],
        break_it,
    )


@asynccontextmanager
async def console_rig(folder: Path) -> AsyncIterator[Rig]:
    """The console with a store that remembers."""

    class Store:
        def __init__(self) -> None:
            self.announced: list[UUID] = []
            self.away = False

        async def announce_page(self, page: UUID, place: str) -> None:
            if self.away:
                raise DatabaseUnavailable
            if page not in self.announced:
                self.announced.append(page)

    store = Store()
    yield Rig(ConsoleChannel(store), lambda: store.announced, lambda: setattr(store, "away", True))


@asynccontextmanager
async def webhook_rig(folder: Path) -> AsyncIterator[Rig]:
    """A receiver that keeps the webhook's contract: the same key is passed on once."""
    reached: dict[str, dict[str, object]] = {}
    broken = False

    async def receive(request: web.Request) -> web.Response:
        if broken:
            return web.Response(status=502)
        reached.setdefault(request.headers["Idempotency-Key"], await request.json())
        return web.json_response({"ok": True})

    def break_it() -> None:
        nonlocal broken
        broken = True

    app = web.Application()
    app.router.add_post("/pages", receive)
    async with TestServer(app) as server, open_webhook(str(server.make_url("/pages")), 5) as channel:
        yield Rig(channel, lambda: [UUID(str(body["page"])) for body in reached.values()], break_it)


def chat_rig(kind: ChatKind) -> Callable[[Path], AbstractAsyncContextManager[Rig]]:
    """A service that answers HTTP 200 whatever happens, and posts what it accepts to a chat."""

    @asynccontextmanager
    async def rig(folder: Path) -> AsyncIterator[Rig]:
        posted: list[UUID] = []
        broken = False

        async def receive(request: web.Request) -> web.Response:
            if broken:
                return web.Response(status=502)
            body = await request.json()
            posted.append(UUID((body.get("text") or body["content"]).popitem()[1].rpartition(" ")[2]))
            return web.json_response({"errcode": 0, "code": 0})

        def break_it() -> None:
            nonlocal broken
            broken = True

        app = web.Application()
        app.router.add_post("/bot/{rest:.*}", receive)
        async with TestServer(app) as server, open_session(5) as session:
            chat = Chat(
                name="duty",
                kind=kind,
                url=str(server.make_url("/bot/send")),
                per_minute=30,
                template="{text} {english}",
            )
            channel = ChatChannel(session, chat, ChatSecrets(token=Secret("t"), secret=Secret("s")))
            yield Rig(channel, lambda: posted, break_it)

    return rig


RIGS = {
    "fake": fake_rig,
    "file": file_rig,
    "console": console_rig,
    "webhook": webhook_rig,
    **{kind.value: chat_rig(kind) for kind in ChatKind},
}


@pytest.fixture(params=RIGS)
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    """Each channel in turn."""
    async with RIGS[request.param](tmp_path) as made:
        yield made


async def test_a_delivered_message_reached_the_person(rig: Rig) -> None:
    """Delivered is said only of what arrived."""
    sent = message()
    assert await rig.channel.send(sent) == Outcome(Result.DELIVERED, Cause.ACCEPTED)
    assert rig.reached() == [sent.page]


async def test_a_channel_says_truly_whether_it_passes_the_same_page_on_once(rig: Rig) -> None:
    """The same page again reaches nobody a second time over an idempotent channel, and over another it does."""
    sent = message()
    outcomes = [await rig.channel.send(sent) for _ in range(3)]
    assert [outcome.result for outcome in outcomes] == [Result.DELIVERED] * 3
    assert rig.reached() == [sent.page] * (1 if rig.channel.idempotent else 3)


async def test_messages_at_once_all_arrive(rig: Rig) -> None:
    """Several messages under way at a time do not disturb one another."""
    sent = [message() for _ in range(20)]
    outcomes = await asyncio.gather(*map(rig.channel.send, sent))
    assert {outcome.result for outcome in outcomes} == {Result.DELIVERED}
    assert sorted(rig.reached()) == sorted(one.page for one in sent)


async def test_a_broken_channel_answers_retry_and_does_not_raise(rig: Rig) -> None:
    """Whatever happens on the other side becomes an outcome with a reason."""
    rig.break_it()
    outcome = await rig.channel.send(message())
    assert outcome.result is Result.RETRY
    assert outcome.cause in {Cause.UNREACHABLE, Cause.SERVER_ERROR, Cause.STORAGE}


async def test_two_processes_write_each_page_once_into_one_file(tmp_path: Path) -> None:
    """A page that another process wrote is not written again, even after a torn line."""
    path = tmp_path / "pages.jsonl"
    first, second = FileChannel(path), FileChannel(path)
    sent = [message() for _ in range(3)]
    await first.send(sent[0])
    with path.open("ab") as torn:
        torn.write(b'{"page": "half')
    for one in sent:
        await second.send(one)
        await first.send(one)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.endswith("half")] == ['{"page": "half']
    assert [UUID(json.loads(line)["page"]) for line in lines if not line.endswith("half")] == [
        one.page for one in sent
    ]


async def test_a_webhook_that_does_not_answer_is_tried_again(tmp_path: Path) -> None:
    """Silence and a closed port are told apart and both are worth another try."""
    released = asyncio.Event()

    async def hang(request: web.Request) -> web.Response:
        await released.wait()
        return web.json_response({"ok": True})

    app = web.Application()
    app.router.add_post("/", hang)
    server = TestServer(app)
    async with server, open_webhook(str(server.make_url("/")), 0.05) as channel:
        assert await channel.send(message()) == Outcome(Result.RETRY, Cause.TIMEOUT)
        released.set()
        closed = str(server.make_url("/"))
    async with open_webhook(closed, 1) as channel:
        assert await channel.send(message()) == Outcome(Result.RETRY, Cause.UNREACHABLE)


async def test_a_webhook_follows_no_redirect() -> None:
    """A page does not go where the operator did not send it."""
    elsewhere: list[str] = []

    async def redirect(request: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect("/elsewhere")

    async def receive(request: web.Request) -> web.Response:
        elsewhere.append(request.path)
        return web.json_response({"ok": True})

    app = web.Application()
    app.router.add_post("/", redirect)
    app.router.add_post("/elsewhere", receive)
    async with TestServer(app) as server, open_webhook(str(server.make_url("/")), 5) as channel:
        assert await channel.send(message()) == Outcome(Result.REFUSED, Cause.REDIRECTED)
    assert elsewhere == []


async def test_an_endless_answer_is_no_answer() -> None:
    """A body of megabytes is cut and is not taken for success."""

    async def flood(request: web.Request) -> web.Response:
        return web.Response(body=b'{"ok": true}' + b" " * 3_000_000)

    app = web.Application()
    app.router.add_post("/", flood)
    async with TestServer(app) as server, open_webhook(str(server.make_url("/")), 5) as channel:
        assert (await channel.send(replace(message()))).cause is Cause.BAD_ANSWER
