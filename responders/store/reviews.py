"""Reviews in SQL: what the record holds of cases and drills, within the viewer's area, and the notes that are left."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from domain.areas import is_area_code
from domain.errors import Conflict, Fault, InvalidInput, NotFound
from domain.incidents import IncidentState
from responders import drills, expected, lessons, words
from responders.drills import SHANGHAI, DrillRow, Played, ShownStep
from responders.expected import Expected
from responders.lessons import NOTE, NewNote, NoteKind
from responders.review import CaseFile, CaseReview, ReportClock, ReviewPage, review
from responders.store.console import find_actor, read_row, task_view
from responders.store.drills import played_of
from responders.store.dues import show_clocks
from responders.store.entries import add_entry, name_of
from responders.store.held import answered, finish, hold
from responders.store.pool import Connection, Database, Record
from responders.store.queries import sql
from responders.store.registry import county_now
from responders.views import Entry, IncidentRow, Kept, Viewer

MOST_DRILLS = 200
MOST_EARLIER = 20
"""Earlier drills of a scenario that a review is compared with, the newest."""


class DrillReview(Struct, frozen=True, kw_only=True):
    """The review of a drill: its steps, what was expected and came of it, and the reviews of its cases."""

    drill: DrillRow
    goal_zh: str
    goal_en: str
    at: datetime
    steps: tuple[ShownStep, ...]
    expected: tuple[Expected, ...]
    cases: tuple[CaseReview, ...]
    alerts: dict[str, str]
    """The scenario's alerts by their names, each with the title of its case."""


class Reviews:
    """The store's methods for reviews. Without a viewer it is the platform's operator, who sees everything."""

    def __init__(self, database: Database) -> None:
        """Share the store's pool."""
        self._database = database

    async def drills(self, viewer: Viewer | None = None, limit: int = MOST_DRILLS) -> list[DrillRow]:
        """List drills in the viewer's area or around it, newest first, at most 200."""
        return await self._database.read(_drills, viewer, limit)

    async def drill(self, drill: UUID, viewer: Viewer | None = None) -> DrillReview:
        """Review a drill as it stands, with the cases that the viewer may see; NotFound outside the area."""
        return await self._database.read(_drill, drill, viewer)

    async def case(self, incident: UUID, viewer: Viewer | None = None) -> CaseReview:
        """Review a case as it stands, a drill's or a real one; NotFound outside the area."""
        return await self._database.read(_case, incident, viewer)

    async def drill_of(self, incident: UUID) -> UUID | None:
        """Name the drill of a case; None for real ones."""
        return await self._database.read(_drill_of, incident)

    async def note(self, viewer: Viewer, incident: UUID, note: NewNote, request_id: UUID) -> IncidentRow:
        """Add a note to a case's review; InvalidInput with every objection, Conflict for a case that went into another.

        As with every command, the same `request_id` again changes nothing.
        """
        return await self._database.run(_note, viewer, incident, note, request_id)


async def _area(connection: Connection, viewer: Viewer | None) -> str:
    return "" if viewer is None else (await find_actor(connection, viewer)).area


async def _drills(connection: Connection, viewer: Viewer | None, limit: int) -> list[DrillRow]:
    area = await _area(connection, viewer)
    rows = await connection.fetch(sql("drill_rows"), area, max(0, min(limit, MOST_DRILLS)), None)
    return [_drill_row(row) for row in rows]


def _drill_row(row: Record) -> DrillRow:
    return msgspec.convert(dict(row), DrillRow)


async def _case(connection: Connection, incident: UUID, viewer: Viewer | None) -> CaseReview:
    area = await _area(connection, viewer)
    return review(await _file(connection, incident, area), await county_now(connection))


async def _drill_of(connection: Connection, incident: UUID) -> UUID | None:
    found: UUID | None = await connection.fetchval(sql("drill_of_case"), incident)
    return found


async def _file(connection: Connection, incident: UUID, area: str) -> CaseFile:
    """Read what is known of a case; NotFound outside the area."""
    row = await read_row(connection, incident, area)
    return CaseFile(
        row=row,
        timeline=await _timeline(connection, incident),
        tasks=tuple(task_view(task) for task in await connection.fetch(sql("review_tasks"), incident)),
        pages=tuple(
            msgspec.convert(dict(page), ReviewPage)
            for page in await connection.fetch(sql("review_pages"), incident)
        ),
        reports=await _reports(connection, row),
    )


async def _reports(connection: Connection, row: IncidentRow) -> tuple[ReportClock, ...] | None:
    """Tell which reports had limits, and when they were made; None where the law asks for none. What lapsed is left out."""
    clocks = await show_clocks(connection, row.id, row.place)
    reports = [
        ReportClock(
            zh=f"{clock.desk}{words.REPORT[clock.kind]}（报{clock.addressee}，{words.FORM[clock.form]}）",
            en=f"{clock.kind} report, {clock.by} to {clock.to}, {clock.form}",
            due_at=clock.due_at,
            at=clock.at,
        )
        for clock in clocks
        if clock.due_at is not None and clock.kept is not Kept.ENDED
    ]
    return tuple(reports) or None


async def _timeline(connection: Connection, incident: UUID) -> tuple[Entry, ...]:
    return tuple(
        msgspec.convert({**line, "detail": msgspec.json.decode(line["detail"])}, Entry)
        for line in await connection.fetch(sql("timeline"), incident)
    )


async def _drill(connection: Connection, drill: UUID, viewer: Viewer | None) -> DrillReview:
    area = await _area(connection, viewer)
    rows = await connection.fetch(sql("drill_rows"), area, 1, drill)
    record = await connection.fetchrow(sql("drill_record"), drill)
    if not rows or record is None:
        raise NotFound("没有这次演练，或不在您的辖区。 There is no such drill in your area.")
    row, played = _drill_row(rows[0]), played_of(record)
    now = await county_now(connection)
    present = await _files(connection, drill, area)
    came = await _expected(connection, played, present, now, over=row.over)
    earlier = []
    arguments = (row.scenario, row.county, row.starts_at, MOST_EARLIER)
    for one in await connection.fetch(sql("earlier_drills"), *arguments):
        before = await connection.fetchrow(sql("drill_record"), one["id"])
        if before is not None:
            files = await _files(connection, one["id"], area)
            earlier.append(await _expected(connection, played_of(before), files, now, over=True))
    names = _names(played)
    return DrillReview(
        drill=row,
        goal_zh=played.scenario.goal_zh,
        goal_en=played.scenario.goal_en,
        at=now,
        steps=await _steps(connection, played),
        expected=expected.compare(came, earlier),
        cases=tuple(review(file, now) for file in {one.row.id: one for one in present.values()}.values()),
        alerts={names[alert]: file.row.title for alert, file in present.items() if alert in names},
    )


def _names(played: Played) -> dict[UUID, str]:
    """Name the alerts of a drill as its scenario does."""
    names = {step.alert for step in played.scenario.step if step.alert is not None}
    return {drills.alert_id_of(played.id, name): name for name in sorted(names)}


async def _files(connection: Connection, drill: UUID, area: str) -> dict[UUID, CaseFile]:
    """Read the cases of a drill's alerts, by alert; several alerts may share one."""
    files: dict[UUID, CaseFile] = {}
    found: dict[UUID, CaseFile] = {}
    for case in await connection.fetch(sql("drill_cases"), drill, area):
        incident = case["incident"]
        if incident not in files:
            files[incident] = await _file(connection, incident, area)
        found[case["alert"]] = files[incident]
    return found


async def _expected(
    connection: Connection, played: Played, files: Mapping[UUID, CaseFile], now: datetime, *, over: bool
) -> tuple[Expected, ...]:
    names = _names(played)
    began = {
        names[step["alert"]]: step["acted_at"]
        for step in await connection.fetch(sql("drill_steps"), played.id)
        if step["version"] == 1 and step["acted_at"] is not None
    }
    by_name = {names[alert]: file for alert, file in files.items() if alert in names}
    return expected.expect(played.scenario.expect, began, by_name, now, over=over)


async def _steps(connection: Connection, played: Played) -> tuple[ShownStep, ...]:
    places = {played.county, *played.places.values()}
    names = {place: await name_of(connection, place) for place in sorted(places)}
    shown = []
    for row in await connection.fetch(sql("drill_steps"), played.id):
        step = played.scenario.step[row["number"]]
        shown.append(
            ShownStep(
                number=row["number"],
                minute=step.minute,
                zh=drills.say(step.zh, played, names),
                en=drills.say(step.en, played, names),
                place=names[drills.area_of(played, step)],
                alert=step.alert,
                over=step.over,
                silent=step.silent,
                due_at=row["due_at"],
                acted_at=row["acted_at"],
            )
        )
    return tuple(shown)


async def _note(
    connection: Connection, viewer: Viewer, incident: UUID, note: NewNote, request_id: UUID
) -> IncidentRow:
    held = await hold(connection, viewer, incident)
    action = f"review:{note.kind.value}"
    if answer := await answered(connection, request_id, held.actor, action, incident, IncidentRow):
        return answer
    if held.state is IncidentState.MERGED:
        raise Conflict(
            "事件已合并，请在合并后的事件中记录。 It went into another case; take the notes there."
        )
    now = await county_now(connection)
    points = lessons.points_of(await _timeline(connection, incident))
    faults = lessons.objections(note, points, now.astimezone(SHANGHAI).date())
    if note.area and not (
        is_area_code(note.area) and await connection.fetchval(sql("place_name"), note.area)
    ):
        faults.append(Fault("area", "没有这个区域。 There is no such area."))
    if faults:
        raise InvalidInput(faults)
    owner = f"{await name_of(connection, note.area)}{words.post_name(note.post)}" if note.area else ""
    text = f"{lessons.WORDS[note.kind]}：{note.text.strip()}"
    if note.kind is NoteKind.POINT:
        text = f"{text}（{owner}，{note.due}前）"
    detail = {
        "kind": note.kind,
        "text": note.text.strip(),
        "owner": owner,
        "area": note.area,
        "post": note.post,
        "due": note.due,
        "settles": note.settles,
    }
    who = held.actor
    await add_entry(connection, held.id, NOTE, text, actor=who.display, user=who.id, detail=detail)
    return await finish(connection, held, request_id, action)
