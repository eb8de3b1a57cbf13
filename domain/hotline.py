"""What a 12345 order says of itself besides its words: closed sets, each value with what platforms call it in Chinese."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self

from msgspec import Meta, Struct

Short = Annotated[str, Meta(min_length=1, max_length=200)]
"""A title, or the name of an office."""
OrderTime = Annotated[datetime, Meta(tz=True)]


class Named(StrEnum):
    """A closed set that is also read in Chinese: the first name is the one to write, all are understood."""

    names: tuple[str, ...]

    def __new__(cls, value: str, *names: str) -> Self:
        """Make a member of its value and its Chinese names."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.names = names
        return member

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        """Find the member that has the Chinese name."""
        return next((member for member in cls if value in member.names), None)

    @classmethod
    def known(cls) -> str:
        """Name every value that is understood, for whoever sent another one."""
        return ", ".join(f"{member.value}（{'、'.join(member.names)}）" for member in cls)


class Channel(Named):
    """By which way the call came in: 来源渠道."""

    PHONE = "phone", "电话", "热线", "来电", "12345热线", "12345电话"
    WECHAT = "wechat", "微信", "微信公众号", "小程序", "微信小程序"
    APP = "app", "APP", "App", "手机客户端", "客户端", "移动端"
    WEB = "web", "网站", "网页", "互联网", "门户网站", "政府网站", "网络"
    MAILBOX = "mailbox", "领导信箱", "信箱", "书记信箱", "县长信箱", "邮件", "信件"
    SMS = "sms", "短信"
    TRANSFER = (
        "transfer",
        "转办",
        "上级转办",
        "上级交办",
        "国家平台",
        "省平台",
        "市平台",
        "110转办",
        "110联动",
    )
    VISIT = "visit", "来访", "现场", "窗口"
    OTHER = "other", "其他", "其它"


class Kind(Named):
    """What the caller wants: 诉求类型."""

    CONSULTATION = "consultation", "咨询", "政策咨询", "咨询类"
    REQUEST = "request", "求助", "诉求", "求助类", "求决"
    COMPLAINT = "complaint", "投诉", "投诉类", "反映", "反映问题"
    ACCUSATION = "accusation", "举报", "举报类", "投诉举报"
    SUGGESTION = "suggestion", "建议", "意见建议", "建议类", "意见"
    PRAISE = "praise", "表扬", "感谢", "表扬类"
    OTHER = "other", "其他", "其它", "无效"


class Urgency(Named):
    """How soon it must be handled: 紧急程度."""

    ORDINARY = "ordinary", "一般", "普通", "正常", "平件"
    URGENT = "urgent", "紧急", "加急", "急件", "较急"
    MOST_URGENT = "most-urgent", "特急", "非常紧急", "特别紧急", "特提"


class Status(Named):
    """How far the order has come: 工单状态."""

    REGISTERED = "registered", "已登记", "待受理", "新建"
    ACCEPTED = "accepted", "已受理", "受理", "待派单", "待派发"
    DISPATCHED = "dispatched", "已派单", "已派发", "已转办", "已交办", "待签收", "转办"
    HANDLING = "handling", "办理中", "处理中", "已签收", "处置中", "在办", "待办"
    RETURNED = "returned", "已退单", "退单", "退回", "已退回"
    EXTENDED = "extended", "延期", "已延期", "延期办理"
    DONE = "done", "已办结", "办结", "已办理", "已处理", "已完成", "待回访"
    VISITED = "visited", "已回访", "回访", "已评价"
    CLOSED = "closed", "已归档", "归档", "结案", "已结案", "已关闭"
    CANCELLED = "cancelled", "作废", "已作废", "撤单", "已撤销", "已取消"


class Satisfaction(Named):
    """What the caller said when asked afterwards: 满意度."""

    VERY_SATISFIED = "very-satisfied", "非常满意", "很满意"
    SATISFIED = "satisfied", "满意", "基本满意"
    NEUTRAL = "neutral", "一般", "尚可"
    DISSATISFIED = "dissatisfied", "不满意", "较不满意"
    VERY_DISSATISFIED = "very-dissatisfied", "非常不满意", "很不满意"
    NOT_RATED = "not-rated", "未评价", "未表态", "未接通", "拒绝评价", "无法联系"


class Handling(Struct, frozen=True, kw_only=True):
    """How the hotline handles an order; all of it may change with each push, what is not named stays as it was.

    `responded` (是否响应), `resolved` (是否解决) and `satisfaction` are what 三率 is counted from. Times are the platform's
    own and are not compared with each other: orders are entered afterwards more often than not.
    """

    channel: Channel | None = None
    kind: Kind | None = None
    urgency: Urgency | None = None
    status: Status | None = None
    unit: Short | None = None
    accepted_at: OrderTime | None = None
    dispatched_at: OrderTime | None = None
    due_at: OrderTime | None = None
    closed_at: OrderTime | None = None
    responded: bool | None = None
    resolved: bool | None = None
    satisfaction: Satisfaction | None = None


ORDER_TIMES = ("accepted_at", "dispatched_at", "due_at", "closed_at")
