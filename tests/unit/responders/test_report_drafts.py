"""Drafts of 首报, 续报 and 终报 as whole texts: what is known is told, what is not is 待核实, and nothing is made up."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from msgspec import structs

from domain.findings import Finding, FindingState, SubjectKind
from domain.incidents import IncidentState, TaskState, Verdict
from domain.levels import Domain, Feed, Grade, Level
from responders.dues import ReportKind
from responders.reports import MOST_LINES, Paper, draft
from responders.views import AckRow, ClockRow, Entry, IncidentRow, IncidentView, Kept, ReportRow, TaskRow

START = datetime(2026, 5, 1, 15, 30, tzinfo=UTC)
"""23:30 in the county."""


def at(minutes: float) -> datetime:
    """Tell a time by the minutes since the start."""
    return START + timedelta(minutes=minutes)


ROW = IncidentRow(
    id=UUID(int=1),
    version=3,
    alert=UUID(int=2),
    category="water-pollution",
    domain=Domain.ENVIRONMENT,
    place="990101101",
    place_name="青溪镇",
    level=Level.ORANGE,
    grade=Grade.II,
    state=IncidentState.RESPONDING,
    title="水环境污染 · 青溪镇",
    opened_at=at(2),
    changed_at=at(40),
    acknowledged_at=at(5),
    acknowledged_by="示例县值班室",
    holder=None,
    next_at=None,
    step=1,
    alert_open=True,
    zh="青溪河断面氨氮超标。",
    en="Ammonia above its limit",
)
FINDING = Finding(
    id=UUID(int=3),
    detector="limits",
    detector_version=1,
    category="water-pollution",
    subject_kind=SubjectKind.SERIES,
    subject="river-1",
    area="990101101",
    feed=Feed.READINGS,
    state=FindingState.CONFIRMED,
    observed_at=START,
    received_at=START,
    period_start=START,
)


def entry(minutes: float, kind: str, text: str, actor: str = "system", **detail: object) -> Entry:
    """Make a line of the record."""
    return Entry(id=int(minutes * 10), at=at(minutes), kind=kind, actor=actor, text=text, detail=detail)


TIMELINE = (
    entry(2, "opened", "立案：青溪河断面氨氮超标"),
    entry(2, "paged", "新事件：青溪镇值班室"),
    entry(6, "decided", "研判：属实。现场可见污染带", "示例县值班室", note="现场可见污染带。"),
    entry(20, "task_on_site", "任务已到场", "青溪镇值班室"),
    entry(31, "report_made", "报送首报第1期（书面）：示例县值班室向示例市", "示例县值班室"),
    entry(45, "grade_raised", "事件升为Ⅱ级（重大），需重新确认接收"),
    entry(50, "task_done", "任务已办结。源头已封堵", "青溪镇值班室"),
)
CLOCK = ClockRow(
    clock="general",
    zh="突发事件信息报告",
    en="Emergencies in general",
    source="某省突发事件信息报告规定",
    kind="first",
    number=1,
    form="written",
    by="county",
    to="city",
    desk="示例县值班室",
    addressee="示例市人民政府",
    since=at(2),
    due_at=at(122),
    at=at(31),
    kept=Kept.MET,
)
SENT = ReportRow(
    id=UUID(int=9),
    kind="first",
    number=2,
    by="county",
    area="990101",
    area_name="示例县",
    to="city",
    form="written",
    text="…",
    digest="00",
    post="示例县值班室",
    at=at(31),
)
VIEW = IncidentView(
    row=ROW,
    zh=ROW.zh,
    en=ROW.en,
    evidence=(FINDING,),
    timeline=TIMELINE,
    tasks=(
        TaskRow(
            id=UUID(int=5),
            unit="青溪镇生态环境值班",
            state=TaskState.ON_SITE,
            dispatched_at=at(2),
            due_at=at(62),
        ),
    ),
    pleas=(),
    pages=(),
    verdict=Verdict.TRUE,
    moves=(),
    acknowledgements=(AckRow(level="county", by="示例县值班室", at=at(5), via="console"),),
)
PAPER = Paper(
    view=VIEW,
    kind=ReportKind.FIRST,
    issue=1,
    category="水环境污染",
    desk="示例县值班室",
    addressees=("示例市人民政府",),
    began_at=START,
    places=("青溪镇", "河湾镇"),
    earlier=(),
    clocks=(),
    now=at(31),
)

FIRST = """\
《青溪镇水环境污染事件信息报告》
（首报第1期）

关于青溪镇水环境污染事件的首报

示例市人民政府：
一、时间：5月1日23时30分发现，5月1日23时32分接报；发生时间待核实
二、地点：青溪镇，具体位置待核实
三、信息来源：平台预警（监测站点数据）
四、基本情况：青溪河断面氨氮超标。预警级别橙色，事件级别Ⅱ级（重大），处置中
五、人员伤亡和财产损失：待核实，核实后续报
六、影响范围：青溪镇、河湾镇；受影响人数和面积待核实
七、发展趋势：5月2日0时15分事件级别上升。预警仍在持续，趋势由现场研判，待核实
八、已采取的措施：示例县值班室5月1日23时35分确认接收；青溪镇生态环境值班承办，已到场（限5月2日0时32分）
九、联系岗位：示例县值班室

示例县值班室
2026年5月2日"""

FOLLOW_UP = """\
《青溪镇水环境污染事件信息报告》
（续报第1期）

关于青溪镇水环境污染事件的续报

示例市人民政府：
一、上次报告：5月2日0时01分首报第1期（书面）
二、上次报告以来的新情况：
　　5月2日0时15分 事件升为Ⅱ级（重大），需重新确认接收
　　5月2日0时20分 任务已办结。源头已封堵（青溪镇值班室）
三、目前情况：青溪河断面氨氮超标。预警级别橙色，事件级别Ⅱ级（重大），处置中。5月2日0时15分事件级别上升。预警已解除
四、人员伤亡和财产损失：较上次报告有无变化待核实
五、影响范围：青溪镇、河湾镇；受影响人数和面积待核实
六、已采取的措施：示例县值班室5月1日23时35分确认接收；青溪镇生态环境值班承办，已到场（限5月2日0时32分）
七、联系岗位：示例县值班室

示例县值班室
2026年5月2日"""

FINAL = """\
【演练】《青溪镇水环境污染事件信息报告》
（终报第1期）

【演练】关于青溪镇水环境污染事件的终报

示例市人民政府、示例市生态环境局：
【演练】以下内容为演练，不是真实事件。
一、时间：5月1日23时30分发现，5月1日23时32分接报；发生时间待核实
二、地点：青溪镇，具体位置待核实
三、基本情况：青溪河断面氨氮超标。预警级别橙色，事件级别Ⅱ级（重大），已控制
四、原因：研判：属实。现场可见污染带。原因待核实
五、处置经过：
　　5月1日23时32分 立案：青溪河断面氨氮超标
　　5月1日23时36分 研判：属实。现场可见污染带（示例县值班室）
　　5月1日23时50分 任务已到场（青溪镇值班室）
　　5月2日0时15分 事件升为Ⅱ级（重大），需重新确认接收
　　5月2日0时20分 任务已办结。源头已封堵（青溪镇值班室）
六、处置结果：事件已控制，预警已解除；青溪镇生态环境值班：已到场
七、人员伤亡和财产损失：待核实，请填写最终数字
八、报告时限：
　　示例县值班室向示例市人民政府首报，限5月2日1时32分，5月2日0时01分报送，按时
　　示例县值班室向示例市人民政府首报（电话），限5月2日1时32分，逾期未报
　　示例县值班室向示例市人民政府终报，随本报告报送
九、联系岗位：示例县值班室

示例县值班室
2026年5月2日"""


def test_a_first_report() -> None:
    """What, where, since when, from whom, and what is done; casualties and place are not known to the platform."""
    assert draft(PAPER).text == FIRST


def test_a_follow_up_tells_what_is_new() -> None:
    """Since the last report on the same way: nothing that it told already, and nothing about our own messages."""
    view = structs.replace(VIEW, row=structs.replace(ROW, alert_open=False))
    paper = replace(PAPER, view=view, kind=ReportKind.FOLLOW_UP, earlier=(SENT,), now=at(60))
    assert draft(paper).text == FOLLOW_UP


def test_a_final_report_of_a_drill() -> None:
    """Cause, course, outcome and limits; a drill says so in heading, title and first sentence."""
    row = structs.replace(ROW, alert_open=False, drill=True, state=IncidentState.CONTROLLED)
    clocks = (
        CLOCK,
        structs.replace(CLOCK, form="phone", at=None, kept=Kept.MISSED),
        structs.replace(CLOCK, kind="final", due_at=None, at=None, kept=Kept.WAITING),
    )
    paper = replace(
        PAPER,
        view=structs.replace(VIEW, row=row),
        kind=ReportKind.FINAL,
        addressees=("示例市人民政府", "示例市生态环境局"),
        earlier=(SENT,),
        clocks=clocks,
        now=at(60),
    )
    assert draft(paper).text == FINAL


@pytest.mark.parametrize("kind", list(ReportKind))
def test_every_draft_of_a_drill_says_so(kind: ReportKind) -> None:
    """Whoever reads only one line of it, too."""
    view = structs.replace(VIEW, row=structs.replace(ROW, drill=True))
    document = draft(replace(PAPER, view=view, kind=kind))
    assert all(
        part.startswith("【演练】") for part in (document.heading, document.title, document.paragraphs[0])
    )


def test_nothing_is_made_up_where_nothing_is_known() -> None:
    """A case without evidence, tasks or anybody who took note of it says 待核实."""
    row = structs.replace(ROW, acknowledged_at=None, acknowledged_by=None)
    bare = structs.replace(
        VIEW, row=row, evidence=(), timeline=(), tasks=(), acknowledgements=(), verdict=None
    )
    first = draft(replace(PAPER, view=bare, began_at=None, places=())).text
    for line in (
        "一、时间：5月1日23时32分接报；发生时间待核实",
        "三、信息来源：平台预警，依据待核实",
        "六、影响范围：青溪镇；受影响人数和面积待核实",
        "八、已采取的措施：待核实",
    ):
        assert line in first
    final = draft(replace(PAPER, view=bare, kind=ReportKind.FINAL)).text
    assert "四、原因：待核实\n五、处置经过：待核实\n" in final
    assert "八、报告时限：无法定时限" in final
    follow = draft(replace(PAPER, view=bare, kind=ReportKind.FOLLOW_UP, earlier=(SENT,))).text
    assert "二、上次报告以来的新情况：无新情况" in follow


def test_a_case_opened_by_hand_names_its_source() -> None:
    """An officer is a source."""
    line = entry(2, "opened_by_hand", "人工立案", "示例县值班室")
    view = structs.replace(VIEW, evidence=(), timeline=(line,))
    assert "三、信息来源：值班人员人工立案" in draft(replace(PAPER, view=view)).text


def test_a_long_course_says_what_it_leaves_out() -> None:
    """The begin and the newest are told, and how many lines are only in the record."""
    lines = tuple(entry(number, "task_on_site", f"第{number}行") for number in range(MOST_LINES + 7))
    text = draft(
        replace(PAPER, view=structs.replace(VIEW, timeline=lines), kind=ReportKind.FINAL, now=at(99))
    ).text
    assert "（此处略去7条，见事件记录）" in text
    assert text.count("行\n") == MOST_LINES
    assert "第0行" in text and f"第{MOST_LINES + 6}行" in text and "第23行" not in text
