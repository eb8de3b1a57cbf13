"""Reports that cases owe in SQL: read, written where they changed, and shown by the names of desks and offices."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from uuid import UUID

from config.policies import TOWERS
from domain.codec import encode
from responders import dues, words
from responders.dues import Due, EndReason, ReportKind
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


def changed(before: Sequence[Due], after: Sequence[Due]) -> list[Due]:
    """Find what is not as it was."""
    known = {due.place: due for due in before}
    return [due for due in after if known.get(due.place) != due]


async def put_dues(connection: Connection, dues: Sequence[Due]) -> None:
    """Write what cases owe, of any number of cases in one statement."""
    if dues:
        await connection.execute(sql("put_dues"), encode(dues).decode())


class Names:
    """The names of the areas that reports go between, read at once."""

    def __init__(self, names: Mapping[str, str]) -> None:
        """Take names by code; use `names_for`."""
        self._names = names

    def desk(self, due: Due, place: str) -> str:
        """Name the desk that owes a report."""
        desk = dues.desk_of(due, place)
        return f"{self._name(desk.area)}{words.post_name(desk.post)}"

    def addressee(self, due: Due, place: str) -> str:
        """Name whom a report goes to."""
        area = dues.area_of(due.to, place)
        return f"{self._name(area)}{due.office}" if area else due.office

    def route(self, due: Due, place: str) -> str:
        """Say who reports to whom."""
        return f"{self.desk(due, place)}向{self.addressee(due, place)}"

    def report(self, due: Due, place: str) -> str:
        """Say who owes which report to whom."""
        return f"{self.route(due, place)}{words.REPORT[due.kind]}"

    def _name(self, area: str) -> str:
        return self._names.get(area, area)


async def names_for(connection: Connection, places: Iterable[str]) -> Names:
    """Read the names of all areas above places; one that is not in the registry is named by its code."""
    codes = {place[: int(tower)] for place in places for tower in TOWERS.values()}
    rows = await connection.fetch(sql("names_of_areas"), sorted(codes))
    return Names({row["code"]: row["name"] for row in rows})


async def show_clocks(connection: Connection, incident: UUID, place: str) -> tuple[ClockRow, ...]:
    """Show what a case owes and owed."""
    owed = (await read_dues(connection, {incident}))[incident]
    if not owed:
        return ()
    names = await names_for(connection, [place])
    return tuple(show_clock(due, names, place) for due in owed)


def show_clock(due: Due, names: Names, place: str) -> ClockRow:
    """Show one report that a case owes or owed, by the names of desks and offices."""
    return ClockRow(
        clock=due.clock,
        zh=due.zh,
        en=due.en,
        source=due.source,
        kind=due.kind,
        number=due.number,
        form=due.form,
        by=due.by,
        to=due.to,
        desk=names.desk(due, place),
        addressee=names.addressee(due, place),
        since=due.since,
        due_at=due.due_at,
        at=due.met_at,
        kept=kept(due),
        end_reason=due.end_reason,
    )


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
