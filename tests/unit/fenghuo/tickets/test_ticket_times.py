"""Times as they stand in exports."""

from contextlib import suppress
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fenghuo.tickets.times import parse_time

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026年7月1日 8:05", "2026-07-01T08:05:00+08:00"),
        ("2026年07月01日08时05分30秒", "2026-07-01T08:05:30+08:00"),
        ("2026年7月1日 8点", "2026-07-01T08:00:00+08:00"),
        ("2026年7月1日 8点整", "2026-07-01T08:00:00+08:00"),
        ("2026年7月1日（星期三）下午3:20", "2026-07-01T15:20:00+08:00"),
        ("2026/7/1 8:05", "2026-07-01T08:05:00+08:00"),
        ("2026/7/1 下午3:20", "2026-07-01T15:20:00+08:00"),
        ("2026-7-1 03:20 PM", "2026-07-01T15:20:00+08:00"),
        ("2026.7.1 23:59:59", "2026-07-01T23:59:59+08:00"),
        ("２０２６／７／１　８：０５", "2026-07-01T08:05:00+08:00"),
        ("2026-07-01T08:05:00.123Z", "2026-07-01T08:05:00+00:00"),
        ("2026-07-01 08:05:00+0800", "2026-07-01T08:05:00+08:00"),
        ("20260701080500", "2026-07-01T08:05:00+08:00"),
        ("202607010805", "2026-07-01T08:05:00+08:00"),
        ("46204.336805556", "2026-07-01T08:05:00+08:00"),
        ("2026年7月1日 凌晨12:30", "2026-07-01T00:30:00+08:00"),
        ("2026年7月1日 中午1点", "2026-07-01T13:00:00+08:00"),
    ],
)
def test_common_forms(text: str, expected: str) -> None:
    """Each form is the moment that a reader would take it for."""
    assert parse_time(text, SHANGHAI) == datetime.fromisoformat(expected)


@pytest.mark.parametrize(
    "text",
    ["", "昨天", "7/1/2026 8:05", "26-7-1 8:05", "2026年13月1日 8:05", "2026-02-30 8:05", "2026-7-1 25:00"],
)
def test_what_is_no_time(text: str) -> None:
    """What could mean two things, or nothing, is not guessed at."""
    with pytest.raises(ValueError, match="no time that is understood"):
        parse_time(text, SHANGHAI)


def test_midnight_is_asked_about() -> None:
    """晚上12点 may be the midnight before or after."""
    with pytest.raises(ValueError, match="no time that is understood"):
        parse_time("2026年7月1日 晚上12点", SHANGHAI)


@pytest.mark.parametrize("text", ["2026年7月1日", "2026-07-01", "20260701", "46204"])
def test_a_date_alone_needs_a_time_of_day(text: str) -> None:
    """A call counted at midnight would make a burst of every day; the map may say that it does not matter."""
    with pytest.raises(ValueError, match="time_of_day"):
        parse_time(text, SHANGHAI)
    noon = parse_time(text, SHANGHAI, time(12))
    assert noon == datetime(2026, 7, 1, 4, tzinfo=UTC)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31)))  # noqa: DTZ001  # the zone is the parser's
def test_every_minute_is_read_back(at: datetime) -> None:
    """What is written in any of the forms is read as the same minute."""
    expected = at.replace(second=0, microsecond=0, tzinfo=SHANGHAI)
    for form in (
        "{0.year}年{0.month}月{0.day}日 {0.hour}:{0.minute:02}",
        "{0.year}/{0.month}/{0.day} {0.hour}:{0.minute}",
    ):
        assert parse_time(form.format(at), SHANGHAI) - expected == timedelta(0)


@given(st.text(max_size=40))
def test_no_text_breaks_it(text: str) -> None:
    """Anything else is a ValueError."""
    with suppress(ValueError):
        assert parse_time(text, SHANGHAI).tzinfo is not None
