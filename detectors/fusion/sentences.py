"""Sentences that an officer can read out: what, where, seen, expected, how rare, since when, which limit and its basis."""

import math
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

from config.data import Category
from detectors.fusion.levels import Kind, kind_of
from domain.findings import AlertChange, Finding
from domain.levels import Feed, Level

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
"""Without summer time since 1991: a fixed offset needs no time zone data on the machine."""
LEVELS_ZH = {Level.BLUE: "蓝色", Level.YELLOW: "黄色", Level.ORANGE: "橙色", Level.RED: "红色"}
FEEDS = {Feed.TICKETS: ("热线工单", "hotline tickets"), Feed.REPORTS: ("网格上报", "grid reports")}
DEVICE = {
    "range": ("数值超出量程", "values beyond what it can measure"),
    "rate": ("数值跳变过快", "jumps too fast to be true"),
    "stuck": ("数值长时间不变", "a value that does not move any more"),
    "silent": ("数据中断", "silence"),
}
MOST_CLAUSES = 3
NameOf = Callable[[str], str]


def by_itself(code: str) -> str:
    """Name a thing by its code, when nobody knows better."""
    return code


def alert_sentences(
    category: Category,
    level: Level,
    change: AlertChange,
    findings: list[Finding],
    *,
    place: str,
    name_of: NameOf = by_itself,
) -> tuple[str, str]:
    """Write the Chinese and the English sentence; `findings` in order of weight, `name_of` names series and areas."""
    zh_end, en_end = f"{LEVELS_ZH[level]}预警", f"{level.slug} alert"
    if change is AlertChange.CLEARED:
        zh_end, en_end = "预警已解除", "alert cleared"
    if not category.public:
        zh_end, en_end = f"{zh_end}（内部）", f"{en_end} (internal)"
    clauses = [finding_sentences(finding, name_of) for finding in findings[:MOST_CLAUSES]]
    rest = len(findings) - len(clauses)
    zh = "；".join(clause for clause, _ in clauses) + (f"；另有{rest}条证据" if rest > 0 else "")
    en = "; ".join(clause for _, clause in clauses) + (
        f"; {rest} more pieces of evidence" if rest > 0 else ""
    )
    return f"{place}{category.zh}{zh_end}：{zh}。", f"{place}: {category.en}, {en_end}: {en}."


def finding_sentences(finding: Finding, name_of: NameOf = by_itself) -> tuple[str, str]:
    """Write what one finding says, without a full stop."""
    name, since_zh, since_en = name_of(finding.subject), _zh(finding.period_start), _en(finding.period_start)
    match kind_of(finding):
        case Kind.LIMIT if finding.limit is not None:
            limit, above = finding.limit, finding.direction == "above"
            seen, value = _number(finding.observed, finding.unit), _number(limit.value, finding.unit)
            basis_zh, basis_en = (f"（{limit.basis}）", f" ({limit.basis})") if limit.basis else ("", "")
            return (
                f"{name}自{since_zh}起{'超过' if above else '低于'}限值{value}{basis_zh}，实测{seen}",
                f"{name} {'above' if above else 'below'} the limit of {value}{basis_en} since {since_en}, measured {seen}",
            )
        case Kind.BULLETIN if finding.limit is not None:
            level = finding.limit.level
            return (
                f"{since_zh}起{LEVELS_ZH[level]}外部预警“{finding.limit.basis}”",
                f"official {level.slug} warning since {since_en}: {finding.limit.basis}",
            )
        case Kind.PHRASE:
            feed_zh, feed_en = FEEDS.get(finding.feed, ("来文", "texts"))
            return (
                f"{name}于{_zh(finding.observed_at)}有{feed_zh}提到“{finding.phrase}”",
                f"{feed_en} from {name} mention “{finding.phrase}” ({_en(finding.observed_at)})",
            )
        case Kind.STATISTICAL if finding.feed in FEEDS:
            feed_zh, feed_en = FEEDS[finding.feed]
            seen, expected = _number(finding.observed), _number(finding.expected)
            return (
                f"{name}自{since_zh}起{feed_zh}{seen}件，通常约{expected}件，{_rare_zh(finding)}",
                f"{seen} {feed_en} from {name} since {since_en}, usually about {expected}, {_rare_en(finding)}",
            )
        case Kind.STATISTICAL:
            seen = _number(finding.observed, finding.unit)
            expected = _number(finding.expected, finding.unit)
            zh_how, en_how = ("偏高", "high") if finding.direction == "above" else ("偏低", "low")
            measured = f"measured {seen}, expected about {expected}, {_rare_en(finding)}"
            return (
                f"{name}自{since_zh}起异常{zh_how}，实测{seen}，预期约{expected}，{_rare_zh(finding)}",
                f"{name} unusually {en_how} since {since_en}, {measured}",
            )
        case _:
            zh, en = DEVICE.get(finding.detector, (finding.detector, finding.detector))
            return (
                f"{name}自{since_zh}起{zh}，请检查设备",
                f"{name} shows {en} since {since_en}: check the device",
            )


def _number(value: float | None, unit: str = "") -> str:
    if value is None or not math.isfinite(value):
        return "—"
    return f"{value:.4g}{' ' + unit if unit else ''}"


def _rare_zh(finding: Finding) -> str:
    order = _order(finding)
    names = {1: "十", 2: "百", 3: "千", 4: "万", 5: "十万", 6: "百万", 7: "千万", 8: "亿"}
    return (
        f"偶然出现的可能约{names[order]}分之一"
        if order in names
        else f"偶然出现的可能不到10的{order}次方分之一"
    )


def _rare_en(finding: Finding) -> str:
    order = _order(finding)
    return f"a chance of about 1 in {10**order:,}" if order <= 9 else f"a chance below 1 in 10^{order}"


def _order(finding: Finding) -> int:
    return max(1, round(-math.log10(max(finding.p_value or 1.0, 1e-300))))


def _zh(at: datetime) -> str:
    local = at.astimezone(SHANGHAI)
    return f"{local.month}月{local.day}日{local:%H:%M}"


def _en(at: datetime) -> str:
    return f"{at.astimezone(SHANGHAI):%d %b %H:%M}"
