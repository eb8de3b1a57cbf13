"""Pages of the record of administration (管理记录): who did what, and the proof that nothing of it was changed."""

from aiohttp import web
from msgspec import Struct

from dashboards.admin import administrator, show
from dashboards.api import form_of, query_of
from dashboards.keys import store_of
from responders.admin_record import AdminBreak, AdminKind
from responders.audit import Break, Seal
from responders.store import Store

MOST_LINES = 100


class RecordQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which part of the record; `before` continues it by number."""

    kind: AdminKind | None = None
    before: int | None = None
    lang: str = ""
    done: str = ""


class Proof(Struct, frozen=True, kw_only=True):
    """What reckoning all chains again has found."""

    admin_lines: int
    admin_breaks: list[AdminBreak]
    case_lines: int
    case_breaks: list[Break]
    seals: list[Seal]


async def show_record(request: web.Request) -> web.Response:
    """Show the record, newest first."""
    return await _page(request, None)


async def verify(request: web.Request) -> web.Response:
    """Reckon the chains of administration and of all cases again."""
    administrator(request)
    await form_of(request)
    return await _page(request, await prove(store_of(request)))


async def prove(store: Store) -> Proof:
    """Reckon every chain and seal that the database holds."""
    admin_lines, admin_breaks = await store.administration.verify()
    case_lines, case_breaks = await store.audit.verify()
    return Proof(
        admin_lines=admin_lines,
        admin_breaks=admin_breaks,
        case_lines=case_lines,
        case_breaks=case_breaks,
        seals=await store.audit.seals(),
    )


async def _page(request: web.Request, proof: Proof | None) -> web.Response:
    viewer, query = administrator(request), query_of(RecordQuery, request.query)
    kind = query.kind.value if query.kind else None
    lines = await store_of(request).administration.entries(viewer, kind, query.before, MOST_LINES)
    return show(
        request,
        "admin_record.html",
        lines=lines,
        proof=proof,
        kind=kind or "",
        kinds=list(AdminKind),
        more=lines[-1].number if len(lines) == MOST_LINES else None,
    )
