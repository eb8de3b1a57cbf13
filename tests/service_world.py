"""The other sides of our channels, as fakes that can be read: providers that answer, and ones that behave badly."""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import aiohttp
import http_ece  # type: ignore[import-untyped]  # ships no types
import msgspec
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from config.services import AliyunSms, Apprise, Gateway, Smtp, WebPush, WecomApp
from config.settings import Secret, ServiceSecrets
from responders.channels import Channel, text_of
from responders.channels.aliyun import AliyunChannel
from responders.channels.long_tail import LongTailChannel
from responders.channels.mail import MailChannel
from responders.channels.push import PushChannel
from responders.channels.webhook import WebhookChannel
from responders.channels.wecom import WecomChannel

KEY = base64.b64encode(bytes(range(32))).decode()
"""A contact key, and a VAPID key: any 32 bytes are one."""
BODY = "{text} {english}"


@dataclass
class Browser:
    """A browser that has subscribed: it alone can read what it is sent (RFC 8291)."""

    private: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    auth: bytes = bytes(range(16))

    def subscription(self, endpoint: str) -> str:
        """Write the subscription as it is kept."""
        point = self.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        keys = {"p256dh": b64url(point), "auth": b64url(self.auth)}
        return msgspec.json.encode({"endpoint": endpoint, "keys": keys}).decode()

    def read(self, body: bytes) -> dict[str, Any]:
        """Decrypt a notification."""
        clear = http_ece.decrypt(body, private_key=self.private, auth_secret=self.auth, version="aes128gcm")
        read: dict[str, Any] = msgspec.json.decode(clear)
        return read


def b64url(data: bytes) -> str:
    """Encode as browsers do."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@dataclass
class Mailbox:
    """A mail server that takes letters, or answers with the code that a test wants, by command."""

    letters: list[bytes] = field(default_factory=list)
    answers: dict[str, bytes] = field(default_factory=dict)
    port: int = 0
    hangs: bool = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Speak SMTP with one client, which may leave whenever it likes."""
        try:
            await self._speak(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _speak(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.hangs:
            await reader.read()
            return
        writer.write(b"220 mail.test ready\r\n")
        while line := await reader.readline():
            command = line.split()[0].upper().decode() if line.split() else ""
            if self.answers.get(command) == b"":
                return  # the line goes dead
            writer.write(self.answers.get(command) or self._usual(command))
            await writer.drain()
            if command == "DATA" and command not in self.answers:
                self.letters.append(await reader.readuntil(b"\r\n.\r\n"))
                writer.write(b"250 taken\r\n")
            if command == "QUIT":
                return

    def _usual(self, command: str) -> bytes:
        return {
            "EHLO": b"250-mail.test\r\n250 8BITMIME\r\n",
            "DATA": b"354 go on\r\n",
            "QUIT": b"221 bye\r\n",
        }.get(command, b"250 ok\r\n")


@asynccontextmanager
async def mail_server() -> AsyncIterator[Mailbox]:
    """Run a mail server on a free port."""
    box = Mailbox()
    running: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            running.add(task)
        await box.serve(reader, writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    box.port = server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        server.close()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def provider(handler: Handler, token: Handler | None = None) -> AsyncIterator[str]:
    """Run an HTTP provider that answers everything by one handler, WeCom's gettoken aside; its base URL."""
    app = web.Application()
    app.router.add_get("/cgi-bin/gettoken", token or wecom_token)
    app.router.add_route("*", "/{rest:.*}", handler)
    async with TestServer(app) as server:
        yield str(server.make_url("/")).rstrip("/")


async def wecom_token(request: web.Request) -> web.Response:
    """Give a token."""
    return web.json_response({"errcode": 0, "access_token": "T1", "expires_in": 7200})


def wecom(session: aiohttp.ClientSession, url: str, timeout: float = 5, **options: Any) -> WecomChannel:
    """Make the WeCom channel of a provider."""
    service = WecomApp(
        name="wecom", url=url, corp="ww1", agent=7, timeout_seconds=timeout, template=BODY, **options
    )
    return WecomChannel(session, service, ServiceSecrets(secret=Secret("s")))


def aliyun(session: aiohttp.ClientSession, url: str, timeout: float = 5, **options: Any) -> AliyunChannel:
    """Make the SMS channel of a provider."""
    service = AliyunSms(
        name="sms",
        url=url,
        sign="示例县应急",
        template_code="SMS_1",
        timeout_seconds=timeout,
        **{"parameters": {"text": BODY}, "parameter_characters": 200, **options},
    )
    return AliyunChannel(session, service, ServiceSecrets(key=Secret("k"), secret=Secret("s")))


def gateway(session: aiohttp.ClientSession, url: str, timeout: float = 5) -> WebhookChannel:
    """Make the channel of a gateway of one's own."""
    service = Gateway(name="voice", url=f"{url}/pages", timeout_seconds=timeout)
    return WebhookChannel(session, service.url, "voice", "token", text_of(service), timeout)


def push(
    session: aiohttp.ClientSession,
    url: str,
    timeout: float = 5,
    forget: Callable[[str], Awaitable[None]] | None = None,
) -> PushChannel:
    """Make the Web Push channel behind a relay."""

    async def keep(endpoint: str) -> None:
        raise AssertionError(f"{endpoint} is not to be forgotten")

    service = WebPush(
        name="push", url=url, subject="mailto:duty@example.test", timeout_seconds=timeout, template=BODY
    )
    return PushChannel(session, service, ServiceSecrets(key=Secret(KEY)), forget or keep)


def mail(box: Mailbox, timeout: float = 5) -> MailChannel:
    """Make the mail channel of a server."""
    service = Smtp(
        name="mail",
        host="127.0.0.1",
        port=box.port,
        security="none",
        sender="fenghuo@example.test",
        timeout_seconds=timeout,
    )
    return MailChannel(service, ServiceSecrets())


def long_tail(url: str, timeout: float = 5) -> LongTailChannel:
    """Make the apprise channel of an ntfy server."""
    service = Apprise(name="ntfy", timeout_seconds=timeout, template=BODY, per_minute=600)
    address = f"ntfy://{urlsplit(url).netloc}/duty"
    return LongTailChannel(service, ServiceSecrets(url=Secret(address)))


HTTP_CHANNELS: dict[str, Callable[[aiohttp.ClientSession, str, float], Channel]] = {
    "wecom-app": wecom,
    "aliyun-sms": aliyun,
    "gateway": gateway,
    "web-push": push,
}
"""The services over HTTP whose behaviour on a bad answer is one and the same."""
BROWSER = Browser()
CONTACTS = {
    "wecom-app": "duty01",
    "aliyun-sms": "+8613800000000",
    "gateway": "+8613800000000",
    "web-push": BROWSER.subscription("https://fcm.googleapis.com/send/1"),
}


def page_in(text: str) -> UUID:
    """Read the page's id where a test's English sentence ends in it."""
    return UUID(text.strip().rpartition(" ")[2])
