"""Logs of days (值班日志) and special reports (信息专报): what they hold, and the first draft of a report. Pure."""

from collections.abc import Iterator
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import Struct

from domain.errors import Fault
from domain.incidents import IncidentState, PageState, TaskState
from domain.inputs import AwareTime
from domain.levels import Grade, Level
from responders import words
from responders.views import IncidentView, Kept

BEIJING = ZoneInfo("Asia/Shanghai")
MOST_CHARACTERS = 20_000
"""Of one part of a special report: some ten pages."""
MOST_TITLE, MOST_NOTE = 100, 2_000
MOST_MEASURES = 12
"""Lines of the record that a draft begins with, the newest: the officer keeps what matters."""
MEASURES = frozenset(
    {"acknowledged", "graded", "moved", "party_joined", "report_made"}
    | {"task_dispatched", "task_accepted", "task_on_site", "task_done"}
)
"""Kinds of lines that tell what somebody did."""
UNDONE = (TaskState.DISPATCHED, TaskState.REFUSED, TaskState.ACCEPTED, TaskState.ON_SITE, TaskState.SUSPENDED)


class DayShift(Struct, frozen=True, kw_only=True):
    """Somebody's duty that reaches into the day, by the post's name."""

    post: str
    display: str
    starts_at: AwareTime
    ends_at: AwareTime


class DayHandOver(Struct, frozen=True, kw_only=True):
    """A hand-over of the day, signed or not."""

    post: str
    at: AwareTime
    outgoing: tuple[str, ...]
    incoming: tuple[str, ...]
    signed_at: AwareTime | None
    signed_by: str | None
    remark: str


class DayCase(Struct, frozen=True, kw_only=True):
    """A case that was open on the day; `entries` counts the day's lines of its record."""

    id: UUID
    title: str
    place_name: str
    level: Level
    grade: Grade
    state: IncidentState
    drill: bool
    opened_at: AwareTime
    acknowledged_at: AwareTime | None
    acknowledged_by: str | None
    ended_at: AwareTime | None
    is_new: bool
    entries: int


class DayPages(Struct, frozen=True, kw_only=True):
    """How many pages over a channel came to a state."""

    channel: str
    state: PageState
    count: int


class DayReport(Struct, frozen=True, kw_only=True):
    """A report that the law asks for and that was made on the day."""

    title: str
    kind: str
    number: int
    to: str
    form: str
    post: str
    at: AwareTime


class DayNote(Struct, frozen=True, kw_only=True):
    """What an officer noted."""

    id: UUID
    at: AwareTime
    text: str
    post: str


class DayRecord(Struct, frozen=True, kw_only=True):
    """The log of a day of Asia/Shanghai of an area; what is signed, without the signatures."""

    area: str
    area_name: str
    day: date
    shifts: tuple[DayShift, ...]
    hand_overs: tuple[DayHandOver, ...]
    cases: tuple[DayCase, ...]
    pages: tuple[DayPages, ...]
    reports: tuple[DayReport, ...]
    missed: int
    notes: tuple[DayNote, ...]


class Signature(Struct, frozen=True, kw_only=True):
    """A signature under a log: by which post, over which content (SHA-256 of the record)."""

    number: int
    post: str
    at: AwareTime
    remark: str
    digest: str


class DayLog(Struct, frozen=True, kw_only=True):
    """A log with its signatures, as it stands at a moment; `digest` is that of the record now."""

    record: DayRecord
    digest: str
    at: AwareTime
    signatures: tuple[Signature, ...]

    @property
    def unchanged(self) -> bool:
        """Say whether nothing was added since it was last signed."""
        return bool(self.signatures) and self.signatures[-1].digest == self.digest


class SpecialText(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The text of a special report: what happened, what was done, what comes next."""

    title: str
    situation: str
    measures: str
    next: str


class SpecialReport(Struct, frozen=True, kw_only=True):
    """A special report in its newest version; `number` of `year` once it was issued."""

    id: UUID
    area: str
    area_name: str
    incident: UUID | None
    drill: bool
    created_at: AwareTime
    year: int | None
    number: int | None
    issued_at: AwareTime | None
    version: int
    title: str
    situation: str
    measures: str
    next: str
    post: str
    written_at: AwareTime


def text_faults(text: SpecialText) -> Iterator[Fault]:
    """Find what is wrong with a text before it is kept."""
    if not text.title.strip():
        yield Fault("title", "不能为空。 must not be empty")
    for name in SpecialText.__struct_fields__:
        most = MOST_TITLE if name == "title" else MOST_CHARACTERS
        if len(getattr(text, name)) > most:
            yield Fault(name, f"最多 {most} 字。 must have {most} characters or fewer")


def blank_text() -> SpecialText:
    """Begin a report of a theme."""
    return SpecialText(title="", situation="", measures="", next="")


def draft_text(view: IncidentView) -> SpecialText:
    """Begin a report of a case from its record: an officer corrects it before anybody else reads it."""
    row = view.row
    opened = _told(row.opened_at)
    what = row.title.removeprefix(words.DRILL).partition(" · ")[0]
    situation = [f"{opened}，{row.place_name}发现{what}。{_sentence(view.zh)}"]
    situation.append(f"事件级别为{words.GRADE[row.grade]}，目前{words.STATE[row.state]}。")
    if view.parties:
        situation.append(f"参加联合处置的有{'、'.join(party.area_name for party in view.parties)}。")
    done = [entry for entry in view.timeline if entry.kind in MEASURES][-MOST_MEASURES:]
    measures = [
        f"{_told(entry.at)}，{'系统' if entry.actor == 'system' else entry.actor}：{_sentence(entry.text)}"
        for entry in done
    ]
    coming = [
        f"{task.unit}继续办理任务，时限{_told(task.due_at)}。" for task in view.tasks if task.state in UNDONE
    ]
    coming += [
        f"{clock.desk}于{_told(clock.due_at)}前向{clock.addressee}报送{words.REPORT[clock.kind]}。"
        for clock in view.clocks
        if clock.kept is Kept.RUNNING and clock.due_at is not None
    ]
    title = f"关于{row.place_name}{what}的情况"
    return SpecialText(
        title=words.mark(title) if row.drill else title,
        situation="\n".join(situation),
        measures="\n".join(measures),
        next="\n".join(coming),
    )


def _sentence(text: str) -> str:
    """End a sentence as one ends."""
    return text if not text or text.endswith(("。", "！", "？")) else f"{text}。"


def _told(at: datetime) -> str:
    local = at.astimezone(BEIJING)
    return f"{local.month}月{local.day}日{local.hour}时{local.minute:02d}分"
