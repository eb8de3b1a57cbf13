"""Faults as answers: problem documents (RFC 9457) for programs, pages in words for people."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

import msgspec
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from dashboards.keys import LANGUAGE, VIEWER
from dashboards.render import render
from dashboards.texts import Language, choose_language, say
from domain.errors import Conflict, FenghuoError, InvalidInput, NotAllowed, NotFound, Unavailable

log = structlog.get_logger()

RETRY_SECONDS = 5
"""When to ask again while the database is away; a page does so by itself."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong: `code` is from a closed set and names texts `problem.<code>` and `problem.<code>_detail`."""

    status: int
    code: str
    detail: str = ""
    extra: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


class Refused(FenghuoError):
    """The request was turned away."""

    def __init__(self, problem: Problem) -> None:
        """Keep the problem to be told."""
        super().__init__(problem.detail or problem.code)
        self.problem = problem


CODES = {
    400: "invalid",
    401: "signed_out",
    403: "not_allowed",
    404: "not_found",
    405: "wrong_method",
    409: "conflict",
    413: "too_large",
    415: "wrong_type",
    429: "too_many",
    503: "unavailable",
}


def problem_of(error: Exception) -> Problem:
    """Turn an error into what is told about it; whatever we did not raise on purpose is a fault of ours."""
    match error:
        case Refused():
            return error.problem
        case InvalidInput():
            faults = [{"field": fault.field, "reason": fault.reason} for fault in error.faults]
            return Problem(400, "invalid", str(error), {"faults": faults})
        case NotFound():
            return Problem(404, "not_found")
        case NotAllowed():
            return Problem(403, "not_allowed", _bilingual(error))
        case Conflict():
            return Problem(409, "conflict", _bilingual(error))
        case Unavailable():
            return Problem(503, "unavailable", headers={"Retry-After": str(RETRY_SECONDS)})
        case web.HTTPException():
            allow = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
            return Problem(error.status, CODES.get(error.status, "invalid"), headers=allow)
        case _:
            return Problem(500, "internal")


SEAM = "。 "
"""Where the store's sentences pass from Chinese to English: 您已是承办人。 You hold it already."""


def _bilingual(error: Exception) -> str:
    """Take an error's sentence if it speaks both languages; the catalogue has one otherwise."""
    return str(error) if SEAM in str(error) else ""


def in_language(sentence: str, language: Language) -> str:
    """Take one language of a sentence of the store; others stay as they are."""
    zh, seam, en = sentence.partition(SEAM)
    return sentence if not seam else f"{zh}。" if language is Language.ZH else en


def wants_page(request: web.BaseRequest) -> bool:
    """Say whether a person looks at the answer."""
    return not request.path.startswith("/api/") and "text/html" in request.headers.get("Accept", "")


def answer(request: web.Request, problem: Problem) -> web.Response:
    """Tell a problem in the language and the form that the asker wants."""
    language: Language = request.get(LANGUAGE) or choose_language(request)
    tell = say(language)
    title = tell(f"problem.{problem.code}")
    detail = in_language(problem.detail, language) or tell(f"problem.{problem.code}_detail")
    extra = dict(problem.extra)
    if isinstance(faults := extra.get("faults"), list):
        told = [{**fault, "reason": in_language(fault["reason"], language)} for fault in faults]
        extra["faults"] = told
        detail = "; ".join(f"{fault['field']}: {fault['reason']}" for fault in told)
    headers = dict(problem.headers)
    if wants_page(request):
        retry = RETRY_SECONDS if problem.status == HTTPStatus.SERVICE_UNAVAILABLE else 0
        text = render(
            request,
            "fault.html",
            signed_in=VIEWER in request,
            title=title,
            detail=detail,
            status=problem.status,
            retry_seconds=retry,
        )
        return web.Response(text=text, content_type="text/html", status=problem.status, headers=headers)
    document = {
        "type": "about:blank",
        "title": title,
        "status": problem.status,
        "detail": detail,
        "code": problem.code,
        **extra,
    }
    return web.Response(
        body=msgspec.json.encode(document),
        content_type="application/problem+json",
        status=problem.status,
        headers=headers,
    )


@web.middleware
async def tell_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every fault with its problem; redirects and answers on their way pass through."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < HTTPStatus.BAD_REQUEST:
            raise
        return answer(request, problem_of(error))
    except FenghuoError as error:
        return answer(request, problem_of(error))
    except Exception as error:  # a request's outermost place: log it, tell it, go on
        log.exception("request_failed", method=request.method, route=route_of(request))
        return answer(request, problem_of(error))


def route_of(request: web.Request) -> str:
    """Name the pattern that a request matched, so that logs and metrics hold no ids."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "unknown"
