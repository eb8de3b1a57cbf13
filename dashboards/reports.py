"""Reports that the law asks for (信息报告): the API, and each report as a page for print."""

import re
from datetime import datetime
from typing import Annotated
from uuid import UUID, uuid4

from aiohttp import web
from msgspec import Meta, Struct

from dashboards.api import SHANGHAI, body_of, incident_of, query_of, reply, request_id_of
from dashboards.keys import RULES, VIEWER, store_of
from dashboards.render import page
from domain.decode import convert
from domain.errors import Fault, InvalidInput
from responders.dues import ReportKind
from responders.store.reports import MOST_CHARACTERS, Written
from responders.views import ReportRow, Role, Viewer
from responders.words import DRILL

Level = Annotated[str, Meta(pattern="^(county|city|province|nation)$")]
DATE = re.compile(r"\d{4}年\d{1,2}月\d{1,2}日")
DRAFT = "draft"
"""Stands in the address where a version has its number."""


class ReportWish(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
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
    body, key = await body_of(ReportWish, request), request_id_of(request)
    return reply({"report": await _submit(request, incident_of(request), body, key)}, 201)


async def show_page(request: web.Request) -> web.Response:
    """Show a report as a page: a version as it was made, or what the platform would write now."""
    incident, kind = incident_of(request), _kind_of(request)
    viewer: Viewer = request[VIEWER]
    store, which, wish = store_of(request), request.match_info["number"], None
    if which == DRAFT:
        to = query_of(DraftQuery, {name: value for name, value in request.query.items() if name != "lang"}).to
        row, document = await store.reports.draft(viewer, incident, kind, to, request.app[RULES])
        text, made = document.text, None
        if viewer.role in (Role.OFFICER, Role.COMMANDER):
            wish = {"key": uuid4(), "kind": kind.value, "to": to}
    else:
        row, made = await store.reports.version(viewer, incident, kind, _number(which))
        text = made.text
    return page(
        request,
        "report.html",
        viewer=viewer,
        script="incident.js",  # its place in the navigation; the page itself has no script
        incident=row,
        lines=laid_out(text),
        text=text,
        report=made,
        wish=wish,
        most=MOST_CHARACTERS,
        full=_local,
    )


async def submit_from_page(request: web.Request) -> web.Response:
    """Make a report by the page's form, and show it as it was made; `key` makes a form that is sent twice count once."""
    incident = incident_of(request)
    form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    try:
        key = UUID(form.pop("key", ""))
    except ValueError as error:
        raise InvalidInput([Fault("key", "must be the one that the page gave")]) from error
    form["text"] = form.get("text", "").replace("\r\n", "\n")  # browsers send lines so
    made = await _submit(request, incident, convert(ReportWish, form), key)
    raise web.HTTPSeeOther(f"/incidents/{incident}/reports/{made.kind}/{made.number}")


async def _submit(request: web.Request, incident: UUID, wish: ReportWish, key: UUID) -> ReportRow:
    written = Written(wish.kind, wish.to, wish.form, wish.text)
    return await store_of(request).reports.submit(request[VIEWER], incident, written, key, request.app[RULES])


def laid_out(text: str) -> list[tuple[str, str]]:
    """Say of each line of a report what part of a letter it is; one that is laid out in another way is set as it is."""
    lines = text.splitlines() or [""]
    parts = [""] * len(lines)
    parts[0] = "heading"
    for number, line in enumerate(lines[1:6], start=1):
        if number == 1 and line.startswith("（"):
            parts[number] = "centre"
        elif line.startswith(("关于", f"{DRILL}关于")):
            parts[number] = "title"
    if len(lines) > 2 and DATE.fullmatch(lines[-1]):
        parts[-2:] = ["sign", "sign"]
    return list(zip(parts, lines, strict=True))


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
