"""One suite over every channel: what dispatch relies on, whatever is on the other side."""

import asyncio
import email
import email.policy
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
from service_world import BROWSER, CONTACTS, HTTP_CHANNELS, long_tail, mail, mail_server, page_in, provider

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


def message(kind: str = "") -> Message:
    """Make a message to a kind's contact, whose English sentence ends in its id: chats show nothing else of it."""
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
        contact=CONTACTS.get(kind, "duty@example.test"),
    )


@dataclass
class Rig:
    """A channel, what reached the person so far, and a switch that breaks the other side."""

    channel: Channel
    reached: Callable[[], list[UUID]]
    break_it: Callable[[], None]
    kind: str = ""

    def message(self) -> Message:
        """Make a message that this channel can carry."""
        return message(self.kind)


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


async def _usual(request: web.Request, posted: list[UUID]) -> web.Response:
    """Answer as each provider does, and note the page that the message tells of."""
    if request.path == "/cgi-bin/message/send":
        posted.append(page_in((await request.json())["text"]["content"]))
        return web.json_response({"errcode": 0, "errmsg": "ok", "invaliduser": ""})
    if request.path == "/pages":
        page = UUID(request.headers["Idempotency-Key"])
        if page not in posted:
            posted.append(page)
        return web.json_response({"ok": True})
    if request.path.startswith("/fcm.googleapis.com"):
        posted.append(page_in(BROWSER.read(await request.read())["body"]))
        return web.Response(status=201)
    if "TemplateParam" in request.query:
        posted.append(page_in(json.loads(request.query["TemplateParam"])["text"]))
        return web.json_response({"Code": "OK", "BizId": "1"})
    posted.append(page_in((await request.json())["message"]))
    return web.json_response({"id": "1"})


def service_rig(kind: str) -> Callable[[Path], AbstractAsyncContextManager[Rig]]:
    """A service over HTTP that reaches one person, behind a contact that is already open."""

    @asynccontextmanager
    async def rig(folder: Path) -> AsyncIterator[Rig]:
        posted: list[UUID] = []
        broken = False

        async def receive(request: web.Request) -> web.Response:
            return web.Response(status=502) if broken else await _usual(request, posted)

        def break_it() -> None:
            nonlocal broken
            broken = True

        async with provider(receive) as url, open_session(5) as session:
            if kind == "apprise":
                tail = long_tail(url)
                yield Rig(tail, lambda: posted, break_it)
                tail.close()
            else:
                yield Rig(HTTP_CHANNELS[kind](session, url, 5), lambda: posted, break_it)

    return rig


@asynccontextmanager
async def mail_rig(folder: Path) -> AsyncIterator[Rig]:
    """A mail server that takes what it is given."""
    async with mail_server() as box:

        def break_it() -> None:
            box.answers["DATA"] = b"421 going down\r\n"

        def reached() -> list[UUID]:
            parsed = [email.message_from_bytes(one, policy=email.policy.default) for one in box.letters]
            return [UUID(str(one["Message-ID"]).strip("<>").partition("@")[0]) for one in parsed]

        yield Rig(mail(box), reached, break_it)


RIGS = {
    "fake": fake_rig,
    "file": file_rig,
    "console": console_rig,
    "webhook": webhook_rig,
    **{kind.value: chat_rig(kind) for kind in ChatKind},
    **{kind: service_rig(kind) for kind in (*HTTP_CHANNELS, "apprise")},
    "smtp": mail_rig,
}


@pytest.fixture(params=RIGS)
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    """Each channel in turn."""
    async with RIGS[request.param](tmp_path) as made:
        made.kind = request.param
        yield made


async def test_a_delivered_message_reached_the_person(rig: Rig) -> None:
    """Delivered is said only of what arrived."""
    sent = rig.message()
    assert await rig.channel.send(sent) == Outcome(Result.DELIVERED, Cause.ACCEPTED)
    assert rig.reached() == [sent.page]


async def test_a_channel_says_truly_whether_it_passes_the_same_page_on_once(rig: Rig) -> None:
    """The same page again reaches nobody a second time over an idempotent channel, and over another it does."""
    sent = rig.message()
    outcomes = [await rig.channel.send(sent) for _ in range(3)]
    assert [outcome.result for outcome in outcomes] == [Result.DELIVERED] * 3
    assert rig.reached() == [sent.page] * (1 if rig.channel.idempotent else 3)


async def test_messages_at_once_all_arrive(rig: Rig) -> None:
    """Several messages under way at a time do not disturb one another."""
    sent = [rig.message() for _ in range(20)]
    outcomes = await asyncio.gather(*map(rig.channel.send, sent))
    assert {outcome.result for outcome in outcomes} == {Result.DELIVERED}
    assert sorted(rig.reached()) == sorted(one.page for one in sent)


async def test_a_broken_channel_answers_retry_and_does_not_raise(rig: Rig) -> None:
    """Whatever happens on the other side becomes an outcome with a reason."""
    rig.break_it()
    outcome = await rig.channel.send(rig.message())
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


async def _rate_limited(request: web.Request) -> web.StreamResponse:
    return web.Response(status=429, headers={"Retry-After": "7"})


async def _fault(request: web.Request) -> web.StreamResponse:
    return web.Response(status=503)


async def _proxy_page(request: web.Request) -> web.StreamResponse:
    return web.Response(text="<html>please sign in</html>", content_type="text/html")


async def _redirect(request: web.Request) -> web.StreamResponse:
    raise web.HTTPTemporaryRedirect("/elsewhere")


async def _half_sent(request: web.Request) -> web.StreamResponse:
    """Promise a long body, send a piece, and cut the line."""
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"errcode": 0, "ok": true, "Code": "OK"')
    if request.transport is not None:
        request.transport.abort()
    return response


async def _endless(request: web.Request) -> web.StreamResponse:
    return web.Response(body=b'{"errcode": 0, "ok": true, "Code": "OK"}' + b" " * 3_000_000)


RETRY = Result.RETRY
BAD = {
    "429": (_rate_limited, Outcome(RETRY, Cause.RATE_LIMITED, 7.0)),
    "503": (_fault, Outcome(RETRY, Cause.SERVER_ERROR)),
    "a proxy's page": (_proxy_page, Outcome(RETRY, Cause.BAD_ANSWER)),
    "an endless body": (_endless, Outcome(RETRY, Cause.BAD_ANSWER)),
    "a redirect": (_redirect, Outcome(Result.REFUSED, Cause.REDIRECTED)),
}


@pytest.mark.parametrize("kind", HTTP_CHANNELS)
@pytest.mark.parametrize("how", BAD)
async def test_a_bad_answer_is_no_success(kind: str, how: str) -> None:
    """Whatever a service or a proxy before it says, only its own word in the body is success."""
    handler, expected = BAD[how]
    async with provider(handler) as url, open_session(5) as session:
        assert await HTTP_CHANNELS[kind](session, url, 5).send(message(kind)) == expected


@pytest.mark.parametrize("kind", [kind for kind in HTTP_CHANNELS if kind != "web-push"])
async def test_half_an_answer_is_none(kind: str) -> None:
    """A line that is cut within the body leaves the outcome open; a push service says all by its status."""
    async with provider(_half_sent) as url, open_session(5) as session:
        channel = HTTP_CHANNELS[kind](session, url, 5)
        # Who sends a repetition on once may be asked again; of the others it must be known that nothing is out.
        cause = Cause.UNREACHABLE if channel.idempotent else Cause.BAD_ANSWER
        assert await channel.send(message(kind)) == Outcome(RETRY, cause)


@pytest.mark.parametrize("kind", [*HTTP_CHANNELS, "apprise", "smtp"])
async def test_who_never_answers_is_not_waited_for(kind: str) -> None:
    """A service that is silent costs the time that it is given, and no more; cancelling needs no more either."""
    released, asked = asyncio.Event(), asyncio.Event()

    async def hang(request: web.Request) -> web.StreamResponse:
        asked.set()
        await released.wait()
        return web.Response()

    async with provider(hang) as url, mail_server() as box, open_session(30) as session:
        box.hangs = True

        def channel(seconds: float) -> Channel:
            if kind == "smtp":
                return mail(box, seconds)
            return (
                long_tail(url, seconds) if kind == "apprise" else HTTP_CHANNELS[kind](session, url, seconds)
            )

        assert await channel(0.1).send(message(kind)) == Outcome(RETRY, Cause.TIMEOUT)
        asked.clear()
        sending = asyncio.create_task(channel(1 if kind == "apprise" else 30).send(message(kind)))
        if kind != "smtp":
            await asyncio.wait_for(asked.wait(), 5)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(sending, 5)
        released.set()


async def test_a_file_holds_nothing_by_which_a_person_is_reached(tmp_path: Path) -> None:
    """Contact, link and code never reach the disk."""
    path = tmp_path / "pages.jsonl"
    await FileChannel(path).send(
        replace(message(), contact="+8613800000000", link="https://l", code="123456")
    )
    line = json.loads(path.read_text(encoding="utf-8"))
    assert (line["contact"], line["link"], line["code"]) == ("", "", "")
