"""Desks read from rows: who is on duty when, as the plan and everybody who stands in make it, and the record of changes."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from domain.codec import encode
from responders.cases import Desk, Person
from responders.roster import Gap, Span, StandIn, effective, gaps
from responders.roster_views import RosterChange
from responders.rotations import Crew, Rotation, plan
from responders.store.pool import Connection, Record
from responders.store.queries import sql


@dataclass(slots=True)
class Sheet:
    """One desk in a stretch of time: its shifts, who stands in, and which of these people cannot be paged."""

    shifts: list[Span] = field(default_factory=list)
    stand_ins: list[StandIn] = field(default_factory=list)
    rotations: list[Rotation] = field(default_factory=list)
    disabled: set[UUID] = field(default_factory=set)

    def spans(self) -> list[Span]:
        """Say who is on duty when, those included who cannot be paged."""
        return effective(self.shifts, self.stand_ins)

    def reachable(self) -> list[Span]:
        """Say who is on duty when and can be paged."""
        return [span for span in self.spans() if span.user not in self.disabled]


Sheets = dict[Desk, Sheet]


async def read_sheets(
    connection: Connection,
    areas: Collection[str],
    since: datetime,
    until: datetime,
    planned: dict[Desk, datetime | None] | None = None,
) -> Sheets:
    """Read all desks of some areas; with `planned`, rotations go on in thought beyond what is planned of each desk."""
    sheets: Sheets = defaultdict(Sheet)
    for row in await connection.fetch(sql("shifts_of"), list(areas), since, until):
        sheet = sheets[Desk(row["area"], row["post"])]
        sheet.shifts.append(Span(row["user_id"], row["starts_at"], row["ends_at"]))
        if row["disabled"]:
            sheet.disabled.add(row["user_id"])
    for row in await connection.fetch(sql("stand_ins_of"), list(areas), since, until):
        sheet = sheets[Desk(row["area"], row["post"])]
        sheet.stand_ins.append(StandIn(row["away"], row["instead"], row["starts_at"], row["ends_at"]))
        if row["disabled"]:
            sheet.disabled.add(row["instead"])
    for row in await connection.fetch(sql("rotations_of"), list(areas)):
        sheets[Desk(row["area"], row["post"])].rotations.append(rotation_of(row))
    if planned is not None:
        await _plan_on(connection, sheets, since, until, planned)
    return sheets


async def _plan_on(
    connection: Connection,
    sheets: Sheets,
    since: datetime,
    until: datetime,
    planned: dict[Desk, datetime | None],
) -> None:
    for desk, sheet in sheets.items():
        first = max(since, planned.get(desk) or since)
        for turn in plan(sheet.rotations, first, until):
            sheet.shifts += [Span(user, turn.starts_at, turn.ends_at) for user in turn.crew]
    users = {
        user for sheet in sheets.values() for one in sheet.rotations for crew in one.crews for user in crew
    }
    there = {person.user for person in (await read_people(connection, users)).values()}
    for sheet in sheets.values():
        sheet.disabled |= {user for one in sheet.rotations for crew in one.crews for user in crew} - there


def rotation_of(row: Record) -> Rotation:
    """Read a rotation."""
    return Rotation(
        area=row["area"],
        post=row["post"],
        crews=msgspec.json.decode(row["crews"], type=tuple[Crew, ...]),
        turn_hours=row["turn_hours"],
        hand_over=row["hand_over"],
        starts_on=row["starts_on"],
    )


async def write_plan(
    connection: Connection, desk: Desk, rotations: Iterable[Rotation], since: datetime, until: datetime
) -> None:
    """Plan a desk's rotations ahead as shifts."""
    await connection.executemany(
        sql("add_planned"),
        [
            (desk.area, desk.post, user, turn.starts_at, turn.ends_at)
            for turn in plan(rotations, since, until)
            for user in turn.crew
        ],
    )
    await connection.execute(sql("desk_planned"), desk.area, desk.post, until)


def vacancies(sheets: Sheets, desk: Desk, since: datetime, until: datetime) -> list[Gap]:
    """Find when nobody is on duty at a desk, nor at its area's general desk, which stands in for it."""
    spans = [
        span
        for one in dict.fromkeys((desk, Desk(desk.area, "")))
        for span in (sheets[one].reachable() if one in sheets else [])
    ]
    return list(gaps(spans, since, until))


async def read_people(connection: Connection, users: Iterable[UUID]) -> dict[UUID, Person]:
    """Read people whose accounts are in use."""
    rows = await connection.fetch(sql("people"), list(users))
    return {row["id"]: Person(row["id"], row["display"], tuple(row["channels"])) for row in rows}


async def names_of(connection: Connection, users: Iterable[UUID]) -> dict[UUID, str]:
    """Name people by their posts, those no longer in use too."""
    rows = await connection.fetch(sql("display_names"), list(dict.fromkeys(users)))
    return {row["id"]: row["display"] for row in rows}


async def told(connection: Connection, spans: Iterable[Span]) -> list[dict[str, Any]]:
    """Write spans for the record, people by the names of their posts."""
    spans = list(spans)
    names = await names_of(connection, (span.user for span in spans))
    return [
        {"who": names.get(span.user, ""), "from": span.starts_at, "until": span.ends_at} for span in spans
    ]


async def put_on_record(
    connection: Connection,
    kind: str,
    desk: Desk,
    actor: str,
    user: UUID | None,
    note: str,
    before: object,
    after: object,
) -> RosterChange:
    """Add a line to the record of the roster."""
    row = await connection.fetchrow(
        sql("add_roster_change"),
        kind,
        desk.area,
        desk.post,
        actor,
        user,
        note.replace("\x00", ""),
        encode(before).decode(),
        encode(after).decode(),
    )
    if row is None:
        raise AssertionError("an insert without a row")
    return change_view(row)


def change_view(row: Record) -> RosterChange:
    """Show a line of the record."""
    decoded = {name: msgspec.json.decode(row[name]) for name in ("before", "after")}
    return msgspec.convert({**dict(row), **decoded}, RosterChange)
