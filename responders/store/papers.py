"""Logs of days and special reports in SQL."""

import hashlib
from datetime import date
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from domain.areas import covers, is_area_code
from domain.codec import encode
from domain.errors import Conflict, Fault, InvalidInput, NotFound
from domain.identity import derived_id
from responders import words
from responders.papers import (
    BEIJING,
    MOST_NOTE,
    DayCase,
    DayHandOver,
    DayLog,
    DayNote,
    DayPages,
    DayRecord,
    DayReport,
    DayShift,
    Signature,
    SpecialReport,
    SpecialText,
    blank_text,
    draft_text,
    text_faults,
)
from responders.store import console
from responders.store.console import Actor, find_actor, view
from responders.store.entries import name_of
from responders.store.figures import span_of
from responders.store.held import DECIDES, answered
from responders.store.pool import Connection, Database
from responders.store.queries import sql
from responders.store.registry import county_now
from responders.views import Viewer

MOST_REPORTS = 200


class Done(Struct, frozen=True, kw_only=True):
    """The answer of a command that is kept: what it was about."""

    id: UUID


class Papers:
    """The store's methods for the papers of a duty office. Commands are for officers and commanders."""

    def __init__(self, database: Database) -> None:
        """Share the store's pool."""
        self._database = database

    async def day(self, viewer: Viewer, area: str = "", day: date | None = None) -> DayLog:
        """Show the log of a day of an area: one's own and today where none is named; NotFound outside one's area."""
        return await self._database.read(_day, viewer, area, day)

    async def note(self, viewer: Viewer, area: str, text: str, request_id: UUID) -> None:
        """Note something in today's log; InvalidInput without words, or with too many."""
        await self._database.run(_note, viewer, area, text, request_id)

    async def sign(self, viewer: Viewer, area: str, day: date, remark: str, request_id: UUID) -> None:
        """Sign the log of a day as it stands; Conflict for a day that has not begun, or nothing new since the last time."""
        await self._database.run(_sign, viewer, area, day, remark, request_id)

    async def specials(self, viewer: Viewer) -> list[SpecialReport]:
        """List the special reports of the viewer's area, newest first, at most 200."""
        return await self._database.read(_specials, viewer)

    async def special(self, viewer: Viewer, report: UUID) -> SpecialReport:
        """Show a special report; NotFound outside the area."""
        return await self._database.read(_special, viewer, report)

    async def begin(self, viewer: Viewer, incident: UUID | None, request_id: UUID) -> UUID:
        """Begin a special report of a case, drafted from its record, or of a theme; answers its id."""
        return await self._database.run(_begin, viewer, incident, request_id)

    async def write(
        self, viewer: Viewer, report: UUID, text: SpecialText, version: int, request_id: UUID
    ) -> None:
        """Keep a new version of a text; Conflict when somebody else wrote since `version`, or it was issued."""
        await self._database.run(_write, viewer, report, text, version, request_id)

    async def issue(self, viewer: Viewer, report: UUID, version: int, request_id: UUID) -> None:
        """Issue a report under the next number of its area and year, for good; Conflict as for writing."""
        await self._database.run(_issue, viewer, report, version, request_id)


def _own(actor: Actor, area: str) -> str:
    wanted = area or actor.area
    if not is_area_code(wanted) or not covers(actor.area, wanted):
        raise NotFound("没有这个区域，或不在您的辖区。 There is no such area in yours.")
    return wanted


async def _day(connection: Connection, viewer: Viewer, area: str, day: date | None) -> DayLog:
    actor = await find_actor(connection, viewer, DECIDES)
    now = await county_now(connection)
    record = await _record(connection, _own(actor, area), day or now.astimezone(BEIJING).date())
    signatures = await connection.fetch(sql("day_signatures"), record.area, record.day)
    return DayLog(
        record=record,
        digest=hashlib.sha256(encode(record)).hexdigest(),
        at=now,
        signatures=tuple(view(Signature, row) for row in signatures),
    )


async def _record(connection: Connection, area: str, day: date) -> DayRecord:
    span = (area, *span_of(day))

    async def rows(name: str, kind: type[Struct]) -> tuple[Any, ...]:
        return tuple(view(kind, row) for row in await connection.fetch(sql(name), *span))

    shifts = await connection.fetch(sql("day_shifts"), *span)
    return DayRecord(
        area=area,
        area_name=await name_of(connection, area),
        day=day,
        shifts=tuple(
            DayShift(
                post=words.post_name(row["post"]),
                display=row["display"],
                starts_at=row["starts_at"],
                ends_at=row["ends_at"],
            )
            for row in shifts
        ),
        hand_overs=await rows("day_hand_overs", DayHandOver),
        cases=await rows("day_cases", DayCase),
        pages=await rows("day_pages", DayPages),
        reports=await rows("day_reports", DayReport),
        missed=await connection.fetchval(sql("day_missed"), *span),
        notes=await rows("day_notes", DayNote),
    )


async def _keep(connection: Connection, request_id: UUID, actor: Actor, action: str, subject: UUID) -> None:
    answer = encode(Done(id=subject)).decode()
    await connection.execute(sql("add_request"), request_id, actor.id, action, subject, answer)


async def _note(connection: Connection, viewer: Viewer, area: str, text: str, request_id: UUID) -> None:
    actor = await find_actor(connection, viewer, DECIDES)
    wanted = _own(actor, area)
    subject = derived_id("day-note", request_id)
    if await answered(connection, request_id, actor, "day-note", subject, Done):
        return
    if not text.strip() or len(text) > MOST_NOTE:
        raise InvalidInput(
            [Fault("text", f"须为 1 至 {MOST_NOTE} 字。 must have 1 to {MOST_NOTE} characters")]
        )
    await connection.execute(sql("add_day_note"), subject, wanted, text.strip(), actor.id, actor.display)
    await _keep(connection, request_id, actor, "day-note", subject)


async def _sign(
    connection: Connection, viewer: Viewer, area: str, day: date, remark: str, request_id: UUID
) -> None:
    actor = await find_actor(connection, viewer, DECIDES)
    wanted = _own(actor, area)
    subject = derived_id("day-log", wanted, day.isoformat())
    await connection.execute(sql("lock_day"), wanted)
    if await answered(connection, request_id, actor, "day-sign", subject, Done):
        return
    if len(remark) > MOST_NOTE:
        raise InvalidInput(
            [Fault("remark", f"最多 {MOST_NOTE} 字。 must have {MOST_NOTE} characters or fewer")]
        )
    log = await _day(connection, viewer, wanted, day)
    if day > log.at.astimezone(BEIJING).date():
        raise Conflict("这一天还没有开始。 This day has not begun.")
    if log.unchanged:
        raise Conflict("上次签字后没有新内容。 Nothing is new since it was signed.")
    record = encode(log.record)
    digest = hashlib.sha256(record).digest()
    await connection.execute(
        sql("sign_day"), wanted, day, derived_id("day-sign", request_id), record.decode(), digest, remark.strip(),
        actor.id, actor.display,
    )  # fmt: skip
    await _keep(connection, request_id, actor, "day-sign", subject)


async def _specials(connection: Connection, viewer: Viewer) -> list[SpecialReport]:
    actor = await find_actor(connection, viewer, DECIDES)
    rows = await connection.fetch(sql("special_rows"), actor.area, MOST_REPORTS, None)
    return [view(SpecialReport, row) for row in rows]


async def _special(connection: Connection, viewer: Viewer, report: UUID) -> SpecialReport:
    actor = await find_actor(connection, viewer, DECIDES)
    row = await connection.fetchrow(sql("special_rows"), actor.area, 1, report)
    if row is None:
        raise NotFound("没有这份专报，或不在您的辖区。 There is no such report in your area.")
    return msgspec.convert(dict(row), SpecialReport)


async def _begin(connection: Connection, viewer: Viewer, incident: UUID | None, request_id: UUID) -> UUID:
    actor = await find_actor(connection, viewer, DECIDES)
    report = derived_id("special-report", request_id)
    if await answered(connection, request_id, actor, "special-begin", report, Done):
        return report
    if not actor.area:
        raise InvalidInput([Fault("area", "此账号不属于任何区域。 This account belongs to no area")])
    found = await console.incident(connection, viewer, incident) if incident is not None else None
    text = blank_text() if found is None else draft_text(found)
    drill = found is not None and found.row.drill
    await connection.fetchval(sql("add_special"), report, actor.area, incident, drill)
    await _put(connection, actor, report, 1, text)
    await _keep(connection, request_id, actor, "special-begin", report)
    return report


async def _put(connection: Connection, actor: Actor, report: UUID, version: int, text: SpecialText) -> None:
    parts = [getattr(text, name).replace("\r\n", "\n").strip() for name in SpecialText.__struct_fields__]
    await connection.execute(sql("add_special_text"), report, version, *parts, actor.id, actor.display)


async def _hold(connection: Connection, actor: Actor, report: UUID, version: int) -> str:
    """Take hold of a report that is still to be changed, as somebody saw it; answers its area."""
    row = await connection.fetchrow(sql("lock_special"), report, actor.area)
    if row is None:
        raise NotFound("没有这份专报，或不在您的辖区。 There is no such report in your area.")
    if row["issued_at"] is not None:
        raise Conflict("专报已印发，不能更改。 The report was issued and cannot be changed.")
    if row["version"] != version:
        raise Conflict("其他人已修改，请重新打开后再改。 Somebody else wrote meanwhile: open it anew.")
    area: str = row["area"]
    return area


async def _write(
    connection: Connection, viewer: Viewer, report: UUID, text: SpecialText, version: int, request_id: UUID
) -> None:
    actor = await find_actor(connection, viewer, DECIDES)
    if await answered(connection, request_id, actor, "special-write", report, Done):
        return
    await _hold(connection, actor, report, version)
    if faults := list(text_faults(text)):
        raise InvalidInput(faults)
    await _put(connection, actor, report, version + 1, text)
    await _keep(connection, request_id, actor, "special-write", report)


async def _issue(
    connection: Connection, viewer: Viewer, report: UUID, version: int, request_id: UUID
) -> None:
    actor = await find_actor(connection, viewer, DECIDES)
    if await answered(connection, request_id, actor, "special-issue", report, Done):
        return
    area = await _hold(connection, actor, report, version)
    found = await _special(connection, viewer, report)
    text = SpecialText(title=found.title, situation=found.situation, measures=found.measures, next=found.next)
    faults = list(text_faults(text))
    if not found.situation:
        faults.append(Fault("situation", "不能为空。 must not be empty"))
    if faults:
        raise InvalidInput(faults)
    await connection.execute(sql("lock_day"), area)
    year = (await county_now(connection)).astimezone(BEIJING).year
    await connection.execute(sql("issue_special"), report, area, year, actor.id)
    await _keep(connection, request_id, actor, "special-issue", report)
