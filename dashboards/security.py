"""What every answer and every request must satisfy: headers, the Origin of commands, the language, the count."""

from http import HTTPStatus
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from config.metrics import HTTP_REQUESTS
from dashboards.keys import LANGUAGE, SETTINGS
from dashboards.problems import Problem, Refused, route_of
from dashboards.texts import COOKIE, Language, choose_language, language_named
from dashboards.tokens import token_of

DIRECTIVES = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "manifest-src 'self'",
    "font-src 'self'",
    "connect-src 'self'",
    "worker-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
)
HEADERS = {
    "Content-Security-Policy": "; ".join(DIRECTIVES),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
SIGNED_PATHS = ("/a/", "/replies/", "/receipts/")
"""Where the address or a token says who asks, and no cookie: links in messages, and the services that call back."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
YEAR_SECONDS = 365 * 24 * 3600


async def set_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Put the security headers on every answer, streams included; a signal of `on_response_prepare`."""
    response.headers.update(HEADERS)
    if request.app[SETTINGS].secure_cookie:
        response.headers["Strict-Transport-Security"] = f"max-age={YEAR_SECONDS}"
    if request.path.startswith(("/static/", "/texts/")):  # the address changes with the content
        response.headers["Cache-Control"] = f"public, max-age={YEAR_SECONDS}, immutable"
    else:
        response.headers.setdefault("Cache-Control", "no-store")


@web.middleware
async def count_requests(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Count each answer by route and status."""
    status = HTTPStatus.INTERNAL_SERVER_ERROR.value
    try:
        response = await handler(request)
        status = response.status
        return response
    except web.HTTPException as error:
        status = error.status
        raise
    finally:
        HTTP_REQUESTS.labels(route_of(request), str(status)).inc()


@web.middleware
async def know_language(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Choose the language of the answer; a choice made by `?lang=` is kept in a cookie, on redirects too."""
    request[LANGUAGE] = choose_language(request)
    wish = language_named(request.query.get("lang"))
    try:
        response = await handler(request)
    except web.HTTPException as redirect:
        _keep_language(request, redirect, wish)
        raise
    if not response.prepared:
        _keep_language(request, response, wish)
    return response


def _keep_language(request: web.Request, response: web.StreamResponse, wish: Language | None) -> None:
    if wish is not None:
        response.set_cookie(
            COOKIE,
            wish.value,
            max_age=YEAR_SECONDS,
            samesite="Lax",
            secure=request.app[SETTINGS].secure_cookie,
        )


@web.middleware
async def check_origin(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let commands in only from our own pages: a browser always states the Origin of a POST.

    A program that sends commands must state it too. Behind a proxy that rewrites Host, `console.public_url` tells what
    browsers see.
    """
    own = is_own_origin(
        request.headers.get("Origin", ""), request.headers.get("Host", ""), request.app[SETTINGS].public_url
    )
    if (
        token_of(request) is not None
    ):  # no page of another origin can send one without our leave, which we never give
        return await handler(request)
    if request.method not in SAFE_METHODS and not own and not request.path.startswith(SIGNED_PATHS):
        raise Refused(Problem(403, "foreign_origin"))
    return await handler(request)


def is_own_origin(origin: str, host: str, public_url: str) -> bool:
    """Say whether a stated origin is ours. Without a public address the host must agree; the scheme may be a proxy's."""
    stated = urlsplit(origin)
    if stated.scheme not in ("http", "https") or not stated.netloc:
        return False
    if public_url:
        public = urlsplit(public_url)
        return (stated.scheme, stated.netloc) == (public.scheme, public.netloc)
    return bool(host) and stated.netloc.lower() == host.lower()
