"""The roster read for people, in SQL: desks with who is on duty when, exchanges, hand-overs, the record of changes."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import msgspec

from domain.areas import covers
from domain.errors import NotFound
from responders import words
from responders.cases import Desk
from responders.roster import Gap
from responders.roster_views import (
    DeskView,
    HandOverNote,
    HandOverView,
    OnDuty,
    RosterView,
    SwapView,
    Vacancy,
)
from responders.store.console import find_actor
from responders.store.desks import Sheets, change_view, names_of, read_sheets, vacancies
from responders.store.pool import Connection, Record
from responders.store.queries import sql
from responders.store.registry import list_areas
from responders.views import Viewer

MOST_LISTED = 200
"""So many exchanges, hand-overs and changes are listed, newest first; the answer says when there are more."""
STAFFED = (6, 9)
"""Counties and townships must have a general desk; cities and provinces may watch with another system."""


async def show(
    connection: Connection, viewer: Viewer, since: datetime, until: datetime, area: str
) -> RosterView:
    """Show a part of the viewer's area."""
    actor = await find_actor(connection, viewer)
    if not covers(actor.area, area or actor.area):
        raise NotFound("没有这个区域，或不在您的辖区。 There is no such area in yours.")
    return await outlook(connection, since, until, area or actor.area)


async def outlook(connection: Connection, since: datetime, until: datetime, area: str) -> RosterView:
    """Show the desks of an area."""
    rows = await connection.fetch(sql("desks_within"), area)
    sheets = await _sheets(connection, rows, since, until)
    users = [span.user for sheet in sheets.values() for span in sheet.spans()]
    names = await names_of(connection, users)
    desks = tuple(_desk_view(row, sheets, names, since, until) for row in rows)
    swaps = await connection.fetch(sql("swap_rows"), area, None, MOST_LISTED + 1)
    hand_overs = await connection.fetch(sql("hand_over_rows"), area, None, MOST_LISTED + 1)
    changes = await connection.fetch(sql("roster_changes"), area, MOST_LISTED + 1)
    listed = {"swaps": swaps, "hand_overs": hand_overs, "changes": changes}
    return RosterView(
        desks=desks,
        swaps=tuple(msgspec.convert(dict(row), SwapView) for row in swaps[:MOST_LISTED]),
        hand_overs=await _hand_over_views(connection, hand_overs[:MOST_LISTED]),
        changes=tuple(change_view(row) for row in changes[:MOST_LISTED]),
        more=tuple(name for name, found in listed.items() if len(found) > MOST_LISTED),
    )


async def _sheets(connection: Connection, rows: Iterable[Record], since: datetime, until: datetime) -> Sheets:
    planned = {Desk(row["area"], row["post"]): row["planned_until"] for row in rows}
    areas = dict.fromkeys(desk.area for desk in planned)
    return await read_sheets(connection, tuple(areas), since, until, planned)


def _desk_view(
    row: Record, sheets: Sheets, names: dict[UUID, str], since: datetime, until: datetime
) -> DeskView:
    desk = Desk(row["area"], row["post"])
    sheet = sheets[desk]
    return DeskView(
        area=desk.area,
        area_name=row["area_name"],
        post=desk.post,
        post_name=words.post_name(desk.post),
        spans=tuple(
            OnDuty(
                user=span.user,
                display=names.get(span.user, ""),
                starts_at=span.starts_at,
                ends_at=span.ends_at,
                disabled=span.user in sheet.disabled,
            )
            for span in sheet.spans()
            if span.starts_at < until and span.ends_at > since
        ),
        vacancies=tuple(
            Vacancy(starts_at=gap.starts_at, ends_at=gap.ends_at)
            for gap in vacancies(sheets, desk, since, until)
        ),
    )


async def find_gaps(
    connection: Connection, since: datetime, until: datetime, area: str
) -> dict[Desk, list[Gap]]:
    """Find the vacancies of desks; a township or county without a general desk at all has one all the time."""
    rows = await connection.fetch(sql("desks_within"), area)
    sheets = await _sheets(connection, rows, since, until)
    desks = {Desk(row["area"], row["post"]) for row in rows}
    desks |= {
        Desk(one.code, "")
        for one in await list_areas(connection)
        if len(one.code) in STAFFED and one.code.startswith(area)
    }
    found = {
        desk: vacancies(sheets, desk, since, until)
        for desk in sorted(desks, key=lambda one: (one.area, one.post))
    }
    return {desk: gaps for desk, gaps in found.items() if gaps}


async def hand_over_of(connection: Connection, hand_over: UUID) -> HandOverView:
    """Show one hand-over."""
    (found,) = await _hand_over_views(
        connection, await connection.fetch(sql("hand_over_rows"), "", hand_over, 1)
    )
    return found


async def _hand_over_views(connection: Connection, rows: list[Record]) -> tuple[HandOverView, ...]:
    names = await names_of(
        connection, (user for row in rows for user in (*row["outgoing"], *row["incoming"]))
    )
    return tuple(
        msgspec.convert(
            {
                **dict(row),
                "outgoing": [names[user] for user in row["outgoing"] if user in names],
                "incoming": [names[user] for user in row["incoming"] if user in names],
                "note": msgspec.json.decode(row["note"], type=HandOverNote),
            },
            HandOverView,
        )
        for row in rows
    )
