"""How a gateway says no: problem documents (RFC 9457) with a reason from a closed set."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import msgspec
from aiohttp import web

from domain.errors import Fault, FenghuoError

CONTENT_TYPE = "application/problem+json"
MAX_ERRORS = 1_000
_PLACE = re.compile(r"^\[(\d+)\]\.?")


class Reason(Enum):
    """Why a request was refused: slug, status, title; `kept` ones leave what came in `feed.rejected`."""

    NOT_JSON = "not-json", 400, "不是有效的 JSON / Not valid JSON", True
    BROKEN = "broken-body", 400, "请求体不完整 / Broken body", True
    NOT_CAP = "not-cap", 422, "不是有效的 CAP 1.2 / Not valid CAP 1.2", True
    NO_CATEGORY = "no-category", 422, "没有对应的事件类别 / No category for this event", True
    UNTRUSTED = "untrusted", 403, "签名缺失或无效 / Signature missing or wrong", True
    UNAUTHENTICATED = "unauthenticated", 401, "令牌缺失或无效 / Missing or wrong token", False
    FEED_FORBIDDEN = "feed-forbidden", 403, "无权发送此类数据 / Not allowed to send this feed", False
    FORBIDDEN = "forbidden", 403, "超出来源的区域或监测项 / Outside the source's area or series", True
    NOT_FOUND = "not-found", 404, "没有此地址 / No such address", False
    METHOD = "method", 405, "不支持此方法 / Method not allowed", False
    SLOW = "slow", 408, "请求体传送过慢 / Body took too long", True
    TOO_LARGE = "too-large", 413, "请求体过大 / Body too large", True
    UNSUPPORTED = "unsupported", 415, "不支持的内容类型或编码 / Unsupported content type or encoding", False
    INVALID = "invalid", 422, "输入有误 / Invalid input", True
    KEY_REUSED = "key-reused", 422, "幂等键已用于其他内容 / Idempotency key used with another body", False
    TOO_FAST = "too-fast", 429, "超出来源的速率 / Faster than the source may send", False
    FAILED = "failed", 500, "内部错误 / Internal error", False
    AWAY = "away", 503, "暂不可用，请稍后重试 / Not available, try again later", False
    BUSY = "busy", 503, "繁忙，请稍后重试 / Busy, try again later", False

    def __init__(self, slug: str, status: int, title: str, kept: bool) -> None:
        self.slug = slug
        self.status = status
        self.title = title
        self.kept = kept


@dataclass(eq=False)
class Refused(FenghuoError):
    """A request that is not accepted; nothing of it entered.

    `item` holds what of it is worth keeping and `size` the size of the whole; `count` the number of inputs.
    """

    reason: Reason
    detail: str
    faults: tuple[Fault, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    item: bytes = b""
    size: int | None = None
    count: int = 1

    def __str__(self) -> str:
        return f"{self.reason.slug}: {self.detail}"

    @property
    def status(self) -> int:
        """Name the HTTP status."""
        return self.reason.status


def problem(refused: Refused) -> web.Response:
    """Write the problem document; the fields tell places, never values."""
    document: dict[str, Any] = {
        "type": f"urn:fenghuo:problem:{refused.reason.slug}",
        "title": refused.reason.title,
        "status": refused.status,
        "detail": refused.detail,
    }
    if refused.faults:
        document["errors"] = [_error(fault) for fault in refused.faults[:MAX_ERRORS]]
    response = web.Response(
        body=msgspec.json.encode(document),
        status=refused.status,
        headers={**refused.headers, "Content-Type": CONTENT_TYPE},
    )
    if refused.reason in (Reason.TOO_LARGE, Reason.SLOW, Reason.BROKEN):
        response.force_close()  # the rest of the body is still in the pipe
    return response


def retry_after(seconds: float) -> dict[str, str]:
    """Make the header that says when to try again, in whole seconds and at least one."""
    return {"Retry-After": str(max(1, int(-(-seconds // 1))))}


def faulty_places(faults: Iterable[Fault]) -> list[int]:
    """Name the items of a list that faults point at, in order, each once."""
    found = (_PLACE.match(fault.field) for fault in faults)
    return sorted({int(place.group(1)) for place in found if place})


def _error(fault: Fault) -> dict[str, Any]:
    """Split the place of a fault into index, field and JSON pointer."""
    place = _PLACE.match(fault.field)
    name = fault.field[place.end() :] if place else fault.field
    error: dict[str, Any] = {"field": name or "item", "reason": fault.reason}
    if place:
        error["index"] = int(place.group(1))
    parts = [part for part in re.split(r"[.\[\]]+", "" if fault.field == "body" else fault.field) if part]
    error["pointer"] = "".join(f"/{part.replace('~', '~0').replace('/', '~1')}" for part in parts)
    return error
