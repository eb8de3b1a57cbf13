"""Reports that cases owe in SQL: read, written where they changed, and shown by the names of desks and offices."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from uuid import UUID

from domain.codec import encode
from responders import dues, words
from responders.dues import Due, EndReason, ReportKind
from responders.store.entries import name_of
from responders.store.pool import Connection, Record
from responders.store.queries import sql
from responders.views import ClockRow, Kept


async def read_dues(connection: Connection, incidents: Iterable[UUID]) -> dict[UUID, tuple[Due, ...]]:
    """Read what cases owe and owed; cases that never owed anything have an empty list."""
    wanted = list(incidents)
    found: dict[UUID, list[Due]] = defaultdict(list)
    for row in await connection.fetch(sql("dues_of"), wanted):
        found[row["incident"]].append(due_of(row))
    return {incident: tuple(found[incident]) for incident in wanted}


def due_of(row: Record) -> Due:
    """Read a row of `report_due`."""
    values = {field.name: row[field.name] for field in fields(Due)}
    reason = values["end_reason"]
    return Due(
        **{
            **values,
            "kind": ReportKind(values["kind"]),
            "end_reason": None if reason is None else EndReason(reason),
        }
    )


async def put_dues(connection: Connection, before: Sequence[Due], after: Sequence[Due]) -> list[Due]:
    """Write what has changed, in one statement; answers it."""
    known = {due.place: due for due in before}
    changed = [due for due in after if known.get(due.place) != due]
    if changed:
        await connection.execute(sql("put_dues"), encode([asdict(due) for due in changed]).decode())
    return changed


async def route(connection: Connection, due: Due, place: str) -> str:
    """Say who reports to whom."""
    desk = dues.desk_of(due, place)
    return f"{await name_of(connection, desk.area)}{words.post_name(desk.post)}向{await addressee(connection, due, place)}"


async def addressee(connection: Connection, due: Due, place: str) -> str:
    """Name whom a report goes to."""
    area = dues.area_of(due.to, place)
    return f"{await name_of(connection, area)}{due.office}" if area else due.office


async def show_clocks(connection: Connection, incident: UUID, place: str) -> tuple[ClockRow, ...]:
    """Show what a case owes and owed."""
    rows = []
    for due in (await read_dues(connection, {incident}))[incident]:
        desk = dues.desk_of(due, place)
        rows.append(
            ClockRow(
                clock=due.clock,
                zh=due.zh,
                en=due.en,
                source=due.source,
                kind=due.kind,
                number=due.number,
                form=due.form,
                by=due.by,
                to=due.to,
                desk=f"{await name_of(connection, desk.area)}{words.post_name(desk.post)}",
                addressee=await addressee(connection, due, place),
                since=due.since,
                due_at=due.due_at,
                at=due.met_at,
                kept=kept(due),
                end_reason=due.end_reason,
            )
        )
    return tuple(rows)


def kept(due: Due) -> Kept:
    """Say how it stands with a report; one whose limit is over counts as missed from when a worker wrote it down."""
    if due.met_at is not None:
        return (
            Kept.LATE if due.missed_at is not None or (due.due_at and due.met_at > due.due_at) else Kept.MET
        )
    if due.missed_at is not None:
        return Kept.MISSED
    if due.ended_at is not None:
        return Kept.ENDED
    return Kept.WAITING if due.due_at is None else Kept.RUNNING
