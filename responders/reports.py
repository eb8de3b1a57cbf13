"""Drafts of 首报, 续报 and 终报 from a case as it stands: pure, in Chinese, for officers to correct and send.

What must be said stands in 国务院令493 (time, place, what happened, casualties and loss, what is done) and in 令376. The
layout is that of the usual 突发事件信息: heading, number, title, 主送, text, 落款. What nobody has said is 待核实: nothing
is made up, and of people only posts are named.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from domain.incidents import IncidentState
from domain.levels import Feed, Level
from responders import words
from responders.dues import ReportKind
from responders.views import ClockRow, Entry, IncidentView, Kept, ReportRow

SHANGHAI = ZoneInfo("Asia/Shanghai")
UNKNOWN = "待核实"
LEVEL = {Level.RED: "红色", Level.ORANGE: "橙色", Level.YELLOW: "黄色", Level.BLUE: "蓝色"}
SOURCE = {
    Feed.READINGS: "监测站点数据",
    Feed.TICKETS: "12345热线工单",
    Feed.REPORTS: "网格员上报",
    Feed.BULLETINS: "外部预警信息",
}
KEPT = {
    Kept.MET: "按时",
    Kept.LATE: "逾期",
    Kept.MISSED: "逾期未报",
    Kept.RUNNING: "时限未到",
    Kept.WAITING: "随本报告报送",
    Kept.ENDED: "不再报送",
}
INSIDE = frozenset(
    {
        "delivered",
        "page_failed",
        "page_withdrawn",
        "paged",
        "escalated",
        "held",
        "report_begun",
        "report_soon",
        "report_missed",
        "report_made",
        "review_note",
    }
)
"""Lines of the record about the platform's own messages, which no report tells of."""
MOST_LINES = 60
FIRST_LINES = 20
"""Of a longer course the first 20 lines and the last 40 are drafted; the rest is said to be in the record."""


@dataclass(frozen=True, slots=True)
class Paper:
    """What a draft is made from: the case, who reports to whom, and what they said before (oldest first)."""

    view: IncidentView
    kind: ReportKind
    issue: int
    category: str
    desk: str
    addressees: tuple[str, ...]
    began_at: datetime | None
    places: tuple[str, ...]
    earlier: tuple[ReportRow, ...]
    clocks: tuple[ClockRow, ...]
    now: datetime


@dataclass(frozen=True, slots=True)
class Document:
    """A report by its parts; `text` is the whole of it."""

    heading: str
    issue: str
    title: str
    addressee: str
    paragraphs: tuple[str, ...]
    desk: str
    date: str

    @property
    def text(self) -> str:
        """Write it as plain text."""
        return "\n".join(
            (
                self.heading,
                self.issue,
                "",
                self.title,
                "",
                f"{self.addressee}：",
                *self.paragraphs,
                "",
                self.desk,
                self.date,
            )
        )


def draft(paper: Paper) -> Document:
    """Draft a report; a drill's says so in its heading, its title and its first sentence."""
    body = {
        ReportKind.FIRST: _first,
        ReportKind.FOLLOW_UP: _follow_up,
        ReportKind.FINAL: _final,
    }[paper.kind](paper)
    drill = paper.view.row.drill
    name = f"{paper.view.row.place_name}{paper.category}"
    kind = words.REPORT[paper.kind]
    mark = words.mark if drill else str
    paragraphs = [f"{words.CHINESE[number]}、{title}：{said}" for number, (title, said) in enumerate(body)]
    if drill:
        paragraphs.insert(0, words.mark("以下内容为演练，不是真实事件。"))
    return Document(
        heading=mark(f"《{name}事件信息报告》"),
        issue=f"（{kind}第{paper.issue}期）",
        title=mark(f"关于{name}事件的{kind}"),
        addressee="、".join(paper.addressees),
        paragraphs=tuple(paragraphs),
        desk=paper.desk,
        date=f"{paper.now.astimezone(SHANGHAI):%Y年%-m月%-d日}",
    )


Body = list[tuple[str, str]]


def _first(paper: Paper) -> Body:
    return [
        ("时间", _time(paper)),
        ("地点", f"{paper.view.row.place_name}，具体位置{UNKNOWN}"),
        ("信息来源", _source(paper)),
        ("基本情况", _what(paper)),
        ("人员伤亡和财产损失", f"{UNKNOWN}，核实后续报"),
        ("影响范围", _area(paper)),
        ("发展趋势", _trend(paper)),
        ("已采取的措施", _measures(paper)),
        ("联系岗位", paper.desk),
    ]


def _follow_up(paper: Paper) -> Body:
    return [
        ("上次报告", _last(paper)),
        ("上次报告以来的新情况", _new(paper)),
        ("目前情况", f"{_what(paper)}。{_trend(paper)}"),
        ("人员伤亡和财产损失", f"较上次报告有无变化{UNKNOWN}"),
        ("影响范围", _area(paper)),
        ("已采取的措施", _measures(paper)),
        ("联系岗位", paper.desk),
    ]


def _final(paper: Paper) -> Body:
    return [
        ("时间", _time(paper)),
        ("地点", f"{paper.view.row.place_name}，具体位置{UNKNOWN}"),
        ("基本情况", _what(paper)),
        ("原因", _cause(paper)),
        ("处置经过", _lines(_told(paper.view.timeline))),
        ("处置结果", _outcome(paper)),
        ("人员伤亡和财产损失", f"{UNKNOWN}，请填写最终数字"),
        ("报告时限", _limits(paper)),
        ("联系岗位", paper.desk),
    ]


def _time(paper: Paper) -> str:
    """The time of the event itself is known to nobody but those who saw it."""
    seen = "" if paper.began_at is None else f"{local(paper.began_at)}发现，"
    return f"{seen}{local(paper.view.row.opened_at)}接报；发生时间{UNKNOWN}"


def _source(paper: Paper) -> str:
    feeds = {finding.feed for finding in paper.view.evidence}
    told = [name for feed, name in SOURCE.items() if feed in feeds]
    if told:
        return f"平台预警（{'、'.join(told)}）"
    by_hand = any(entry.kind == "opened_by_hand" for entry in paper.view.timeline)
    return "值班人员人工立案" if by_hand else f"平台预警，依据{UNKNOWN}"


def _what(paper: Paper) -> str:
    row = paper.view.row
    said = row.zh.rstrip("。")
    return f"{said}。预警级别{LEVEL[row.level]}，事件级别{words.GRADE[row.grade]}，{words.STATE[row.state]}"


def _area(paper: Paper) -> str:
    places = dict.fromkeys((*paper.places, *(party.area_name for party in paper.view.parties)))
    named = "、".join(places) or paper.view.row.place_name
    return f"{named}；受影响人数和面积{UNKNOWN}"


def _trend(paper: Paper) -> str:
    """Say what the platform sees, which is not what will come."""
    graver = [entry for entry in paper.view.timeline if entry.kind == "grade_raised"]
    rose = f"{local(graver[-1].at)}事件级别上升。" if graver else ""
    if not paper.view.row.alert_open:
        return f"{rose}预警已解除"
    return f"{rose}预警仍在持续，趋势由现场研判，{UNKNOWN}"


def _measures(paper: Paper) -> str:
    view = paper.view
    done = [f"{ack.by}{local(ack.at)}确认接收" for ack in view.acknowledgements]
    if not done and view.row.acknowledged_by and view.row.acknowledged_at:
        done.append(f"{view.row.acknowledged_by}{local(view.row.acknowledged_at)}确认接收")
    done += [f"{task.unit}承办，{words.TASK[task.state]}（限{local(task.due_at)}）" for task in view.tasks]
    if view.coordinator is not None:
        done.append("已启动联合处置")
    return "；".join(done) or UNKNOWN


def _last(paper: Paper) -> str:
    if not paper.earlier:
        return "无"
    last = paper.earlier[-1]
    issue = sum(one.kind == last.kind for one in paper.earlier)
    return f"{local(last.at)}{words.REPORT[last.kind]}第{issue}期（{words.FORM[last.form]}）"


def _new(paper: Paper) -> str:
    since = paper.earlier[-1].at if paper.earlier else None
    entries = [entry for entry in _told(paper.view.timeline) if since is None or entry.at > since]
    return _lines(entries) if entries else "无新情况"


def _told(timeline: Iterable[Entry]) -> list[Entry]:
    return [entry for entry in timeline if entry.kind not in INSIDE]


def _lines(entries: Sequence[Entry]) -> str:
    lines = [f"\n　　{local(entry.at)} {entry.text.rstrip('。')}{_by(entry)}" for entry in entries]
    left = len(lines) - MOST_LINES
    if left > 0:
        lines = [
            *lines[:FIRST_LINES],
            f"\n　　（此处略去{left}条，见事件记录）",
            *lines[FIRST_LINES - MOST_LINES :],
        ]
    return "".join(lines) or UNKNOWN


def _by(entry: Entry) -> str:
    return "" if entry.actor == "system" else f"（{entry.actor}）"


def _cause(paper: Paper) -> str:
    verdict = paper.view.verdict
    notes = [
        str(entry.detail["note"]).rstrip("。")
        for entry in paper.view.timeline
        if entry.kind == "decided" and entry.detail.get("note")
    ]
    judged = "" if verdict is None else f"研判：{words.VERDICT[verdict]}"
    said = "。".join(part for part in (judged, *notes[-1:]) if part)
    return f"{said}。原因{UNKNOWN}" if said else UNKNOWN


def _outcome(paper: Paper) -> str:
    view = paper.view
    tasks = [f"{task.unit}：{words.TASK[task.state]}" for task in view.tasks]
    over = "预警仍在持续" if view.row.alert_open else "预警已解除"
    state = "误报" if view.row.state is IncidentState.FALSE_ALARM else words.STATE[view.row.state]
    return "；".join((f"事件{state}，{over}", *tasks))


def _limits(paper: Paper) -> str:
    lines = []
    for clock in paper.clocks:
        due = "" if clock.due_at is None else f"，限{local(clock.due_at)}"
        at = "" if clock.at is None else f"，{local(clock.at)}报送"
        form = "（电话）" if clock.form == "phone" else ""
        lines.append(
            f"\n　　{clock.desk}向{clock.addressee}{words.REPORT[clock.kind]}{form}{due}{at}，{KEPT[clock.kept]}"
        )
    return "".join(lines) or "无法定时限"


def local(at: datetime) -> str:
    """Write a time as officials do, in Asia/Shanghai."""
    return f"{at.astimezone(SHANGHAI):%-m月%-d日%-H时%M分}"
