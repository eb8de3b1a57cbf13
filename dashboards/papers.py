"""Pages of papers for print, without a script: the log of a day (值班日志) and special reports (信息专报)."""

from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from aiohttp import web
from msgspec import Struct

from dashboards.api import SHANGHAI, form_of, query_of, uuid_in
from dashboards.keys import LANGUAGE, VIEWER, store_of
from dashboards.render import page
from dashboards.texts import Language, say
from domain.decode import convert
from responders import words
from responders.papers import MOST_CHARACTERS, MOST_NOTE, MOST_TITLE, SpecialText

WEEKDAYS = "一二三四五六日"


class DayQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which log: one's own area and today where none is named."""

    area: str = ""
    day: date | None = None


class Begin(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A special report to begin: of a case, or of a theme where none is named."""

    incident: UUID | None = None


class Version(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The version that somebody saw."""

    version: int


def _page(request: web.Request, template: str, **values: Any) -> web.Response:
    """Answer with a paper; `key` makes a form that is sent twice count once."""
    tell = say(request[LANGUAGE])
    zh = request[LANGUAGE] is Language.ZH
    return page(
        request,
        template,
        viewer=request[VIEWER],
        script="papers",  # its place in the navigation; the page itself has no script
        key=uuid4(),
        full=lambda at: _local(at, "%Y-%m-%d %H:%M"),
        clock=lambda at: _local(at, "%H:%M"),
        chinese=lambda at: _chinese(at.astimezone(SHANGHAI).date()),
        channel=words.channel_name if zh else (lambda name: name),
        state=lambda name: tell(f"page_state.{name}"),
        **values,
    )


def _local(at: datetime, form: str) -> str:
    return at.astimezone(SHANGHAI).strftime(form)


def _chinese(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


async def show_day(request: web.Request) -> web.Response:
    """Show the log of a day."""
    wanted = {name: value for name, value in request.query.items() if name != "lang" and value}
    query = query_of(DayQuery, wanted)
    log = await store_of(request).papers.day(request[VIEWER], query.area, query.day)
    day = log.record.day
    weekday = f"星期{WEEKDAYS[day.weekday()]}" if request[LANGUAGE] is Language.ZH else f"{day:%A}"
    today = log.at.astimezone(SHANGHAI).date() == day
    return _page(request, "day_log.html", log=log, weekday=weekday, today=today, most=MOST_NOTE)


async def note_from_page(request: web.Request) -> web.Response:
    """Note something in today's log."""
    form = await form_of(request)
    area = form.get("area", "")
    text = form.get("text", "").replace("\r\n", "\n")
    await store_of(request).papers.note(request[VIEWER], area, text, UUID(form["key"]))
    raise web.HTTPSeeOther(f"/day-log?area={area}#notes")


async def sign_from_page(request: web.Request) -> web.Response:
    """Sign the log of a day as it stands."""
    form = await form_of(request)
    query = convert(DayQuery, {name: form.get(name, "") for name in ("area", "day")}, lenient=True)
    if query.day is None:
        raise web.HTTPNotFound
    remark = form.get("remark", "").replace("\r\n", "\n")
    await store_of(request).papers.sign(request[VIEWER], query.area, query.day, remark, UUID(form["key"]))
    raise web.HTTPSeeOther(f"/day-log?area={query.area}&day={query.day}#signed")


async def list_specials(request: web.Request) -> web.Response:
    """List special reports."""
    return _page(request, "specials.html", reports=await store_of(request).papers.specials(request[VIEWER]))


async def begin_from_page(request: web.Request) -> web.Response:
    """Begin a special report, and show it."""
    form = await form_of(request)
    wish = convert(Begin, {"incident": form["incident"]} if form.get("incident") else {})
    report = await store_of(request).papers.begin(request[VIEWER], wish.incident, UUID(form["key"]))
    raise web.HTTPSeeOther(f"/special-reports/{report}")


async def show_special(request: web.Request) -> web.Response:
    """Show a special report: the form, and beside it the paper as it is printed."""
    report = await store_of(request).papers.special(request[VIEWER], uuid_in(request, "special"))
    parts = [
        (name, [line for line in getattr(report, name).splitlines() if line.strip()])
        for name in ("situation", "measures", "next")
    ]
    most = {"title": MOST_TITLE, "text": MOST_CHARACTERS}
    return _page(request, "special.html", report=report, parts=[part for part in parts if part[1]], most=most)


async def write_from_page(request: web.Request) -> web.Response:
    """Keep a new version of a special report."""
    report, form = uuid_in(request, "special"), await form_of(request)
    text = convert(SpecialText, {name: form.get(name, "") for name in SpecialText.__struct_fields__})
    version = convert(Version, {"version": form.get("version", "")}, lenient=True).version
    await store_of(request).papers.write(request[VIEWER], report, text, version, UUID(form["key"]))
    raise web.HTTPSeeOther(f"/special-reports/{report}")


async def issue_from_page(request: web.Request) -> web.Response:
    """Issue a special report for good."""
    report, form = uuid_in(request, "special"), await form_of(request)
    version = convert(Version, {"version": form.get("version", "")}, lenient=True).version
    await store_of(request).papers.issue(request[VIEWER], report, version, UUID(form["key"]))
    raise web.HTTPSeeOther(f"/special-reports/{report}")
