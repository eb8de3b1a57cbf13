"""The county's own sign-in, against a provider that the test runs: code, PKCE, nonce, keys that change, refusals."""

import base64
import hashlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_asyncio
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestServer
from console_world import DATA, Console, Seat, running_console
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from config.settings import ConsoleSettings, Secret, Settings, SignInSettings
from dashboards.app import create_console

SECRET = "the-clients-secret"
KEY = Secret(base64.b64encode(bytes(range(32))).decode())


@dataclass
class Provider:
    """A provider that follows the standard, but for what a test changes in its tokens."""

    issuer: str = ""
    login: str = "qingxi"
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}))
    signs_with: RSAKey | None = None
    claims: dict[str, Any] = field(default_factory=dict)
    asked: dict[str, dict[str, str]] = field(default_factory=dict)
    away: bool = False
    key_reads: int = 0

    def rotate(self) -> None:
        """Change the key, as providers do every few weeks."""
        self.key = RSAKey.generate_key(2048, {"kid": "two"})

    async def about(self, request: web.Request) -> web.Response:
        """Tell where things are."""
        places = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        return web.json_response(
            {"issuer": self.issuer, **{name: f"{self.issuer}/{path}" for name, path in places.items()}}
        )

    async def keys(self, request: web.Request) -> web.Response:
        """Give the public keys."""
        self.key_reads += 1
        return web.json_response(KeySet([self.key]).as_dict(private=False))

    def consent(self, address: str) -> str:
        """Do as the person at the provider's page: sign in; answers the code."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        code = f"code-{len(self.asked)}"
        self.asked[code] = query
        return code

    async def token(self, request: web.Request) -> web.Response:
        """Give the token for a code, once, to whoever can show the verifier and the client's secret."""
        form = await request.post()
        query = self.asked.pop(str(form["code"]), None)
        if self.away or query is None:
            return web.json_response({"error": "invalid_grant"}, status=400)
        shown = base64.urlsafe_b64encode(hashlib.sha256(str(form["code_verifier"]).encode()).digest())
        basic = base64.b64encode(f"fenghuo:{SECRET}".encode()).decode()
        assert shown.decode().rstrip("=") == query["code_challenge"]
        assert form["redirect_uri"] == query["redirect_uri"]
        assert request.headers["Authorization"] == f"Basic {basic}"
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": "fenghuo",
            "sub": "4711",
            "iat": now,
            "exp": now + 60,
            "nonce": query["nonce"],
            "preferred_username": self.login,
            **self.claims,
        }
        key = self.signs_with or self.key
        return web.json_response(
            {
                "id_token": jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, key),
                "token_type": "Bearer",
            }
        )


@pytest_asyncio.fixture
async def provider() -> AsyncIterator[Provider]:
    """Run the provider."""
    one = Provider()
    app = web.Application()
    app.add_routes(
        [
            web.get("/.well-known/openid-configuration", one.about),
            web.get("/keys", one.keys),
            web.post("/token", one.token),
        ]
    )
    server = TestServer(app)
    await server.start_server()
    one.issuer = str(server.make_url("")).rstrip("/")
    yield one
    await server.close()


@pytest_asyncio.fixture
async def console(database: str, provider: Provider, free_port: int) -> AsyncIterator[Console]:
    """Serve a console of a county whose people sign in at the provider."""
    ours = SignInSettings(
        second_factor=("commander", "admin"),
        oidc_issuer=provider.issuer,
        oidc_client_id="fenghuo",
        oidc_secret=Secret(SECRET),
        oidc_name="县统一身份认证",
    )
    settings = Settings(
        contact_key=KEY,
        sign_in=ours,
        console=ConsoleSettings(public_url=f"http://127.0.0.1:{free_port}"),
    )
    async with running_console(database) as running:
        server = TestServer(create_console(settings, DATA, running.store), port=free_port)
        await server.start_server()
        one = Console(running.store, server)
        yield one
        for seat in one.seats:
            await seat.client.session.close()
        await server.close()


async def leave(seat: Seat, goal: str = "/") -> str:
    """Press the button; answers the provider's address."""
    answer = await seat.client.get("/sign-in/oidc", params={"next": goal}, allow_redirects=False)
    assert answer.status == 303, await answer.text()
    return answer.headers["Location"]


async def come_back(seat: Seat, provider: Provider, address: str, **changed: str) -> ClientResponse:
    """Come back from the provider with a code and the state."""
    code = provider.consent(address)
    query = {"code": code, "state": parse_qs(urlsplit(address).query)["state"][0], **changed}
    return await seat.page("/sign-in/oidc/return?" + "&".join(f"{k}={v}" for k, v in query.items()))


async def test_an_account_is_opened_by_the_county(console: Console, provider: Provider) -> None:
    """The button stands on the form; the session is that of the login; the goal is kept, a foreign one is not."""
    seat = await console.seat()
    assert "县统一身份认证" in await (await seat.page("/sign-in")).text()
    back = await come_back(seat, provider, await leave(seat, "/drills"))
    assert (back.status, back.headers["Location"]) == (303, "/drills")
    session = await (await seat.get("/api/v1/session")).json()
    assert "qingxi" in str(session)
    other = await console.seat()
    again = await come_back(other, provider, await leave(other, "https://evil.example/"))
    assert again.headers["Location"] == "/"


async def test_a_second_factor_is_asked_for_unless_the_provider_did(
    console: Console, provider: Provider
) -> None:
    """A commander whose provider says nothing of it sets ours up; with amr he is in."""
    provider.login = "county"
    seat = await console.seat()
    assert (await come_back(seat, provider, await leave(seat))).headers["Location"] == "/sign-in/enrol"
    provider.claims = {"amr": ["pwd", "otp"]}
    other = await console.seat()
    assert (await come_back(other, provider, await leave(other))).headers["Location"] == "/"


async def test_keys_that_changed_are_asked_for_again(
    console: Console, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token under a new key opens after one more reading of the keys; readings are not made at a stranger's pace."""
    monkeypatch.setattr("dashboards.oidc.AGAIN_SECONDS", 0.0)
    first, second = await console.seat(), await console.seat()
    assert (await come_back(first, provider, await leave(first))).status == 303
    provider.rotate()
    assert (await come_back(second, provider, await leave(second))).status == 303
    assert provider.key_reads == 2
    monkeypatch.setattr("dashboards.oidc.AGAIN_SECONDS", 60.0)
    provider.signs_with = RSAKey.generate_key(2048, {"kid": "two"})
    third = await console.seat()
    assert (await come_back(third, provider, await leave(third))).status == 403
    assert provider.key_reads == 2


@pytest.mark.parametrize(
    ("claims", "login"),
    [
        ({"iss": "https://other.example"}, "qingxi"),
        ({"aud": "other"}, "qingxi"),
        ({"exp": 1_000_000_000}, "qingxi"),
        ({"nonce": "of-another-sign-in"}, "qingxi"),
        ({}, "nobody"),
        ({"preferred_username": 7}, "qingxi"),
    ],
)
async def test_what_is_refused(
    console: Console, provider: Provider, claims: dict[str, Any], login: str
) -> None:
    """Another issuer or audience, an old token, another nonce, no account of ours: no session."""
    provider.claims, provider.login = claims, login
    seat = await console.seat()
    answer = await come_back(seat, provider, await leave(seat))
    assert answer.status == 403
    assert (await seat.get("/api/v1/incidents")).status == 401
    assert login not in {user.login for user in await console.store.users()} or login == "qingxi"


async def test_a_return_belongs_to_the_browser_that_left(console: Console, provider: Provider) -> None:
    """A code sent to somebody else's browser, another state, and the same return twice open nothing."""
    victim, attacker = await console.seat(), await console.seat()
    address = await leave(attacker)
    assert (await come_back(victim, provider, address)).status == 403
    assert (await come_back(attacker, provider, address, state="guess")).status == 403
    assert (await come_back(attacker, provider, await leave(attacker))).status == 303
    again = await attacker.page("/sign-in/oidc/return?code=code-9&state=x")
    assert again.status == 403


async def test_a_provider_that_is_away_is_told(console: Console, provider: Provider) -> None:
    """It refuses the code, or does not answer: people read what to do, and the password still opens."""
    provider.away = True
    seat = await console.seat()
    assert (await come_back(seat, provider, await leave(seat))).status == 403
    lost = create_console(
        Settings(sign_in=SignInSettings(oidc_issuer="http://127.0.0.1:9", oidc_client_id="fenghuo")),
        DATA,
        console.store,
    )
    server = TestServer(lost)
    await server.start_server()
    elsewhere = await Console(console.store, server).seat()
    answer = await elsewhere.page("/sign-in/oidc")
    assert answer.status == 503
    assert "可使用账号和密码登录" in await answer.text()
    assert (await elsewhere.sign_in("qingxi")).status == 303
    await elsewhere.client.session.close()
    await server.close()


async def test_without_a_provider_there_is_no_such_address(database: str) -> None:
    """No button, and 404."""
    async with running_console(database) as console:
        seat = await console.seat()
        assert "/sign-in/oidc" not in await (await seat.page("/sign-in")).text()
        assert (await seat.page("/sign-in/oidc")).status == 404
