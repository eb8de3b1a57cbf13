"""What one finding says, as a clause that can be read out: where, seen, expected, how rare, since when, which limit."""

import math
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone

from detectors.fusion.levels import Kind, kind_of
from domain.findings import Finding, SubjectKind
from domain.levels import Feed, Level

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
"""Without summer time since 1991: a fixed offset needs no time zone data on the machine."""
LEVELS_ZH = {Level.BLUE: "蓝色", Level.YELLOW: "黄色", Level.ORANGE: "橙色", Level.RED: "红色"}
FEEDS = {Feed.TICKETS: ("热线工单", "hotline tickets"), Feed.REPORTS: ("网格上报", "grid reports")}
DEVICE = {
    "range": ("数值超出量程", "values beyond what it can measure"),
    "rate": ("数值跳变过快", "jumps too fast to be true"),
    "unit": ("数值骤变约千倍，疑似计量单位改变", "values about a thousand times off, perhaps another unit"),
    "stuck": ("数值长时间不变", "a value that does not move any more"),
    "silent": ("数据中断", "silence"),
}
LONGEST_NAME, LONGEST_BASIS = 40, 80
"""Characters of a name, and of a limit's basis or a warning's headline: a clause can be read out in one breath."""
MOST_NAMES = 3
NameOf = Callable[[str], str]


def by_itself(code: str) -> str:
    """Name a thing by its code, when nobody knows better."""
    return code


def finding_sentences(finding: Finding, name_of: NameOf = by_itself) -> tuple[str, str]:
    """Write what one finding says, without a full stop."""
    name, since_zh, since_en = (
        short(name_of(finding.subject)),
        zh_time(finding.period_start),
        en_time(finding.period_start),
    )
    match kind_of(finding):
        case Kind.LIMIT if finding.limit is not None:
            limit, above = finding.limit, finding.direction == "above"
            seen, value = number(finding.observed, finding.unit), number(limit.value, finding.unit)
            basis = short(limit.basis, LONGEST_BASIS)
            basis_zh, basis_en = (f"（{basis}）", f" ({basis})") if basis else ("", "")
            return (
                f"{name}自{since_zh}起{'超过' if above else '低于'}限值{value}{basis_zh}，实测{seen}",
                f"{name} {'above' if above else 'below'} the limit of {value}{basis_en} since {since_en}, measured {seen}",
            )
        case Kind.BULLETIN if finding.limit is not None:
            level, basis = finding.limit.level, short(finding.limit.basis, LONGEST_BASIS)
            return (
                f"{since_zh}起{LEVELS_ZH[level]}外部预警“{basis}”",
                f"official {level.slug} warning since {since_en}: {basis}",
            )
        case Kind.PHRASE:
            feed_zh, feed_en = FEEDS.get(finding.feed, ("来文", "texts"))
            said = short(finding.phrase or "")
            return (
                f"{name}于{zh_time(finding.observed_at)}有{feed_zh}提到“{said}”",
                f"{feed_en} from {name} mention “{said}” ({en_time(finding.observed_at)})",
            )
        case Kind.STATISTICAL if finding.subject_kind is SubjectKind.ZONE and finding.feed is Feed.READINGS:
            return _river(finding, name_of)
        case Kind.STATISTICAL if finding.terms or finding.subject_kind is SubjectKind.ZONE:
            return _texts(finding, name_of)
        case Kind.STATISTICAL if finding.feed in FEEDS:
            feed_zh, feed_en = FEEDS[finding.feed]
            seen, expected = number(finding.observed), number(finding.expected)
            return (
                f"{name}自{since_zh}起{feed_zh}{seen}件，通常约{expected}件，{_rare_zh(finding)}",
                f"{seen} {feed_en} from {name} since {since_en}, usually about {expected}, {_rare_en(finding)}",
            )
        case Kind.STATISTICAL:
            seen = number(finding.observed, finding.unit)
            expected = number(finding.expected, finding.unit)
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


def _texts(finding: Finding, name_of: NameOf) -> tuple[str, str]:
    """Tell of a zone, or of words that rose: where most came from, how many, and what they speak of."""
    zh_where, en_where = listed(finding.places or (finding.subject,), name_of)
    feed_zh, feed_en = FEEDS.get(finding.feed, ("来文", "texts"))
    zh_terms = "".join(f"“{short(term)}”" for term in finding.terms[:MOST_NAMES])
    en_terms = ", ".join(f"“{short(term)}”" for term in finding.terms[:MOST_NAMES])
    seen, expected = number(finding.observed), number(finding.expected)
    since_zh, since_en = zh_time(finding.period_start), en_time(finding.period_start)
    zh_about = f"多提到{zh_terms}，" if zh_terms else ""
    en_about = f", many about {en_terms}" if en_terms else ""
    zh = f"{zh_where}自{since_zh}起{feed_zh}{zh_about}{seen}件，通常约{expected}件，{_rare_zh(finding)}"
    en = f"{seen} {feed_en} from {en_where} since {since_en}{en_about}, usually about {expected}, {_rare_en(finding)}"
    return zh, en


def _river(finding: Finding, name_of: NameOf) -> tuple[str, str]:
    """Tell of stations that saw something one after another, the last one's numbers, and where it will come to."""
    zh_names, en_names = listed(finding.terms or (finding.subject,), name_of)
    zh_how, en_how = ("偏高", "high") if finding.direction == "above" else ("偏低", "low")
    seen, expected = number(finding.observed, finding.unit), number(finding.expected, finding.unit)
    since_zh, since_en = zh_time(finding.period_start), en_time(finding.period_start)
    zh = f"{zh_names}自{since_zh}起先后异常{zh_how}，最近实测{seen}，预期约{expected}，{_rare_zh(finding)}"
    en = (
        f"{en_names} unusually {en_how} one after another since {since_en}, "
        f"last measured {seen}, expected about {expected}, {_rare_en(finding)}"
    )
    for arrival in finding.arrivals[:1]:
        name = short(name_of(arrival.series))
        zh += f"，预计{zh_time(arrival.earliest)}至{zh_time(arrival.latest)}到{name}"
        en += f", at {name} between {en_time(arrival.earliest)} and {en_time(arrival.latest)}"
    return zh, en


def listed(codes: Sequence[str], name_of: NameOf) -> tuple[str, str]:
    """Name some of many, and count the rest."""
    names = [short(name_of(code)) for code in codes[:MOST_NAMES]]
    rest = len(codes) - len(names)
    zh = "、".join(names) + (f"等{len(codes)}处" if rest > 0 else "")
    return zh, ", ".join(names) + (f" and {rest} more" if rest > 0 else "")


def short(text: str, longest: int = LONGEST_NAME) -> str:
    """Cut a text that is too long to be read out; the cut shows."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def number(value: float | None, unit: str = "") -> str:
    """Write a number with its unit, a dash for none."""
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


def zh_time(at: datetime) -> str:
    """Write a time as it is said, in China's."""
    local = at.astimezone(SHANGHAI)
    return f"{local.month}月{local.day}日{local:%H:%M}"


def en_time(at: datetime) -> str:
    """Write a time in China's, for a reader of English."""
    return f"{at.astimezone(SHANGHAI):%d %b %H:%M}"
