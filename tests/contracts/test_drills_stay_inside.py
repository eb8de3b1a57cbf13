"""Every kind of channel that leaves the house: of a drill's message no byte leaves, of a real one some do."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from service_world import CONTACTS, HTTP_CHANNELS, Mailbox, long_tail, mail

from config.chats import Chat, ChatKind
from config.settings import ChatSecrets, Secret
from domain.levels import Grade, Level
from responders import channels as package
from responders.cases import INSIDE, Cause, Claimed, Message, Outcome, Result
from responders.channels import Channel
from responders.channels.chat import ChatChannel
from responders.channels.webhook import WebhookChannel, open_session
from responders.sending import attempt


@dataclass
class Ear:
    """Listens on a port, and keeps every byte that comes, whatever protocol it is of."""

    port: int = 0
    connections: int = 0
    heard: bytearray = field(default_factory=bytearray)

    async def listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Greet as a mail server would, take what comes, and hang up."""
        self.connections += 1
        writer.write(b"220 ear\r\n")
        self.heard += await reader.read(65_536)
        writer.close()


@asynccontextmanager
async def an_ear() -> AsyncIterator[Ear]:
    """Open an ear on a free port."""
    ear = Ear()
    server = await asyncio.start_server(ear.listen, "127.0.0.1", 0)
    ear.port = server.sockets[0].getsockname()[1]
    async with server:
        yield ear


def message(kind: str, *, drill: bool) -> Message:
    """Make a message that the kind of channel could carry."""
    return Message(
        page=uuid4(),
        incident=uuid4(),
        recipient="青溪镇值班室",
        step=0,
        loop=0,
        reason="opened",
        title="【演练】水环境污染 · 青溪镇",
        zh="【演练】氨氮超标",
        en=f"[DRILL] Ammonia above its limit {uuid4()}",
        level=Level.BLUE,
        grade=Grade.IV,
        place="990101101",
        drill=drill,
        created_at=datetime(2026, 5, 1, 8, tzinfo=UTC),
        contact=CONTACTS.get(kind, "duty@example.test"),
    )


def chat(kind: ChatKind) -> Callable[[aiohttp.ClientSession, str], Channel]:
    """Make a chat of a kind."""

    def make(session: aiohttp.ClientSession, url: str) -> Channel:
        secrets = ChatSecrets(token=Secret("t"), secret=Secret("s"))
        return ChatChannel(session, Chat(name="duty", kind=kind, url=f"{url}/bot/send"), secrets)

    return make


def over_http(make: Any) -> Callable[[aiohttp.ClientSession, str], Channel]:
    """Make a service with a short patience: the ear never answers as it should."""
    return lambda session, url: make(session, url, 2)


def by_mail(session: aiohttp.ClientSession, url: str) -> Channel:
    """Make the mail channel."""
    return mail(Mailbox(port=int(url.rpartition(":")[2])), 2)


KINDS: dict[str, Callable[[aiohttp.ClientSession, str], Channel]] = {
    "webhook": WebhookChannel,
    **{kind.value: chat(kind) for kind in ChatKind},
    **{kind: over_http(make) for kind, make in HTTP_CHANNELS.items()},
    "smtp": by_mail,
    "apprise": lambda session, url: long_tail(url, 2),
}


@pytest.mark.parametrize("kind", KINDS)
async def test_no_byte_of_a_drill_leaves_the_house(kind: str) -> None:
    """The sender refuses before the channel hears of it; the same message of a real case does leave."""
    async with an_ear() as ear, open_session(2) as session:
        channel = KINDS[kind](session, f"http://127.0.0.1:{ear.port}")
        assert channel.outside
        assert channel.name not in INSIDE
        drill, real = (
            Claimed(message(kind, drill=drill), 1, datetime.now(UTC), lapsed=False) for drill in (True, False)
        )
        assert await attempt(channel, drill) == Outcome(Result.REFUSED, Cause.DRILL)
        assert (ear.connections, bytes(ear.heard)) == (0, b"")
        await attempt(channel, real)
        assert ear.connections > 0


def test_no_kind_of_channel_is_left_out() -> None:
    """Each module that makes a channel is in the list above, or is one of those that stay inside."""
    folder = Path(package.__file__).parent
    makers = {
        path.stem
        for path in folder.glob("*.py")
        if "    outside = True" in (text := path.read_text(encoding="utf-8")) or "    outside = False" in text
    }
    covered = {"webhook", "chat", "wecom", "aliyun", "push", "mail", "long_tail"}
    assert makers == covered | set(INSIDE)
