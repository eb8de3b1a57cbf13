"""Sign-in, sign-out and who is asking: server-side sessions behind a random token of which only the hash is stored."""

import hashlib
import math
import secrets
from urllib.parse import urlsplit

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from yarl import URL

from dashboards.attempts import Attempts
from dashboards.cap import is_machine
from dashboards.events import HUB
from dashboards.keys import LANGUAGE, SESSION, SETTINGS, VIEWER, store_of
from dashboards.metrics import SIGN_INS
from dashboards.passwords import Passwords
from dashboards.problems import Problem, Refused, wants_page
from dashboards.render import page
from dashboards.security import SIGNED_PATHS
from dashboards.texts import say

log = structlog.get_logger()

TOKEN_BYTES = 32
ATTEMPTS = web.AppKey("attempts", Attempts)
PASSWORDS = web.AppKey("passwords", Passwords)

OPEN_PATHS = ("/sign-in", "/healthz", "/metrics", "/static/", "/texts/", *SIGNED_PATHS)
"""What can be had without signing in."""


def cookie_name(*, secure: bool) -> str:
    """Name the session's cookie; under HTTPS the prefix makes browsers refuse one that another host has set."""
    return "__Host-fenghuo_session" if secure else "fenghuo_session"


def digest_of(token: str) -> str:
    """Hash a token as it is stored."""
    return hashlib.sha256(token.encode()).hexdigest()


def local_path(wish: str) -> str:
    """Allow only addresses of our own as the goal after signing in; anything else leads to the queue."""
    parts = urlsplit(wish)
    if (
        parts.scheme
        or parts.netloc
        or not wish.startswith("/")
        or wish.startswith(("//", "/\\"))
        or "\n" in wish
    ):
        return "/"
    return wish


@web.middleware
async def know_viewer(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Find who is asking by the session's cookie; without one, people are led to the sign-in and programs get 401."""
    secure = request.app[SETTINGS].secure_cookie
    token = request.cookies.get(cookie_name(secure=secure), "")
    if request.path.startswith(OPEN_PATHS) or is_machine(request):
        return await handler(request)
    store = store_of(request)
    viewer = await store.session(digest_of(token)) if token else None
    if viewer is None:
        if wants_page(request) and request.method == "GET":
            raise web.HTTPSeeOther(str(URL("/sign-in").with_query(next=request.path_qs)))
        raise Refused(Problem(401, "signed_out"))
    request[VIEWER] = viewer
    request[SESSION] = digest_of(token)
    return await handler(request)


async def show_sign_in(request: web.Request) -> web.Response:
    """Show the form; DatabaseUnavailable before somebody types a password in vain."""
    await store_of(request).ping()
    return page(request, "sign_in.html", fault="", login="", next=local_path(request.query.get("next", "/")))


async def sign_in(request: web.Request) -> web.Response:
    """Check login and password and begin a session under a new token."""
    form = await request.post()
    login, password, wish = (str(form.get(name, ""))[:1000] for name in ("login", "password", "next"))
    login = login.strip()[:80]
    tell = say(request[LANGUAGE])
    attempts, address = request.app[ATTEMPTS], request.remote or ""

    def refuse(status: int, fault: str) -> web.Response:
        return page(
            request, "sign_in.html", status=status, fault=fault, login=login, next=local_path(wish or "/")
        )

    store = store_of(request)
    wait_seconds = attempts.begin(login, address)
    if wait_seconds:
        SIGN_INS.labels("limited").inc()
        answer = refuse(429, tell("sign_in.too_many", minutes=math.ceil(wait_seconds / 60)))
        answer.headers["Retry-After"] = str(math.ceil(wait_seconds))
        return answer
    user = await store.credentials(login)
    if (
        not await request.app[PASSWORDS].verify(user.password_hash if user else None, password)
        or user is None
    ):
        SIGN_INS.labels("wrong").inc()
        log.info("sign_in_refused")
        return refuse(401, tell("sign_in.wrong"))
    attempts.forgive(login, address)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    settings = request.app[SETTINGS]
    seconds = settings.session_hours * 3600
    await store.create_session(user.id, digest_of(token), seconds)
    SIGN_INS.labels("right").inc()
    goal = web.HTTPSeeOther(local_path(wish or "/"))
    goal.set_cookie(
        cookie_name(secure=settings.secure_cookie),
        token,
        max_age=int(seconds),
        path="/",
        httponly=True,
        samesite="Lax",
        secure=settings.secure_cookie,
    )
    raise goal


async def sign_out(request: web.Request) -> web.Response:
    """End the session here and in the database."""
    await store_of(request).end_session(request[SESSION])
    request.app[HUB].end_streams(request[SESSION])
    settings = request.app[SETTINGS]
    goal = web.HTTPSeeOther("/sign-in")
    goal.del_cookie(
        cookie_name(secure=settings.secure_cookie),
        path="/",
        httponly=True,
        samesite="Lax",
        secure=settings.secure_cookie,
    )
    raise goal
