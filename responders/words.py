"""The Chinese sentences that dispatch writes into timelines and messages; English stands in kinds and details."""

from domain.areas import AreaLevel
from domain.incidents import IncidentState, PleaKind, PleaOutcome, TaskState, Verdict
from domain.levels import Grade
from responders.cases import Reason
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
    Reason.PLEA: "承办单位提出申请，请上级裁定",
    Reason.PLEA_ANSWERED: "申请已裁定",
    Reason.PLEA_LAPSED: "申请逾期未裁定，按默认规则处理",
    Reason.REDISPATCHED: "任务改派",
    Reason.RESUMED: "缓办到期，任务恢复",
    Reason.HAND_OVER: "交接班未签收，请签收",
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
VIA = {Via.LINK: "链接", Via.SMS: "短信回复"}
DRILL = "【演练】"
CHANNEL = {"console": "控制台", "file": "文件", "webhook": "接口"}


def mark(sentence: str) -> str:
    """Mark a sentence as a drill's, once."""
    return sentence if sentence.startswith(DRILL) else f"{DRILL}{sentence}"


def post_name(post: str) -> str:
    """Name a post in Chinese; a post that only local data knows is named by its slug."""
    return POST.get(post, post)


def channel_name(channel: str) -> str:
    """Name a channel in Chinese; one that only local data knows by its own name."""
    return CHANNEL.get(channel, channel)
