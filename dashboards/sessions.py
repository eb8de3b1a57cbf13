"""Sign-in, sign-out and who is asking: server-side sessions behind a random token of which only the hash is stored."""

import math
from urllib.parse import urlsplit

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from yarl import URL

from dashboards.cap import is_machine
from dashboards.events import HUB
from dashboards.gate import GATE, PASSWORDS, begin_attempt, cookie_name, digest_of, go_on
from dashboards.keys import LANGUAGE, SESSION, SETTINGS, VIEWER, store_of
from dashboards.metrics import SIGN_INS
from dashboards.problems import Problem, Refused, wants_page
from dashboards.render import page
from dashboards.security import SIGNED_PATHS
from dashboards.texts import say
from dashboards.tokens import holder_of, token_of
from responders.sign_in import Way, of_login

log = structlog.get_logger()


OPEN_PATHS = ("/sign-in", "/healthz", "/metrics", "/static/", "/texts/", "/field/app/", *SIGNED_PATHS)
"""What can be had without signing in."""


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
    if (shown := token_of(request)) is not None:
        request[VIEWER] = (await holder_of(request, shown)).viewer
        request[SESSION] = digest_of(shown)
        return await handler(request)
    store = store_of(request)
    viewer = await store.sign_ins.session(digest_of(token)) if token else None
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
    return _form(request, goal=local_path(request.query.get("next", "/")))


def _form(
    request: web.Request, *, goal: str, status: int = 200, fault: str = "", login: str = ""
) -> web.Response:
    gate = request.app[GATE]
    named = gate.settings.oidc_name if gate.settings.oidc_issuer else None
    return page(request, "sign_in.html", status=status, fault=fault, login=login, next=goal, provider=named)


async def sign_in(request: web.Request) -> web.Response:
    """Check login and password; then comes what is still asked for, or a session under a new token."""
    form = await request.post()
    login, password, wish = (str(form.get(name, ""))[:1000] for name in ("login", "password", "next"))
    login, goal = login.strip()[:80], local_path(wish or "/")
    store, tell = store_of(request), say(request[LANGUAGE])
    if wait := await begin_attempt(request, login):
        fault = tell("sign_in.too_many", minutes=math.ceil(wait / 60))
        answer = _form(request, goal=goal, status=429, fault=fault, login=login)
        answer.headers["Retry-After"] = str(math.ceil(wait))
        return answer
    user = await store.credentials(login)
    if (
        not await request.app[PASSWORDS].verify(user.password_hash if user else None, password)
        or user is None
    ):
        SIGN_INS.labels("wrong").inc()
        log.info("sign_in_refused")
        return _form(request, goal=goal, status=401, fault=tell("sign_in.wrong"), login=login)
    await store.sign_ins.forgive(of_login(login, request.remote or ""))
    return await go_on(request, user.id, Way.PASSWORD, goal)


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
