"""Pages of what rules the platform: areas, duties, policies, the roster; new files are shown with what they would change.

Duties and policies are files (docs/how-to/change-duties-and-policies.md): the page proves a new one and tells what it
changes; rolling it out stays with whoever runs the platform, so that a file under version control is what is in force.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from aiohttp import web

from config.candidates import Key, read_candidate
from config.data import FILES, Data
from config.ownership import Claim, prove
from dashboards.admin import administrator, show, told
from dashboards.api import form_of
from dashboards.keys import DATA, store_of
from domain.areas import covers
from domain.decode import convert
from domain.errors import Fault, InvalidInput
from domain.registry import Area
from responders.accounts import DECIDES, Preview
from responders.area_changes import preview_area
from responders.rollouts import compare_duties, compare_policies, describe_duty, describe_policy, unstaffed
from responders.views import Viewer

AHEAD = timedelta(days=30)
MOST_AREAS = 300
"""Areas shown at once; a county has about 800, and the search finds the others."""


async def _areas(request: web.Request, viewer: Viewer) -> dict[str, Area]:
    """Read the areas by code: the viewer's and those above it."""
    found = await store_of(request).areas()
    return {one.code: one for one in found if covers(viewer.area, one.code) or covers(one.code, viewer.area)}


async def show_areas(request: web.Request) -> web.Response:
    """List areas, and offer to add or rename one."""
    return await _areas_page(request, {"code": "", "name": "", "name_en": ""})


async def change_area(request: web.Request) -> web.Response:
    """Show what an area means for others, and on confirmation put it down."""
    viewer, form = administrator(request), await form_of(request)
    values = {name: form.get(name, "").strip() for name in ("code", "name", "name_en")}
    known = await _areas(request, viewer)
    try:
        area = _area_of(values, known)
    except InvalidInput as error:
        return await _areas_page(request, values, faults=error.faults, status=400)
    accounts = await store_of(request).administration.accounts(viewer)
    cases = await store_of(request).administration.cases_by_place(viewer)
    planned = preview_area(
        area,
        known,
        request.app[DATA],
        [one.display for one in accounts if not one.disabled and covers(one.area, area.code)],
        sum(count for (_, place), count in cases.items() if covers(area.code, place)),
        viewer.area,
    )
    if planned.faults or planned.same or form.get("step") != "confirm":
        status = 409 if planned.faults else 200
        return await _areas_page(request, values, planned=planned, faults=planned.faults, status=status)
    await store_of(request).administration.put_areas(viewer, [area], UUID(form["key"]))
    raise web.HTTPSeeOther(f"/admin/areas?text={area.code}&done=area")


def _area_of(values: dict[str, str], known: dict[str, Area]) -> Area:
    """Make the area as wished; what the form does not name stays as it is."""
    before = known.get(values["code"])
    kept = {name: getattr(before, name) for name in Area.__struct_fields__} if before else {}
    if not values["name"]:
        raise InvalidInput([Fault("name", "没有填写。 is missing")])
    return convert(Area, {**kept, **values})


async def _areas_page(
    request: web.Request,
    values: dict[str, str],
    *,
    planned: Preview | None = None,
    faults: tuple[Fault, ...] = (),
    status: int = 200,
) -> web.Response:
    viewer = administrator(request)
    text = request.query.get("text", "").strip()[:40]
    found = [
        one
        for one in (await _areas(request, viewer)).values()
        if covers(viewer.area, one.code)
        and (one.code.startswith(text) or text.lower() in f"{one.name} {one.name_en}".lower())
    ]
    return show(
        request,
        "admin_areas.html",
        status=status,
        areas=found[:MOST_AREAS],
        total=len(found),
        text=text,
        values=values,
        planned=planned,
        effects=[] if planned is None else [told(request, effect) for effect in planned.effects],
        faults=faults,
    )


async def show_duties(request: web.Request) -> web.Response:
    """Show the duties in force, and the proof that each category has one owner in each area."""
    return await _duties_page(request)


async def try_duties(request: web.Request) -> web.Response:
    """Show what a new file of duties would change, or every fault of it."""
    viewer, (text, after, faults) = administrator(request), await _candidate(request, "duty")
    if after is None:
        return await _duties_page(request, text=text, faults=faults, status=400)
    names = {code: area.name for code, area in (await _areas(request, viewer)).items()}
    cases = await store_of(request).administration.cases_by_place(viewer)
    changes = compare_duties(request.app[DATA], after, names, cases)
    return await _duties_page(request, text=text, changes=changes)


async def _duties_page(request: web.Request, *, status: int = 200, **values: Any) -> web.Response:
    viewer, data = administrator(request), request.app[DATA]
    areas = await _areas(request, viewer)
    accounts = await store_of(request).administration.accounts(viewer)
    desks = frozenset((one.area, one.post) for one in accounts if not one.disabled and one.role in DECIDES)
    own = [code for code in areas if covers(viewer.area, code)]
    claims = [Claim(category=duty.category, area=duty.area) for duty in data.duties]
    proofs = list(prove(claims, tuple(data.categories), own))
    rows = [(duty, describe_duty(duty)) for duty in data.duties]
    return show(
        request,
        "admin_duties.html",
        status=status,
        rows=rows,
        areas=areas,
        categories=data.categories,
        proved=len(proofs),
        gaps=[proof for proof in proofs if proof.gaps or proof.overlaps],
        unstaffed=unstaffed(data, own, desks),
        file=FILES["duty"],
        **{"text": "", "changes": None, "faults": (), **values},
    )


async def show_policies(request: web.Request) -> web.Response:
    """Show how cases climb."""
    return _policies_page(request)


async def try_policies(request: web.Request) -> web.Response:
    """Show what a new file of policies would change, or every fault of it."""
    viewer, (text, after, faults) = administrator(request), await _candidate(request, "policy")
    if after is None:
        return _policies_page(request, text=text, faults=faults, status=400)
    cases = await store_of(request).administration.cases_by_policy(viewer)
    return _policies_page(request, text=text, changes=compare_policies(request.app[DATA], after, cases))


def _policies_page(request: web.Request, *, status: int = 200, **values: Any) -> web.Response:
    administrator(request)
    data = request.app[DATA]
    rows = [(policy, describe_policy(policy)) for policy in data.policies]
    return show(
        request,
        "admin_policies.html",
        status=status,
        rows=rows,
        categories=data.categories,
        file=FILES["policy"],
        **{"text": "", "changes": None, "faults": (), **values},
    )


async def _candidate(request: web.Request, key: Key) -> tuple[str, Data | None, tuple[Fault, ...]]:
    """Read the file that was sent, or the text that was pasted; answers it with the data, or with every fault."""
    viewer, form = administrator(request), await request.post()
    sent = form.get("file")
    try:
        if isinstance(sent, web.FileField) and sent.filename:
            text = sent.file.read().decode("utf-8-sig")
        else:
            text = str(form.get("text", ""))
    except UnicodeDecodeError:
        return "", None, (Fault(FILES[key], "须为 UTF-8 编码。 is not UTF-8"),)
    own = [code for code in await _areas(request, viewer) if covers(viewer.area, code)]
    try:
        return text, read_candidate(key, text, request.app[DATA], own), ()
    except InvalidInput as error:
        return text, None, error.faults


async def show_roster(request: web.Request) -> web.Response:
    """Show the rules of desks, and where nobody will be on duty."""
    viewer, store = administrator(request), store_of(request)
    now = (await store.clock()).now()
    gaps = await store.roster.gaps(now, now + AHEAD, viewer.area)
    areas = await _areas(request, viewer)
    return show(
        request,
        "admin_roster.html",
        rules=request.app[DATA].desks,
        gaps=[(desk, gap) for desk, times in gaps.items() for gap in times],
        areas=areas,
        days=AHEAD.days,
    )
