"""Programs that show a token: who they are, what they may do; and the API by which administrators make and end tokens."""

import structlog
from aiohttp import hdrs, web

from dashboards.api import Nothing, body_of, reply, request_id_of, uuid_in
from dashboards.attempts import Attempts
from dashboards.keys import VIEWER, store_of
from dashboards.metrics import TOKEN_USES
from dashboards.problems import Problem, Refused
from domain.identity import derived_id
from responders.tokens import API, PREFIX, Holder, NewToken, Refusal, digest_of, make_token, refusal_of

log = structlog.get_logger()

SHOWERS = web.AppKey("showers", Attempts)
"""Wrong tokens, by address."""
PATHS = (API, "/cap/")
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="fenghuo", error="invalid_token"'}


def add_tokens(app: web.Application) -> None:
    """Put the count of wrong tokens into the application."""
    app[SHOWERS] = Attempts()


def token_of(request: web.BaseRequest) -> str | None:
    """Read the token that a request shows where tokens count; None for none. What is shown is judged, never passed over."""
    scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    is_ours = request.path.startswith(API) or token.strip().startswith(PREFIX)
    if scheme.lower() != "bearer" or not request.path.startswith(PATHS) or not is_ours:
        return None
    return token.strip()


async def holder_of(request: web.Request, token: str) -> Holder:
    """Find who a token stands for; Refused with 401 for one that opens nothing, 403 where its scopes end, 429 after many."""
    address = request.remote or ""
    found = await store_of(request).tokens.holder(digest_of(token))
    if isinstance(found, Refusal):
        TOKEN_USES.labels(found.value).inc()
        log.info("token_refused", reason=found.value)
        if wait := request.app[SHOWERS].begin("token", address):
            raise Refused(Problem(429, "too_many", headers={"Retry-After": str(round(wait))}))
        raise Refused(Problem(401, "signed_out", DETAILS[found], headers=CHALLENGE))
    if (refusal := refusal_of(found.scopes, request.method, request.path)) is not None:
        TOKEN_USES.labels(refusal.value).inc()
        raise Refused(Problem(403, "not_allowed", DETAILS[refusal]))
    TOKEN_USES.labels("taken").inc()
    return found


DETAILS = {
    Refusal.UNKNOWN: "没有这个令牌。 There is no such token.",
    Refusal.ENDED: "此令牌已被停用。 This token was ended.",
    Refusal.EXPIRED: "此令牌已过期。 This token has expired.",
    Refusal.ACCOUNT_DISABLED: "此令牌的账号已停用。 The account of this token is disabled.",
    Refusal.SCOPE: "此令牌没有这项权限。 This token's scopes do not allow this.",
}


async def list_tokens(request: web.Request) -> web.Response:
    """List the tokens of the viewer's area, ended ones too; for administrators."""
    return reply({"tokens": await store_of(request).tokens.tokens(request[VIEWER])})


async def add(request: web.Request) -> web.Response:
    """Make a token; it is shown in this answer and never again. The same key again answers without it."""
    wanted, key = await body_of(NewToken, request), request_id_of(request)
    token, digest = make_token()
    named = derived_id("token", str(key))
    row, is_new = await store_of(request).tokens.add(request[VIEWER], wanted, digest, named)
    return reply({"token": row, "secret": token if is_new else None}, 201)


async def end(request: web.Request) -> web.Response:
    """End a token for good."""
    await body_of(Nothing, request)
    return reply({"token": await store_of(request).tokens.end(request[VIEWER], uuid_in(request, "token"))})
