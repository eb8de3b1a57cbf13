"""The record of a case, and what live pages are told: what every room of the store writes with."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from config.policies import Policy
from domain.codec import encode
from domain.incidents import IncidentState
from domain.levels import Grade
from responders.cases import Case
from responders.holds import Hold
from responders.store.pool import Connection, Record
from responders.store.queries import sql

SYSTEM = "system"

Notes = list[tuple[str, str, str]]
"""Changes to tell live pages of, (kind, ref, area): written last in the transaction."""


async def flush(connection: Connection, notes: Notes) -> None:
    """Tell live pages; nothing may follow in the transaction (see note_change)."""
    if told := list(dict.fromkeys(notes)):
        kinds, refs, areas = (list(column) for column in zip(*told, strict=True))
        await connection.fetchval(sql("note_changes"), kinds, refs, areas)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a case's record by the system."""

    incident: UUID
    kind: str
    text: str
    detail: dict[str, Any]


async def add_lines(connection: Connection, lines: Sequence[Line]) -> None:
    """Add many lines at once, of one case in their order.

    Cases are taken in the order of their ids, so that two writers never wait for each other in a circle.
    """
    if lines:
        await connection.execute(
            sql("add_entries"),
            [line.incident for line in lines],
            [line.kind for line in lines],
            [line.text.replace("\x00", "") for line in lines],
            [encode(line.detail).decode() for line in lines],
        )


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
        tries=row["tries"],
        hold=msgspec.json.decode(row["hold"] or "null", type=Hold | None),
    )


async def name_of(connection: Connection, area: str) -> str:
    """Name an area; one that is not in the registry by its code."""
    name: str | None = await connection.fetchval(sql("place_name"), area)
    return name or area
