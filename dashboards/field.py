"""The field app's API: the day of a grid worker, reports and their photos; tasks are moved as everywhere (tasks.py)."""

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from aiohttp import web
from msgspec import Meta, Struct

from config.metrics import INPUTS
from config.personal import mask, protect, read_key
from config.sealing import Sealer
from config.settings import Settings
from dashboards.api import body_of, incident_of, reply, uuid_in
from dashboards.hub import clock_now
from dashboards.keys import DATA, LANGUAGE, RULES, VIEWER, store_of
from dashboards.photos import MAX_PHOTO_BYTES, clean, too_large
from dashboards.problems import Problem, Refused
from dashboards.ways import WAYS
from domain.inputs import AreaCode, Slug
from domain.levels import Feed, Level
from responders.field import UNREPORTED, Written, report_id

SEALER = web.AppKey("sealer", Sealer)
"""Seals what masking hid in a report's words; without FENGHUO_PERSONAL_KEY that is not kept."""
PHOTO_TYPE = "image/jpeg"
CHUNK_BYTES = 64 * 1024


class ReportBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A report from a phone; `id` is made there, so that sending it again changes nothing.

    `age_seconds` is how long ago it was written, by the phone's own count: its clock may be wrong.
    """

    id: UUID
    area: AreaCode
    category: Slug
    level: Level
    text: Annotated[str, Meta(max_length=2000)]
    age_seconds: Annotated[float, Meta(ge=0)] = 0.0


def add_sealer(app: web.Application, settings: Settings) -> None:
    """Put the sealer into the application, where its key is set; InvalidConfiguration when the key is none."""
    if settings.personal_key:
        app[SEALER] = read_key(settings.personal_key)


async def show_day(request: web.Request) -> web.Response:
    """Show all that the field app starts from; it keeps this for when there is no network."""
    store, viewer, data = store_of(request), request[VIEWER], request.app[DATA]
    day = await store.field.day(viewer)
    clock = await store.clock()
    push = request.app[WAYS]
    return reply(
        {
            "viewer": viewer,
            "language": request[LANGUAGE].value,
            "clock": clock_now(clock.now(), clock.factor),
            "categories": [slug for slug in data.categories if slug not in UNREPORTED],
            "push": push.push(None) is not None and push.keys is not None,
            "day": day,
        }
    )


async def report(request: web.Request) -> web.Response:
    """Take a report; the same id again is the same report, and gets the same answer."""
    body = await body_of(ReportBody, request)
    identity = report_id(body.id)
    sealer = request.app.get(SEALER)
    text, sealed = _protect(sealer, body.text, str(identity))
    taken = await store_of(request).field.report(
        request[VIEWER],
        Written(
            client_id=body.id,
            area=body.area,
            category=body.category,
            level=body.level,
            text=text,
            age=timedelta(seconds=min(body.age_seconds, 10.0**9)),
            sealed=sealed,
            masked=text != body.text,
        ),
        request.app[RULES],
    )
    INPUTS.labels("console", Feed.REPORTS).inc()
    return reply({"report": taken})


def _protect(sealer: Sealer | None, text: str, record: str) -> tuple[str, str | None]:
    """Mask a text and seal what that hid; without a key it is masked all the same, and what was hidden is gone."""
    return (mask(text), None) if sealer is None else protect(sealer, None, text, record)


async def add_photo(request: web.Request) -> web.Response:
    """Keep the photo of one's own report, named by the id that the phone made; the first one stays."""
    client_id = uuid_in(request, "report")
    if request.content_type != PHOTO_TYPE:
        raise Refused(Problem(415, "wrong_photo"))
    photo = clean(await _read_photo(request))
    identity = await store_of(request).field.add_photo(
        request[VIEWER], client_id, photo.jpeg, photo.width, photo.height
    )
    return reply({"report": identity})


async def _read_photo(request: web.Request) -> bytes:
    """Read a body of at most MAX_PHOTO_BYTES; what is larger is refused by its stated length, or as it comes."""
    size = request.content_length
    if size is not None and size > MAX_PHOTO_BYTES:
        raise _refusal(size)
    found = bytearray()
    async for chunk in request.content.iter_chunked(CHUNK_BYTES):
        found += chunk
        if len(found) > MAX_PHOTO_BYTES:
            raise _refusal(None)
    return bytes(found)


def _refusal(size: int | None) -> Refused:
    fault = too_large(size)
    faults = [{"field": fault.field, "reason": fault.reason}]
    return Refused(
        Problem(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "too_large",
            fault.reason,
            {"faults": faults},
            {"Connection": "close"},
        )
    )


async def show_photo(request: web.Request) -> web.Response:
    """Show the photo of a report to those who may see it."""
    jpeg = await store_of(request).field.photo(request[VIEWER], uuid_in(request, "report"))
    headers = {"Cache-Control": "private, max-age=3600", "Content-Disposition": "inline"}
    return web.Response(body=jpeg, content_type=PHOTO_TYPE, headers=headers)


async def list_of_case(request: web.Request) -> web.Response:
    """List what grid workers reported about a case, newest first."""
    reports = await store_of(request).field.of_case(request[VIEWER], incident_of(request))
    return reply({"reports": reports})
