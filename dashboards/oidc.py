"""The county's own sign-in (OpenID Connect, authorization code with PKCE): leave for the provider, come back with a code.

It opens accounts that there are, never makes one; where the provider does not say that it asked for a second factor, ours
is asked for as after a password.
"""

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import aiohttp
import structlog
from aiohttp import hdrs, web
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from yarl import URL

from config.settings import SignInSettings
from config.sign_in import is_safe
from dashboards.gate import GATE, begin_step, finish_step, go_on, step_of
from dashboards.keys import SETTINGS, store_of
from dashboards.metrics import SIGN_INS
from dashboards.problems import Problem, Refused
from dashboards.sessions import local_path
from responders.oidc import Refusal, judge, login_in, proved_twice
from responders.sign_in import Way

log = structlog.get_logger()

STEP = "oidc"
SCOPE = "openid profile"
ALGORITHMS = ("RS256", "PS256", "ES256", "ES384", "EdDSA")
"""Signatures by keys of the provider's alone: a secret that we know too proves nothing."""
TIMEOUT_SECONDS = 10.0
MOST_BYTES = 256 * 1024
FRESH_SECONDS = 3_600.0
AGAIN_SECONDS = 10.0
"""Keys are asked for again when a token names one that is not known, and no more often than this."""


class Turned(Exception):
    """The return from the provider opens nothing."""

    def __init__(self, reason: Refusal) -> None:
        """Keep the reason."""
        super().__init__(reason.value)
        self.reason = reason


class Provider:
    """The provider as its own documents describe it; they are kept for an hour, keys until one is unknown."""

    def __init__(self, settings: SignInSettings) -> None:
        """Take the settings; nothing is asked before somebody signs in."""
        self._settings = settings
        self._about: dict[str, Any] = {}
        self._about_at = self._keys_at = -FRESH_SECONDS
        self._keys: KeySet | None = None

    async def about(self) -> dict[str, Any]:
        """Read the discovery document; Turned when it is not the issuer's, or names addresses that are not safe."""
        if time.monotonic() - self._about_at < FRESH_SECONDS:
            return self._about
        issuer = self._settings.oidc_issuer
        found = await _ask("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        if found.get("issuer") != issuer or not all(is_safe(str(found.get(name, ""))) for name in needed):
            raise Turned(Refusal.ANSWER)
        self._about, self._about_at = found, time.monotonic()
        return found

    async def exchange(self, code: str, verifier: str, back: str) -> str:
        """Give the code back for the token that names who signed in."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "code_verifier": verifier,
            "client_id": self._settings.oidc_client_id,
        }
        secret = self._settings.oidc_secret.value
        headers: dict[str, str] = {}
        if secret:  # both encoded as in a form first (RFC 6749, 2.3.1)
            pair = quote(self._settings.oidc_client_id, safe=""), quote(secret, safe="")
            headers[hdrs.AUTHORIZATION] = aiohttp.encode_basic_auth(*pair)
        answer = await _ask("POST", str((await self.about())["token_endpoint"]), form, headers)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise Turned(Refusal.ANSWER)
        return token

    async def claims(self, token: str) -> dict[str, Any]:
        """Read the claims of a token whose signature is the provider's; Turned otherwise."""
        keys = await self._known_keys()
        try:
            return dict(jwt.decode(token, keys, algorithms=list(ALGORITHMS)).claims)
        except (JoseError, ValueError):
            if time.monotonic() - self._keys_at < AGAIN_SECONDS:
                raise Turned(Refusal.SIGNATURE) from None
        self._keys = None  # the provider may have changed its keys since
        try:
            return dict(jwt.decode(token, await self._known_keys(), algorithms=list(ALGORITHMS)).claims)
        except (JoseError, ValueError):
            raise Turned(Refusal.SIGNATURE) from None

    async def _known_keys(self) -> KeySet:
        if self._keys is None:
            found: Any = await _ask("GET", str((await self.about())["jwks_uri"]))
            try:
                self._keys = KeySet.import_key_set(found)
            except (JoseError, ValueError, KeyError, TypeError):
                raise Turned(Refusal.ANSWER) from None
            self._keys_at = time.monotonic()
        return self._keys


PROVIDER = web.AppKey("provider", Provider)


async def _ask(
    method: str,
    url: str,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Ask the provider for an object; it is not followed elsewhere."""
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.request(method, url, data=form, headers=headers, allow_redirects=False) as response,
        ):
            if response.status != web.HTTPOk.status_code:
                raise Turned(Refusal.ANSWER)
            body = await response.content.read(MOST_BYTES)
    except (aiohttp.ClientError, TimeoutError):
        raise Turned(Refusal.UNREACHABLE) from None
    return _object_of(body)


def _object_of(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        raise Turned(Refusal.ANSWER) from None
    if not isinstance(found, dict):
        raise Turned(Refusal.ANSWER)
    return found


def _provider_of(request: web.Request) -> Provider:
    if not request.app[GATE].settings.oidc_issuer:
        raise web.HTTPNotFound
    return request.app[PROVIDER]


def _back(request: web.Request) -> str:
    return f"{request.app[SETTINGS].public_url.rstrip('/')}/sign-in/oidc/return"


async def leave(request: web.Request) -> web.Response:
    """Lead to the provider's page, with what proves later that this browser left."""
    provider, settings = _provider_of(request), request.app[GATE].settings
    try:
        about = await provider.about()
    except Turned as turned:
        raise _refused(turned.reason) from turned
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    goal = URL(str(about["authorization_endpoint"])).update_query(
        response_type="code",
        client_id=settings.oidc_client_id,
        redirect_uri=_back(request),
        scope=SCOPE,
        state=state,
        nonce=nonce,
        code_challenge=challenge,
        code_challenge_method="S256",
    )
    redirect = web.HTTPSeeOther(goal)
    detail = {
        "state": state,
        "nonce": nonce,
        "verifier": verifier,
        "goal": local_path(request.query.get("next", "/")),
    }
    await begin_step(request, redirect, STEP, None, detail)
    raise redirect


async def come_back(request: web.Request) -> web.Response:
    """Take the code that the provider gave, and sign in the account that its token names."""
    provider, settings = _provider_of(request), request.app[GATE].settings
    try:
        step = await step_of(request, STEP)
    except web.HTTPSeeOther:
        raise _refused(Refusal.STATE) from None
    kept = step.detail
    if not secrets.compare_digest(request.query.get("state", "").encode(), kept["state"].encode()):
        raise _refused(Refusal.STATE)
    await finish_step(request)
    if "error" in request.query or not request.query.get("code"):
        raise _refused(Refusal.DENIED)
    try:
        token = await provider.exchange(request.query["code"][:4096], kept["verifier"], _back(request))
        claims = await provider.claims(token)
    except Turned as turned:
        raise _refused(turned.reason) from turned
    issuer, client = settings.oidc_issuer, settings.oidc_client_id
    if (reason := judge(claims, issuer, client, kept["nonce"], time.time())) is not None:
        raise _refused(reason)
    login = login_in(claims, settings.oidc_login_claim)
    user = None if login is None else await store_of(request).sign_ins.find_login(login)
    if user is None:
        raise _refused(Refusal.LOGIN)
    return await go_on(request, user, Way.OIDC, kept["goal"], proved=proved_twice(claims))


def _refused(reason: Refusal) -> Refused:
    """Tell that it did not work; why is in the log and the metric, which name nobody."""
    SIGN_INS.labels(f"oidc_{reason.value}").inc()
    log.info("oidc_refused", reason=reason.value)
    if reason is Refusal.UNREACHABLE:
        return Refused(Problem(503, "oidc_away"))
    if reason is Refusal.LOGIN:
        return Refused(Problem(403, "oidc_login"))
    return Refused(Problem(403, "oidc"))
