"""Times as people and Excel write them in China: 2026年7月1日 8:05, 2026/7/1 下午3:20, 20260701080500, 46204.336."""

import re
import unicodedata
from datetime import UTC, datetime, time, timedelta, timezone, tzinfo

_DATE = r"(?P<year>[12]\d{3})\s*[年/.\-]\s*(?P<month>\d{1,2})\s*[月/.\-]\s*(?P<day>\d{1,2})\s*[日号]?"
_WEEKDAY = r"(?:\s*\(?(?:星期|周|礼拜)[一二三四五六日天]\)?)?"
_HALF = r"(?P<half>上午|早上|凌晨|中午|下午|傍晚|晚上|AM|PM)?"
_CLOCK = r"(?P<hour>\d{1,2})\s*[:时点]\s*(?:(?P<minute>\d{1,2})\s*分?\s*(?::?\s*(?P<second>\d{1,2})(?:\.\d+)?\s*秒?)?)?整?"
_ZONE = r"(?P<zone>Z|[+\-]\d{2}:?\d{2})?"
_TIME = re.compile(
    rf"{_DATE}{_WEEKDAY}[T,\s]*{_HALF}\s*(?:{_CLOCK})?\s*(?P<tail>AM|PM)?\s*{_ZONE}", re.IGNORECASE
)
_COMPACT = re.compile(
    r"(?P<year>20\d{2})(?P<month>\d{2})(?P<day>\d{2})(?:(?P<hour>\d{2})(?P<minute>\d{2})(?P<second>\d{2})?)?"
)
_SERIAL = re.compile(r"\d{5}(?:\.\d+)?")
EXCEL_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001  # Excel knows no zones
SERIALS = range(36_526, 73_051)
"""Days of the years 2000 to 2099 as Excel counts them."""
NOT_UNDERSTOOD = "is no time that is understood: write it like 2026-07-01 08:05"
NO_TIME_OF_DAY = "holds no time of day: set time_of_day in the map if that does not matter"


def parse_time(text: str, zone: tzinfo, time_of_day: time | None = None) -> datetime:
    """Read a time; without an offset it is in `zone`. ValueError says what is wrong and does not repeat the text."""
    plain = unicodedata.normalize("NFKC", text).strip()
    if _SERIAL.fullmatch(plain) and int(float(plain)) in SERIALS:
        at = EXCEL_EPOCH + timedelta(seconds=round(float(plain) * 86_400))
        return _aware(at, zone, None if "." not in plain else at.time(), time_of_day)
    found = _TIME.fullmatch(plain) or _COMPACT.fullmatch(plain)
    if found is None:
        raise ValueError(NOT_UNDERSTOOD)
    parts = {name: value for name, value in found.groupdict().items() if value}
    try:
        day = datetime(int(parts["year"]), int(parts["month"]), int(parts["day"]))  # noqa: DTZ001  # zone follows
        clock = _clock(parts)
    except ValueError as error:
        raise ValueError(NOT_UNDERSTOOD) from error
    return _aware(day, _zone(parts.get("zone"), zone), clock, time_of_day)


def _clock(parts: dict[str, str]) -> time | None:
    if "hour" not in parts:
        return None
    hour = int(parts["hour"])
    match (parts.get("half") or parts.get("tail", "")).upper():
        case "下午" | "傍晚" | "晚上" | "PM" if hour < 12:
            hour += 12
        case "中午" if hour < 3:
            hour += 12
        case "晚上" | "傍晚" if hour == 12:
            raise ValueError("may be the midnight before or after")
        case "上午" | "早上" | "凌晨" | "AM" if hour == 12:
            hour = 0
    return time(hour, int(parts.get("minute", 0)), int(parts.get("second", 0)))


def _zone(text: str | None, otherwise: tzinfo) -> tzinfo:
    if text is None:
        return otherwise
    if text.upper() == "Z":
        return UTC
    sign = -1 if text[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(text[1:3]), minutes=int(text[-2:])))


def _aware(day: datetime, zone: tzinfo, clock: time | None, time_of_day: time | None) -> datetime:
    clock = clock or time_of_day
    if clock is None:
        raise ValueError(NO_TIME_OF_DAY)
    return datetime.combine(day.date(), clock, zone)
