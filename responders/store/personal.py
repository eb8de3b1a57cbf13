"""Personal data in SQL: listed masked, opened by county leads for a reason; each reading is on record before it is read.

The store holds no key: it hands out what is sealed, and only together with the line that says who reads it and why.
"""

from typing import Literal
from uuid import UUID

import msgspec
from msgspec import Struct

from domain.areas import AreaLevel
from domain.errors import Fault, InvalidInput, NotAllowed, NotFound
from domain.identity import derived_id
from domain.inputs import AwareTime
from responders.admin_record import AdminKind
from responders.store.admin_entries import add_admin_entry
from responders.store.console import Actor, find_actor
from responders.store.pool import Connection, Database
from responders.store.queries import sql
from responders.views import Role, Viewer

SourceKind = Literal["ticket", "report"]
LEAST_REASON = 4
MOST_REASON = 200
MOST_SOURCES = 200
SEALED = {"ticket": "sealed_ticket", "report": "sealed_report"}


class SourceRow(Struct, frozen=True, kw_only=True):
    """What somebody called or reported, masked; `sealed` says whether there is anything to open."""

    kind: SourceKind
    id: UUID
    area: str
    area_name: str
    category: str | None
    text: str
    address: str | None
    observed_at: AwareTime
    sealed: bool


class Opened(Struct, frozen=True, kw_only=True):
    """What is sealed with an input, and how many readings its reader has made today, this one included."""

    sealed: str
    text: str
    reads_today: int


def may_open(role: Role, area: str) -> bool:
    """Say who may open personal data: commanders of a county or above."""
    return role is Role.COMMANDER and len(area) <= AreaLevel.COUNTY


def read_reason(text: str) -> str:
    """Read the reason for opening personal data; InvalidInput when it says nothing."""
    reason = " ".join(text.replace("\x00", "").split())
    if not LEAST_REASON <= len(reason) <= MOST_REASON:
        told = f"请写明原因，{LEAST_REASON}–{MOST_REASON} 个字。 needs {LEAST_REASON} to {MOST_REASON} characters"
        raise InvalidInput([Fault("reason", told)])
    return reason


class Personal:
    """The store's methods for personal data."""

    def __init__(self, database: Database) -> None:
        """Share the store's pool."""
        self._database = database

    async def sources(self, viewer: Viewer, incident: UUID, categories: tuple[str, ...]) -> list[SourceRow]:
        """List what was called and reported about a case, masked, at most 200; NotFound outside the viewer's area."""
        return await self._database.read(_sources, viewer, incident, categories)

    async def open(
        self, viewer: Viewer, kind: SourceKind, subject: UUID, reason: str, request_id: UUID
    ) -> Opened:
        """Put a reading on record and hand out what is sealed; the same request id again is the same reading.

        NotFound outside the viewer's area, or where nothing is sealed; NotAllowed for whoever may not open it;
        InvalidInput without a reason.
        """
        return await self._database.run(_open, viewer, kind, subject, read_reason(reason), request_id)


async def _sources(
    connection: Connection, viewer: Viewer, incident: UUID, categories: tuple[str, ...]
) -> list[SourceRow]:
    actor = await find_actor(connection, viewer)
    if await connection.fetchrow(sql("incident_row"), incident, actor.area) is None:
        raise NotFound("没有这个事件，或不在您的辖区。 There is no such incident in your area.")
    rows = await connection.fetch(
        sql("sources_of_case"), incident, actor.area, list(categories), MOST_SOURCES
    )
    return [msgspec.convert(dict(row), SourceRow) for row in rows]


async def _open(
    connection: Connection, viewer: Viewer, kind: SourceKind, subject: UUID, reason: str, request_id: UUID
) -> Opened:
    actor = await find_actor(connection, viewer, Role)
    row = await connection.fetchrow(sql(SEALED[kind]), subject, actor.area)
    if row is None or row["sealed"] is None:
        raise NotFound("没有这条记录，或不在您的辖区。 There is no such record in your area.")
    if not may_open(actor.role, actor.area):
        raise NotAllowed("只有县级指挥员可以查看个人信息。 Only a county's commander may open personal data.")
    if not await _is_repeated(connection, actor, kind, subject, request_id):
        entry = await add_admin_entry(
            connection, actor, AdminKind.REVEALED, row["area"], f"{kind} {subject}", reason
        )
        await connection.execute(sql("add_personal_access"), actor.id, kind, subject, reason, entry)
        key = derived_id("reveal", kind, subject)
        await connection.execute(sql("add_request"), request_id, actor.id, "reveal", key, "{}")
    count = await connection.fetchval(sql("personal_reads_today"), actor.id)
    return Opened(sealed=row["sealed"], text=row["text"], reads_today=count)


async def _is_repeated(
    connection: Connection, actor: Actor, kind: SourceKind, subject: UUID, request_id: UUID
) -> bool:
    """Say whether this very reading is on record already; an id used for anything else is no repetition."""
    row = await connection.fetchrow(sql("find_request"), request_id)
    if row is None:
        return False
    wanted = (actor.id, "reveal", derived_id("reveal", kind, subject))
    if (row["user_id"], row["action"], row["subject"]) != wanted:
        raise InvalidInput([Fault("key", "was used for something else")])
    return True
