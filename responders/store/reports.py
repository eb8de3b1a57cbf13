"""Reports that the law asks for, in SQL: drafted, made once for each request id, and kept as they were made."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

import msgspec
from msgspec import Struct

from config.clocks import RANK
from domain.codec import encode
from domain.errors import Conflict, Fault, InvalidInput, NotAllowed, NotFound
from domain.identity import derived_id
from domain.incidents import IncidentState
from responders import legal, words
from responders.cases import Rules
from responders.dues import Due, Made, ReportKind, area_of, levels_of
from responders.reports import Document, draft
from responders.store import console
from responders.store.clocks import catch_up
from responders.store.console import Actor, find_actor, read_row
from responders.store.drafts import paper_of
from responders.store.dues import changed, names_for, put_dues, read_dues
from responders.store.entries import Notes, flush, name_of
from responders.store.held import Held, answered, entry, hold
from responders.store.pool import Connection, Database, Record
from responders.store.queries import sql
from responders.store.registry import county_now
from responders.views import ClockRow, IncidentRow, ReportRow, Viewer

MOST_CHARACTERS = 10_000
"""The longest report; the request that carries it may have 64 KiB, six bytes for each character."""


@dataclass(frozen=True, slots=True)
class Written:
    """A report in an officer's words, to a level above; a `phone` one tells what was said."""

    kind: ReportKind
    to: str
    form: str
    text: str


class Draft(Struct, frozen=True, kw_only=True):
    """What the platform would write; `issue` (期) counts the reports of a kind on one way, from `by` to `to`."""

    kind: str
    issue: int
    by: str
    to: str
    text: str


class ReportsView(Struct, frozen=True, kw_only=True):
    """The reports of a case: what it owes, drafts for the viewer's own level, and what was made."""

    owed: tuple[ClockRow, ...]
    drafts: tuple[Draft, ...]
    versions: tuple[ReportRow, ...]


class Reports:
    """The store's methods for reports; each is one transaction. NotFound outside the viewer's area."""

    def __init__(self, database: Database) -> None:
        """Share the store's pool."""
        self._database = database

    async def show(self, viewer: Viewer, incident: UUID, rules: Rules) -> ReportsView:
        """Show what a case owes, with drafts of what the viewer's level owes now, and what was made."""
        return await self._database.read(_show, viewer, incident, rules)

    async def draft(
        self, viewer: Viewer, incident: UUID, kind: ReportKind, to: str, rules: Rules
    ) -> tuple[IncidentRow, Document]:
        """Draft one report of the viewer's level to a level above; InvalidInput where there is no such report."""
        return await self._database.read(_draft, viewer, incident, kind, to, rules)

    async def version(
        self, viewer: Viewer, incident: UUID, kind: ReportKind, number: int
    ) -> tuple[IncidentRow, ReportRow]:
        """Show a report as it was made."""
        return await self._database.read(_version, viewer, incident, kind, number)

    async def submit(
        self, viewer: Viewer, incident: UUID, written: Written, request_id: UUID, rules: Rules
    ) -> ReportRow:
        """Keep a report as it is made now; it answers all clocks that ask the viewer's level for it.

        One that no clock asks for is kept as well, such as a correction; a drill's is marked as one. InvalidInput with
        every fault; NotAllowed where another level owes it; Conflict for a follow-up or a final report before the first,
        and for a merged case.
        """
        return await self._database.run(_submit, viewer, incident, written, request_id, rules)


async def _show(connection: Connection, viewer: Viewer, incident: UUID, rules: Rules) -> ReportsView:
    actor = await find_actor(connection, viewer)
    view = await console.incident(connection, viewer, incident)
    versions = await _versions(connection, incident)
    dues = (await read_dues(connection, {incident}))[incident]
    own = levels_of(actor.area)
    wanted = dict.fromkeys((due.kind, due.to) for due in dues if due.by in own and due.is_owed)
    drafts = []
    for kind, to in wanted:
        paper = await paper_of(connection, view, actor, dues, versions, kind, to, rules)
        text = draft(paper).text
        drafts.append(Draft(kind=kind, issue=paper.issue, by=own[-1], to=to, text=text))
    return ReportsView(owed=view.clocks, drafts=tuple(drafts), versions=versions)


async def _draft(
    connection: Connection, viewer: Viewer, incident: UUID, kind: ReportKind, to: str, rules: Rules
) -> tuple[IncidentRow, Document]:
    actor = await find_actor(connection, viewer)
    view = await console.incident(connection, viewer, incident)
    dues = (await read_dues(connection, {incident}))[incident]
    if faults := _route_faults(actor, to, dues):
        raise InvalidInput(faults)
    versions = await _versions(connection, incident)
    paper = await paper_of(connection, view, actor, dues, versions, kind, to, rules)
    return view.row, draft(paper)


async def _version(
    connection: Connection, viewer: Viewer, incident: UUID, kind: ReportKind, number: int
) -> tuple[IncidentRow, ReportRow]:
    actor = await find_actor(connection, viewer)
    row = await read_row(connection, incident, actor.area)
    for one in await _versions(connection, incident):
        if (one.kind, one.number) == (kind, number):
            return row, one
    raise NotFound("没有这份报告。 There is no such report.")


async def _versions(connection: Connection, incident: UUID) -> tuple[ReportRow, ...]:
    return tuple(_row(row) for row in await connection.fetch(sql("versions_of"), incident))


def _row(row: Record) -> ReportRow:
    return msgspec.convert(dict(row), ReportRow)


async def _submit(
    connection: Connection, viewer: Viewer, incident: UUID, written: Written, request_id: UUID, rules: Rules
) -> ReportRow:
    held = await hold(connection, viewer, incident)
    action = f"report:{written.kind}:{written.to}:{written.form}"
    if answer := await answered(connection, request_id, held.actor, action, incident, ReportRow):
        return answer
    notes: Notes = [("incident", str(incident), held.row["place"])]
    await catch_up(connection, incident, rules, notes)
    dues = (await read_dues(connection, {incident}))[incident]
    own = levels_of(held.actor.area)
    if faults := [*_route_faults(held.actor, written.to, dues), *_text_faults(written)]:
        raise InvalidInput(faults)
    versions = await _versions(connection, incident)
    await _require_turn(connection, held, own, written, dues, versions)
    now = await county_now(connection)
    made = Made(by=own, to=written.to, kind=written.kind, form=written.form, at=now)
    answers = [due for due in dues if due.is_owed and made.answers(due)]
    await put_dues(connection, changed(dues, legal.report(dues, made)))
    text = words.mark(written.text) if held.row["drill"] else written.text
    digest = sha256(text.encode()).digest()
    number = await connection.fetchval(
        sql("add_version"),
        derived_id("case_report", request_id),
        incident,
        written.kind.value,
        own[-1],
        held.actor.area,
        written.to,
        written.form,
        text,
        digest,
        held.actor.id,
        held.actor.display,
    )
    to_area = area_of(written.to, held.row["place"])
    to_name = await name_of(connection, to_area) if to_area else "国家有关部门"
    late = [due for due in answers if due.missed_at is not None]
    await entry(
        connection,
        held,
        "report_made",
        f"报送{words.REPORT[written.kind]}第{number}期（{words.FORM[written.form]}）：{held.actor.display}向{to_name}"
        + ("，已逾期" if late else ""),
        report=written.kind,
        number=number,
        by=own[-1],
        to=written.to,
        form=written.form,
        digest=digest.hex(),
        answers=[[due.clock, due.number] for due in answers],
        late=[[due.clock, due.number] for due in late],
    )
    return await _finish(connection, held, action, request_id, written.kind, number, notes)


async def _finish(
    connection: Connection,
    held: Held,
    action: str,
    request_id: UUID,
    kind: ReportKind,
    number: int,
    notes: Notes,
) -> ReportRow:
    versions = await _versions(connection, held.id)
    answer = next(one for one in versions if (one.kind, one.number) == (kind, number))
    await connection.execute(sql("touch_incident"), held.id)
    await connection.execute(
        sql("add_request"), request_id, held.actor.id, action, held.id, encode(answer).decode()
    )
    await flush(connection, notes)
    return answer


def _route_faults(actor: Actor, to: str, dues: Sequence[Due]) -> list[Fault]:
    """Say why people of an area cannot report to a level."""
    own = levels_of(actor.area)
    if not own:
        raise NotAllowed(
            "信息由乡镇及以上值班岗位报送。 Posts of townships and of levels above them make reports."
        )
    asked = any(due.by in own and due.to == to for due in dues)
    if to not in RANK or (RANK[to] <= RANK[own[-1]] and not asked):
        above = ", ".join(level for level, rank in RANK.items() if rank > RANK[own[-1]])
        return [Fault("to", f"must be a level above yours: {above}")]
    return []


def _text_faults(written: Written) -> list[Fault]:
    faults = []
    if written.form not in words.FORM:
        faults.append(Fault("form", f"must be one of {', '.join(words.FORM)}"))
    elif written.form == "phone" and written.kind is not ReportKind.FIRST:
        faults.append(Fault("form", "must be written: only a first report may be made by phone"))
    if not written.text.strip():
        faults.append(Fault("text", "is missing"))
    elif len(written.text) > MOST_CHARACTERS:
        faults.append(
            Fault("text", f"has {len(written.text)} characters, {MOST_CHARACTERS} are the most there may be")
        )
    if "\x00" in written.text:
        faults.append(Fault("text", "holds a NUL character, which no paper can show"))
    return faults


async def _require_turn(
    connection: Connection,
    held: Held,
    own: Sequence[str],
    written: Written,
    dues: Sequence[Due],
    versions: Sequence[ReportRow],
) -> None:
    """Raise where another level owes this report, or the first one was not made yet."""
    if held.state is IncidentState.MERGED:
        raise Conflict(
            "事件已并入其他事件，请在该事件中报送。 The incident was merged; report in the other one."
        )
    place = held.row["place"]
    same = [due for due in dues if due.kind is written.kind and due.to == written.to]
    if same and not any(due.by in own for due in same):
        who = (await names_for(connection, [place])).route(same[0], place)
        raise NotAllowed(
            f"应由{who}报送。 The {same[0].by} owes this report, which people of that level make."
        )
    begun = any(
        one.kind == ReportKind.FIRST and one.area == held.actor.area and one.to == written.to
        for one in versions
    )
    if written.kind is not ReportKind.FIRST and not begun:
        raise Conflict("尚未报送首报。 The first report has not been made.")
