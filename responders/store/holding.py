"""What holds a case back now, read from the database and decided in `responders/holds.py`; and its line of the record."""

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from domain.codec import encode
from domain.findings import Finding, SubjectKind
from domain.levels import Grade, Level
from responders import words
from responders.cases import Case, Decision, Rules
from responders.holds import (
    URGENT,
    Around,
    Hold,
    Item,
    Shelf,
    Source,
    Subject,
    Window,
    area_of,
    hold_of,
)
from responders.store.entries import add_entry
from responders.store.pool import Connection
from responders.store.queries import sql

BEIJING = ZoneInfo("Asia/Shanghai")


async def hold_now(
    connection: Connection,
    case: Case,
    category: str,
    level: Level,
    fault: str | None,
    rules: Rules,
    now: datetime,
    *,
    opened_by: UUID | None = None,
    is_new: bool = False,
) -> Hold | None:
    """Tell what holds a case's pages back; `opened_by` is the alert that is about to open it.

    One statement for a new case, and one more for a category that others may hold back.
    """
    windows = tuple(
        Window(
            row["id"],
            row["area"],
            row["category"],
            row["series"],
            row["device"],
            row["reason"],
            row["by"],
            row["starts_at"],
            row["ends_at"],
            row["persons"],
        )
        for row in await connection.fetch(sql("windows_around"), case.place, now)
    )
    shelves = () if is_new else await _shelves(connection, case.id)
    sources = await _sources(connection, case, category, rules)
    evidence: tuple[Item, ...] = ()
    if any(window.series or window.device for window in windows):
        evidence = await _evidence(connection, case.id, opened_by)
    subject = Subject(category, case.place, case.grade, level, evidence, fault is not None)
    around = Around(sources, shelves, windows)
    return hold_of(subject, around, rules.data.inhibitions, rules.data.shelvings, now)


async def _shelves(connection: Connection, incident: UUID) -> tuple[Shelf, ...]:
    return tuple(
        Shelf(row["id"], row["reason"], row["by"], row["until"], row["persons"], Grade(row["grade"]))
        for row in await connection.fetch(sql("shelves_of"), incident)
    )


async def _sources(connection: Connection, case: Case, category: str, rules: Rules) -> tuple[Source, ...]:
    own = [rule for rule in rules.data.inhibitions if category in rule.targets]
    if not own or case.grade in URGENT:
        return ()
    rows = await connection.fetch(
        sql("sources_around"),
        case.id,
        case.drill,
        [rule.source for rule in own],
        [rule.level.value for rule in own],
        [area_of(rule, case.place) for rule in own],
    )
    return tuple(
        Source(row["id"], row["category"], Level(row["level"]), row["place"], row["title"]) for row in rows
    )


async def _evidence(connection: Connection, incident: UUID, alert: UUID | None) -> tuple[Item, ...]:
    rows = await connection.fetch(sql("evidence_of_case"), incident, alert)
    findings = [one for row in rows for one in msgspec.json.decode(row["evidence"], type=tuple[Finding, ...])]
    series = sorted({one.subject for one in findings if one.subject_kind is SubjectKind.SERIES})
    devices = {
        row["id"]: row["device"] or "" for row in await connection.fetch(sql("devices_of_series"), series)
    }
    return tuple(
        Item(one.subject, devices.get(one.subject, "")) if one.subject_kind is SubjectKind.SERIES else Item()
        for one in findings
    )


async def write_hold(connection: Connection, case: Case, decision: Decision) -> bool:
    """Write down that a case is held; False when it goes on being held by the same, of which the record tells already."""
    hold = decision.hold
    if hold is None or hold == case.hold:
        return False
    until = "" if hold.until is None else f"，至 {hold.until.astimezone(BEIJING):%Y-%m-%d %H:%M}"
    await add_entry(
        connection,
        case.id,
        "held",
        f"暂缓通知（{words.HELD_BY[hold.kind]}，{hold.by}）：{hold.reason}{until}",
        detail={"kind": hold.kind, "ref": hold.ref, "reason": hold.reason, "until": hold.until},
    )
    return True


def encoded(hold: Hold | None) -> str | None:
    """Write a hold as its column keeps it."""
    return None if hold is None else encode(hold).decode()
