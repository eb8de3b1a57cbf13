"""The Chinese sentences that dispatch writes into timelines and messages; English stands in kinds and details."""

from domain.areas import AreaLevel
from domain.incidents import IncidentState, PleaKind, PleaOutcome, TaskState, Verdict
from domain.levels import Grade
from responders.cases import Reason
from responders.holds import HoldKind
from responders.pacing import Hold, Withdrawal
from responders.replies import Via

TOWER = {"township": "乡镇", "county": "县级", "city": "市级", "province": "省级"}
GRADE = {
    Grade.I: "Ⅰ级（特别重大）",
    Grade.II: "Ⅱ级（重大）",
    Grade.III: "Ⅲ级（较大）",
    Grade.IV: "Ⅳ级（一般）",
}
AREA_LEVEL = {
    AreaLevel.PROVINCE: "省级",
    AreaLevel.CITY: "市级",
    AreaLevel.COUNTY: "县级",
    AreaLevel.TOWNSHIP: "乡镇",
    AreaLevel.VILLAGE: "村（社区）",
    AreaLevel.GRID: "网格",
}
POST = {
    "": "值班室",
    "ecology-duty": "生态环境值班",
    "flood-duty": "防汛值班",
    "health-duty": "卫生健康值班",
    "stability-duty": "社会稳定值班",
    "emergency-duty": "应急值班",
    "leader": "带班领导",
}
REASON = {
    Reason.OPENED: "新事件",
    Reason.NOT_ACKNOWLEDGED: "限时内无人确认接收，升级通知",
    Reason.TOP_REPEATS: "已到最高一级仍无人确认接收，再次通知",
    Reason.GRADE_RAISED: "事件升级，重新通知",
    Reason.HALF_TIME: "任务时限过半，提醒承办单位",
    Reason.OVERDUE: "任务超时，通知上一级",
    Reason.LONG_OVERDUE: "任务严重超时，通知带班领导",
    Reason.STILL_OVERDUE: "任务仍未办结，催办",
    Reason.PLEA: "承办单位提出申请，请上级裁定",
    Reason.PLEA_ANSWERED: "申请已裁定",
    Reason.PLEA_LAPSED: "申请逾期未裁定，按默认规则处理",
    Reason.REDISPATCHED: "任务改派",
    Reason.RESUMED: "缓办到期，任务恢复",
    Reason.HAND_OVER: "交接班未签收，请签收",
    Reason.REOPENED: "事件重新打开",
    Reason.DISPATCHED: "派发任务",
    Reason.COORDINATES: "事件跨区域，请牵头联合处置",
    Reason.STEP_REPEATS: "限时内无人确认接收，再次通知",
    Reason.AWAITED: "尚未确认接收，再次通知",
    Reason.WAIVED: "其余应确认的岗位无人在岗，视为已确认接收",
    Reason.HELD: "暂缓通知",
    Reason.HOLD_OVER: "暂缓结束，通知",
    Reason.LEGAL_SOON: "法定报告时限将到，请尽快报告",
    Reason.LEGAL_MISSED: "法定报告逾期未报，通知上一级",
    Reason.WAITING: "等待确认接收",
    Reason.ACKNOWLEDGED: "已确认接收",
    Reason.ENDED: "已结束",
}

STATE = {
    IncidentState.DETECTED: "待核实",
    IncidentState.VERIFYING: "核实中",
    IncidentState.CONFIRMED: "已立案",
    IncidentState.RESPONDING: "处置中",
    IncidentState.CONTROLLED: "已控制",
    IncidentState.RECOVERING: "恢复中",
    IncidentState.CLOSED: "已结案",
    IncidentState.REVIEWED: "已复盘",
    IncidentState.FALSE_ALARM: "误报",
    IncidentState.MERGED: "已合并",
}
TASK = {
    TaskState.DISPATCHED: "已派发",
    TaskState.REFUSED: "退单待裁定",
    TaskState.SUSPENDED: "缓办",
    TaskState.ACCEPTED: "已签收",
    TaskState.ON_SITE: "已到场",
    TaskState.DONE: "已办结",
    TaskState.VERIFIED: "已核查",
    TaskState.CLOSED: "已结案",
    TaskState.RATED: "已回访",
    TaskState.CANCELLED: "已取消",
}
VERDICT = {Verdict.TRUE: "属实", Verdict.FALSE: "误报", Verdict.DUPLICATE: "重复", Verdict.DRILL: "演练"}
PLEA = {PleaKind.REFUSE: "退单", PleaKind.SUSPEND: "缓办", PleaKind.EXTEND: "延期"}
OUTCOME = {
    PleaOutcome.GRANTED: "同意",
    PleaOutcome.DENIED: "不同意",
    PleaOutcome.LAPSED: "逾期未裁定",
    PleaOutcome.MOOT: "任务已结束",
}
HELD_BY = {HoldKind.MAINTENANCE: "检修维护", HoldKind.SHELVED: "搁置", HoldKind.INHIBITED: "关联事件抑制"}
VIA = {Via.LINK: "链接", Via.SMS: "短信回复"}
DRILL = "【演练】"
HOLD = {
    Hold.THROTTLED: "短时间内通知过多，合并为一条发出",
    Hold.STORM: "事件密集，合并为一条发出",
    Hold.QUIET: "静默时段",
}
WITHDRAWAL = {
    Withdrawal.ENDED: "事件已结束",
    Withdrawal.ACKNOWLEDGED: "事件已确认接收",
    Withdrawal.SUPERSEDED: "同一事件已有更新的通知",
    Withdrawal.CLIMBED_PAST: "未能及时发出，事件早已升级到上一级",
}
REPORT = {"first": "首报", "follow_up": "续报", "final": "终报"}
CHINESE = "一二三四五六七八九十"
FORM = {"written": "书面", "phone": "电话"}
CHANNEL = {"console": "控制台", "file": "文件", "webhook": "接口"}


def mark(sentence: str) -> str:
    """Mark a sentence as a drill's, once."""
    return sentence if sentence.startswith(DRILL) else f"{DRILL}{sentence}"


def unknown_years(years: tuple[int, ...]) -> str:
    """Say that working time was reckoned without knowing the days off of some years; nothing where all are known."""
    named = "、".join(str(year) for year in years)
    return f"（{named} 年放假安排未知，按周一至周五推算）" if years else ""


def post_name(post: str) -> str:
    """Name a post in Chinese; a post that only local data knows is named by its slug."""
    return POST.get(post, post)


def channel_name(channel: str) -> str:
    """Name a channel in Chinese; one that only local data knows by its own name."""
    return CHANNEL.get(channel, channel)
