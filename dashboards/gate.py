"""The gate: what a sign-in goes through after its first proof, step by step, until a session begins under a new token."""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

import structlog
from aiohttp import web

from config.settings import ConsoleSettings, Settings, SignInSettings
from dashboards.keys import SETTINGS, store_of
from dashboards.metrics import SIGN_INS
from dashboards.passwords import Passwords
from responders.factors import FactorKeys, read_factor_keys
from responders.sign_in import WINDOW_SECONDS, Need, Way, attempt_limits, limits_of, need
from responders.store.sign_ins import STEP_SECONDS, Step

log = structlog.get_logger()

TOKEN_BYTES = 32
PAGES = {Need.CODE: "/sign-in/code", Need.PASSWORD: "/sign-in/password", Need.ENROL: "/sign-in/enrol"}
BROWSERS = ("Edg", "Firefox", "Chrome", "Safari")
SYSTEMS = ("Windows", "Android", "iPhone", "iPad", "Mac OS", "Linux")


@dataclass(frozen=True, slots=True)
class Gate:
    """What signing in needs of the settings; without keys there are no authenticators."""

    console: ConsoleSettings
    settings: SignInSettings
    keys: FactorKeys | None

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Read them; InvalidConfiguration when the contact key is not usable."""
        return cls(settings.console, settings.sign_in, read_factor_keys(settings.contact_key))


GATE = web.AppKey("gate", Gate)
PASSWORDS = web.AppKey("passwords", Passwords)


def cookie_name(*, secure: bool) -> str:
    """Name the session's cookie; under HTTPS the prefix makes browsers refuse one that another host has set."""
    return "__Host-fenghuo_session" if secure else "fenghuo_session"


def step_cookie_name(*, secure: bool) -> str:
    """Name the cookie of a sign-in that is half done."""
    return "__Host-fenghuo_step" if secure else "fenghuo_step"


def digest_of(token: str) -> str:
    """Hash a token as it is stored."""
    return hashlib.sha256(token.encode()).hexdigest()


async def begin_attempt(request: web.Request, login: str) -> float:
    """Count an attempt to sign in; answers the seconds to wait when there were too many."""
    limits = attempt_limits(login, request.remote or "")
    wait = await store_of(request).sign_ins.begin_attempt(limits, WINDOW_SECONDS)
    if wait:
        SIGN_INS.labels("limited").inc()
    return wait


async def go_on(
    request: web.Request, user: UUID, way: Way, goal: str, *, proved: bool = False
) -> web.Response:
    """Lead to what is still asked for, or begin a session and lead to the goal. Raises the redirect."""
    gate, store = request.app[GATE], store_of(request)
    facts = await store.sign_ins.facts(user)
    if facts is None:
        raise web.HTTPSeeOther("/sign-in")
    required = gate.settings.second_factor
    next_one = need(facts, way, required, proved=proved, can_enrol=gate.keys is not None)
    if next_one is Need.NOTHING:
        redirect = web.HTTPSeeOther(goal)
        await begin_session(request, redirect, user, way)
        raise redirect
    detail = {"way": way.value, "goal": goal, "proved": proved}
    redirect = web.HTTPSeeOther(PAGES[next_one])
    await begin_step(request, redirect, next_one.value, user, detail)
    raise redirect


async def begin_session(request: web.Request, answer: web.StreamResponse, user: UUID, way: Way) -> None:
    """Begin a session under a new token, whose cookie goes with the answer."""
    gate, store = request.app[GATE], store_of(request)
    facts = await store.sign_ins.facts(user)
    if facts is None:
        raise web.HTTPSeeOther("/sign-in")
    limits = limits_of(facts.role, gate.console, gate.settings)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    await store.sign_ins.begin_session(user, digest_of(token), limits, way, client_of(request))
    SIGN_INS.labels("right").inc()
    secure = request.app[SETTINGS].secure_cookie
    _set_cookie(answer, cookie_name(secure=secure), token, limits.seconds, secure=secure)
    _drop_cookie(answer, step_cookie_name(secure=secure), secure=secure)


async def begin_step(
    request: web.Request, answer: web.StreamResponse, kind: str, user: UUID | None, detail: dict[str, Any]
) -> None:
    """Keep a half-done sign-in behind a token, whose cookie goes with the answer."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    await store_of(request).sign_ins.begin_step(digest_of(token), kind, user, detail)
    secure = request.app[SETTINGS].secure_cookie
    _set_cookie(answer, step_cookie_name(secure=secure), token, STEP_SECONDS, secure=secure)


async def step_of(request: web.Request, kind: str) -> Step:
    """Find the half-done sign-in of a browser; one that has ended begins anew. Raises the redirect."""
    found = await store_of(request).sign_ins.step(step_token(request))
    if found is None or found.kind != kind:
        raise web.HTTPSeeOther("/sign-in")
    return found


def step_token(request: web.Request) -> str:
    """Hash the token of a browser's half-done sign-in."""
    name = step_cookie_name(secure=request.app[SETTINGS].secure_cookie)
    return digest_of(request.cookies.get(name, ""))


async def finish_step(request: web.Request) -> None:
    """End a half-done sign-in, once; who comes second begins anew. Raises the redirect."""
    if not await store_of(request).sign_ins.take_step(step_token(request)):
        raise web.HTTPSeeOther("/sign-in")


def client_of(request: web.BaseRequest) -> str:
    """Name browser and system roughly, as much as tells one's own sessions apart."""
    agent = request.headers.get("User-Agent", "")[:400]
    browser = next((name for name in BROWSERS if f"{name}/" in agent), "")
    system = next((name for name in SYSTEMS if name in agent), "")
    return " · ".join(part for part in ({"Edg": "Edge"}.get(browser, browser), system) if part)


def _set_cookie(answer: web.StreamResponse, name: str, token: str, seconds: float, *, secure: bool) -> None:
    answer.set_cookie(
        name, token, max_age=int(seconds), path="/", httponly=True, samesite="Lax", secure=secure
    )


def _drop_cookie(answer: web.StreamResponse, name: str, *, secure: bool) -> None:
    answer.del_cookie(name, path="/", httponly=True, samesite="Lax", secure=secure)
