"""Pages and API of drills and reviews (演练、复盘): whole documents from the server, without a script, ready for print."""

from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from aiohttp import web
from markupsafe import Markup
from msgspec import Struct

from dashboards.api import Nothing, body_of, form_of, incident_of, reply, request_id_of, uuid_in
from dashboards.keys import DATA, LANGUAGE, VIEWER, store_of
from dashboards.render import environment, page
from dashboards.texts import Language, catalogue, say
from domain.areas import AreaLevel, county_of
from domain.decode import convert
from domain.errors import Fault, InvalidInput
from domain.identity import derived_id
from domain.incidents import IncidentState
from domain.inputs import AwareTime
from responders.drills import SHANGHAI
from responders.lessons import NewNote, NoteKind
from responders.review import CaseReview, Kept
from responders.store.reviews import DrillReview
from responders.views import Entry, Role
from responders.words import POST

STYLES = ("console.css", "review.css")
SIGNS = {Kept.MET: "✓", Kept.LATE: "△", Kept.MISSED: "✕", Kept.OPEN: "…", Kept.MEASURED: "·", Kept.NONE: "–"}
"""Beside the word, so that colour never stands alone."""


class DrillWish(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A drill to begin: a scenario, a county, where its letters lie, and county time if not now."""

    scenario: str
    county: str
    places: dict[str, str] = {}
    at: AwareTime | None = None


def words_for(language: Language) -> dict[str, Any]:
    """Make what templates of reviews need besides the catalogue: times, durations, and texts by language."""
    zh = language is Language.ZH
    tell = say(language)

    def pick(one: Any, name: str) -> str:
        """Take a field that is there in both languages."""
        text: str = getattr(one, f"{name}_{language.value}" if name else language.value)
        return text

    def told(entry: Entry) -> str:
        """Say in the reader's language what kind of line it is; the line itself is Chinese, for the record."""
        if entry.kind == "moved":
            return tell("entry.moved", state=tell(f"state.{entry.detail['to']}"))
        if entry.kind == "decided":
            return tell("act.decided", verdict=tell(f"verdict.{entry.detail['verdict']}"))
        english = entry.detail.get("en")
        return str(english) if english else catalogue()[language].get(f"entry.{entry.kind}", entry.kind)

    return {
        "told": told,
        "full": lambda at: _local(at, "%Y-%m-%d %H:%M"),
        "short": lambda at: _local(at, "%m-%d %H:%M"),
        "clock": lambda at: _local(at, "%H:%M"),
        "minutes": lambda value: "–" if value is None else tell("review.minutes", n=f"{value:.0f}"),
        "took": lambda one: tell("review.minutes", n=f"{(one.at - one.since).total_seconds() / 60:.0f}"),
        "pick": pick,
        "zh": zh,
        "sign": SIGNS,
        "posts": POST if zh else {post: post or "duty desk" for post in POST},
    }


def _local(at: datetime, form: str) -> str:
    return at.astimezone(SHANGHAI).strftime(form)


def _page(request: web.Request, template: str, **values: Any) -> web.Response:
    """Answer with a page of reviews; `key` makes a form that is sent twice count once."""
    more = words_for(request[LANGUAGE])
    return page(request, template, viewer=request[VIEWER], key=uuid4(), script="", **more, **values)


async def show_drills_page(request: web.Request) -> web.Response:
    """List drills, and let commanders begin one."""
    viewer = request[VIEWER]
    rows = await store_of(request).reviews.drills(viewer)
    scenarios = list(request.app[DATA].drills.values())
    county = county_of(viewer.area) if len(viewer.area) >= AreaLevel.COUNTY else ""
    may = viewer.role is Role.COMMANDER
    return _page(request, "drills.html", drills=rows, scenarios=scenarios, county=county, may=may)


async def show_drill_page(request: web.Request) -> web.Response:
    """Show one drill with its review."""
    found = await store_of(request).reviews.drill(uuid_in(request, "drill"), request[VIEWER])
    may = request[VIEWER].role is Role.COMMANDER
    return _page(request, "drill.html", review=found, may=may, case_names=_case_names(found))


async def show_review_page(request: web.Request) -> web.Response:
    """Show the review of one case, a drill's or a real one."""
    incident, store = incident_of(request), store_of(request)
    found = await store.reviews.case(incident, request[VIEWER])
    drill = await store.reviews.drill_of(incident) if found.row.drill else None
    may = request[VIEWER].role in (Role.OFFICER, Role.COMMANDER)
    place = found.row.place[: AreaLevel.TOWNSHIP]
    return _page(
        request, "review.html", case=found, drill=drill, may=may, place=place, closed=IncidentState.CLOSED
    )


def _case_names(found: DrillReview) -> dict[str, str]:
    """Say after an alert's name in the scenario which case it became."""
    return {alert: title.removeprefix("【演练】") for alert, title in found.alerts.items()}


async def start_from_page(request: web.Request) -> web.Response:
    """Begin a drill by the page's form, and show it."""
    form = await form_of(request)
    wish = convert(DrillWish, {name: form.get(name, "") for name in ("scenario", "county")})
    drill = await _start(request, wish, form["key"])
    raise web.HTTPSeeOther(f"/drills/{drill}")


async def stop_from_page(request: web.Request) -> web.Response:
    """Stop a drill by the page's form."""
    await form_of(request)
    drill = uuid_in(request, "drill")
    await store_of(request).drills.stop(drill, request[VIEWER])
    raise web.HTTPSeeOther(f"/drills/{drill}")


async def note_from_page(request: web.Request) -> web.Response:
    """Add a note by the page's form, and show the review anew."""
    incident, form = incident_of(request), await form_of(request)
    wish = {name: form[name] for name in ("kind", "text", "area", "post", "due") if form.get(name)}
    if form.get("settles"):
        wish["settles"] = form["settles"]
    note = convert(NewNote, {"text": "", **wish}, lenient=True)
    if note.kind is not NoteKind.POINT:
        note = NewNote(kind=note.kind, text=note.text, settles=note.settles)
    await store_of(request).reviews.note(request[VIEWER], incident, note, UUID(form["key"]))
    raise web.HTTPSeeOther(f"/incidents/{incident}/review#points")


async def finish_from_page(request: web.Request) -> web.Response:
    """Say that a closed case is reviewed (复盘完成)."""
    incident, form = incident_of(request), await form_of(request)
    reviewed, note = IncidentState.REVIEWED, form.get("note", "")[:2000]
    await store_of(request).move(request[VIEWER], incident, reviewed, note, UUID(form["key"]))
    raise web.HTTPSeeOther(f"/incidents/{incident}/review")


async def _start(request: web.Request, wish: DrillWish, key: str) -> UUID:
    scenario = request.app[DATA].drills.get(wish.scenario)
    if scenario is None:
        raise InvalidInput([Fault("scenario", "没有这个脚本。 There is no such scenario.")])
    drill = derived_id("drill", key)
    arguments = (drill, scenario, wish.county, wish.places, wish.at, request[VIEWER])
    return (await store_of(request).drills.start(*arguments)).id


# The API ------------------------------------------------------------------------------------------------------------


async def list_drills(request: web.Request) -> web.Response:
    """List drills, and the scenarios that there are."""
    rows = await store_of(request).reviews.drills(request[VIEWER])
    return reply({"drills": rows, "scenarios": list(request.app[DATA].drills.values())})


async def show_drill(request: web.Request) -> web.Response:
    """Show the review of a drill."""
    return reply(
        {"review": await store_of(request).reviews.drill(uuid_in(request, "drill"), request[VIEWER])}
    )


async def start(request: web.Request) -> web.Response:
    """Begin a drill; for commanders."""
    wish, key = await body_of(DrillWish, request), request_id_of(request)
    return reply({"drill": await _start(request, wish, str(key))}, 201)


async def stop(request: web.Request) -> web.Response:
    """Stop a drill; for commanders."""
    await body_of(Nothing, request)
    return reply({"closed": await store_of(request).drills.stop(uuid_in(request, "drill"), request[VIEWER])})


async def show_review(request: web.Request) -> web.Response:
    """Show the review of a case."""
    return reply({"review": await store_of(request).reviews.case(incident_of(request), request[VIEWER])})


async def add_note(request: web.Request) -> web.Response:
    """Add a note to a case's review."""
    note, key = await body_of(NewNote, request), request_id_of(request)
    row = await store_of(request).reviews.note(request[VIEWER], incident_of(request), note, key)
    return reply({"incident": row})


def standalone(found: DrillReview | CaseReview, *, english: bool = False) -> str:
    """Write a review as one HTML file that needs nothing beside it; for printing and for the archive."""
    language = Language.EN if english else Language.ZH
    folder = Path(__file__).parent / "static"
    styles = "\n".join((folder / name).read_text(encoding="utf-8") for name in STYLES)
    template = environment().get_template("review_file.html")
    is_drill = isinstance(found, DrillReview)
    return template.render(
        t=say(language),
        lang_tag=language.tag,
        styles=Markup(f"<style>{styles}</style>"),  # noqa: S704  our own files; no page that is served has any
        review=found if is_drill else None,
        case=None if is_drill else found,
        case_names=_case_names(found) if isinstance(found, DrillReview) else {},
        may=False,
        **words_for(language),
    )
