"""The record of a case, and what live pages are told: what every room of the store writes with."""

from typing import Any
from uuid import UUID

import msgspec

from config.data import Policy
from domain.codec import encode
from domain.incidents import IncidentState
from domain.levels import Grade
from responders.cases import Case
from responders.store.pool import Connection, Record
from responders.store.queries import sql

SYSTEM = "system"

Notes = list[tuple[str, str, str]]
"""Changes to tell live pages of, (kind, ref, area): written last in the transaction."""


async def flush(connection: Connection, notes: Notes) -> None:
    """Tell live pages; nothing may follow in the transaction (see note_change)."""
    for note in dict.fromkeys(notes):
        await connection.fetchval(sql("note_change"), *note)


async def add_entry(
    connection: Connection,
    incident: UUID,
    kind: str,
    text: str,
    *,
    actor: str = SYSTEM,
    user: UUID | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Add a line to the record of a case."""
    await connection.execute(
        sql("add_entry"), incident, kind, actor, user, text.replace("\x00", ""), encode(detail or {}).decode()
    )


def case_of(row: Record) -> Case:
    """Read a locked incident as escalation sees it."""
    return Case(
        id=row["id"],
        place=row["place"],
        post=row["post"],
        grade=Grade(row["grade"]),
        state=IncidentState(row["state"]),
        policies=msgspec.json.decode(row["policies"], type=dict[int, Policy]),
        step=row["step"],
        loop=row["loop"],
        next_at=row["next_at"],
        acknowledged=row["acknowledged"],
        version=row["version"],
        drill=row["drill"],
    )


async def name_of(connection: Connection, area: str) -> str:
    """Name an area; one that is not in the registry by its code."""
    name: str | None = await connection.fetchval(sql("place_name"), area)
    return name or area
