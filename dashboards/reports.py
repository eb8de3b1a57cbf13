"""Reports that the law asks for (信息报告): the API, and each report as a page for print."""

from datetime import datetime
from typing import Annotated

from aiohttp import web
from msgspec import Meta, Struct

from dashboards.api import SHANGHAI, body_of, incident_of, query_of, reply, request_id_of
from dashboards.keys import RULES, VIEWER, store_of
from dashboards.render import page
from responders.dues import ReportKind
from responders.store.reports import Written
from responders.views import Viewer

Level = Annotated[str, Meta(pattern="^(county|city|province|nation)$")]
DRAFT = "draft"
"""Stands in the address where a version has its number."""


class Wish(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A report to be made: to which level, and its text; of a call (`phone`), what was said."""

    kind: ReportKind
    to: Level
    text: str
    form: Annotated[str, Meta(pattern="^(written|phone)$")] = "written"


class DraftQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """To whom a draft would go."""

    to: Level


async def show(request: web.Request) -> web.Response:
    """Show what a case owes, drafts for one's own level, and the reports that were made."""
    found = await store_of(request).reports.show(request[VIEWER], incident_of(request), request.app[RULES])
    return reply({"reports": found})


async def submit(request: web.Request) -> web.Response:
    """Make a report (报送)."""
    body, key = await body_of(Wish, request), request_id_of(request)
    made = await store_of(request).reports.submit(
        request[VIEWER],
        incident_of(request),
        Written(body.kind, body.to, body.form, body.text),
        key,
        request.app[RULES],
    )
    return reply({"report": made}, 201)


async def show_page(request: web.Request) -> web.Response:
    """Show a report as a page: a version as it was made, or what the platform would write now."""
    incident, kind = incident_of(request), _kind_of(request)
    viewer: Viewer = request[VIEWER]
    store, which = store_of(request), request.match_info["number"]
    if which == DRAFT:
        to = query_of(DraftQuery, {name: value for name, value in request.query.items() if name != "lang"}).to
        row, document = await store.reports.draft(viewer, incident, kind, to, request.app[RULES])
        text, made = document.text, None
    else:
        row, made = await store.reports.version(viewer, incident, kind, _number(which))
        text = made.text
    return page(
        request,
        "report.html",
        viewer=viewer,
        script="",
        incident=row,
        lines=text.splitlines(),
        report=made,
        full=_local,
    )


def _local(at: datetime) -> str:
    return at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


def _kind_of(request: web.Request) -> ReportKind:
    try:
        return ReportKind(request.match_info["kind"])
    except ValueError as error:
        raise web.HTTPNotFound from error


def _number(which: str) -> int:
    if not which.isascii() or not which.isdigit() or len(which) > 6:
        raise web.HTTPNotFound
    return int(which)
