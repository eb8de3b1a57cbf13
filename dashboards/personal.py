"""The page of a case's callers and reporters: masked as they are kept; a county's lead opens one for a reason, on record.

Only the console holds the key for opening; what is opened stands in one answer that no browser keeps.
"""

from dataclasses import dataclass
from typing import Any, Self, cast
from uuid import UUID, uuid4

import structlog
from aiohttp import web

from config.personal import Clear, read_key, reveal
from config.sealing import Sealer
from config.settings import Settings
from dashboards.api import form_of, incident_of, uuid_in
from dashboards.gate import GATE
from dashboards.keys import DATA, LANGUAGE, VIEWER, store_of
from dashboards.metrics import PERSONAL_READS
from dashboards.problems import Problem, Refused, in_language
from dashboards.render import page
from dashboards.review import words_for
from domain.errors import InvalidInput
from responders.store.personal import SEALED, SourceKind, may_open

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Opener:
    """The key under which gateways have sealed; None where the console was given none."""

    sealer: Sealer | None

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Read it; InvalidConfiguration when it is no 32 bytes in base64."""
        return cls(read_key(settings.personal_key) if settings.personal_key else None)


OPENER = web.AppKey("opener", Opener)


async def show_sources(request: web.Request) -> web.Response:
    """Show what was called and reported about a case, masked."""
    return await _page(request)


async def open_source(request: web.Request) -> web.Response:
    """Open one of them: the reason goes on record first."""
    kind = _kind_of(request)
    subject, form, viewer = uuid_in(request, "subject"), await form_of(request), request[VIEWER]
    sealer = request.app[OPENER].sealer
    if sealer is None:
        raise Refused(Problem(503, "no_personal_key"))
    try:
        opened = await store_of(request).personal.open(
            viewer, kind, subject, form.get("reason", ""), UUID(form["key"])
        )
    except InvalidInput as error:
        return await _page(request, status=400, faults=error.faults, at=subject)
    limit = request.app[GATE].settings.reveals_per_day
    over = opened.reads_today > limit
    PERSONAL_READS.labels("over_limit" if over else "opened").inc()
    if over:
        log.warning("personal_reads_over_limit", reads_today=opened.reads_today, limit=limit)
    try:
        clear = reveal(sealer, opened.sealed, str(subject))
    except InvalidInput as error:
        PERSONAL_READS.labels("unreadable").inc()
        raise Refused(Problem(409, "sealed_otherwise")) from error
    return await _page(request, at=subject, clear=clear, reads_today=opened.reads_today, over=over)


def _kind_of(request: web.Request) -> SourceKind:
    kind = request.match_info["kind"]
    if kind not in SEALED:
        raise web.HTTPNotFound
    return cast(SourceKind, kind)


async def _page(request: web.Request, *, status: int = 200, **values: Any) -> web.Response:
    viewer, data, incident = request[VIEWER], request.app[DATA], incident_of(request)
    view = await store_of(request).incident(viewer, incident)
    named = {view.row.category, *(alert.category for alert in view.alerts)}
    named |= {
        slug for one in tuple(named) if one in data.categories for slug in data.categories[one].raised_by
    }
    rows = await store_of(request).personal.sources(viewer, incident, tuple(sorted(named)))
    defaults: dict[str, Any] = {"at": None, "clear": None, "faults": (), "reads_today": 0, "over": False}
    return page(
        request,
        "sources.html",
        status=status,
        viewer=viewer,
        script="incident.js",
        key=uuid4(),
        incident=view.row,
        rows=rows,
        categories=data.categories,
        may=may_open(viewer.role, viewer.area) and request.app[OPENER].sealer is not None,
        parts=_parts_of,
        sentence=lambda text: in_language(text, request[LANGUAGE]),
        **words_for(request[LANGUAGE]),
        **{**defaults, **values},
    )


def _parts_of(clear: Clear) -> list[tuple[str, str]]:
    """List what was opened, by the names of its texts."""
    person = clear.person
    found = (
        [] if person is None else [(name, getattr(person, name)) for name in ("name", "phone", "id_number")]
    )
    found += [(name, getattr(clear, name)) for name in ("text", "title", "address", "unit")]
    return [(name, value) for name, value in found if value]
